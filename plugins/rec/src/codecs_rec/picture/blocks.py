"""The latents of one step as blocks of about equal information: what is sent, in which blocks, and cut into how many intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from codecs_rec.latents import KEY, cell_points
from codecs_rec.lossy.plan import GAIN_BITS, POINT_BITS, amplitudes, cut, gains_of, row_of
from codecs_rec.model import scales
from codecs_rec.samplers.partition import cells_of, shortlist
from codecs_rec.transform import VALUE_BITS

#: A latent that tells less, in 64ths of a bit, is not sent.
LEAST = 4


@dataclass(frozen=True, eq=False)
class Blocks:
    """Blocks of latents under Gaussian priors, from numbers that both ends know.

    Parameters
    ----------
    members
        Latents of each block, as places in the flat array of the step; -1 where a block has fewer: shape (blocks, most).
    information
        What each of them tells, in 64ths of a bit; 0 where there is none: shape (blocks, most).
    cuts
        Binary digits that its axis is cut by: shape (blocks, most).
    deviations
        64 log2 of the deviation of each latent and its noise together, in 8-bit values: shape (blocks, most).
    row
        Table of the octaves of the blocks' numbers.
    numbers
        The numbers of the blocks within their image: shape (blocks,).
    """

    members: NDArray[np.int64]
    information: NDArray[np.int64]
    cuts: NDArray[np.int64]
    deviations: NDArray[np.int64]
    row: int
    numbers: NDArray[np.int64]

    @classmethod
    def of(cls, information: NDArray[np.int64], noise: int, block_bits: int, first: int) -> Blocks:
        """Deal latents of this information, flat, to blocks, in order of falling information, forwards and then backwards.

        `noise` is 64 log2 of the deviation of the noise, `first` the number of the first block.
        """
        told = np.where(information < LEAST, 0, information)
        cuts, count = cut(told, block_bits)
        sent = np.flatnonzero(told)
        order = sent[np.argsort(-told[sent], kind="stable")]
        count = min(count, len(order))
        turns = -(-len(order) // max(1, count))
        dealt = np.full((turns, count), -1)
        dealt.reshape(-1)[: len(order)] = order
        dealt[1::2] = dealt[1::2, ::-1]
        members = np.ascontiguousarray(dealt.T)
        there = members >= 0
        each = np.where(there, told[members], 0) if count else members
        row = row_of(told, cuts, count, block_bits)
        numbers = first + np.arange(count)
        return cls(members, each, np.where(there, cuts[members], 0) if count else members, noise + each, row, numbers)

    @property
    def count(self) -> int:
        """How many blocks there are."""
        return len(self.members)

    def bits(self) -> NDArray[np.int64]:
        """Of the box of each block."""
        return np.asarray(self.cuts.sum(1))

    def standardised(self, away: NDArray[np.float64]) -> NDArray[np.float64]:
        """Means of posteriors in units of their priors, shape (blocks, most): of latents that lie `away` of their priors' means, flat."""
        kept = amplitudes()[np.minimum(self.information, 511)] * 2.0**-16
        return np.asarray(away[self.members] * scales(-self.deviations) * kept)

    def choose(
        self, mean: NDArray[np.float64], candidates: int, prices: NDArray[np.float64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Box of each block, and number in it: those with the best of rate and distortion, or without prices a sample.

        Parameters
        ----------
        mean
            Of the posteriors, in units of their priors, shape (blocks, most).
        candidates
            That are looked at for each block, at most.
        prices
            Nats of a number in each octave, shape (octaves,), or none: shape (0,).
        """
        there = np.where(self.information > 0, mean, 0.0)
        price = np.broadcast_to(prices, (self.count, len(prices)))
        box, number = shortlist(there, scales(-self.information), self.cuts, KEY, candidates, self.numbers, price, 1)
        return box[:, 0], number[:, 0]

    def values(
        self, box: NDArray[np.int64], number: NDArray[np.int64], size: int, bits: int | None = None
    ) -> NDArray[np.int64]:
        """What proposals stand for, less the means of the priors, in units of 2^-4: shape (size,), flat.

        With `bits`, the proposals themselves, in units of 2^-bits: those of latents of a standard normal prior.
        """
        out, there = np.zeros(size, np.int64), self.members >= 0
        cells = cells_of(box, number, self.cuts, KEY, self.numbers)
        if bits is None:
            shift = POINT_BITS + GAIN_BITS - VALUE_BITS
            x = (cell_points(POINT_BITS)[cells] * gains_of(self.deviations, self.information)) >> shift
        else:
            x = cell_points(bits)[cells]
        out[self.members[there]] = x[there]
        return out
