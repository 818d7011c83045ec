"""Codec ``rec.vae``: images as latents near those of the image, by relative entropy coding."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from codecs_core import ArraySpec, Codec, CodecInfo
from codecs_core.entropy import Message, exponents
from codecs_core.errors import ConfigError, CorruptDataError, UnsupportedArrayError
from codecs_core.fields import flag, one_of, whole
from codecs_rec import LOSSY
from codecs_rec.bottom import finish, pack, start, unpack
from codecs_rec.codec import RecCodec
from codecs_rec.index import octave_code
from codecs_rec.lossy.detail import SHARE
from codecs_rec.lossy.model import SEARCHED, LossyVAE
from codecs_rec.lossy.refine import SHORT, refined
from codecs_rec.photograph.codec import Photographs
from codecs_rec.photograph.lapped import COLOURS
from codecs_rec.photograph.model import Photograph
from codecs_rec.picture.codec import Pictures
from codecs_rec.picture.model import Picture

if TYPE_CHECKING:
    from codecs_core import Model

#: Pixels of a chunk of a picture, at most.
BAND = 1 << 20


@dataclass(frozen=True, kw_only=True)
class LossyCodec(RecCodec):
    """Images as latents near those of the image.

    Models of the kinds "photograph" and "picture" take colour images of any height and width, or stacks of them. Others take stacks of
    items of their own shape: a message is classes and octaves of indices on top of what these leave of them.

    Parameters
    ----------
    quality
        From 1 to what the model has; 0 is its best.
    search
        Whether to take the proposal with the best of rate and distortion. If not, latents are drawn by ordered random
        coding, among 64 candidates for each e^nats that an index tells beyond its box, but no more than the model's tables of octaves
        have numbers. Latents of the kind "photograph" are drawn by dithered quantisation instead; with search, grids are not shifted, so
        that a decoder has to know this setting, as it knows `quality`.
    effort
        Of the search. "standard": 2^12 proposals of each block are looked at; "smallest": 2^15, and the best four of them are decoded,
        which takes about ten times as long. Of pictures it is 2^14 and 2^16, and none are decoded; photographs have one effort. Decoding
        is the same.
    detail
        How much is added, in hundredths, of the detail that a file does not tell and the decoder draws: from 0, the most accurate image, to
        100, one of those that the latents leave possible. The model must draw detail. Payloads are the same.
    """

    id: ClassVar[str] = "rec.vae"
    format_version: ClassVar[int] = 3
    stores_from: ClassVar[int | None] = 2
    info: ClassVar[CodecInfo] = LOSSY

    quality: int = whole(0, 0, 64)
    search: bool = flag(True)
    effort: str = one_of("standard", tuple(SEARCHED))
    detail: int = whole(0, 0, SHARE)

    @cached_property
    def _vae(self) -> LossyVAE:
        return LossyVAE(self._own())

    @property
    def _items(self) -> LossyVAE:
        return self._vae

    @cached_property
    def _scene(self) -> Picture | Photograph | None:
        model = self._own()
        kinds: dict[Any, Callable[[Model], Picture | Photograph]] = {"picture": Picture, "photograph": Photograph}
        kind = model.config.get("kind")
        return kinds[kind](model) if isinstance(kind, str) and kind in kinds else None

    @cached_property
    def _level(self) -> int:
        levels = (self._scene or self._vae).qualities
        if self.quality > levels:
            raise ConfigError(f"model {self.learnt.label} has qualities 1 to {levels}, not {self.quality}")
        return (self.quality or levels) - 1

    @cached_property
    def _share(self) -> int:
        if self.detail and (self._scene is not None or self._vae.detail is None):
            raise ConfigError(f"model {self.learnt.label} draws no detail: detail must be 0, got {self.detail}")
        return self.detail

    def check(self, spec: ArraySpec) -> None:
        """Raise `ConfigError` for a quality, or detail, that the model lacks, too."""
        if self._scene is None:
            super().check(spec)
        else:
            Codec.check(self, spec)
            self._shape(spec)
        _ = self._level, self._share

    def _shape(self, spec: ArraySpec) -> tuple[int, ...]:
        """The shape (n, h, w, 3) of pictures; raises `UnsupportedArrayError` for other arrays."""
        if spec.dtype != "uint8" or len(spec.shape) not in (3, 4) or spec.shape[-1] != COLOURS:
            raise UnsupportedArrayError(
                f"model {self.learnt.label} takes pictures of uint8, of shape (h, w, 3) or (n, h, w, 3), not {spec.dtype} of "
                f"shape {spec.shape}"
            )
        return (1, *spec.shape)[-4:]

    def default_chunk(self, spec: ArraySpec) -> int:
        """Some hundred small images; a picture of a stack, or a band of one that is large."""
        if self._scene is None:
            return super().default_chunk(spec)
        _, h, w, _ = self._shape(spec)
        return 1 if len(spec.shape) == 4 else -(-h // max(1, math.ceil(h * w / BAND)))

    def _scenes(self, scene: Picture | Photograph) -> Pictures | Photographs:
        if isinstance(scene, Photograph):
            return Photographs(scene, self._level, self.search)
        return Pictures(scene, self._level, self.search, self.effort)

    def _encode(self, chunk: NDArray[Any]) -> bytes:
        if self._scene is not None:
            return self._scenes(self._scene).encode(chunk.reshape(self._shape(ArraySpec.of(chunk))))
        vae, level = self._vae, self._level
        x = self._rows(chunk)
        y = vae.coefficients(x)
        k = vae.classify(y, level)
        search, refines = SEARCHED[self.effort] if self.search else 0, self.search and self.effort == "smallest"
        box, number = vae.indices(y, k, level, search=search, length=SHORT if refines else 1)
        box, number = refined(vae, x, k, level, box, number) if refines else (box[..., 0], number[..., 0])
        sent = number > 0
        octaves = exponents(number[sent])
        rest = (box[sent] << octaves) + number[sent] - (np.int64(1) << octaves)
        message = start(*pack(rest, vae.bits(k, level) + octaves))
        octave_code(vae.octaves, vae.rows(k, level)).push(message, octaves)
        octave_code(vae.classes[None], np.zeros(len(k), np.int64)).push(message, k)
        return message.to_bytes()

    def _decode(self, payload: bytes, spec: ArraySpec) -> NDArray[Any]:
        if self._scene is not None:
            return self._scenes(self._scene).decode(payload, self._shape(spec)).reshape(spec.shape)
        return self._decoded(payload, spec, self._vae)

    def _decode_older(self, payload: bytes, spec: ArraySpec, version: int) -> NDArray[Any]:
        if version not in (1, 2):
            return super()._decode_older(payload, spec, version)
        if self._scene is not None:
            raise CorruptDataError(f"version {version} of rec.vae had no pictures: the file is damaged")
        return self._decoded(payload, spec, LossyVAE(self._own(), whole=True))

    def _decoded(self, payload: bytes, spec: ArraySpec, vae: LossyVAE) -> NDArray[Any]:
        level, share, message = self._level, self._share, Message.from_bytes(payload)
        k = octave_code(vae.classes[None], np.zeros(spec.shape[0], np.int64)).pop(message)
        counts = vae.counts(k, level)
        octaves = octave_code(vae.octaves, vae.rows(k, level)).pop(message)
        rest = unpack(*finish(message), vae.bits(k, level) + octaves)
        box, number = np.zeros((2, len(k), int(counts.max(initial=0))), np.int64)
        sent, within = np.arange(number.shape[1]) < counts[:, None], (np.int64(1) << octaves) - 1
        box[sent], number[sent] = rest >> octaves, (rest & within) + within + 1
        return vae.values(vae.latents(box, number, k, level), level, share).astype(spec.dtype).reshape(spec.shape)
