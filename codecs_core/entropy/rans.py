"""The coder: range asymmetric numeral systems (Duda 2013, arXiv:1311.2540) on 64-bit heads and 32-bit words.

A message is one number. Between two calls it is held as one head in [2^32, 2^64) and a stack of 32-bit words. Large arrays
are coded by eight heads at once, so that the processor works on eight divisions at a time: seven heads are popped from
the message at the start of the call and pushed back at its end (`open_lanes`, `close_lanes`). That is an exact inverse too and, as
the popped bits are returned, costs nothing once the message is longer than they are. ``spec/entropy.md`` is the authority.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from codecs_core.entropy.compiled import inline, kernel

LANES = 8
#: Arrays of at least this many symbols are coded by `LANES` heads, except for their last symbols: a 64th, or `TAIL`.
WIDE = 1 << 14
#: So many symbols at least go before the lanes, for the message to hold the bits that these take.
TAIL = 1 << 10
#: Words `open_lanes` may take, and `close_lanes` may add, at the most.
LANE_WORDS = 2 * LANES + 2
MAX_PRECISION = 28
#: Symbols whose intervals are computed before they are pushed.
BLOCK = 256
#: Unused words at the bottom of the stack: a kernel may read them before it notices that the message is exhausted.
GUARD = 4

LOWER = np.uint64(1 << 32)
_0 = np.uint64(0)
_1 = np.uint64(1)
_5 = np.uint64(5)
_16 = np.uint64(16)
_32 = np.uint64(32)
_64 = np.uint64(64)
_W = np.uint64(0xFFFFFFFF)

OK, EXHAUSTED, BAD_SYMBOL = 0, 1, 2

# Both renormalisations are without a branch: whether a symbol moves a word is a coin toss that no processor predicts.


@inline
def make_room(head, words, n, freq, precision):  # type: ignore[no-untyped-def]
    """Move the low word of `head` onto the stack if a symbol of this frequency would not fit. Returns (head, n)."""
    words[np.uint64(n)] = np.uint32(head & _W)
    full = np.uint64((head >> (_64 - precision)) >= freq)
    return head >> (full << _5), n + np.int64(full)


@inline
def push_one(head, words, n, start, freq, precision):  # type: ignore[no-untyped-def]
    """Code the interval [start, start + freq) of 2^precision; all but `n` are uint64. Returns (head, n)."""
    head, n = make_room(head, words, n, freq, precision)
    quotient = head // freq
    return (quotient << precision) + (head - quotient * freq) + start, n


@inline
def push_one_precise(head, words, n, start, freq, precision):  # type: ignore[no-untyped-def]
    """`push_one` for a precision of 16 or more, by the faster division of floats."""
    head, n = make_room(head, words, n, freq, precision)
    # the quotient is below 2^48, so that the one of floats is off by one at the most, whatever it rounds to
    quotient = np.uint64(np.int64(np.float64(head) / np.float64(freq)))
    rest = np.int64(head - quotient * freq)
    quotient = quotient + np.uint64(rest >= np.int64(freq)) - np.uint64(rest < 0)
    return (quotient << precision) + (head - quotient * freq) + start, n


@inline
def push_one_fast(head, words, n, start, freq, reciprocal, precision):  # type: ignore[no-untyped-def]
    """`push_one` with floor(2^64 / freq), or 2^64 - 1 for 1, at hand: the upper half of a product is the quotient or one less."""
    head, n = make_room(head, words, n, freq, precision)
    a, b, c, d = head >> _32, head & _W, reciprocal >> _32, reciprocal & _W
    middle = a * d + (b * d >> _32)
    quotient = a * c + (middle >> _32) + ((b * c + (middle & _W)) >> _32)
    rest = head - quotient * freq
    more = np.uint64(rest >= freq)
    return ((quotient + more) << precision) + (rest - freq * more) + start, n


@inline
def pop_one(head, words, n, start, freq, precision):  # type: ignore[no-untyped-def]
    """Undo `push_one` once [start, start + freq) is known to hold the low bits of `head`; n may fall below GUARD: exhausted."""
    head = freq * (head >> precision) + (head & ((_1 << precision) - _1)) - start
    short = np.uint64(head < LOWER)
    word = np.uint64(words[np.uint64(n - 1)]) & (_0 - short)
    return (head << (short << _5)) | word, n - np.int64(short)


@inline
def push_bits(head, words, n, value, bits):  # type: ignore[no-untyped-def]
    """Push a value of so many bits, each as likely as the other."""
    return push_one(head, words, n, value, _1, bits)


@inline
def pop_bits(head, words, n, bits):  # type: ignore[no-untyped-def]
    """Undo `push_bits`; returns (value, head, n)."""
    value = head & ((_1 << bits) - _1)
    head, n = pop_one(head, words, n, value, _1, bits)
    return value, head, n


@inline
def open_lanes(head, words, n, heads):  # type: ignore[no-untyped-def]
    """Pop seven heads, log-uniformly distributed: 5 bits say how many bits follow the leading one, beyond 32.

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
def close_lanes(heads, words, n):  # type: ignore[no-untyped-def]
    """Push the seven heads back onto the first; the exact inverse of `open_lanes`. Returns (head, n)."""
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


