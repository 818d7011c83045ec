"""Invertible 1 x 1 convolutions: Glow, section 3.2 of Kingma and Dhariwal 2018."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from codecs_core.errors import ModelError
from codecs_lbb.layers.entry import Entry
from codecs_lbb.layers.layer import Shuffle

#: Fractional bits of the entries of the matrices.
MATRIX_BITS = 12
_HALF = 1 << (MATRIX_BITS - 1)


class Convolution(Shuffle):
    """y = P L U x, pixel by pixel, each factor a sequence of shears whose sums are rounded to the grid, half up.

    A shear adds to one channel a function of others, in integers modulo 2^64: a bijection whatever the matrices.

    Parameters
    ----------
    order
        Of the outputs: integers, shape (channels,).
    lower, upper
        Integers in units of 2^-12, shape (channels, channels); below, and above, the diagonal. The diagonals are ones.
    """

    def __init__(self, order: NDArray[Any], lower: NDArray[Any], upper: NDArray[Any]) -> None:
        size = order.size
        if sorted(order.tolist()) != list(range(size)):
            raise ModelError(
                f"the order of a convolution's outputs is {order.tolist()}; expected a permutation of the integers from 0 to {size - 1}"
            )
        self.order = order.astype(np.int64)
        self.lower, self.upper = np.tril(lower.astype(np.int64), -1), np.triu(upper.astype(np.int64), 1)

    @classmethod
    def parse(cls, entry: Entry) -> Self:
        """Nothing follows the kind; the tensors are ``order``, ``lower`` and ``upper``."""
        entry.nothing()
        return cls(entry.tensor("order"), entry.tensor("lower", 2), entry.tensor("upper", 2))

    def to(self, x: NDArray[Any]) -> NDArray[np.int64]:
        """Multiply by U, by L, and reorder."""
        y = x.astype(np.int64)
        for c in range(len(self.order)):
            y[..., c] += _shear(y, self.upper[c])
        for c in reversed(range(len(self.order))):
            y[..., c] += _shear(y, self.lower[c])
        return y[..., self.order]

    def placed(self, bits: NDArray[np.float64]) -> NDArray[np.float64]:
        """Each y is made of all channels of x: they share the bits evenly."""
        return np.broadcast_to(bits.mean(-1, keepdims=True), bits.shape)

    def back(self, y: NDArray[Any]) -> NDArray[np.int64]:
        """Inverse of `to`."""
        x = np.empty(y.shape, np.int64)
        x[..., self.order] = y
        for c in range(len(self.order)):
            x[..., c] -= _shear(x, self.lower[c])
        for c in reversed(range(len(self.order))):
            x[..., c] -= _shear(x, self.upper[c])
        return x


def _shear(x: NDArray[np.int64], row: NDArray[np.int64]) -> NDArray[np.int64]:
    """The product of a row and the channels, on the grid."""
    total = np.full(x.shape[:-1], _HALF, np.int64)
    for c in np.flatnonzero(row):
        total += x[..., c] * row[c]
    return total >> MATRIX_BITS
