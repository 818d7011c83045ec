"""The grid that values live on between the layers of a flow, and Gaussians on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from codecs_core.entropy import Bijection, Binned, DiscretizedGaussian, Escape, FineGaussian
from codecs_core.errors import ConfigError, EntropyError
from codecs_core.jit import kernel

#: Values are less than 2^20 in magnitude, in a unit of about 32 grey levels: far beyond what an image gives.
LIMIT = float(1 << 20)
#: Units of the logarithm of a Gaussian's scale, a nat.
_UNITS = 64 / 0.6931471805599453
#: Bins of a `Near` Gaussian, and how many of them a standard deviation has, at most: 2^6.
_BINS, _BITS_A_SCALE = 4096, 6


@dataclass(frozen=True)
class Grid:
    """Multiples of 2^-bits, held as doubles, and the noise of local bits-back coding.

    Parameters
    ----------
    bits
        The pitch is 2^-bits: from 8 to 32.
    noise
        The standard deviation of the noise is 2^-noise, at least 4 times the pitch.
    """

    bits: int = 20
    noise: int = 11

    def __post_init__(self) -> None:
        if type(self.bits) is not int or not 8 <= self.bits <= 32:
            raise ConfigError(f"grid is a number of bits from 8 to 32, not {self.bits!r}")
        if type(self.noise) is not int or not 0 <= self.noise <= self.bits - 2:
            raise ConfigError(
                f"noise is a number of bits from 0 to {self.bits - 2}, less than the grid, not {self.noise!r}"
            )

    def units(self, x: NDArray[np.float64]) -> NDArray[np.int64]:
        """The nearest multiples of the pitch, half up, in units of it; raises `EntropyError` beyond `LIMIT`."""
        out = np.empty(x.shape, np.int64)
        if not _units(np.ascontiguousarray(x).reshape(-1), 2.0**self.bits, LIMIT, out.reshape(-1)):
            raise EntropyError(
                f"a value leaves the range of the grid, less than {LIMIT:.0f} in magnitude (found {worst(x)}): a flow does not fit "
                "what it is given; code that with another model"
            )
        return out

    def values(self, units: NDArray[np.int64]) -> NDArray[np.float64]:
        """Inverse of `units`."""
        values: NDArray[np.float64] = np.multiply(units, 2.0**-self.bits)
        return values

    def round(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """The nearest multiples of the pitch, half up; raises `EntropyError` beyond `LIMIT`."""
        return self.values(self.units(x))

    def gaussian(self, mean: NDArray[np.float64], log_slope: NDArray[np.float64]) -> FineGaussian:
        """N(mean, (noise e^log_slope)^2) over units of the pitch; raises `EntropyError` where a slope is 0 or none."""
        if not np.isfinite(log_slope).all():
            raise EntropyError(
                "the Jacobian of a flow is singular, or not finite: such a map cannot be coded; train the model again"
            )
        # a code for any scale; one that is out of range costs bits
        scale = np.floor(log_slope * _UNITS).astype(np.int64) + ((self.bits - self.noise) << 6)
        return FineGaussian(self.units(mean), np.clip(scale, 0, 40 << 6))

    def near(self, mean: NDArray[np.float64]) -> Near:
        """N(mean, noise^2) over units of the pitch, of values that can be anywhere."""
        return Near(self, self.units(mean))


class Near(Bijection[NDArray[np.int64], NDArray[np.int64]]):
    """Integers near their means by N(mean, noise^2), and any others.

    Where the slope of a map jumps, from a steep step to a plateau, what is drawn on the one may have an inverse far off on the other. It
    is so rare that its price hardly counts, but it has to have one: what is `far` escapes.

    Parameters
    ----------
    mean
        In units of the grid.
    """

    def __init__(self, grid: Grid, mean: NDArray[np.int64]) -> None:
        self._low = max(grid.bits - grid.noise - _BITS_A_SCALE, 0)
        bottom = mean - (_BINS // 2 << self._low)
        # a bin is centred half a bin above the unit it begins with
        middle = (_BINS // 2 << 8) - (128 if self._low else 0)
        scale = (grid.bits - grid.noise - self._low) << 6
        bins = Escape(DiscretizedGaussian(middle, scale, symbols=_BINS, precision=28, shape=mean.shape))
        super().__init__(lambda x: x - bottom, lambda offset: offset + bottom, Binned(bins, self._low))

    def far(self, x: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which are more than 16 standard deviations (at least) off."""
        high = self.forward(x) >> self._low
        return (high < 0) | (high >= _BINS)


def worst(x: NDArray[np.float64]) -> float:
    """What is largest in magnitude, or NaN."""
    return float(x.reshape(-1)[np.argmax(np.abs(x))])


@kernel
def _units(x, scale, limit, out):
    """Whether all is less than `limit` in magnitude (NaN is not)."""
    good = True
    for i in range(x.size):
        good &= np.abs(x[i]) < limit
        out[i] = np.int64(np.floor(x[i] * scale + 0.5)) if np.abs(x[i]) < limit else 0
    return good