@inline
def wide_part(size):  # type: ignore[no-untyped-def]
    """How many symbols, from the first, of an array of `size` are coded by all lanes."""
    return size - max(size // 64, TAIL) if size >= WIDE else 0


def make_push(interval: Any, *, precise: bool = False) -> Callable[..., Any]:
    """Compile the kernel that pushes an array of symbols, the last one first.

    Parameters
    ----------
    interval
        Compiled ``interval(symbol, i, params) -> (start, freq)``: the counts (uint64) of the symbol at position `i` (uint64, as
        unsigned indices spare a test for negative ones); a frequency of 0 refuses it.
    precise
        Whether it is for precisions of 16 and more only, which makes it faster.

    Returns
    -------
    callable
        ``push(state, words, symbols, precision, params) -> (status, index)``, with state = [head, words in use, fewest words
        in use so far]; unless the status is OK, the message is as before.
    """
    push_symbol = push_one_precise if precise else push_one

    # A block's intervals first and its divisions after: two short loops keep the processor busier than a long one.
    # (Both are written out here, as compiled functions that return from a loop count references to every array in it.)
    @kernel
    def push(state, words, symbols, precision, params):  # type: ignore[no-untyped-def]
        n, low, p = np.int64(state[1]), np.int64(state[2]), np.uint64(precision)
        heads = np.empty(LANES, np.uint64)
        heads[0] = state[0]
        starts, freqs = np.empty(BLOCK, np.uint64), np.empty(BLOCK, np.uint64)
        stop, wide, mask = symbols.size, wide_part(symbols.size), 0
        popped = words[:0].copy()
        bottom = n
        while stop > 0:
            if stop == wide:
                n, ok = open_lanes(heads[0], words, n, heads)
                if not ok:
                    return EXHAUSTED, wide - 1
                low, wide, mask = min(low, n), 0, LANES - 1
                bottom, popped = n, words[n : n + LANE_WORDS].copy()
            first = max(stop - BLOCK, wide)
            for i in range(first, stop):
                at, j = np.uint64(i), np.uint64(i - first)
                start, freq = interval(symbols[at], at, params)
                if freq == _0:
                    words[bottom : bottom + popped.size] = popped
                    return BAD_SYMBOL, i
                starts[j], freqs[j] = start, freq
            for i in range(stop - 1, first - 1, -1):
                j, lane = np.uint64(i - first), np.uint64(i & mask)
                heads[lane], n = push_symbol(heads[lane], words, n, starts[j], freqs[j], p)
            stop = first
        head = heads[0]
        if mask > 0:
            head, n = close_lanes(heads, words, n)
        state[0], state[1], state[2] = head, np.uint64(n), np.uint64(low)
        return OK, -1

    return push  # type: ignore[no-any-return]


def make_push_fast(interval: Any) -> Callable[..., Any]:
    """`make_push` for an `interval` that returns floor(2^64 / freq) as a third number, which saves the division."""

    @kernel
    def push(state, words, symbols, precision, params):  # type: ignore[no-untyped-def]
        n, low, p = np.int64(state[1]), np.int64(state[2]), np.uint64(precision)
        heads = np.empty(LANES, np.uint64)
        heads[0] = state[0]
        stop, wide, mask = symbols.size, wide_part(symbols.size), 0
        popped = words[:0].copy()
        bottom = n
        while stop > 0:
            if stop == wide:
                n, ok = open_lanes(heads[0], words, n, heads)
                if not ok:
                    return EXHAUSTED, wide - 1
                low, wide, mask = min(low, n), 0, LANES - 1
                bottom, popped = n, words[n : n + LANE_WORDS].copy()
            for i in range(stop - 1, wide - 1, -1):
                at, lane = np.uint64(i), np.uint64(i & mask)
                start, freq, reciprocal = interval(symbols[at], at, params)
                if freq == _0:
                    words[bottom : bottom + popped.size] = popped
                    return BAD_SYMBOL, i
                heads[lane], n = push_one_fast(heads[lane], words, n, start, freq, reciprocal, p)
            stop = wide
        head = heads[0]
        if mask > 0:
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
        ``pop(state, words, out, precision, params) -> (status, index)``, as `make_push` has it.
    """

    @kernel
    def pop(state, words, out, precision, params):  # type: ignore[no-untyped-def]
        head, n, low = state[0], np.int64(state[1]), np.int64(state[2])
        p = np.uint64(precision)
        mask = (_1 << p) - _1
        wide = wide_part(out.size)
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
                words[bottom : bottom + popped.size] = popped
                return EXHAUSTED, i
            out[i] = symbol
        low = min(low, n)
        state[0], state[1], state[2] = head, np.uint64(n), np.uint64(low)
        return OK, -1

    return pop  # type: ignore[no-any-return]
