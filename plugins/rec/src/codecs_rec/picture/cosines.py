"""The latents of a block: cosines of each colour, their groups, and what they are before training."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from codecs_rec.picture.model import BLOCK, COLOURS

#: Where the groups of latents end: the largest sums of the numbers of a cosine, of brightness and of colours.
ENDS = ((1, 0), (4, 2), (14, 6))
#: Numbers of cosines of colours along an axis.
FEW = 4


@dataclass(frozen=True)
class Layout:
    """The latents of a block.

    Parameters
    ----------
    ends
        Where each group of them ends, as `ENDS` has it.
    """

    ends: tuple[tuple[int, int], ...] = ENDS

    @cached_property
    def latents(self) -> list[tuple[int, int, int]]:
        """Colour, and numbers of the cosines along rows and columns, group by group."""
        out: list[tuple[int, int, int]] = []
        for end in self.ends:
            for colour in range(COLOURS):
                side = FEW if colour else BLOCK
                all_ = [(colour, u, v) for u in range(side) for v in range(side) if u + v <= end[bool(colour)]]
                out += [one for one in all_ if one not in out]
        return out

    @cached_property
    def edges(self) -> list[int]:
        """Where each group begins, and the end."""
        return [0, *(sum(u + v <= end[bool(c)] for c, u, v in self.latents) for end in self.ends)]

    @property
    def sizes(self) -> list[int]:
        """Latents of each group."""
        return [int(n) for n in np.diff(self.edges)]

    def signs(self) -> NDArray[np.int64]:
        """What a latent is multiplied by in a block mirrored up or down, and left or right: shape (2, latents)."""
        return np.array([[(-1) ** u for _, u, _ in self.latents], [(-1) ** v for _, _, v in self.latents]])

    def kernels(self) -> NDArray[np.float64]:
        """What latents are at first, orthonormal: shape (latents, colours, 24, 24)."""
        colours = np.array([[1, 1, 1], [1, 0, -1], [1, -2, 1]]) / np.sqrt([[3], [2], [6]])
        lapped_ = lapped()
        return np.array([colours[c][:, None, None] * np.outer(lapped_[u], lapped_[v]) for c, u, v in self.latents])


def cosines(size: int, half: float = 0.0) -> NDArray[np.float64]:
    """The orthonormal cosine transform DCT-II, or with half = 0.5 DCT-IV."""
    k, i = np.mgrid[:size, :size]
    matrix = np.cos(np.pi * (k + half) * (2 * i + 1) / (2 * size)) * np.sqrt(2 / size)
    if not half:
        matrix[0] *= np.sqrt(0.5)
    return np.asarray(matrix)


def lapped() -> NDArray[np.float64]:
    """An orthonormal lapped transform: a filter over each edge of blocks, then cosines (Tran, Liang, Tu 2003): (8, 24), a window a row."""
    n, h = BLOCK, BLOCK // 2
    flip = np.eye(h)[::-1]
    v = flip @ cosines(h).T @ cosines(h, 0.5) @ flip
    butterfly = np.block([[np.eye(h), flip], [flip, -np.eye(h)]]) / np.sqrt(2)
    inner = np.block([[np.eye(h), np.zeros((h, h))], [np.zeros((h, h)), v]])
    edge = butterfly @ inner @ butterfly
    signal = np.eye(3 * n)
    for at in (n, 2 * n):
        signal[at - h : at + h] = edge @ signal[at - h : at + h]
    return np.asarray(cosines(n) @ signal[n : 2 * n], np.float64)
