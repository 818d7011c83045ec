"""Latents as blocks of about equal information, each sent by one index into proposals from the prior N(0, 1)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_core.entropy import log2
from codecs_core.jit import kernel
from codecs_rec.index import PRECISION, OctaveCode
from codecs_rec.quantile import grid
from codecs_rec.samplers.blocks import LANES, block_cells, coarse_points, coefficients, coordinates_of, race

#: Proposals are a fixed sequence: the number of a block within its item says where to look.
KEY = np.uint64(0)
_ZERO = np.float32(0)


@kernel
def _shortlist(m, s, sizes, b, key, prices, points, index, scores):
    """Fill in the proposals of block b with the largest ln dQ/dP less price, the best first, for items of their own sizes and prices.

    `m`, `s` have shape (n, d), `prices` (n, octaves), `index` and `scores` (n, length). A proposal is drawn once, for all items.
    """
    n, size, length = len(m), m.shape[1], index.shape[1]
    square, linear = np.zeros((n, size), np.float32), np.zeros((n, size), np.float32)
    constant, weights = np.empty(n), np.empty(LANES, np.float32)
    words, x = np.empty((4, LANES), np.uint64), np.empty((size, LANES), np.float32)
    for i in range(n):
        constant[i], _ = coefficients(m[i, : sizes[i]], s[i, : sizes[i]], square[i], linear[i])
        index[i], scores[i] = 1, -math.inf
    start = np.int64(0)
    for first in range(1, 1 << prices.shape[1], LANES):
        coordinates_of(first, b, key, words, points, x)
        start += first >> (start + 1)
        for i in range(n):
            for j in range(LANES):
                weights[j] = _ZERO
            for d in range(sizes[i]):
                p, q = square[i, d], linear[i, d]
                for j in range(LANES):
                    weights[j] += (p * x[d, j] + q) * x[d, j]
            octave = start
            for j in range(LANES):
                proposal = first + j
                octave += proposal >> (octave + 1)
                if octave < prices.shape[1]:
                    score = constant[i] + weights[j] - prices[i, octave]
                    if score > scores[i, length - 1]:
                        k = length - 1
                        while k > 0 and scores[i, k - 1] < score:
                            index[i, k], scores[i, k] = index[i, k - 1], scores[i, k - 1]
                            k -= 1
                        index[i, k], scores[i, k] = proposal, score


def shortlist(
    m: NDArray[np.float64],
    s: NDArray[np.float64],
    sizes: NDArray[np.int64],
    b: int,
    prices: NDArray[np.float64],
    length: int,
) -> NDArray[np.int64]:
    """Indices, shape (items, length), that cost least for the weight they have, the best first.

    Parameters
    ----------
    m, s
        Centres and scales of the targets of block number `b` of each item, standardised, shape (items, d).
    sizes
        Of those d, how many each item has: shape (items,).
    prices
        Nats of an index in each octave: shape (items, octaves).
    """
    index, scores = np.empty((len(m), length), np.int64), np.empty((len(m), length))
    arrays = (np.ascontiguousarray(a) for a in (m, s))
    _shortlist(*arrays, sizes, b, KEY, np.ascontiguousarray(prices), coarse_points(), index, scores)
    return index


def prices(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Nats of an index in each octave, for counts of octaves of shape (..., octaves)."""
    bits = PRECISION + np.arange(counts.shape[-1]) - log2(counts) * 2.0**-16
    return np.asarray(bits * math.log(2.0))


@cache
def cell_points(bits: int) -> NDArray[np.int64]:
    """The grid in units of 2^-bits, rounded down."""
    return grid() >> (32 - bits)


def drawn(index: NDArray[np.int64], size: int, b: int, bits: int) -> NDArray[np.int64]:
    """Proposals of block number b, in units of 2^-bits: shape (n, size) for n indices."""
    cells = block_cells(np.ascontiguousarray(index), size, KEY, np.full(len(index), b))
    return cell_points(bits)[cells]


@dataclass(frozen=True, eq=False)
class Blocks:
    """A partition of latents into blocks, the same one for every item.

    Parameters
    ----------
    block
        Number of the block of each latent, -1 for one that is not sent: shape (latents,).
    octaves
        Counts of the octaves of each block's index, shape (blocks, octaves), rows adding up to 2^20; indices are below 2^octaves.
    """

    #: Fractional bits of a latent as the decoder network takes it.
    BITS = 8

    block: NDArray[np.int64]
    octaves: NDArray[np.int64]

    @property
    def count(self) -> int:
        """How many blocks there are."""
        return len(self.octaves)

    def first(self, count: int) -> Blocks:
        """The first blocks alone: latents of the others are not sent."""
        return Blocks(np.where(self.block < count, self.block, -1), self.octaves[:count])

    def members(self, b: int) -> NDArray[np.int64]:
        """The latents of a block."""
        return np.flatnonzero(self.block == b)

    def code(self, items: int) -> OctaveCode:
        """Code of indices of shape (items, blocks)."""
        which = np.broadcast_to(np.arange(self.count), (items, self.count))
        return OctaveCode(self.octaves, which=which)

    def sample(self, mean: NDArray[Any], scale: NDArray[Any]) -> NDArray[np.int64]:
        """Indices, shape (items, blocks), by ordered random coding; posteriors of shape (items, latents)."""
        candidates = (1 << self.octaves.shape[1]) - 1
        columns = [
            race(mean[:, at], scale[:, at], KEY, candidates, finite=True, elements=np.full(len(mean), b))
            for b, at in enumerate(map(self.members, range(self.count)))
        ]
        return np.stack(columns, axis=1)

    def shortlist(self, mean: NDArray[Any], scale: NDArray[Any], length: int) -> NDArray[np.int64]:
        """Indices, shape (items, blocks, length), as the function `shortlist` has them."""
        lists = np.empty((len(mean), self.count, length), np.int64)
        for b in range(self.count):
            at = self.members(b)
            price = np.broadcast_to(prices(self.octaves[b]), (len(mean), self.octaves.shape[1]))
            sizes = np.full(len(mean), at.size)
            lists[:, b] = shortlist(mean[:, at], scale[:, at], sizes, b, price, length)
        return lists

    def latents(self, index: NDArray[np.int64]) -> NDArray[np.int64]:
        """What the decoder network is given, in units of 2^-8: shape (items, latents)."""
        z = np.zeros((len(index), self.block.size), np.int64)
        for b in range(self.count):
            z[:, self.members(b)] = self.part(index[:, b], b)
        return z

    def part(self, index: NDArray[np.int64], b: int) -> NDArray[np.int64]:
        """The latents of one block: shape (n, members)."""
        return drawn(index, self.members(b).size, b, self.BITS)
