"""Signals of any size as patches of one size, row by row; those at the end of an axis reach beyond the signal."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_core import Places


def axes(shape: tuple[int, ...], channels: int) -> tuple[int, int]:
    """Which axes of an array of images are rows and columns."""
    last = len(shape) - (1 if len(shape) > 2 and shape[-1] == channels else 0)
    return last - 2, last - 1


def counts(grid: Sequence[int], side: Sequence[int]) -> tuple[int, ...]:
    """Patches along each axis that cover a signal."""
    return tuple(-(-length // part) for length, part in zip(grid, side, strict=True))


def cut(signals: NDArray[Any], side: Sequence[int]) -> NDArray[Any]:
    """Patches, shape (patches, *side, c), of signals of shape (n, *grid, c); beyond a border its values are repeated."""
    n, *grid, c = signals.shape
    if not signals.size:
        return np.zeros((0, *side, c), signals.dtype)
    many = counts(grid, side)
    margins = [(0, count * part - length) for count, part, length in zip(many, side, grid, strict=True)]
    whole = np.pad(signals, [(0, 0), *margins, (0, 0)], mode="edge")
    apart = whole.reshape(n, *(length for pair in zip(many, side, strict=True) for length in pair), c)
    inner = range(1, 2 * len(side), 2)
    return apart.transpose(0, *inner, *(axis + 1 for axis in inner), 2 * len(side) + 1).reshape(-1, *side, c)


def strips(places: Places, length: int) -> Iterator[tuple[slice, Places]]:
    """The places of an axis patch by patch: which they are, and where."""
    for start in range(0, places.stop - places.start, length):
        one = places.part(start, start + length)
        yield one.within(places), one


def joined(patches: NDArray[Any], shape: Sequence[int]) -> NDArray[Any]:
    """Inverse of `cut`: signals of shape (n, *grid, c)."""
    n, *grid, c = shape
    side = patches.shape[1:-1]
    many = counts(grid, side)
    pairs = [axis for i in range(1, len(side) + 1) for axis in (i, i + len(side))]
    whole = patches.reshape(n, *many, *side, c).transpose(0, *pairs, 2 * len(side) + 1)
    within = tuple(slice(length) for length in grid)
    return whole.reshape(n, *(count * part for count, part in zip(many, side, strict=True)), c)[:, *within]


def total(shape: Sequence[int], side: Sequence[int]) -> int:
    """Patches of signals of shape (n, *grid, c)."""
    n, *grid, _ = shape
    return n * math.prod(counts(grid, side))
