"""Logistic, Gaussian and Laplace distributions, discretised on the bins of a grid. They differ by a table only."""

from __future__ import annotations

from functools import cache
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from codecs_core.entropy.distribution import Distribution, common_shape, flat
from codecs_core.entropy.fixed import QFormat
from codecs_core.entropy.kernels import from_cdf
from codecs_core.entropy.message import check_precision
from codecs_core.entropy.tables import table
from codecs_core.errors import EntropyError
from codecs_core.jit import inline

#: Fractional bits of the mean, and of the log-scale (to base 2).
MEAN_BITS, SCALE_BITS = 8, 6
MEAN_LIMIT = (1 << 31) - 1
SCALE_RANGE = (-6 << SCALE_BITS, 20 << SCALE_BITS)


#: A cell of a table in one number: the CDF at its lower end times 2^26, and by how much the CDF grows across it.
_STEP_BITS = 26
_STEP = (1 << _STEP_BITS) - 1
#: Symbols that are taken through each step of `_intervals` together.
_ROW = 128
_1, _2, _3 = (np.uint64(rows * _ROW) for rows in (1, 2, 3))


@cache
def cells(family: str) -> NDArray[np.int64]:
    """The 4096 cells of a family's CDF."""
    cdf = table(f"{family}_cdf")
    result: NDArray[np.int64] = (cdf[:-1] << _STEP_BITS) | np.diff(cdf)
    return result


@cache
def reciprocals() -> NDArray[np.int64]:
    """1 / scale for each log-scale s: 2^(-s/64) = 2^octave * 2^(rest/64), as 2^8 times a multiplier plus a shift to the right."""
    octave, rest = np.divmod(-np.arange(SCALE_RANGE[0], SCALE_RANGE[1] + 1), 1 << SCALE_BITS)
    # exp2[64 - rest] = 2^15 * 2^(rest/64)
    result: NDArray[np.int64] = (table("exp2_negative")[64 - rest] << 16) | (7 - octave)
    return result


@cache
def scales() -> NDArray[np.int64]:
    """The scale for each log-scale, in the same way."""
    octave, rest = np.divmod(np.arange(SCALE_RANGE[0], SCALE_RANGE[1] + 1), 1 << SCALE_BITS)
    result: NDArray[np.int64] = (table("exp2_negative")[64 - rest] << 8) | (31 - octave)
    return result


@inline
def reciprocal(log_scale, reciprocals):
    """1 / scale as (multiplier, shift)."""
    # unsigned indices spare a test for negative ones
    both = reciprocals[np.uint64(np.int64(log_scale) - SCALE_RANGE[0])]
    return both >> 8, both & 255


@inline
def interpolate(z, cells, cell_bits):
    """A table of 4096 cells of 2^cell_bits at z within it."""
    return within(cells[np.uint64(z >> cell_bits)], z, cell_bits)


@inline
def within(cell, z, cell_bits):
    """The CDF at z, which lies in this cell."""
    part = z & ((np.int64(1) << cell_bits) - 1)
    return (cell >> _STEP_BITS) + (((cell & _STEP) * part) >> cell_bits)


@inline
def standard_pair(k, mean, log_scale, cells, cell_bits, reciprocals):
    """`standard_cdf` at k and at k + 1, which have all but the last steps in common."""
    multiplier, shift = reciprocal(log_scale, reciprocals)
    middle, top = np.int64(2048) << cell_bits, (np.int64(4096) << cell_bits) - 1
    product = ((k << 8) - 128 - np.int64(mean)) * multiplier + (middle << shift)
    low, high = product >> shift, (product + (multiplier << 8)) >> shift
    if low < 0 or high > top:  # one test that seldom holds is faster than four that always count
        low, high = min(max(low, 0), top), min(max(high, 0), top)
    return interpolate(low, cells, cell_bits), interpolate(high, cells, cell_bits)


@inline
def standard_cdf(k, mean, log_scale, cells, cell_bits, reciprocals):
    """F((k - 1/2 - mean) / scale) * 2^32, interpolated in a table of 4096 cells of 2^(cell_bits - 24) standard units."""
    multiplier, shift = reciprocal(log_scale, reciprocals)
    z = (((k << 8) - 128 - np.int64(mean)) * multiplier) >> shift
    z += np.int64(2048) << cell_bits
    return interpolate(min(max(z, 0), (np.int64(4096) << cell_bits) - 1), cells, cell_bits)


