"""The hierarchical autoencoder in integers, as it codes: top-down inference with bits-back coding (HiLLoC, Townsend et al. 2020).

Three of the four phases of an image are coded first, given the fourth: they are the bits that its latents are drawn with, so that an
image needs none of others. The fourth, an image of half the size, is coded by bits-back coding with levels of latents.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_bbans.hvae.level import BUCKET_BITS, CENTRES, Level
from codecs_bbans.hvae.phases import Group, Phases, join, pixels, split
from codecs_core import ModelParts
from codecs_core.entropy import (
    Autoregressive,
    Bijection,
    BitsBack,
    Conditional,
    Message,
    Serial,
    StackCodec,
    Uniform,
)
from codecs_core.exact import cropped, extent

#: The latents of all levels, the coarsest first: bucket numbers of shape (n, h, w, channels).
Latents = tuple[NDArray[Any], ...]


class Hierarchy:
    """A frozen hierarchical autoencoder.

    Parameters
    ----------
    config
        ``channels`` of an image, ``latents`` of each level, the finest first, ``features`` between networks, ``components`` of a mixture.
    tensors
        The networks ``levelI.up``, ``levelI.prior``, ``levelI.posterior``, ``levelI.down``, ``inner.priorG`` and ``rest.priorG``.

    Raises
    ------
    ModelError
        If anything is missing or does not fit, or a probe gives other integers than when the model was made.
    """

    def __init__(self, config: Mapping[str, Any], tensors: Mapping[str, NDArray[Any]]) -> None:
        parts = ModelParts(config, tensors, "bbans.hvae")
        self.channels = parts.number("channels", (1, 3, 4))
        features = parts.number("features", range(1, 513))
        latents = parts.numbers("latents", range(1, 257), range(1, 9))
        self.levels = [
            Level(
                tensors,
                f"level{i}",
                inputs=features if i else self.channels,
                above=features if i + 1 < len(latents) else 0,
                latents=n,
                features=features,
            )
            for i, n in enumerate(latents)
        ]
        channels, components = self.channels, parts.number("components", range(1, 65))
        self.inner = Phases(tensors, "inner", channels=channels, components=components, given=features)
        self.rest = Phases(tensors, "rest", channels=channels, components=components, whole=False)

    def codec(self, n: int, h: int, w: int) -> StackCodec[NDArray[Any]]:
        """Codec of n images of height h and width w, transformed and centred integers of shape (n, h, w, channels).

        The phases that no latent tells of are pushed before latents are drawn: they are what these are drawn with.
        """
        half = extent(0, (h, w))

        def divide(x: NDArray[Any]) -> tuple[NDArray[Any], tuple[Group, ...]]:
            (first,), *rest = split(x)
            return first, tuple(rest)

        def unite(parts: tuple[NDArray[Any], tuple[Group, ...]]) -> NDArray[Any]:
            return join([(parts[0],), *parts[1]], (h, w))

        whole = Conditional(self.first(n, half), lambda first: self.rest.codec((h, w), [first]))
        return Bijection(divide, unite, whole)

    def first(self, n: int, size: tuple[int, int]) -> BitsBack[NDArray[Any], Latents]:
        """Codec of n images of this size by bits-back coding: the phase of images that is at all of their even places."""

        def likelihood(z: Latents) -> StackCodec[NDArray[Any]]:
            inner = self.inner.codec(size, h=self.features([CENTRES[k] for k in z], n, size))
            return Bijection(split, lambda groups: join(groups, size), inner)

        return BitsBack(self.prior(n, size), likelihood, lambda x: Autoregressive(lambda: self._infer(x)))

    def information(self, x: NDArray[Any]) -> NDArray[np.float64]:
        """Bits of each value of images, given the latents that coding them samples.

        What a latent costs is shared out among the pixels that it stands over. It can be less than nothing: of a single sample.

        Parameters
        ----------
        x
            Transformed and centred integers, shape (n, h, w, channels), at least one of them; as the result.
        """
        size = x.shape[1:3]
        (first,), *others = split(x)
        step, rest = self.first(len(x), extent(0, size)), self.rest.codec(size, [first])
        rest.push(message := Message(), tuple(others))
        posterior = step.posterior(first)
        z = posterior.pop(message)
        inner: Any = step.likelihood(z).information(first)
        outer: Any = rest.information(tuple(others))
        bits = join([(join(inner, first.shape[1:3]),), *outer], size)
        costs: Any = zip(step.prior.information(z), posterior.information(z), strict=True)
        for level, (prior, drawn) in enumerate(reversed([*costs])):
            bits += shared((prior - drawn).sum(-1), 4 << level, size)[..., None] / self.channels
        return bits

    def prior(self, n: int, size: tuple[int, int]) -> Serial[Latents]:
        """p(z): every bucket is equally likely; which values it holds depends on the level above."""
        return Serial(*[Uniform(1 << BUCKET_BITS, (n, *s, level.latents)) for level, s, _ in self.places(size)])

    def _infer(self, x: NDArray[Any]) -> Generator[StackCodec[NDArray[Any]], NDArray[Any], None]:
        """q(z | x), the coarsest level first, each given those above it."""
        seen = self.see(x)
        above: list[NDArray[Any]] = []
        for level, place, finer in self.places(x.shape[1:3]):
            prior = level.expect(above, (len(x), *place, level.latents))
            z = yield level.infer(above, seen.pop(), prior)
            above = [enlarged(level.give(above, prior, CENTRES[z]), finer)]

    def see(self, x: NDArray[Any]) -> list[NDArray[Any]]:
        """What each level sees of images, the finest first."""
        seen: list[NDArray[Any]] = [pixels(x)]
        for level in self.levels:
            seen.append(level.see(seen[-1]))
        return seen[1:]

    def features(self, deviations: Sequence[NDArray[Any]], n: int, size: tuple[int, int]) -> NDArray[Any]:
        """H of the finest level, given the latents of all; where levels are left out at the end, the means of their priors.

        Parameters
        ----------
        deviations
            Of latents from the means of their priors, as `Level.give` takes them, the coarsest level first.
        n, size
            Number, and height and width, of the images that they tell of.
        """
        above: list[NDArray[Any]] = []
        for i, (level, place, finer) in enumerate(self.places(size)):
            prior = level.expect(above, (n, *place, level.latents))
            h = level.give(above, prior, deviations[i] if i < len(deviations) else None)
            above = [enlarged(h, finer)]
        return h

    def preview(self, message: Message, n: int, h: int, w: int, levels: int) -> NDArray[Any]:
        """What the `levels` coarsest levels of latents say of images, and the modes of all that follows."""
        if levels > len(self.levels):
            return self.codec(n, h, w).pop(message)
        told = self.prior(n, extent(0, (h, w))).codecs[:levels]
        return self.mode([CENTRES[code.pop(message)] for code in told], n, h, w)

    def mode(self, deviations: Sequence[NDArray[Any]], n: int, h: int, w: int) -> NDArray[Any]:
        """The likeliest pixels of images given the latents of some levels, as `features` takes them."""
        half = extent(0, (h, w))
        first = join(self.inner.codec(half, h=self.features(deviations, n, half)).mode(), half)
        return join([(first,), *self.rest.codec((h, w), [first]).mode()], (h, w))

    def places(self, size: tuple[int, int]) -> list[tuple[Level, tuple[int, int], tuple[int, int]]]:
        """Each level, the coarsest first, with height and width of its latents, and of those of the level below."""
        places = []
        for level in self.levels:
            places.append((level, extent(0, size), size))
            size = extent(0, size)
        return places[::-1]


def shared(bits: NDArray[np.float64], side: int, size: tuple[int, int]) -> NDArray[np.float64]:
    """Bits of squares of `side` pixels, shape (n, rows, columns), as those of their pixels: shape (n, *size)."""
    for axis, length in enumerate(size, 1):
        square = np.arange(length) // side
        bits = (bits / np.bincount(square).reshape(-1, *[1] * (2 - axis))).take(square, axis)
    return bits


def enlarged(h: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
    """Features at twice the size, each repeated, cut to `size`."""
    return cropped(h.repeat(2, 1).repeat(2, 2), size)
