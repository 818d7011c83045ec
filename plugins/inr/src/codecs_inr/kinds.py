"""Kinds of signals: what the places of a network are, and what its outputs."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from codecs_inr.network import Floats

#: Bits of an exponent in a payload, and the largest one.
EXPONENT_BITS = 4
MOST_EXPONENT = (1 << EXPONENT_BITS) - 1


@dataclass(frozen=True)
class Kind:
    """A kind of signals of one dtype.

    Parameters
    ----------
    codec
        Id of the codec that has models of it.
    axes
        Of the places.
    channels
        Numbers of outputs that a model may have.
    dtype
        Of the values, an integer.
    place
        What a place is called.
    spread, unit
        Networks are fitted to (value + 1/2 - `zero`) / (`spread` 2^e), e being the exponent of the patch; errors are counted in `unit`.
    loud
        Whether patches have exponents, and the groups of weights mix the patches of a chunk (see `Groups`): for signals that are loud
        here and quiet there.
    """

    codec: str
    axes: int
    channels: tuple[int, ...]
    dtype: type[np.integer]
    place: str
    spread: float
    unit: float
    loud: bool

    @property
    def range(self) -> tuple[int, int]:
        """The smallest and the largest value."""
        limits = np.iinfo(self.dtype)
        return int(limits.min), int(limits.max)

    @property
    def zero(self) -> int:
        """The value that stands for 0: half of all are below it."""
        low, high = self.range
        return (low + high + 1) // 2

    def exponents(self, signals: NDArray[np.integer]) -> NDArray[np.int64]:
        """The exponent of each signal, shape (n,): the power of two that is nearest to its root mean square, or 0 if not `loud`."""
        if not self.loud:
            return np.zeros(len(signals), np.int64)
        squares = np.square(signals.astype(np.float64)).mean(tuple(range(1, signals.ndim)))
        nearest = np.rint(0.5 * np.log2(np.maximum(squares, 1.0)))
        return np.asarray(np.clip(nearest, 0, MOST_EXPONENT), np.int64)

    def standardised(self, signals: NDArray[np.integer], exponents: NDArray[np.int64]) -> Floats:
        """What networks are fitted to for signals of shape (n, *grid, c): shape (n, places, c)."""
        y = signals.reshape(len(signals), math.prod(signals.shape[1:-1]), signals.shape[-1]).astype(np.float32)
        scale = (self.spread * np.exp2(exponents)).astype(np.float32)
        return np.asarray((y - np.float32(self.zero - 0.5)) / scale[:, None, None])

    def weight(self, exponents: NDArray[np.int64]) -> Floats:
        """What a squared error of what networks are fitted to counts, for each signal: shape (n,)."""
        return np.square(self.spread * np.exp2(exponents) / self.unit).astype(np.float32)

    def decibels(self, error: float) -> float:
        """The PSNR of a mean squared error in squares of `unit`, with a peak from the smallest value to the largest."""
        low, high = self.range
        return 10 * math.log10((high - low) ** 2 / (self.unit**2 * max(error, 1e-9)))


IMAGE = Kind("inr.image", 2, (1, 3), np.uint8, "pixel", spread=64.0, unit=64.0, loud=False)
SOUND = Kind("inr.sound", 1, (1,), np.int16, "sample", spread=1.0, unit=4096.0, loud=True)
