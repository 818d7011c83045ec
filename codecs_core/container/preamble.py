"""The first 32 bytes of a file: what it is, who can read it, and how long its header is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from codecs_core.container import layout
from codecs_core.container.checksum import crc32c
from codecs_core.errors import CorruptDataError, NotAContainerError, TruncatedFileError, UnsupportedFeatureError

if TYPE_CHECKING:
    from codecs_core.container.header import Header

_AGAIN = "get the file again from where it came from"


@dataclass(frozen=True, kw_only=True)
class Preamble:
    """Versions, feature bits, and length and CRC of the header."""

    header_length: int
    header_crc: int
    major: int = layout.MAJOR
    minor: int = layout.MINOR
    incompat: int = 0
    compat: int = 0

    def to_bytes(self) -> bytes:
        """Encode, checksum included."""
        fields = (self.major, self.minor, self.incompat, self.compat, self.header_length, self.header_crc)
        body = layout.PREAMBLE.pack(layout.SIGNATURE, *fields, 0)[: -layout.CRC.size]
        return body + layout.CRC.pack(crc32c(body))

    @classmethod
    def of(cls, header: Header, *, incomplete: bool = False) -> Preamble:
        """That of a file with this header, in the lowest version that describes it."""
        grid = header.entries.grid
        return cls(
            header_length=len(header.data),
            header_crc=crc32c(header.data),
            minor=layout.GRID_MINOR if grid else layout.MINOR,
            incompat=incomplete * layout.INCOMPLETE | grid * layout.GRID,
        )

    @classmethod
    def from_bytes(cls, data: bytes, where: str) -> Preamble:
        """Decode the start of a file; raises if it is no container, or one this reader cannot read.

        The checksum comes before the versions: no bit of a damaged preamble is believed.
        """
        signature = layout.SIGNATURE
        if not data.startswith(signature):
            if signature.startswith(data):
                what = "is empty" if not data else f"ends after {len(data)} bytes"
                raise TruncatedFileError(f"{where} {what}, inside the signature of a container; {_AGAIN}")
            hint = ""
            if data.startswith(signature[:4]):
                hint = " (it starts like one whose line ends were converted by a transfer in text mode)"
            raise NotAContainerError(
                f"{where} is not a codecs container{hint}: "
                f"it starts with {data[:8].hex(' ')}, expected {signature.hex(' ')}"
            )
        size = layout.PREAMBLE.size
        if len(data) < size:
            raise TruncatedFileError(f"{where} ends after {len(data)} bytes, inside its {size}-byte preamble; {_AGAIN}")
        _, major, minor, incompat, compat, length, header_crc, crc = layout.PREAMBLE.unpack_from(data)
        found = crc32c(data[: size - layout.CRC.size])
        if found != crc:
            raise CorruptDataError(
                f"{where} has a damaged preamble: its CRC32C is {found:08x}, expected {crc:08x}; {_AGAIN}"
            )
        if major < layout.MAJOR:
            raise UnsupportedFeatureError(
                f"{where} has format version {major}.{minor}, a draft of version {layout.MAJOR}; decode it with the "
                f"codecs-core that wrote it, and encode it again"
            )
        if major != layout.MAJOR:
            raise UnsupportedFeatureError(
                f"{where} has format version {major}.{minor}, and this reader knows {layout.MAJOR}.x; "
                f"upgrade codecs-core to read it"
            )
        unknown = incompat & ~layout.INCOMPAT_KNOWN
        if unknown:
            bits = ", ".join(str(i) for i in range(32) if unknown >> i & 1)
            raise UnsupportedFeatureError(
                f"{where} needs format features this reader does not know (incompatible bit {bits}); "
                f"upgrade codecs-core to read it"
            )
        return cls(
            major=major, minor=minor, incompat=incompat, compat=compat, header_length=length, header_crc=header_crc
        )
