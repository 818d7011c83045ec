"""The compiled part that says how far off a prediction may be: from the errors around, by weights that learn from each value."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from codecs_ar.fast.cells import LANES
from codecs_core.jit import borrowing
from codecs_core.jit.lanes import clamped, folded, load16, magnitude, store

#: The least scale, and the most that errors count in units of the scale.
LEAST, FAR = np.array([1 / 16, 4], np.float32)
#: Rates at which the weights of a shift, and those of the scale, learn; the bounds of the latter; the most that a shift is, in scales.
SHIFT_RATE, SCALE_RATE, SMALLEST, LARGEST, MOST = np.array([2.0**-11, 2.0**-12, 2.0**-20, 4, 2], np.float32)
_0, _1 = np.array([0, 1], np.float32)


class Outlook(NamedTuple):
    """Errors around the value at hand, as they are, and in units of the scale; weights of the scale, and of the shift by parity."""

    errors: NDArray[np.float32]
    units: NDArray[np.float32]
    scales: NDArray[np.float32]
    shifts: NDArray[np.float32]


@borrowing
def scaled(outlook):
    """The scale of the error to come; leaves the errors in units of it, and a one behind them."""
    errors = load16(outlook.errors, 0)
    scale = max(folded(magnitude(errors) * load16(outlook.scales, 0)), LEAST)
    store(outlook.units, 0, clamped(errors * (_1 / scale), -FAR, FAR))
    outlook.units[LANES - 1] = _1
    return scale


@borrowing
def shifted(outlook, parity):
    """The error to come, in units of the scale."""
    shift = folded(load16(outlook.units, 0) * load16(outlook.shifts, parity * LANES))
    return min(max(shift, -MOST), MOST)


@borrowing
def learn(outlook, parity, error, rest):
    """Move the weights a step: `error` is that of the prediction, `rest` what is left after the shift, in units of the scale."""
    units, first = load16(outlook.units, 0), parity * LANES
    step = min(max(rest, -MOST), MOST) * SHIFT_RATE
    store(outlook.shifts, first, load16(outlook.shifts, first) + units * step)
    step = (min(abs(error), FAR) - _1) * SCALE_RATE
    store(outlook.scales, 0, clamped(load16(outlook.scales, 0) + magnitude(units) * step, SMALLEST, LARGEST))
