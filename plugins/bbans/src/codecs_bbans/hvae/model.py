"""The hierarchical autoencoder in integers, as it codes: top-down inference with bits-back coding (HiLLoC, Townsend et al. 2020).

Three of the four phases of an image are coded first, given the fourth: they are the bits that its latents are drawn with, so that an
image needs none of others. The fourth, an image of half the size, is coded by bits-back coding with levels of latents.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import Any

from numpy.typing import NDArray

from codecs_bbans.hvae.level import BUCKET_BITS, Level
from codecs_bbans.hvae.phases import Group, Groups, Phases, join, pixels, split
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
    centres,
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

    def first(
        self, n: int, size: tuple[int, int], bits: int = BUCKET_BITS, numbers: NDArray[Any] | None = None
    ) -> BitsBack[NDArray[Any], Latents]:
        """Codec of n images of this size by bits-back coding: the phase of images that is at all of their even places.

        Each latent is named by this number of bits, 1 to 8. `numbers` are corrections of pixels, as `Phases.codec` takes them.
        """

        def likelihood(z: Latents) -> StackCodec[NDArray[Any]]:
            return Bijection(split, lambda groups: join(groups, size), self.inside(z, n, size, bits, numbers))

        return BitsBack(self.prior(n, size, bits), likelihood, lambda x: Autoregressive(lambda: self._infer(x, bits)))

    def inside(
        self, z: Latents, n: int, size: tuple[int, int], bits: int = BUCKET_BITS, numbers: NDArray[Any] | None = None
    ) -> Groups:
        """p(x | z): codec of the phases of such images, given their latents."""
        return self.inner.codec(size, h=self.features([centres(bits)[k] for k in z], n, size), numbers=numbers)

    def prior(self, n: int, size: tuple[int, int], bits: int = BUCKET_BITS) -> Serial[Latents]:
        """p(z): every bucket is equally likely; which values it holds depends on the level above."""
        return Serial(*[Uniform(1 << bits, (n, *s, level.latents)) for level, s, _ in self.places(size)])

    def _infer(self, x: NDArray[Any], bits: int) -> Generator[StackCodec[NDArray[Any]], NDArray[Any], None]:
        """q(z | x), the coarsest level first, each given those above it."""
        seen = self.see(x)
        above: list[NDArray[Any]] = []
        for level, place, finer in self.places(x.shape[1:3]):
            prior = level.expect(above, (len(x), *place, level.latents))
            z = yield level.infer(above, seen.pop(), prior, bits)
            above = [enlarged(level.give(above, prior, centres(bits)[z]), finer)]

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

    def preview(self, message: Message, n: int, h: int, w: int, levels: int, bits: int = BUCKET_BITS) -> NDArray[Any]:
        """What the `levels` coarsest levels of latents say of images, all of them at the most, and the modes of all that follows."""
        told = self.prior(n, extent(0, (h, w)), bits).codecs[:levels]
        return self.mode([centres(bits)[code.pop(message)] for code in told], n, h, w)

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


def enlarged(h: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
    """Features at twice the size, each repeated, cut to `size`."""
    return cropped(h.repeat(2, 1).repeat(2, 2), size)
