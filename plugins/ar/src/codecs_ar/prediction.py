"""The compiled part that predicts a value: by two linear predictors, and around them the mixture that a network says."""

from __future__ import annotations

import numpy as np

from codecs_ar.features import LEAST
from codecs_ar.regression import LANES, backward, faded, forward, predict, solve
from codecs_core.jit import borrowing

#: Units of predictions, errors and scales: 2^-8.
UNIT = np.float32(256)
#: How much less counts what is a step away, in biases.
FADING = np.float32(0.9)
_0, _HALF, _1, _64TH = np.array([0, 1 / 2, 1, 1 / 64], np.float32)


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
def predictions(prior, predictors, fit, x, at, v, n, cell, limit):
    """What both predictors expect of a value by its regressors, which begin at `v`; `cell` is (column, width)."""
    (column, width), wide, terms = cell, LANES * (n // LANES + 1), prior.size
    by_short = by_long = _0
    for which in range(2):
        period = predictors.long_period if which else predictors.short_period
        if column % period == 0:
            solve(prior, fit, (which * width + column) * terms, which * terms, n, which * wide)
        by_short, by_long = by_long, within(x[at - 1] + predict(fit, which * wide, v, n), limit)
    return by_short, by_long


@borrowing
def nearby(misses, e, at, mine, places):
    """How far each of two predictions was off nearby, and the scale of the errors there."""
    second = misses.size // 2 + mine
    error_short, error_long, scale = _64TH, _64TH, _0
    for i in range(places.near.size):
        error_short += places.weights[i] * misses[np.uint64(mine + places.near[i])]
        error_long += places.weights[i] * misses[np.uint64(second + places.near[i])]
        scale += places.weights[i] * abs(e[np.uint64(at + places.near[i])])
    return error_short, error_long, max(np.floor(scale * UNIT) / UNIT, LEAST)


@borrowing
def blend(misses, e, at, mine, places, by_short, by_long):
    """Both predictions by how well they did nearby; returns what `features.describe` calls a guess.

    That is (centre, scale, both predictions, how far each was off nearby).
    """
    error_short, error_long, scale = nearby(misses, e, at, mine, places)
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
def restart(fit, bias):
    """Before an image nothing was seen."""
    fit.above[:] = _0
    fit.weights[:] = _0
    fit.misses[:] = _0
    bias.above[:] = _0


@borrowing
def take_in(fit, bias, x, e, at, mine, v, n, column, guess, rates):
    """Learn from a value: the errors of its predictions, the sums of both predictors, and the biases."""
    fit.trust[column], fit.vectors[v] = note(fit.errors, fit.misses, x, e, at, mine, column, guess)
    forward(fit, v, n, fit.trust[column], column * (fit.run.size // 2), rates)
    fade_right(bias, column, fit.errors[column])


@borrowing
def recent(bias, column):
    """Fill in the sums of a value's surroundings: `bias.past`."""
    for k in range(3):
        bias.past[k] = bias.above[column, k] + bias.run[k]


@borrowing
def hand_down(fit, bias, n, width, rates):
    """Once a row is done, hand on to each column what is to the right of it."""
    wide = LANES * (n // LANES + 1)
    fit.run[:] = _0
    bias.run[:] = _0
    for column in range(width - 1, 0, -1):
        backward(fit, column * wide, n, fit.trust[column], (column - 1) * (fit.run.size // 2), rates)
        fade_left(bias, column, fit.errors[column])
