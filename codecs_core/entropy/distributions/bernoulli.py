"""The Bernoulli distribution."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from codecs_core.entropy.compiled import inline, kernel
from codecs_core.entropy.message import check_precision
from codecs_core.entropy.rans import make_pop
from codecs_core.entropy.stack import Distribution, common_shape, flat, integers
from codecs_core.entropy.tables import table


@kernel
def _intervals(symbols, ones, total, starts, freqs):  # type: ignore[no-untyped-def]
    for i in range(symbols.size):
        zeros = total - ones[i]
        one = symbols[i] != 0
        starts[i] = zeros if one else np.uint32(0)
        freqs[i] = ones[i] if one else zeros


@inline
def _find(count, i, params):  # type: ignore[no-untyped-def]
    ones, total = params
    zeros = np.uint64(total - ones[i])
    one = count >= zeros
    return (
        np.uint8(one),
        zeros if one else np.uint64(0),
        np.uint64(ones[i]) if one else zeros,
    )


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
    _kernel = staticmethod(make_pop(_find))

    def __init__(self, ones: ArrayLike, *, precision: int = 18, shape: int | tuple[int, ...] | None = None) -> None:
        self.precision = check_precision(precision)
        counts = integers(ones, "ones", 1, (1 << precision) - 1, np.uint32)
        self.shape = common_shape(shape, counts)
        self._params = (flat(counts, self.shape), np.uint32(1 << precision))

    @classmethod
    def from_log_odds(cls, log_odds: ArrayLike, *, precision: int = 18) -> Bernoulli:
        """Symbol 1 has the odds 2^(log_odds / 64): integers, whose counts are computed by one integer division."""
        logit = integers(log_odds, "log_odds", -(1 << 30), 1 << 30)
        small = table("exp2_negative")[np.minimum(np.abs(logit), 1023)]
        rare = (small * ((1 << precision) - 2)) // (small + (1 << 16)) + 1
        return cls(np.where(logit < 0, rare, (1 << precision) - rare), precision=precision)

    def _intervals(self, symbols: NDArray[Any]) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
        starts, freqs = np.empty((2, symbols.size), np.uint32)
        _intervals(symbols.astype(np.uint8, copy=False), *self._params, starts, freqs)
        return starts, freqs
