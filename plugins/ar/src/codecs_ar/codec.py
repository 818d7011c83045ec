"""Codec ``ar.image``: images by local autoregression."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from numpy.typing import NDArray

import codecs_core as cc
from codecs_ar import INFO, levels, probe
from codecs_ar.model import Autoregression
from codecs_core import ArraySpec, CodecInfo
from codecs_core.errors import CorruptDataError
from codecs_core.fields import one_of


@dataclass(frozen=True, kw_only=True)
class ImageCodec(cc.ImageCodec):
    """Images of any height and width, or stacks of images, losslessly, by local autoregression.

    They are of any integers. A model of one channel takes grey images, one of three channels takes up to 16 channels, in an order that is
    chosen by the image; alpha beside colours is coded as the first channel is, by itself. Bands of rows are decoded without each other.

    Parameters
    ----------
    effort
        ``"fast"``, which is several times as fast, asks nothing of the model, and takes 1 to 16 channels with any; ``"standard"``; or
        ``"smallest"``, which takes three times as long, and nine times with a model that has a second opinion. The model ``photo`` then
        stands for ``photo-smallest``, which has one.
    """

    id: ClassVar[str] = "ar.image"
    format_version: ClassVar[int] = 5
    stores_from: ClassVar[int | None] = 2
    info: ClassVar[CodecInfo] = INFO
    BAND_PIXELS: ClassVar[int] = 1 << 19
    BAND_ROWS: ClassVar[int] = 128  # the fewest that are worth a new beginning
    MOST_CHANNELS: ClassVar[int] = 16
    LEAST_APART: ClassVar[int] = 1 << 16  # values from which on planes are coded, and decoded, at the same time

    #: At the level smallest the first of these models stands for the second: it, with a second opinion.
    PHOTO: ClassVar[str] = "1e981af67e5fc8eec7fc27204c11ce2253efe45ec5cc9b32dfca653552216507"
    PHOTO_SMALLEST: ClassVar[str] = "photo-smallest"

    effort: str = one_of(levels.STANDARD, levels.LEVELS)

    def __post_init__(self) -> None:
        """Take the larger one of two models of photographs, if it is asked for the smallest files."""
        super().__post_init__()
        if self.effort == levels.SMALLEST and self.model is not None and self.model.sha256 == self.PHOTO:
            object.__setattr__(self, "model", cc.load_model(self.PHOTO_SMALLEST, codec=self.id))

    @cached_property
    def _coder(self) -> Autoregression:
        coder = Autoregression(self.learnt.config, self.learnt.tensors())
        probe.check(coder, self.learnt)
        return coder

    @property
    def _channels(self) -> tuple[int, ...]:
        if self.effort == levels.QUICK:
            return tuple(range(1, self.MOST_CHANNELS + 1))
        return (1,) if self._coder.channels == 1 else tuple(range(2, self.MOST_CHANNELS + 1))

    def _encode(self, chunk: NDArray[Any]) -> bytes:
        spec = ArraySpec.of(chunk)
        images, least, most = chunk.reshape(self._images(spec)), self.LEAST_APART, self.most(spec)
        return levels.encode(images, self.effort, self._coder, least=least, most=most)

    def _decode(self, payload: bytes, spec: ArraySpec) -> NDArray[Any]:
        return levels.decode(payload, self._images(spec), spec.dtype, self._coder, self.format_version).reshape(
            spec.shape
        )

    def _decode_older(self, payload: bytes, spec: ArraySpec, version: int) -> NDArray[Any]:
        if version in (3, 4):
            images, coder = self._images(spec), self._coder
            return levels.decode(payload, images, spec.dtype, coder, version).reshape(spec.shape)
        if version not in (1, 2):
            return super()._decode_older(payload, spec, version)
        if spec.dtype == "uint16" and self._coder.channels > 1:
            raise CorruptDataError(f"version {version} of ar.image had no colour of 16 bits: the file is damaged")
        return levels.plain(payload, self._images(spec), spec.dtype, self._coder).reshape(spec.shape)
