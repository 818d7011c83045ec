"""A* coding: Maddison, Tarlow, Minka 2014; Flamich, Markou, Hernandez-Lobato 2022, "Fast relative entropy coding with A* coding"."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from codecs_core.errors import EntropyError
from codecs_core.jit import kernel
from codecs_core.jit.elementary import exp, log
from codecs_rec.families import Pair
from codecs_rec.quantile import quantile
from codecs_rec.ratios import first_left, log_ratio, ratio_of, uniform
from codecs_rec.samplers.base import SCALARS, ScalarSampler, draw, escape, private
from codecs_rec.samplers.branch import DEPTH, FEW, decode_dyadic, decode_on_sample, scaled

#: Nodes that a search visits at the most.
NODES = 4096
_0, _1 = np.uint64(0), np.uint64(1)
_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)


@kernel
def _encode(pair, family, m, s, key, dyadic, deepest, index, visited):
    nodes, gumbels, keys = np.empty(NODES + 2, np.int64), np.empty(NODES + 2), np.empty(NODES + 2)
    lows, highs = np.empty(NODES + 2, np.uint64), np.empty(NODES + 2, np.uint64)
    for i in range(m.size):
        r = ratio_of(pair, m[i], s[i])
        state = private(i, key)
        e, state = uniform(state)
        # the queue, in no order: the root, whose Gumbel is that of all of P
        nodes[0], lows[0], highs[0], gumbels[0] = 1, _0, _ALL, -log(-log(e))
        keys[0] = gumbels[0] + r.log_top
        waiting, best, index[i], visited[i] = 1, -math.inf, 1, 0
        while waiting > 0 and visited[i] < NODES:
            top = 0
            for j in range(1, waiting):
                top = j if keys[j] > keys[top] else top
            if keys[top] <= best:
                break
            node, low, high, gumbel = nodes[top], lows[top], highs[top], gumbels[top]
            waiting -= 1
            nodes[top], lows[top], highs[top] = nodes[waiting], lows[waiting], highs[waiting]
            gumbels[top], keys[top] = gumbels[waiting], keys[waiting]
            visited[i] += 1
            u = scaled(draw(node, i, SCALARS, key), low, high)
            x = quantile(family, u)
            found = log_ratio(r, x) + gumbel
            if found > best:
                best, index[i] = found, node
            if deepest == DEPTH and (high - low < FEW or node >> (deepest - 1) > 0):
                # the best of all other points of the region at once, wherever on the line they are
                left = -math.inf if low == _0 else quantile(family, low)
                right = math.inf if high == _ALL else quantile(family, high)
                found, x, state = first_left(r, exp(-gumbel), left, right, state)
                if found > best:
                    best, index[i] = found, escape(family, x)
                continue
            if node >> (deepest - 1) > 0:
                continue
            cut = low + ((high - low) >> _1) if dyadic else u
            for side in range(2):
                if side == 0:
                    if cut == low and not dyadic:
                        continue
                    a, b = low, cut if dyadic else cut - _1
                else:
                    if cut == high:
                        continue
                    a, b = cut + _1, high
                # a Gumbel of mean ln P(child), truncated at its parent's
                location = log((np.float64(b - a) + 1.0) * 2.0**-64)
                e, state = uniform(state)
                child = location - log(exp(min(location - gumbel, 700.0)) - log(e))
                # the outermost regions go on for ever
                nearest = r.peak if a == _0 else max(r.peak, quantile(family, a))
                nearest = nearest if b == _ALL else min(nearest, quantile(family, b))
                bound = child + (log_ratio(r, nearest) if nearest != r.peak else r.log_top)
                if bound > best:
                    nodes[waiting], lows[waiting], highs[waiting] = 2 * node + side, a, b
                    gumbels[waiting], keys[waiting] = child, bound
                    waiting += 1


@dataclass(frozen=True)
class AStar(ScalarSampler):
    """The point with the largest ln dQ/dP plus Gumbel noise of a Poisson process, found by branch and bound.

    Exact without a `depth`. The number of steps grows linearly with the largest ln dQ/dP; the code length is that of branch and bound.

    Parameters
    ----------
    split
        ``"sample"``: AS*. ``"dyadic"``: AD*.
    depth
        Levels of the tree, 60 at the most: with fewer, indices are below 2^depth and samples are biased (DAD*).

    Notes
    -----
    Of a region below 2^-40 of the proposal, or at depth 60, the best point beside its own is drawn from all that are left, of any size, and
    sent as an escape of 61 bits or more. A search visits 4096 nodes at the most; then the best point until then is taken.
    """

    split: Literal["sample", "dyadic"] = "sample"
    depth: int = DEPTH

    def __post_init__(self) -> None:
        if self.split not in ("dyadic", "sample"):
            raise EntropyError(f"split is 'dyadic' or 'sample', not {self.split!r}")
        if not isinstance(self.depth, int) or not 1 <= self.depth <= DEPTH:
            raise EntropyError(f"depth is an integer from 1 to {DEPTH}, not {self.depth!r}")

    @property
    def largest(self) -> int:
        """The last node of the last level."""
        return (1 << self.depth) - 1

    def steps(self, pair: Pair, family: int, key: np.uint64, index: NDArray[np.int64]) -> NDArray[np.int64]:
        """Encode a pair into the flat array `index`; return how many nodes were visited."""
        visited = np.empty(index.size, np.int64)
        dyadic = self.split == "dyadic"
        _encode(pair.kind, family, pair.m.reshape(-1), pair.s.reshape(-1), key, dyadic, self.depth, index, visited)
        return visited

    def _encode(self, pair: Pair, family: int, key: np.uint64, index: NDArray[np.int64]) -> None:
        self.steps(pair, family, key, index)

    def _decode(self, index: NDArray[np.int64], key: np.uint64, u: NDArray[np.uint64]) -> None:
        (decode_dyadic if self.split == "dyadic" else decode_on_sample)(index, key, u)
