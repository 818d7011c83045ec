"""Patches of an image that share what they have in common: a patch's numbers are the sum of its own, its group's and its image's.

Each of these levels has a prior of its own, and what they tell adds up (He et al. 2024, RECOMBINER, section 3.3). Posteriors of all
levels are the rows of one array: first those of images, then those of groups, then those of patches.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_inr.network import Floats
from codecs_inr.patches import counts
from codecs_inr.prior import Prior, spread

#: Levels of patches that share something: image, group, patch.
LEVELS = 3
#: Groups along each axis of the crops that are learned from.
CROP = 2


def crop(group: Sequence[int]) -> tuple[int, ...]:
    """Patches along each axis of the images that are learned from, of patches along each axis of a group."""
    return tuple(CROP * side for side in group)


@dataclass(frozen=True, eq=False)
class Family:
    """Which row of each level each patch is the sum of.

    Parameters
    ----------
    at
        From the first level to that of the patches themselves, each of shape (patches,).
    """

    at: tuple[NDArray[np.int64], ...]

    @classmethod
    def alone(cls, patches: int) -> Family:
        """Of patches that share nothing: one level."""
        return cls((np.arange(patches),))

    @classmethod
    def of(cls, many: Sequence[int], group: Sequence[int]) -> Family:
        """Of images that have `many` patches, (n, along each axis), in groups of `group`, patches along each axis."""
        n, *sides = many
        image, *place = np.indices(many).reshape(len(many), -1)
        within = [each // side for each, side in zip(place, group, strict=True)]
        groups = np.ravel_multi_index([image, *within], (n, *counts(sides, group))) if image.size else image
        return cls((image, np.asarray(groups, np.int64), np.arange(image.size)))

    @property
    def rows(self) -> list[int]:
        """How many rows each level has."""
        return [int(each.max(initial=-1)) + 1 for each in self.at]

    @cached_property
    def parts(self) -> list[slice]:
        """Where the rows of each level are in an array of all."""
        ends = [0, *accumulate(self.rows)]
        return [slice(*pair) for pair in pairwise(ends)]

    def total(self, levels: Sequence[NDArray[Any]]) -> NDArray[Any]:
        """The sum of what each patch has of all levels, shape (patches, numbers), of rows of each level."""
        first, *others = (level[at] for level, at in zip(levels, self.at, strict=True))
        return sum(others, start=first)

    @cached_property
    def _adders(self) -> list[Floats]:
        """Matrices that add up, for each row of a level above the patches, the patches below it."""
        pairs = zip(self.rows[:-1], self.at, strict=False)
        return [np.equal.outer(np.arange(rows), at).astype(np.float32) for rows, at in pairs]

    def apart(self, x: Floats) -> list[Floats]:
        """Rows of each level whose total is x: means of the patches below, each of what the levels before leave."""
        levels = []
        for adder, at in zip(self._adders, self.at, strict=False):
            levels.append(adder @ x / adder.sum(1, keepdims=True))
            x = x - levels[-1][at]
        return [*levels, x]

    def shares(self, gradient: Floats) -> list[Floats]:
        """Gradients with respect to the rows of each level, of one with respect to what the patches have in all."""
        return [*(adder @ gradient for adder in self._adders), gradient]


@dataclass(frozen=True, eq=False)
class Shared(Prior):
    """The prior of patches that share numbers; `std` has a row for each level.

    Parameters
    ----------
    family
        Of the patches.
    """

    family: Family = Family(())

    def numbers(self, z: Floats) -> Floats:
        """As of `Prior`, for z of all levels."""
        return self.family.total([std * z[part] for std, part in zip(self.std, self.family.parts, strict=True)])

    def pull(self, gradient: Floats) -> Floats:
        """As of `Prior`."""
        slope = np.asarray(spread(gradient, tuple(matrix.T for matrix in self.basis)), np.float32)
        return np.concatenate([std * each for std, each in zip(self.std, self.family.shares(slope), strict=True)])


def shared(prior: Prior, family: Family) -> Prior:
    """A prior for these patches: as it is if they have one level."""
    return Shared(prior.mean, prior.std, prior.basis, family) if len(family.at) > 1 else prior
