"""Affine couplings: RealNVP (Dinh et al. 2017), section 3.2."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from codecs_core.entropy import Message
from codecs_lbb import local
from codecs_lbb.conditioner import LOG_BITS, SHIFT_LIMIT, conditioner, fixed, on_grid
from codecs_lbb.elementwise import Scale
from codecs_lbb.grid import Grid
from codecs_lbb.layers.entry import Entry
from codecs_lbb.layers.layer import Layer
from codecs_lbb.layers.masks import Mask

#: The largest log-scale of an affine map.
LOG_LIMIT = 2 << LOG_BITS


class Affine(Layer):
    """y = (x + t(given)) e^s(given) for some values; the shift is free, the scale is local bits-back coding.

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
        high = np.repeat([SHIFT_LIMIT, LOG_LIMIT], size)
        self.st = conditioner(tensors, name, inputs=inputs, shifts=size, low=-high, high=high)

    @classmethod
    def parse(cls, entry: Entry) -> Self:
        """What changes follows the kind; the tensors are those of a `Predictor`."""
        return cls(entry.grid, entry.tensors, entry.name, channels=entry.channels, mask=entry.mask())

    def parameters(self, x: NDArray[Any]) -> tuple[NDArray[np.int64], Scale]:
        """Shift and scale of the part that changes, from the part of `x` that does not."""
        network, linear = self.st(fixed(self.grid, self.mask.given(x)))
        shift, log_scale = np.split(network, 2, -1)
        total = self.mask.outputs(shift.astype(np.int64) + linear)
        return on_grid(self.grid, total), Scale(self.mask.outputs(log_scale) * 2.0**-LOG_BITS)

    def push(self, message: Message, x: NDArray[Any]) -> NDArray[np.int64]:
        """Shift, and local bits-back coding."""
        y, at = x.astype(np.int64), self.mask.index(x.shape)
        shift, scale = self.parameters(x)
        y[at] = local.push(message, self.grid, y[at] + shift, scale)
        return y

    def pop(self, message: Message, y: NDArray[Any]) -> NDArray[np.int64]:
        """Inverse of `push`."""
        x, at = y.astype(np.int64), self.mask.index(y.shape)
        shift, scale = self.parameters(y)
        x[at] = local.pop(message, self.grid, x[at], scale) - shift
        return x

    def forward(self, x: NDArray[Any]) -> tuple[NDArray[np.int64], float]:
        """Shift and scale."""
        y, at = x.astype(np.int64), self.mask.index(x.shape)
        shift, scale = self.parameters(x)
        y[at], nats = local.forward(self.grid, y[at] + shift, scale)
        return y, nats / math.log(2)
