"""Corrections: numbers that an encoder finds for each image and tells, by which the mixtures of its pixels fit it better.

Networks know what images are like, and not what this image is like. An encoder does: it shifts and stretches the log-scales that they
say of a channel, and shifts their logits and coefficients, each in all of a phase alike. A decoder reads the numbers and changes what
its networks say, as `Mixture.corrected` has it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_bbans.hvae.naming import PHASES, Named, length
from codecs_bbans.hvae.phases import Mixture, kinds_of, split
from codecs_core.entropy import AdaptiveCategorical, Categorical, Message, StackCodec, log2

#: Corrections are from -REACH to REACH; the table of each kind starts with PRIOR symbols spread evenly, and remembers MEMORY.
REACH, PRIOR, MEMORY = 7, 2, 1024
#: Of 16 chunks, one is held to be better off with corrections: without them it costs a tenth of a bit to say so.
THERE = (15, 1)
#: Images of fewer pixels have no corrections, which would be longer than they are.
LEAST = 256
#: Fractional bits of lengths and prices: those of `log2`.
UNIT_BITS = 16
#: How often an encoder goes over all corrections, with prices by what it chose the last time.
PASSES = 3


class Corrected(StackCodec[NDArray[Any]]):
    """Codec of images as `Named`, and of whether there are corrections and which, which end on top.

    An encoder tells none where the message is no shorter with them.

    Parameters
    ----------
    named
        Codec of the images.
    """

    def __init__(self, named: Named) -> None:
        self.named, inner = named, named.hierarchy.inner
        self.kinds = kinds_of(inner.channels, inner.components)
        contexts = np.broadcast_to(self.kinds, (named.n, 2 * PHASES - 1, self.kinds.size))
        self.there = Categorical(THERE)
        self.numbers = AdaptiveCategorical(contexts, symbols=2 * REACH + 1, tables=4, prior=PRIOR, memory=MEMORY)

    def push(self, message: Message, x: NDArray[Any]) -> None:
        """Push images, and with them the corrections that shorten them."""
        self._push(message, x, self.best(message, x))

    def pop(self, message: Message) -> NDArray[Any]:
        """Inverse of `push`."""
        return self.named.pop(message, self._told(message))

    def preview(self, message: Message, levels: int) -> NDArray[Any]:
        """As `Named.preview` has it: corrections are of pixels alone."""
        numbers = self._told(message)
        if levels > len(self.named.hierarchy.levels):
            return self.named.pop(message, numbers)
        return self.named.preview(message, levels)

    def information(self, x: NDArray[Any]) -> NDArray[np.float64]:
        """As `Named.information` has it; what the corrections cost is shared out evenly."""
        numbers = self.best(Message(), x)
        bits = float(self.there.information(int(numbers is not None)))
        if numbers is not None:
            bits += float(self.numbers.information(numbers + REACH).sum())
        return self.named.information(x, numbers) + bits / x.size

    def best(self, message: Message, x: NDArray[Any]) -> NDArray[np.int64] | None:
        """Corrections to push images with on this message; None where it is no shorter with them."""
        tried = None, self._fitted(x)
        return min(tried, key=lambda numbers: length(message, lambda trial: self._push(trial, x, numbers)))

    def _push(self, message: Message, x: NDArray[Any], numbers: NDArray[np.int64] | None) -> None:
        self.named.push(message, x, numbers)
        if numbers is not None:
            self.numbers.push(message, numbers + REACH)
        self.there.push(message, int(numbers is not None))

    def _told(self, message: Message) -> NDArray[np.int64] | None:
        """The corrections on top of a message, if there are any."""
        return self.numbers.pop(message) - np.int64(REACH) if self.there.pop(message) else None

    def _fitted(self, x: NDArray[Any]) -> NDArray[np.int64]:
        """Corrections of images, with latents that are drawn with the bits of their other phases."""
        hierarchy, half = self.named.hierarchy, self.named.half
        (first,), *rest = split(x)
        outer = hierarchy.rest.codec(self.named.size, [first])
        outer.push(message := Message(), tuple(rest))
        step = hierarchy.first(self.named.n, half)
        inner = hierarchy.inside(step.posterior(first).pop(message), self.named.n, half)
        return fitted([*outer.pairs(rest), *inner.pairs(split(first))], self.kinds)


def fitted(pairs: Sequence[tuple[Mixture, NDArray[Any]]], kinds: NDArray[np.int64]) -> NDArray[np.int64]:
    """Corrections of mixtures, each with its pixels, that shorten them: shape (n, mixtures, corrections)."""
    numbers = np.zeros((len(pairs[0][1]), len(pairs), kinds.size), np.int64)
    far = np.abs(np.arange(-REACH, REACH + 1))
    prices = np.tile(np.where(far, 49 + 11 * far, 5) << (UNIT_BITS - 4), (4, 1))  # 0 is cheap until all have been seen
    for _ in range(PASSES):
        for i, (mixture, x) in enumerate(pairs):
            _improve(mixture, x, numbers[:, i], prices[kinds])
        for kind in range(4):
            seen = 3 * np.bincount(numbers[..., kinds == kind].ravel() + REACH, minlength=far.size) + 1
            prices[kind] = log2(seen.sum()) - log2(seen)
    return numbers


def _improve(mixture: Mixture, x: NDArray[Any], numbers: NDArray[np.int64], prices: NDArray[np.int64]) -> None:
    """Move each correction of each image up or down while that shortens it, in place."""
    at = np.arange(len(prices))

    def cost(tried: NDArray[np.int64]) -> NDArray[np.int64]:
        found: NDArray[np.int64] = mixture.corrected(tried).lengths(x) + prices[at, tried + REACH].sum(1)
        return found

    least = cost(numbers)
    for k in at:
        for step in (1, -1):
            better = np.ones(len(numbers), bool)
            while better.any():
                tried = numbers.copy()
                tried[:, k] = (tried[:, k] + step * better).clip(-REACH, REACH)
                found = cost(tried)
                better &= found < least
                numbers[better], least[better] = tried[better], found[better]
