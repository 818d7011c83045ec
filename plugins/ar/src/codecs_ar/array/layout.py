"""How the axes of an array are taken: which make the rows and columns of a plane, which are slices, which are channels of a series."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Margins of a plane: rows above, columns on both sides.
ABOVE, BESIDE = 3, 4
#: Lags of a series, of the channel at hand and of those next to it; channels it may have.
LAGS, CROSS_LAGS, MOST_CHANNELS = 24, 7, 16
#: (row, column) of neighbours in the same slice, beside the one to the left; in the slice before,
#: along the last outer axis; along others.
PLANE = [(-1, 0), (-1, -1), (-1, 1), (0, -2), (-2, 0), (-2, 1), (-2, -1), (-1, -2), (-1, 2), (0, -3), (-3, 0)]
BEFORE = [(0, 0), (0, -1), (-1, 0), (0, 1), (1, 0), (-1, 1), (1, 1), (-1, -1)]
FURTHER = [(0, 0), (0, -1), (-1, 0), (0, 1)]
#: More of them, since payload version 2: where there are no slices; in the last but one slice, along the last outer axis.
ALONE = [(-2, 2), (-2, -2), (-1, -3), (0, -4)]
SECOND = [(0, 0), (0, -1), (-1, 0)]
#: The same where a plane has one row.
ROW, ROW_BEFORE = [(0, -2), (0, -3), (0, -4)], [(0, d) for d in range(-3, 4)]
#: Whose errors tell the scale of the next one, and how much they count; the same place in slices before; in a row, and in a series.
NEAR = [((0, -1), 2), ((-1, 0), 2), ((-1, -1), 1), ((-1, 1), 1), ((0, -2), 1), ((-2, 0), 1)]
NEAR_BEFORE = 2
NEAR_ROW = [((0, -1), 4), ((0, -2), 3), ((0, -3), 2), ((0, -4), 1)]
NEAR_SERIES = [16, 14, 12, 10, 8, 7, 6, 5, 4, 4]
#: Of the fast level: how many regressors of the plane, of the slice before; lags of a series, of the channels next to it.
QUICK, QUICK_BEFORE, QUICK_LAGS, QUICK_CROSS = 6, 5, 16, 3
#: Outer axes along which slices are neighbours.
OUTER = 3


@dataclass(frozen=True)
class Layout:
    """Roles of the axes.

    Parameters
    ----------
    order
        The axes of an array without those of length 1, in the order in which they are nested: a permutation.
    series
        Whether the first of them is time, and all others are channels; if not, the last two are rows and columns of planes.
    """

    order: tuple[int, ...]
    series: bool


@dataclass(frozen=True)
class Geometry:
    """Where the values of an array lie in memory, with margins, and where neighbours are; the fields are those of `scene.Scene`."""

    outer: int
    height: int
    width: int
    channels: int
    stride: int
    area: int
    start: int
    size: int
    patterns: NDArray[np.uint8]
    own: NDArray[np.int64]
    masks: NDArray[np.uint8]
    quick: NDArray[np.int64]
    near: NDArray[np.int64]
    near_weights: NDArray[np.float64]
    spots: NDArray[np.int64]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Slices, rows and columns."""
        return self.outer, self.height, self.width

    @property
    def kept(self) -> int:
        """A power of two: of that many places, one behind the other, errors are kept, which reaches back to all that are asked for."""
        margin = ABOVE * self.stride if self.height > 1 else 0
        return 1 << (max(-int(self.near.min()), margin + BESIDE) + BESIDE).bit_length()

    def view(self, padded: NDArray[Any]) -> NDArray[Any]:
        """The values of an array with margins."""
        step = padded.itemsize
        return np.lib.stride_tricks.as_strided(
            padded[self.start :], self.shape, (self.area * step, self.stride * step, step)
        )


def geometry(shape: tuple[int, ...], series: bool, version: int) -> Geometry:
    """For an array of this shape, its axes in order, none of length 1 but for a single one; as a payload version has it."""
    return _series(shape) if series else _planes(shape, version)


def _series(shape: tuple[int, ...]) -> Geometry:
    channels, size = math.prod(shape[1:]), math.prod(shape)
    own = [-lag * channels for lag in range(2, LAGS + 1)]
    for d in range(1, min(channels, 4)):
        own += [-d - lag * channels for lag in range(CROSS_LAGS)]
    start = (LAGS + 1) * channels + BESIDE + 1
    weights = np.array([NEAR_SERIES], np.float64)
    near = [-lag * channels for lag in range(1, len(NEAR_SERIES) + 1)]
    spots = [-lag * channels for lag in (1, 1, 2, 3, 2, 2, 3, 3)]
    if channels > 1:
        spots[3] = -1
    return Geometry(
        1,
        1,
        size,
        channels,
        size,
        size,
        start,
        start + size + BESIDE,
        np.zeros(1, np.uint8),
        np.array(own),
        np.ones((1, len(own)), np.uint8),
        np.array(
            [
                i
                for i in range(len(own))
                if i < QUICK_LAGS or (i >= LAGS - 1 and (i - LAGS + 1) % CROSS_LAGS < QUICK_CROSS)
            ]
        ),
        np.array(near),
        (weights / weights.sum()).reshape(-1),
        np.array(spots),
    )


def _planes(shape: tuple[int, ...], version: int) -> Geometry:
    *outer, height, width = (1, *shape)[-max(2, len(shape)) :]
    stride, count = width + 2 * BESIDE, math.prod(outer)
    area = (ABOVE + height + 1) * stride
    flat = height == 1

    def at(place: tuple[int, int]) -> int:
        return place[0] * stride + place[1]

    alone = ALONE if version > 1 and not outer and not flat else []
    own = [(at(place), 0) for place in (ROW if flat else PLANE + alone)]
    quick = list(range(min(len(own), QUICK)))
    near = [(at(place), weight, 0) for place, weight in (NEAR_ROW if flat else NEAR)]
    patterns, step, repeat = np.zeros(count, np.uint8), area, 1
    for axis, length in enumerate(outer[: -OUTER - 1 : -1]):
        places = ROW_BEFORE if flat else FURTHER if axis else BEFORE
        quick += range(len(own), len(own) + (QUICK_BEFORE if axis == 0 else 1))
        own += [(at(place) - step, 1 << axis) for place in places]
        near.append((-step, NEAR_BEFORE, 1 << axis))
        index = np.arange(count) // repeat % length
        patterns |= ((index > 0) << axis).astype(np.uint8)
        if axis == 0 and version > 1:
            own += [(at(place) - 2 * step, 1 << OUTER) for place in SECOND]
            patterns |= ((index > 1) << OUTER).astype(np.uint8)
        step, repeat = step * length, repeat * length
    kinds = np.arange(2 << OUTER)[:, None]
    masks = np.array([(kinds & bit) == bit for _, bit in own])[..., 0].T
    weights = np.array([np.where((kinds & bit) == bit, float(w), 0.0) for _, w, bit in near])[..., 0].T
    spots = (
        [-1, -1, -2, -3, -2, -2, -3, -3]
        if flat
        else [-1, -stride, -stride - 1, -stride + 1, -2, -stride, -2, -2 * stride]
    )
    return Geometry(
        count,
        height,
        width,
        1,
        stride,
        area,
        ABOVE * stride + BESIDE,
        count * area + 2 * stride,
        patterns,
        np.array([place for place, _ in own]),
        np.ascontiguousarray(masks, np.uint8),
        np.array(quick),
        np.array([place for place, _, _ in near]),
        np.ascontiguousarray(weights / weights.sum(axis=1, keepdims=True)).reshape(-1),
        np.array(spots),
    )
