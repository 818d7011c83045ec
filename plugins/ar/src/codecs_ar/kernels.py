"""The compiled part: predicting a value, describing where it is, learning from it, and decoding it.

Encoder and decoder run this one loop; they differ in where a value comes from. Real numbers are doubles, of which ``+ - * /`` are
taken in a fixed order.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from codecs_ar.learner import differentiate, evaluate, learn
from codecs_ar.neighbours import MARGIN
from codecs_ar.regression import backward, forward, multiply, solve
from codecs_core.entropy.compiled import inline, kernel
from codecs_core.entropy.distributions.mixture_kernels import find
from codecs_core.entropy.rans import EXHAUSTED, GUARD, OK, pop_one
from codecs_core.entropy.tables import table

#: Units of predictions, errors and scales: 2^-8. The least scale.
UNIT, LEAST = 256.0, 8.0 / 256


class Places(NamedTuple):
    """Offsets, as `neighbours.offsets` makes them, of one plane."""

    own: NDArray[np.int64]
    before: NDArray[np.int64]
    earlier: NDArray[np.int64]
    near: NDArray[np.int64]
    weights: NDArray[np.float64]
    errors: NDArray[np.int64]
    values: NDArray[np.int64]
    around: NDArray[np.int64]
    cross: NDArray[np.int64]


class Predictors(NamedTuple):
    """The two predictors: what weights are the best a short, and a long way around.

    What is a step away counts `short`, or `long`, times as much; each is solved once for so many values as its period says.
    """

    short: float
    long: float
    short_period: int
    long_period: int

    @classmethod
    def of(cls, decays: tuple[int, int], periods: tuple[int, int]) -> Predictors:
        """Decays in 256ths."""
        return cls(decays[0] / 256.0, decays[1] / 256.0, *periods)


@inline
def extend(x, start, width):  # type: ignore[no-untyped-def]
    """Go on with a row beyond its end, as its last value, and begin the next one with its first."""
    for j in range(MARGIN):
        x[start + MARGIN + width + j] = x[start + MARGIN + width - 1]
        x[start + width + 2 * MARGIN + j] = x[start + MARGIN]


@inline
def log2(x, mantissas):  # type: ignore[no-untyped-def]
    """The logarithm of a normal double above zero, in units of 1/64."""
    bits = np.float64(x).view(np.int64)
    return (((bits >> 52) - 1023) << 6) + (mantissas[np.uint64((bits >> 44) & 255)] >> 10)


@inline
def compand(v):  # type: ignore[no-untyped-def]
    """Straight up to 64, then ever less steep, from -127 to 127: an integer."""
    a = abs(v)
    a = min(a, 64.0) + min(max(a - 64.0, 0.0) * 0.25, 32.0) + min(max(a - 192.0, 0.0) * 0.0625, 31.0)
    a = np.floor(a + 0.5)
    return -a if v < 0 else a


@inline
def bounded(v):  # type: ignore[no-untyped-def]
    """An integer from -127 to 127."""
    return np.float64(min(max(v, -127), 127))


@kernel
def code(state, words, out, wide, precision, params):  # type: ignore[no-untyped-def]
    """Go through one plane of images.

    Parameters
    ----------
    state, words, precision
        Of the message, as in `rans.make_pop`.
    out
        The values, flat: read, or written if `decoding`.
    params
        decoding; (plane, images, height, width, largest value); `x`, the planes with their margins, and `e`, the errors of predictions,
        flat; `Places`; the prior's sums; `Predictors`; log2 of mantissas; `learner.Network`; what a mixture is made of; and, to be
        written unless `decoding`, features (n, F) if the network has no layers, or else what it says (n, 3K); predictions and scales.
    """
    decoding, size, x, e, places, prior, predictors, mantissas, network, family, features, outputs, centres, spreads = (
        params
    )
    plane, images, height, width, top = size
    own, before, earlier, near, near_weights, error_at, value_at, around, cross = places
    symbols, exp2, cells, reciprocals, variances, quantiles, inverses, components = family
    gradients, looking, learning = network[6], network[2].size == 1, network[9][0] > 0
    stride, tall = width + 2 * MARGIN, height + 2 * MARGIN
    area = tall * stride
    back = images * area  # from a plane to the one before it
    n = own.size + before.size + earlier.size
    terms = n * (n + 1) // 2 + n
    short, long, short_period, long_period = predictors
    middle = np.float64((np.int64(top) + 1) // 2)
    limit = np.float64(top)

    head, words_left, low = state[0], np.int64(state[1]), np.int64(state[2])
    p = np.uint64(precision)
    mask = (np.uint64(1) << p) - np.uint64(1)

    above_short, above_long = np.zeros((width, terms)), np.zeros((width, terms))
    run_short, run_long, sums, products = np.zeros(terms), np.zeros(terms), np.zeros(terms), np.zeros(terms)
    # absolute error, error, weight
    above_error, run_error, errors = np.zeros((width, 3)), np.zeros(3), np.zeros(3)
    rows, pivot, w_short, w_long = np.zeros((n, n + 8)), np.zeros(n + 8), np.zeros(n), np.zeros(n)
    regressors, targets, trust, misses = np.zeros((width, n)), np.zeros(width), np.zeros(width), np.zeros(width)
    miss_short, miss_long = np.zeros(area), np.zeros(area)
    row = np.zeros(network[2][0])
    said, parts = np.zeros(3 * components, np.int64), np.zeros((4, components))
    logits = np.zeros((1, components), np.int64)
    mix_weights, means, log_scales = (
        np.zeros((1, components), np.uint32),
        np.zeros((1, components), np.int32),
        np.zeros((1, components), np.int32),
    )
    mix = (np.int64(symbols), mix_weights, means, log_scales, cells, reciprocals, p, variances, quantiles)

    for image in range(images):
        first = (plane * images + image) * area
        above_short[:] = 0.0
        above_long[:] = 0.0
        above_error[:] = 0.0
        w_short[:] = 0.0
        w_long[:] = 0.0
        miss_short[:] = 0.0
        miss_long[:] = 0.0
        # before the first value, all neighbours are in the middle of the range
        for q in range(plane + 1):
            corner = first - q * back
            for i in range(MARGIN * stride + MARGIN):
                x[corner + i] = middle
                e[corner + i] = limit / 16.0
        for y in range(height):
            start = first + (y + MARGIN) * stride
            if y > 0:
                # a row goes on to the right with its last value, and to the left with the first one above
                extend(x, start - stride, width)
                extend(e, start - stride, width)
            run_short[:] = 0.0
            run_long[:] = 0.0
            run_error[:] = 0.0
            for column in range(width):
                at = start + MARGIN + column
                mine = at - first
                r = regressors[column]
                left = x[at - 1]
                for i in range(own.size):
                    r[i] = x[at + own[i]] - left
                k = own.size
                if before.size:
                    there = at - back
                    other = x[there - 1]
                    for i in range(before.size):
                        r[k + i] = x[there + before[i]] - other
                    k += before.size
                if earlier.size:
                    there = at - 2 * back
                    other = x[there - 1]
                    for i in range(earlier.size):
                        r[k + i] = x[there + earlier[i]] - other
                us, ul = above_short[column], above_long[column]
                if column % short_period == 0:
                    for k in range(terms):
                        sums[k] = prior[k] + (us[k] + run_short[k])
                    solve(sums, n, rows, pivot, w_short)
                if column % long_period == 0:
                    for k in range(terms):
                        sums[k] = prior[k] + (ul[k] + run_long[k])
                    solve(sums, n, rows, pivot, w_long)
                by_short, by_long = left, left
                for i in range(n):
                    by_short += w_short[i] * r[i]
                    by_long += w_long[i] * r[i]
                # what is no number becomes 0
                by_short = min(by_short, limit) if by_short > 0.0 else 0.0
                by_long = min(by_long, limit) if by_long > 0.0 else 0.0
                error_short, error_long, scale = 0.015625, 0.015625, 0.0
                for i in range(near.size):
                    error_short += near_weights[i] * miss_short[mine + near[i]]
                    error_long += near_weights[i] * miss_long[mine + near[i]]
                    scale += near_weights[i] * abs(e[at + near[i]])
                scale = max(np.floor(scale * UNIT) / UNIT, LEAST)
                square_short, square_long = error_short * error_short, error_long * error_long
                centre = (by_short * square_long + by_long * square_short) / (square_short + square_long)
                centre = np.floor(centre * UNIT + 0.5) / UNIT

                # the features
                rate = 32.0 / scale
                f, total = 0, 0.0
                for i in range(error_at.size):
                    v = e[at + error_at[i]]
                    total += abs(v)
                    row[i] = compand(v * rate)
                f += error_at.size
                for i in range(value_at.size):
                    row[f + i] = compand((x[at + value_at[i]] - centre) * rate)
                f += value_at.size
                log_scale = log2(scale, mantissas)
                row[f] = compand((by_short - by_long) * rate)
                row[f + 1] = bounded(log_scale >> 3)
                row[f + 2] = bounded((log2(error_short, mantissas) - log2(error_long, mantissas)) >> 2)
                ue = above_error[column]
                sure = ue[2] + run_error[2] + 0.0625
                broad = (ue[0] + run_error[0]) / sure + LEAST
                row[f + 3] = bounded((log2(broad, mantissas) - log_scale) >> 2)
                row[f + 4] = compand((ue[1] + run_error[1]) / sure * 4.0 * rate)
                row[f + 5] = bounded((log2(total / 16.0 + LEAST, mantissas) - log_scale) >> 2)
                active = LEAST + 0.25 * (
                    abs(x[at - stride] - x[at - stride + 1])
                    + abs(left - x[at - stride - 1])
                    + abs(x[at - stride] - x[at - stride - 1])
                    + abs(left - x[at - 2])
                )
                row[f + 6] = bounded((log2(active, mantissas) - log_scale) >> 2)
                row[f + 7] = compand(centre * rate)
                row[f + 8] = compand((limit - centre) * rate)
                row[f + 9] = np.floor(centre * 127.0 / limit)
                row[f + 10] = 4.0 * min(y, 31)
                row[f + 11] = 4.0 * min(column, 31)
                f += 12
                if around.size:
                    there = at - back
                    total = 0.0
                    for i in range(around.size):
                        total += abs(e[there + around[i]])
                    other = total / 16.0 + LEAST
                    rate_other = 32.0 / other
                    for i in range(around.size):
                        row[f + i] = compand(e[there + around[i]] * rate_other)
                    f += around.size
                    row[f] = bounded((log2(other, mantissas) - log_scale) >> 2)
                    row[f + 1] = compand(e[there] * rate)
                    f += 2
                if cross.size:
                    there = at - 2 * back
                    total = 0.0
                    for i in range(cross.size):
                        total += abs(e[there + cross[i]])
                    other = 0.25 * total + LEAST
                    rate_other = 32.0 / other
                    for i in range(cross.size):
                        row[f + i] = compand(e[there + cross[i]] * rate_other)
                    f += cross.size
                    row[f] = bounded((log2(other, mantissas) - log_scale) >> 2)

                i = (image * height + y) * width + column
                if looking:
                    for k in range(features.shape[1]):
                        features[i, k] = np.int8(row[k])
                else:
                    parity = 2 * (y & 1) + (column & 1)
                    evaluate(row, parity, network, components, said)
                    best, largest = 0, said[0]
                    for k in range(components):
                        logit = said[k]
                        logits[0, k] = logit
                        if logit > largest:
                            best, largest = k, logit
                        means[0, k] = np.int64(centre * UNIT) + np.int64(
                            np.floor(np.float64(said[components + k]) * (scale * 4.0))
                        )
                        log_scales[0, k] = min(max(log_scale + said[2 * components + k], -384), 1280)
                    total_weight = np.int64(0)
                    for k in range(components):
                        logits[0, k] = exp2[min(largest - logits[0, k], 1023)]
                        total_weight += logits[0, k]
                    quotient = (np.int64(1) << 47) // total_weight
                    rest = np.int64(1) << 16
                    for k in range(components):
                        share = (logits[0, k] * quotient) >> 31
                        mix_weights[0, k] = share
                        rest -= share
                    mix_weights[0, best] += rest
                    if decoding:
                        symbol, begin, freq = find(head & mask, np.uint64(0), mix)
                        head, words_left = pop_one(head, words, words_left, begin, freq, p)
                        if words_left < GUARD:
                            return EXHAUSTED, i
                        out[i] = symbol
                        x[at] = np.float64(symbol)
                    else:
                        for k in range(outputs.shape[1]):
                            outputs[i, k] = np.int16(said[k])
                    if learning:
                        differentiate(np.int64(x[at]), scale, np.int64(top), mix, inverses, parts, gradients)
                        learn(parity, network)
                if not decoding:
                    centres[i] = centre
                    spreads[i] = scale

                # learn
                value = x[at]
                miss = value - centre
                e[at] = miss
                misses[column] = miss
                miss_short[mine] = abs(value - by_short)
                miss_long[mine] = abs(value - by_long)
                targets[column] = value - left
                trust[column] = 1.0 / (scale * scale + 1.0)
                multiply(products, r, n, targets[column], trust[column])
                forward(products, run_short, us, short)
                forward(products, run_long, ul, long)
                errors[0], errors[1], errors[2] = abs(miss), miss, 1.0
                forward(errors, run_error, ue, 0.9)
                if y == 0:
                    # in the first row, what is above is as what is to the left
                    for q in range(plane + 1):
                        there = at - q * back
                        for j in range(1, MARGIN + 1):
                            for i in range(1, MARGIN + 1):
                                x[there + j - i * stride] = x[there]
                                e[there + j - i * stride] = e[there]
            run_short[:] = 0.0
            run_long[:] = 0.0
            run_error[:] = 0.0
            for column in range(width - 1, 0, -1):
                multiply(products, regressors[column], n, targets[column], trust[column])
                backward(products, run_short, above_short[column - 1], short)
                backward(products, run_long, above_long[column - 1], long)
                errors[0], errors[1], errors[2] = abs(misses[column]), misses[column], 1.0
                backward(errors, run_error, above_error[column - 1], 0.9)
        # below the last row, it is repeated
        last = first + (MARGIN + height - 1) * stride
        extend(x, last, width)
        extend(e, last, width)
        for i in range(1, MARGIN + 1):
            for j in range(stride):
                x[last + i * stride + j] = x[last + j]
                e[last + i * stride + j] = e[last + j]
    if decoding:
        state[0], state[1], state[2] = head, np.uint64(words_left), np.uint64(min(low, words_left))
    return OK, -1


@kernel
def _log2(x, mantissas, out):  # type: ignore[no-untyped-def]
    for i in range(x.size):
        out[i] = log2(x[i], mantissas)


def log2_of(x: NDArray[np.float64]) -> NDArray[np.int64]:
    """`log2` of an array."""
    out = np.empty(x.shape, np.int64)
    _log2(np.ascontiguousarray(x).reshape(-1), table("log2_mantissa"), out.reshape(-1))
    return out
