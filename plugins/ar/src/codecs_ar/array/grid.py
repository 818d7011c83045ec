"""The numbers that may occur, in order: from a code, an integer, to its value and back."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from codecs_core.jit import borrowing

#: What a code is: an integer; a place in a table; the ordered bits of a binary32; those of a binary64; whole steps from a prediction;
#: the ordered bits of a binary16, with a table.
INTEGER, TABLE, SINGLE, DOUBLE, AROUND, HALF = range(6)
#: Working values are no larger in magnitude.
HUGE = 1e18
#: Smaller numbers are taken as zero: what machines make of subnormal ones is never seen.
SMALL, SMALL_SINGLE = 2.0**-1000, 2.0**-126
#: The largest binary16, and the bits of infinity; infinities have the number 2 * `HALF_MOST` + 1.
HALF_MOST, INFINITE = 65504.0, np.int64(0x7C00)


class Grid(NamedTuple):
    """Codes and working values.

    `kind` says what a code is; the low `shift` bits of a binary64 are coded elsewhere. A working value is (value - origin) * unit;
    `unit` is a power of two, and `inverse` one by it. The table of `AROUND` is the prediction that codes count from, zero until
    it is known, and the smallest and the largest value that it may have.
    """

    kind: int
    shift: int
    least: int
    most: int
    origin: float
    unit: float
    inverse: float
    table: NDArray[np.float64]


@borrowing
def value_of(code, grid):
    """The working value of a code."""
    kind, shift, least, _, origin, unit, _, table = grid
    if kind == INTEGER:
        v = np.float64(code)
    elif kind in (TABLE, HALF):
        v = table[np.uint64(code - least)]
    elif kind == SINGLE:
        bits = code if code >= 0 else (np.int64(1) << 31) | (-1 - code)
        v = np.float64(np.uint32(bits).view(np.float32) if bits & 0x7F800000 else np.float32(0))
    elif kind == AROUND:
        v = table[0] + np.float64(code)
    else:
        wide = code << shift
        bits = wide if wide >= 0 else (np.int64(-1) << 63) | (-1 - wide)
        v = np.int64(bits).view(np.float64)
        v = np.float64(v if abs(v) >= SMALL else 0.0)
    v = (v - origin) * unit
    return v if v > -HUGE and v < HUGE else (HUGE if v >= HUGE else -HUGE)


@borrowing
def half_of(v, least, most):
    """The ordered bits of the largest binary16 that is no larger; for infinities, which have a number, as that has it."""
    size = abs(v)
    if size > HALF_MOST:
        infinity = 2.0 * HALF_MOST + 1.0
        if v > 0.0:
            return INFINITE - 1 if v < infinity else most
        return -1 - INFINITE if size <= infinity else least
    bits = np.float64(size).view(np.int64)
    if size >= 2.0**-14:
        code, exact = (bits >> 42) - (1008 << 10), bits & ((np.int64(1) << 42) - 1) == 0
    else:
        code = np.int64(size * 2.0**24)
        exact = np.float64(code) == size * 2.0**24
    return code if v >= 0.0 else -1 - (code if exact else code + 1)


@borrowing
def code_of(working, grid):
    """A code whose value is near a working value, which is a number."""
    kind, shift, least, most, origin, _, inverse, table = grid
    v = working * inverse + origin
    if kind == INTEGER:
        code = np.int64(np.floor(v)) if v > -9e18 and v < 9e18 else (most if v > 0.0 else least)
    elif kind == TABLE:
        low, high = np.int64(0), np.int64(table.size)
        while high - low > 1:
            middle = (low + high) >> 1
            if table[np.uint64(middle)] <= v:
                low = middle
            else:
                high = middle
        code = low + least
    elif kind == SINGLE:
        v = np.float64(v if abs(v) >= SMALL_SINGLE else 0.0)
        bits = np.int64(np.float32(min(max(v, -3e38), 3e38)).view(np.uint32))
        code = bits if bits < (np.int64(1) << 31) else -1 - (bits & np.int64(0x7FFFFFFF))
    elif kind == HALF:
        code = half_of(v, least, most)
    elif kind == AROUND:
        v -= table[0]
        code = np.int64(np.floor(v)) if v > -9e18 and v < 9e18 else (most if v > 0.0 else least)
    else:
        v = np.float64(v if abs(v) >= SMALL else 0.0)
        bits = np.float64(min(max(v, -1.7e308), 1.7e308)).view(np.int64)
        code = (bits if bits >= 0 else -1 - (bits & np.int64(0x7FFFFFFFFFFFFFFF))) >> shift
    return min(max(code, least), most)
