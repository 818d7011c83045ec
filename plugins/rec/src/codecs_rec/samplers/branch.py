"""Branch-and-bound greedy Poisson rejection sampling: Flamich 2023, algorithms 5 (split on sample) and 6 (dyadic)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from codecs_core.errors import EntropyError
from codecs_core.jit import inline, kernel
from codecs_core.jit.elementary import log
from codecs_rec.families import Pair
from codecs_rec.quantile import quantile
from codecs_rec.ratios import left_over, log_ratio, next_arrival, ratio_of, survival, uniform
from codecs_rec.samplers.base import SCALARS, ScalarSampler, draw, escape, private

#: Levels of the tree; its nodes are numbered as in a heap, the root being 1.
DEPTH = 60
#: Fractions of the distribution function below which a region is not searched: the last ones of the line are few and far between.
FEW = np.uint64(1 << 24)
_0, _1, _64 = np.uint64(0), np.uint64(1), np.uint64(64)
_32, _W = np.uint64(32), np.uint64(0xFFFFFFFF)
_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)


@inline
def depth_of(node):
    """How far a node is from the root."""
    depth = np.int64(0)
    while node >> depth > 1:
        depth += 1
    return depth


@inline
def dyadic_point(node, depth, bits):
    """A point of a node: its path are the leading bits of u, and random ones follow."""
    if depth == 0:
        return bits
    return (np.uint64(node) << (_64 - np.uint64(depth))) | (bits >> np.uint64(depth))


@inline
def scaled(bits, low, high):
    """A point of [low, high]: low + floor(bits (high - low + 1) / 2^64)."""
    size = high - low + _1
    if size == _0:
        return bits
    a, b, c, d = bits >> _32, bits & _W, size >> _32, size & _W
    middle = a * d + (b * d >> _32)
    return low + a * c + (middle >> _32) + ((b * c + (middle & _W)) >> _32)


@inline
def few(low, high, alive):
    """Whether a region is too small to be searched, or has nothing left of the target."""
    return high - low < FEW or alive <= 0.0


@kernel
def encode_dyadic(pair, family, m, s, key, index):
    """Algorithm 6: halve the region by probability, and go where the first point below the graph is."""
    for i in range(m.size):
        r = ratio_of(pair, m[i], s[i])
        node, low, high, left, right = np.int64(1), _0, _ALL, -math.inf, math.inf
        state, h, rate = private(i, key), 0.0, 1.0
        alive, w_p = survival(r, h, left, right)
        index[i] = 0
        for depth in range(DEPTH):
            x = quantile(family, dyadic_point(node, depth, draw(node, i, SCALARS, key)))
            h, alive, w_p, state = next_arrival(h, rate, alive, w_p, state, r, left, right)
            if log_ratio(r, x) > log(h):
                index[i] = node
                break
            cut = low + ((high - low) >> _1)
            middle = quantile(family, cut)
            alive_left, w_p_left = survival(r, h, left, middle)
            coin, state = uniform(state)
            if coin * alive < alive_left:
                node, high, right, alive, w_p = 2 * node, cut, middle, alive_left, w_p_left
            elif cut == high:
                break
            else:
                node, low, left = 2 * node + 1, cut + _1, middle
                alive, w_p = max(alive - alive_left, 0.0), max(w_p - w_p_left, 0.0)
            rate = np.float64(high - low) * 2.0**-64
            if few(low, high, alive):
                break
        if index[i] == 0:
            x, state = left_over(r, h, left, right, state)
            index[i] = escape(family, x)


@kernel
def encode_on_sample(pair, family, m, s, key, index):
    """Algorithm 5: split the region at its point x. No point beyond x, seen from the peak, can be below the graph any more."""
    for i in range(m.size):
        r = ratio_of(pair, m[i], s[i])
        node, low, high, left, right = np.int64(1), _0, _ALL, -math.inf, math.inf
        state, h, rate = private(i, key), 0.0, 1.0
        alive, w_p = survival(r, h, left, right)
        index[i] = 0
        for _ in range(DEPTH):
            u = scaled(draw(node, i, SCALARS, key), low, high)
            x = quantile(family, u)
            h, alive, w_p, state = next_arrival(h, rate, alive, w_p, state, r, left, right)
            if log_ratio(r, x) > log(h):
                index[i] = node
                break
            if u == (high if r.peak > x else low):
                break
            if r.peak > x:
                node, low, left = 2 * node + 1, u + _1, x
            else:
                node, high, right = 2 * node, u - _1, x
            rate = np.float64(high - low) * 2.0**-64
            if few(low, high, alive):
                break
        if index[i] == 0:
            x, state = left_over(r, h, left, right, state)
            index[i] = escape(family, x)


@kernel
def decode_dyadic(index, key, u):
    """The point of each node."""
    for i in range(index.size):
        u[i] = dyadic_point(index[i], depth_of(index[i]), draw(index[i], i, SCALARS, key))


@kernel
def decode_on_sample(index, key, u):
    """The point of each node, by the splits on the way to it."""
    for i in range(index.size):
        depth = depth_of(index[i])
        low, high = _0, _ALL
        while True:
            node = index[i] >> depth
            u[i] = scaled(draw(node, i, SCALARS, key), low, high)
            if depth == 0:
                break
            depth -= 1
            if (index[i] >> depth) & 1:
                low = u[i] + _1
            else:
                high = u[i] - _1


@dataclass(frozen=True)
class BranchAndBound(ScalarSampler):
    """A binary search for the first point below the graph; sent is the node of the tree where it ends, numbered as in a heap.

    Exact, for ratios with one peak, in a number of steps that grows linearly with D_KL.

    Parameters
    ----------
    split
        ``"dyadic"``: regions are halved by probability; the decoder draws one point, and paths are incompressible bits.
        ``"sample"``: a region is split at its point; the fewest steps, and the decoder repeats them.

    Notes
    -----
    Where a region is below 2^-40 of the proposal, the search ends with an escape: a point of what the graph has left there, of any
    size. So targets are followed beyond the 9 standard deviations that 64 bits reach, at 61 bits or more a sample.
    """

    split: Literal["dyadic", "sample"] = "dyadic"

    def __post_init__(self) -> None:
        if self.split not in ("dyadic", "sample"):
            raise EntropyError(f"split is 'dyadic' or 'sample', not {self.split!r}")

    @property
    def largest(self) -> int:
        """The last node at depth 60, where the root has depth 1."""
        return (1 << DEPTH) - 1

    def _encode(self, pair: Pair, family: int, key: np.uint64, index: NDArray[np.int64]) -> None:
        encode = encode_dyadic if self.split == "dyadic" else encode_on_sample
        encode(pair.kind, family, pair.m.reshape(-1), pair.s.reshape(-1), key, index)

    def _decode(self, index: NDArray[np.int64], key: np.uint64, u: NDArray[np.uint64]) -> None:
        (decode_dyadic if self.split == "dyadic" else decode_on_sample)(index, key, u)
