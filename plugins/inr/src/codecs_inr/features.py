"""Fourier features: sines and cosines of the coordinates, which is what a network is given of a place."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from codecs_core import Places
from codecs_inr.sine import PHASE_BITS, sine

#: Binary digits of a frequency below the point, in periods from one end of an axis to the other.
FREQUENCY_BITS = 10
#: Places along an axis: numerators from -1 to 1, and their denominator.
Coordinates = tuple[NDArray[np.int64], int]
_QUARTER = 1 << (PHASE_BITS - 2)


def fourier(grid: Sequence[int], frequencies: NDArray[np.int64]) -> NDArray[np.float64]:
    """Features of the centres of a grid's cells, in units of 2^-14.

    Parameters
    ----------
    grid
        Cells along each axis; a coordinate x runs from -1 to 1 whatever their number, so that a coarser grid shows the same image.
    frequencies
        In units of 2^-10, shape (F,). The features of a coordinate are cos(pi f x), then sin(pi f x).

    Returns
    -------
    NDArray[np.float64]
        Integers, shape (cells, 2 F axes): rows in C order.
    """
    return waves([(2 * np.arange(n, dtype=np.int64) + 1 - n, n) for n in grid], frequencies)


def waves(along: Sequence[Coordinates], frequencies: NDArray[np.int64]) -> NDArray[np.float64]:
    """As `fourier`, of the places whose coordinates along each axis are given."""
    grid, columns = [len(above) for above, _ in along], []
    for axis, (above, below) in enumerate(along):
        phase = (above[:, None] * frequencies << (PHASE_BITS - 1 - FREQUENCY_BITS)) // below
        found = np.concatenate([sine(phase + _QUARTER), sine(phase)], axis=1)
        shape = [1] * len(grid) + [found.shape[1]]
        shape[axis] = len(above)
        columns.append(np.broadcast_to(found.reshape(shape), (*grid, found.shape[1])))
    return np.concatenate(columns, axis=-1).reshape(-1, 2 * len(frequencies) * len(grid))


def coordinates(places: Places, length: int) -> Coordinates:
    """Where the places of a part of an axis lie for a network that shows `length` items from the beginning of the part on."""
    above, below = places.centres()
    return 2 * above - below * length, below * length
