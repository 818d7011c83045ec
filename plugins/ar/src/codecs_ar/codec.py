"""Codec ``ar.image``: images by local autoregression. A chunk is one message."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from codecs_ar import INFO, probe
from codecs_ar.model import Autoregression
from codecs_core import ArraySpec, Codec, CodecInfo
from codecs_core.entropy import Message
from codecs_core.errors import ConfigError, UnsupportedArrayError

#: Values of a chunk of small images.
STACK_VALUES = 1 << 20
#: Pixels of a band of rows of a large image, and the fewest rows that are worth a new beginning.
BAND_PIXELS, BAND_ROWS = 1 << 19, 128


@dataclass(frozen=True, kw_only=True)
class ImageCodec(Codec):
    """Images of any height and width, or stacks of images, losslessly, by local autoregression.

    Arrays have the shape (h, w, channels) or (n, h, w, channels), with 1, 3 or 4 channels of uint8, and with one channel also (h, w) or
    (n, h, w). With a model of one channel they may be uint16. A model of three channels codes a fourth, alpha, as it codes
    the first, by itself. Chunks of a single image are bands of its rows; each is decoded without the others.
    """

    id: ClassVar[str] = "ar.image"
    format_version: ClassVar[int] = 2
    stores_from: ClassVar[int | None] = 2
    info: ClassVar[CodecInfo] = INFO

    @cached_property
    def _coder(self) -> Autoregression:
        if self.model is None:
            raise ConfigError("codec ar.image needs a model")
        coder = Autoregression(self.model.config, self.model.tensors())
        probe.check(coder, self.model)
        return coder

    def check(self, spec: ArraySpec) -> None:
        """Raise `UnsupportedArrayError` unless the array is an image, or a stack of them, that the model can code."""
        super().check(spec)
        self._images(spec)

    def _images(self, spec: ArraySpec) -> tuple[int, int, int, int]:
        """The shape (n, h, w, channels) of an array's images."""
        shape, grey = spec.shape, self._coder.channels == 1
        taken = (1,) if grey else (3, 4)
        if shape[-1] in taken and len(shape) in (3, 4):
            n, h, w, channels = (1, *shape)[-4:]
        elif grey and len(shape) in (2, 3):
            (n, h, w), channels = (1, *shape)[-3:], 1
        else:
            raise self._unfit(spec)
        if spec.dtype != "uint8" and not grey:
            raise self._unfit(spec)
        return n, h, w, channels

    def _unfit(self, spec: ArraySpec) -> UnsupportedArrayError:
        name = self.model.name or self.model.sha256[:16] if self.model else "?"
        if self._coder.channels == 1:
            takes = "grey images of uint8 or uint16, of shape (h, w), (n, h, w), (h, w, 1) or (n, h, w, 1)"
        else:
            takes = "images of uint8 with 3 or 4 channels, of shape (h, w, channels) or (n, h, w, channels)"
        return UnsupportedArrayError(
            f"model {name!r} takes {takes}, not {spec.dtype} of shape {spec.shape}; choose another model, "
            "or train one with codecs train ar.image"
        )

    def default_chunk(self, spec: ArraySpec) -> int:
        """Of a stack, items of about a million values; of an image, bands of about half a million pixels."""
        n, h, w, channels = self._images(spec)
        if self._single(spec):
            rows = max(BAND_ROWS, BAND_PIXELS // max(1, w))
            return max(1, math.ceil(h / max(1, math.ceil(h / rows))))
        return max(1, min(n, STACK_VALUES // max(1, h * w * channels)))

    def _single(self, spec: ArraySpec) -> bool:
        return len(spec.shape) == 2 or (len(spec.shape) == 3 and spec.shape[-1] == self._images(spec)[3])

    def _encode(self, chunk: NDArray[Any]) -> bytes:
        spec = ArraySpec.of(chunk)
        message = Message(most=self.most(spec))
        if chunk.size:
            self._coder.push(message, chunk.reshape(self._images(spec)))
        return message.to_bytes()

    def _decode(self, payload: bytes, spec: ArraySpec) -> NDArray[Any]:
        message = Message.from_bytes(payload)
        x = np.empty(spec.shape, spec.dtype)
        if spec.size:
            x = self._coder.pop(message, self._images(spec), spec.dtype).reshape(spec.shape)
        message.verify_end()
        return x

    def _decode_older(self, payload: bytes, spec: ArraySpec, version: int) -> NDArray[Any]:
        """Payloads of version 1 are never stored."""
        return self._decode(payload, spec) if version == 1 else super()._decode_older(payload, spec, version)
