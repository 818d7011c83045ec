"""The encoder of the fast level: it finds the symbols of a block, counts them, and pushes them.

All values are known, so a row is predicted eight values at a time; one by one where an outlier, or the first row of a slice, makes it
different.
"""

from __future__ import annotations

import numpy as np

from codecs_ar.array.grid import code_of, value_of
from codecs_ar.array.real import log2, top_bit
from codecs_ar.array.shares import AGAIN, CONTEXTS, OTHER, PLAIN, PRECISION, SYMBOLS, begun
from codecs_ar.array.squares import remember, solve
from codecs_ar.array.swift import begin, context_of, existing, finish, foretold, mark_of, settle
from codecs_core.entropy import OK, make_room, push_one
from codecs_core.jit import borrowing, kernel
from codecs_core.jit.lanes import clamped, folded, load8, store

#: Values of a row that are predicted together, at the most.
TOGETHER = 256
_HALF, _LOW = np.uint64(32), np.uint64(0xFFFFFFFF)


@borrowing
def symbol_of(left):
    """The symbol of a number; what it does not tell are the bits below."""
    if left < PLAIN:
        return left
    high = top_bit(left)
    return PLAIN + 4 * (high - 4) + (left >> (high - 2) & 3)


@borrowing
def noted(i, at, middle, context, scene, block, symbols, lefts, counts):
    """Write down the symbol of a value, and what is left of it; returns that, and whether the value is usual."""
    truth = scene.codes[np.uint64(at)]
    usual = scene.least <= truth and truth <= scene.most
    if usual:
        left = 2 * (truth - middle) if truth >= middle else 2 * (middle - truth) - 1
        symbol = symbol_of(left)
    else:
        left, symbol = truth - scene.grid.least, AGAIN if truth == block.last[0] else OTHER
        block.last[0] = truth
    place = context * SYMBOLS + symbol
    symbols[np.uint64(i)], lefts[np.uint64(i)] = place, left
    counts[np.uint64(place)] += 1
    return left, usual


@borrowing
def one(i, at, y, column, count, scene, marks, block, symbols, lefts, counts):
    """Go over a value."""
    guess = foretold(at, count, scene, block)
    middle = min(max(code_of(guess, scene.grid), scene.least), scene.most)
    left, usual = noted(i, at, middle, context_of(at, scene, marks), scene, block, symbols, lefts, counts)
    settle(at, y, column, scene.codes[np.uint64(at)], usual, guess, left, scene, marks)


@borrowing
def foretell(at, size, count, scene, block, guesses):
    """Predict values that follow each other in a row, as `foretold` does; returns how many, a multiple of eight."""
    x, spots = scene.values, scene.spots
    for i in range(0, size - 7, 8):
        base = load8(x, at + i + spots[0])
        if block.weights.size == 0:
            north, corner = load8(x, at + i + spots[1]), load8(x, at + i + spots[2])
            low, high = clamped(base, -1e19, north), clamped(base, north, 1e19)
            guess = clamped((base + north) - corner, low, high)
        else:
            a, b = base, base - base
            for j in range(count):
                a, b = b, a + (load8(x, at + i + block.taps[np.uint64(j)]) - base) * block.factors[np.uint64(j)]
            guess = a + b
        store(guesses, i, clamped(guess, -1e15, 1e15))
    return size // 8 * 8


@borrowing
def together(i, at, size, scene, marks, block, guesses, symbols, lefts, counts):
    """Go over values of a row that are usual and predicted: first what is left of all, then their contexts."""
    grid, codes, least, most = scene.grid, scene.codes, scene.least, scene.most
    for k in range(size):
        middle = min(max(code_of(guesses[np.uint64(k)], grid), least), most)
        truth = codes[np.uint64(at + k)]
        left = 2 * (truth - middle) if truth >= middle else 2 * (middle - truth) - 1
        lefts[np.uint64(i + k)] = left
        marks[np.uint64(at + k)] = mark_of(left)
    for k in range(size):
        place = context_of(at + k, scene, marks) * SYMBOLS + symbol_of(lefts[np.uint64(i + k)])
        symbols[np.uint64(i + k)] = place
        counts[np.uint64(place)] += 1


@borrowing
def usual_all(at, size, scene):
    """Whether none of some values is an outlier."""
    others = 0
    for k in range(size):
        code = scene.codes[np.uint64(at + k)]
        others += code < scene.least or code > scene.most
    return others == 0


