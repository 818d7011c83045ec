"""The uniform distribution over 0 to n - 1."""

from __future__ import annotations

import numpy as np

from codecs_core.entropy.distribution import Distribution, common_shape
from codecs_core.entropy.kernels import from_interval
from codecs_core.entropy.message import check_precision
from codecs_core.entropy.rans import MAX_PRECISION
from codecs_core.errors import EntropyError
from codecs_core.jit import inline


@inline
def _interval(symbol, i, params):
    n, p = params
    k = np.uint64(symbol)
    if symbol < 0 or k >= n:
        return np.uint64(0), np.uint64(0)
    start = (k << p) // n
    return start, ((k + np.uint64(1)) << p) // n - start


@inline
def _find(count, i, params):
    n, p = params
    symbol = ((count + np.uint64(1)) * n - np.uint64(1)) >> p
    start = (symbol << p) // n
    return symbol, start, ((symbol + np.uint64(1)) << p) // n - start


class Uniform(Distribution):
    """Uniform over 0 to `symbols` - 1: C_k = floor(k 2^p / n), exact when n is a power of two.

    Parameters
    ----------
    symbols
        Size of the support, 1 to 2^28.
    shape
        Of the arrays that are pushed and popped.
    """

    _kernels = from_interval(_interval, _find)

    def __init__(self, symbols: int, shape: int | tuple[int, ...] = ()) -> None:
        if not isinstance(symbols, int) or not 1 <= symbols <= 1 << MAX_PRECISION:
            raise EntropyError(f"Uniform takes 1 to {1 << MAX_PRECISION} symbols, not {symbols!r}")
        exact = symbols & (symbols - 1) == 0
        self.symbols, self.shape = symbols, common_shape(shape) if shape != () else ()
        self._single = not self.shape
        self.precision = check_precision(max(1, symbols.bit_length() - 1) if exact else MAX_PRECISION, symbols)
        self._params = (np.uint64(symbols), np.uint64(self.precision))

    def _interval(self, symbol: int) -> tuple[int, int]:
        if not 0 <= symbol < self.symbols:
            return 0, 0
        start = (symbol << self.precision) // self.symbols
        return start, ((symbol + 1) << self.precision) // self.symbols - start

    def _find(self, count: int) -> tuple[int, int, int]:
        symbol = ((count + 1) * self.symbols - 1) >> self.precision
        start = (symbol << self.precision) // self.symbols
        return symbol, start, ((symbol + 1) << self.precision) // self.symbols - start
