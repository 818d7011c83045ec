"""The compiled part of mixtures of logistics: sixteen symbols (`LANES`) at a time, one component after the other.

Numbers are in rows of `LANES`, so that what is done to a row becomes a few vector instructions; only look-ups in tables go
one by one. Each component has rows of its own in `parts` and `floats`.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from codecs_core.entropy.distributions.location_scale import (
    SCALE_RANGE,
    by_rule,
    cells,
    reciprocals,
    scales,
    standard_cdf,
    standard_pair,
    within,
)
from codecs_core.entropy.kernels import both_ends, from_cdf, search
from codecs_core.entropy.rans import LANES, make_pop_together
from codecs_core.entropy.tables import table
from codecs_core.jit import inline

CELL_BITS = 18
_MIDDLE, _TOP = 2048 << CELL_BITS, (4096 << CELL_BITS) - 1
_1, _2, _3, _4, _5, _6, _7 = (np.uint64(rows * LANES) for rows in range(1, 8))
_F0, _F5, _F28, _F378, _F3150, _F17325, _F62370, _F135135 = np.array(
    [0, 5, 28, 378, 3150, 17325, 62370, 135135], np.float32
)
_HALF, _HALF_WEIGHT, _HALF_INVERSE, _BIN = np.array([2.0**-1, 2.0**-17, 2.0**-49, 2.0**-8], np.float32)


@inline
def _cdf(k, i, params):
    n, weights, means, log_scales, cells, reciprocals, precision, _, _ = params
    # until the weights, which add up to 2^16, are used up: a loop that is not turned into slow gathers
    below, c, left = np.int64(0), np.uint64(0), np.int64(1 << 16)
    while left > 0:
        weight = np.int64(weights[i, c])
        below += weight * standard_cdf(k, means[i, c], log_scales[i, c], cells, CELL_BITS, reciprocals)
        left -= weight
        c += np.uint64(1)
    return by_rule(k, below >> 16, n, precision)


@inline
def _prepare(params):
    """`sums`: bins, and their lower and upper ends. `parts`: of each component mean, 1 / scale, weight, ends of the bin, their cells.

    `floats`: what is wanted, the bin so far, the CDF of the three that are tried; and of each component mean, 1 / (2 scale), weight.
    """
    components = params[1].shape[1]
    floats = np.empty((5 + 3 * components) * LANES, np.float32)
    return np.empty(3 * LANES, np.int64), np.empty(7 * components * LANES, np.int64), floats


@inline
def _load(first, count, parts, params):
    _, weights, means, log_scales, _, reciprocals, _, _, _ = params
    for k in range(count):
        i, at = np.uint64(first + k), np.uint64(k)
        for component in range(weights.shape[1]):
            c = np.uint64(component)
            parts[at] = 128 + np.int64(means[i, c])
            parts[at + _1] = reciprocals[np.uint64(np.int64(log_scales[i, c]) - SCALE_RANGE[0])]
            parts[at + _2] = np.int64(weights[i, c])
            at += _7


@inline
def _ends(count, sums, parts, params):
    """The weighted CDF at both ends of the bins that `sums` holds."""
    cells, components = params[4], params[1].shape[1]
    for k in range(count):
        lane = np.uint64(k)
        sums[lane + _1], sums[lane + _2] = 0, 0
    for c in range(components):
        row = np.uint64(7 * LANES * c)
        for k in range(count):
            lane = np.uint64(k)
            at = row + lane
            multiplier, shift = parts[at + _1] >> 8, parts[at + _1] & 255
            product = ((sums[lane] << 8) - parts[at]) * multiplier + (_MIDDLE << shift)
            parts[at + _3] = min(max(product >> shift, 0), _TOP)
            parts[at + _4] = min(max((product + (multiplier << 8)) >> shift, 0), _TOP)
        for k in range(count):
            at = row + np.uint64(k)
            parts[at + _5] = cells[np.uint64(parts[at + _3] >> CELL_BITS)]
            parts[at + _6] = cells[np.uint64(parts[at + _4] >> CELL_BITS)]
    for c in range(components):
        row = np.uint64(7 * LANES * c)
        for k in range(count):
            lane = np.uint64(k)
            at = row + lane
            sums[lane + _1] += parts[at + _2] * within(parts[at + _5], parts[at + _3], CELL_BITS)
            sums[lane + _2] += parts[at + _2] * within(parts[at + _6], parts[at + _4], CELL_BITS)


@inline
def _intervals(symbols, first, count, block, params):
    n, precision = params[0], params[6]
    sums, parts, _ = _prepare(params)
    for begin in range(0, count, LANES):
        size = min(LANES, count - begin)
        _load(first + begin, size, parts, params)
        for k in range(size):
            # outside the support there are no counts
            sums[np.uint64(k)] = min(max(np.int64(symbols[np.uint64(first + begin + k)]), -1), n)
        _ends(size, sums, parts, params)
        for k in range(size):
            lane = np.uint64(k)
            start = by_rule(sums[lane], sums[lane + _1] >> 16, n, precision)
            stop = by_rule(sums[lane] + 1, sums[lane + _2] >> 16, n, precision)
            block[np.uint64(begin + k)] = start << np.uint64(32) | (stop - start)


@inline
def _tanh(x):
    """The hyperbolic tangent by its continued fraction, to four digits."""
    x = _F5 if x > _F5 else -_F5 if x < -_F5 else x
    y = x * x
    up = x * (_F135135 + y * (_F17325 + y * (_F378 + y)))
    return up / (_F135135 + y * (_F62370 + y * (_F3150 + y * _F28)))


@inline
def _search(count, found, sums, parts, floats, params):
    """The bins of the counts in `found`, nearly always: a search for three bins at a time, by the CDF in single precision.

    Up to the scale it is k + sum of w (1 + tanh(z / 2)) / 2.
    """
    n, components, precision = params[0], params[1].shape[1], params[6]
    scale = np.float32(np.int64(1) << np.int64(precision)) - np.float32(n)
    for k in range(count):
        lane = np.uint64(k)
        floats[lane] = np.float32(np.int64(found[lane])) - _HALF * scale
        floats[lane + _1] = _F0
    for c in range(components):
        row, other = np.uint64(3 * LANES * c) + _5, np.uint64(7 * LANES * c)
        for k in range(count):
            lane = np.uint64(k)
            floats[row + lane] = np.float32(parts[other + lane]) * _BIN
            multiplier, shift = parts[other + lane + _1] >> 8, parts[other + lane + _1] & 255
            floats[row + lane + _1] = np.float32(multiplier) * (np.float32(np.int64(1) << (32 - shift)) * _HALF_INVERSE)
            floats[row + lane + _2] = np.float32(parts[other + lane + _2]) * (_HALF_WEIGHT * scale)
    step = n
    while step > 1:
        step = (step + 3) >> 2
        further = np.float32(step)
        for k in range(count):
            lane = np.uint64(k)
            floats[lane + _2] = floats[lane + _1] + further
            floats[lane + _3] = floats[lane + _2] + further
            floats[lane + _4] = floats[lane + _3] + further
        for c in range(components):
            row = np.uint64(3 * LANES * c) + _5
            for k in range(count):
                lane = np.uint64(k)
                x = floats[lane + _1] - floats[row + lane]
                inverse, weight = floats[row + lane + _1], floats[row + lane + _2]
                floats[lane + _2] += weight * _tanh((x + further) * inverse)
                floats[lane + _3] += weight * _tanh((x + (further + further)) * inverse)
                floats[lane + _4] += weight * _tanh((x + (further + further + further)) * inverse)
        for k in range(count):
            lane = np.uint64(k)
            wanted, low = floats[lane], floats[lane + _1]
            low = low + further if floats[lane + _2] <= wanted else low
            low = low + further if floats[lane + _3] <= wanted else low
            floats[lane + _1] = low + further if floats[lane + _4] <= wanted else low
    for k in range(count):
        lane = np.uint64(k)
        sums[lane] = min(np.int64(floats[lane + _1]), n - 1)


@cache
def variances() -> NDArray[np.float64]:
    """Of the logistic of each log-scale: 3.29 times its squared scale."""
    both = scales()
    result: NDArray[np.float64] = 3.29 * np.ldexp((both >> 8) / 1.0, 16 - (both & 255)) ** 2
    return result


@inline
def _guess(count, i, params):
    """The quantile of the one logistic that has the mixture's mean and variance."""
    _, weights, means, log_scales, _, _, precision, variances, quantiles = params
    mean, square = 0.0, 0.0
    for component in range(weights.shape[1]):
        c = np.uint64(component)
        weight, m = np.float64(weights[i, c]) * 2.0**-16, np.float64(means[i, c]) * 2.0**-8
        mean += weight * m
        square += weight * (variances[np.uint64(np.int64(log_scales[i, c]) - SCALE_RANGE[0])] + m * m)
    spread = np.sqrt(max(square - mean * mean, 0.0) / 3.29)
    quantile = np.float64(quantiles[(count << np.uint64(10)) >> precision]) * 2.0**-24
    return np.int64(mean + 0.5 + spread * quantile)


