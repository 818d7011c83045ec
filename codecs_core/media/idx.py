"""The idx format of MNIST: big endian, optionally gzipped."""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from typing import IO, TYPE_CHECKING, Any, cast

import numpy as np

from codecs_core.arrays import ArraySpec
from codecs_core.errors import InputError, UnknownKindError
from codecs_core.media.source import Source

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

_DTYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


def looks_like_idx(head: bytes) -> bool:
    """Whether a file starts like idx: two zeros, a type, a number of dimensions."""
    return len(head) >= 4 and head[:2] == b"\0\0" and head[2] in _DTYPES and 1 <= head[3] <= 8


def read_idx(path: Path, name: str, *, zipped: bool) -> Source:
    """The array of an idx file."""
    try:
        with _open(path, zipped) as file:
            shape, dtype = _header(path, file)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path} cannot be read: {error}") from error
    spec = ArraySpec(shape, dtype.name)
    return Source(name=name, path=path, spec=spec, load=lambda: _load(path, zipped))


def _open(path: Path, zipped: bool) -> IO[bytes]:
    return cast("IO[bytes]", gzip.open(path, "rb")) if zipped else path.open("rb")


def _header(path: Path, file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    head = file.read(4)
    if not looks_like_idx(head):
        raise UnknownKindError(f"{path} is not an idx file: it starts with {head.hex(' ')}")
    sizes = file.read(4 * head[3])
    if len(sizes) != 4 * head[3]:
        raise InputError(f"{path} is an idx file that ends within its header")
    return struct.unpack(f">{head[3]}I", sizes), np.dtype(_DTYPES[head[2]])


def _load(path: Path, zipped: bool) -> NDArray[Any]:
    try:
        with _open(path, zipped) as file:
            shape, dtype = _header(path, file)
            nbytes = math.prod(shape) * dtype.itemsize
            data = file.read(nbytes + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path} cannot be read: {error}") from error
    if len(data) != nbytes:
        raise InputError(
            f"{path} is an idx file of shape {shape}, which takes {nbytes} bytes of values, "
            f"but it has {'more' if len(data) > nbytes else len(data)}"
        )
    return np.frombuffer(data, dtype).reshape(shape)
