"""Frames: the self-describing pieces between header and index, each one payload behind a head."""

from __future__ import annotations

from dataclasses import dataclass

from codecs_core.container import layout
from codecs_core.container.checksum import crc32c
from codecs_core.errors import FormatError, UnsupportedFeatureError

_COMMON = layout.FRAME.size
#: Length of the head of each known type.
HEAD_LENGTHS = {
    layout.CHUNK: _COMMON + layout.CHUNK_FIELDS.size + layout.CRC.size,
    layout.MODEL: _COMMON + layout.MODEL_FIELDS.size + layout.CRC.size,
    layout.PACKED: _COMMON + layout.PACKED_FIELDS.size + layout.CRC.size,
}
#: Flags that frames of each known type have.
FLAGS = {layout.CHUNK: layout.CRITICAL, layout.MODEL: layout.SAFE_TO_COPY, layout.PACKED: layout.CRITICAL}


@dataclass(frozen=True, kw_only=True)
class ChunkHead:
    """Head of a frame that holds one encoded chunk.

    Parameters
    ----------
    stored, crc
        Length and CRC32C of the payload.
    entry, chunk
        Position of the entry in the header, and number of the chunk in the entry.
    digest
        xxh3-128 of the chunk after decoding.
    """

    stored: int
    crc: int
    entry: int
    chunk: int
    digest: bytes

    def to_bytes(self) -> bytes:
        """Encode, checksum included."""
        fields = layout.CHUNK_FIELDS.pack(self.entry, self.chunk, self.digest)
        return _pack(layout.CHUNK, self.stored, self.crc, fields)


@dataclass(frozen=True, kw_only=True)
class ModelHead:
    """Head of a frame that holds a model.

    Parameters
    ----------
    stored, crc
        Length and CRC32C of the payload.
    model
        Position of the model in the header.
    sha256
        SHA-256 of the model, as 32 bytes.
    length
        Bytes of the model, if the payload is the model compressed; None if it is the model.
    """

    stored: int
    crc: int
    model: int
    sha256: bytes
    length: int | None = None

    def to_bytes(self) -> bytes:
        """Encode, checksum included."""
        if self.length is None:
            return _pack(layout.MODEL, self.stored, self.crc, layout.MODEL_FIELDS.pack(self.model, self.sha256))
        fields = layout.PACKED_FIELDS.pack(self.model, self.sha256, self.length)
        return _pack(layout.PACKED, self.stored, self.crc, fields)


@dataclass(frozen=True, kw_only=True)
class OtherHead:
    """Head of an ancillary frame of a type this reader does not know; it can be skipped."""

    type: int
    flags: int
    length: int
    stored: int
    crc: int


Head = ChunkHead | ModelHead | OtherHead


def kind_of(head: ChunkHead | ModelHead) -> int:
    """Type of the frame."""
    if isinstance(head, ChunkHead):
        return layout.CHUNK
    return layout.MODEL if head.length is None else layout.PACKED


def declared_length(start: bytes) -> int:
    """Length that a head claims, from its first bytes; raises `FormatError` if no frame starts here."""
    if len(start) < _COMMON or not start.startswith(layout.FRAME_MAGIC):
        raise FormatError("no frame starts here")
    length: int = layout.FRAME.unpack_from(start)[3]
    if length < _COMMON + layout.CRC.size:
        raise FormatError(f"a frame head claims {length} bytes; expected at least {_COMMON + layout.CRC.size}")
    return length


def parse(data: bytes) -> Head:
    """Decode a whole head; raises `FormatError` if it is damaged or breaks the rules."""
    if len(data) != declared_length(data):
        raise FormatError("a frame head is not as long as it claims")
    body = data[: -layout.CRC.size]
    (crc,) = layout.CRC.unpack(data[-layout.CRC.size :])
    found = crc32c(body)
    if found != crc:
        raise FormatError(f"a frame head is damaged: its CRC32C is {found:08x}, expected {crc:08x}")
    _, kind, flags, length, stored, payload_crc = layout.FRAME.unpack_from(data)
    check_kind(kind, flags, length)
    if kind == layout.CHUNK:
        entry, chunk, digest = layout.CHUNK_FIELDS.unpack_from(data, _COMMON)
        return ChunkHead(stored=stored, crc=payload_crc, entry=entry, chunk=chunk, digest=digest)
    if kind == layout.MODEL:
        model, sha256 = layout.MODEL_FIELDS.unpack_from(data, _COMMON)
        return ModelHead(stored=stored, crc=payload_crc, model=model, sha256=sha256)
    if kind == layout.PACKED:
        model, sha256, size = layout.PACKED_FIELDS.unpack_from(data, _COMMON)
        return ModelHead(stored=stored, crc=payload_crc, model=model, sha256=sha256, length=size)
    return OtherHead(type=kind, flags=flags, length=length, stored=stored, crc=payload_crc)


def check_kind(kind: int, flags: int, length: int) -> None:
    """Raise unless a frame of this type, with these flags and this length of head, can be read or skipped."""
    if flags & ~(layout.CRITICAL | layout.SAFE_TO_COPY):
        raise FormatError(f"a frame of type {kind} has the flags {flags:#04x}, and only bits 0 and 1 are defined")
    if kind in HEAD_LENGTHS:
        if flags != FLAGS[kind] or length != HEAD_LENGTHS[kind]:
            raise FormatError(
                f"a frame of type {kind} has flags {flags:#04x} and a head of {length} bytes; "
                f"expected {FLAGS[kind]:#04x} and {HEAD_LENGTHS[kind]}"
            )
    elif flags & layout.CRITICAL:
        raise UnsupportedFeatureError(
            f"a frame is of type {kind}, critical and unknown to this reader; upgrade codecs-core to read it"
        )
    elif length < _COMMON + layout.CRC.size:
        raise FormatError(f"a frame head of {length} bytes is too short")


def _pack(kind: int, stored: int, crc: int, fields: bytes) -> bytes:
    body = layout.FRAME.pack(layout.FRAME_MAGIC, kind, FLAGS[kind], HEAD_LENGTHS[kind], stored, crc) + fields
    return body + layout.CRC.pack(crc32c(body))
