"""Zstandard."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import zstandard

from codecs_classic.bytewise import ByteCodec
from codecs_classic.catalogue import INFO
from codecs_core.errors import CorruptDataError
from codecs_core.fields import whole


@dataclass(frozen=True, kw_only=True)
class Zstd(ByteCodec):
    """One Zstandard frame that states its content size.

    Parameters
    ----------
    level
        Effort, from 1 to 22.
    """

    id: ClassVar[str] = "classic.zstd"
    info = INFO[id]

    level: int = whole(19, 1, 22)

    def compress(self, data: bytes) -> bytes:
        """One frame, with its content size and without a checksum."""
        return zstandard.ZstdCompressor(level=self.level, write_checksum=False).compress(data)

    def expand(self, payload: bytes, nbytes: int) -> bytes:
        """Inverse of `compress`."""
        # The size is in the frame: comparing it first means that nothing beyond the array is ever allocated.
        size = zstandard.frame_content_size(payload)
        if size != nbytes:
            raise CorruptDataError(f"a stream of codec {self.id} must hold {nbytes} bytes, it says {size}")
        return zstandard.ZstdDecompressor().decompress(payload, allow_extra_data=False)
