"""Lossless WebP, through Pillow."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from PIL import Image
from PIL.WebPImagePlugin import WebPImageFile

from codecs_classic.catalogue import INFO
from codecs_classic.imagewise import ImageCodec, expect_size
from codecs_core.errors import CorruptDataError, UnsupportedArrayError
from codecs_core.fields import whole

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from codecs_core import ArraySpec


@dataclass(frozen=True, kw_only=True)
class WebP(ImageCodec):
    """Lossless WebP. Grey is coded as equal red, green and blue, which costs a few bytes an image.

    Parameters
    ----------
    effort
        From 0 to 100. The last quarter takes ten times as long and gains about half a percent.
    """

    id: ClassVar[str] = "classic.webp"
    info = INFO[id]
    max_side: ClassVar[int] = 16383

    effort: int = whole(75, 0, 100)

    def check(self, spec: ArraySpec) -> None:
        """Raise `UnsupportedArrayError` for arrays that are no images, and for stacks of stacks of them."""
        super().check(spec)
        if len(spec.shape) == 4 and spec.shape[3] not in (1, 3, 4):
            raise UnsupportedArrayError(
                f"codec {self.id} takes stacks (N, H, W, C) with 1, 3 or 4 channels C, not shape {spec.shape}; "
                f"classic.jxl takes such arrays"
            )

    def compress(self, image: NDArray[Any]) -> bytes:
        """One WebP file of a single lossless chunk; colours under full transparency are kept."""
        file = io.BytesIO()
        colour = np.stack([image] * 3, axis=-1) if image.ndim == 2 else image
        Image.fromarray(colour).save(file, "WEBP", lossless=True, quality=self.effort, method=6, exact=True)
        return file.getvalue()

    def expand(self, payload: bytes, spec: ArraySpec) -> NDArray[Any]:
        """Inverse of `compress`."""
        height, width = _read_size(self.id, payload)
        expect_size(self.id, height, width, spec)
        # Not Image.open: it would guess the format, and it refuses large images by a process-wide setting.
        image = WebPImageFile(io.BytesIO(payload))
        if len(spec.shape) == 3:
            # An opaque image comes back as RGB, whatever it was.
            mode = "RGB" if spec.shape[2] == 3 else "RGBA"
            return np.asarray(image if image.mode == mode or image.mode != "RGB" else image.convert(mode))
        pixels = np.asarray(image)
        if image.mode != "RGB" or (pixels != pixels[:, :, :1]).any():
            raise CorruptDataError(f"a stream of codec {self.id} must be grey, got colour")
        return pixels[:, :, 0]


def _read_size(codec: str, payload: bytes) -> tuple[int, int]:
    """Height and width of a file that is one VP8L chunk and nothing else."""
    riff, chunk = int.from_bytes(payload[4:8], "little"), int.from_bytes(payload[16:20], "little")
    if payload[:4] + payload[8:16] != b"RIFFWEBPVP8L" or len(payload) < 25 or payload[20] != 0x2F:
        raise CorruptDataError(f"a stream of codec {codec} does not start like a lossless WebP file")
    if riff + 8 != len(payload) or 20 + chunk + chunk % 2 != len(payload):
        raise CorruptDataError(f"a stream of codec {codec} is not as long as its header says")
    bits = int.from_bytes(payload[21:25], "little")
    return (bits >> 14 & 0x3FFF) + 1, (bits & 0x3FFF) + 1
