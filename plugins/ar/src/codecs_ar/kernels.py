"""The compiled part: predicting a value, describing where it is, learning from it, and decoding it.

Encoder and decoder run this one loop; they differ in where a value comes from. Real numbers are binary32, and ``+ - * /``
are taken in a fixed order.
"""

from __future__ import annotations

import numpy as np

from codecs_ar.features import LEAST, describe
from codecs_ar.learner import differentiate, evaluate, learn
from codecs_ar.neighbours import MARGIN
from codecs_ar.regression import LANES, backward, faded, forward, predict, solve
from codecs_ar.smallest.walk import walk
from codecs_core.entropy import EXHAUSTED, GUARD, OK, mixture_find, mixture_pair, pop_one, push_one
from codecs_core.jit import borrowing, kernel

#: Units of predictions, errors and scales: 2^-8.
UNIT = np.float32(256)
#: How much less counts what is a step away, in biases.
FADING = np.float32(0.9)
_0, _HALF, _1, _16TH, _64TH = np.array([0, 1 / 2, 1, 1 / 16, 1 / 64], np.float32)


@borrowing
def extend(x, e, start, width):
    """Go on with a row beyond its end, as its last value, and begin the next one with its first."""
    for j in range(MARGIN):
        beyond, below = start + MARGIN + width + j, start + 2 * MARGIN + width + j
        x[beyond], e[beyond] = x[start + MARGIN + width - 1], e[start + MARGIN + width - 1]
        x[below], e[below] = x[start + MARGIN], e[start + MARGIN]


@borrowing
def begin(x, e, first, plane, back, stride, middle, limit):
    """Before the first value of an image, all neighbours are in the middle of the range."""
    for q in range(plane + 1):
        corner = first - q * back
        for i in range(MARGIN * stride + MARGIN):
            x[corner + i] = middle
            e[corner + i] = limit * _16TH


@borrowing
def spread_up(x, e, at, plane, back, stride):
    """In the first row, what is above is as what is to the left."""
    for q in range(plane + 1):
        there = at - q * back
        for j in range(1, MARGIN + 1):
            for i in range(1, MARGIN + 1):
                x[there + j - i * stride] = x[there]
                e[there + j - i * stride] = e[there]


@borrowing
def spread_down(x, e, last, stride):
    """Below the last row, it is repeated."""
    for i in range(1, MARGIN + 1):
        for j in range(stride):
            x[last + i * stride + j] = x[last + j]
            e[last + i * stride + j] = e[last + j]


@borrowing
def differences(v, k, x, at, places):
    """Go on writing regressors: how much neighbours differ from the value to the left."""
    for i in range(places.size):
        v[np.uint64(k + i)] = x[np.uint64(at + places[i])] - x[np.uint64(at - 1)]
    return k + places.size


@borrowing
def regressors(vectors, v, x, at, back, places):
    """Write the regressors of a value: differences in its own plane, and in those before it."""
    vectors[v] = _0
    k = differences(vectors, v + 1, x, at, places.own)
    k = differences(vectors, k, x, at - back, places.before)
    differences(vectors, k, x, at - 2 * back, places.earlier)


@borrowing
def within(prediction, limit):
    """The nearest number from 0 to the limit, and 0 for what is no number."""
    return min(prediction, limit) if prediction > _0 else _0


@borrowing
def blend(misses, e, at, mine, places, by_short, by_long):
    """Both predictions by how well they did nearby; returns what `features.describe` calls a guess.

    That is (centre, scale, both predictions, how far each was off nearby).
    """
    second = misses.size // 2 + mine
    error_short, error_long, scale = _64TH, _64TH, _0
    for i in range(places.near.size):
        error_short += places.weights[i] * misses[np.uint64(mine + places.near[i])]
        error_long += places.weights[i] * misses[np.uint64(second + places.near[i])]
        scale += places.weights[i] * abs(e[np.uint64(at + places.near[i])])
    scale = max(np.floor(scale * UNIT) / UNIT, LEAST)
    square_short, square_long = error_short * error_short, error_long * error_long
    centre = (by_short * square_long + by_long * square_short) / (square_short + square_long)
    return np.floor(centre * UNIT + _HALF) / UNIT, scale, by_short, by_long, error_short, error_long