@inline
def by_rule(k, cdf, n, precision):
    """C_k from a CDF of 32 bits: 0 up to the support and 2^precision beyond it."""
    total = np.uint64(1) << precision
    value = ((np.uint64(cdf) * (total - np.uint64(n))) >> np.uint64(32)) + np.uint64(k)
    value = np.uint64(0) if k <= 0 else value
    return total if k >= n else value


@inline
def _cdf(k, i, params):
    n, mean, log_scale, cells, cell_bits, reciprocals, _, _, precision = params
    at = np.uint64(i)
    return by_rule(k, standard_cdf(k, mean[at], log_scale[at], cells, cell_bits, reciprocals), n, precision)


@inline
def _pair(k, i, params):
    n, mean, log_scale, cells, cell_bits, reciprocals, _, _, precision = params
    at = np.uint64(i)
    low, high = standard_pair(k, mean[at], log_scale[at], cells, cell_bits, reciprocals)
    return by_rule(k, low, n, precision), by_rule(k + 1, high, n, precision)


@inline
def _intervals(symbols, first, count, block, params):
    """`_pair` for many symbols, step by step: vector instructions but for the look-ups."""
    n, mean, log_scale, cells, cell_bits, reciprocals, _, _, precision = params
    middle, top = np.int64(2048) << cell_bits, (np.int64(4096) << cell_bits) - 1
    # lower ends (at first 1 / scale), upper ends, and the cells they lie in
    rows = np.empty(4 * _ROW, np.int64)
    for begin in range(0, count, _ROW):
        size = min(_ROW, count - begin)
        at = np.uint64(first + begin)
        for k in range(size):
            j = np.uint64(k)
            rows[j] = reciprocals[np.uint64(np.int64(log_scale[at + j]) - SCALE_RANGE[0])]
        for k in range(size):
            j = np.uint64(k)
            multiplier, shift = rows[j] >> 8, rows[j] & 255
            product = ((np.int64(symbols[at + j]) << 8) - 128 - np.int64(mean[at + j])) * multiplier + (middle << shift)
            rows[j] = min(max(product >> shift, 0), top)
            rows[j + _1] = min(max((product + (multiplier << 8)) >> shift, 0), top)
        for k in range(size):
            j = np.uint64(k)
            rows[j + _2] = cells[np.uint64(rows[j] >> cell_bits)]
            rows[j + _3] = cells[np.uint64(rows[j + _1] >> cell_bits)]
        for k in range(size):
            j = np.uint64(k)
            symbol = min(max(np.int64(symbols[at + j]), -1), n)  # outside the support there are no counts
            start = by_rule(symbol, within(rows[j + _2], rows[j], cell_bits), n, precision)
            stop = by_rule(symbol + 1, within(rows[j + _3], rows[j + _1], cell_bits), n, precision)
            block[np.uint64(begin) + j] = start << np.uint64(32) | (stop - start)


@inline
def _guess(count, i, params):
    """The bin near the quantile of this 1024th of the probability."""
    _, mean, log_scale, _, _, _, quantiles, scales, precision = params
    quantile = quantiles[(count << np.uint64(10)) >> precision]
    scale = scales[np.uint64(np.int64(log_scale[i]) - SCALE_RANGE[0])]
    return (np.int64(mean[i]) + 128 + ((quantile * (scale >> 8)) >> (scale & 255))) >> 8


_location_scale = from_cdf(_cdf, _guess, _pair, _intervals)


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

    #: Formats of the parameters.
    MEAN = QFormat(bits=MEAN_BITS, low=-MEAN_LIMIT, high=MEAN_LIMIT)
    LOG_SCALE = QFormat(bits=SCALE_BITS, low=SCALE_RANGE[0], high=SCALE_RANGE[1])
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
        m = self.MEAN.check(mean, "mean", np.int32)
        s = self.LOG_SCALE.check(log_scale, "log_scale", np.int32)
        self.shape = common_shape(shape, m, s)
        self._params = (
            np.int64(symbols),
            flat(m, self.shape),
            flat(s, self.shape),
            cells(self._family),
            np.int64(self._cell_bits),
            reciprocals(),
            table(f"{self._family}_quantile"),
            scales(),
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
