"""A Gaussian on a grid much finer than its width, as local bits-back coding needs it."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from codecs_core.entropy.combinators import Bijection, Binned
from codecs_core.entropy.distribution import common_shape, fitted, integers
from codecs_core.entropy.distributions.location_scale import DiscretizedGaussian
from codecs_core.errors import EntropyError

#: Bins of the coarse Gaussian: 2^12, of 1/128 to 1/64 of a standard deviation, so at least 16 standard deviations a side.
_BINS, _BITS_A_SCALE = 4096, 6
_LIMIT = 1 << 60


class FineGaussian(Bijection[NDArray[np.int64], NDArray[np.int64]]):
    """N(mean, scale^2) over the integers near the mean, for scales up to 2^40.

    Where the scale has more than 6 bits, the integer is cut in two: its high part, in bins of a 128th to a 64th of the scale, follows
    the Gaussian, and its low part, over which the density hardly changes, is uniform; that costs 10^-5 bits.

    Parameters
    ----------
    mean
        Integers between -2^60 and 2^60.
    log_scale
        Logarithm to base 2 of the standard deviation, in units of 1/64: from 0 to 40.
    precision
        Bits, from 12 to 28.
    """

    def __init__(self, mean: ArrayLike, log_scale: ArrayLike, *, precision: int = 28) -> None:
        m = integers(mean, "mean", -_LIMIT, _LIMIT)
        s = integers(log_scale, "log_scale", 0, 40 << 6)
        self.shape = common_shape(None, m, s)
        self._low = np.maximum((np.broadcast_to(s, self.shape) >> 6) - _BITS_A_SCALE, 0)
        bottom = (m >> self._low) - _BINS // 2
        self._bottom = bottom << self._low
        # a bin of the coarse grid is centred half a bin above the integer it begins with
        rest = m - self._bottom
        coarse = np.where(self._low >= 8, rest >> np.maximum(self._low - 8, 0), rest << np.maximum(8 - self._low, 0))
        coarse -= np.where(self._low > 0, 128, 0)
        gaussian = DiscretizedGaussian(coarse, s - (self._low << 6), symbols=_BINS, precision=precision)
        super().__init__(self._offset, self._integer, Binned(gaussian, self._low))

    def _offset(self, x: ArrayLike) -> NDArray[np.int64]:
        offset: NDArray[np.int64] = fitted(integers(x, "x", -2 * _LIMIT, 2 * _LIMIT), self.shape) - self._bottom
        high = offset >> self._low
        if high.size and (int(high.min()) < 0 or int(high.max()) >= _BINS):
            raise EntropyError("an integer is more than 16 standard deviations from the mean of its Gaussian")
        return offset

    def _integer(self, offset: NDArray[np.int64]) -> NDArray[np.int64]:
        x: NDArray[np.int64] = self._bottom + offset
        return x
