"""The compressors of Python's standard library."""

from __future__ import annotations

import bz2
import lzma
import zlib
from dataclasses import dataclass
from typing import ClassVar

from codecs_classic.bytewise import ByteCodec, whole
from codecs_classic.catalogue import INFO
from codecs_classic.settings import check_range

#: The window of xz is never larger than this, so that a decoder needs no more than this and a little.
_XZ_WINDOW = 1 << 26


@dataclass(frozen=True, kw_only=True)
class Raw(ByteCodec):
    """The bytes as they are."""

    id: ClassVar[str] = "classic.raw"
    format_version: ClassVar[int] = 1
    stores_from: ClassVar[int | None] = None
    info = INFO[id]

    def compress(self, data: bytes) -> bytes:
        """Return `data`."""
        return data

    def expand(self, payload: bytes, nbytes: int) -> bytes:
        """Return `payload`."""
        return payload


@dataclass(frozen=True, kw_only=True)
class Zlib(ByteCodec):
    """DEFLATE in a zlib stream.

    Parameters
    ----------
    level
        Effort, from 0 (stored) to 9.
    """

    id: ClassVar[str] = "classic.zlib"
    info = INFO[id]

    level: int = 9

    def __post_init__(self) -> None:
        check_range(self.id, "level", self.level, 0, 9)

    def compress(self, data: bytes) -> bytes:
        """One zlib stream."""
        return zlib.compress(data, self.level)

    def expand(self, payload: bytes, nbytes: int) -> bytes:
        """Inverse of `compress`."""
        stream = zlib.decompressobj()
        data = stream.decompress(payload, nbytes + 1)
        return whole(self.id, data, ended=stream.eof, unused=stream.unused_data, nbytes=nbytes)


@dataclass(frozen=True, kw_only=True)
class Bz2(ByteCodec):
    """bzip2.

    Parameters
    ----------
    level
        Block size in units of 100 kB, from 1 to 9.
    """

    id: ClassVar[str] = "classic.bz2"
    info = INFO[id]

    level: int = 9

    def __post_init__(self) -> None:
        check_range(self.id, "level", self.level, 1, 9)

    def compress(self, data: bytes) -> bytes:
        """One bzip2 stream."""
        return bz2.compress(data, self.level)

    def expand(self, payload: bytes, nbytes: int) -> bytes:
        """Inverse of `compress`."""
        stream = bz2.BZ2Decompressor()
        data = stream.decompress(payload, nbytes + 1)
        return whole(self.id, data, ended=stream.eof, unused=stream.unused_data, nbytes=nbytes)


@dataclass(frozen=True, kw_only=True)
class Lzma(ByteCodec):
    """LZMA2 in an xz stream without its own checksum: containers carry one.

    Parameters
    ----------
    preset
        Effort, from 0 to 9; the "extreme" variant of it.
    """

    id: ClassVar[str] = "classic.lzma"
    info = INFO[id]

    preset: int = 9

    def __post_init__(self) -> None:
        check_range(self.id, "preset", self.preset, 0, 9)

    def compress(self, data: bytes) -> bytes:
        """One xz stream, its window no larger than the data."""
        # A window beyond the data buys nothing, and allocating it takes longer than coding a small item.
        window = min(_XZ_WINDOW, max(1 << 12, 1 << (len(data) - 1).bit_length()))
        filters = [{"id": lzma.FILTER_LZMA2, "preset": self.preset | lzma.PRESET_EXTREME, "dict_size": window}]
        return lzma.compress(data, format=lzma.FORMAT_XZ, check=lzma.CHECK_NONE, filters=filters)

    def expand(self, payload: bytes, nbytes: int) -> bytes:
        """Inverse of `compress`."""
        stream = lzma.LZMADecompressor(format=lzma.FORMAT_XZ, memlimit=_XZ_WINDOW + (1 << 22))
        data = stream.decompress(payload, nbytes + 1)
        return whole(self.id, data, ended=stream.eof, unused=stream.unused_data, nbytes=nbytes)
