"""Logistic, Gaussian and Laplace distributions, discretised on the bins of a grid. They differ by a table only."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from codecs_core.entropy.compiled import inline
from codecs_core.entropy.kernels import from_cdf
from codecs_core.entropy.message import check_precision
from codecs_core.entropy.stack import Distribution, common_shape, flat, integers
from codecs_core.entropy.tables import table
from codecs_core.errors import EntropyError

#: Fractional bits of the mean, and of the log-scale (to base 2).
MEAN_BITS, SCALE_BITS = 8, 6
MEAN_LIMIT = (1 << 31) - 1
SCALE_RANGE = (-6 << SCALE_BITS, 20 << SCALE_BITS)


@inline
def reciprocal(log_scale, exp2):  # type: ignore[no-untyped-def]
    """1 / scale as (multiplier, shift): 2^(-s/64) = 2^octave * 2^(rest/64), and exp2[64 - rest] = 2^15 * 2^(rest/64)."""
    octave, rest = (-np.int64(log_scale)) >> 6, (-np.int64(log_scale)) & 63
    # unsigned indices spare a test for negative ones
    return exp2[np.uint64(64 - rest)] << 8, 7 - octave


@inline
def interpolate(z, table, cell_bits):  # type: ignore[no-untyped-def]
    """A table of 4096 cells of 2^cell_bits at z within it."""
    j, part = np.uint64(z >> cell_bits), z & ((np.int64(1) << cell_bits) - 1)
    below = table[j]
    return below + (((table[j + np.uint64(1)] - below) * part) >> cell_bits)


@inline
def standard_cdf(k, mean, log_scale, table, cell_bits, exp2):  # type: ignore[no-untyped-def]
    """F((k - 1/2 - mean) / scale) * 2^32, interpolated in a table of 4096 cells of 2^(cell_bits - 24) standard units."""
    multiplier, shift = reciprocal(log_scale, exp2)
    z = (((k << 8) - 128 - np.int64(mean)) * multiplier) >> shift
    z += np.int64(2048) << cell_bits
    z = 0 if z < 0 else z
    top = (np.int64(4096) << cell_bits) - 1
    z = top if z > top else z
    return interpolate(z, table, cell_bits)


@inline
def quantile_bin(cell, mean, log_scale, quantiles, exp2):  # type: ignore[no-untyped-def]
    """The bin near the quantile of this 1024th of the probability: a first guess."""
    mean, log_scale = np.int64(mean), np.int64(log_scale)
    octave, rest = log_scale >> 6, log_scale & 63
    return (mean + 128 + ((quantiles[np.uint64(cell)] * exp2[np.uint64(64 - rest)]) >> (31 - octave))) >> 8


@inline
def _cdf(k, i, params):  # type: ignore[no-untyped-def]
    n, mean, log_scale, cdf, cell_bits, _, exp2, precision = params
    if k <= 0:
        return np.uint64(0)
    if k >= n:
        return np.uint64(1) << precision
    at = np.uint64(i)
    below = standard_cdf(k, mean[at], log_scale[at], cdf, cell_bits, exp2)
    return ((np.uint64(below) * ((np.uint64(1) << precision) - np.uint64(n))) >> np.uint64(32)) + np.uint64(k)


@inline
def standard_pair(k, mean, log_scale, table, cell_bits, exp2):  # type: ignore[no-untyped-def]
    """`standard_cdf` at k and at k + 1, which have all but the last steps in common."""
    multiplier, shift = reciprocal(log_scale, exp2)
    middle, top = np.int64(2048) << cell_bits, (np.int64(4096) << cell_bits) - 1
    product = ((k << 8) - 128 - np.int64(mean)) * multiplier + (middle << shift)
    low, high = product >> shift, (product + (multiplier << 8)) >> shift
    if low < 0 or high > top:  # one test that seldom holds is faster than four that always count
        low, high = min(max(low, 0), top), min(max(high, 0), top)
    return interpolate(low, table, cell_bits), interpolate(high, table, cell_bits)


@inline
def _pair(k, i, params):  # type: ignore[no-untyped-def]
    n, mean, log_scale, cdf, cell_bits, _, exp2, precision = params
    at = np.uint64(i)
    low, high = standard_pair(k, mean[at], log_scale[at], cdf, cell_bits, exp2)
    rest = (np.uint64(1) << precision) - np.uint64(n)
    start = ((np.uint64(low) * rest) >> np.uint64(32)) + np.uint64(k)
    stop = ((np.uint64(high) * rest) >> np.uint64(32)) + np.uint64(k + 1)
    return start if k > 0 else np.uint64(0), stop if k < n - 1 else np.uint64(1) << precision


@inline
def _guess(count, i, params):  # type: ignore[no-untyped-def]
    _, mean, log_scale, _, _, quantiles, exp2, precision = params
    at = np.uint64(i)
    return quantile_bin((count << np.uint64(10)) >> precision, mean[at], log_scale[at], quantiles, exp2)


_location_scale = from_cdf(_cdf, _guess, _pair)


class LocationScale(Distribution):
    """Bins 0 to `symbols` - 1 of a continuous distribution; the outer bins take in the tails. Bin k is [k - 1/2, k + 1/2).

    C_k = floor(F((k - 1/2 - mean) / scale) (2^p - n)) + k, so that no bin is without a count.

    Parameters
    ----------
    mean
        In units of 2^-8 of a bin, less than 2^23 bins from 0; anywhere, also outside the support.
    log_scale
        Logarithm to base 2 of the scale in bins, in units of 1/64: from -6 to 20.
    symbols
        Bins, at most 2^22.
    precision
        Bits, at most 28.
    shape
        Of the arrays that are pushed and popped; by default what the parameters broadcast to.
    """

    dtype = np.int32
    _kernels = _location_scale
    _family: ClassVar[str]
    #: log2 of the width of a cell of the family's table, plus 24
    _cell_bits: ClassVar[int]

    def __init__(
        self,
        mean: ArrayLike,
        log_scale: ArrayLike,
        *,
        symbols: int = 256,
        precision: int = 24,
        shape: int | tuple[int, ...] | None = None,
    ) -> None:
        if not isinstance(symbols, int) or not 1 <= symbols <= 1 << 22:
            raise EntropyError(f"symbols is an integer from 1 to {1 << 22}, not {symbols!r}")
        self.symbols, self.precision = symbols, check_precision(precision, symbols)
        m = integers(mean, "mean", -MEAN_LIMIT, MEAN_LIMIT, np.int32)
        s = integers(log_scale, "log_scale", *SCALE_RANGE, np.int32)
        self.shape = common_shape(shape, m, s)
        self._params = (
            np.int64(symbols),
            flat(m, self.shape),
            flat(s, self.shape),
            table(f"{self._family}_cdf"),
            np.int64(self._cell_bits),
            table(f"{self._family}_quantile"),
            table("exp2_negative"),
            np.uint64(precision),
        )


class DiscretizedLogistic(LocationScale):
    """The logistic distribution of F(z) = 1 / (1 + e^-z). See `LocationScale` for the parameters."""

    _family, _cell_bits = "logistic", 18


class DiscretizedGaussian(LocationScale):
    """The Gaussian; `log_scale` is that of its standard deviation. See `LocationScale` for the parameters."""

    _family, _cell_bits = "normal", 16


class DiscretizedLaplace(LocationScale):
    """The Laplace distribution of density e^-|z| / 2. See `LocationScale` for the parameters."""

    _family, _cell_bits = "laplace", 18
