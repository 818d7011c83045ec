"""The compiled part of a second opinion on each value: more predictors, more of the neighbourhood, a larger network.

All of it does nothing where there is none: where a `Wide` is None.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from codecs_ar.features import LEAST, activity, beside, bounded, log2, scaled
from codecs_ar.learner import Network, differentiate, evaluate, learn
from codecs_ar.margins import begin, extend, spread_down, spread_up
from codecs_ar.prediction import UNIT, hand_down, mixture_of, nearby, predictions, recent, regressors, restart, take_in
from codecs_ar.regression import LANES
from codecs_ar.smallest.places import WidePlaces
from codecs_ar.workspace import PRECISION, Bias, Family, Fit, Predictors, Room, Seen
from codecs_core.jit import borrowing

#: Errors are counted by the place in a block of eight rows and columns, by that in a block of four, and together.
CLASSES = 8 * 8 + 4 * 4 + 1
#: How often a class was seen before an image, and the error that it had then, in scales.
USES, ERROR = np.float32(16), np.float32(0.75)
_0, _HALF, _1, _4, _16TH, _32, _127 = np.array([0, 1 / 2, 1, 4, 1 / 16, 32, 127], np.float32)


class Wide(NamedTuple):
    """What the wide description of a plane works with.

    `e` are the errors of its predictions in the planes at hand, as `Given.e`; `phases` counts errors by `CLASSES`: their sums in units of
    the scale, then how many. `seen` is written if the network has no layers. The others are as in `workspace.Given`.
    """

    places: WidePlaces
    e: NDArray[np.float32]
    prior: NDArray[np.float32]
    predictors: Predictors
    network: Network
    family: Family
    fit: Fit
    bias: Bias
    room: Room
    phases: NDArray[np.float32]
    seen: Seen


@borrowing
def begin_image(wide, x, first, plane, back, stride, middle, limit):
    """Before the first value of an image."""
    if wide is not None:
        restart(wide.fit, wide.bias)
        begin(x, wide.e, first, plane, back, stride, middle, limit)
        for i in range(CLASSES):
            wide.phases[i], wide.phases[CLASSES + i] = USES * ERROR, USES
        wide.fit.run[:] = _0
        wide.bias.run[:] = _0


@borrowing
def regressors_of(wide):
    """How many there are."""
    places = wide.places.places
    return places.own.size + places.before.size + places.earlier.size


@borrowing
def look(wide, x, mine, where, width, guess, limit, i, mantissas):
    """Predict and describe a value, and ask the network; `guess` is that of the other description. Returns one like it."""
    if wide is None:
        return guess
    at, back, _, (y, column) = where
    fit, places, n = wide.fit, wide.places.places, regressors_of(wide)
    v = column * LANES * (n // LANES + 1)
    regressors(fit.vectors, v, x, at, back, places)
    by_short, by_long = predictions(wide.prior, wide.predictors, fit, x, at, v, n, (column, width), limit)
    error_short, error_long, scale = nearby(fit.misses, wide.e, at, mine, places)
    a, b = _1 / (guess[4] * guess[4]), _1 / (guess[5] * guess[5])
    c, d = _1 / (error_short * error_short), _1 / (error_long * error_long)
    centre = (a * guess[2] + b * guess[3] + c * by_short + d * by_long) / (a + b + c + d)
    found = np.floor(centre * UNIT + _HALF) / UNIT, scale, by_short, by_long, error_short, error_long
    recent(wide.bias, column)
    log_scale = describe(wide, x, where, found, guess, limit, mantissas)
    room, family = wide.room, wide.family
    if wide.network.sizes.size == 1:
        seen = wide.seen
        seen.centres[i], seen.spreads[i] = found[0], found[1]
        for k in range(seen.features.shape[1]):
            seen.features[i, k] = np.int8(room.row[k])
    else:
        evaluate(room.row, 2 * (y & 1) + (column & 1), wide.network, family.components, room.said)
        mixture_of(room, found[0], found[1], log_scale, family.exp2)
    return found


@borrowing
def gather(found, k, values, at, places, less):
    """Go on writing values at places, less a number."""
    for i in range(places.size):
        found[k + i] = values[np.uint64(at + places[i])] - less
    return k + places.size


@borrowing
def phase_of(y, column, kind):
    """The class of a place in blocks of eight, blocks of four, or all."""
    if kind == 0:
        return 8 * (y & 7) + (column & 7)
    return 64 + 4 * (y & 3) + (column & 3) if kind == 1 else 80


@borrowing
def often(phases, y, column, kind, mantissas):
    """The logarithm of the mean error in a class."""
    i = phase_of(y, column, kind)
    return log2(phases[i] / phases[CLASSES + i], mantissas)


@borrowing
def describe(wide, x, where, found, guess, limit, mantissas):
    """Write the features of a value; returns the logarithm of its scale."""
    room, e, (at, back, stride, (y, column)) = wide.room, wide.e, where
    row, parts, places, past = room.row, room.found, wide.places.places, wide.bias.past
    centre, scale = found[0], found[1]
    rate, log_scale, sure = _32 / scale, log2(scale, mantissas), past[2] + _16TH
    k = gather(parts, 0, e, at, places.errors, _0)
    total = _0
    for i in range(k):
        total += abs(parts[i])
    k = gather(parts, k, x, at, places.values, centre)
    parts[k], parts[k + 1], parts[k + 2], parts[k + 3] = (
        guess[2] - centre,
        guess[3] - centre,
        found[2] - centre,
        found[3] - centre,
    )
    parts[k + 4], parts[k + 5], parts[k + 6] = past[1] / sure * _4, centre, limit - centre
    k += 7
    if places.around.size:
        parts[k] = e[np.uint64(at - back)]
        k = gather(parts, k + 1, x, at - back, wide.places.beside, x[np.uint64(at - back)])
    if places.cross.size:
        k = gather(parts, k, x, at - 2 * back, wide.places.beyond, x[np.uint64(at - 2 * back)])
    scaled(row, 0, k, parts, rate)
    row[k] = bounded(log_scale >> 3)
    for i in range(2):
        row[k + 1 + i] = bounded((log2(guess[4 + i], mantissas) - log_scale) >> 1)
        row[k + 3 + i] = bounded((log2(found[4 + i], mantissas) - log_scale) >> 1)
    row[k + 5] = bounded((log2(past[0] / sure + LEAST, mantissas) - log_scale) >> 2)
    row[k + 6] = bounded((log2(total * _16TH + LEAST, mantissas) - log_scale) >> 2)
    row[k + 7] = bounded((log2(activity(x, at, stride), mantissas) - log_scale) >> 2)
    row[k + 8] = np.floor(centre * _127 / limit)
    row[k + 9], row[k + 10] = np.float32(4 * min(y, 31)), np.float32(4 * min(column, 31))
    usual = often(wide.phases, y, column, 2, mantissas)
    for kind in range(2):
        row[k + 11 + kind] = bounded(often(wide.phases, y, column, kind, mantissas) - usual)
    k += 13
    if places.around.size:
        k = beside(row, k, e, at - back, places.around, parts, log_scale, mantissas, _16TH)
    if places.cross.size:
        k = beside(row, k, e, at - 2 * back, places.cross, parts, log_scale, mantissas, _16TH)
    return log_scale


@borrowing
def learn_from(wide, value, found, parity, top):
    """Take a step of the network, down the gradient of what the value cost."""
    if wide is not None and wide.network.rates[0] > 0:
        room, family = wide.room, wide.family
        tables = family.cells, family.reciprocals, np.uint64(PRECISION), family.variances, family.quantiles
        mix = (np.int64(family.symbols), room.weights, room.means, room.log_scales, *tables)
        differentiate(value, np.float64(found[1]), top, mix, room, family, wide.network)
        learn(parity, wide.network)


@borrowing
def take_in_value(wide, x, mine, where, found):
    """Learn from a value: predictors, biases, and how large errors are in which class of places."""
    if wide is not None:
        at, _, _, (y, column) = where
        n, phases, predictors = regressors_of(wide), wide.phases, wide.predictors
        v, rates = column * LANES * (n // LANES + 1), (predictors.short, predictors.long)
        take_in(wide.fit, wide.bias, x, wide.e, at, mine, v, n, column, found, rates)
        error = abs(wide.e[np.uint64(at)]) / found[1]
        for kind in range(3):
            i = phase_of(y, column, kind)
            phases[i] += error
            phases[CLASSES + i] += _1


@borrowing
def spread_value(wide, x, at, plane, back, stride):
    """In the first row, what is above is as what is to the left."""
    if wide is not None:
        spread_up(x, wide.e, at, plane, back, stride)


@borrowing
def end_row(wide, x, start, width):
    """Once a row is done."""
    if wide is not None:
        rates = wide.predictors.short, wide.predictors.long
        hand_down(wide.fit, wide.bias, regressors_of(wide), width, rates)
        wide.fit.run[:] = _0
        wide.bias.run[:] = _0
        extend(x, wide.e, start, width)


@borrowing
def end_image(wide, x, last, stride):
    """Below the last row, it is repeated."""
    if wide is not None:
        spread_down(x, wide.e, last, stride)
