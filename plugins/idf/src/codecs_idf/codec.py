"""Codec ``idf.image``: images by an integer discrete flow. A chunk is one message."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

import codecs_core as cc
from codecs_core import ArraySpec, CodecInfo, MessageCodec
from codecs_core.entropy import Bijection, Message, StackCodec
from codecs_core.exact import colour_forward, colour_inverse, grey_levels
from codecs_idf import INFO
from codecs_idf.flow import line
from codecs_idf.model import Flow


@dataclass(frozen=True, kw_only=True)
class ImageCodec(cc.ImageCodec, MessageCodec):
    """Images of 1, 3 or 4 channels and any height and width, or stacks of images, losslessly, by an integer discrete flow.

    An integer flow needs no bits of other images, so a chunk can be a single one.
    """

    id: ClassVar[str] = "idf.image"
    format_version: ClassVar[int] = 2
    stores_from: ClassVar[int | None] = 2
    same_since: ClassVar[int | None] = 1
    info: ClassVar[CodecInfo] = INFO

    @cached_property
    def _flow(self) -> Flow:
        return Flow(self.learnt.config, self.learnt.tensors())

    @property
    def _channels(self) -> tuple[int, ...]:
        return (self._flow.channels,)

    def _stack_codec(self, spec: ArraySpec) -> StackCodec[NDArray[Any]]:
        flow = self._flow.codec(*self._images(spec)[:3])
        return Bijection(colour_forward, lambda z: grey_levels(colour_inverse(z)), flow)

    def _sample(self, message: Message, items: int, size: tuple[int, int]) -> NDArray[Any]:
        """A flow of integers has no bounds: values beyond those of an image are cut off."""
        z = self._flow.codec(items, *size).pop(message)
        return colour_inverse(z).clip(0, 255).astype(np.uint8)

    def _between(self, ends: NDArray[Any], items: int) -> NDArray[Any]:
        """The flow is exact, so the first and the last are the ends themselves; between them, what is beyond an image is cut off."""
        x = np.concatenate([self._arranged(end) for end in ends])
        points = [tuple(line(z, items) for z in level) for level in self._flow.points(colour_forward(x))]
        images = colour_inverse(self._flow.image(points, *x.shape[1:3]))
        return images.clip(0, 255).astype(np.uint8).reshape(items, *ends.shape[1:])

    def _information(self, chunk: NDArray[Any]) -> NDArray[np.float64]:
        spec = ArraySpec.of(chunk)
        if not chunk.size:
            return np.zeros(spec.shape)
        return self._flow.information(colour_forward(self._arranged(chunk))).reshape(spec.shape)

    def _preview(self, payload: bytes, spec: ArraySpec, levels: int) -> NDArray[Any]:
        """What the `levels` deepest levels of the flow say of a chunk, and the modes of the priors of the rest.

        Hoogeboom et al. 2019, section 4.2: progressive image rendering. With all the levels it is the chunk itself.
        """
        if not spec.size:
            return np.empty(spec.shape, np.uint8)
        z = self._flow.codec(*self._images(spec)[:3], levels).pop(Message.from_bytes(payload))
        return colour_inverse(z).clip(0, 255).astype(np.uint8).reshape(spec.shape)

    def _preview_older(self, payload: bytes, spec: ArraySpec, levels: int, version: int) -> NDArray[Any]:
        return self._preview(payload, spec, levels)
