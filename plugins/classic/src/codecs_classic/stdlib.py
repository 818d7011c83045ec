"""The compressors of Python's standard library."""

from __future__ import annotations

import bz2
import lzma
import zlib
from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

from codecs_classic.bytewise import ByteCodec
from codecs_classic.catalogue import INFO
from codecs_core.errors import CorruptDataError
from codecs_core.fields import whole

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
class Stream(ByteCodec):
    """Base of the codecs whose payload is one stream that says where it ends."""

    @abstractmethod
    def decompressor(self) -> Any:
        """What expands a stream, as this library has it."""

    def expand(self, payload: bytes, nbytes: int) -> bytes:
        """Inverse of `compress`; a stream that is merely too long is cut behind what is expected."""
        stream = self.decompressor()
        data: bytes = stream.decompress(payload, nbytes + 1)
        if len(data) <= nbytes and not stream.eof:
            raise CorruptDataError(f"a stream of codec {self.id} ends early, after {len(data)} of {nbytes} bytes")
        if stream.unused_data:
            raise CorruptDataError(f"{len(stream.unused_data)} bytes are left over after a stream of codec {self.id}")
        return data


@dataclass(frozen=True, kw_only=True)
class Zlib(Stream):
    """DEFLATE in a zlib stream.

    Parameters
    ----------
    level
        Effort, from 0 (stored) to 9.
    """

    id: ClassVar[str] = "classic.zlib"
    info = INFO[id]

    level: int = whole(9, 0, 9)

    def compress(self, data: bytes) -> bytes:
        """One zlib stream."""
        return zlib.compress(data, self.level)

    def decompressor(self) -> Any:
        """Of one such stream."""
        return zlib.decompressobj()


@dataclass(frozen=True, kw_only=True)
class Bz2(Stream):
    """bzip2.

    Parameters
    ----------
    level
        Block size in units of 100 kB, from 1 to 9.
    """

    id: ClassVar[str] = "classic.bz2"
    info = INFO[id]

    level: int = whole(9, 1, 9)

    def compress(self, data: bytes) -> bytes:
        """One bzip2 stream."""
        return bz2.compress(data, self.level)

    def decompressor(self) -> Any:
        """Of one such stream."""
        return bz2.BZ2Decompressor()


@dataclass(frozen=True, kw_only=True)
class Lzma(Stream):
    """LZMA2 in an xz stream without its own checksum: containers carry one.

    Parameters
    ----------
    preset
        Effort, from 0 to 9; the "extreme" variant of it.
    """

    id: ClassVar[str] = "classic.lzma"
    info = INFO[id]

    preset: int = whole(9, 0, 9)

    def compress(self, data: bytes) -> bytes:
        """One xz stream, its window no larger than the data."""
        # A window beyond the data buys nothing, and allocating it takes longer than coding a small item.
        window = min(_XZ_WINDOW, max(1 << 12, 1 << (len(data) - 1).bit_length()))
        filters = [{"id": lzma.FILTER_LZMA2, "preset": self.preset | lzma.PRESET_EXTREME, "dict_size": window}]
        return lzma.compress(data, format=lzma.FORMAT_XZ, check=lzma.CHECK_NONE, filters=filters)

    def decompressor(self) -> Any:
        """Of one such stream."""
        return lzma.LZMADecompressor(format=lzma.FORMAT_XZ, memlimit=_XZ_WINDOW + (1 << 22))
