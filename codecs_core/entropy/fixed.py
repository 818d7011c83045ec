"""Fixed-point numbers and the functions of them that coding needs, in integers alone: the same on every machine."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from codecs_core.entropy.distribution import integers
from codecs_core.entropy.message import check_precision
from codecs_core.entropy.tables import table
from codecs_core.errors import EntropyError

#: Fractional bits of what `log2` returns, and of what `exp2` takes.
LOG2_BITS, EXP2_BITS = 16, 6


@dataclass(frozen=True, kw_only=True)
class QFormat:
    """A format of fixed-point numbers: integers in units of 2^-bits.

    Distributions have those of their parameters as attributes, for example ``BucketedGaussian.MEAN``.

    Parameters
    ----------
    bits
        Fractional bits.
    low, high
        The smallest and the largest integer, in units.

    Examples
    --------
    >>> mean = QFormat(bits=12, low=-(16 << 12), high=16 << 12)
    >>> mean.units([0.5, 99.0])
    array([ 2048, 65536])
    """

    bits: int
    low: int
    high: int

    def units(self, values: ArrayLike) -> NDArray[np.int64]:
        """The nearest numbers of the format, as integers in units; for encoders and for those who make models, not for decoders.

        Raises `EntropyError` for what is not a number.
        """
        x = np.asarray(values, np.float64)
        if np.isnan(x).any():
            raise EntropyError("a number to be put into fixed point is not a number (NaN)")
        limited = np.clip(np.ldexp(x, self.bits), self.low, self.high)
        return np.floor(limited + 0.5).astype(np.int64).clip(self.low, self.high)

    def values(self, units: ArrayLike) -> NDArray[np.float64]:
        """What integers in units stand for, exactly."""
        return np.ldexp(np.asarray(units, np.float64), -self.bits)

    def check(self, units: ArrayLike, name: str, dtype: Any = np.int64) -> NDArray[Any]:
        """Integers in units as an array; raises `EntropyError` for other dtypes and for integers out of range."""
        return integers(units, name, self.low, self.high, dtype)

    def within(self, low: int, high: int) -> QFormat:
        """The format with a narrower range, in units."""
        return replace(self, low=max(low, self.low), high=min(high, self.high))


def log2(x: ArrayLike) -> NDArray[np.int64]:
    """log2 of integers from 1 to 2^62 - 1, in units of 2^-16: at most 3 units below it.

    Between the 256 parts of an octave, which a table has, it is a straight line.
    """
    n = integers(x, "x", 1, (1 << 62) - 1)
    exponent = np.searchsorted(np.int64(1) << np.arange(62, dtype=np.int64), n, side="right").astype(np.int64) - 1
    # 24 bits below the leading one: 8 say which part, 16 where in it
    mantissa = np.where(exponent >= 24, n >> np.maximum(exponent - 24, 0), n << np.maximum(24 - exponent, 0)) - (
        1 << 24
    )
    part, rest = mantissa >> 16, mantissa & 0xFFFF
    known = table("log2_mantissa")
    inside: NDArray[np.int64] = known[part] + ((known[part + 1] - known[part]) * rest >> 16)
    return (exponent << LOG2_BITS) + inside


def exp2(x: ArrayLike, bits: int) -> NDArray[np.int64]:
    """2^x in units of 2^-bits, rounded down, for integers x in units of 1/64, as log-scales and logits are given.

    Raises `EntropyError` where the result would have more than 62 bits.
    """
    s = integers(x, "x", -(1 << 30), (62 - bits) * 64 - 1)
    octave, rest = s >> EXP2_BITS, s & 63
    # 2^(rest / 64) in units of 2^-15
    mantissa = table("exp2_negative")[64 - rest]
    shift = octave + bits - 15
    result: NDArray[np.int64] = np.where(
        shift >= 0, mantissa << np.clip(shift, 0, 46), mantissa >> np.clip(-shift, 0, 62)
    )
    return result


def counts(histogram: ArrayLike, precision: int, *, zeros: bool = False) -> NDArray[np.int64]:
    """Counts of a `Categorical` in proportion to how often each symbol was seen.

    C_k = floor(S_k (2^p - n) / S_n) + k, where S_k is how often a symbol below k was seen: in integers, so that a decoder may
    do it too. Every symbol gets a count, unless `zeros`: then C_k = floor(S_k 2^p / S_n), and what was not seen gets none.

    Parameters
    ----------
    histogram
        Integers, 0 or more, of shape (n,); not all zero.
    precision
        They add up to 2^precision.

    Raises
    ------
    EntropyError
        If the histogram is not valid, or the precision is too low for its number of symbols.
    """
    seen = integers(histogram, "histogram", 0, np.iinfo(np.int64).max)
    if seen.ndim != 1 or not seen.any():
        raise EntropyError(f"a histogram must be a list of integers that are not all zero, got shape {seen.shape}")
    check_precision(precision, seen.size)
    return np.array(in_proportion(seen.tolist(), precision, ramp=0 if zeros else 1), np.int64)


def in_proportion(weights: list[int], precision: int, *, ramp: int = 1) -> list[int]:
    """Counts of 2^precision in proportion to integers of any size, and at least `ramp` each: C_k = floor(F_k (2^p - ramp n)) + ramp k."""
    total, n = sum(weights), len(weights)
    below = [0, *accumulate(weights)]
    edges = [w * ((1 << precision) - ramp * n) // total + ramp * k for k, w in enumerate(below)]
    return [b - a for a, b in pairwise(edges)]
