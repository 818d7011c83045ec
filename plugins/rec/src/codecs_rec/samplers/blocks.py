"""Samplers of blocks of many dimensions: one index for all of them, found among proposals one after the other.

Targets and proposals are diagonal Gaussians, a block the last axis. A coordinate of a proposal is one of 2^16 equally likely points
(`quantile.grid`), by 16 bits each: a call of Philox makes eight.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from codecs_core.entropy import QFormat
from codecs_core.errors import EntropyError
from codecs_core.jit import inline, kernel
from codecs_core.jit.elementary import log
from codecs_rec.families import Family, Gaussian, relate
from codecs_rec.philox import M0, M1, ROUNDS, W0, W1, check_key, philox
from codecs_rec.quantile import grid
from codecs_rec.ratios import uniform
from codecs_rec.samplers.base import BLOCKS, Sampler, private

#: Proposals a search may look at.
MOST = 1 << 24
#: Proposals whose weights are computed together.
LANES = 16
_ZERO = np.float32(0)
_16, _32, _48, _W = (np.uint64(v) for v in (16, 32, 0xFFFF, 0xFFFFFFFF))


@cache
def points() -> NDArray[np.float64]:
    """The grid as floats."""
    return np.asarray(grid() * 2.0**-32, np.float64)


@cache
def coarse_points() -> NDArray[np.float32]:
    """The grid as the searches see it: only decoders need all digits."""
    return points().astype(np.float32)


@inline
def coordinates(n, i, size, key, cells):
    """Fill in the cells of the grid that proposal n of block i has."""
    for g in range((size + 7) >> 3):
        words = philox(np.uint64(n), np.uint64(g), np.uint64(i), BLOCKS, key)
        at = g << 3
        cells[at], cells[at + 1] = words[0] & _48, words[0] >> _16
        cells[at + 2], cells[at + 3] = words[1] & _48, words[1] >> _16
        cells[at + 4], cells[at + 5] = words[2] & _48, words[2] >> _16
        cells[at + 6], cells[at + 7] = words[3] & _48, words[3] >> _16


@inline
def coordinates_of(n, i, key, words, points, x):
    """Fill in x, shape (d, LANES): the coordinates of `LANES` proposals from n on of block i, in vectors, hence the loops.

    `words`, shape (4, LANES), is scratch.
    """
    for g in range((len(x) + 7) >> 3):
        for j in range(LANES):
            words[0, j], words[1, j] = np.uint64(n + j), np.uint64(g)
            words[2, j], words[3, j] = np.uint64(i), BLOCKS
        low, high = key & _W, key >> _32
        for _ in range(ROUNDS):
            for j in range(LANES):
                p, q = M0 * words[0, j], M1 * words[2, j]
                words[0, j], words[2, j] = (q >> _32) ^ words[1, j] ^ low, (p >> _32) ^ words[3, j] ^ high
                words[1, j], words[3, j] = q & _W, p & _W
            low, high = (low + W0) & _W, (high + W1) & _W
        for k in range(8):
            d = (g << 3) + k
            if d < len(x):
                shift, row = _16 * np.uint64(k & 1), k >> 1
                for j in range(LANES):
                    x[d, j] = points[(words[row, j] >> shift) & _48]


@inline
def log_weights(n, i, key, words, points, x, square, linear, out):
    """The part of ln dQ/dP that depends on the proposal, for `LANES` of them from n on, of block i.

    `words` and `x` are the scratch of `coordinates_of`; `out` has shape (LANES,).
    """
    coordinates_of(n, i, key, words, points, x)
    for j in range(LANES):
        out[j] = _ZERO
    for d in range(square.size):
        a, b = square[d], linear[d]
        for j in range(LANES):
            out[j] += (a * x[d, j] + b) * x[d, j]


@inline
def coefficients(m, s, square, linear):
    """Fill in ln dQ/dP = constant + sum over d of (square x + linear) x; returns (constant, ln sup dQ/dP)."""
    constant, top = 0.0, 0.0
    for d in range(m.size):
        precision = 1.0 / (s[d] * s[d])
        square[d], linear[d] = 0.5 * (1.0 - precision), m[d] * precision
        constant -= 0.5 * m[d] * m[d] * precision + log(s[d])
        top -= log(s[d])
        if s[d] < 1.0:
            top += 0.5 * m[d] * m[d] / ((1.0 - s[d]) * (1.0 + s[d]))
    return constant, top


@kernel
def _race(m, s, key, elements, candidates, finite, points, index):
    """The proposal that arrives first, where proposal n is slowed down by its weight: arg min of T_n / w_n."""
    size = m.shape[1]
    square, linear = np.empty(size, np.float32), np.empty(size, np.float32)
    words, weights = np.empty((4, LANES), np.uint64), np.empty(LANES, np.float32)
    x = np.empty((size, LANES), np.float32)
    for i in range(len(m)):
        constant, top = coefficients(m[i], s[i], square, linear)
        state = private(elements[i], key)
        time, late, best, index[i] = 0.0, -math.inf, -math.inf, 1
        for first in range(1, candidates + 1, LANES):
            if top - late <= best:
                break
            log_weights(first, elements[i], key, words, points, x, square, linear, weights)
            for n in range(first, min(first + LANES, candidates + 1)):
                e, state = uniform(state)
                # of finitely many, the rest share what time is left
                time -= log(e) * (candidates / (candidates - n + 1.0) if finite else 1.0)
                # time only grows: what would be too late before is too late now
                if constant + weights[n - first] - late > best:
                    late = log(time)
                    score = constant + weights[n - first] - late
                    if score > best:
                        best, index[i] = score, n
            late = log(time)


@kernel
def _lottery(m, s, key, elements, candidates, points, index):
    """A proposal drawn in proportion to its weight, by Gumbel noise."""
    size = m.shape[1]
    square, linear = np.empty(size, np.float32), np.empty(size, np.float32)
    words, weights = np.empty((4, LANES), np.uint64), np.empty(LANES, np.float32)
    x = np.empty((size, LANES), np.float32)
    for i in range(len(m)):
        coefficients(m[i], s[i], square, linear)
        state = private(elements[i], key)
        best, index[i] = -math.inf, 1
        for first in range(1, candidates + 1, LANES):
            log_weights(first, elements[i], key, words, points, x, square, linear, weights)
            for n in range(first, min(first + LANES, candidates + 1)):
                e, state = uniform(state)
                score = weights[n - first] - log(-log(e))
                if score > best:
                    best, index[i] = score, n


@kernel
def _decode(index, key, elements, cells):
    size = cells.shape[1] - 7
    for i in range(index.size):
        coordinates(index[i], elements[i], size, key, cells[i])


def block_cells(
    index: NDArray[np.int64], size: int, key: np.uint64, elements: NDArray[np.int64] | None = None
) -> NDArray[np.int64]:
    """Cells of the grid, shape (n, size), of proposals `index` of the blocks with these numbers, by default 0, 1, ..."""
    cells = np.empty((index.size, size + 7), np.int64)
    _decode(index, key, np.arange(index.size) if elements is None else elements, cells)
    return cells[:, :size]


def race(
    m: NDArray[np.float64],
    s: NDArray[np.float64],
    key: np.uint64,
    candidates: int,
    *,
    finite: bool,
    elements: NDArray[np.int64] | None = None,
) -> NDArray[np.int64]:
    """Indices of `OrderedRandom` (or, not finite, `PoissonFunctional`) for standardised targets of shape (n, d)."""
    index = np.empty(len(m), np.int64)
    numbers = np.arange(len(m)) if elements is None else elements
    _race(np.ascontiguousarray(m), np.ascontiguousarray(s), key, numbers, candidates, finite, coarse_points(), index)
    return index


@dataclass(frozen=True)
class BlockSampler(Sampler):
    """Indices of blocks: targets of shape (..., d) have indices of shape (...), counted from 1.

    Parameters
    ----------
    candidates
        Proposals that a search looks at, at the most: its bound, and that of the indices.
    """

    candidates: int = 1 << 16

    def __post_init__(self) -> None:
        if not isinstance(self.candidates, int) or not 1 <= self.candidates <= MOST:
            raise EntropyError(f"candidates is an integer from 1 to {MOST}, not {self.candidates!r}")

    def encode(self, target: Family, proposal: Family, key: int) -> NDArray[np.int64]:
        """Indices of blocks; the parameters broadcast to (..., d)."""
        if not isinstance(target, Gaussian) or not isinstance(proposal, Gaussian):
            raise EntropyError("blocks have Gaussian targets and proposals")
        pair = relate(target, proposal)
        if pair.m.ndim == 0:
            raise EntropyError("a block is the last axis of its target: it has at least one dimension")
        m, s = (np.ascontiguousarray(a).reshape(-1, a.shape[-1]) for a in (pair.m, pair.s))
        return self._search(m, s, check_key(key)).reshape(pair.m.shape[:-1])

    def decode(self, index: ArrayLike, proposal: Family, key: int) -> NDArray[np.float64]:
        """Samples of shape (..., d), for a proposal of that shape."""
        n = QFormat(bits=0, low=1, high=self.candidates).check(index, "index")
        shape = proposal.shape
        if not shape or (shape[:-1] not in ((), n.shape)):
            raise EntropyError(f"a proposal of shape {shape} does not fit blocks of indices of shape {n.shape}")
        cells = block_cells(np.ascontiguousarray(n).reshape(-1), shape[-1], check_key(key))
        return proposal.place(points()[cells].reshape(*n.shape, shape[-1]))

    @abstractmethod
    def _search(self, m: NDArray[Any], s: NDArray[Any], key: np.uint64) -> NDArray[np.int64]: ...


@dataclass(frozen=True)
class PoissonFunctional(BlockSampler):
    """The Poisson functional representation, or global A*: Li, El Gamal 2018, section II.

    Exact for the grid of the proposals, which ends at 4.3 standard deviations, as long as it ends before `candidates` (it needs more
    than sup dQ/dP of them): then the best until then is taken.
    """

    candidates: int = 1 << 20

    def _search(self, m: NDArray[Any], s: NDArray[Any], key: np.uint64) -> NDArray[np.int64]:
        return race(m, s, key, self.candidates, finite=False)


@dataclass(frozen=True)
class OrderedRandom(BlockSampler):
    """Ordered random coding: Theis, Yosri 2022. Samples as of `MinimalRandom`, with an index that is small where it can be."""

    def _search(self, m: NDArray[Any], s: NDArray[Any], key: np.uint64) -> NDArray[np.int64]:
        return race(m, s, key, self.candidates, finite=True)


@dataclass(frozen=True)
class MinimalRandom(BlockSampler):
    """Minimal random coding: Havasi et al. 2019 (MIRACLE), algorithm 1. One of `candidates` proposals, drawn by importance weights.

    Biased, the less so the more log2(candidates) exceeds D_KL; the index is nearly uniform.
    """

    def _search(self, m: NDArray[Any], s: NDArray[Any], key: np.uint64) -> NDArray[np.int64]:
        index = np.empty(len(m), np.int64)
        _lottery(m, s, key, np.arange(len(m)), self.candidates, coarse_points(), index)
        return index
