"""The base distribution of a flow: independent standard logistic variables on the grid."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from codecs_core.entropy import Bijection, Binned, DiscretizedLogistic, Escape
from codecs_lbb.grid import Grid

#: Bins of 2^-7: what the density does within one costs 10^-6 bits.
_BIN_BITS = 7
#: They reach from -32 to 32; what is beyond escapes.
_BINS = 1 << 13


class Base(Bijection[NDArray[np.int64], NDArray[np.int64]]):
    """Standard logistic variables, in units of the grid: a bin by its probability, and what is within it uniformly.

    Parameters
    ----------
    grid
        Of at least 7 bits.
    shape
        Of the arrays that are pushed and popped, integers between -2^60 and 2^60.
    """

    def __init__(self, grid: Grid, shape: tuple[int, ...]) -> None:
        width = grid.bits - _BIN_BITS
        # a bin is centred half a bin above the unit it begins with
        mean = np.full(shape, (_BINS // 2 << 8) - 128, np.int32)
        bins = Escape(DiscretizedLogistic(mean, np.int32(_BIN_BITS << 6), symbols=_BINS, precision=28))
        first = np.int64(_BINS // 2 << width)
        super().__init__(lambda x: x + first, lambda z: z - first, Binned(bins, width))
