"""What a distribution needs compiled: pushing, popping, and its intervals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from codecs_core.entropy.rans import make_pop, make_push
from codecs_core.jit import inline, kernel


class Kernels(NamedTuple):
    """The compiled functions of a distribution; `rans.make_push` and `rans.make_pop` say how they are called."""

    push: Callable[..., Any]
    #: The same for precisions of 16 and more.
    push_precise: Callable[..., Any]
    pop: Callable[..., Any]
    #: ``frequencies(symbols, freqs, params)`` fills in the count of each symbol.
    frequencies: Callable[..., Any]


def from_interval(interval: Any, find: Any, intervals: Any = None) -> Kernels:
    """Kernels from ``interval(symbol, i, params) -> (start, freq)`` and its inverse ``find(count, i, params)``.

    `intervals`, if given, does the same for many symbols at once; `rans.make_push` says how.
    """
    if intervals is None:

        @inline
        def intervals(symbols, first, count, block, params):
            for j in range(count):
                at = np.uint64(first + j)
                start, freq = interval(symbols[at], at, params)
                block[np.uint64(j)] = start << np.uint64(32) | freq

    @kernel
    def frequencies(symbols, freqs, params):
        for i in range(symbols.size):
            freqs[i] = interval(symbols[i], np.uint64(i), params)[1]

    return Kernels(make_push(intervals), make_push(intervals, precise=True), make_pop(find), frequencies)


def bisection(cdf: Any) -> Any:
    """``find(count, i, params)`` for a ``cdf(k, i, params)`` of k = 0 to params[0], by halves."""

    @inline
    def find(count, i, params):
        low, high = np.int64(0), np.int64(params[0])
        start, stop = np.uint64(0), cdf(high, i, params)
        # C(low) = start <= count < stop = C(high)
        while high - low > 1:
            middle = (low + high) >> 1
            value = cdf(middle, i, params)
            if value <= count:
                low, start = middle, value
            else:
                high, stop = middle, value
        return low, start, stop - start

    return find


def both_ends(cdf: Any) -> Any:
    """``pair(k, i, params)``: (cdf(k), cdf(k + 1))."""

    @inline
    def pair(k, i, params):
        return cdf(k, i, params), cdf(k + 1, i, params)

    return pair


def search(cdf: Any, guess: Any, pair: Any) -> Any:
    """``find(count, i, params)``, outwards from ``guess(count, i, params)``, which can be as rough as it likes."""

    @inline
    def find(count, i, params):
        n = np.int64(params[0])
        low = np.int64(guess(count, i, params))
        low = np.int64(0) if low < 0 else n - 1 if low >= n else low
        high = low + 1
        start, stop = pair(low, i, params)
        # walk by Newton steps until count is between start and stop
        while start > count:
            step = np.int64((start - count) // (stop - start)) // (high - low) + 1
            high, stop = low, start
            low = low - step if low > step else np.int64(0)
            start = cdf(low, i, params)
        while stop <= count:
            step = np.int64((count - stop) // (stop - start)) // (high - low) + 1
            low, start = high, stop
            high = high + step if high + step < n else n
            stop = cdf(high, i, params)
        while high - low > 1:
            # where a straight line from start to stop passes count, then the middle of what is left
            middle = low + np.int64(np.uint64(high - low) * (count - start) // (stop - start))
            for _ in range(2):
                middle = min(max(middle, low + 1), high - 1)
                value = cdf(middle, i, params)
                if value <= count:
                    low, start = middle, value
                else:
                    high, stop = middle, value
                if high - low == 1:
                    break
                middle = (low + high) >> 1
        return low, start, stop - start

    return find


def from_cdf(cdf: Any, guess: Any = None, pair: Any = None, intervals: Any = None) -> Kernels:
    """Kernels from ``cdf(k, i, params)``: the counts (uint64) below symbol k of 0 to params[0], at position i.

    Popping searches this integer function itself, as `search` or `bisection` do. ``pair(k, i, params)``, if given, is
    (cdf(k), cdf(k + 1)) by less work, and `intervals` that of many symbols at once, as `rans.make_push` takes it.
    """
    pair = pair or both_ends(cdf)

    @inline
    def interval(symbol, i, params):
        k = np.int64(symbol)
        if k < 0 or k >= np.int64(params[0]):
            return np.uint64(0), np.uint64(0)
        start, stop = pair(k, i, params)
        return start, stop - start

    find = search(cdf, guess, pair) if guess else bisection(cdf)
    return from_interval(interval, find, intervals)
