"""Additive and affine couplings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from codecs_lbb import local
from codecs_lbb.conditioner import LOG_BITS, SHIFT_LIMIT, conditioner, fixed, on_grid
from codecs_lbb.elementwise import Scale
from codecs_lbb.grid import Grid
from codecs_lbb.layers.entry import Entry
from codecs_lbb.layers.layer import Elementwise
from codecs_lbb.layers.masks import Mask

#: The largest log-scale of an affine map.
LOG_LIMIT = 2 << LOG_BITS


class Additive(Elementwise):
    """y = x + t(given) for some values, t rounded to the grid: a bijection of it (NICE: Dinh et al. 2014).

    Parameters
    ----------
    channels
        Of x.
    mask
        Which values change.
    """

    #: The largest magnitudes of the network's outputs for a value.
    limits: ClassVar[tuple[int, ...]] = (SHIFT_LIMIT,)

    def __init__(
        self, grid: Grid, tensors: Mapping[str, NDArray[Any]], name: str, *, channels: int, mask: Mask
    ) -> None:
        self.grid, self.mask = grid, mask
        inputs, size = mask.sizes(channels)
        high = np.repeat(self.limits, size)
        self.network = conditioner(tensors, name, inputs=inputs, shifts=size, low=-high, high=high)

    @classmethod
    def parse(cls, entry: Entry) -> Self:
        """What changes follows the kind; the tensors are those of a `Predictor`."""
        return cls(entry.grid, entry.tensors, entry.name, channels=entry.channels, mask=entry.mask())

    def step(self, x: NDArray[Any]) -> tuple[Any, Any, local.Map | None]:
        """By the part of `x` that does not change."""
        network, linear = self.network(fixed(self.grid, self.mask.given(x)))
        shift, *log_scale = np.split(network, len(self.limits), -1)
        total = on_grid(self.grid, self.mask.outputs(shift.astype(np.int64) + linear))
        return self.mask.index(x.shape), total, self.scale(*log_scale)

    def scale(self, *log_scale: NDArray[Any]) -> Scale | None:
        """What the shifted values are mapped by: nothing."""
        return None


class Affine(Additive):
    """y = (x + t(given)) e^s(given) for some values: RealNVP (Dinh et al. 2017), section 3.2."""

    limits: ClassVar[tuple[int, ...]] = (SHIFT_LIMIT, LOG_LIMIT)

    def scale(self, *log_scale: NDArray[Any]) -> Scale:
        """What the shifted values are multiplied by."""
        return Scale(self.mask.outputs(log_scale[0]) * 2.0**-LOG_BITS)
