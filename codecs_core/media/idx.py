"""The idx format of MNIST: big endian, optionally gzipped."""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from functools import partial
from typing import IO, TYPE_CHECKING, Any, cast

import numpy as np

from codecs_core.arrays import ArraySpec
from codecs_core.errors import InputError, OutputError
from codecs_core.media.source import Source
from codecs_core.media.template import raw

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from codecs_core.media.source import Part

_DTYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
#: A byte of DEFLATE becomes at most this number of bytes.
_DEFLATE = 1032
_CODES = {np.dtype(dtype).name: code for code, dtype in _DTYPES.items()}


def looks_like_idx(head: bytes) -> bool:
    """Whether a file starts like idx: two zeros, a type, a number of dimensions."""
    return len(head) >= 4 and head[:2] == b"\0\0" and head[2] in _DTYPES and 1 <= head[3] <= 8


def looks_like_zipped_idx(path: Path) -> bool:
    """Whether what is gzipped in a file starts like idx."""
    try:
        with _open(path, True) as file:
            return looks_like_idx(file.read(4))
    except (OSError, EOFError, zlib.error):
        return False


def read_idx(path: Path) -> list[Source]:
    """The array of an idx file."""
    return [_read(path, "IDX", zipped=False)]


def read_zipped_idx(path: Path) -> list[Source]:
    """The array of an idx file that is gzipped."""
    return [_read(path, "IDX.GZ", zipped=True)]


def _read(path: Path, format: str, *, zipped: bool) -> Source:
    try:
        with _open(path, zipped) as file:
            shape, dtype = _header(path, file)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path} cannot be read: {error}") from error
    attrs = {"media": {"format": format}}
    spec = ArraySpec(shape, dtype.name)
    if spec.nbytes > path.stat().st_size * (_DEFLATE if zipped else 1):
        raise InputError(f"{path} is an idx file that is cut short: its values take {spec.nbytes} bytes")
    return Source(name="", path=path, spec=spec, load=partial(_load, path, zipped), attrs=attrs)


def _open(path: Path, zipped: bool) -> IO[bytes]:
    return cast("IO[bytes]", gzip.open(path, "rb")) if zipped else path.open("rb")


def _header(path: Path, file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    head = file.read(4)
    if not looks_like_idx(head):
        raise InputError(f"{path} is not an idx file: it starts with {head.hex(' ')}")
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
    except (OSError, EOFError, zlib.error, OverflowError) as error:
        raise InputError(f"{path} cannot be read: {error}") from error
    if len(data) != nbytes:
        raise InputError(
            f"{path} is an idx file of shape {shape}, which takes {nbytes} bytes of values, "
            f"but it has {'more' if len(data) > nbytes else len(data)}"
        )
    return np.frombuffer(data, dtype).reshape(shape)


def write_idx(path: Path, parts: Sequence[Part]) -> None:
    """Write the idx file that an array came from, identical to the byte."""
    with path.open("wb") as file:
        _save(file, parts)


def write_zipped_idx(path: Path, parts: Sequence[Part]) -> None:
    """Write a gzipped idx file: the same values, in other bytes."""
    with path.open("wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=0) as zipped:
        _save(cast("IO[bytes]", zipped), parts)


def _save(file: IO[bytes], parts: Sequence[Part]) -> None:
    array = parts[0].array
    code = _CODES.get(array.dtype.name)
    if len(parts) > 1 or code is None or not 1 <= array.ndim <= 8 or max(array.shape) >= 1 << 32:
        raise OutputError(f"no idx file has {array.dtype} of shape {array.shape}")
    file.write(struct.pack(f">BBBB{array.ndim}I", 0, 0, code, array.ndim, *array.shape))
    file.write(raw(array, ">").data)
