"""Lossless JPEG XL, through imagecodecs."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import imagecodecs
import numpy as np

from codecs_classic.catalogue import INFO
from codecs_classic.imagewise import ImageCodec
from codecs_core.errors import CorruptDataError
from codecs_core.fields import whole

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from codecs_core import ArraySpec

_CODESTREAM = b"\xff\x0a"


@dataclass(frozen=True, kw_only=True)
class JpegXL(ImageCodec):
    """Lossless JPEG XL as a bare codestream.

    Parameters
    ----------
    effort
        From 1 to 10.
    """

    id: ClassVar[str] = "classic.jxl"
    info = INFO[id]
    max_side: ClassVar[int] = (1 << 30) - 1
    sees_end: ClassVar[bool] = False

    effort: int = whole(7, 1, 10)

    def compress(self, image: NDArray[Any]) -> bytes:
        """One codestream, without the boxes that 16-bit images come in."""
        stream = imagecodecs.jpegxl_encode(image, lossless=True, effort=self.effort, usecontainer=False, numthreads=1)
        return _unbox(bytes(stream))

    def expand(self, payload: bytes, spec: ArraySpec) -> NDArray[Any]:
        """Inverse of `compress`."""
        if payload[:2] != _CODESTREAM:
            raise CorruptDataError(f"a stream of codec {self.id} does not start like a JPEG XL codestream")
        # Given where to decode to, the decoder compares shape and dtype with the header before it allocates.
        out = np.empty(spec.shape, spec.dtype)
        image: NDArray[Any] = imagecodecs.jpegxl_decode(payload, numthreads=1, out=out)
        return image


def _unbox(stream: bytes) -> bytes:
    at = 0
    while not stream.startswith(_CODESTREAM, at):
        size, kind = struct.unpack_from(">I4s", stream, at)
        end = at + size if size else len(stream)
        if kind == b"jxlc":
            return stream[at + 8 : end]
        at = end
    return stream[at:]
