"""Distributions that learn while they code: a state that changes after each symbol.

A stack returns last what was pushed first, so an encoder pushes symbols from the last to the first, while a model learns from the
first to the last. The encoder therefore runs the model over all symbols first, keeps the interval of each, and then pushes the
intervals in reverse. The decoder learns as it pops.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from codecs_core.entropy.distribution import Distribution
from codecs_core.entropy.kernels import bisection
from codecs_core.entropy.message import Message
from codecs_core.entropy.rans import make_pop, make_push
from codecs_core.errors import EntropyError
from codecs_core.jit import inline, kernel


class AdaptiveKernels(NamedTuple):
    """The compiled functions of a distribution that learns."""

    #: ``intervals(symbols, block, params) -> index`` writes start * 2^32 + frequency of each symbol to `block`; -1, or which is refused.
    intervals: Callable[..., Any]
    #: As `rans.make_pop` has it.
    pop: Callable[..., Any]


def make_adaptive(cdf: Any, update: Any, find: Any = None) -> AdaptiveKernels:
    """Compile the kernels of a distribution that learns.

    Parameters
    ----------
    cdf
        Compiled ``cdf(k, i, params)``: the counts (uint64) below symbol k of 0 to params[0], at position i, in the present state.
    update
        Compiled ``update(symbol, i, params)``: changes the state, which is among the params, once the symbol at position i is known.
    find
        Compiled ``find(count, i, params) -> (symbol, start, freq)``; by default the bisection of `cdf`.
    """
    find = find or bisection(cdf)

    @kernel
    def intervals(symbols, block, params):
        n = np.int64(params[0])
        for j in range(symbols.size):
            i = np.uint64(j)
            k = np.int64(symbols[i])
            if k < 0 or k >= n:
                return j
            start = cdf(k, i, params)
            freq = cdf(k + 1, i, params) - start
            if freq == np.uint64(0):
                return j
            block[i] = start << np.uint64(32) | freq
            update(k, i, params)
        return -1

    @inline
    def find_and_learn(count, i, params):
        symbol, start, freq = find(count, i, params)
        update(np.int64(symbol), i, params)
        return symbol, start, freq

    return AdaptiveKernels(intervals, make_pop(find_and_learn))


@inline
def _as_they_are(symbols, first, count, block, params):
    for j in range(count):
        block[np.uint64(j)] = symbols[np.uint64(first + j)]


_push, _push_precise = make_push(_as_they_are), make_push(_as_they_are, precise=True)


class Adaptive(Distribution):
    """A distribution that learns from each symbol of an array before it codes the next one, in C order.

    Each call of `push` and of `pop` begins in the same state. A subclass sets `shape`, `precision`, `symbols`, `_adaptive`, and `_start`.
    """

    _adaptive: AdaptiveKernels

    @abstractmethod
    def _start(self) -> tuple[Any, ...]:
        """What the kernels take: the number of symbols, and among the rest a state of this call's own."""

    def push(self, message: Message, x: ArrayLike) -> None:
        """Push an integer array that broadcasts to `shape`; raises `EntropyError` for symbols outside the support."""
        block = self._intervals(x)
        push = _push if self.precision < 16 else _push_precise
        message.push_symbols(push, block, self.precision, (), thin=True)

    def pop(self, message: Message) -> NDArray[Any]:
        """Pop an array of `shape`; raises `ExhaustedMessageError` if the message ends before."""
        out = np.empty(math.prod(self.shape), self.dtype)
        message.pop_symbols(self._adaptive.pop, out, self.precision, self._start(), thin=True)
        return out.reshape(self.shape)

    def _frequencies(self, x: ArrayLike) -> NDArray[np.uint32]:
        return self._intervals(x).astype(np.uint32).reshape(self.shape)

    def _intervals(self, x: ArrayLike) -> NDArray[np.uint64]:
        """Start * 2^32 + frequency of each symbol, with the state as the symbols before it have left it."""
        symbols = self._symbols(x)
        block = np.empty(symbols.size, np.uint64)
        refused = self._adaptive.intervals(symbols, block, self._start())
        if refused >= 0:
            raise EntropyError(
                f"symbol {refused} of an array is outside the support of its distribution and cannot be coded"
            )
        return block
