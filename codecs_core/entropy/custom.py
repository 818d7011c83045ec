"""Push and pop from a cumulative distribution function: all an author writes is the integer CDF."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from codecs_core.entropy.compiled import inline, kernel
from codecs_core.entropy.rans import make_pop


def make_intervals(cdf: Any) -> Callable[..., Any]:
    """Compile ``intervals(symbols, starts, freqs, params)`` from ``cdf(k, i, params)``, the counts below symbol k at position i."""

    @kernel
    def intervals(symbols, starts, freqs, params):  # type: ignore[no-untyped-def]
        for i in range(symbols.size):
            k = np.int64(symbols[i])
            start = cdf(k, i, params)
            starts[i] = start
            freqs[i] = cdf(k + 1, i, params) - start

    return intervals  # type: ignore[no-any-return]


def make_search(cdf: Any) -> Callable[..., Any]:
    """Compile the pop kernel of ``cdf(k, i, params)``: bisection on the integer function itself, over 0 to params[0] - 1."""

    @inline
    def find(count, i, params):  # type: ignore[no-untyped-def]
        low = np.int64(0)
        high = np.int64(params[0])
        start = np.uint64(0)
        stop = cdf(high, i, params)
        while high - low > 1:
            middle = (low + high) >> 1
            value = cdf(middle, i, params)
            if value <= count:
                low = middle
                start = value
            else:
                high = middle
                stop = value
        return low, start, stop - start

    return make_pop(find)
