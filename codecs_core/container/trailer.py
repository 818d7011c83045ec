"""The last 44 bytes of a file: where the index is, and proof that the file ends where its writer ended it."""

from __future__ import annotations

from dataclasses import dataclass

from codecs_core.container import layout
from codecs_core.container.checksum import crc32c
from codecs_core.errors import FormatError


@dataclass(frozen=True, kw_only=True)
class Trailer:
    """Place and CRC of the index, length of the file, and CRC of the preamble it belongs to.

    The last ties the end of a file to its start: a file partly overwritten by another does not open.
    """

    index_offset: int
    index_length: int
    file_length: int
    index_crc: int
    preamble_crc: int

    def to_bytes(self) -> bytes:
        """Encode, checksum and end magic included."""
        fields = (self.index_offset, self.index_length, self.file_length, self.index_crc, self.preamble_crc)
        body = layout.TRAILER.pack(*fields, 0, layout.END)[: layout.TRAILER_COVERED]
        return body + layout.CRC.pack(crc32c(body)) + layout.END

    @classmethod
    def of(cls, index: bytes, offset: int, preamble: bytes) -> Trailer:
        """That of a file with this preamble, and this index at `offset`."""
        return cls(
            index_offset=offset,
            index_length=len(index),
            file_length=offset + len(index) + layout.TRAILER.size,
            index_crc=crc32c(index),
            preamble_crc=layout.PREAMBLE.unpack(preamble)[-1],
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> Trailer:
        """Decode; raises `FormatError` if these are not the bytes of a trailer, or damaged ones."""
        if len(data) != layout.TRAILER.size or not data.endswith(layout.END):
            raise FormatError("no trailer ends here")
        offset, length, file_length, index_crc, preamble_crc, crc, _ = layout.TRAILER.unpack(data)
        found = crc32c(data[: layout.TRAILER_COVERED])
        if found != crc:
            raise FormatError(f"the trailer is damaged: its CRC32C is {found:08x}, expected {crc:08x}")
        return cls(
            index_offset=offset,
            index_length=length,
            file_length=file_length,
            index_crc=index_crc,
            preamble_crc=preamble_crc,
        )
