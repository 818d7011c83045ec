"""The lapped cosine transform of photographs: cosines of blocks that overlap, of three colours."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from codecs_rec.transform import MATRIX_BITS, VALUE_BITS

#: Side of a block in pixels, pixels that its window reaches beyond it, and colours.
BLOCK, MARGIN, COLOURS = 8, 8, 3
WINDOW = BLOCK + 2 * MARGIN
#: Fractional bits of what lies between the steps of the inverse.
INNER_BITS = 8


@dataclass(frozen=True, eq=False)
class Lapped:
    """Images of colours, and some of the coefficients of their blocks.

    Parameters
    ----------
    basis
        What a coefficient adds to its window along an axis, in units of 2^-13: shape (8, 24).
    colours
        What it adds to each channel, by its colour, in the same units: shape (3, 3).
    places
        Which coefficients there are: colour, and the numbers of the cosines along rows and columns; shape (L, 3).
    """

    basis: NDArray[np.int64]
    colours: NDArray[np.int64]
    places: NDArray[np.int64]

    @cached_property
    def signs(self) -> NDArray[np.int64]:
        """What the coefficients of a block that is mirrored, up and down or left and right, are multiplied by: shape (2, L)."""
        return np.asarray(1 - 2 * (self.places[:, 1:].T & 1))

    def forward(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Coefficients, shape (rows, columns, L) of blocks, of an image of shape (h, w, 3): floats, for encoders.

        The image is mirrored up to whole blocks, and beyond its edges.
        """
        h, w, _ = x.shape
        whole = np.pad(x, ((0, -h % BLOCK), (0, -w % BLOCK), (0, 0)), "symmetric")
        whole = np.pad(whole, ((MARGIN, MARGIN), (MARGIN, MARGIN), (0, 0)), "symmetric")
        # what goes to BLAS is contiguous
        basis, colours = (np.ascontiguousarray(matrix.T) * 2.0**-MATRIX_BITS for matrix in (self.basis, self.colours))
        rows = np.lib.stride_tricks.sliding_window_view(whole, WINDOW, 0)[::BLOCK]  # (rows, w, 3, 24)
        y = np.ascontiguousarray(rows) @ basis
        columns = np.lib.stride_tricks.sliding_window_view(y, WINDOW, 1)[:, ::BLOCK]  # (rows, columns, 3, 8, 24)
        y = np.ascontiguousarray((np.ascontiguousarray(columns) @ basis).transpose(0, 1, 3, 4, 2)) @ colours
        colour, u, v = self.places.T
        return np.asarray(y[:, :, u, v, colour])

    def inverse(self, z: NDArray[np.int64]) -> NDArray[np.int64]:
        """The image, shape (8 rows, 8 columns, 3), of coefficients (rows, columns, L): integers, in units of 2^-4, on every machine."""
        z = np.concatenate([self.signs[0] * z[:1], z, self.signs[0] * z[-1:]], 0)
        z = np.concatenate([self.signs[1] * z[:, :1], z, self.signs[1] * z[:, -1:]], 1)
        rows, columns, _ = z.shape
        whole = np.zeros((rows, columns, COLOURS, BLOCK, BLOCK), np.int64)
        colour, u, v = self.places.T
        whole[:, :, colour, u, v] = z
        height, width = (rows - 2) * BLOCK, (columns - 2) * BLOCK
        x = self._overlapped(whole.swapaxes(3, 4).reshape(rows, -1, BLOCK), MATRIX_BITS + VALUE_BITS - INNER_BITS)
        x = x.reshape(height, columns, COLOURS, BLOCK).swapaxes(0, 1).reshape(columns, -1, BLOCK)
        x = self._overlapped(x, MATRIX_BITS).reshape(width, height, COLOURS).swapaxes(0, 1)
        return np.asarray(x @ self.colours >> (MATRIX_BITS + INNER_BITS - VALUE_BITS))

    def _overlapped(self, z: NDArray[np.int64], shift: int) -> NDArray[np.int64]:
        """Sums of what blocks add along one axis, shape (8 n, m), of coefficients (n + 2, m, 8), rounded down."""
        near = np.concatenate([z[:-2], z[1:-1], z[2:]], -1)
        last, middle, first = self.basis[:, 2 * BLOCK :], self.basis[:, BLOCK : 2 * BLOCK], self.basis[:, :BLOCK]
        # sums are below 2^53, so that floats are exact, whatever flags a kernel raises for lanes that it computes and does not use
        with np.errstate(all="ignore"):
            sums = near.astype(np.float64) @ np.concatenate([last, middle, first]).astype(np.float64)
        return np.asarray((sums.astype(np.int64) >> shift).swapaxes(1, 2).reshape(-1, z.shape[1]))


def cosines(size: int, half: float = 0.0) -> NDArray[np.float64]:
    """The orthonormal cosine transform DCT-II, or with half = 0.5 DCT-IV. It is used to make models, so its floats need not be exact."""
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
    signal = np.eye(WINDOW)
    for at in (n, 2 * n):
        signal[at - h : at + h] = edge @ signal[at - h : at + h]
    return np.asarray(cosines(n) @ signal[n : 2 * n], np.float64)


def opponent() -> NDArray[np.float64]:
    """Brightness and two differences of colours, orthonormal: shape (3, 3)."""
    return np.asarray(np.array([[1, 1, 1], [1, 0, -1], [1, -2, 1]]) / np.sqrt([[3], [2], [6]]))
