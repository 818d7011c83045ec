"""An orthonormal transform of images in integers: cosines along rows and columns, and a rotation of the colours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Fractional bits of a matrix, and of what it is multiplied with.
MATRIX_BITS, VALUE_BITS = 13, 4


@dataclass(frozen=True, eq=False)
class Transform:
    """Images of height H, width W and C channels, and some of their coefficients; both in units of 2^-4.

    Parameters
    ----------
    rows, columns, colours
        Orthonormal matrices in units of 2^-13, shapes (H, H), (W, W) and (C, C): a row of each is a basis function.
    places
        Which coefficients there are, as places in an array of shape (H, W, C), ascending: shape (L,).
    """

    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    colours: NDArray[np.int64]
    places: NDArray[np.int64]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels."""
        return len(self.rows), len(self.columns), len(self.colours)

    def forward(self, x: NDArray[np.int64]) -> NDArray[np.int64]:
        """Coefficients, shape (n, L), of images of shape (n, H, W, C)."""
        y = _along(self.rows, self.columns, self.colours, x)
        return np.asarray(y.reshape(len(x), int(np.prod(self.shape)))[:, self.places])

    def inverse(self, y: NDArray[np.int64]) -> NDArray[np.int64]:
        """Images that have these coefficients, and 0 for the others."""
        whole = np.zeros((len(y), int(np.prod(self.shape))), np.int64)
        whole[:, self.places] = y
        return _along(self.rows.T, self.columns.T, self.colours.T, whole.reshape(len(y), *self.shape))


def _along(rows: NDArray[Any], columns: NDArray[Any], colours: NDArray[Any], x: NDArray[np.int64]) -> NDArray[np.int64]:
    """Sums of products of integers along each axis in turn, rounded down after each."""
    n, h, w, c = x.shape
    x = (rows @ x.reshape(n, h, w * c)) >> MATRIX_BITS
    x = (columns @ x.reshape(n, h, w, c)) >> MATRIX_BITS
    return np.asarray((x @ colours.T) >> MATRIX_BITS)


def cosines(size: int) -> NDArray[np.int64]:
    """The discrete cosine transform of `size` values (DCT-II), as a matrix. It is used to make models, so its floats need not be exact."""
    k, i = np.mgrid[:size, :size]
    matrix = np.cos(np.pi * k * (2 * i + 1) / (2 * size)) * np.sqrt(np.where(k == 0, 1, 2) / size)
    return np.asarray(np.rint(matrix * (1 << MATRIX_BITS)), np.int64)
