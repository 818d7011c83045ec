"""The Bernoulli distribution."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from codecs_core.entropy.distribution import Distribution, common_shape, fitted, flat, integers
from codecs_core.entropy.kernels import from_interval
from codecs_core.entropy.message import check_precision
from codecs_core.entropy.rans import THIN
from codecs_core.entropy.tables import table
from codecs_core.errors import EntropyError
from codecs_core.jit import inline, kernel


@inline
def _interval(symbol, i, params):
    ones, total = params
    one = np.uint64(ones[i])
    zero = total - one
    if symbol < 0 or symbol > 1:
        return zero, np.uint64(0)
    return (zero, one) if symbol else (np.uint64(0), zero)


@inline
def _find(count, i, params):
    ones, total = params
    one = np.uint64(ones[i])
    zero = total - one
    is_one = np.uint64(count >= zero)
    return is_one, zero * is_one, zero + (one - zero) * is_one


@kernel
def _rarer(ones, total, enough):
    """The counts of the rarer symbols, or of some of them that are enough."""
    rest = np.uint64(0)
    for first in range(0, ones.size, 4096):
        for i in range(first, min(first + 4096, ones.size)):
            one = np.uint64(ones[i])
            rest += min(one, total - one)
        if rest >= enough:
            break
    return rest


class Bernoulli(Distribution):
    """0 or 1, where 1 has `ones` of 2^precision counts: 0 is [0, 2^p - ones), 1 is [2^p - ones, 2^p).

    Parameters
    ----------
    ones
        Counts of symbol 1, 1 to 2^precision - 1; an array gives each symbol its own.
    precision
        Bits, at most 28.
    shape
        Of the arrays that are pushed and popped; by default the shape of `ones`.
    """

    symbols = 2
    dtype = np.uint8
    _kernels = from_interval(_interval, _find)

    def __init__(self, ones: ArrayLike, *, precision: int = 18, shape: int | tuple[int, ...] | None = None) -> None:
        self.precision = check_precision(precision)
        one: Any = ones
        if type(one) is int and shape in (None, ()) and 0 < one < 1 << precision:
            self._one, self.shape, self._single = one, (), True
            return
        self._counts = integers(ones, "ones", 1, (1 << precision) - 1, np.uint32)
        self.shape = common_shape(shape, self._counts)

    @cached_property
    def _params(self) -> tuple[Any, ...]:  # type: ignore[override]
        counts = np.array([self._one], np.uint32) if self._single else flat(self._counts, self.shape)
        return counts, np.uint64(1 << self.precision)

    def _interval(self, symbol: int) -> tuple[int, int]:
        ones, total = self._one, 1 << self.precision
        return (total - ones, ones if symbol == 1 else 0) if symbol else (0, total - ones)

    def _find(self, count: int) -> tuple[int, int, int]:
        symbol = int(count >= (1 << self.precision) - self._one)
        return symbol, *self._interval(symbol)

    def _rest(self) -> int:
        return int(_rarer(*self._params, np.uint64(THIN << self.precision)))

    @classmethod
    def from_log_odds(cls, log_odds: ArrayLike, *, precision: int = 18) -> Bernoulli:
        """Symbol 1 has the odds 2^(log_odds / 64): integers, whose counts are computed by one integer division."""
        logit = integers(log_odds, "log_odds", -(1 << 30), 1 << 30)
        small = table("exp2_negative")[np.minimum(np.abs(logit), 1023)]
        rare = (small * ((1 << precision) - 2)) // (small + (1 << 16)) + 1
        return cls(np.where(logit < 0, rare, (1 << precision) - rare), precision=precision)

    def slopes(self, x: ArrayLike) -> NDArray[np.int32]:
        """The gradient of -log2 p(x) by the log-odds, in octaves and units of 2^-12: p(1) - x, from -2^12 to 2^12.

        Raises `EntropyError` for a precision of fewer bits than that.
        """
        if self.precision < 12:
            raise EntropyError(f"slopes have 12 bits, but the precision of this distribution is {self.precision}")
        symbols = fitted(integers(x, "x", 0, 1), self.shape)
        ones = np.broadcast_to(self._params[0].reshape(self.shape), self.shape).astype(np.int32)
        return np.asarray((ones >> (self.precision - 12)) - (symbols.astype(np.int32) << 12), np.int32)
