"""Groups of weights of about equal information: one index, of a number of bits that is always the same, stands for all weights of a group.

Both ends draw the same proposals from the prior; an index says which of them the weights are (Havasi et al. 2019; Guo et al. 2023,
section 3.2). The proposals are those of `codecs_rec`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from codecs_rec.latents import KEY, cell_points, shortlist
from codecs_rec.samplers.blocks import block_cells
from numpy.typing import NDArray

from codecs_inr.network import Floats

#: Binary digits of a proposal below the point, in units of the prior's deviation.
POINT_BITS = 16
#: The widest target of a search: wider ones would be no more likely than the prior itself.
_WIDEST = 0.999


def partition(bits: NDArray[np.floating], count: int) -> NDArray[np.int64]:
    """The group of each weight, shape (size,), for weights that tell `bits` on average: `count` groups of about equal information.

    Weights are dealt in order of falling information, forwards and then backwards.
    """
    order = np.argsort(-bits, kind="stable")
    turn, at = np.divmod(np.arange(len(order)), count)
    group = np.empty(len(order), np.int64)
    group[order] = np.where(turn % 2, count - 1 - at, at)
    return group


@dataclass(frozen=True, eq=False)
class Groups:
    """A partition of weights, the same for every signal.

    Parameters
    ----------
    group
        Of each weight, from 0 on, or -1 for one that is not sent and stays at the prior's mean: shape (size,).
    bits
        Of an index.
    mixed
        Whether an index stands for weights of several signals: number j of signal i of n belongs to row (i + j) mod n, and a row has an
        index for each group. Signals that tell more than others then take more of the bits. If not, the rows are the signals.
    """

    group: NDArray[np.int64]
    bits: int
    mixed: bool = False

    @cached_property
    def members(self) -> list[NDArray[np.int64]]:
        """The weights of each group."""
        return [np.flatnonzero(self.group == g) for g in range(self.count)]

    @property
    def count(self) -> int:
        """How many groups there are."""
        return int(self.group.max(initial=-1)) + 1

    def rows(self, values: NDArray[Any]) -> NDArray[Any]:
        """Values of the weights of each signal, shape (n, size), row by row: the same shape."""
        return _rolled(values, 1) if self.mixed else values

    def signals(self, values: NDArray[Any]) -> NDArray[Any]:
        """Inverse of `rows`."""
        return _rolled(values, -1) if self.mixed else values

    def sums(self, values: Floats) -> Floats:
        """Sums over each group of values of shape (n, size): shape (n, groups)."""
        rows = self.rows(values)
        return np.stack([rows[:, at].sum(1) for at in self.members], axis=1)

    def spread(self, values: Floats) -> Floats:
        """Values of groups, shape (n, groups), for each weight: shape (n, size); what is not sent gets 1."""
        padded = np.concatenate([values, np.ones((len(values), 1), values.dtype)], axis=1)
        return self.signals(np.asarray(padded[:, self.group]))

    def choose(self, g: int, mean: Floats, deviation: Floats) -> NDArray[np.int64]:
        """Indices of group `g`, shape (n,): of all proposals, the ones with the largest ratio of posterior to prior.

        In a posterior that is in balance, log q / p is the loss that is to be made small, so that this is the best of 2^bits random
        code words.

        Parameters
        ----------
        mean, deviation
            Of the posterior, in units of the prior, shape (n, size).
        """
        at = self.members[g]
        m, s = (self.rows(a)[:, at].astype(np.float64) for a in (mean, np.minimum(deviation, _WIDEST)))
        sizes, free = np.full(len(m), at.size), np.zeros((len(m), self.bits))
        return shortlist(m, s, sizes, g, free, 1)[:, 0]

    def values(self, index: NDArray[np.int64]) -> NDArray[np.int64]:
        """What indices of shape (n, k) of the first k groups stand for, in units of 2^-16 of the prior's deviation.

        Returns
        -------
        NDArray[np.int64]
            Shape (n, size), 0 for what is not sent.
        """
        n, k = index.shape
        z = np.zeros((n, len(self.group)), np.int64)
        if index.size:
            longest = max(at.size for at in self.members[:k])
            elements = np.tile(np.arange(k), n)
            cells = block_cells(np.ascontiguousarray(index).reshape(-1), longest, KEY, elements)
            points = cell_points(POINT_BITS)[cells].reshape(n, k, longest)
            for g, at in enumerate(self.members[:k]):
                z[:, at] = points[:, g, : at.size]
        return self.signals(z)


def _rolled(values: NDArray[Any], by: int) -> NDArray[Any]:
    """Column j moved down by j rows, those at the bottom to the top; `by` -1: up."""
    n, size = values.shape
    at = (np.arange(n)[:, None] - by * np.arange(size)) % max(1, n)
    return np.take_along_axis(values, at, 0)
