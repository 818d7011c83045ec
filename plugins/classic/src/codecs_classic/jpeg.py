"""JPEG files, whole: transcoded to JPEG XL without loss, through imagecodecs."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import imagecodecs

from codecs_classic.bytewise import ByteCodec
from codecs_classic.catalogue import INFO
from codecs_core.errors import CorruptDataError

if TYPE_CHECKING:
    from codecs_core import ArraySpec

#: What the first byte of a payload says of the others.
_PLAIN, _TRANSCODED = b"\0", b"\1"
_SIGNATURE = b"\0\0\0\x0cJXL \r\n\x87\n"
#: Most pixels an image may have for each byte of its JPEG file, beside a constant: more would take much memory for few bytes.
PIXELS_A_BYTE, PIXELS = 64, 1 << 20


@dataclass(frozen=True, kw_only=True)
class Jpeg(ByteCodec):
    """The bytes of a JPEG file by its coefficients, in JPEG XL; of anything else, as they are.

    JPEG XL (ISO/IEC 18181-2, "JPEG bitstream reconstruction data") codes the quantised coefficients of a JPEG file better than
    the file does, and keeps what else is needed to make the file again, to the byte. A chunk is one file.
    """

    id: ClassVar[str] = "classic.jpeg"
    format_version: ClassVar[int] = 1
    stores_from: ClassVar[int | None] = None  # a flag says it
    info = INFO[id]

    def default_chunk(self, spec: ArraySpec) -> int:
        """One chunk: a part of a JPEG file is none."""
        return max(1, spec.shape[0])

    def compress(self, data: bytes) -> bytes:
        """A flag and the JPEG XL file, if that becomes `data` again and is smaller; else a flag and `data`."""
        stream = _transcoded(data) if data.startswith(b"\xff\xd8\xff") else None
        return _PLAIN + data if stream is None or len(stream) >= len(data) else _TRANSCODED + stream

    def expand(self, payload: bytes, nbytes: int) -> bytes:
        """Inverse of `compress`."""
        flag, stream = payload[:1], payload[1:]
        if flag == _PLAIN:
            return stream
        if flag != _TRANSCODED:
            raise CorruptDataError(
                f"a payload of codec {self.id} starts with {flag.hex() or 'nothing'}, not with 00 or 01"
            )
        if not _fits(stream, nbytes):
            raise CorruptDataError(
                f"a stream of codec {self.id} claims more pixels than a JPEG file of {nbytes} bytes has"
            )
        # Given how much there is room for, the decoder writes no more.
        return bytes(imagecodecs.jpegxl_decode_jpeg(stream, numthreads=1, out=nbytes))


def _transcoded(data: bytes) -> bytes | None:
    """The JPEG XL file of a JPEG file; None where that does not become the same file again."""
    try:
        stream = bytes(imagecodecs.jpegxl_encode_jpeg(data, numthreads=1))
        fits = _fits(stream, len(data))
        return stream if fits and imagecodecs.jpegxl_decode_jpeg(stream, numthreads=1, out=len(data)) == data else None
    except (imagecodecs.JpegxlError, CorruptDataError, ValueError):
        return None


def _fits(stream: bytes, nbytes: int) -> bool:
    height, width = size(stream)
    return height * width <= PIXELS_A_BYTE * nbytes + PIXELS


def size(stream: bytes) -> tuple[int, int]:
    """Height and width that a JPEG XL file states, in the first bytes of its codestream (ISO/IEC 18181-1, SizeHeader)."""
    bits = int.from_bytes(_codestream(stream)[:12], "little")

    def take(n: int) -> int:
        nonlocal bits
        value, bits = bits & (1 << n) - 1, bits >> n
        return value

    def side(small: int) -> int:
        return 8 * (take(5) + 1) if small else 1 + take((9, 13, 18, 30)[take(2)])

    small = take(1)
    height, ratio = side(small), take(3)
    if ratio == 0:
        return height, side(small)
    across, down = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))[ratio - 1]
    return height, height * across // down


def _codestream(stream: bytes) -> bytes:
    """The start of the codestream in a JPEG XL file, after the first two bytes that every codestream has."""
    at = len(_SIGNATURE)
    while stream.startswith(_SIGNATURE) and at + 8 <= len(stream):
        length, kind = struct.unpack_from(">I4s", stream, at)
        head = 8
        if length == 1 and at + 16 <= len(stream):
            (length,), head = struct.unpack_from(">Q", stream, at + 8), 16
        start = at + head + (4 if kind == b"jxlp" else 0)
        if kind in (b"jxlc", b"jxlp") and stream[start : start + 2] == b"\xff\x0a":
            return stream[start + 2 : start + 14]
        if length < head:
            break
        at += length
    raise CorruptDataError("a stream is no JPEG XL file with an image in it")
