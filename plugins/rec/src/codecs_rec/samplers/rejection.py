"""Rejection sampling, and greedy rejection sampling: Harsha, Jain, McAllester, Radhakrishnan 2010, section 4.

Both look at one proposal after the other and send the number of the one that they accept. The greedy one accepts as much as the target has
left: after n proposals it has accepted the part of the target below the level L of its ratio, and L grows by what is left of the target.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from codecs_core.errors import EntropyError
from codecs_core.jit import kernel
from codecs_core.jit.elementary import exp
from codecs_rec.families import Pair
from codecs_rec.quantile import quantile
from codecs_rec.ratios import left_over, log_ratio, ratio_of, survival, uniform
from codecs_rec.samplers.base import ESCAPE, SCALARS, ScalarSampler, draw, escape, numbered, private


@kernel
def _encode(pair, family, m, s, key, limit, greedy, index):
    for i in range(m.size):
        r = ratio_of(pair, m[i], s[i])
        state, level, alive = private(i, key), 0.0, exp(r.log_top)
        index[i] = 0
        for n in range(1, limit + 1):
            if greedy:
                alive, _ = survival(r, level, -math.inf, math.inf)
            x = quantile(family, draw(n, i, SCALARS, key))
            u, state = uniform(state)
            if u * alive < exp(log_ratio(r, x)) - level:
                index[i] = n
                break
            if greedy:
                level += alive
        if index[i] == 0:
            x, state = left_over(r, level, -math.inf, math.inf, state)
            index[i] = escape(family, x)


@dataclass(frozen=True)
class Rejection(ScalarSampler):
    """A proposal is accepted with the probability r / sup r, r = dQ/dP.

    Exact. The index is geometric with the mean sup r: it costs about log2 sup r, however little the target tells.

    Parameters
    ----------
    limit
        Proposals after which the search ends with an escape, which is a point of what is left of the target: 61 bits or more.
    """

    limit: int = 1 << 22

    def __post_init__(self) -> None:
        if not isinstance(self.limit, int) or not 1 <= self.limit < ESCAPE:
            raise EntropyError(f"limit must be an integer from 1 on, got {self.limit!r}")

    @property
    def largest(self) -> int:
        """The limit."""
        return self.limit

    def _encode(self, pair: Pair, family: int, key: np.uint64, index: NDArray[np.int64]) -> None:
        greedy = isinstance(self, GreedyRejection)
        _encode(pair.kind, family, pair.m.reshape(-1), pair.s.reshape(-1), key, self.limit, greedy, index)

    def _decode(self, index: NDArray[np.int64], key: np.uint64, u: NDArray[np.uint64]) -> None:
        numbered(index, key, u)


@dataclass(frozen=True)
class GreedyRejection(Rejection):
    """A proposal is accepted as often as the target has not had its share yet: with the probability min(1, (r - L) / S).

    S = w_Q(L) - L w_P(L) is what is left of the target, and L grows by S with each proposal. Exact; the index costs about
    D_KL + log2(D_KL + 1) bits and has the mean sup r.
    """
