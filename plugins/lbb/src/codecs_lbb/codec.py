"""Codec ``lbb.flow``: a chunk is one chain of images on one message."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from codecs_core import ArraySpec, CodecInfo, MessageCodec
from codecs_core.entropy import Chain, Message
from codecs_core.errors import UnsupportedArrayError
from codecs_lbb import INFO
from codecs_lbb.flow import arc
from codecs_lbb.model import FlowModel

#: Images a step, and which part of the images before they are at most: an image takes up to 30 times the bits that it adds from the message
#: first. Part of format version 1.
BATCH, PART = 64, 32
#: Images of a chunk: the seed of the first one, some 20 bits a value, is little beside them.
CHUNK = 10_000


@dataclass(frozen=True, kw_only=True)
class FlowCodec(MessageCodec):
    """Stacks of images, losslessly, by local bits-back coding with a normalising flow.

    A payload is one message, a `Chain` of images. Its price beside the flow's rate is the seed of the first image.
    """

    id: ClassVar[str] = "lbb.flow"
    format_version: ClassVar[int] = 2
    stores_from: ClassVar[int | None] = 2
    same_since: ClassVar[int | None] = 1
    info: ClassVar[CodecInfo] = INFO

    @cached_property
    def _flow(self) -> FlowModel:
        return FlowModel(self.learnt.config, self.learnt.tensors())

    def check(self, spec: ArraySpec) -> None:
        """Raise `UnsupportedArrayError` unless the array is a stack of images of a size that the model takes."""
        super().check(spec)
        self._images(spec)

    def _images(self, spec: ArraySpec) -> tuple[int, int, int, int]:
        """The shape (n, h, w, channels) of an array's images."""
        channels, step = self._flow.channels, self._flow.step
        shape = (*spec.shape, 1) if channels == 1 and len(spec.shape) == 3 else spec.shape
        if len(shape) != 4 or shape[3] != channels or shape[1] % step or shape[2] % step:
            grey = " or (n, h, w)" if channels == 1 else ""
            raise UnsupportedArrayError(
                f"model {self.learnt.label} takes stacks of images of shape (n, h, w, {channels}){grey}, h and w multiples of {step}, "
                f"not an array of shape {spec.shape}; images of one size are stacked in one array"
            )
        n, h, w, _ = shape
        return n, h, w, channels

    def default_chunk(self, spec: ArraySpec) -> int:
        """Enough images that a chain's seed does not matter."""
        return max(1, min(self._images(spec)[0], CHUNK))

    def _arranged(self, chunk: NDArray[Any]) -> NDArray[Any]:
        return chunk.reshape(self._images(ArraySpec.of(chunk)))

    def _stack_codec(self, spec: ArraySpec) -> Chain:
        n, h, w, _ = self._images(spec)
        return Chain(lambda size: self._flow.codec(size, h, w), n, BATCH, PART)

    def _information(self, chunk: NDArray[Any]) -> NDArray[np.float64]:
        """By the densities of the flow, with noise off a new message for each step."""
        if not chunk.size:
            return np.zeros(chunk.shape)
        x = self._arranged(chunk)
        parts = [x[i : i + BATCH] for i in range(0, len(x), BATCH)]
        bits = [self._flow.codec(*part.shape[:3]).theory(part, Message()) for part in parts]
        return np.concatenate(bits).reshape(chunk.shape)

    def _between(self, ends: NDArray[Any], items: int) -> NDArray[Any]:
        x = self._arranged(ends)
        h, w = x.shape[1:3]
        points = [arc(z, items) for z in self._flow.codec(2, h, w).points(x)]
        images = self._flow.codec(items, h, w).image(points).reshape(items, *ends.shape[1:])
        # where a flow is flat, a point in ten thousand does not tell the grey level
        images[[0, -1]] = ends
        return images

    def _sample(self, message: Message, items: int, size: tuple[int, int]) -> NDArray[Any]:
        shape = items, *size, self._flow.channels
        self._images(ArraySpec(dtype="uint8", shape=shape))
        return self._flow.codec(items, *size).sample(message)
