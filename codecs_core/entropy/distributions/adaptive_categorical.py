"""A table for each context that follows the symbols coded with it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from codecs_core.entropy.adaptive import Adaptive, make_adaptive
from codecs_core.entropy.distribution import common_shape, flat, integers
from codecs_core.entropy.message import check_precision
from codecs_core.errors import EntropyError
from codecs_core.jit import inline

#: The most symbols, and the most contexts.
_SYMBOLS, _CONTEXTS = 1 << 12, 1 << 20
_16, _32 = np.uint64(16), np.uint64(32)
_ONE = np.uint64(1 << 16)


@inline
def _cdf(k, i, params):
    n, precision, contexts, shares, _, _, _ = params
    if k == 0:
        return np.uint64(0)
    if k == n:
        return np.uint64(1) << precision
    share = np.uint64(shares[np.uint64(np.int64(contexts[i]) * n + k)])
    return ((share * ((np.uint64(1) << precision) - np.uint64(n))) >> _32) + np.uint64(k)


@inline
def _update(symbol, i, params):
    n, _, contexts, shares, seen, prior, memory = params
    context = np.int64(contexts[i])
    weight = np.uint64(np.uint32((1 << 16) // min(seen[context] + prior + 1, memory)))
    seen[context] += 1
    keep, more = np.uint64(np.uint32(_ONE - weight)), weight << _32
    row = shares[context * n : context * n + n]
    for k in range(n):
        add = more if k > symbol else np.uint64(0)
        row[k] = np.uint32((np.uint64(row[k]) * keep + add) >> _16)


class AdaptiveCategorical(Adaptive):
    """Symbols 0 to `symbols` - 1 by tables that follow the symbols seen, one table a context.

    Before any symbol of a context is known, all are equally likely. Each then moves the table of its context a little
    towards itself: by 1 / (t + prior + 1), where t symbols were seen before, but at least by 1 / memory. Up to `memory` symbols a
    table is thus the average of what was seen and of `prior` symbols spread evenly, and from there on it forgets.

    Parameters
    ----------
    contexts
        Context of each symbol, integers from 0 to `tables` - 1; known to the decoder before the symbols are.
    symbols
        Size of the alphabet, 1 to 4096.
    tables
        Number of contexts, 1 to 2^20; by default as many as `contexts` needs.
    prior
        How many symbols the even start counts for, 1 to 2^15.
    memory
        How many symbols a table remembers, from 2 to 2^15.
    precision
        Bits, at most 28.
    shape
        Of the arrays that are pushed and popped; by default the shape of `contexts`.

    Notes
    -----
    All of an array is coded by one call at some 10 million symbols a second (of 256), and twice as fast for small alphabets.

    Examples
    --------
    >>> order0 = AdaptiveCategorical(0, symbols=256, shape=len(data))
    >>> order1 = AdaptiveCategorical(np.append(0, data[:-1]), symbols=256)  # pushes only: a decoder does not know the contexts
    """

    dtype = np.int32

    def __init__(
        self,
        contexts: ArrayLike,
        *,
        symbols: int,
        tables: int | None = None,
        prior: int = 16,
        memory: int = 1024,
        precision: int = 24,
        shape: int | tuple[int, ...] | None = None,
    ) -> None:
        where = integers(contexts, "contexts", 0, (tables or _CONTEXTS) - 1, np.int32)
        self.shape = common_shape(shape, where)
        self.symbols, self.precision = _within("symbols", symbols, 1, _SYMBOLS), check_precision(precision, symbols)
        self.tables = _within("tables", tables or int(where.max(initial=0)) + 1, 1, _CONTEXTS)
        self.prior, self.memory = _within("prior", prior, 1, 1 << 15), _within("memory", memory, 2, 1 << 15)
        self._contexts = flat(where, self.shape)
        self._shares = (np.arange(symbols, dtype=np.uint64) << _32) // np.uint64(symbols)

    def _start(self) -> tuple[Any, ...]:
        return (
            self.symbols,
            np.uint64(self.precision),
            self._contexts,
            np.tile(self._shares.astype(np.uint32), self.tables),
            np.zeros(self.tables, np.int64),
            self.prior,
            self.memory,
        )

    _adaptive = make_adaptive(_cdf, _update)


def _within(name: str, value: int, low: int, high: int) -> int:
    if type(value) is not int or not low <= value <= high:
        raise EntropyError(f"{name} must be an integer from {low} to {high}, got {value!r}")
    return value
