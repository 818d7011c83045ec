"""Files that are kept whole: their bytes are the values of an entry, and become the same file again."""

from __future__ import annotations

import os
import zlib
from functools import partial
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from codecs_core.arrays import ArraySpec
from codecs_core.errors import InputError, OutputError
from codecs_core.media.source import Source, media_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from codecs_core.media.source import Part

#: What ``attrs["media"]["format"]`` is of a file that is kept whole, and of a folder that has nothing in it.
FILE, FOLDER = "file", "folder"
_BLOCK = 1 << 20
#: A file is compressed already if DEFLATE makes no less of parts of it than this, times their size.
_PART, _PACKED = 1 << 14, 0.97
#: A JPEG file is coded in one chunk. What is larger, and starts like one, is hardly one.
_JPEG = 1 << 28


def keep_file(path: Path) -> Source:
    """A file as an array of its bytes, uint8 of shape (bytes,). It is read once, so that what cannot be read is known.

    Raises
    ------
    InputError
        If the operating system cannot read it.
    """
    try:
        with path.open("rb", buffering=0) as file:
            before = os.fstat(file.fileno())
            size, hint = _look(path, file)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error
    executable = bool(before.st_mode & 0o100) and os.name != "nt"
    media = {"format": FILE, "executable": True} if executable else {"format": FILE}
    spec = ArraySpec((size,), "uint8")
    return Source(
        name="",
        path=path,
        spec=spec,
        load=partial(_load, path, size, before.st_mtime_ns),
        attrs={"media": media},
        hint=hint,
    )


def _look(path: Path, file: IO[bytes]) -> tuple[int, str]:
    """The number of bytes of a file, and what they are like, by a part of the 1st block of it, the 2nd, the 4th and so on."""
    size, blocks, seen, packer, packed = 0, 0, 0, zlib.compressobj(1), 0
    start = b""
    while block := file.read(_BLOCK):
        start = start or block[:3]
        size, blocks = size + len(block), blocks + 1
        if blocks & (blocks - 1) == 0:
            part = block[len(block) // 2 - _PART // 2 :][:_PART] if len(block) > _PART else block
            seen, packed = seen + len(part), packed + len(packer.compress(part))
    packed += len(packer.flush())
    if start == b"\xff\xd8\xff" and size <= _JPEG:
        return size, "jpeg"
    return size, "packed" if packed > _PACKED * seen else path.suffix.lower()


def keep_folder(path: Path) -> Source:
    """A folder with nothing in it, as an array without values."""
    load = partial(np.empty, (0,), np.uint8)
    return Source(name="", path=path, spec=ArraySpec((0,), "uint8"), load=load, attrs={"media": {"format": FOLDER}})


def is_kept(attrs: Mapping[str, Any]) -> bool:
    """Whether the values of an entry with these attributes are the bytes of a file, or stand for an empty folder."""
    return media_of(attrs).get("format") in (FILE, FOLDER)


def write_kept(path: Path, parts: Sequence[Part]) -> None:
    """Write the file whose bytes an entry has, or make the empty folder that it stands for."""
    (part,) = parts
    if part.array.dtype != np.uint8 or part.array.ndim != 1:
        raise OutputError(f"a file is an array of uint8 in one dimension, not {part.array.dtype} of {part.array.shape}")
    with path.open("wb") as file:
        file.write(np.ascontiguousarray(part.array).data)
    if part.media.get("executable") is True:
        mode = path.stat().st_mode
        path.chmod(mode | (mode & 0o444) >> 2)  # for whoever may read it


def _load(path: Path, size: int, modified: int) -> NDArray[Any]:
    try:
        status = path.stat()
        if (status.st_size, status.st_mtime_ns) != (size, modified):
            raise InputError(f"{path} changed while it was read; store it again when nobody writes to it")
        if size <= _BLOCK:
            return np.frombuffer(path.read_bytes(), np.uint8)
        return np.memmap(path, np.uint8, "r", shape=(size,))
    except InputError:
        raise
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read: {error}") from error
