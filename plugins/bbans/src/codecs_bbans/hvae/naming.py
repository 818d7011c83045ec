"""How finely latents are named: as finely as the bits that they are drawn with allow.

An image draws its latents with the bits of its other three phases. Where these are fewer than the latents are named by, as in an
image that is mostly even, what is lacking is paid for. So an encoder names them by fewer bits then. One is the least: a payload that
claims a large image ends with the first latent that is not there.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_bbans.hvae.level import BUCKET_BITS
from codecs_bbans.hvae.model import Hierarchy
from codecs_bbans.hvae.phases import GROUPS, join, split
from codecs_core.entropy import Message, StackCodec, Uniform
from codecs_core.errors import LongMessageError
from codecs_core.exact import extent

#: Phases of an image.
PHASES = sum(map(len, GROUPS))


class Named(StackCodec[NDArray[Any]]):
    """Codec of n images of height h and width w, as `Hierarchy.codec`, and of how many bits name a latent, which end on top.

    Parameters
    ----------
    hierarchy
        The model.
    n, h, w
        Of the images: transformed and centred integers of shape (n, h, w, channels).
    """

    #: Of how many bits name a latent, less 1.
    BITS = Uniform(BUCKET_BITS)

    def __init__(self, hierarchy: Hierarchy, n: int, h: int, w: int) -> None:
        self.hierarchy, self.n, self.size, self.half = hierarchy, n, (h, w), extent(0, (h, w))

    def push(self, message: Message, x: NDArray[Any], numbers: NDArray[Any] | None = None) -> None:
        """Push three phases, and draw latents with their bits to push the fourth.

        Parameters
        ----------
        message, x
            As any codec takes them.
        numbers
            Corrections of pixels, of the phases of the images and then of those of the inner images: see `codecs_bbans.hvae.corrections`.
        """
        (first,), *rest = split(x)
        outer, inner = parted(numbers)
        self.hierarchy.rest.codec(self.size, [first], numbers=outer).push(message, tuple(rest))
        bits = self.bits_of(message, first, inner)
        self.hierarchy.first(self.n, self.half, bits, inner).push(message, first)
        self.BITS.push(message, bits - 1)

    def pop(self, message: Message, numbers: NDArray[Any] | None = None) -> NDArray[Any]:
        """Inverse of `push`, with the same corrections."""
        outer, inner = parted(numbers)
        bits = int(self.BITS.pop(message)) + 1
        first = self.hierarchy.first(self.n, self.half, bits, inner).pop(message)
        rest = self.hierarchy.rest.codec(self.size, [first], numbers=outer).pop(message)
        return join([(first,), *rest], self.size)

    def bits_of(self, message: Message, first: NDArray[Any], numbers: NDArray[Any] | None = None) -> int:
        """How many bits to name a latent by, drawn from this message: as many as it has, then fewer while that shortens it."""
        places = self.hierarchy.places(self.half)
        latents = self.n * sum(level.latents * h * w for level, (h, w), _ in places)
        words, head = message.extent
        room = 32 * words + head.bit_length() - 33  # whole bits: the same on every machine
        if room >= BUCKET_BITS * latents:
            return BUCKET_BITS
        best = max(1, -(-room // latents))
        least = self._length(message, first, best, numbers)
        for bits in reversed(range(1, best)):
            if (found := self._length(message, first, bits, numbers)) > least:
                break
            best, least = bits, found
        return best

    def _length(self, message: Message, first: NDArray[Any], bits: int, numbers: NDArray[Any] | None) -> float:
        """Of a message, in bytes, with the fourth phase on it."""
        return length(message, lambda trial: self.hierarchy.first(self.n, self.half, bits, numbers).push(trial, first))

    def preview(self, message: Message, levels: int) -> NDArray[Any]:
        """What the `levels` coarsest levels of latents say of images, and the modes of all that follows; with more, the images."""
        if levels > len(self.hierarchy.levels):
            return self.pop(message)
        return self.hierarchy.preview(message, self.n, *self.size, levels, int(self.BITS.pop(message)) + 1)

    def information(self, x: NDArray[Any], numbers: NDArray[Any] | None = None) -> NDArray[np.float64]:
        """Bits of each value, given the latents that coding them samples: the shape of x.

        What a latent costs is shared out among the pixels that it stands over. It can be less than nothing: of a single sample.
        """
        (first,), *others = split(x)
        told, within = parted(numbers)
        rest = self.hierarchy.rest.codec(self.size, [first], numbers=told)
        rest.push(message := Message(), tuple(others))
        step = self.hierarchy.first(self.n, self.half, self.bits_of(message, first, within), within)
        posterior = step.posterior(first)
        z = posterior.pop(message)
        inner: Any = step.likelihood(z).information(first)
        outer: Any = rest.information(tuple(others))
        bits: NDArray[np.float64] = join([(join(inner, self.half),), *outer], self.size)
        costs: Any = zip(step.prior.information(z), posterior.information(z), strict=True)
        for level, (prior, drawn) in enumerate(reversed([*costs])):
            bits += shared((prior - drawn).sum(-1), 4 << level, self.size)[..., None] / x.shape[-1]
        return bits + math.log2(self.BITS.symbols) / x.size


def parted(numbers: NDArray[Any] | None) -> tuple[NDArray[Any] | None, NDArray[Any] | None]:
    """Corrections of three phases of the images, since the first is the inner images, and of the phases of these."""
    return (None, None) if numbers is None else (numbers[:, : PHASES - 1], numbers[:, PHASES - 1 :])


def length(message: Message, push: Callable[[Message], None]) -> float:
    """Of a message in bytes, with what `push` puts on a copy of it; infinite where it becomes too long."""
    trial = message.copy()
    try:
        push(trial)
    except LongMessageError:
        return math.inf
    return len(trial)


def shared(bits: NDArray[np.float64], side: int, size: tuple[int, int]) -> NDArray[np.float64]:
    """Bits of squares of `side` pixels, shape (n, rows, columns), as those of their pixels: shape (n, *size)."""
    for axis, length in enumerate(size, 1):
        square = np.arange(length) // side
        bits = (bits / np.bincount(square).reshape(-1, *[1] * (2 - axis))).take(square, axis)
    return bits
