"""What a distribution needs compiled: pushing, popping, and its intervals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from codecs_core.entropy.compiled import inline, kernel
from codecs_core.entropy.rans import make_pop, make_push, make_push_fast


class Kernels(NamedTuple):
    """The compiled functions of a distribution; `rans.make_push` and `rans.make_pop` say how they are called."""

    push: Callable[..., Any]
    #: The same for precisions of 16 and more.
    push_precise: Callable[..., Any]
    pop: Callable[..., Any]
    #: ``frequencies(symbols, freqs, params)`` fills in the count of each symbol.
    frequencies: Callable[..., Any]


def from_interval(interval: Any, find: Any, *, reciprocals: bool = False) -> Kernels:
    """Kernels from ``interval(symbol, i, params) -> (start, freq)`` and its inverse ``find(count, i, params)``."""

    @kernel
    def frequencies(symbols, freqs, params):  # type: ignore[no-untyped-def]
        for i in range(symbols.size):
            freqs[i] = interval(symbols[i], np.uint64(i), params)[1]

    if reciprocals:
        push = precise = make_push_fast(interval)
    else:
        push, precise = make_push(interval), make_push(interval, precise=True)
    return Kernels(push, precise, make_pop(find), frequencies)


def from_cdf(cdf: Any, guess: Any = None, pair: Any = None, window: Any = None) -> Kernels:
    """Kernels from ``cdf(k, i, params)``: the counts (uint64) below symbol k of 0 to params[0], at position i.

    Popping searches this integer function itself: outwards from ``guess(count, i, params)`` if there is one, else by
    bisection. A guess can be as rough as it likes. ``pair(k, i, params)``, if given, is (cdf(k), cdf(k + 1)) by less work, and
    ``window(k, i, params)`` (cdf(k - 1), cdf(k), cdf(k + 1), cdf(k + 2)), the cdf going on flat outside the support.
    """
    if pair is None:

        @inline
        def pair(k, i, params):  # type: ignore[no-untyped-def]
            return cdf(k, i, params), cdf(k + 1, i, params)

    @inline
    def interval(symbol, i, params):  # type: ignore[no-untyped-def]
        k = np.int64(symbol)
        if k < 0 or k >= np.int64(params[0]):
            return np.uint64(0), np.uint64(0)
        start, stop = pair(k, i, params)
        return start, stop - start

    @inline
    def halve(count, i, params, low, high, start, stop):  # type: ignore[no-untyped-def]
        # C(low) = start <= count < stop = C(high)
        middle = (low + high) >> 1
        value = cdf(middle, i, params)
        if value <= count:
            return middle, high, value, stop
        return low, middle, start, value

    @inline
    def bisect(count, i, params, low, high, start, stop):  # type: ignore[no-untyped-def]
        while high - low > 1:
            low, high, start, stop = halve(count, i, params, low, high, start, stop)
        return low, start, stop - start

    if window is None:

        @inline
        def look(k, count, i, params):  # type: ignore[no-untyped-def]
            start, stop = pair(k, i, params)
            return k, k + 1, start, stop
    else:

        @inline
        def look(k, count, i, params):  # type: ignore[no-untyped-def]
            # of three bins around k the one with count, if it is one of them, without a branch
            a, b, c, d = window(k, i, params)
            later, last = np.int64(b <= count), np.int64(c <= count)
            start = c if last else b if later else a
            stop = d if last else c if later else b
            low = k - 1 + later + last
            n = np.int64(params[0])
            # beyond the support, bins are empty
            low = np.int64(0) if low < 0 else n - 1 if low >= n else low
            return low, low + 1, start, stop

    if guess is None:

        @inline
        def find(count, i, params):  # type: ignore[no-untyped-def]
            n = np.int64(params[0])
            return bisect(count, i, params, np.int64(0), n, np.uint64(0), cdf(n, i, params))

    else:

        @inline
        def find(count, i, params):  # type: ignore[no-untyped-def]
            n = np.int64(params[0])
            low = np.int64(guess(count, i, params))
            low = np.int64(0) if low < 0 else n - 1 if low >= n else low
            low, high, start, stop = look(low, count, i, params)
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
            while high - low > 8:
                # where a straight line from start to stop passes count, then the middle of what is left
                middle = low + np.int64(np.uint64(high - low) * (count - start) // (stop - start))
                middle = low + 1 if middle == low else middle
                value = cdf(middle, i, params)
                if value <= count:
                    low, start = middle, value
                else:
                    high, stop = middle, value
                if high - low > 1:
                    low, high, start, stop = halve(count, i, params, low, high, start, stop)
            return bisect(count, i, params, low, high, start, stop)

    return from_interval(interval, find)
