"""What is in a gzip file, and the gzip file again: to the byte, where zlib can be made to say the same.

RFC 1952. Most programs let zlib compress; which of its nine levels they asked for is found out here.
"""

from __future__ import annotations

import struct
import zlib
from typing import IO, TYPE_CHECKING, Any

from codecs_core.errors import InexactError, InputError

if TYPE_CHECKING:
    from pathlib import Path

MAGIC = b"\x1f\x8b\x08"
#: A plain header: no name, no time, of an unknown system.
_PLAIN = MAGIC + b"\0\0\0\0\0\0\xff"
#: Levels, the likely ones first.
_LEVELS = (6, 1, 9, 5, 4, 3, 2, 7, 8)
_EXTRA, _NAME, _COMMENT, _CRC = 4, 8, 16, 2
#: About how many bytes are compressed to see whether a level is the one.
_PREFIX = 1 << 18


def unpacked(path: Path, most: int) -> bytes:
    """The contents of a gzip file of one member.

    Raises
    ------
    InexactError
        If it has several members, or bytes behind them.
    InputError
        If it is damaged, or has more than `most` bytes in it.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error
    inflater = zlib.decompressobj(31)
    try:
        content = inflater.decompress(data, most + 1)
    except zlib.error as error:
        raise InputError(f"{path} is a damaged gzip file: {error}") from error
    if len(content) > most:
        raise InputError(f"{path} has more than the {most} bytes in it that its header says")
    if not inflater.eof:
        raise InputError(f"{path} is a gzip file that is cut short")
    if inflater.unused_data:
        raise InexactError(f"{path} is a gzip file with {len(inflater.unused_data)} bytes behind its first member")
    return content


def start(path: Path, size: int) -> bytes:
    """The first bytes of the contents, as many as can be had; damage behind them is none of its business."""
    inflater, found = zlib.decompressobj(31), b""
    try:
        with path.open("rb") as file:
            while len(found) < size and (piece := file.read(64)):
                found += inflater.decompress(piece, size - len(found))
    except (OSError, zlib.error):
        pass
    return found


def described(path: Path, content: bytes) -> dict[str, Any]:
    """What `pack` needs to make the file again: its header, and the level, if there is one that gives the same bytes."""
    data = path.read_bytes()
    end = _header(data)
    header = data[:end] if 0 < end < 1 << 16 else _PLAIN
    body = data[end:-8]
    level = next((level for level in _LEVELS if _gives(level, content, body)), None)
    return {"header": header, "level": level}


def pack(file: IO[bytes], content: bytes, told: Any) -> None:
    """Write contents as a gzip file, with the header and at the level that `described` told; else as any program would."""
    told = told if isinstance(told, dict) else {}
    header, level = told.get("header"), told.get("level")
    file.write(header if isinstance(header, bytes) and header.startswith(MAGIC) else _PLAIN)
    deflater = _deflater(level if level in _LEVELS else 6)
    file.write(deflater.compress(content))
    file.write(deflater.flush())
    file.write(struct.pack("<II", zlib.crc32(content), len(content) & 0xFFFFFFFF))


def _deflater(level: int) -> Any:
    return zlib.compressobj(level, zlib.DEFLATED, -15, zlib.DEF_MEM_LEVEL, zlib.Z_DEFAULT_STRATEGY)


def _gives(level: int, content: bytes, body: bytes) -> bool:
    deflater = _deflater(level)
    first = deflater.compress(content[:_PREFIX])
    if not body.startswith(first):
        return False
    again: bytes = first + deflater.compress(content[_PREFIX:]) + deflater.flush()
    return again == body


def _header(data: bytes) -> int:
    """Length of the header; 0 if it is none."""
    if len(data) < 18 or not data.startswith(MAGIC):
        return 0
    flags, at = data[3], 10
    if flags & _EXTRA:
        at += 2 + int.from_bytes(data[at : at + 2], "little")
    for flag in (_NAME, _COMMENT):
        if flags & flag:
            at = data.find(b"\0", at) + 1
            if at == 0:
                return 0
    return at + (2 if flags & _CRC else 0)
