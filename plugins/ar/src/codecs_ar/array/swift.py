"""The fast level: one linear prediction, fitted to a block, and what is left coded by counted symbols in contexts of its size.

What is left of a value, an integer, is a symbol (small ones each, larger ones by the place of their highest bit and the two bits
below it) and the bits below that. Here is what encoder and decoder share, and the loop of the decoder; that of the encoder is `survey`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from codecs_ar.array.grid import code_of, value_of
from codecs_ar.array.layout import ABOVE, BESIDE
from codecs_ar.array.real import top_bit
from codecs_ar.array.shares import AGAIN, CONTEXTS, OTHER, PLAIN, PRECISION, SYMBOLS, TOTAL
from codecs_core.entropy import EXHAUSTED, GUARD, OK, pop_one
from codecs_core.jit import borrowing, kernel

#: The mark of an outlier, among those of size in half octaves.
MARK = 2 * CONTEXTS - 1


class Block(NamedTuple):
    """How the values of a block are predicted.

    `weights` of the regressors `which`, none for the median; `factors` and `taps` are the weights and the places of those that exist in
    the slice at hand; `last` the code of the last outlier.
    """

    weights: NDArray[np.float64]
    which: NDArray[np.int64]
    factors: NDArray[np.float64]
    taps: NDArray[np.int64]
    last: NDArray[np.int64]


def block_of(weights: NDArray[np.float64], which: NDArray[np.int64], last: int) -> Block:
    """A block, before its first slice."""
    return Block(weights, which, np.zeros(weights.size), np.zeros(weights.size, np.int64), np.array([last]))


@borrowing
def existing(pattern, scene, block):
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
def foretold(at, count, scene, block):
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
def context_of(at, scene, marks):
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
def mark_of(left):
    """The size of what was left, in half octaves."""
    high = top_bit(left + 1)
    return 2 * high + ((left + 1) >> max(high - 1, 0) & 1 if high > 0 else 0)


@borrowing
def settle(at, y, column, truth, usual, guess, left, scene, marks):
    """Write down a value; in the first row, what is above it and to the right is the same."""
    x = scene.values
    x[np.uint64(at)] = value_of(truth, scene.grid) if usual else guess
    marks[np.uint64(at)] = mark_of(left) if usual else MARK
    if y == 0 and scene.height > 1:
        for i in range(1, ABOVE + 1):
            for d in range(-BESIDE if column == 0 else 1, BESIDE + 2):
                x[np.uint64(at - i * scene.stride + d)] = x[np.uint64(at)]
                marks[np.uint64(at - i * scene.stride + d)] = marks[np.uint64(at)]


@borrowing
def finish(row, y, scene):
    """After the last row of a slice, it is repeated below."""
    x = scene.values
    if scene.height > 1 and y == scene.height - 1 and scene.outer > 1:
        for i in range(-BESIDE, scene.width + BESIDE):
            x[np.uint64(row + scene.stride + i)] = x[np.uint64(row + min(max(i, 0), scene.width - 1))]


@borrowing
def begin(row, y, scene, marks):
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
def taken(state, words, context, shares):
    """Pop a symbol."""
    head = state[0]
    low = head & np.uint64(TOTAL - 1)
    symbol = np.int64(shares.slots[np.uint64(context * TOTAL) + low])
    place = np.uint64(context * SYMBOLS + symbol)
    start, freq = np.uint64(shares.starts[place]), np.uint64(shares.freqs[place])
    state[0], n = pop_one(head, words, np.int64(state[1]), start, freq, np.uint64(PRECISION))
    state[1] = np.uint64(max(n, GUARD - 1))
    return symbol


@borrowing
def taken_bits(state, words, bits):
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
def decoded(state, words, symbol, middle, scene, block):
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


@kernel
def follow(state, words, out, wide, precision, params):
    """Decode a block, as `Message.pop_symbols` calls it."""
    scene, marks, block, shares, first, last = params
    own = np.array([state[0], state[1]])
    slice_size = scene.height * scene.width
    z, y, column = first // slice_size, first // scene.width % scene.height, first % scene.width
    status, end, count = OK, last, 0
    for index in range(first, last):
        row = scene.start + z * scene.area + y * scene.stride
        at = row + column
        if column == 0:
            begin(row, y, scene, marks)
        if index == first or (column == 0 and y == 0):
            count = existing(scene.patterns[z], scene, block)
        guess = foretold(at, count, scene, block)
        symbol = taken(own, words, context_of(at, scene, marks), shares)
        middle = min(max(code_of(guess, scene.grid), scene.least), scene.most)
        truth, usual, left = decoded(own, words, symbol, middle, scene, block)
        scene.codes[np.uint64(at)] = truth
        if own[1] < GUARD:
            status, end = EXHAUSTED, index
            break
        settle(at, y, column, truth, usual, guess, left, scene, marks)
        column += 1
        if column == scene.width:
            finish(row, y, scene)
            column, y = 0, y + 1
            if y == scene.height:
                y, z = 0, z + 1
    state[0], state[1] = own[0], own[1]
    state[2] = min(state[2], state[1])
    return status, end
