"""The one compiled loop over a plane: predict, code, learn. Encoder and decoder run the same function."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from codecs_ar.fast.cells import CELL, MEMORIES, backward, forget, forward, observe, predict, solve
from codecs_ar.fast.outlook import learn, scaled, shifted
from codecs_ar.fast.shares import PRECISION, SYMBOLS, adapt, counted, counted_alone, found, interval, reweigh
from codecs_ar.features import log2
from codecs_ar.margins import extend, spread_down
from codecs_ar.neighbours import MARGIN
from codecs_ar.prediction import within
from codecs_core.entropy import EXHAUSTED, GUARD, OK, pop_one
from codecs_core.jit import borrowing, kernel

#: Scales are told apart by quarters of octaves, predictions of small ones by quarters of a step.
SCALES, PHASES = 80, 4
#: Contexts of each kind, and of the lengths of numbers beyond the symbols.
FINE, SIGNS, SHAPES, BEYOND = SCALES * PHASES, SCALES // 2 * 27, SCALES // 2 * 16, SCALES // 4 * 2
#: The symbol of the prediction, and the scale in quarters of octaves from which on a step of the symbols is a power of 2.
CENTRE = SYMBOLS // 2
_0, _HALF, _1, _4, _16TH, _64TH = np.array([0, 1 / 2, 1, 4, 1 / 16, 1 / 64], np.float32)
_NEAR, _FAR = np.array([[0.3, 1, 2], [0.2, 0.5, 1]], np.float32)


class Given(NamedTuple):
    """What a pass over a plane is given.

    `x` and `e`, flat, are the values and the errors of all planes, with margins; `first` is where those of this one begin. Regressors
    are x at `taps` less x at `bases`; errors at `near` tell which predictor is better, those at `around` the scale, and the `other`-th of
    them is the one that says most beside W and N. `fades` are those of each predictor along a row, then down.
    """

    decoding: bool
    x: NDArray[np.float32]
    e: NDArray[np.float32]
    height: int
    width: int
    top: int
    first: int
    taps: NDArray[np.int64]
    bases: NDArray[np.int64]
    near: NDArray[np.int64]
    around: NDArray[np.int64]
    other: int
    fades: NDArray[np.float32]
    mantissas: NDArray[np.int64]


class Fit(NamedTuple):
    """Both predictors: sums of the row above, along the row and in cells of this row; weights; the vector at hand; their errors; room."""

    cells: int
    above: NDArray[np.float32]
    run: NDArray[np.float32]
    sums: NDArray[np.float32]
    weights: NDArray[np.float32]
    vector: NDArray[np.float32]
    misses: NDArray[np.float32]
    rows: NDArray[np.float32]
    inverses: NDArray[np.float32]


class Records(NamedTuple):
    """The intervals that an encoder is to push, in their order, and how many there are."""

    starts: NDArray[np.uint32]
    freqs: NDArray[np.uint32]
    used: NDArray[np.int64]


@borrowing
def foreseen(given, fit, at, mine):
    """Both predictions, and that which follows from how far they were off nearby."""
    x, n = given.x, given.taps.size
    left = x[np.uint64(at - 1)]
    for j in range(n):
        fit.vector[np.uint64(j + 1)] = x[np.uint64(at + given.taps[j])] - x[np.uint64(at + given.bases[j])]
    by_short = within(left + predict(fit, 0), np.float32(given.top))
    by_long = within(left + predict(fit, 1), np.float32(given.top))
    short, long, second = _64TH, _64TH, mine + fit.misses.size // 2
    for k in range(given.near.size):
        short += fit.misses[np.uint64(mine + given.near[k])]
        long += fit.misses[np.uint64(second + given.near[k])]
    short, long = short * short, long * long
    return by_short, by_long, (by_short * long + by_long * short) / (short + long)


@borrowing
def level(value, bounds):
    """How many of three bounds are below a number."""
    return np.int64(value > bounds[0]) + np.int64(value > bounds[1]) + np.int64(value > bounds[2])


@borrowing
def sign(value):
    """0, 1 or 2: far below zero, about zero, far above."""
    return 1 + np.int64(value > _HALF) - np.int64(value < -_HALF)


@borrowing
def contexts(given, outlook, shares, bucket, phase):
    """Find the rows of a value's contexts: its fine scale, the signs of errors, and how scattered these are."""
    units, coarse = outlook.units, bucket >> 1
    west, north, other = units[0], units[1], units[given.other]
    signs = (sign(west) * 3 + sign(north)) * 3 + sign(other)
    nearby, apart = level(max(abs(west), abs(north)), _NEAR), level(abs(units[given.around.size]), _FAR)
    shares.rows[0] = (bucket * PHASES + phase) * SYMBOLS
    shares.rows[1] = (FINE + coarse * 27 + signs) * SYMBOLS
    shares.rows[2] = (FINE + SIGNS + (coarse * 4 + nearby) * 4 + apart) * SYMBOLS


