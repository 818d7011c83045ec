"""Mixtures of a few shared tables, each symbol with weights of its own."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from codecs_core.entropy.distribution import Distribution, fitted, integers
from codecs_core.entropy.distributions.softmax import softmax
from codecs_core.entropy.fixed import QFormat
from codecs_core.entropy.kernels import from_interval
from codecs_core.entropy.message import check_precision
from codecs_core.errors import EntropyError
from codecs_core.jit import inline, kernel

#: Rows of the component tables add up to 2^18; weights to 2^16; logits are in 1/64 of an octave.
TABLE_BITS, WEIGHT_BITS, LOGIT_BITS = 18, 16, 6


@inline
def _cdf(k, weights, cumulative, scale):
    total = np.uint64(0)
    for c in range(weights.size):
        total += np.uint64(weights[c]) * np.uint64(cumulative[k, c])
    return ((total * scale) >> np.uint64(34)) + np.uint64(k)


@inline
def _interval(symbol, i, params):
    weights, cumulative, scale = params
    k = np.int64(symbol)
    if k < 0 or k >= cumulative.shape[0] - 1:
        return np.uint64(0), np.uint64(0)
    start = _cdf(k, weights[i], cumulative, scale)
    return start, _cdf(k + 1, weights[i], cumulative, scale) - start


@inline
def _find(count, i, params):
    weights, cumulative, scale = params
    w = weights[i]
    low, high = 0, cumulative.shape[0] - 1
    start, stop = np.uint64(0), _cdf(1, w, cumulative, scale)
    if stop > count:  # the first symbol is often by far the likeliest
        return 0, start, stop
    low, start, stop = 1, stop, _cdf(high, w, cumulative, scale)
    while high - low > 1:
        middle = (low + high) >> 1
        value = _cdf(middle, w, cumulative, scale)
        if value <= count:
            low, start = middle, value
        else:
            high, stop = middle, value
    return low, start, stop - start


@kernel
def _slopes(symbols, weights, cumulative, out):
    n, components = weights.shape
    for i in range(n):
        k, total = np.int64(symbols[i]), np.float64(0)
        for c in range(components):
            total += np.float64(weights[i, c]) * np.float64(cumulative[k + 1, c] - cumulative[k, c])
        for c in range(components):
            part = np.float64(weights[i, c]) * np.float64(cumulative[k + 1, c] - cumulative[k, c])
            # integers below 2^46 by one below 2^35: no quotient that is none is rounded to an integer
            share = np.floor(4096.0 * part / max(total, 1.0))
            out[i, c] = np.int32(weights[i, c] >> 4) - np.int32(share)


class CategoricalMixture(Distribution):
    """A mixture of tables that all symbols share: p(x) = sum over c of softmax(logits)_c * tables[c, x].

    Parameters
    ----------
    logits
        Weights before the softmax, to base 2 and in units of 1/64: integers of shape (*shape, components).
    tables
        Counts of each component, shape (components, symbols), rows adding up to 2^18.
    precision
        Bits, at most 28.
    """

    #: Rows of the tables add up to 2 to this.
    TABLE_BITS: ClassVar[int] = TABLE_BITS
    #: Format of the logits.
    LOGIT = QFormat(bits=LOGIT_BITS, low=-(1 << 30), high=1 << 30)
    dtype = np.uint8
    _kernels = from_interval(_interval, _find)

    def __init__(self, logits: ArrayLike, tables: ArrayLike, *, precision: int = 20) -> None:
        counts = integers(tables, "tables", 0, 1 << TABLE_BITS)
        if counts.ndim != 2 or not counts.size or (counts.sum(1) != 1 << TABLE_BITS).any() or counts.shape[1] > 256:
            raise EntropyError(f"tables are rows of up to 256 counts that add up to {1 << TABLE_BITS}")
        components, self.symbols = counts.shape
        self.precision = check_precision(precision, self.symbols)
        z = self.LOGIT.check(logits, "logits", np.int32)
        if z.ndim < 1 or z.shape[-1] != components:
            raise EntropyError(f"logits of shape {z.shape} do not end in the {components} components of the tables")
        self.shape = z.shape[:-1]
        weights = softmax(z.reshape(-1, components))
        cumulative = np.zeros((self.symbols + 1, components), np.uint32)
        cumulative[1:] = np.cumsum(counts, 1).T
        self._params = (weights, cumulative, np.uint64((1 << self.precision) - self.symbols))

    def slopes(self, x: ArrayLike) -> NDArray[np.int32]:
        """The gradient of -log2 p(x) by the logits, in octaves and units of 2^-12: shape (*shape, components), from -2^12 to 2^12.

        Of a component it is what the weights say of it, less the share it has in the probability of x, which is 0 where that is.
        """
        symbols = fitted(integers(x, "x", 0, self.symbols - 1), self.shape).reshape(-1)
        weights, cumulative, _ = self._params
        out = np.empty(weights.shape, np.int32)
        _slopes(symbols, weights, cumulative, out)
        return out.reshape(*self.shape, -1)

    def means(self) -> NDArray[np.int64]:
        """The mean of each symbol, rounded, half up: shape `shape`."""
        weights, cumulative, _ = self._params
        # of counts: sum over x of x * (cumulative[x + 1] - cumulative[x]), summed by parts
        each = (self.symbols - 1 << TABLE_BITS) - cumulative[1:-1].sum(0, dtype=np.int64)
        total: NDArray[np.int64] = weights.astype(np.int64) @ each
        return ((total + (1 << TABLE_BITS + WEIGHT_BITS - 1)) >> TABLE_BITS + WEIGHT_BITS).reshape(self.shape)
