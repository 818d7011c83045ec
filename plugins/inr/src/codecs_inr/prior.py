"""The prior of the weights of a signal's network: normal distributions, after a linear map that is learned for each layer.

A network is w = mean + basis (std z) with z ~ N(0, 1). Without a basis the weights are independent (COMBINER: Guo et al. 2023); with
one, what a signal tells is in the directions that signals differ in (RECOMBINER: He et al. 2024, section 3.1).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from codecs_inr.network import Floats

#: Products of a matrix product that OpenBLAS does not divide among threads: for a few rows these wait for each other most of the time.
_ALONE = 1 << 18


@dataclass(frozen=True, eq=False)
class Prior:
    """The prior of a network.

    Parameters
    ----------
    mean
        Of the weights, and of latents, shape (size,).
    std
        Of the numbers that these are made of, shape (numbers,).
    basis
        Of each layer, and of latents, matrices whose row i is what number i adds to the layer's weights; none: every number is a weight.
    """

    mean: Floats
    std: Floats
    basis: tuple[Floats, ...] = ()

    def place(self, z: Floats) -> Floats:
        """Weights, shape (n, size), of standardised numbers, shape (n, numbers)."""
        return np.asarray(self.mean + spread(self.numbers(z), self.basis))

    def numbers(self, z: Floats) -> Floats:
        """The numbers that weights are made of, shape (n, numbers), of standardised ones."""
        return np.asarray(self.std * z)

    def pull(self, gradient: Floats) -> Floats:
        """The gradient with respect to z, of one with respect to the weights."""
        return np.asarray(self.std * spread(gradient, tuple(matrix.T for matrix in self.basis)))


def spread(x: NDArray[np.floating], basis: tuple[NDArray[np.floating], ...]) -> NDArray[np.floating]:
    """Rows of numbers, shape (n, numbers), layer by layer times its matrix: shape (n, size)."""
    if not basis:
        return x
    out, first, start = np.empty((len(x), sum(matrix.shape[1] for matrix in basis)), x.dtype), 0, 0
    for matrix in basis:
        last, stop = first + matrix.shape[0], start + matrix.shape[1]
        part = np.ascontiguousarray(x[:, first:last])
        step = max(16, _ALONE // max(1, part.size))
        for at in range(0, matrix.shape[1], step):
            product = part @ np.ascontiguousarray(matrix[:, at : at + step])
            out[:, start + at : start + at + product.shape[1]] = product
        first, start = last, stop
    return out
