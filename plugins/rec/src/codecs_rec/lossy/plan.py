"""How the latents of an item are sent: which of them, in which blocks, and cut into how many intervals."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from codecs_core.entropy import table
from codecs_rec.latents import KEY, cell_points, drawn
from codecs_rec.samplers.partition import MOST_CUTS, cells_of
from codecs_rec.transform import VALUE_BITS

#: Standard deviations are 2^(d / 64), with d below this.
DEVIATIONS = 1024
#: Binary digits that the latents of a block are cut by, at most on average, and 64ths of a bit that a cut latent tells beyond its interval.
LARGEST, BEYOND = 36, 32
#: Fractional bits of points.
POINT_BITS = 16
#: Those of gains.
GAIN_BITS = 8


@dataclass(frozen=True, eq=False)
class Plan:
    """How the latents of an item of one class are sent at one quality.

    Parameters
    ----------
    blocks
        The latents of each block, in order.
    gains
        What a standard normal proposal of each latent is multiplied by, in units of 2^-8: shape (latents,).
    row
        Table of the octaves of the blocks' numbers.
    cuts
        Binary digits that each latent's axis is cut by, shape (latents,).
    whole
        Whether blocks are not cut, as in payloads of versions 1 and 2, whose proposals were others.
    """

    blocks: list[NDArray[np.int64]]
    gains: NDArray[np.int64]
    row: int
    cuts: NDArray[np.int64]
    whole: bool = False

    def bits(self) -> list[int]:
        """Of the boxes of each block."""
        return [int(self.cuts[at].sum()) for at in self.blocks]

    def points(self, box: NDArray[np.int64], number: NDArray[np.int64], b: int) -> NDArray[np.int64]:
        """Coordinates of proposals of block b, in units of 2^-16: shape (n, members)."""
        at = self.blocks[b]
        if self.whole:
            return drawn(number, at.size, b, POINT_BITS)
        cuts = np.broadcast_to(self.cuts[at], (len(number), at.size))
        return cell_points(POINT_BITS)[cells_of(box, number, cuts, KEY, np.full(len(number), b))]

    def latents(self, box: NDArray[np.int64], number: NDArray[np.int64], b: int) -> NDArray[np.int64]:
        """Coefficients that proposals of block b stand for, in units of 2^-4: shape (n, members)."""
        return (self.points(box, number, b) * self.gains[self.blocks[b]]) >> (POINT_BITS + GAIN_BITS - VALUE_BITS)


def plan(deviations: NDArray[np.int64], noise: int, block_bits: int) -> Plan:
    """Blocks of equal information, cut so that about `block_bits` of it remain to be searched for.

    A latent of deviation S under noise of deviation N carries max(0, log2(S / N)) bits, and is cut by as many, rounded.
    """
    information = np.maximum(deviations - noise, 0)  # in 64ths of a bit
    cuts, count = cut(information, block_bits)
    blocks = dealt(information, count)
    return Plan(blocks, gains_of(deviations, information), row_of(information, cuts, len(blocks), block_bits), cuts)


def cut(information: NDArray[np.int64], block_bits: int) -> tuple[NDArray[np.int64], int]:
    """Binary digits that each latent's axis is cut by, and how many blocks there are, if there are as many latents."""
    cuts = np.minimum((information + 32) >> 6, MOST_CUTS)
    left = np.maximum(information - (cuts << 6), np.where(cuts > 0, BEYOND, information))
    return cuts, max(-(-int(left.sum()) // (64 * block_bits)), -(-int(cuts.sum()) // LARGEST))


def row_of(information: NDArray[np.int64], cuts: NDArray[np.int64], blocks: int, block_bits: int) -> int:
    """Table of the octaves of this number of blocks: what is left of their information beyond their boxes, in bits a block."""
    row = int((information - (cuts << 6)).sum()) // (64 * max(1, blocks))
    return min(max(row, 0), block_bits)


def whole_plan(deviations: NDArray[np.int64], noise: int, block_bits: int) -> Plan:
    """The plan of payloads of versions 1 and 2: blocks of `block_bits` on average, not cut."""
    information = np.maximum(deviations - noise, 0)
    total = int(information.sum())
    blocks = dealt(information, -(-total // (64 * block_bits)))
    row = min(total // (64 * max(1, len(blocks))), block_bits)
    return Plan(blocks, gains_of(deviations, information), row, np.zeros_like(information), whole=True)


def dealt(information: NDArray[np.int64], count: int) -> list[NDArray[np.int64]]:
    """The latents that carry information, in order of falling information, dealt to blocks forwards and then backwards."""
    sent = np.flatnonzero(information)
    order = sent[np.argsort(-information[sent], kind="stable")]
    count = min(count, len(order))
    if not count:
        return []
    turn, at = np.divmod(np.arange(len(order)), count)
    block = np.where(turn % 2, count - 1 - at, at)
    return [order[block == b] for b in range(count)]


def gains_of(deviations: NDArray[np.int64], information: NDArray[np.int64]) -> NDArray[np.int64]:
    """sqrt(S^2 - N^2) for S = 2^(deviation / 64), N that of the noise, in units of 2^-8."""
    below = DEVIATIONS - deviations
    product = amplitudes()[np.minimum(information, 511)] * table("exp2_negative")[below & 63]
    return np.asarray(product >> (8 + (below >> 6)))


@cache
def amplitudes() -> NDArray[np.int64]:
    """floor(2^16 sqrt(1 - 4^(-i / 64))) for i = 0 to 511, of the 4^(-i / 64) of the engine's table."""
    powers = table("exp2_negative")[np.minimum(2 * np.arange(512), 1023)]
    return np.array([math.isqrt((65536 - int(p)) << 16) for p in powers], np.int64)
