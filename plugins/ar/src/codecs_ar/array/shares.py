"""The counted symbols of a block: how often each occurs in each context, as shares of 4096, in a payload."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from codecs_ar.array.payload import Reader, Writer
from codecs_core.errors import CorruptDataError
from codecs_core.jit import borrowing, kernel

#: Bits of a share; contexts; symbols: of one number each, of numbers that begin alike, the last outlier once more, another one.
PRECISION, CONTEXTS, PLAIN, SYMBOLS = 12, 64, 16, 256
AGAIN, OTHER = SYMBOLS - 2, SYMBOLS - 1
TOTAL = 1 << PRECISION
#: Bytes that the shares of a block take at the most; what `_parse` finds wrong.
LONGEST = CONTEXTS * (2 + 4 * SYMBOLS)
_ENDS, _IMPOSSIBLE, _INCOMPLETE = -1, -2, -3
#: Where a natural is too large for anything in a block.
_LARGE = np.int64(1 << 28)


class Shares(NamedTuple):
    """`freqs` and `starts` of (context, symbol), flat; `slots` the symbol of each number below 2^`PRECISION` in each context."""

    freqs: NDArray[np.uint32]
    starts: NDArray[np.uint32]
    slots: NDArray[np.uint8]


def shared(counts: NDArray[np.int64]) -> NDArray[np.uint32]:
    """Counts of (context, symbol), flat, as shares of `TOTAL`, none of them 0 where there was any."""
    freqs = np.empty(counts.size, np.uint32)
    _share(counts, freqs)
    return freqs


def write(writer: Writer, freqs: NDArray[np.uint32]) -> None:
    """Append shares to a payload."""
    out = np.empty(LONGEST, np.uint8)
    writer.rest(out[: _write(freqs, out)].tobytes())


def read(reader: Reader) -> Shares:
    """Inverse of `write`."""
    size = CONTEXTS * SYMBOLS
    found = Shares(np.zeros(size, np.uint32), np.zeros(size, np.uint32), np.zeros(CONTEXTS * TOTAL, np.uint8))
    end, total = _parse(np.frombuffer(reader.ahead(), np.uint8), *found)
    if end == _INCOMPLETE:
        raise CorruptDataError(
            f"the shares of a block add up to {total}, where {TOTAL} was expected: the payload is damaged"
        )
    if end == _IMPOSSIBLE:
        raise CorruptDataError("the counts of a block are impossible: the payload is damaged")
    if end == _ENDS:
        raise CorruptDataError("the payload ends among the counts of a block: it is damaged")
    reader.take(end)
    return found


@borrowing
def begun(freqs, starts):
    """Where the share of each symbol begins."""
    for context in range(CONTEXTS):
        total = np.uint32(0)
        for i in range(context * SYMBOLS, (context + 1) * SYMBOLS):
            starts[np.uint64(i)] = total
            total += freqs[np.uint64(i)]


@kernel
def _share(counts, freqs):
    for context in range(CONTEXTS):
        first, total = context * SYMBOLS, np.int64(0)
        for i in range(first, first + SYMBOLS):
            total += counts[i]
        spare = np.int64(TOTAL if total else 0)
        for i in range(first, first + SYMBOLS):
            freqs[i] = max(counts[i] * TOTAL // total, 1) if counts[i] else 0
            spare -= np.int64(freqs[i])
        while spare != 0:
            largest = first
            for i in range(first, first + SYMBOLS):
                largest = i if freqs[i] > freqs[largest] else largest
            more = max(spare, -(np.int64(freqs[largest]) // 2))
            freqs[largest] = np.int64(freqs[largest]) + more
            spare -= more


@borrowing
def _natural(out, at, value):
    """Write as `payload.Writer` does; returns what follows."""
    while value > 127:
        out[at] = value & 127 | 128
        value >>= 7
        at += 1
    out[at] = value
    return at + 1


@kernel
def _write(freqs, out):
    at = 0
    for context in range(CONTEXTS):
        first, used, last = context * SYMBOLS, 0, -1
        for i in range(SYMBOLS):
            used += freqs[first + i] > 0
        at = _natural(out, at, used)
        for i in range(SYMBOLS):
            if freqs[first + i] > 0:
                at = _natural(out, at, i - last - 1)
                at = _natural(out, at, np.int64(freqs[first + i]))
                last = i
    return at


@borrowing
def _take(data, at):
    """Read as `payload.Reader` does; returns the natural, or `_LARGE` or more, and what follows, or a negative number."""
    value, shift = np.int64(0), 0
    while at >= 0:
        if at >= data.size or shift == 70:
            return value, np.int64(_ENDS)
        part = np.int64(data[at])
        at += 1
        value |= (part & 127) << shift if shift < 28 else (_LARGE if part & 127 else 0)
        shift += 7
        if part < 128:
            break
    return value, np.int64(at)


@kernel
def _parse(data, freqs, starts, slots):
    """Inverse of `_write`; returns how many bytes it takes, or what is wrong, and what the last shares add up to."""
    at = np.int64(0)
    for context in range(CONTEXTS):
        symbol, total = np.int64(-1), np.int64(0)
        used, at = _take(data, at)
        for _ in range(used):
            gap, at = _take(data, at)
            share, at = _take(data, at)
            symbol += 1 + gap
            if at < 0:
                return np.int64(_ENDS), total
            if symbol >= SYMBOLS or share < 1 or total + share > TOTAL:
                return np.int64(_IMPOSSIBLE), total
            freqs[context * SYMBOLS + symbol] = share
            slots[context * TOTAL + total : context * TOTAL + total + share] = symbol
            total += share
        if at < 0:
            return np.int64(_ENDS), total
        if total not in (0, TOTAL):
            return np.int64(_INCOMPLETE), total
    begun(freqs, starts)
    return at, np.int64(TOTAL)