@borrowing
def mixture_of(room, centre, scale, log_scale, exp2):
    """Fill in the mixture that a network says, around a prediction: means, log-scales, and weights by the softmax of integers."""
    said, logits, weights, means, log_scales = room.said, room.logits, room.weights, room.means, room.log_scales
    components = logits.size
    best, largest = 0, said[0]
    for k in range(components):
        logit = said[k]
        logits[k] = logit
        if logit > largest:
            best, largest = k, logit
        means[0, k] = np.int64(centre * UNIT) + np.int64(
            np.floor(np.float64(said[components + k]) * (np.float64(scale) * 4.0))
        )
        log_scales[0, k] = min(max(log_scale + said[2 * components + k], -384), 1280)
    total = np.int64(0)
    for k in range(components):
        logits[k] = exp2[min(largest - logits[k], 1023)]
        total += logits[k]
    quotient, rest = (np.int64(1) << 47) // total, np.int64(1) << 16
    for k in range(components):
        share = (logits[k] * quotient) >> 31
        weights[0, k] = share
        rest -= share
    weights[0, best] += rest


@borrowing
def fade_right(bias, column, miss):
    """Take the error of a value into the biases, from left to right."""
    bias.past[0], bias.past[1], bias.past[2] = abs(miss), miss, _1
    for i in range(3):
        total = bias.run[i] + bias.past[i]
        bias.above[column, i] = faded(FADING * (bias.above[column, i] + total))
        bias.run[i] = faded(FADING * total)


@borrowing
def fade_left(bias, column, miss):
    """The same from right to left: what is to the right of a column belongs to what is above the next row."""
    bias.past[0], bias.past[1], bias.past[2] = abs(miss), miss, _1
    for i in range(3):
        bias.run[i] = faded(FADING * (bias.run[i] + bias.past[i]))
        bias.above[column - 1, i] += FADING * bias.run[i]


