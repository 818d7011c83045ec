"""Any distribution over a small alphabet, given as a table of counts."""

from __future__ import annotations

import math
from bisect import bisect_right
from functools import cached_property
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from codecs_core.entropy.distribution import Distribution, common_shape, flat, integers
from codecs_core.entropy.kernels import from_interval
from codecs_core.entropy.message import check_precision
from codecs_core.errors import EntropyError
from codecs_core.jit import inline

#: Bits of a count that index the first guess at its symbol.
_GUESS_BITS = 16


def quantise(probabilities: ArrayLike, precision: int, *, zeros: bool = False) -> NDArray[np.uint32]:
    """Counts of 2^precision, none of them 0, near the given probabilities: C_k = floor(F_k (2^p - n)) + k.

    Parameters
    ----------
    probabilities
        Shape (..., n), non-negative; each row is normalised.
    zeros
        Whether counts may be 0: C_k = floor(F_k 2^p), for the components of a mixture, which gives every symbol a count itself.

    Returns
    -------
    array of uint32, shape (..., n)
        Rows add up to 2^precision. Computed in float64: a step of building tables, not of coding.
    """
    p = np.asarray(probabilities, np.float64)
    n = p.shape[-1]
    check_precision(precision, n)
    total = p.sum(-1, keepdims=True)
    if not np.isfinite(p).all() or (p < 0).any() or (total <= 0).any():
        raise EntropyError("probabilities are finite, not negative, and not all zero")
    edges = np.zeros((*p.shape[:-1], n + 1))
    edges[..., 1:] = np.minimum(np.cumsum(p, -1) / total, 1.0)
    edges[..., -1] = 1.0
    ramp = 0 if zeros else 1
    cumulative = np.floor(edges * ((1 << precision) - ramp * n)).astype(np.int64) + ramp * np.arange(n + 1)
    counts: NDArray[np.uint32] = np.diff(cumulative, axis=-1).astype(np.uint32)
    return counts


@inline
def _interval(symbol, i, params):
    cumulative, index = params
    row = cumulative[index[i]]
    if symbol < 0 or symbol >= row.size - 1:
        return np.uint64(0), np.uint64(0)
    return np.uint64(row[symbol]), np.uint64(row[symbol + 1] - row[symbol])


@inline
def _find(count, i, params):
    cumulative, index = params
    row = cumulative[index[i]]
    low, high = 0, row.size - 1
    while high - low > 1:
        middle = (low + high) >> 1
        if np.uint64(row[middle]) <= count:
            low = middle
        else:
            high = middle
    return low, np.uint64(row[low]), np.uint64(row[low + 1] - row[low])


@inline
def _interval_shared(symbol, i, params):
    intervals, _, _ = params
    if symbol < 0 or symbol >= intervals.size - 1:
        return np.uint64(0), np.uint64(0)
    both = intervals[np.uint64(symbol)]
    return both >> np.uint64(32), both & np.uint64(0xFFFFFFFF)


@inline
def _intervals_shared(symbols, first, count, block, params):
    intervals = params[0]
    beyond = np.uint64(intervals.size - 1)  # where there is an entry of frequency 0, also for negative symbols
    for j in range(count):
        symbol = np.uint64(np.int64(symbols[np.uint64(first + j)]))
        block[np.uint64(j)] = intervals[min(symbol, beyond)]


@inline
def _find_shared(count, i, params):
    intervals, guess, shift = params
    k = np.int64(guess[count >> shift])
    both = intervals[k]
    # the guess is the first symbol its bucket of counts touches
    while (both >> np.uint64(32)) + (both & np.uint64(0xFFFFFFFF)) <= count:
        k += 1
        both = intervals[k]
    return k, both >> np.uint64(32), both & np.uint64(0xFFFFFFFF)


_any = from_interval(_interval, _find)
_shared = from_interval(_interval_shared, _find_shared, _intervals_shared)


