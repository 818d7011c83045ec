"""Codec ``ar.stack``: stacks of small images of one size, many of them in step. A chunk is one message."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from codecs_ar import STACK_INFO
from codecs_ar.stack.fitted import Fitted
from codecs_ar.stack.model import Stack
from codecs_core import ArraySpec, Codec, CodecInfo
from codecs_core.entropy import Message
from codecs_core.errors import UnsupportedArrayError

#: Values of a chunk: the 70 bytes that a chunk costs are little beside them.
#: With predictors there are fewer: an image then takes some 100 KB, and decoding is a third slower where a cache has too little for all.
VALUES, PREDICTED = 1 << 22, 3 << 18
#: An image with its margins counts as this share of its bytes at least: tiny images have wide margins.
MARGINS = 4


@dataclass(frozen=True, kw_only=True)
class StackCodec(Codec):
    """Stacks of images of the model's height, width and channels, losslessly, by a small network a pixel on a causal window.

    Arrays are of uint8, of shape (n, h, w, channels) or, of one channel, also (n, h, w); of a model of two values also of bool.
    """

    id: ClassVar[str] = "ar.stack"
    format_version: ClassVar[int] = 1
    stores_from: ClassVar[int | None] = 1
    info: ClassVar[CodecInfo] = STACK_INFO

    @cached_property
    def _stack(self) -> Stack | Fitted:
        kind = Fitted if "decays" in self.learnt.config else Stack
        return kind(self.learnt.config, self.learnt.tensors())

    def check(self, spec: ArraySpec) -> None:
        """Raise `UnsupportedArrayError` unless the array is a stack of images of the model's shape and dtype."""
        super().check(spec)
        shape, symbols = self._stack.shape, self._stack.symbols
        if spec.shape[1:] not in (shape, shape[: 2 if shape[2] == 1 else 3]):
            item = "x".join(map(str, shape[: 2 if shape[2] == 1 else 3]))
            raise UnsupportedArrayError(
                f"model {self.learnt.label} takes stacks of images of {item}, not an array of shape {spec.shape}; "
                "train one for other images with codecs train ar.stack"
            )
        if spec.dtype == "bool" and symbols != 2:
            raise UnsupportedArrayError(
                f"model {self.learnt.label} takes uint8 values, not bool; train one on such images"
            )

    def default_chunk(self, spec: ArraySpec) -> int:
        """Images of about four million values, with predictors 800,000."""
        item = max(spec.size // max(1, spec.shape[0]), self._stack.room // MARGINS)
        values = PREDICTED if isinstance(self._stack, Fitted) else VALUES
        return max(1, min(spec.shape[0], values // max(1, item)))

    def _encode(self, chunk: NDArray[Any]) -> bytes:
        message = Message(most=self.most(ArraySpec.of(chunk)))
        self._stack.push(message, self._images(chunk))
        return message.to_bytes()

    def _images(self, chunk: NDArray[Any]) -> NDArray[np.uint8]:
        """A chunk as its model takes it; raises `UnsupportedArrayError` for values that are too large."""
        images = chunk.view(np.uint8).reshape(len(chunk), *self._stack.shape)
        most = self._stack.symbols - 1
        if images.size and int(images.max()) > most:
            item = int(np.argmax(images.reshape(len(images), -1).max(1) > most))
            raise UnsupportedArrayError(
                f"model {self.learnt.label} takes values from 0 to {most}; image {item} of a chunk holds {images[item].max()}; "
                "train one on such images with codecs train ar.stack"
            )
        return images

    def _information(self, chunk: NDArray[Any]) -> NDArray[np.float64]:
        return self._stack.information(self._images(chunk)).reshape(chunk.shape)

    def _sample(self, message: Message, items: int, size: tuple[int, int]) -> NDArray[Any]:
        height, width, channels = self._stack.shape
        shape = (items, height, width, channels)[: 3 if channels == 1 else 4]
        return self._stack.pop(message, items).reshape(shape)

    def _decode(self, payload: bytes, spec: ArraySpec) -> NDArray[Any]:
        message = Message.from_bytes(payload)
        images = self._stack.pop(message, spec.shape[0])
        message.verify_end()
        return images.reshape(spec.shape).view(spec.dtype)
