"""The compiled part of what a symbol costs: shares of 32 symbols that adapt, those of several contexts, mixed by how well each does.

Shares are cumulative: of each symbol how much is below it, of 2^22. Contexts are rows of one table.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from codecs_core.jit import borrowing

#: Symbols; bits of a share, of what is coded, and of a weight.
SYMBOLS, WHOLE, PRECISION, WEIGHT = 32, 22, 16, 14
#: Contexts of a symbol, and the numbers of weights that are kept for each mixture.
SETS, STEP = 3, 4
_TOTAL, _ONE = np.int32(1 << WHOLE), np.float32(1)
#: A step of the weights: w becomes w (KEEP + LEARN p / P), with p the share of the symbol and P the mixture of them; and their bounds.
KEEP, LEARN = np.array([0.98, 0.02], np.float32)
LEAST, MOST, UNIT = np.array([0.01, 0.98, 1 << WEIGHT], np.float32)


class Shares(NamedTuple):
    """Of all contexts of a plane.

    `tables` are the shares, row after row; `uses` counts how often each row was used, up to the last of `rates`, the 256ths by which a
    row moves; `weights` are those of the mixtures. The others are of the value at hand: its `rows`, weights as integers, the shares of
    the symbol, and counts below each symbol, of 2^16.
    """

    tables: NDArray[np.int32]
    uses: NDArray[np.uint8]
    rates: NDArray[np.int32]
    weights: NDArray[np.float32]
    rows: NDArray[np.int64]
    whole: NDArray[np.int32]
    parts: NDArray[np.float32]
    counts: NDArray[np.int32]


@borrowing
def counted(shares, mixer):
    """Mix the contexts at hand into counts, at least one for each symbol."""
    tables, rows, counts, whole, rest = shares.tables, shares.rows, shares.counts, shares.whole, np.int32(1 << WEIGHT)
    for i in range(SETS - 1):
        whole[i] = np.int32(shares.weights[np.uint64(mixer * STEP + i)] * UNIT)
        rest -= whole[i]
    a, b, c = np.uint64(rows[0]), np.uint64(rows[1]), np.uint64(rows[2])
    x, y, z = whole[0], whole[1], rest
    for j in range(SYMBOLS):
        at = np.uint64(j)
        total = (tables[a + at] >> 6) * x + (tables[b + at] >> 6) * y + (tables[c + at] >> 6) * z
        total = total >> WEIGHT
        counts[at] = total - (total >> 11) + np.int32(j)


@borrowing
def counted_alone(shares, row):
    """The counts of one context."""
    for j in range(SYMBOLS):
        total = shares.tables[np.uint64(row + j)] >> 6
        shares.counts[np.uint64(j)] = total - (total >> 11) + np.int32(j)


@borrowing
def found(shares, number):
    """The symbol whose counts include a number."""
    symbol = np.int32(-1)
    for j in range(SYMBOLS):
        symbol += np.int32(shares.counts[np.uint64(j)] <= number)
    return np.int64(symbol)


@borrowing
def interval(shares, symbol):
    """The counts below a symbol, and its own."""
    low = np.int64(shares.counts[np.uint64(symbol)])
    high = np.int64(shares.counts[np.uint64(symbol + 1)]) if symbol < SYMBOLS - 1 else np.int64(1 << PRECISION)
    return np.uint64(low), np.uint64(high - low)


@borrowing
def reweigh(shares, mixer, symbol):
    """Let those contexts weigh more that gave the symbol more."""
    w, parts, tables, first = shares.weights, shares.parts, shares.tables, mixer * STEP
    total = _ONE
    for i in range(SETS):
        at = np.uint64(shares.rows[i] + symbol)
        end = tables[at + np.uint64(1)] if symbol < SYMBOLS - 1 else _TOTAL
        parts[i] = np.float32(end - tables[at])
        total += w[np.uint64(first + i)] * parts[i]
    inverse, norm = LEARN / total, np.float32(0)
    for i in range(SETS):
        k = np.uint64(first + i)
        w[k] = min(max(w[k] * (KEEP + parts[i] * inverse), LEAST), MOST)
        norm += w[k]
    inverse = _ONE / norm
    for i in range(SETS):
        w[np.uint64(first + i)] *= inverse


@borrowing
def adapt(shares, row, symbol):
    """Move the shares of a context towards a symbol."""
    tables, number = shares.tables, np.uint64(row // SYMBOLS)
    use = shares.uses[number]
    rate = shares.rates[np.uint64(use)]
    shares.uses[number] = use + np.uint8(use < shares.rates.size - 1)
    for j in range(1, SYMBOLS):
        at = np.uint64(row + j)
        wanted = _TOTAL if j > symbol else np.int32(0)
        tables[at] += (wanted - tables[at]) * rate >> 8
