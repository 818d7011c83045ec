"""Additive couplings: NICE (Dinh et al. 2014)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from codecs_lbb.conditioner import SHIFT_LIMIT, conditioner, fixed, on_grid
from codecs_lbb.grid import Grid
from codecs_lbb.layers.entry import Entry
from codecs_lbb.layers.layer import Shuffle
from codecs_lbb.layers.masks import Mask


class Additive(Shuffle):
    """y = x + t(given) for some values, t rounded to the grid: a bijection of it.

    Parameters
    ----------
    channels
        Of x.
    mask
        Which values change.
    """

    def __init__(
        self, grid: Grid, tensors: Mapping[str, NDArray[Any]], name: str, *, channels: int, mask: Mask
    ) -> None:
        self.grid, self.mask = grid, mask
        inputs, size = mask.sizes(channels)
        limit = np.full(size, SHIFT_LIMIT)
        self.t = conditioner(tensors, name, inputs=inputs, shifts=size, low=-limit, high=limit)

    @classmethod
    def parse(cls, entry: Entry) -> Self:
        """What changes follows the kind; the tensors are those of a `Predictor`."""
        return cls(entry.grid, entry.tensors, entry.name, channels=entry.channels, mask=entry.mask())

    def shift(self, x: NDArray[Any]) -> NDArray[np.int64]:
        """What is added, in units of the grid, for all that the network has outputs for."""
        network, linear = self.t(fixed(self.grid, self.mask.given(x)))
        return on_grid(self.grid, network.astype(np.int64) + linear)

    def to(self, x: NDArray[Any]) -> NDArray[np.int64]:
        """Add."""
        y, at = x.astype(np.int64), self.mask.index(x.shape)
        y[at] += self.mask.outputs(self.shift(x))
        return y

    def back(self, y: NDArray[Any]) -> NDArray[np.int64]:
        """Subtract."""
        x, at = y.astype(np.int64), self.mask.index(y.shape)
        x[at] -= self.mask.outputs(self.shift(y))
        return x
