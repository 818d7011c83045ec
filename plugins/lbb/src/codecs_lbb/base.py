"""The base distribution of a flow: independent standard logistic variables on the grid."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from codecs_core.entropy import Bits, DiscretizedLogistic, Escape, Message, StackCodec
from codecs_lbb.grid import Grid

#: Bins of 2^-7: what the density does within one costs 10^-6 bits.
_BIN_BITS = 7
#: They reach from -32 to 32; what is beyond escapes.
_BINS = 1 << 13


class Base(StackCodec):
    """Standard logistic variables, in units of the grid: a bin by its probability, and what is within it uniformly.

    Parameters
    ----------
    grid
        Of at least 7 bits.
    shape
        Of the arrays that are pushed and popped.
    """

    def __init__(self, grid: Grid, shape: tuple[int, ...]) -> None:
        self.shift = grid.bits - _BIN_BITS
        # a bin is centred half a bin above the unit it begins with
        mean = np.full(shape, (_BINS // 2 << 8) - 128, np.int32)
        self._bins = Escape(DiscretizedLogistic(mean, np.int32(_BIN_BITS << 6), symbols=_BINS, precision=28))
        self._rest = Bits(np.full(shape, self.shift))

    def push(self, message: Message, x: NDArray[np.int64]) -> None:
        """Push integers between -2^60 and 2^60."""
        self._rest.push(message, x & ((1 << self.shift) - 1))
        self._bins.push(message, self._high(x))

    def pop(self, message: Message) -> NDArray[np.int64]:
        """Pop integers."""
        high = self._bins.pop(message) - _BINS // 2
        return (high << self.shift) + self._rest.pop(message)

    def bits(self, x: NDArray[np.int64]) -> float:
        """Information content in bits."""
        return self._bins.bits(self._high(x)) + float(x.size * self.shift)

    def _high(self, x: NDArray[np.int64]) -> NDArray[np.int64]:
        return (x >> self.shift) + _BINS // 2
