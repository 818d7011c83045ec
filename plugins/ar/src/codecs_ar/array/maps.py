"""From the values of an array to integers whose order is theirs, and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_ar.array.grid import DOUBLE, INTEGER, SINGLE, TABLE


def ordered(array: NDArray[Any]) -> NDArray[np.int64]:
    """Integers in the order of the values: of integers, what they are; of floats, what their bits say, -0 below +0 and NaN at the ends.

    Those of uint64 are smaller by 2^63.
    """
    if array.dtype == np.uint64:
        return (array ^ np.uint64(1 << 63)).view(np.int64)
    if array.dtype.kind != "f":
        return array.astype(np.int64)
    bits = array.view(f"i{array.itemsize}").astype(np.int64)
    most = np.int64((1 << (8 * array.itemsize - 1)) - 1)
    return np.where(bits < 0, -1 - (bits & most), bits)


def restored(codes: NDArray[np.int64], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Inverse of `ordered`."""
    if dtype == np.uint64:
        return codes.view(np.uint64) ^ np.uint64(1 << 63)
    if dtype.kind != "f":
        return codes.astype(dtype)
    least = np.int64(-1 << (8 * dtype.itemsize - 1))
    bits = np.where(codes < 0, least | (-1 - codes), codes)
    return bits.astype(f"i{dtype.itemsize}").view(dtype)


#: Maps: the ordered integers themselves; their ranks among those that occur; the same, with the values they stand for as a grid.
BITS, RANKS, PALETTE = 0, 1, 2
#: Codes of binary16 begin here.
_HALF = -1 << 15


def numbers(values: NDArray[Any]) -> NDArray[np.float64]:
    """Sorted values as finite doubles: what is beyond them, or no number, is twice the largest one."""
    with np.errstate(all="ignore"):
        wide = values.astype(np.float64)
        finite = wide[np.isfinite(wide)]
        most = min(2.0 * float(np.abs(finite).max()) + 1.0, 1e308) if finite.size else 1.0
    signs = np.where(np.signbit(wide), -most, most)
    return np.where(np.isfinite(wide), wide, signs)


def halves() -> NDArray[np.float64]:
    """The values of all codes of binary16."""
    return numbers(restored(np.arange(_HALF, -_HALF), np.dtype(np.float16)))


@dataclass(frozen=True)
class Numbers:
    """What codes stand for: the kind of a `grid.Grid`, and where it is a table, the values from the code `first` on."""

    kind: int
    first: int
    table: NDArray[np.float64]


def grid(mapping: int, dtype: np.dtype[Any], palette: NDArray[np.int64]) -> Numbers:
    """What the codes of a map stand for."""
    if mapping == PALETTE:
        return Numbers(TABLE, 0, numbers(restored(palette, dtype)))
    if mapping == RANKS or dtype.kind != "f":
        return Numbers(INTEGER, 0, np.zeros(1))
    if dtype == np.float16:
        return Numbers(TABLE, _HALF, halves())
    return Numbers(SINGLE if dtype == np.float32 else DOUBLE, 0, np.zeros(1))


def values(codes: NDArray[np.int64], mapping: int, dtype: np.dtype[Any], palette: NDArray[np.int64]) -> NDArray[np.float64]:
    """What codes stand for, as doubles."""
    if mapping == PALETTE:
        return numbers(restored(palette, dtype))[codes]
    if mapping == RANKS or dtype.kind != "f":
        return codes.astype(np.float64)
    with np.errstate(all="ignore"):
        return restored(codes, dtype).astype(np.float64)
