"""Where the items of an array lie at another resolution, for codecs that hold a function of the place.

An axis of n items is n long, and item i reaches from i to i + 1. At scale s an item is 1 / s long: item j has its centre at (j + 1/2) / s.
All of it is exact, so that every machine evaluates the same places.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_core.errors import ConfigError

#: Numerators and denominators of scales; with those up to this, places of long axes are 64-bit integers.
MOST = 4096
_HALF = Fraction(1, 2)
_TEXT = re.compile(r"[0-9]{1,9}(/[0-9]{1,9})?|[0-9]{0,9}\.[0-9]{1,9}")


def ratio(scale: Fraction | float | str) -> Fraction:
    """A scale as a fraction: ``2``, ``0.5`` and ``"2/3"`` are some; raises `ConfigError` for what is none."""
    text = str(scale)
    found = Fraction(text) if _TEXT.fullmatch(text) and not text.endswith("/0") else Fraction(0)
    if not (found > 0 and max(found.numerator, found.denominator) <= MOST):
        raise ConfigError(
            f"a scale must be a number such as 2, 0.5 or 2/3, a fraction of positive integers up to {MOST}, got {scale!r}"
        )
    return found


@dataclass(frozen=True)
class Places:
    """The items of a part of an axis at another resolution: those whose centre lies in the part.

    Parts side by side share none, and miss none.

    Parameters
    ----------
    start, stop
        Where the part begins and ends, in items of the axis.
    scale
        Items for each item of the axis.
    """

    start: int
    stop: int
    scale: Fraction = Fraction(1)

    @property
    def first(self) -> int:
        """Number of the first item, counted from the beginning of the axis."""
        return math.ceil(self.start * self.scale - _HALF)

    @property
    def count(self) -> int:
        """How many items there are."""
        return math.ceil(self.stop * self.scale - _HALF) - self.first

    def part(self, start: int, stop: int) -> Places:
        """The items of a part of this part; `start` and `stop` count from its beginning."""
        return Places(self.start + start, min(self.start + stop, self.stop), self.scale)

    def within(self, whole: Places) -> slice:
        """Which of the items of a part around it these are."""
        first = self.first - whole.first
        return slice(first, first + self.count)

    def centres(self) -> tuple[NDArray[np.int64], int]:
        """Where the centres are, in items from `start` on: numerators, shape (count,), and their denominator."""
        above, below = self.scale.numerator, self.scale.denominator
        j = self.first + np.arange(self.count, dtype=np.int64)
        return (2 * j + 1) * below - 2 * above * self.start, 2 * above


@dataclass(frozen=True)
class Grid:
    """A chunk at another resolution.

    Parameters
    ----------
    places
        The items along each axis.
    """

    places: tuple[Places, ...]

    @classmethod
    def of(cls, shape: Sequence[int], axes: Collection[int], scale: Fraction, start: Sequence[int] = ()) -> Grid:
        """The grid of a chunk of this shape, which begins at `start` of its array, with other items along `axes` alone."""
        starts = start or [0] * len(shape)
        each = zip(starts, shape, strict=True)
        return cls(tuple(Places(a, a + n, scale if i in axes else Fraction(1)) for i, (a, n) in enumerate(each)))

    @property
    def shape(self) -> tuple[int, ...]:
        """How many items there are along each axis."""
        return tuple(one.count for one in self.places)

    @property
    def size(self) -> int:
        """Number of items."""
        return math.prod(self.shape)

    def within(self, whole: Grid) -> tuple[slice, ...]:
        """Which of the items of a chunk around it these are."""
        return tuple(one.within(other) for one, other in zip(self.places, whole.places, strict=True))

    def nearest(self, chunk: NDArray[Any]) -> NDArray[Any]:
        """For a chunk that is its values, those that the centres lie in."""
        for axis, one in enumerate(self.places):
            above, below = one.centres()
            chunk = chunk.take(above // below, axis)
        return chunk