@kernel
def survey(scene, marks, block, first, last, symbols, lefts, counts):
    """Find the symbols of a block and what is left of each value, and count them; symbols have 256 times their context added."""
    guesses = np.empty(TOGETHER)
    index, count = first, 0
    while index < last:
        line, column = index // scene.width, index % scene.width
        z, y = line // scene.height, line % scene.height
        row = scene.start + z * scene.area + y * scene.stride
        at, i = row + column, index - first
        if column == 0:
            begin(row, y, scene, marks)
        if index == first or (column == 0 and y == 0):
            count = existing(scene.patterns[z], scene, block)
        size = min(TOGETHER, min(scene.width - column, last - index))
        done = 0
        if (y > 0 or scene.height == 1) and usual_all(at, size, scene):
            done = foretell(at, size, count, scene, block, guesses)
            together(i, at, done, scene, marks, block, guesses, symbols, lefts, counts)
        for k in range(done, size):
            one(i + k, at + k, y, column + k, count, scene, marks, block, symbols, lefts, counts)
        if column + size == scene.width:
            finish(row, y, scene)
        index += size


@kernel
def information(counts, bits_of_other, mantissas):
    """Bits of counted symbols and of what is below them."""
    total = 0.0
    for context in range(CONTEXTS):
        occurred = np.int64(0)
        for symbol in range(SYMBOLS):
            occurred += counts[context * SYMBOLS + symbol]
        whole = log2(np.float64(occurred + (occurred == 0)), mantissas)
        for symbol in range(SYMBOLS):
            count = np.float64(counts[context * SYMBOLS + symbol])
            if count > 0.0:
                below = (
                    bits_of_other if symbol == OTHER else 0 if symbol == AGAIN or symbol < PLAIN else symbol // 4 - 2
                )
                total += count * (whole - log2(count, mantissas) + below)
    return total


@kernel
def gather(values, places, taps, rows):
    """Values at some places and beside them, all less the one at the first tap: vectors of `squares`, flat."""
    wide = rows.size // places.size
    for i in range(places.size):
        at, first = places[i], i * wide
        base = values[np.uint64(at + taps[0])]
        rows[np.uint64(first)] = values[np.uint64(at)] - base
        for j in range(1, taps.size):
            rows[np.uint64(first + j)] = values[np.uint64(at + taps[j])] - base


@kernel
def fit(rows, n, trust, weights, misses):
    """Weights of n regressors that minimise the squares of what they miss, each of a weight of its own."""
    wide = weights.size
    sums, work, zero = np.zeros((n + 1) * wide), np.zeros((n + 1) * wide), np.zeros(wide)
    v = np.zeros(wide)
    for i in range(trust.size):
        for j in range(0, wide, 8):
            store(v, j, load8(rows, i * wide + j))
        remember(sums, 0, v, n, wide, trust[i], 1.0)
    solve(sums, 0, n, wide, 1e-6, 1e-9, zero, 0, work, weights, 0)
    for i in range(trust.size):
        total = load8(rows, i * wide) * load8(weights, 0)
        for j in range(8, wide, 8):
            total = total + load8(rows, i * wide + j) * load8(weights, j)
        misses[i] = abs(rows[i * wide] - folded(total))


@kernel
def fill(scene, first, last):
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


@borrowing
def upper(a, b):
    """The upper half of a product of two integers of 64 bits."""
    a0, a1, b0, b1 = a & _LOW, a >> _HALF, b & _LOW, b >> _HALF
    middle = a1 * b0 + ((a0 * b0) >> _HALF)
    other = a0 * b1 + (middle & _LOW)
    return a1 * b1 + (middle >> _HALF) + (other >> _HALF)


@kernel
def push_symbols(state, words, room, wide, precision, params):
    """Push the symbols of a block and the bits below them, the last one first."""
    symbols, lefts, freqs, bits_of_other = params
    starts, inverses = np.empty(freqs.size, np.uint32), np.zeros(freqs.size, np.uint64)
    begun(freqs, starts)
    for i in range(freqs.size):
        if freqs[i] > 0:
            inverses[i] = np.uint64(0xFFFFFFFFFFFFFFFF) // np.uint64(freqs[i])
    head, n, p = state[0], np.int64(state[1]), np.uint64(PRECISION)
    for i in range(symbols.size - 1, -1, -1):
        place = np.uint64(symbols[np.uint64(i)])
        symbol = np.int64(place) & (SYMBOLS - 1)
        if symbol >= PLAIN and symbol != AGAIN:
            left, bits = lefts[np.uint64(i)], bits_of_other if symbol == OTHER else symbol // 4 - 2
            # what is popped last, first: as many bits as are left over from parts of sixteen
            part = (bits - 1) % 16 + 1
            while bits > 0:
                value = left & ((np.int64(1) << part) - 1)
                head, n = push_one(head, words, n, np.uint64(value), np.uint64(1), np.uint64(part))
                left, bits, part = left >> part, bits - part, np.int64(16)
        start, freq = np.uint64(starts[place]), np.uint64(freqs[place])
        head, n = make_room(head, words, n, freq, p)
        # the product is the quotient, or one less
        quotient = upper(head, inverses[place])
        rest = head - quotient * freq
        head = (quotient << p) + rest + start + ((np.uint64(1) << p) - freq if rest >= freq else np.uint64(0))
    state[0], state[1] = head, np.uint64(n)
    return OK, -1
