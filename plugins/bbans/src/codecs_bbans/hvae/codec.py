"""Codec ``bbans.hvae``: a chunk is one message of all its images."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

import codecs_core as cc
from codecs_bbans import HIERARCHICAL
from codecs_bbans.hvae.corrections import LEAST, Corrected
from codecs_bbans.hvae.model import Hierarchy
from codecs_bbans.hvae.naming import Named
from codecs_core import ArraySpec, CodecInfo, MessageCodec
from codecs_core.entropy import Bijection, Message, StackCodec
from codecs_core.errors import CorruptDataError
from codecs_core.exact import colour_forward, colour_inverse, grey_levels
from codecs_core.fields import one_of


@dataclass(frozen=True, kw_only=True)
class HierarchicalCodec(cc.ImageCodec, MessageCodec):
    """Images of 1, 3 or 4 channels and any height and width, or stacks of images, losslessly, by a hierarchical autoencoder.

    Its latents are drawn with bits of the image itself, and as finely as these allow, so a chunk can be a single one.

    Parameters
    ----------
    effort
        "smallest": what the networks say of the pixels of each image is corrected by numbers that an encoder finds and tells
        (`codecs_bbans.hvae.corrections`). To decode takes no longer.
    """

    id: ClassVar[str] = "bbans.hvae"
    format_version: ClassVar[int] = 3
    stores_from: ClassVar[int | None] = 1
    same_since: ClassVar[int | None] = 2
    info: ClassVar[CodecInfo] = HIERARCHICAL

    effort: str = one_of("standard", ("standard", "smallest"))

    @cached_property
    def _hierarchy(self) -> Hierarchy:
        return Hierarchy(self.learnt.config, self.learnt.tensors())

    @property
    def _channels(self) -> tuple[int, ...]:
        return (self._hierarchy.channels,)

    def _stack_codec(self, spec: ArraySpec) -> StackCodec[NDArray[Any]]:
        return Bijection(colour_forward, restored, self._named(spec))

    def _named(self, spec: ArraySpec) -> Named | Corrected:
        n, h, w, _ = self._images(spec)
        named = Named(self._hierarchy, n, h, w)
        return Corrected(named) if self.effort == "smallest" and h * w >= LEAST else named

    def _older(self, spec: ArraySpec) -> StackCodec[NDArray[Any]]:
        """Codec of payloads of version 1: each latent is named by 8 bits."""
        return Bijection(colour_forward, restored, self._hierarchy.codec(*self._images(spec)[:3]))

    def _decode_older(self, payload: bytes, spec: ArraySpec, version: int) -> NDArray[Any]:
        self._refuse_effort(version)
        if version != 1:
            return super()._decode_older(payload, spec, version)
        message = Message.from_bytes(payload)
        x = self._older(spec).pop(message)
        message.verify_end()
        return x.reshape(spec.shape)

    def _refuse_effort(self, version: int) -> None:
        """Raise `CorruptDataError` for a setting that payloads of older versions had not."""
        if self.effort != "standard":
            raise CorruptDataError(
                f"version {version} of bbans.hvae had no effort {self.effort!r}: the file is damaged"
            )

    def _sample(self, message: Message, items: int, size: tuple[int, int]) -> NDArray[Any]:
        """Values beyond those of an image are cut off."""
        return shown(self._hierarchy.codec(items, *size).pop(message))

    def _information(self, chunk: NDArray[Any]) -> NDArray[np.float64]:
        if not chunk.size:
            return np.zeros(chunk.shape)
        x = colour_forward(self._arranged(chunk))
        return self._named(ArraySpec.of(chunk)).information(x).reshape(chunk.shape)

    def _preview(self, payload: bytes, spec: ArraySpec, levels: int) -> NDArray[Any]:
        """What the `levels` coarsest levels of latents say of a chunk; with more than there are, the chunk itself."""
        return shown(self._named(spec).preview(Message.from_bytes(payload), levels)).reshape(spec.shape)

    def _preview_older(self, payload: bytes, spec: ArraySpec, levels: int, version: int) -> NDArray[Any]:
        self._refuse_effort(version)
        if version != 1:
            return self._preview(payload, spec, levels)
        if levels > len(self._hierarchy.levels):
            return self._decode_older(payload, spec, version)
        x = self._hierarchy.preview(Message.from_bytes(payload), *self._images(spec)[:3], levels)
        return shown(x).reshape(spec.shape)


def restored(z: NDArray[Any]) -> NDArray[np.uint8]:
    """Images from what was decoded; raises `CorruptDataError` for what is none."""
    return grey_levels(colour_inverse(z))


def shown(z: NDArray[Any]) -> NDArray[np.uint8]:
    """Images from likely pixels, whose values may lie beyond those of an image: these are cut off."""
    return colour_inverse(z).clip(0, 255).astype(np.uint8)
