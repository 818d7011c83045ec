"""Normalisation of activations: Glow, section 3.1 of Kingma and Dhariwal 2018."""

from __future__ import annotations

import math
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from codecs_core.entropy import Message
from codecs_core.errors import ModelError
from codecs_lbb import local
from codecs_lbb.conditioner import SHIFT_BITS, on_grid
from codecs_lbb.elementwise import Scale
from codecs_lbb.grid import Grid
from codecs_lbb.layers.entry import Entry
from codecs_lbb.layers.layer import Layer

#: The largest log-scale of a normalisation, in nats.
LOG_LIMIT = 8 << SHIFT_BITS


class ActNorm(Layer):
    """y = (x + shift) e^scale, channel by channel: Glow, section 3.1. The shift is free, the scale is local bits-back coding.

    Parameters
    ----------
    shift, log_scale
        Integers, shape (channels,), in units of 2^-16 (of a nat).
    """

    def __init__(self, grid: Grid, shift: NDArray[Any], log_scale: NDArray[Any]) -> None:
        if shift.ndim != 1 or shift.shape != log_scale.shape or {shift.dtype.kind, log_scale.dtype.kind} != {"i"}:
            raise ModelError(f"a normalisation has shifts of shape {shift.shape} and log-scales of {log_scale.shape}")
        least, most = int(log_scale.min()), int(log_scale.max())
        if least < -LOG_LIMIT or most > LOG_LIMIT:
            raise ModelError(
                f"a normalisation has log-scales from {least} to {most}; expected magnitudes up to {LOG_LIMIT}"
            )
        self.grid, self.shift = grid, on_grid(grid, shift)
        self.map = Scale(log_scale * 2.0**-SHIFT_BITS)

    @classmethod
    def parse(cls, entry: Entry) -> Self:
        """Nothing follows the kind; the tensors are ``shift`` and ``log_scale``."""
        entry.nothing()
        return cls(entry.grid, entry.tensor("shift"), entry.tensor("log_scale"))

    def push(self, message: Message, x: NDArray[Any]) -> NDArray[np.int64]:
        """Shift, and local bits-back coding."""
        return local.push(message, self.grid, x + self.shift, self.map)

    def pop(self, message: Message, y: NDArray[Any]) -> NDArray[np.int64]:
        """Inverse of `push`."""
        return local.pop(message, self.grid, y, self.map) - self.shift

    def forward(self, x: NDArray[Any]) -> tuple[NDArray[np.int64], float]:
        """Elementwise."""
        y, nats = local.forward(self.grid, x + self.shift, self.map)
        return y, nats / math.log(2)