#: For kernels of a codec's own: ``mixture_pair(k, i, params)`` are the counts below symbol k and below the next one at position i, and
#: ``mixture_find(count, i, params)`` is (symbol, start, frequency) of the one whose interval of 2^precision holds `count`. `params` are
#: symbols; weights in units of 2^-16, means and log-scales of shape (n, components); the cells and the inverse scales of
#: `mixture_tables`; the precision; and its variances and quantiles.
mixture_pair = both_ends(_cdf)
mixture_find = search(_cdf, _guess, mixture_pair)


@inline
def logistic_pair(k, mean, log_scale, cells, reciprocals):
    """The logistic CDF at both ends of bin k, times 2^32; the tables are those of `mixture_tables`."""
    return standard_pair(k, mean, log_scale, cells, CELL_BITS, reciprocals)


def mixture_tables() -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
    """What kernels of mixtures look up: cells of the logistic CDF, inverse scales, variances by log-scale, quantiles."""
    return cells("logistic"), reciprocals(), variances(), table("logistic_quantile")


@inline
def _find_all(first, count, found, scratch, params):
    n, precision = params[0], params[6]
    sums, parts, floats = scratch
    _load(first, count, parts, params)
    _search(count, found, sums, parts, floats, params)
    _ends(count, sums, parts, params)
    for k in range(count):
        lane = np.uint64(k)
        start = by_rule(sums[lane], sums[lane + _1] >> 16, n, precision)
        found[lane + _1] = start
        found[lane + _2] = by_rule(sums[lane] + 1, sums[lane + _2] >> 16, n, precision) - start
        found[lane + _3] = np.uint64(sums[lane])
    for k in range(count):
        lane = np.uint64(k)
        if found[lane] - found[lane + _1] >= found[lane + _2]:  # as unsigned numbers: on either side
            found[lane + _3], found[lane + _1], found[lane + _2] = mixture_find(
                found[lane], np.uint64(first + k), params
            )


kernels = from_cdf(_cdf, intervals=_intervals)._replace(pop=make_pop_together(mixture_find, _find_all, _prepare))
