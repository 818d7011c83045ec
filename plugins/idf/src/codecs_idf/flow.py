"""The integer discrete flow in integers, as it codes: Hoogeboom et al. 2019, "Integer discrete flows and lossless compression".

An image is a bijection away from variables that a prior codes (section 3): each level squeezes its input into the four phases of its 2 x 2
blocks, shifts them by couplings, factors three of them out, and hands the fourth to the next level.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from codecs_core.entropy import Bijection, Conditional, Message, Serial, StackCodec
from codecs_core.errors import EntropyError
from codecs_core.exact import Predictor, cropped, extent, padded, squeeze, unsqueeze
from codecs_idf.prior import MEAN_BITS, MEAN_LIMIT, WINDOW, Mixture, limits_of

#: Which phases are factored out together: first the one across, given the kept one, then the two others given both.
GROUPS = ((1,), (2, 3))
#: The phases that are factored out together.
Phases: TypeAlias = tuple[NDArray[Any], ...]
#: What is kept and what is factored out first, then what is factored out given both.
Parts: TypeAlias = tuple[tuple[NDArray[Any], Phases], Phases]
LevelCodec: TypeAlias = Bijection[NDArray[Any], Parts]


class Coupling:
    """Integer discrete coupling (section 3.1): x_b + floor(t(x_a) + 1/2), where x_b is one phase and x_a the three others."""

    def __init__(self, tensors: Mapping[str, NDArray[Any]], name: str, *, channels: int, phase: int) -> None:
        self.phase = phase
        self.t = predictor(tensors, name, 3 * channels, np.full((2, channels), MEAN_LIMIT) * [[-1], [1]], channels)

    def shift(self, phases: Sequence[NDArray[Any]], size: tuple[int, int]) -> NDArray[np.int32]:
        """What forward adds and inverse subtracts; zero beyond the image."""
        network, linear = self.t(seen([p for i, p in enumerate(phases) if i != self.phase]))
        shift = (network + linear + (1 << (MEAN_BITS - 1))) >> MEAN_BITS
        rows, columns = extent(self.phase, size)
        shift[:, rows:] = 0
        shift[:, :, columns:] = 0
        return shift


class Level:
    """Squeeze, couplings, factor-out: one level of the flow (figure 4)."""

    def __init__(
        self, tensors: Mapping[str, NDArray[Any]], name: str, *, channels: int, couplings: int, components: int
    ) -> None:
        self.channels = channels
        # in turn, and the last one shifts the phase that is kept
        self.couplings = [
            Coupling(tensors, f"{name}.coupling{i}", channels=channels, phase=(couplings - 1 - i) % 4)
            for i in range(couplings)
        ]
        limits = np.stack(limits_of(channels, components))
        self.priors = [
            predictor(
                tensors,
                f"{name}.prior{g}",
                min(group) * channels,
                np.tile(limits, len(group)),
                len(group) * channels,
            )
            for g, group in enumerate(GROUPS)
        ]

    def priors_given(self, known: Sequence[NDArray[Any]], size: tuple[int, int]) -> list[Mixture]:
        """Priors of the phases that come next, given the phases known before (section 3.3), for images of this size."""
        group = next(group for group in GROUPS if min(group) == len(known))
        half = extent(0, size)
        network, linear = self.priors[GROUPS.index(group)](seen([padded(x, half) for x in known]))
        priors = []
        for phase, parameters, mean in zip(
            group, np.split(network, len(group), -1), np.split(linear, len(group), -1), strict=True
        ):
            rows, columns = extent(phase, size)
            priors.append(Mixture(parameters[:, :rows, :columns], mean[:, :rows, :columns]))
        return priors

    def codec(self, deeper: StackCodec[NDArray[Any]], size: tuple[int, int], *, rough: bool = False) -> LevelCodec:
        """Codec of images of this size.

        Parameters
        ----------
        deeper
            Codec of the phase that is kept.
        size
            Height and width.
        rough
            Let the modes of the priors stand for what is factored out; such a codec can only pop.
        """
        first = Conditional(deeper, lambda x0: self._priors((x0,), size, rough))
        both = Conditional(first, lambda known: self._priors((known[0], *known[1]), size, rough))
        return Bijection(lambda x: self.split(x, size), lambda parts: self.join(parts, size), both)

    def _priors(self, known: Sequence[NDArray[Any]], size: tuple[int, int], rough: bool) -> Serial[Phases]:
        """p(z_1 | z_0), then p(z_2, z_3 | z_0, z_1)."""
        priors = self.priors_given(known, size)
        return Serial(*[Likeliest(prior) if rough else prior for prior in priors])

    def split(self, x: NDArray[Any], size: tuple[int, int]) -> Parts:
        """The phases of images of shape (n, h, w, channels), after the couplings: kept, factored out first, and last."""
        phases = squeeze(x)
        for coupling in self.couplings:
            phases[coupling.phase] = phases[coupling.phase] + coupling.shift(phases, size)
        kept, *done = (cropped(x, extent(phase, size)) for phase, x in enumerate(phases))
        return (kept, tuple(done[:1])), tuple(done[1:])

    def join(self, parts: Parts, size: tuple[int, int]) -> NDArray[Any]:
        """Inverse of `split`."""
        (kept, first), last = parts
        phases = [padded(x, extent(0, size)) for x in (kept, *first, *last)]
        for coupling in reversed(self.couplings):
            phases[coupling.phase] = phases[coupling.phase] - coupling.shift(phases, size)
        return unsqueeze(phases, size)


def predictor(
    tensors: Mapping[str, NDArray[Any]], name: str, inputs: int, limits: NDArray[np.int64], means: int
) -> Predictor:
    """The networks of a model that are given phases; `limits` are the lowest and the highest outputs."""
    low, high = limits
    sizes = {"inputs": inputs, "means": means, "window": WINDOW, "limit": MEAN_LIMIT}
    return Predictor(tensors, name, low=low, high=high, **sizes)


def seen(phases: Sequence[NDArray[Any]]) -> NDArray[np.int64]:
    """Phases as a network is given them: channels after channels, and nothing beyond the window."""
    return np.concatenate(phases, -1).clip(-WINDOW, WINDOW - 1)


def line(ends: NDArray[Any], items: int) -> NDArray[np.int64]:
    """From the first to the second of two arrays of integers, shape (2, ...), in `items` steps, each rounded to the nearest; in integers.

    Not on an arc, as is right for independent Gaussians around zero: the priors here are centred on what is known of the image, and an
    arc would scale that too. What two images share, such as their brightness, would be 1.41 times as far from zero halfway.
    """
    steps, first, last = items - 1, *ends.astype(np.int64)
    t = np.arange(items).reshape(-1, *[1] * first.ndim)
    mixed: NDArray[np.int64] = ((steps - t) * first + t * last + steps // 2) // steps
    return mixed


class Likeliest(StackCodec[NDArray[Any]]):
    """Pops the mode of a prior without looking at the message."""

    def __init__(self, prior: Mixture) -> None:
        self.prior = prior

    def push(self, message: Message, x: NDArray[Any]) -> None:
        """Not defined."""
        raise EntropyError("the mode of a prior codes nothing")

    def pop(self, message: Message) -> NDArray[np.int64]:
        """The mode."""
        return self.prior.mode()
