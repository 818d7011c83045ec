"""Networks that say how a layer maps some values, given others. They are exact, and so is what they are given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_core.errors import ModelError
from codecs_core.exact import ExactNet
from codecs_lbb.grid import Grid

#: Fractional bits of inputs, and of shifts and means; fractional bits of log-scales and logits, which are in nats.
INPUT_BITS, SHIFT_BITS, LOG_BITS = 7, 16, 10
#: Inputs are clipped to less than 16.
WINDOW = 1 << (INPUT_BITS + 4)
#: Bounds of shifts.
SHIFT_LIMIT = 32 << SHIFT_BITS
#: Pixels that are evaluated together.
PIXELS = 1 << 14


def fixed(grid: Grid, units: NDArray[Any]) -> NDArray[np.int64]:
    """Grid values as inputs of a network: rounded, half up, and clipped."""
    drop = grid.bits - INPUT_BITS
    return ((units + (1 << (drop - 1))) >> drop).clip(-WINDOW, WINDOW - 1)


def on_grid(grid: Grid, shift: NDArray[Any]) -> NDArray[np.int64]:
    """Shifts in units of 2^-16 as units of the grid, rounded half up."""
    rise = grid.bits - SHIFT_BITS
    if rise >= 0:
        return shift.astype(np.int64) << rise
    return (shift.astype(np.int64) + (1 << (-rise - 1))) >> -rise


class Conditioner:
    """A network, and beside it a linear predictor of shifts.

    Parameters
    ----------
    tensors
        Of a model: the networks ``NAME.network`` and ``NAME.linear``.
    name
        Of the layer.
    inputs, shifts
        Channels of what is given, and of the linear predictor.
    low, high
        Bounds of the outputs of the network, as many as it has.

    Raises
    ------
    ModelError
        For a network that is missing or does not fit.
    """

    def __init__(
        self,
        tensors: Mapping[str, NDArray[Any]],
        name: str,
        *,
        inputs: int,
        shifts: int,
        low: NDArray[np.int64],
        high: NDArray[np.int64],
    ) -> None:
        self.network, self.linear = (ExactNet.from_tensors(tensors, f"{name}.{part}") for part in ("network", "linear"))
        limit = np.full(shifts, SHIFT_LIMIT)
        for net, least, most in (self.network, low, high), (self.linear, -limit, limit):
            if (net.inputs, net.outputs, net.low, net.high) != (inputs, least.size, -WINDOW, WINDOW - 1):
                raise ModelError(
                    f"{name} of a flow takes {net.inputs} inputs from {net.low} to {net.high} to {net.outputs} outputs; expected "
                    f"{inputs} from {-WINDOW} to {WINDOW - 1} to {least.size}"
                )
            last = net.layers[-1]
            if (last.low < least).any() or (last.high > most).any():
                raise ModelError(f"{name} of a flow can give parameters outside their range")

    def __call__(self, grid: Grid, given: NDArray[Any]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Outputs of both for grid values of shape (n, h, w, inputs)."""
        x = fixed(grid, given)
        return evaluate(self.network, x), evaluate(self.linear, x)


def evaluate(net: ExactNet, x: NDArray[Any]) -> NDArray[np.int32]:
    """A network for images of shape (n, h, w, inputs), a few at a time."""
    n, h, w, _ = x.shape
    out = np.empty((n, h, w, net.outputs), np.int32)
    step = max(1, PIXELS // max(1, h * w))
    for i in range(0, n, step):
        out[i : i + step] = net(x[i : i + step])
    return out
