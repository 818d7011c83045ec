"""Fourier features: sines and cosines of the coordinates, which is what a network is given of a place."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from codecs_inr.sine import PHASE_BITS, sine

#: Binary digits of a frequency below the point, in periods from one end of an axis to the other.
FREQUENCY_BITS = 10
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
    columns = []
    for axis, n in enumerate(grid):
        place = 2 * np.arange(n, dtype=np.int64) + 1 - n  # n x
        phase = (place[:, None] * frequencies << (PHASE_BITS - 1 - FREQUENCY_BITS)) // n
        along = np.concatenate([sine(phase + _QUARTER), sine(phase)], axis=1)
        shape = [1] * len(grid) + [along.shape[1]]
        shape[axis] = n
        columns.append(np.broadcast_to(along.reshape(shape), (*grid, along.shape[1])))
    return np.concatenate(columns, axis=-1).reshape(-1, 2 * len(frequencies) * len(grid))
