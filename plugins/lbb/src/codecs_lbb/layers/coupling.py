"""Couplings: additive (NICE, Dinh et al. 2014) and affine (RealNVP, Dinh et al. 2017, section 3.2)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_core.entropy import Message
from codecs_lbb import local
from codecs_lbb.conditioner import LOG_BITS, SHIFT_LIMIT, Conditioner, on_grid
from codecs_lbb.elementwise import Scale
from codecs_lbb.grid import Grid
from codecs_lbb.layers.layer import Layer, Shuffle

#: The largest log-scale of an affine map.
LOG_LIMIT = 2 << LOG_BITS


class Additive(Shuffle):
    """y = x + t(given) for some channels, t rounded to the grid: a bijection of it.

    Parameters
    ----------
    part
        First and last (excluded) of the channels that change; the network is given all others.
    """

    def __init__(
        self, grid: Grid, tensors: Mapping[str, NDArray[Any]], name: str, *, channels: int, part: tuple[int, int]
    ) -> None:
        self.grid, self.part = grid, slice(*part)
        size = part[1] - part[0]
        limit = np.full(size, SHIFT_LIMIT)
        self.t = Conditioner(tensors, name, inputs=channels - size, shifts=size, low=-limit, high=limit)

    def shift(self, x: NDArray[Any]) -> NDArray[np.int64]:
        """What is added, in units of the grid."""
        network, linear = self.t(self.grid, np.delete(x, self.part, -1))
        return on_grid(self.grid, network.astype(np.int64) + linear)

    def to(self, x: NDArray[Any]) -> NDArray[np.int64]:
        """Add."""
        y = x.astype(np.int64)
        y[..., self.part] += self.shift(x)
        return y

    def back(self, y: NDArray[Any]) -> NDArray[np.int64]:
        """Subtract."""
        x = y.astype(np.int64)
        x[..., self.part] -= self.shift(y)
        return x


class Affine(Layer):
    """y = (x + t(given)) e^s(given) for some values; the shift is free, the scale is local bits-back coding.

    Parameters
    ----------
    part
        First and last (excluded) of the channels that change, the network is given all others; or 0 or 1: the pixels that change are
        those whose row plus column is even, or odd, and the network is given all, with zeros for these.
    """

    def __init__(
        self, grid: Grid, tensors: Mapping[str, NDArray[Any]], name: str, *, channels: int, part: tuple[int, int] | int
    ) -> None:
        self.grid, self.part = grid, part
        size = channels if isinstance(part, int) else part[1] - part[0]
        inputs = channels if isinstance(part, int) else channels - size
        high = np.repeat([SHIFT_LIMIT, LOG_LIMIT], size)
        self.st = Conditioner(tensors, name, inputs=inputs, shifts=size, low=-high, high=high)

    def mask(self, x: NDArray[Any]) -> NDArray[np.bool_]:
        """What changes."""
        mask = np.zeros(x.shape, np.bool_)
        if isinstance(self.part, int):
            rows, columns = np.ogrid[: x.shape[1], : x.shape[2]]
            mask[:, (rows + columns) % 2 == self.part] = True
        else:
            mask[..., slice(*self.part)] = True
        return mask

    def parameters(self, x: NDArray[Any], mask: NDArray[np.bool_]) -> tuple[NDArray[np.int64], Scale]:
        """Shift and scale of what changes, flat, of an x of which only the rest counts."""
        given = np.where(mask, 0, x) if isinstance(self.part, int) else np.delete(x, slice(*self.part), -1)
        network, linear = self.st(self.grid, given)
        shift, log_scale = np.split(network, 2, -1)
        if isinstance(self.part, int):
            shift, log_scale, linear = shift[mask], log_scale[mask], linear[mask]
        total = shift.astype(np.int64).reshape(-1) + linear.reshape(-1)
        return on_grid(self.grid, total), Scale(np.multiply(log_scale.reshape(-1), 2.0**-LOG_BITS))

    def push(self, message: Message, x: NDArray[Any]) -> NDArray[np.int64]:
        """Shift, and local bits-back coding."""
        y, mask = x.astype(np.int64), self.mask(x)
        shift, scale = self.parameters(x, mask)
        y[mask] = local.push(message, self.grid, y[mask] + shift, scale)
        return y

    def pop(self, message: Message, y: NDArray[Any]) -> NDArray[np.int64]:
        """Inverse of `push`."""
        x, mask = y.astype(np.int64), self.mask(y)
        shift, scale = self.parameters(y, mask)
        x[mask] = local.pop(message, self.grid, x[mask], scale) - shift
        return x

    def forward(self, x: NDArray[Any]) -> tuple[NDArray[np.int64], float]:
        """Shift and scale."""
        y, mask = x.astype(np.int64), self.mask(x)
        shift, scale = self.parameters(x, mask)
        y[mask], nats = local.forward(self.grid, y[mask] + shift, scale)
        return y, nats / math.log(2)
