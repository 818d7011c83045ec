"""The coder: range asymmetric numeral systems (Duda 2013, arXiv:1311.2540) on 64-bit heads and 32-bit words.

A message is one number. Between two calls it is held as one head in [2^32, 2^64) and a stack of 32-bit words. Large arrays
are coded by sixteen heads at once, so that the processor works on sixteen symbols at a time: fifteen heads are popped from
the message at the start of the call and pushed back at its end (`open_lanes`, `close_lanes`). That is an exact inverse too and, as
the popped bits are returned, costs nothing once the message is longer than they are. ``spec/entropy.md`` is the authority.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from codecs_core.jit import borrowing, inline, kernel

LANES = 16
#: Arrays of at least this many symbols are coded by `LANES` heads, except for their last symbols: a 64th, or `TAIL`.
WIDE = 1 << 14
#: At least this many symbols are pushed with one head first, so that the message holds the bits that opening the other lanes takes.
TAIL = 1 << 11
#: Arrays that may hold less information than about this number of bits are not coded by lanes, where that is known beforehand.
THIN = 1 << 13
#: Words `open_lanes` may take, and `close_lanes` may add, at the most.
LANE_WORDS = 2 * LANES + 2
MAX_PRECISION = 28
#: Symbols whose intervals are computed before they are pushed, and how often they fill all lanes: powers of two.
BLOCK, GROUPS = 2048, 2048 // LANES
#: Unused words at the bottom of the stack: a kernel may read them before it notices that the message is exhausted.
GUARD = 4

LOWER = np.uint64(1 << 32)
_0 = np.uint64(0)
_1 = np.uint64(1)
_5 = np.uint64(5)
_16 = np.uint64(16)
_32 = np.uint64(32)
_64 = np.uint64(64)
_LANES, _2LANES, _3LANES, _BLOCK = np.uint64(LANES), np.uint64(2 * LANES), np.uint64(3 * LANES), np.uint64(BLOCK)
_W = np.uint64(0xFFFFFFFF)

OK, EXHAUSTED, BAD_SYMBOL = 0, 1, 2

# Both renormalisations are without a branch: whether a symbol moves a word is a coin toss that no processor predicts.


@borrowing
def make_room(head, words, n, freq, precision):
    """Move the low word of `head` onto the stack if a symbol of this frequency would not fit. Returns (head, n)."""
    words[np.uint64(n)] = np.uint32(head & _W)
    full = np.uint64((head >> (_64 - precision)) >= freq)
    return head >> (full << _5), n + np.int64(full)


@borrowing
def push_one(head, words, n, start, freq, precision):
    """Code the interval [start, start + freq) of 2^precision; all but `n` are uint64. Returns (head, n)."""
    head, n = make_room(head, words, n, freq, precision)
    quotient = head // freq
    return (quotient << precision) + (head - quotient * freq) + start, n


@borrowing
def inverse(freq):
    """1 / freq, rounded down by so much that no product with it is more than the quotient; bits of a float64."""
    return np.float64((1.0 - 2.0**-51) / np.float64(freq)).view(np.uint64)


@borrowing
def push_quick(head, start, freq, inverse, precision, twice):
    """`push_one` onto a head that has room, without a division.

    The product with the inverse is the quotient or, at 16 bits and more, where the quotient is below 2^48, one less. At fewer it
    may be 2^13 less: then it is done `twice`. The rest is below 2^32 in any case.
    """
    quotient = np.uint64(np.int64(np.float64(head) * np.uint64(inverse).view(np.float64)))
    rest = (head - (quotient & _W) * freq) & _W
    if twice:
        more = np.uint64(np.int64(np.float64(rest) * np.uint64(inverse).view(np.float64)))
        quotient, rest = quotient + more, rest - more * freq
    one_more = (_1 << precision) - freq
    return (quotient << precision) + (rest + start) + (one_more if rest >= freq else _0)


@borrowing
def pop_one(head, words, n, start, freq, precision):
    """Undo `push_one` once [start, start + freq) is known to hold the low bits of `head`; n may fall below GUARD: exhausted."""
    return refill(freq * (head >> precision) + (head & ((_1 << precision) - _1)) - start, words, n)


@borrowing
def refill(head, words, n):
    """Undo `make_room`: take a word if `head` is short of one. Returns (head, n)."""
    short = np.uint64(head < LOWER)
    word = np.uint64(words[np.uint64(n - 1)]) & (_0 - short)
    return (head << (short << _5)) | word, n - np.int64(short)


@borrowing
def push_bits(head, words, n, value, bits):
    """Push a value of this number of bits, all values equally likely."""
    return push_one(head, words, n, value, _1, bits)


@borrowing
def pop_bits(head, words, n, bits):
    """Undo `push_bits`; returns (value, head, n)."""
    value = head & ((_1 << bits) - _1)
    head, n = pop_one(head, words, n, value, _1, bits)
    return value, head, n


@inline
def open_lanes(head, words, n, heads):
    """Pop fifteen heads, log-uniformly distributed: 5 bits say how many bits follow the leading one, beyond 32.

    Returns (n, ok); `heads[0]` is the message's own head.
    """
    for lane in range(1, LANES):
        extra, head, n = pop_bits(head, words, n, _5)
        high, head, n = pop_bits(head, words, n, _16)
        middle, head, n = pop_bits(head, words, n, _16)
        x = (_1 << _16 | high) << _16 | middle
        left = extra
        while left > _0:
            step = min(left, _16)
            part, head, n = pop_bits(head, words, n, step)
            x = x << step | part
            left -= step
        if n < GUARD:
            return n, False
        heads[lane] = x
    heads[0] = head
    return n, True


@inline
def close_lanes(heads, words, n):
    """Push the fifteen heads back onto the first; the exact inverse of `open_lanes`. Returns (head, n)."""
    head = heads[0]
    for lane in range(LANES - 1, 0, -1):
        x = heads[lane]
        extra = _0
        while (x >> _32) >> extra > _1:
            extra += _1
        left = extra
        while left > _0:
            step = (left - _1) % _16 + _1 if left == extra else _16
            head, n = push_bits(head, words, n, x & ((_1 << step) - _1), step)
            x >>= step
            left -= step
        head, n = push_bits(head, words, n, x & np.uint64(0xFFFF), _16)
        head, n = push_bits(head, words, n, (x >> _16) & np.uint64(0xFFFF), _16)
        head, n = push_bits(head, words, n, extra, _5)
    return head, n


@borrowing
def put_back(words, first, popped):
    """Write words back. (Numba compiles two seconds of formatting for the error that an assignment of a slice might raise.)"""
    for i in range(popped.size):
        words[np.uint64(first + i)] = popped[i]


def wide_part(size: int) -> int:
    """How many symbols, from the first, of an array of `size` are coded by all lanes."""
    return size - max(size // 64, TAIL) if size >= WIDE else 0


def make_push(intervals: Any, *, precise: bool = False) -> Callable[..., Any]:
    """Compile the kernel that pushes an array of symbols, the last one first.

    Parameters
    ----------
    intervals
        Compiled ``intervals(symbols, first, count, block, params)``: for the symbols at up to `BLOCK` positions from `first` on it
        writes start * 2^32 + frequency to the start of `block` (uint64); a frequency of 0 refuses a symbol.
    precise
        Whether it is for precisions of 16 and more only, which makes it faster.

    Returns
    -------
    callable
        ``push(state, words, symbols, wide, precision, params) -> (status, index)``, with state = [head, words in use, fewest
        words in use so far] and as many symbols coded by all lanes as `wide` says; unless the status is OK, the message is as before.
    """
    twice = not precise

    # A block's intervals first, then its inverses, then its pushes: short loops keep the processor busy, and the compiler makes
    # vector instructions of the second and the third. For that, arrays are few, the pushes of the lanes (all at once, with a
    # number of lanes it does not know) apart from the writing of words, and indices do not visibly count down.
    # (All is written out here, as compiled functions that return from a loop count references to every array in it.)
    @kernel
    def push(state, words, symbols, wide, precision, params):
        n, low, p = np.int64(state[1]), np.int64(state[2]), np.uint64(precision)
        # of each lane: its head, what it was before the last push, whether that moved a word
        heads = np.empty(3 * LANES, np.uint64)
        heads[0] = state[0]
        # of each symbol: start and frequency in one number; inverse of the frequency
        block = np.empty(2 * BLOCK, np.uint64)
        stop, lanes = symbols.size, 1
        popped = words[:0].copy()
        bottom = n
        while stop > 0:
            if stop == wide:
                n, ok = open_lanes(heads[0], words, n, heads)
                if not ok:
                    return EXHAUSTED, wide - 1
                low, wide, lanes = min(low, n), 0, min(LANES, symbols.size)
                bottom, popped = n, words[n : n + LANE_WORDS].copy()
            first = max((stop - 1) // BLOCK * BLOCK, wide)
            count = stop - first
            intervals(symbols, first, count, block, params)
            refused = 0
            for j in range(count):
                freq = block[np.uint64(j)] & _W
                refused |= freq == _0
                block[np.uint64(BLOCK + j)] = inverse(freq)
            if refused:
                put_back(words, bottom, popped)
                bad = 0
                while block[np.uint64(bad)] & _W != _0:
                    bad += 1
                return BAD_SYMBOL, first + bad
            groups = count // LANES if lanes > 1 else 0
            for k in range(count - 1, groups * LANES - 1, -1):
                at, lane = np.uint64(k), np.uint64(k & (lanes - 1))
                start, freq = block[at] >> _32, block[at] & _W
                head, n = make_room(heads[lane], words, n, freq, p)
                heads[lane] = push_quick(head, start, freq, block[at + _BLOCK], p, twice)
            for group in range(GROUPS - groups, GROUPS):
                row = np.uint64((group ^ (GROUPS - 1)) * LANES)
                for k in range(lanes):
                    lane = np.uint64(k)
                    at = row + lane
                    start, freq, head = block[at] >> _32, block[at] & _W, heads[lane]
                    full = np.uint64((head >> (_64 - p)) >= freq)
                    heads[lane + _LANES], heads[lane + _2LANES] = head, full
                    heads[lane] = push_quick(head >> (full << _5), start, freq, block[at + _BLOCK], p, twice)
                for k in range(LANES):
                    lane = np.uint64(LANES - 1 - k)
                    words[np.uint64(n)] = np.uint32(heads[lane + _LANES] & _W)
                    n += np.int64(heads[lane + _2LANES])
            stop = first
        head = heads[0]
        if lanes > 1:
            head, n = close_lanes(heads, words, n)
        state[0], state[1], state[2] = head, np.uint64(n), np.uint64(low)
        return OK, -1

    return push  # type: ignore[no-any-return]


def make_pop(find: Any) -> Callable[..., Any]:
    """Compile the kernel that pops an array of symbols.

    Parameters
    ----------
    find
        Compiled ``find(count, i, params) -> (symbol, start, freq)``: the symbol at position `i` whose interval
        holds the number `count` < 2^precision (uint64), and that interval (uint64).

    Returns
    -------
    callable
        ``pop(state, words, out, wide, precision, params) -> (status, index)``, as `make_push` has it.
    """

    @kernel
    def pop(state, words, out, wide, precision, params):
        head, n, low = state[0], np.int64(state[1]), np.int64(state[2])
        p = np.uint64(precision)
        mask = (_1 << p) - _1
        bottom, popped = n, words[:0].copy()
        if wide > 0:
            heads = np.empty(LANES, np.uint64)
            n, ok = open_lanes(head, words, n, heads)
            if not ok:
                return EXHAUSTED, 0
            for i in range(wide):
                lane = np.uint64(i & (LANES - 1))
                x = heads[lane]
                symbol, start, freq = find(x & mask, np.uint64(i), params)
                heads[lane], n = pop_one(x, words, n, start, freq, p)
                if n < GUARD:
                    return EXHAUSTED, i
                out[np.uint64(i)] = symbol
            low = min(low, n)
            bottom, popped = n, words[n : n + LANE_WORDS].copy()
            head, n = close_lanes(heads, words, n)
        for i in range(wide, out.size):
            symbol, start, freq = find(head & mask, np.uint64(i), params)
            head, n = pop_one(head, words, n, start, freq, p)
            if n < GUARD:
                put_back(words, bottom, popped)
                return EXHAUSTED, i
            out[i] = symbol
        low = min(low, n)
        state[0], state[1], state[2] = head, np.uint64(n), np.uint64(low)
        return OK, -1

    return pop  # type: ignore[no-any-return]


def make_pop_together(find: Any, find_all: Any, prepare: Any) -> Callable[..., Any]:
    """`make_pop` that looks for the symbols of all lanes together.

    Parameters
    ----------
    find
        As in `make_pop`, for symbols that come one by one.
    find_all
        Compiled ``find_all(first, count, found, scratch, params)``: `found` (uint64) has four rows of `LANES`; the first holds
        the numbers at `count` positions from `first` on; it fills in the start, the frequency and the symbol of each in the others.
    prepare
        Compiled ``prepare(params) -> scratch``, an array for `find_all` to work in.
    """

    @kernel
    def pop(state, words, out, wide, precision, params):
        head, n, low = state[0], np.int64(state[1]), np.int64(state[2])
        p = np.uint64(precision)
        mask = (_1 << p) - _1
        bottom, popped = n, words[:0].copy()
        if wide > 0:
            heads, found, scratch = np.empty(LANES, np.uint64), np.empty(4 * LANES, np.uint64), prepare(params)
            n, ok = open_lanes(head, words, n, heads)
            if not ok:
                return EXHAUSTED, 0
            for i in range(0, wide, LANES):
                count = min(LANES, wide - i)
                for k in range(count):
                    lane = np.uint64(k)
                    found[lane] = heads[lane] & mask
                find_all(i, count, found, scratch, params)
                for k in range(count):
                    lane = np.uint64(k)
                    heads[lane] = found[lane + _2LANES] * (heads[lane] >> p) + found[lane] - found[lane + _LANES]
                for k in range(count):
                    lane = np.uint64(k)
                    heads[lane], n = refill(heads[lane], words, n)
                    if n < GUARD:
                        return EXHAUSTED, i + k
                    out[np.uint64(i) + lane] = found[lane + _3LANES]
            low = min(low, n)
            bottom, popped = n, words[n : n + LANE_WORDS].copy()
            head, n = close_lanes(heads, words, n)
        for i in range(wide, out.size):
            symbol, start, freq = find(head & mask, np.uint64(i), params)
            head, n = pop_one(head, words, n, start, freq, p)
            if n < GUARD:
                put_back(words, bottom, popped)
                return EXHAUSTED, i
            out[i] = symbol
        low = min(low, n)
        state[0], state[1], state[2] = head, np.uint64(n), np.uint64(low)
        return OK, -1

    return pop  # type: ignore[no-any-return]