class Categorical(Distribution):
    """Symbols 0 to n - 1 with given counts.

    Parameters
    ----------
    counts
        Integers, rows of n that add up to 2^precision. Shape (n,): one table for all symbols. Shape (..., n) without
        `index`: a table for each symbol. Shape (t, n) with `index`: t tables.
    index
        Which table each symbol uses.
    precision
        Bits, at most 28; by default what the rows add up to.
    shape
        Of the arrays that are pushed and popped, where the parameters do not tell.

    Notes
    -----
    A symbol of count 0 is allowed and cannot be pushed. `quantise` makes counts from probabilities.
    """

    dtype = np.int32

    def __init__(
        self,
        counts: ArrayLike,
        *,
        index: ArrayLike | None = None,
        precision: int | None = None,
        shape: int | tuple[int, ...] | None = None,
    ) -> None:
        if index is None and shape in (None, ()) and self._set_one(counts, precision):
            return
        table = integers(counts, "counts", 0, 1 << 28, np.uint64)
        if table.ndim == 0 or table.size == 0:
            raise EntropyError("counts hold at least one table of at least one symbol")
        self.symbols = table.shape[-1]
        rows = table.reshape(-1, self.symbols)
        total = int(rows[0].sum())
        self.precision = check_precision(precision or max(1, total.bit_length() - 1))
        if (rows.sum(1) != np.uint64(1 << self.precision)).any():
            raise EntropyError(f"every row of counts adds up to 2^precision, here {1 << self.precision}")
        cumulative = np.zeros((len(rows), self.symbols + 1), np.uint32)
        cumulative[:, 1:] = np.cumsum(rows, 1)
        self._rests = (1 << self.precision) - rows.max(1).astype(np.int64)
        if index is None and len(rows) == 1:
            self.shape = common_shape(shape, np.empty(table.shape[:-1]))
            self._kernels, self._sums = _shared, cumulative[0].tolist()
            return
        if index is None:
            which = np.arange(len(rows), dtype=np.int32).reshape(table.shape[:-1])
        elif table.ndim == 2:
            which = integers(index, "index", 0, len(rows) - 1, np.int32)
        else:
            raise EntropyError(f"counts with an index have shape (tables, symbols), not {table.shape}")
        self.shape = common_shape(shape, which)
        self._kernels, self._params = _any, (cumulative, flat(which, self.shape))

    def _set_one(self, counts: ArrayLike, precision: int | None) -> bool:
        """Take a table for a single symbol, without an array where that can be done; returns whether it could."""
        row = counts.tolist() if isinstance(counts, np.ndarray) and counts.dtype.kind in "iu" else counts
        if not isinstance(row, list | tuple) or not row or type(row[0]) is not int or min(row) < 0:
            return False
        self._sums = [0, *accumulate(row)]
        total = self._sums[-1]
        if type(total) is not int or total >> 29:
            return False
        self.symbols, self.shape, self._kernels, self._single = len(row), (), _shared, True
        self.precision = check_precision(precision or max(1, total.bit_length() - 1))
        if total != 1 << self.precision:
            raise EntropyError(f"every row of counts adds up to 2^precision, here {1 << self.precision}")
        return True

    @cached_property
    def _params(self) -> tuple[Any, ...]:  # type: ignore[override]
        return _shared_params(np.array(self._sums, np.uint32), self.precision)

    def _interval(self, symbol: int) -> tuple[int, int]:
        if not 0 <= symbol < self.symbols:
            return 0, 0
        start: int = self._sums[symbol]
        return start, self._sums[symbol + 1] - start

    def _find(self, count: int) -> tuple[int, int, int]:
        symbol = bisect_right(self._sums, count) - 1
        return symbol, *self._interval(symbol)

    def _rest(self) -> int:
        if self._kernels is _shared:
            return int(self._rests[0]) * math.prod(self.shape)
        return int(np.bincount(self._params[1], minlength=self._rests.size) @ self._rests)


def _shared_params(row: NDArray[np.uint32], precision: int) -> tuple[Any, ...]:
    """Start and frequency of each symbol in one number, first guesses, and the shift that finds a guess."""
    starts, freqs = row[:-1].astype(np.uint64), np.diff(row).astype(np.uint64)
    # a last entry of frequency 0 bounds the search
    intervals = np.append(starts << np.uint64(32) | freqs, np.uint64(1) << np.uint64(63))
    bits = min(precision, _GUESS_BITS)
    # the first bucket that begins in a symbol or after it
    firsts = -(-row.astype(np.int64) >> (precision - bits))
    guess = np.repeat(np.arange(row.size - 1).astype(np.uint8 if row.size <= 257 else np.int32), np.diff(firsts))
    return intervals, guess, np.uint64(precision - bits)
