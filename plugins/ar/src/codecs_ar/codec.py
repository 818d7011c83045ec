"""Codec ``ar.image``: images by local autoregression. A chunk is one message."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

import codecs_core as cc
from codecs_ar import INFO, probe
from codecs_ar.model import Autoregression
from codecs_core import ArraySpec, CodecInfo
from codecs_core.entropy import Message
from codecs_core.errors import UnsupportedArrayError


@dataclass(frozen=True, kw_only=True)
class ImageCodec(cc.ImageCodec):
    """Images of any height and width, or stacks of images, losslessly, by local autoregression.

    With a model of one channel they may be uint16. A model of three channels codes a fourth, alpha, as it codes the first, by itself. Bands
    of rows are decoded without each other.
    """

    id: ClassVar[str] = "ar.image"
    format_version: ClassVar[int] = 2
    stores_from: ClassVar[int | None] = 2
    same_since: ClassVar[int | None] = 1
    info: ClassVar[CodecInfo] = INFO
    BAND_PIXELS: ClassVar[int] = 1 << 19
    BAND_ROWS: ClassVar[int] = 128  # the fewest that are worth a new beginning

    @cached_property
    def _coder(self) -> Autoregression:
        coder = Autoregression(self.learnt.config, self.learnt.tensors())
        probe.check(coder, self.learnt)
        return coder

    @property
    def _channels(self) -> tuple[int, ...]:
        return (1,) if self._coder.channels == 1 else (3, 4)

    def check(self, spec: ArraySpec) -> None:
        """Raise `UnsupportedArrayError` unless the array is an image, or a stack of them, that the model can code."""
        super().check(spec)
        if spec.dtype != "uint8" and self._coder.channels > 1:
            raise UnsupportedArrayError(
                f"model {self.learnt.label} takes images of uint8, not {spec.dtype}; choose a model of one channel"
            )

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
