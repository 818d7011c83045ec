"""A Gaussian on a grid much finer than its width, as local bits-back coding needs it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from codecs_core.entropy.distributions.location_scale import DiscretizedGaussian
from codecs_core.entropy.distributions.unbounded import Bits
from codecs_core.entropy.message import Message
from codecs_core.entropy.stack import StackCodec, common_shape, fitted, integers
from codecs_core.errors import EntropyError

#: Bins of the coarse Gaussian: 2^12, of 1/128 to 1/64 of a standard deviation, so at least 16 standard deviations a side.
_BINS, _BITS_A_SCALE = 4096, 6
_LIMIT = 1 << 60


class FineGaussian(StackCodec):
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
        self._gaussian = DiscretizedGaussian(coarse, s - (self._low << 6), symbols=_BINS, precision=precision)
        self._bits = Bits(self._low)

    def push(self, message: Message, x: ArrayLike) -> None:
        """Push integers of `shape`; raises `EntropyError` for one more than 16 standard deviations (at least) from the mean."""
        values = fitted(integers(x, "x", -2 * _LIMIT, 2 * _LIMIT), self.shape)
        high, low = (values - self._bottom) >> self._low, (values - self._bottom) & ((np.int64(1) << self._low) - 1)
        if high.size and (int(high.min()) < 0 or int(high.max()) >= _BINS):
            raise EntropyError("an integer is more than 16 standard deviations from the mean of its Gaussian")
        self._bits.push(message, low)
        self._gaussian.push(message, high)

    def pop(self, message: Message) -> NDArray[np.int64]:
        """Pop integers of `shape`."""
        high = self._gaussian.pop(message)
        result: NDArray[Any] = self._bottom + (high << self._low) + self._bits.pop(message)
        return result

    def bits(self, x: ArrayLike) -> float:
        """Information content in bits."""
        values = fitted(integers(x, "x", -2 * _LIMIT, 2 * _LIMIT), self.shape)
        return self._gaussian.bits((values - self._bottom) >> self._low) + float(self._low.sum())
