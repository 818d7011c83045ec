"""The fast level: one linear prediction, fitted to a block, and what is left coded by counted symbols in contexts of its size.

An encoder goes over a block twice. What is left of a value, an integer, is a symbol (small ones each, larger ones by the place of their
highest bit and the two bits below it) and the bits below that.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from codecs_ar.array.grid import code_of, value_of
from codecs_ar.array.layout import ABOVE, BESIDE
from codecs_ar.array.real import top_bit
from codecs_ar.array.squares import predict, remember, solve
from codecs_core.entropy import EXHAUSTED, GUARD, OK, inverse, make_room, pop_one, push_one, push_quick
from codecs_core.jit import borrowing, kernel

#: Bits of a frequency; contexts; symbols: of one number each, of numbers that begin alike, the last outlier once more, another one.
PRECISION, CONTEXTS, PLAIN, SYMBOLS = 12, 64, 16, 256
AGAIN, OTHER = SYMBOLS - 2, SYMBOLS - 1
TOTAL = 1 << PRECISION
#: The mark of an outlier, among those of size in half octaves.
MARK = 2 * CONTEXTS - 1


class Block(NamedTuple):
    """How a block is coded.

    `weights` of the regressors `which`, none for the median; `factors` and `taps` are the weights and the places of those that exist in
    the slice at hand; `freqs` and `starts` of (context, symbol),
    flat; `slots` the symbol of each number below 2^`PRECISION` in each context; `last` the code of the last outlier.
    """

    weights: NDArray[np.float64]
    which: NDArray[np.int64]
    factors: NDArray[np.float64]
    taps: NDArray[np.int64]
    freqs: NDArray[np.uint32]
    starts: NDArray[np.uint32]
    slots: NDArray[np.uint8]
    last: NDArray[np.int64]


@borrowing
def existing(pattern, scene, block):  # type: ignore[no-untyped-def]
    """List the regressors that exist in a slice; returns how many they are."""
    count = 0
    for j in range(block.weights.size):
        k = block.which[np.uint64(j)]
        if scene.masks[np.uint64(pattern), np.uint64(k)]:
            block.factors[np.uint64(count)] = block.weights[np.uint64(j)]
            block.taps[np.uint64(count)] = scene.own[np.uint64(k)]
            count += 1
    return count


@borrowing
def foretold(at, count, scene, block):  # type: ignore[no-untyped-def]
    """The prediction of a value."""
    x, spots = scene.values, scene.spots
    base = x[np.uint64(at + spots[0])]
    if block.weights.size == 0:
        north, corner = x[np.uint64(at + spots[1])], x[np.uint64(at + spots[2])]
        guess = min(max(base + north - corner, min(base, north)), max(base, north))
    else:
        a, b = base, 0.0
        for j in range(count):
            a, b = b, a + block.factors[np.uint64(j)] * (x[np.uint64(at + block.taps[np.uint64(j)])] - base)
        guess = a + b
    guess = guess if guess > -1e15 else -1e15
    return guess if guess < 1e15 else 1e15


@borrowing
def context_of(at, scene, marks):  # type: ignore[no-untyped-def]
    """Mean size of what was left nearby."""
    near = scene.near
    total = np.int64(0)
    for j in range(4):
        total += np.int64(marks[np.uint64(at + near[j])])
    return min(
        (total + np.int64(marks[np.uint64(at + near[0])]) + np.int64(marks[np.uint64(at + near[1])]) + 3) // 6,
        CONTEXTS - 1,
    )


@borrowing
def settle(at, y, column, truth, usual, guess, left, scene, marks):  # type: ignore[no-untyped-def]
    """Write down a value, and fill the margins beside it."""
    x = scene.values
    x[np.uint64(at)] = value_of(truth, scene.grid) if usual else guess
    if usual:
        high = top_bit(left + 1)
        marks[np.uint64(at)] = 2 * high + ((left + 1) >> max(high - 1, 0) & 1 if high > 0 else 0)
    else:
        marks[np.uint64(at)] = MARK
    if scene.height > 1:
        if y == 0:
            for i in range(1, ABOVE + 1):
                for d in range(-BESIDE if column == 0 else 1, BESIDE + 2):
                    x[np.uint64(at - i * scene.stride + d)] = x[np.uint64(at)]
                    marks[np.uint64(at - i * scene.stride + d)] = marks[np.uint64(at)]
        if column == scene.width - 1 and y == scene.height - 1 and scene.outer > 1:
            for i in range(-BESIDE - scene.width + 1, BESIDE + 1):
                x[np.uint64(at + scene.stride + i)] = x[np.uint64(at + min(max(i, 1 - scene.width), 0))]


@borrowing
def begin(row, y, scene, marks):  # type: ignore[no-untyped-def]
    """The row above goes on to the right, and its first value to the left of this one; around the first value of a slice is nothing."""
    x = scene.values
    if y > 0:
        above = row - scene.stride
        for i in range(1, BESIDE + 1):
            x[np.uint64(row - i)] = x[np.uint64(above)]
            marks[np.uint64(row - i)] = marks[np.uint64(above)]
            x[np.uint64(above + scene.width - 1 + i)] = x[np.uint64(above + scene.width - 1)]
            marks[np.uint64(above + scene.width - 1 + i)] = marks[np.uint64(above + scene.width - 1)]
    elif scene.height > 1:
        for i in range(ABOVE + 1):
            for d in range(-BESIDE, BESIDE + 1 if i > 0 else 0):
                x[np.uint64(row - i * scene.stride + d)] = 0.0
                marks[np.uint64(row - i * scene.stride + d)] = 0


@borrowing
def taken(state, words, context, block):  # type: ignore[no-untyped-def]
    """Pop a symbol."""
    head = state[0]
    low = head & np.uint64(TOTAL - 1)
    symbol = np.int64(block.slots[np.uint64(context * TOTAL) + low])
    place = np.uint64(context * SYMBOLS + symbol)
    start, freq = np.uint64(block.starts[place]), np.uint64(block.freqs[place])
    state[0], n = pop_one(head, words, np.int64(state[1]), start, freq, np.uint64(PRECISION))
    state[1] = np.uint64(max(n, GUARD - 1))
    return symbol


@borrowing
def taken_bits(state, words, bits):  # type: ignore[no-untyped-def]
    """Pop this number of bits, the highest ones first."""
    found, left = np.int64(0), bits
    while left > 0:
        some = min(left, 16)
        left -= some
        low = state[0] & ((np.uint64(1) << np.uint64(some)) - np.uint64(1))
        state[0], n = pop_one(state[0], words, np.int64(state[1]), low, np.uint64(1), np.uint64(some))
        state[1] = np.uint64(max(n, GUARD - 1))
        found = (found << some) | np.int64(low)
    return found


@borrowing
def symbol_of(left):  # type: ignore[no-untyped-def]
    """The symbol of a number, and how many bits are below it."""
    high = top_bit(max(left, 1))
    large = left >= PLAIN
    symbol = PLAIN + 4 * (high - 4) + (left >> max(high - 2, 0) & 3) if large else left
    return symbol, high - 2 if large else np.int64(0)


@borrowing
def decoded(state, words, symbol, middle, scene, block):  # type: ignore[no-untyped-def]
    """The code that a symbol and the bits after it stand for, whether it is usual, and what was left."""
    usual, left = symbol < AGAIN, symbol
    if symbol == OTHER:
        bits = top_bit(scene.grid.most - scene.grid.least + 1) + 1
        block.last[0] = min(taken_bits(state, words, bits) + scene.grid.least, scene.grid.most)
    elif symbol >= PLAIN and symbol < AGAIN:
        high = 4 + (symbol - PLAIN) // 4
        left = ((4 + ((symbol - PLAIN) & 3)) << (high - 2)) | taken_bits(state, words, high - 2)
    far = left >> 1 if left & 1 == 0 else -(left >> 1) - 1
    code = min(max(middle + far, scene.least), scene.most)
    return code if usual else block.last[0], usual, left if usual else np.int64(0)


@borrowing
def over(state, words, decoding, scene, marks, block, first, last, symbols, lefts):  # type: ignore[no-untyped-def]
    """Go over a block: to find its symbols and what is left of each value, or to decode them."""
    slice_size = scene.height * scene.width
    z, y, column = first // slice_size, first // scene.width % scene.height, first % scene.width
    grid, status, end, count = scene.grid, OK, last, 0
    for index in range(first, last):
        row = scene.start + z * scene.area + y * scene.stride
        at, i = row + column, np.uint64(index - first)
        if column == 0:
            begin(row, y, scene, marks)
        if index == first or (column == 0 and y == 0):
            count = existing(scene.patterns[z], scene, block)
        guess = foretold(at, count, scene, block)
        context = context_of(at, scene, marks)
        middle = min(max(code_of(guess, grid), scene.least), scene.most)
        if decoding:
            symbol = taken(state, words, context, block)
            truth, usual, left = decoded(state, words, symbol, middle, scene, block)
            scene.codes[np.uint64(at)] = truth
            if state[1] < GUARD:
                status, end = EXHAUSTED, index
                break
        else:
            truth = scene.codes[np.uint64(at)]
            usual = scene.least <= truth and truth <= scene.most
            far = truth - middle
            left = 2 * far if far >= 0 else -2 * far - 1
            if usual:
                symbols[i], _ = symbol_of(left)
                lefts[i] = left
            else:
                symbols[i], lefts[i] = AGAIN if truth == block.last[0] else OTHER, truth - grid.least
                block.last[0] = truth
            symbols[i] |= context << 8
        settle(at, y, column, truth, usual, guess, left, scene, marks)
        column += 1
        if column == scene.width:
            column, y = 0, y + 1
            if y == scene.height:
                y, z = 0, z + 1
    return status, end


@kernel
def fit(rows, target, trust, weights, misses):  # type: ignore[no-untyped-def]
    """Weights that minimise the squares of what they miss, each of a weight of its own; on every machine the same."""
    count, n = rows.shape
    wide = weights.size
    sums, work, zero = np.zeros((n + 1) * wide), np.zeros((n + 1) * wide), np.zeros(wide)
    v = np.zeros(wide)
    for i in range(count):
        v[0] = target[i]
        v[1 : n + 1] = rows[i]
        remember(sums, 0, v, n, wide, trust[i], 1.0)
    solve(sums, 0, n, wide, 1e-6, 1e-9, zero, 0, work, weights, 0)
    for i in range(count):
        v[1 : n + 1] = rows[i]
        misses[i] = abs(target[i] - predict(weights, 0, v, n))


@kernel
def fill(scene, first, last):  # type: ignore[no-untyped-def]
    """Write the values of a block, whose codes are known."""
    index = first
    while index < last:
        row, column = index // scene.width, index % scene.width
        z, y = row // scene.height, row % scene.height
        count = min(scene.width - column, last - index)
        begin = scene.start + z * scene.area + y * scene.stride + column
        for at in range(begin, begin + count):
            code = min(max(scene.codes[np.uint64(at)], scene.least), scene.most)
            scene.values[np.uint64(at)] = value_of(code, scene.grid)
        index += count


@kernel
def sweep(state, words, out, wide, precision, params):  # type: ignore[no-untyped-def]
    """`over`, as `Message.pop_symbols` calls it."""
    decoding, scene, marks, block, first, last, symbols, lefts = params
    own = np.array([state[0], state[1]])
    result = over(own, words, decoding, scene, marks, block, first, last, symbols, lefts)
    state[0], state[1] = own[0], own[1]
    state[2] = min(state[2], state[1])
    return result


@kernel
def push_symbols(state, words, room, wide, precision, params):  # type: ignore[no-untyped-def]
    """Push the symbols of a block and the bits below them, the last one first."""
    symbols, lefts, block, bits_of_other = params
    head, n, p = state[0], np.int64(state[1]), np.uint64(PRECISION)
    for i in range(symbols.size - 1, -1, -1):
        context, symbol = np.int64(symbols[i]) >> 8, np.int64(symbols[i]) & 255
        left, bits = lefts[i], np.int64(0)
        if symbol == OTHER:
            bits = bits_of_other
        elif PLAIN <= symbol < AGAIN:
            bits = 2 + (symbol - PLAIN) // 4
        # what is popped last, first: as many bits as are left over from parts of sixteen
        part = (bits - 1) % 16 + 1
        while bits > 0:
            value = left & ((np.int64(1) << part) - 1)
            head, n = push_one(head, words, n, np.uint64(value), np.uint64(1), np.uint64(part))
            left, bits, part = left >> part, bits - part, np.int64(16)
        place = np.uint64(context * SYMBOLS + symbol)
        start, freq = np.uint64(block.starts[place]), np.uint64(block.freqs[place])
        head, n = make_room(head, words, n, freq, p)
        head = push_quick(head, start, freq, inverse(freq), p, True)
    state[0], state[1] = head, np.uint64(n)
    return OK, -1