@borrowing
def symbol_coded(head, words, left, decoding, symbol, shares, records):
    """Code a symbol by the counts at hand, or find out what it was."""
    if decoding:
        symbol = found(shares, np.int32(head & np.uint64((1 << PRECISION) - 1)))
    start, freq = interval(shares, symbol)
    if decoding:
        head, left = pop_one(head, words, left, start, freq, np.uint64(PRECISION))
    else:
        n = np.uint64(records.used[0])
        records.starts[n], records.freqs[n] = start, freq
        records.used[0] += 1
    return symbol, head, left


@borrowing
def bits_coded(head, words, left, decoding, value, bits, records):
    """Code this number of bits, all values equally likely, or find out what they were."""
    shift = np.uint64(PRECISION - bits)
    if bits == 0:
        value = np.int64(0)
    elif decoding:
        value = np.int64((head & np.uint64((1 << PRECISION) - 1)) >> shift)
        head, left = pop_one(head, words, left, np.uint64(value) << shift, np.uint64(1) << shift, np.uint64(PRECISION))
    else:
        n = np.uint64(records.used[0])
        records.starts[n], records.freqs[n] = np.uint64(value) << shift, np.uint64(1) << shift
        records.used[0] += 1
    return value, head, left


@borrowing
def beyond_coded(head, words, left, decoding, number, row, shares, records):
    """Code a number, 0 or more, by the place of its highest bit and those below it, or find out what it was."""
    high = np.int64(0)
    while (number + 1) >> (high + 1) > 0:
        high += 1
    counted_alone(shares, row)
    high, head, left = symbol_coded(head, words, left, decoding, high, shares, records)
    adapt(shares, row, high)
    high = min(high, np.int64(PRECISION))
    low, head, left = bits_coded(head, words, left, decoding, number + 1 - (np.int64(1) << high), high, records)
    return (np.int64(1) << high) + low - 1, head, left


@borrowing
def value_coded(head, words, left, decoding, value, middle, bits, bucket, shares, records):
    """Code a value around a prediction, or find out what it was: a symbol of its upper bits, and what that leaves open."""
    mixer = bucket >> 2
    counted(shares, mixer)
    offset = value - middle + ((np.int64(1) << bits) >> 1)
    step = offset >> bits
    symbol = min(max(step + CENTRE, 0), SYMBOLS - 1)
    symbol, head, left = symbol_coded(head, words, left, decoding, symbol, shares, records)
    reweigh(shares, mixer, symbol)
    adapt(shares, shares.rows[0], symbol)
    adapt(shares, shares.rows[1], symbol)
    adapt(shares, shares.rows[2], symbol)
    if decoding:
        step = symbol - CENTRE
    if symbol == 0 or symbol == SYMBOLS - 1:
        above = np.int64(symbol > 0)
        number = step - (CENTRE - 1) if above else -CENTRE - step
        row = (FINE + SIGNS + SHAPES + mixer * 2 + above) * SYMBOLS
        number, head, left = beyond_coded(head, words, left, decoding, number, row, shares, records)
        step = number + (CENTRE - 1) if above else -CENTRE - number
    low, head, left = bits_coded(head, words, left, decoding, offset - (step << bits), bits, records)
    return middle + (step << bits) + low - ((np.int64(1) << bits) >> 1), head, left


