"""A file with holes where its values were: what is kept of a file whose values go back by other means than a template.

It is ``{"skeleton": the bytes around the holes, compressed, "holes": [[offset, size], ...], "size": of the file}``.
"""

from __future__ import annotations

import zlib
from itertools import pairwise
from typing import IO, TYPE_CHECKING, Any

from codecs_core.errors import InexactError, InputError, OutputError
from codecs_core.media import template

if TYPE_CHECKING:
    from pathlib import Path

#: Holes that a skeleton may have, and bytes.
_HOLES, _SKELETON = 50_000, 1 << 25


def cut(path: Path, extents: list[tuple[int, int]]) -> dict[str, Any]:
    """The skeleton of a file.

    Parameters
    ----------
    path
        The file.
    extents
        Offset and size of each piece of values, sorted.

    Raises
    ------
    InexactError
        If pieces overlap, or there is too much beside them.
    InputError
        If one lies behind the end of the file.
    """
    if any(offset + size > after for (offset, size), (after, _) in pairwise(extents)):
        raise InexactError(f"{path} has arrays that share their values")
    holes: list[list[int]] = []
    for offset, size in extents:
        if holes and sum(holes[-1]) == offset:
            holes[-1][1] += size
        else:
            holes.append([offset, size])
    total = path.stat().st_size
    beside = total - sum(size for _, size in holes)
    if holes and sum(holes[-1]) > total:
        raise InputError(f"{path} is cut short: values of it lie behind its end")
    if beside > _SKELETON or len(holes) > _HOLES:
        raise InexactError(
            f"{path} has {beside} bytes beside its values, in {len(holes)} pieces, which is too much to keep"
        )
    ends = [*(offset for offset, _ in holes), total]
    starts = [0, *map(sum, holes)]
    with path.open("rb") as file:
        packed = zlib.compress(b"".join(_piece(file, a, b) for a, b in zip(starts, ends, strict=True)), 9)
    if len(packed) > template.LARGEST:
        raise InexactError(
            f"{path} has {len(packed)} compressed bytes beside its values, and {template.LARGEST} can be kept with an array"
        )
    return {"skeleton": packed, "holes": holes, "size": total}


def _piece(file: IO[bytes], start: int, end: int) -> bytes:
    file.seek(start)
    return file.read(end - start)


def lay(file: IO[bytes], whole: Any) -> None:
    """Write a skeleton, with nothing in its holes; raises `OutputError` for what is none."""
    try:
        holes, size = [(int(offset), int(length)) for offset, length in whole["holes"]], int(whole["size"])
        inflater = zlib.decompressobj()
        rest = inflater.decompress(whole["skeleton"], _SKELETON)
    except (TypeError, KeyError, ValueError, zlib.error) as error:
        raise OutputError("its attributes have no skeleton of a file") from error
    if len(rest) + sum(length for _, length in holes) != size or not inflater.eof:
        raise OutputError("its skeleton and its holes do not make a file of the size that it had")
    at = 0
    for offset, length in [*holes, (size, 0)]:
        if offset < file.tell():
            raise OutputError("its skeleton has holes that overlap")
        step = offset - file.tell()
        file.write(rest[at : at + step])
        at += step
        file.seek(length, 1)
    file.truncate(size)


def put(path: Path, pieces: list[tuple[Any, Any]]) -> None:
    """Write pieces into a file, each to its offset."""
    if not all(type(offset) is int and offset >= 0 for offset, _ in pieces):
        raise OutputError("its attributes do not say where its values are")
    with path.open("r+b") as file:
        for offset, piece in pieces:
            file.seek(offset)
            file.write(piece)