@borrowing
def note(errors, misses, x, e, at, mine, column, guess):
    """Write down how far predictions of a value are off; returns how much it is trusted, and its difference from the value to the left."""
    centre, scale, by_short, by_long = guess[0], guess[1], guess[2], guess[3]
    value = x[at]
    e[at] = value - centre
    errors[column] = value - centre
    misses[mine] = abs(value - by_short)
    misses[misses.size // 2 + mine] = abs(value - by_long)
    return _1 / (scale * scale + _1), value - x[at - 1]


@borrowing
def take_in(fit, bias, x, e, at, mine, v, n, column, guess, rates):
    """Learn from a value: the errors of its predictions, the sums of both predictors, and the biases."""
    fit.trust[column], fit.vectors[v] = note(fit.errors, fit.misses, x, e, at, mine, column, guess)
    forward(fit, v, n, fit.trust[column], column * (fit.run.size // 2), rates)
    fade_right(bias, column, fit.errors[column])


@borrowing
def hand_down(fit, bias, n, wide, width, rates):
    """Once a row is done, hand on to each column what is to the right of it."""
    fit.run[:] = _0
    bias.run[:] = _0
    for column in range(width - 1, 0, -1):
        backward(fit, column * wide, n, fit.trust[column], (column - 1) * (fit.run.size // 2), rates)
        fade_left(bias, column, fit.errors[column])


@borrowing
def value_coded(at, i, head, words, words_left, where, guess, mix, precision, given, coded, room, more):
    """Decode a value by a mixture, or note its interval; by decisions, if there is a `walk.Walker`. Returns a status and the message."""
    x, plane, top = given.x, given.size[0], given.size[4]
    if more is not None:
        more.state[0], more.state[1] = head, np.uint64(words_left)
        symbol = walk(at, where, plane, top, x, given.e, guess, room, given.family, words, more)
        head, words_left = more.state[0], np.int64(more.state[1])
    elif given.decoding:
        mask = (np.uint64(1) << precision) - np.uint64(1)
        symbol, lower, freq = mixture_find(head & mask, np.uint64(0), mix)
        head, words_left = pop_one(head, words, words_left, lower, freq, precision)
    else:
        symbol = np.int64(x[at])
        lower, upper = mixture_pair(symbol, np.uint64(0), mix)
        coded.starts[i], coded.freqs[i] = lower, upper - lower
    if given.decoding:
        if words_left < GUARD:
            return EXHAUSTED, head, words_left
        x[at] = np.float32(symbol)
    return OK, head, words_left


@kernel
def code(state, words, out, wide, precision, params):
    """Go through rows of one plane of images, after all the rows before them, in these images and in what is looked at in other planes.

    Parameters
    ----------
    state, words, precision
        Of the message, as in `rans.make_pop`.
    out
        Not looked at: values are left in the planes.
    params
        `workspace.Given`; `Seen`, which is written if the network has no layers, else `Coded`, unless `decoding`; `Fit`, `Bias`, `Room`;
        and at the level smallest a `walk.Walker`, otherwise None.
    """
    given, seen, coded, fit, bias, room, more = params
    x, e, places, network, family = given.x, given.e, given.places, given.network, given.family
    plane, images, height, width, top = given.size
    decoding, looking, learning = given.decoding, network.sizes.size == 1, network.rates[0] > 0
    rates = given.predictors.short, given.predictors.long
    stride = width + 2 * MARGIN
    area = (height + 2 * MARGIN) * stride
    back = images * area  # from a plane to the one before it
    n, terms = places.own.size + places.before.size + places.earlier.size, given.prior.size
    wide = LANES * (n // LANES + 1)
    middle, limit = np.float32((np.int64(top) + 1) // 2), np.float32(top)

    head, words_left, low = state[0], np.int64(state[1]), np.int64(state[2])
    p = np.uint64(precision)
    tables = family.cells, family.reciprocals, p, family.variances, family.quantiles
    mix = (np.int64(family.symbols), room.weights, room.means, room.log_scales, *tables)

    for row in range(given.rows[0], given.rows[1]):
        image = row // height
        y, first = row - image * height, (plane * images + image) * area
        if y == 0:
            fit.above[:] = _0
            fit.weights[:] = _0
            fit.misses[:] = _0
            bias.above[:] = _0
            begin(x, e, first, plane, back, stride, middle, limit)
        start = first + (y + MARGIN) * stride
        fit.run[:] = _0
        bias.run[:] = _0
        for column in range(width):
            at = start + MARGIN + column
            mine, v, i = at - first, column * wide, row * width + column
            regressors(fit.vectors, v, x, at, back, places)
            by_short = by_long = _0
            for which in range(2):
                period = given.predictors.long_period if which else given.predictors.short_period
                if column % period == 0:
                    solve(given.prior, fit, (which * width + column) * terms, which * terms, n, which * wide)
                by_short, by_long = by_long, within(x[at - 1] + predict(fit, which * wide, v, n), limit)
            guess = blend(fit.misses, e, at, mine, places, by_short, by_long)
            for k in range(3):
                bias.past[k] = bias.above[column, k] + bias.run[k]
            where = at, back, stride, (y, column)
            log_scale = describe(room, x, e, where, places, guess, bias.past, limit, given.mantissas)
            if looking:
                seen.centres[i], seen.spreads[i] = guess[0], guess[1]
                for k in range(seen.features.shape[1]):
                    seen.features[i, k] = np.int8(room.row[k])
            else:
                parity = 2 * (y & 1) + (column & 1)
                evaluate(room.row, parity, network, family.components, room.said)
                mixture_of(room, guess[0], guess[1], log_scale, family.exp2)
                status, head, words_left = value_coded(
                    at, i, head, words, words_left, where, guess, mix, p, given, coded, room, more
                )
                if status != OK:
                    return status, i
                if learning:
                    differentiate(np.int64(x[at]), np.float64(guess[1]), np.int64(top), mix, room, family, network)
                    learn(parity, network)
            take_in(fit, bias, x, e, at, mine, v, n, column, guess, rates)
            if y == 0:
                spread_up(x, e, at, plane, back, stride)
        hand_down(fit, bias, n, wide, width, rates)
        # a row goes on to the right with its last value, and to the left with the first one above
        extend(x, e, start, width)
        if y == height - 1:
            spread_down(x, e, first + (MARGIN + height - 1) * stride, stride)
    if decoding:
        state[0], state[1], state[2] = head, np.uint64(words_left), np.uint64(min(low, words_left))
    return OK, -1


@kernel
def push(state, words, starts, wide, precision, params):
    """Push the intervals of `workspace.Coded`, the last one first; see `rans.make_push`."""
    freqs, head, n = params[0], state[0], np.int64(state[1])
    for i in range(starts.size - 1, -1, -1):
        head, n = push_one(head, words, n, np.uint64(starts[i]), np.uint64(freqs[i]), np.uint64(precision))
    state[0], state[1] = head, np.uint64(n)
    return OK, -1
