"""The latents of images as blocks of about equal information, each sent by one index into proposals from the prior N(0, 1)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_core.entropy.compiled import kernel
from codecs_rec.index import PRECISION, OctaveCode
from codecs_rec.quantile import grid
from codecs_rec.samplers.blocks import LANES, block_cells, coarse_points, coefficients, log_weights, race

#: Fractional bits of a latent as the decoder network takes it, and of its gain.
LATENT_BITS, GAIN_BITS = 8, 8
#: Proposals are a fixed sequence; a block's place in its chunk says where to look.
KEY = np.uint64(0)


@kernel
def _shortlist(m, s, key, elements, candidates, prices, points, index, scores):  # type: ignore[no-untyped-def]
    """Fill in the proposals with the largest ln dQ/dP less price, the best first: `index` and `scores` have shape (n, length)."""
    size, length = m.shape[1], index.shape[1]
    square, linear = np.empty(size, np.float32), np.empty(size, np.float32)
    words, weights = np.empty((4, LANES), np.uint64), np.empty(LANES, np.float32)
    for i in range(len(m)):
        constant, _ = coefficients(m[i], s[i], square, linear)
        index[i], scores[i] = 1, -math.inf
        octave = np.int64(0)
        for first in range(1, candidates + 1, LANES):
            log_weights(first, elements[i], key, words, points, square, linear, weights)
            for n in range(first, min(first + LANES, candidates + 1)):
                octave += n >> (octave + 1)
                score = constant + weights[n - first] - prices[octave]
                if score > scores[i, length - 1]:
                    j = length - 1
                    while j > 0 and scores[i, j - 1] < score:
                        index[i, j], scores[i, j] = index[i, j - 1], scores[i, j - 1]
                        j -= 1
                    index[i, j], scores[i, j] = n, score


@dataclass(frozen=True, eq=False)
class Blocks:
    """A partition of latents into blocks.

    Parameters
    ----------
    block
        Number of the block of each latent, -1 for one that is not sent: shape (latents,).
    octaves
        Counts of the octaves of each block's index, shape (blocks, octaves), rows adding up to 2^20; indices are below 2^octaves.
    gains
        What each latent is multiplied by before the decoder network, in units of 2^-8: shape (latents,).
    """

    block: NDArray[np.int64]
    octaves: NDArray[np.int64]
    gains: NDArray[np.int64]

    @property
    def count(self) -> int:
        """How many blocks there are."""
        return len(self.octaves)

    @property
    def candidates(self) -> int:
        """The largest index."""
        return (1 << int(self.octaves.shape[1])) - 1

    def members(self, b: int) -> NDArray[np.int64]:
        """The latents of a block."""
        return np.flatnonzero(self.block == b)

    def code(self, items: int) -> OctaveCode:
        """Code of indices of shape (items, blocks)."""
        which = np.broadcast_to(np.arange(self.count), (items, self.count))
        return OctaveCode(self.octaves, which=which)

    def elements(self, items: int, b: int, first: int = 0) -> NDArray[np.int64]:
        """Numbers of the b-th blocks of items from `first` on."""
        return (np.arange(items) + first) * self.count + b

    def sample(self, mean: NDArray[Any], scale: NDArray[Any], first: int = 0) -> NDArray[np.int64]:
        """Indices, shape (items, blocks), by ordered random coding; posteriors of shape (items, latents)."""
        index = np.empty((len(mean), self.count), np.int64)
        for b in range(self.count):
            at, elements = self.members(b), self.elements(len(mean), b, first)
            index[:, b] = race(mean[:, at], scale[:, at], KEY, self.candidates, finite=True, elements=elements)
        return index

    def shortlist(self, mean: NDArray[Any], scale: NDArray[Any], length: int, first: int = 0) -> NDArray[np.int64]:
        """Indices, shape (items, blocks, length), that cost least for the weight they have; the best first."""
        lists = np.empty((len(mean), self.count, length), np.int64)
        scores = np.empty((len(mean), length))
        for b in range(self.count):
            at, elements = self.members(b), self.elements(len(mean), b, first)
            m, s = np.ascontiguousarray(mean[:, at]), np.ascontiguousarray(scale[:, at])
            index = np.empty((len(mean), length), np.int64)
            _shortlist(m, s, KEY, elements, self.candidates, self.prices(b), coarse_points(), index, scores)
            lists[:, b] = index
        return lists

    def prices(self, b: int) -> NDArray[np.float64]:
        """Nats of an index in each octave."""
        bits = PRECISION - np.log2(self.octaves[b]) + np.arange(self.octaves.shape[1])
        return np.asarray(bits * math.log(2.0))

    def latents(self, index: NDArray[np.int64], first: int = 0) -> NDArray[np.int64]:
        """What the decoder network is given, in units of 2^-8: shape (items, latents)."""
        z = np.zeros((len(index), self.block.size), np.int64)
        for b in range(self.count):
            z[:, self.members(b)] = self.part(index[:, b], b, self.elements(len(index), b, first))
        return z

    def part(self, index: NDArray[np.int64], b: int, elements: NDArray[np.int64]) -> NDArray[np.int64]:
        """The latents of one block, for indices and blocks with these numbers: shape (n, members)."""
        at = self.members(b)
        cells = block_cells(np.ascontiguousarray(index), at.size, KEY, elements)
        return np.asarray((_fixed()[cells] * self.gains[at]) >> GAIN_BITS)


def _fixed() -> NDArray[np.int64]:
    return grid() >> (32 - LATENT_BITS)
