"""The compiled part: predicting a value, describing where it is, learning from it, and decoding it.

Encoder and decoder run this one loop; they differ in where a value comes from. Real numbers are binary32, and ``+ - * /``
are taken in a fixed order.
"""

from __future__ import annotations

import numpy as np

from codecs_ar.features import describe
from codecs_ar.learner import differentiate, evaluate, learn
from codecs_ar.margins import begin, extend, spread_down, spread_up
from codecs_ar.neighbours import MARGIN
from codecs_ar.prediction import blend, hand_down, mixture_of, predictions, recent, regressors, restart, take_in
from codecs_ar.regression import LANES
from codecs_ar.smallest import wide as wider
from codecs_ar.smallest.walk import walk
from codecs_core.entropy import EXHAUSTED, GUARD, OK, mixture_find, mixture_pair, pop_one, push_one
from codecs_core.jit import borrowing, kernel

_0 = np.float32(0)


@borrowing
def value_coded(at, i, head, words, words_left, where, guess, second, mix, precision, given, coded, room, wide, more):
    """Decode a value by a mixture, or note its interval; by decisions, if there is a `walk.Walker`. Returns a status and the message."""
    x, plane, top = given.x, given.size[0], given.size[4]
    if more is not None:
        more.state[0], more.state[1] = head, np.uint64(words_left)
        symbol = walk(at, where, plane, top, x, given.e, guess, second, room, wide, given.family, words, more)
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
def code(state, words, out, several, precision, params):
    """Go through rows of one plane of images, after all the rows before them, in these images and in what is looked at in other planes.

    Parameters
    ----------
    state, words, precision
        Of the message, as in `rans.make_pop`.
    out
        Not looked at: values are left in the planes.
    params
        `workspace.Given`; `Seen`, which is written if the network has no layers, else `Coded`, unless `decoding`; `Fit`, `Bias`, `Room`;
        and at the level smallest a `wide.Wide`, if the model has one, and a `walk.Walker`, otherwise None.
    """
    given, seen, coded, fit, bias, room, wide, more = params
    x, e, places, network, family = given.x, given.e, given.places, given.network, given.family
    plane, images, height, width, top = given.size
    decoding, looking, learning = given.decoding, network.sizes.size == 1, network.rates[0] > 0
    rates = given.predictors.short, given.predictors.long
    stride = width + 2 * MARGIN
    area = (height + 2 * MARGIN) * stride
    back = images * area  # from a plane to the one before it
    n = places.own.size + places.before.size + places.earlier.size
    lanes = LANES * (n // LANES + 1)
    middle, limit = np.float32((np.int64(top) + 1) // 2), np.float32(top)

    head, words_left, low = state[0], np.int64(state[1]), np.int64(state[2])
    p = np.uint64(precision)
    tables = family.cells, family.reciprocals, p, family.variances, family.quantiles
    mix = (np.int64(family.symbols), room.weights, room.means, room.log_scales, *tables)

    for row in range(given.rows[0], given.rows[1]):
        image = row // height
        y, first = row - image * height, (plane * images + image) * area
        if y == 0:
            restart(fit, bias)
            begin(x, e, first, plane, back, stride, middle, limit)
            wider.begin_image(wide, x, first, plane, back, stride, middle, limit)
        start = first + (y + MARGIN) * stride
        fit.run[:] = _0
        bias.run[:] = _0
        for column in range(width):
            at = start + MARGIN + column
            mine, v, i, cell = at - first, column * lanes, row * width + column, (column, width)
            regressors(fit.vectors, v, x, at, back, places)
            by_short, by_long = predictions(given.prior, given.predictors, fit, x, at, v, n, cell, limit)
            guess = blend(fit.misses, e, at, mine, places, by_short, by_long)
            recent(bias, column)
            where = at, back, stride, (y, column)
            log_scale = describe(room, x, e, where, places, guess, bias.past, limit, given.mantissas)
            second = wider.look(wide, x, mine, where, width, guess, limit, i, given.mantissas)
            if looking:
                seen.centres[i], seen.spreads[i] = guess[0], guess[1]
                for k in range(seen.features.shape[1]):
                    seen.features[i, k] = np.int8(room.row[k])
            else:
                parity = 2 * (y & 1) + (column & 1)
                evaluate(room.row, parity, network, family.components, room.said)
                mixture_of(room, guess[0], guess[1], log_scale, family.exp2)
                status, head, words_left = value_coded(
                    at, i, head, words, words_left, where, guess, second, mix, p, given, coded, room, wide, more
                )
                if status != OK:
                    return status, i
                if learning:
                    differentiate(np.int64(x[at]), np.float64(guess[1]), np.int64(top), mix, room, family, network)
                    learn(parity, network)
                wider.learn_from(wide, np.int64(x[at]), second, parity, np.int64(top))
            take_in(fit, bias, x, e, at, mine, v, n, column, guess, rates)
            wider.take_in_value(wide, x, mine, where, second)
            if y == 0:
                spread_up(x, e, at, plane, back, stride)
                wider.spread_value(wide, x, at, plane, back, stride)
        hand_down(fit, bias, n, width, rates)
        # a row goes on to the right with its last value, and to the left with the first one above
        extend(x, e, start, width)
        wider.end_row(wide, x, start, width)
        if y == height - 1:
            below = first + (MARGIN + height - 1) * stride
            spread_down(x, e, below, stride)
            wider.end_image(wide, x, below, stride)
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
