"""PNG, through Pillow."""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngImageFile

from codecs_classic.catalogue import INFO
from codecs_classic.imagewise import ImageCodec, expect_size
from codecs_core.errors import CorruptDataError, UnsupportedArrayError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from codecs_core import ArraySpec

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
#: (dtype, channels) -> (bit depth, colour type) of the header.
_KINDS = {("uint8", 1): (8, 0), ("uint16", 1): (16, 0), ("uint8", 3): (8, 2), ("uint8", 4): (8, 6)}


@dataclass(frozen=True, kw_only=True)
class Png(ImageCodec):
    """PNG at full effort: 8 bits in grey, RGB and RGBA, 16 bits in grey."""

    id: ClassVar[str] = "classic.png"
    info = INFO[id]
    max_side: ClassVar[int] = (1 << 31) - 1

    def check(self, spec: ArraySpec) -> None:
        """Raise `UnsupportedArrayError` for arrays that are no images, and for 16 bits in colour."""
        super().check(spec)
        if spec.itemsize == 2 and len(spec.shape) > 2 and spec.shape[-1] in (3, 4):
            raise UnsupportedArrayError(
                f"codec {self.id} takes 16 bits in grey only, not shape {spec.shape}; classic.jxl takes them in colour"
            )

    def compress(self, image: NDArray[Any]) -> bytes:
        """One PNG file."""
        file = io.BytesIO()
        Image.fromarray(image).save(file, "PNG", optimize=True)
        return file.getvalue()

    def expand(self, payload: bytes, spec: ArraySpec) -> NDArray[Any]:
        """Inverse of `compress`."""
        _check_chunks(self.id, payload)
        width, height, depth, colour, _, _, interlaced = struct.unpack_from(">IIBBBBB", payload, 16)
        expect_size(self.id, height, width, spec)
        kind = _KINDS[spec.dtype, spec.shape[2] if len(spec.shape) == 3 else 1]
        if (depth, colour, interlaced) != (*kind, 0):
            raise CorruptDataError(f"a stream of codec {self.id} has another bit depth or colour type than the array")
        # Not Image.open: it would guess the format, and it refuses large images by a process-wide setting.
        return np.asarray(PngImageFile(io.BytesIO(payload))).astype(spec.dtype)


def _check_chunks(codec: str, payload: bytes) -> None:
    """Raise unless the file is a header, data and an end, and nothing else: no text, no profile, no animation."""
    if payload[:8] != _SIGNATURE:
        raise CorruptDataError(f"a stream of codec {codec} does not start like a PNG file")
    at, kinds = 8, []
    while at + 12 <= len(payload):
        size, kind = struct.unpack_from(">I4s", payload, at)
        kinds.append(kind)
        at += 12 + size
    middle = set(kinds[1:-1])
    if at != len(payload) or kinds[0] != b"IHDR" or kinds[-1] != b"IEND" or middle != {b"IDAT"}:
        raise CorruptDataError(f"a stream of codec {codec} is not a whole PNG file of header, data and end alone")
    if payload[8:12] != b"\0\0\0\x0d" or payload[-12:-8] != b"\0\0\0\0":
        raise CorruptDataError(f"a stream of codec {codec} has a PNG header or end of a wrong size")
