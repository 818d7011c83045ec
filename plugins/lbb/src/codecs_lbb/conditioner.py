"""Networks that say how a layer maps some values, given others. They are exact, and so is what they are given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_core.exact import Predictor
from codecs_lbb.grid import Grid

#: Fractional bits of inputs, and of shifts and means; fractional bits of log-scales and logits, which are in nats.
INPUT_BITS, SHIFT_BITS, LOG_BITS = 7, 16, 10
#: Inputs are clipped to less than 16.
WINDOW = 1 << (INPUT_BITS + 4)
#: Bounds of shifts.
SHIFT_LIMIT = 32 << SHIFT_BITS


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


def conditioner(
    tensors: Mapping[str, NDArray[Any]],
    name: str,
    *,
    inputs: int,
    shifts: int,
    low: NDArray[np.int64],
    high: NDArray[np.int64],
) -> Predictor:
    """The networks ``NAME.network``, whose outputs are from `low` to `high`, and ``NAME.linear``, of shifts; given what `fixed` makes."""
    sizes = {"inputs": inputs, "means": shifts, "window": WINDOW, "limit": SHIFT_LIMIT}
    return Predictor(tensors, name, low=low, high=high, **sizes)
