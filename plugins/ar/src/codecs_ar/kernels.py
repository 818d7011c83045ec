"""The compiled part: predicting a value, describing where it is, learning from it, and decoding it.

Encoder and decoder run this one loop; they differ in where a value comes from. Real numbers are binary32; their ``+ - * /`` are
taken in a fixed order.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from codecs_ar.features import LEAST, describe, log2
from codecs_ar.learner import differentiate, evaluate, learn
from codecs_ar.neighbours import MARGIN
from codecs_ar.regression import LANES, backward, faded, forward, predict, solve
from codecs_core.entropy import EXHAUSTED, GUARD, OK, mixture_find, pop_one, table
from codecs_core.jit import inline, kernel

#: Units of predictions, errors and scales: 2^-8.
UNIT = np.float32(256)
#: How much less counts what is a step away, in biases.
FADING = np.float32(0.9)
_0, _HALF, _1, _16TH, _64TH = np.array([0, 1 / 2, 1, 1 / 16, 1 / 64], np.float32)


class Places(NamedTuple):
    """Offsets, as `neighbours.offsets` makes them, of one plane."""

    own: NDArray[np.int64]
    before: NDArray[np.int64]
    earlier: NDArray[np.int64]
    near: NDArray[np.int64]
    weights: NDArray[np.float32]
    errors: NDArray[np.int64]
    values: NDArray[np.int64]
    around: NDArray[np.int64]
    cross: NDArray[np.int64]


class Predictors(NamedTuple):
    """The two predictors: what weights are the best a short, and a long way around.

    What is a step away counts `short`, or `long`, times as much; each is solved once for the number of values that its period says.
    """

    short: np.float32
    long: np.float32
    short_period: int
    long_period: int

    @classmethod
    def of(cls, decays: tuple[int, int], periods: tuple[int, int]) -> Predictors:
        """Decays in 256ths."""
        return cls(np.float32(decays[0] / 256), np.float32(decays[1] / 256), *periods)


@inline
def extend(x, start, width):
    """Go on with a row beyond its end, as its last value, and begin the next one with its first."""
    for j in range(MARGIN):
        x[start + MARGIN + width + j] = x[start + MARGIN + width - 1]
        x[start + width + 2 * MARGIN + j] = x[start + MARGIN]


@inline
def differences(v, k, x, at, places):
    """Go on writing regressors: how much neighbours differ from the value to the left."""
    for i in range(places.size):
        v[np.uint64(k + i)] = x[np.uint64(at + places[i])] - x[np.uint64(at - 1)]
    return k + places.size


@inline
def within(prediction, limit):
    """The nearest number from 0 to the limit, and 0 for what is no number."""
    return min(prediction, limit) if prediction > _0 else _0


@kernel
def code(state, words, out, wide, precision, params):
    """Go through one plane of images.

    Parameters
    ----------
    state, words, precision
        Of the message, as in `rans.make_pop`.
    out
        The values, flat: read, or written if `decoding`.
    params
        decoding; (plane, images, height, width, largest value); `x`, the planes with their margins, and `e`, the errors of
        predictions, flat; `Places`; the prior, as `regression.packed` makes it; `Predictors`; log2 of mantissas; `learner.Network`;
        what a mixture is made of; and, to be written unless `decoding`, features (n, F) if the network has no layers, or else what it
        says (n, 3K); predictions and scales.
    """
    decoding, size, x, e, places, prior, predictors, mantissas, network, family, features, outputs, centres, spreads = (
        params
    )
    plane, images, height, width, top = size
    own, before, earlier, near, near_weights = places[:5]
    symbols, exp2, cells, reciprocals, variances, quantiles, inverses, components = family
    gradients, looking, learning = network[6], network[2].size == 1, network[8][0] > 0
    stride, tall = width + 2 * MARGIN, height + 2 * MARGIN
    area = tall * stride
    back = images * area  # from a plane to the one before it
    n = own.size + before.size + earlier.size
    wide, terms = LANES * (n // LANES + 1), prior.size
    short, long, short_period, long_period = predictors
    middle, limit = np.float32((np.int64(top) + 1) // 2), np.float32(top)

    head, words_left, low = state[0], np.int64(state[1]), np.int64(state[2])
    p = np.uint64(precision)
    mask = (np.uint64(1) << p) - np.uint64(1)

    above_short, above_long = np.zeros(width * terms, np.float32), np.zeros(width * terms, np.float32)
    run_short, run_long = np.zeros(terms, np.float32), np.zeros(terms, np.float32)
    # absolute error, error, weight
    above_error, run_error, past = np.zeros((width, 3), np.float32), np.zeros(3, np.float32), np.zeros(3, np.float32)
    rows, inverses_of = np.zeros((n + 1) * wide, np.float32), np.zeros(wide, np.float32)
    w_short, w_long = np.zeros(wide, np.float32), np.zeros(wide, np.float32)
    vectors, trust, misses = (
        np.zeros(width * wide, np.float32),
        np.zeros(width, np.float32),
        np.zeros(width, np.float32),
    )
    miss_short, miss_long = np.zeros(area, np.float32), np.zeros(area, np.float32)
    row, found = np.zeros(network[2][0], np.float32), np.zeros(32, np.float32)
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
        above_short[:] = _0
        above_long[:] = _0
        above_error[:] = _0
        w_short[:] = _0
        w_long[:] = _0
        miss_short[:] = _0
        miss_long[:] = _0
        # before the first value, all neighbours are in the middle of the range
        for q in range(plane + 1):
            corner = first - q * back
            for i in range(MARGIN * stride + MARGIN):
                x[corner + i] = middle
                e[corner + i] = limit * _16TH
        for y in range(height):
            start = first + (y + MARGIN) * stride
            if y > 0:
                # a row goes on to the right with its last value, and to the left with the first one above
                extend(x, start - stride, width)
                extend(e, start - stride, width)
            run_short[:] = _0
            run_long[:] = _0
            run_error[:] = _0
            for column in range(width):
                at = start + MARGIN + column
                mine, v, sums_at = at - first, column * wide, column * terms
                left = x[at - 1]
                vectors[v] = _0
                k = differences(vectors, v + 1, x, at, own)
                k = differences(vectors, k, x, at - back, before)
                differences(vectors, k, x, at - 2 * back, earlier)
                if column % short_period == 0:
                    solve(prior, above_short, sums_at, run_short, n, rows, inverses_of, w_short)
                if column % long_period == 0:
                    solve(prior, above_long, sums_at, run_long, n, rows, inverses_of, w_long)
                by_short = within(left + predict(w_short, vectors, v, n), limit)
                by_long = within(left + predict(w_long, vectors, v, n), limit)
                error_short, error_long, scale = _64TH, _64TH, _0
                for i in range(near.size):
                    error_short += near_weights[i] * miss_short[np.uint64(mine + near[i])]
                    error_long += near_weights[i] * miss_long[np.uint64(mine + near[i])]
                    scale += near_weights[i] * abs(e[np.uint64(at + near[i])])
                scale = max(np.floor(scale * UNIT) / UNIT, LEAST)
                square_short, square_long = error_short * error_short, error_long * error_long
                centre = (by_short * square_long + by_long * square_short) / (square_short + square_long)
                centre = np.floor(centre * UNIT + _HALF) / UNIT
                for i in range(3):
                    past[i] = above_error[column, i] + run_error[i]
                guess = (centre, scale, by_short, by_long, error_short, error_long)
                log_scale = describe(
                    row, found, x, e, at, back, stride, places, (y, column), guess, past, limit, mantissas
                )
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
                            np.floor(np.float64(said[components + k]) * (np.float64(scale) * 4.0))
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
                        symbol, begin, freq = mixture_find(head & mask, np.uint64(0), mix)
                        head, words_left = pop_one(head, words, words_left, begin, freq, p)
                        if words_left < GUARD:
                            return EXHAUSTED, i
                        out[i] = symbol
                        x[at] = np.float32(symbol)
                    else:
                        for k in range(outputs.shape[1]):
                            outputs[i, k] = np.int16(said[k])
                    if learning:
                        differentiate(
                            np.int64(x[at]), np.float64(scale), np.int64(top), mix, inverses, parts, gradients
                        )
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
                trust[column] = _1 / (scale * scale + _1)
                vectors[v] = value - left
                forward(
                    vectors, v, n, trust[column], sums_at, run_short, above_short, short, run_long, above_long, long
                )
                past[0], past[1], past[2] = abs(miss), miss, _1
                for i in range(3):
                    total = run_error[i] + past[i]
                    above_error[column, i] = faded(FADING * (above_error[column, i] + total))
                    run_error[i] = faded(FADING * total)
                if y == 0:
                    # in the first row, what is above is as what is to the left
                    for q in range(plane + 1):
                        there = at - q * back
                        for j in range(1, MARGIN + 1):
                            for i in range(1, MARGIN + 1):
                                x[there + j - i * stride] = x[there]
                                e[there + j - i * stride] = e[there]
            run_short[:] = _0
            run_long[:] = _0
            run_error[:] = _0
            for column in range(width - 1, 0, -1):
                sums_at = (column - 1) * terms
                backward(
                    vectors,
                    column * wide,
                    n,
                    trust[column],
                    sums_at,
                    run_short,
                    above_short,
                    short,
                    run_long,
                    above_long,
                    long,
                )
                past[0], past[1], past[2] = abs(misses[column]), misses[column], _1
                for i in range(3):
                    run_error[i] = faded(FADING * (run_error[i] + past[i]))
                    above_error[column - 1, i] += FADING * run_error[i]
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
def _log2(x, mantissas, out):
    for i in range(x.size):
        out[i] = log2(x[i], mantissas)


def log2_of(x: NDArray[np.float32]) -> NDArray[np.int64]:
    """`log2` of an array."""
    out = np.empty(x.shape, np.int64)
    _log2(np.ascontiguousarray(x).reshape(-1), table("log2_mantissa"), out.reshape(-1))
    return out
