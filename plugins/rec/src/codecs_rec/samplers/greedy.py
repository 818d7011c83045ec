"""Greedy Poisson rejection sampling: Flamich 2023, "Greedy Poisson rejection sampling", algorithm 3."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from codecs_core.errors import EntropyError
from codecs_core.jit import kernel
from codecs_core.jit.elementary import log
from codecs_rec.families import Pair
from codecs_rec.quantile import quantile
from codecs_rec.ratios import left_over, log_ratio, next_arrival, ratio_of, survival
from codecs_rec.samplers.base import ESCAPE, SCALARS, ScalarSampler, draw, escape, numbered, private


@kernel
def _encode(pair, family, m, s, key, limit, index):
    for i in range(m.size):
        r = ratio_of(pair, m[i], s[i])
        state, h = private(i, key), 0.0
        alive, w_p = survival(r, h, -math.inf, math.inf)
        index[i] = 0
        for n in range(1, limit + 1):
            h, alive, w_p, state = next_arrival(h, 1.0, alive, w_p, state, r, -math.inf, math.inf)
            x = quantile(family, draw(n, i, SCALARS, key))
            if log_ratio(r, x) > log(h):
                index[i] = n
                break
        if index[i] == 0:
            x, state = left_over(r, h, -math.inf, math.inf, state)
            index[i] = escape(family, x)


@dataclass(frozen=True)
class GreedyPoisson(ScalarSampler):
    """Points of a Poisson process over P and time; the first one below the graph of phi = sigma(dQ/dP) is sent.

    Exact; sigma is the stretch function of `codecs_rec.ratios`.
    The index has the mean sup dQ/dP, and costs about D_KL + log2(D_KL + 1) bits; decoding takes one draw.

    Parameters
    ----------
    limit
        Proposals after which the search ends with an escape, which is a point of what the graph has left: 61 bits or more.
    """

    limit: int = 1 << 22

    def __post_init__(self) -> None:
        if not isinstance(self.limit, int) or not 1 <= self.limit < ESCAPE:
            raise EntropyError(f"limit is an integer from 1 on, not {self.limit!r}")

    @property
    def largest(self) -> int:
        """The limit."""
        return self.limit

    def _encode(self, pair: Pair, family: int, key: np.uint64, index: NDArray[np.int64]) -> None:
        _encode(pair.kind, family, pair.m.reshape(-1), pair.s.reshape(-1), key, self.limit, index)

    def _decode(self, index: NDArray[np.int64], key: np.uint64, u: NDArray[np.uint64]) -> None:
        numbered(index, key, u)
