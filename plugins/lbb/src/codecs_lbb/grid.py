"""The grid that values live on between the layers of a flow, and Gaussians on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from codecs_core.entropy import FineGaussian
from codecs_core.entropy.compiled import kernel
from codecs_core.errors import ConfigError, EntropyError

#: Values are less than 2^20 in magnitude, in a unit of about 32 grey levels: far beyond what an image gives.
LIMIT = float(1 << 20)
#: Units of the logarithm of a Gaussian's scale, a nat.
_UNITS = 64 / 0.6931471805599453


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

    bits: int = 21
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
            raise EntropyError("a value leaves the range of the grid: the flow does not fit what it is given")
        return out

    def values(self, units: NDArray[np.int64]) -> NDArray[np.float64]:
        """Inverse of `units`."""
        values: NDArray[np.float64] = np.multiply(units, 2.0**-self.bits)
        return values

    def round(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """The nearest multiples of the pitch, half up; raises `EntropyError` beyond `LIMIT`."""
        return self.values(self.units(x))

    def gaussian(self, mean: NDArray[np.float64], log_slope: NDArray[np.float64] | None = None) -> FineGaussian:
        """N(mean, (noise e^log_slope)^2) over units of the pitch; the slope is 1 unless it is given."""
        scale = np.int64((self.bits - self.noise) << 6)
        if log_slope is not None:
            # a code for any scale; one that is out of range costs bits
            scale = np.clip(np.floor(log_slope * _UNITS).astype(np.int64) + scale, 0, 40 << 6)
        return FineGaussian(self.units(mean), scale)


@kernel
def _units(x, scale, limit, out):  # type: ignore[no-untyped-def]
    """Whether all is less than `limit` in magnitude (NaN is not)."""
    good = True
    for i in range(x.size):
        good &= np.abs(x[i]) < limit
        out[i] = np.int64(np.floor(x[i] * scale + 0.5)) if np.abs(x[i]) < limit else 0
    return good
