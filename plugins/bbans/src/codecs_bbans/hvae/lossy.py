"""Codec ``bbans.hvae-lossy``: the latents of some levels of a hierarchical autoencoder, without what they leave open."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

import codecs_core as cc
from codecs_bbans import LOSSY
from codecs_bbans.hvae.codec import shown
from codecs_bbans.hvae.level import Prior
from codecs_bbans.hvae.model import Hierarchy, enlarged
from codecs_bbans.hvae.phases import split
from codecs_bbans.hvae.search import Buckets, searched
from codecs_core import ArraySpec, CodecInfo
from codecs_core.entropy import AdaptiveCategorical, BucketedGaussian, Message, exp2
from codecs_core.errors import ConfigError
from codecs_core.exact import colour_forward
from codecs_core.fields import one_of, whole

#: Latents are at most this number of buckets from the middle one. A bucket is as wide as the standard deviation of the prior.
REACH = 7
#: Of the tables of buckets, one a channel: symbols that the even start counts for, and those that a table remembers.
PRIOR, MEMORY = 2, 1024


@dataclass(frozen=True, kw_only=True)
class LossyHierarchicalCodec(cc.ImageCodec):
    """Images as the latents of the coarsest levels, which decode to what `bbans.hvae` shows as a preview from them.

    Bits-back coding has no part in it: it draws latents with the bits of the pixels, which are left out here. So latents are no samples of
    the posterior but its means, rounded to whole standard deviations of the prior.

    Parameters
    ----------
    levels
        How many of the coarsest levels are kept; 0: all.
    effort
        "smallest": latents are moved to where less is lost for no more bytes (`codecs_bbans.hvae.search`). Encoding takes some hundred
        times as long; decoders know nothing of it.
    """

    id: ClassVar[str] = "bbans.hvae-lossy"
    stores_from: ClassVar[int | None] = 1
    info: ClassVar[CodecInfo] = LOSSY

    levels: int = whole(0, 0, 8)
    effort: str = one_of("standard", ("standard", "smallest"))

    @cached_property
    def _hierarchy(self) -> Hierarchy:
        return Hierarchy(self.learnt.config, self.learnt.tensors())

    @property
    def _channels(self) -> tuple[int, ...]:
        return (self._hierarchy.channels,)

    @property
    def _kept(self) -> int:
        return self.levels or len(self._hierarchy.levels)

    def check(self, spec: ArraySpec) -> None:
        """Raise `ConfigError` for more levels than the model has, too."""
        super().check(spec)
        there = len(self._hierarchy.levels)
        if self.levels > there:
            raise ConfigError(f"model {self.learnt.label} has {there} levels of latents, not {self.levels}")

    def _encode(self, chunk: NDArray[Any]) -> bytes:
        x = chunk.reshape(self._images(ArraySpec.of(chunk)))
        (first,), *_ = split(colour_forward(x))
        payload = _payload(buckets := self._buckets(first))
        return self._shorter(x, buckets, payload) if self.effort == "smallest" else payload

    def _shorter(self, x: NDArray[Any], buckets: list[NDArray[np.int64]], payload: bytes) -> bytes:
        """The payload of latents that show more of the images, or this one where that would be longer."""

        def errors(tried: Buckets) -> NDArray[np.int64]:
            y = shown(self._hierarchy.mode([deviation(k) for k in tried], *x.shape[:3]))
            return ((y.astype(np.int64) - x) ** 2).sum(-1)  # type: ignore[no-any-return]

        squares = [4 << i for i in range(len(self._hierarchy.levels))][::-1][: self._kept]
        found = searched(buckets, squares, errors, REACH)
        better = errors(found).sum() <= errors(buckets).sum()
        return min(payload, _payload(found), key=len) if better else payload

    def _decode(self, payload: bytes, spec: ArraySpec) -> NDArray[Any]:
        message = Message.from_bytes(payload)
        x = self._shown(message, spec, self._kept) if spec.size else np.empty(spec.shape, np.uint8)
        message.verify_end()
        return x

    def _preview(self, payload: bytes, spec: ArraySpec, levels: int) -> NDArray[Any]:
        """What fewer levels than are kept say of a chunk; with as many, or more, the chunk as it decodes."""
        if not spec.size:
            return np.empty(spec.shape, np.uint8)
        return self._shown(Message.from_bytes(payload), spec, min(levels, self._kept))

    def _shown(self, message: Message, spec: ArraySpec, levels: int) -> NDArray[Any]:
        n, h, w, _ = self._images(spec)
        half = -(-h // 2), -(-w // 2)
        shapes = [(n, *place, level.latents) for level, place, _ in self._hierarchy.places(half)[:levels]]
        deviations = [deviation(_code(shape).pop(message)) for shape in shapes]
        return shown(self._hierarchy.mode(deviations, n, h, w)).reshape(spec.shape)

    def _buckets(self, x: NDArray[Any]) -> list[NDArray[np.int64]]:
        """Buckets of the means of the posteriors of the levels that are kept, the coarsest first, each given those above it."""
        seen, above, found = self._hierarchy.see(x), list[NDArray[Any]](), []
        for level, place, finer in self._hierarchy.places(x.shape[1:3])[: self._kept]:
            prior = level.expect(above, (len(x), *place, level.latents))
            found.append(bucket(level.look(above, seen.pop())[0], prior))
            above = [enlarged(level.give(above, prior, deviation(found[-1])), finer)]
        return found


def bucket(mean: NDArray[Any], prior: Prior) -> NDArray[np.int64]:
    """Numbers of the buckets that means of a posterior are in, from 0 to 2 REACH."""
    bits = BucketedGaussian.MEAN.bits + 16
    scaled = (mean.astype(np.int64) - prior[0]) * exp2(-prior[1].astype(np.int64), 16)
    found: NDArray[np.int64] = np.clip((scaled + (1 << (bits - 1))) >> bits, -REACH, REACH) + REACH
    return found


def deviation(buckets: NDArray[Any]) -> NDArray[np.int64]:
    """What stands for latents in these buckets, as `Level.give` takes it."""
    return (buckets.astype(np.int64) - REACH) << 24


def _payload(buckets: Buckets) -> bytes:
    message = Message()
    for level in reversed(buckets):
        _code(level.shape).push(message, level)
    return message.to_bytes()


def _code(shape: tuple[int, ...]) -> AdaptiveCategorical:
    channels = np.broadcast_to(np.arange(shape[-1]), shape)
    return AdaptiveCategorical(channels, symbols=2 * REACH + 1, prior=PRIOR, memory=MEMORY)
