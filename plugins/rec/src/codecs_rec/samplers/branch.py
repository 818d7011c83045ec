"""Branch-and-bound greedy Poisson rejection sampling: Flamich 2023, algorithms 5 (split on sample) and 6 (dyadic)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from codecs_core.errors import EntropyError
from codecs_core.jit import inline, kernel
from codecs_rec.families import Pair
from codecs_rec.quantile import quantile
from codecs_rec.ratios import excess, left_over, log_ratio, log_top_of, next_level, peak, uniform
from codecs_rec.samplers.base import SCALARS, ScalarSampler, draw, escape, private

#: Levels of the tree; its nodes are numbered as in a heap, the root being 1.
DEPTH = 60
#: Fractions of the distribution function below which a region is not searched: the last ones of the line are few and far between.
FEW = np.uint64(1 << 24)
_0, _1, _64 = np.uint64(0), np.uint64(1), np.uint64(64)
_32, _W = np.uint64(32), np.uint64(0xFFFFFFFF)
_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)


@inline
def dyadic_point(node, bits):
    """A point of a node: its path are the leading bits of u, and random ones follow."""
    depth = _0
    while (np.uint64(node) >> depth) > _1:
        depth += _1
    if depth == _0:
        return bits
    return (np.uint64(node) << (_64 - depth)) | (bits >> depth)


@inline
def scaled(bits, low, high):
    """A point of [low, high]: low + floor(bits (high - low + 1) / 2^64)."""
    size = high - low + _1
    if size == _0:
        return bits
    a, b, c, d = bits >> _32, bits & _W, size >> _32, size & _W
    middle = a * d + (b * d >> _32)
    return low + a * c + (middle >> _32) + ((b * c + (middle & _W)) >> _32)


@kernel
def _encode(pair, family, m, s, key, dyadic, index):
    for i in range(m.size):
        mi, si = m[i], s[i]
        c, log_top = peak(pair, mi, si), log_top_of(pair, mi, si)
        node, low, high = np.int64(1), _0, _ALL
        left, right, rate = -math.inf, math.inf, 1.0
        state, h = private(i, key), 0.0
        z, p = excess(pair, h, left, right, mi, si, c, log_top)
        index[i] = 0
        for depth in range(DEPTH):
            bits = draw(node, i, SCALARS, key)
            u = (
                (np.uint64(node) << (_64 - np.uint64(depth))) | (bits >> np.uint64(depth))
                if dyadic and depth > 0
                else scaled(bits, low, high)
            )
            x = quantile(family, u)
            h, z, p, state = next_level(h, rate, z, p, state, pair, left, right, mi, si, c, log_top)
            if log_ratio(pair, x, mi, si) > math.log(h):
                index[i] = node
                break
            if dyadic:
                cut = low + ((high - low) >> _1)
                middle = quantile(family, cut)
                zl, pl = excess(pair, h, left, middle, mi, si, c, log_top)
                coin, state = uniform(state)
                goes_right = coin * z >= zl
                zr, pr = max(z - zl, 0.0), max(p - pl, 0.0)
            else:
                # no point beyond x can be below the graph any more
                cut, middle = u, x
                goes_right = c > x
                zl, pl, zr, pr = z, p, z, p
            if goes_right:
                if cut == high:
                    break
                low, left, z, p = cut + _1, middle, zr, pr
            else:
                if cut == low and not dyadic:
                    break
                high = cut if dyadic else cut - _1
                right, z, p = middle, zl, pl
            node = 2 * node + np.int64(goes_right)
            rate = np.float64(high - low) * 2.0**-64
            if high - low < FEW or z <= 0.0:
                break
        if index[i] == 0:
            x, state = left_over(pair, h, left, right, mi, si, c, log_top, state)
            index[i] = escape(family, x)


@kernel
def _decode_dyadic(index, key, u):
    for i in range(index.size):
        bits = draw(index[i], i, SCALARS, key)
        u[i] = dyadic_point(index[i], bits)


@kernel
def _decode_on_sample(index, key, u):
    for i in range(index.size):
        depth = np.int64(0)
        while index[i] >> depth > 1:
            depth += 1
        low, high = _0, _ALL
        while True:
            node = index[i] >> depth
            bits = draw(node, i, SCALARS, key)
            u[i] = scaled(bits, low, high)
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
        dyadic = self.split == "dyadic"
        _encode(pair.kind, family, pair.m.reshape(-1), pair.s.reshape(-1), key, dyadic, index)

    def _decode(self, index: NDArray[np.int64], key: np.uint64, u: NDArray[np.uint64]) -> None:
        (_decode_dyadic if self.split == "dyadic" else _decode_on_sample)(index, key, u)