@borrowing
def begin(given, stride):
    """Before the first value, its neighbours are in the middle of the range."""
    for k in range(given.first, given.first + MARGIN * stride + MARGIN):
        given.x[np.uint64(k)] = np.float32((given.top + 1) // 2)
        given.e[np.uint64(k)] = np.float32(given.top) * _16TH


@borrowing
def spread_up(given, at, stride):
    """In the first row, what is above and to the right is as the value at hand."""
    for i in range(1, MARGIN + 1):
        for j in range(1, MARGIN + 1):
            given.x[at + j - i * stride] = given.x[at]
            given.e[at + j - i * stride] = given.e[at]


@borrowing
def next_row(given, fit, start, stride):
    """Go on with the row above beyond its end, and hand its sums down."""
    n, fades = given.taps.size, given.fades
    extend(given.x, given.e, start - stride, given.width)
    forget(fit.run, 0, fit.run.size)
    for cell in range(fit.cells - 1, -1, -1):
        for memory in range(MEMORIES):
            backward(fit, cell, n, memory, fades[memory], fades[MEMORIES + memory])
    forget(fit.run, 0, fit.run.size)
    forget(fit.sums, 0, fit.sums.size)


@borrowing
def surroundings(given, outlook, at, apart):
    """Write down the errors around a value, and how far its predictions are apart."""
    for k in range(given.around.size):
        outlook.errors[np.uint64(k)] = given.e[np.uint64(at + given.around[k])]
    outlook.errors[np.uint64(given.around.size)] = apart


@kernel
def code(state, words, out, wide, precision, params):
    """Go through a plane: as `Message.pop_symbols` calls it where it decodes.

    Parameters
    ----------
    state, words, precision
        Of the message, as in `rans.make_pop`.
    out
        The values, flat: written if it decodes.
    params
        `Given`, `Fit`, `Outlook`, `Shares`, and `Records`, which are written if it encodes.
    """
    given, fit, outlook, shares, records = params
    x, e, decoding, n, width = given.x, given.e, given.decoding, given.taps.size, given.width
    stride, limit = width + 2 * MARGIN, np.float32(given.top)
    head, left, second = state[0], np.int64(state[1]), fit.misses.size // 2
    begin(given, stride)
    for y in range(given.height):
        start = (y + MARGIN) * stride
        if y > 0:
            next_row(given, fit, given.first + start, stride)
        for column in range(width):
            mine, cell, parity = start + MARGIN + column, column // CELL, 2 * (y & 1) + (column & 1)
            at = given.first + mine
            if column % CELL == 0:
                for memory in range(MEMORIES):
                    solve(fit, cell, n, memory)
            by_short, by_long, centre = foreseen(given, fit, at, mine)
            surroundings(given, outlook, at, by_short - by_long)
            scale = scaled(outlook)
            final = within(centre + scale * shifted(outlook, parity), limit)
            size = log2(scale, given.mantissas)
            bucket, bits = min(max((size >> 4) + 16, 0), SCALES - 1), min(max((size >> 6) - 1, 0), 13)
            middle = np.int64(np.floor(final + _HALF))
            phase = np.int64(np.floor((final - np.float32(middle) + _HALF) * _4)) if bits == 0 else np.int64(0)
            contexts(given, outlook, shares, bucket, min(max(phase, 0), PHASES - 1))
            value, head, left = value_coded(
                head, words, left, decoding, np.int64(x[np.uint64(at)]), middle, bits, bucket, shares, records
            )
            if decoding:
                value = min(max(value, 0), given.top)
                out[np.uint64(y * width + column)] = value
                if left < GUARD:
                    return EXHAUSTED, y * width + column
            truth = np.float32(value)
            x[np.uint64(at)], e[np.uint64(at)] = truth, truth - centre
            fit.misses[np.uint64(mine)], fit.misses[np.uint64(second + mine)] = (
                abs(truth - by_short),
                abs(truth - by_long),
            )
            learn(outlook, parity, (truth - centre) / scale, (truth - final) / scale)
            fit.vector[0] = truth - x[np.uint64(at - 1)]
            observe(fit, cell, n, _1 / (scale * scale + _1))
            fit.vector[0] = _0
            if column % CELL == CELL - 1 or column == width - 1:
                for memory in range(MEMORIES):
                    forward(fit, cell, n, memory, given.fades[memory])
            if y == 0:
                spread_up(given, at, stride)
    last = given.first + (given.height + MARGIN - 1) * stride
    extend(x, e, last, width)
    spread_down(x, e, last, stride)
    state[0], state[1], state[2] = head, np.uint64(left), min(state[2], np.uint64(left))
    return OK, -1
