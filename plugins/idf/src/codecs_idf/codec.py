"""Codec ``idf.image``: images by an integer discrete flow. A chunk is one message."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from codecs_core import ArraySpec, Codec, CodecInfo
from codecs_core.entropy import Message, StackCodec
from codecs_core.errors import ConfigError, CorruptDataError, UnsupportedArrayError
from codecs_idf import INFO, colour
from codecs_idf.model import Flow

#: Values of a chunk of small images: what framing costs is little beside them.
STACK_VALUES = 1 << 20
#: Pixels of a band of rows of a large image.
BAND_PIXELS = 1 << 20


@dataclass(frozen=True, kw_only=True)
class ImageCodec(Codec):
    """Images of 1, 3 or 4 channels and any height and width, or stacks of images, losslessly, by an integer discrete flow.

    An integer flow needs no bits of other images, so a chunk can be a single one. Arrays have the shape (h, w, channels) or
    (n, h, w, channels), and with one channel also (h, w) or (n, h, w). Chunks of a single image are bands of its rows.
    """

    id: ClassVar[str] = "idf.image"
    format_version: ClassVar[int] = 2
    stores_from: ClassVar[int | None] = 2
    info: ClassVar[CodecInfo] = INFO

    @cached_property
    def _flow(self) -> Flow:
        if self.model is None:
            raise ConfigError("codec idf.image needs a model")
        return Flow(self.model.config, self.model.tensors())

    def check(self, spec: ArraySpec) -> None:
        """Raise `UnsupportedArrayError` unless the array is an image, or a stack of them, of the model's channels."""
        super().check(spec)
        self._images(spec)

    def _images(self, spec: ArraySpec) -> tuple[int, int, int, int]:
        """The shape (n, h, w, channels) of an array's images."""
        shape, channels = spec.shape, self._flow.channels
        if shape[-1:] == (channels,) and len(shape) in (3, 4):
            n, h, w, _ = (1, *shape)[-4:]
        elif channels == 1 and len(shape) in (2, 3):
            n, h, w = (1, *shape)[-3:]
        else:
            name = self.model.name or self.model.sha256[:16] if self.model else "?"
            more = "" if channels > 1 else ", (h, w) or (n, h, w)"
            raise UnsupportedArrayError(
                f"model {name!r} takes images of {channels} channel{'s' * (channels > 1)}, of shape (h, w, {channels}) or "
                f"(n, h, w, {channels}){more}, not an array of shape {shape}; train one for other images with codecs train idf.image"
            )
        return n, h, w, channels

    def default_chunk(self, spec: ArraySpec) -> int:
        """Of a stack, items of about a million values; of an image, all its rows, or bands of a million pixels."""
        n, h, w, channels = self._images(spec)
        if self._single(spec):
            bands = math.ceil(h * w / BAND_PIXELS)
            return max(1, math.ceil(h / max(1, bands)))
        return max(1, min(n, STACK_VALUES // max(1, h * w * channels)))

    def _single(self, spec: ArraySpec) -> bool:
        return len(spec.shape) == 2 or (len(spec.shape) == 3 and spec.shape[-1] == self._flow.channels)

    def _codec(self, spec: ArraySpec, levels: int = 64) -> StackCodec[NDArray[Any]]:
        return self._flow.codec(*self._images(spec)[:3], levels)

    def _encode(self, chunk: NDArray[Any]) -> bytes:
        spec = ArraySpec.of(chunk)
        message = Message(most=self.most(spec))
        if chunk.size:
            self._codec(spec).push(message, colour.forward(chunk.reshape(self._images(spec))))
        return message.to_bytes()

    def _decode(self, payload: bytes, spec: ArraySpec) -> NDArray[Any]:
        message = Message.from_bytes(payload)
        if not spec.size:
            message.verify_end()
            return np.empty(spec.shape, np.uint8)
        z = self._codec(spec).pop(message)
        message.verify_end()
        x = colour.inverse(z)
        if int(x.min()) < 0 or int(x.max()) > 255:
            raise CorruptDataError(f"a flow decoded values from {x.min()} to {x.max()}: the message is damaged")
        return x.astype(np.uint8).reshape(spec.shape)

    def _information(self, chunk: NDArray[Any]) -> NDArray[np.float64]:
        spec = ArraySpec.of(chunk)
        if not chunk.size:
            return np.zeros(spec.shape)
        return self._flow.information(colour.forward(chunk.reshape(self._images(spec)))).reshape(spec.shape)

    def _preview(self, payload: bytes, spec: ArraySpec, levels: int) -> NDArray[Any]:
        """What the `levels` deepest levels of the flow say of a chunk, and the modes of the priors of the rest.

        Hoogeboom et al. 2019, section 4.2: progressive image rendering. With all the levels it is the chunk itself.
        """
        if not spec.size:
            return np.empty(spec.shape, np.uint8)
        z = self._codec(spec, levels).pop(Message.from_bytes(payload))
        return colour.inverse(z).clip(0, 255).astype(np.uint8).reshape(spec.shape)

    def _decode_older(self, payload: bytes, spec: ArraySpec, version: int) -> NDArray[Any]:
        """Payloads of version 1 are never stored."""
        return self._decode(payload, spec) if version == 1 else super()._decode_older(payload, spec, version)

    def _preview_older(self, payload: bytes, spec: ArraySpec, levels: int, version: int) -> NDArray[Any]:
        return self._preview(payload, spec, levels)
