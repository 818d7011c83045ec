"""Groups of weights of about equal information: one index, of a number of bits that is always the same, stands for all weights of a group.

Both ends draw the same proposals from the prior; an index says which of them the weights are (Havasi et al. 2019; Guo et al. 2023,
section 3.2). The proposals are those of `codecs_rec`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from codecs_rec.latents import KEY, cell_points, shortlist
from codecs_rec.samplers.blocks import block_cells
from numpy.typing import NDArray

from codecs_inr.network import Floats
from codecs_inr.trellis import path

#: Binary digits of a proposal below the point, in units of the prior's deviation.
POINT_BITS = 16
#: The widest target of a search: wider ones would be no more likely than the prior itself.
_WIDEST = 0.999
#: Bits of a weight that is not worth sending.
_SILENT = 0.05
#: Parts that groups joined by windows are settled in.
STAGES = 2


def partition(bits: NDArray[np.floating], count: int, rng: np.random.Generator | None = None) -> NDArray[np.int64]:
    """The group of each weight, shape (size,), for weights that tell `bits` on average: `count` groups of about equal information.

    Weights are dealt in order of falling information, forwards and then backwards. With `rng`, groups have numbers at random, and weights
    that tell nearly nothing have none: they are not sent. Of no groups, none is.
    """
    if not count:
        return np.full(len(bits), -1)
    order = np.argsort(-bits, kind="stable")
    turn, at = np.divmod(np.arange(len(order)), count)
    group = np.empty(len(order), np.int64)
    group[order] = np.where(turn % 2, count - 1 - at, at)
    if rng is None:
        return group
    silent = bits < _SILENT
    silent[order[:count]] = False
    return np.where(silent, -1, rng.permutation(count)[group])


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
    window
        If not 0, the bits that name a proposal: those of the group's index, the lowest ones, and of the indices before it (`trellis`).
    """

    group: NDArray[np.int64]
    bits: int
    mixed: bool = False
    window: int = 0

    @cached_property
    def members(self) -> list[NDArray[np.int64]]:
        """The weights of each group, in ascending order."""
        ends = np.cumsum(np.bincount(self.group + 1, minlength=1))  # of those that are not sent, then of each group
        return np.split(np.argsort(self.group, kind="stable"), ends)[1:-1]

    @property
    def told(self) -> Floats:
        """Bits that an index tells of each weight, if it tells as much of all in its group: shape (size,)."""
        sizes = np.bincount(self.group + 1, minlength=2)
        each = self.bits / np.maximum(sizes, 1)
        each[0] = 0
        return np.asarray(each[self.group + 1], np.float32)

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

    @property
    def stages(self) -> list[range]:
        """Groups that are settled at once: one after the other or, where windows join them, in `STAGES` parts."""
        ends = (
            np.linspace(0, self.count, min(STAGES, self.count) + 1).astype(int).tolist()
            if self.window
            else range(self.count + 1)
        )
        return [range(*pair) for pair in pairwise(ends)]

    def choose(self, stage: range, index: NDArray[np.int64], mean: Floats, deviation: Floats) -> NDArray[np.int64]:
        """Indices of the groups of a stage, shape (n, groups): those with the largest ratio of posterior to prior.

        In a posterior that is in balance, log q / p is the loss that is to be made small, so that this is the best of all random
        code words.

        Parameters
        ----------
        index
            Of the groups before, shape (n, stage.start).
        mean, deviation
            Of the posterior, in units of the prior, shape (n, size).
        """
        both = [self.rows(a).astype(np.float64) for a in (mean, np.minimum(deviation, _WIDEST))]
        targets = [(both[0][:, at], both[1][:, at]) for at in (self.members[g] for g in stage)]
        if self.window:
            state = self.proposals(index)[:, -1] if stage.start else np.zeros(len(mean), np.int64)
            state &= (1 << (self.window - self.bits)) - 1
            return path(targets, stage.start, state, self.window, self.bits)
        ((m, s),) = targets
        sizes, free = np.full(len(m), m.shape[1]), np.zeros((len(m), self.bits))
        return shortlist(m, s, sizes, stage.start, free, 1)

    def proposals(self, index: NDArray[np.int64]) -> NDArray[np.int64]:
        """Numbers of the proposals that indices of the first groups name, both of shape (n, k)."""
        if not self.window:
            return index
        out, last = np.empty_like(index), np.zeros(len(index), np.int64)
        for g in range(index.shape[1]):
            last = out[:, g] = ((last << self.bits) | index[:, g]) & ((1 << self.window) - 1)
        return out

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
            cells = block_cells(np.ascontiguousarray(self.proposals(index)).reshape(-1), longest, KEY, elements)
            points = cell_points(POINT_BITS)[cells].reshape(n, k, longest)
            for g, at in enumerate(self.members[:k]):
                z[:, at] = points[:, g, : at.size]
        return self.signals(z)


def _rolled(values: NDArray[Any], by: int) -> NDArray[Any]:
    """Column j moved down by j rows, those at the bottom to the top; `by` -1: up."""
    n, size = values.shape
    at = (np.arange(n)[:, None] - by * np.arange(size)) % max(1, n)
    return np.take_along_axis(values, at, 0)
