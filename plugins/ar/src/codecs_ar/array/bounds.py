"""Values rounded to multiples within a bound, and whether values are within one."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_ar.array.choosing import usual_range
from codecs_ar.array.maps import Coarse, Map, Multiples, spread
from codecs_ar.array.steps import WHOLE, Steps, is_zero


def lattice(array: NDArray[Any], bound: float, *, relative: bool) -> Map | None:
    """The map of floats whose steps are as large as the bound allows; None if it allows none."""
    if array.dtype.kind != "f":
        return None
    if relative:
        steps = int(min(2.0 * bound, 0.5) * 2.0 ** np.finfo(array.dtype).nmant)
        return Coarse(array.dtype, steps) if steps > 1 else None
    step = 2.0 * bound
    least = max(4.0 * float(np.finfo(array.dtype).tiny), 1e-300)  # no multiple, and no bound, is subnormal
    return spread(Multiples(array.dtype, step, divided=False, beyond=0), array) if least < step < 1e300 else None


def rounded(array: NDArray[Any], lattice: Map | None, bound: float, *, relative: bool) -> NDArray[Any]:
    """Each value as the map gives it back, or an integer as a multiple; what would be off by more than the bound as it is."""
    if lattice:
        near = lattice.backward(lattice.forward(array))
    elif array.dtype.kind != "f" and not relative and 1 <= bound < WHOLE / 4:
        steps = Steps(2.0 * math.floor(bound) + 1.0, 0.0, 0, 0)
        near = steps.backward(np.rint(steps.forward(array)), array.dtype)
    else:
        return array
    return np.where(within(array, near, bound, relative=relative), near, array)


def usual(array: NDArray[Any]) -> NDArray[np.bool_]:
    """Which values are finite, and no outliers."""
    finite: NDArray[np.bool_] = np.isfinite(array)
    if not finite.any():
        return finite
    distinct, counts = np.unique(array[finite], return_counts=True)
    low, high = usual_range(distinct.astype(np.float64), counts)
    with np.errstate(invalid="ignore"):
        finite &= (array >= distinct[low]) & (array <= distinct[high])
    return finite


def within(array: NDArray[Any], near: NDArray[Any], bound: float, *, relative: bool) -> NDArray[np.bool_]:
    """Where values differ by no more than a bound, exactly: the rounding of the difference is made up for.

    Under a relative bound subnormal values, which some processes take as zero, are never within it.
    """
    with np.errstate(all="ignore"):
        a, b = near.astype(np.float64), array.astype(np.float64)
        most = np.abs(b) * bound if relative else np.float64(bound)
        difference = a - b
        rest = a - difference  # what the difference leaves out, by the sum without error of Moller and Knuth
        missing = (a - (rest + difference)) + (rest - b)
        least = np.nextafter(most, 0.0)
        exact = (missing == 0.0) & (np.abs(difference) <= (least if relative else most))
        fits: NDArray[np.bool_] = np.isfinite(b) & np.isfinite(a) & (exact | (np.abs(difference) < least))
    if relative and array.dtype.kind == "f":
        fits &= np.minimum(np.abs(a), np.abs(b)) >= np.finfo(array.dtype).tiny
        fits |= is_zero(array) & is_zero(near)
    if array.dtype.kind != "f":
        fits &= np.maximum(np.abs(a), np.abs(b)) <= WHOLE  # beyond it doubles are not the integers
    return fits
