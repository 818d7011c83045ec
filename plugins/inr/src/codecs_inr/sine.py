"""The sine of decoders: a table of integers, found by integer arithmetic alone.

A phase is counted in 2^-14 of a turn, and so are values in 2^-14: an entry is floor(2^14 sin(2 pi k / 2^14) + 1/2).
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

#: Binary digits of a phase, and of a value.
PHASE_BITS = 14
VALUE_BITS = 14
#: Digits that the table is computed with; 2^14 products of them lose 15.
_DIGITS = 96


def _pi(digits: int) -> int:
    """floor(2^digits pi), nearly: by Machin's formula, 16 arctan(1/5) - 4 arctan(1/239)."""
    guard = digits + 16

    def arctan(n: int) -> int:
        term = total = (1 << guard) // n
        k = 1
        while term:
            term //= -n * n
            k += 2
            total += term // k
        return total

    return (16 * arctan(5) - 4 * arctan(239)) >> 16


@cache
def table() -> NDArray[np.int64]:
    """The sine of every phase, shape (2^14,)."""
    one, turn = 1 << _DIGITS, 1 << PHASE_BITS
    angle = (2 * _pi(_DIGITS)) >> PHASE_BITS
    # cosine and sine of one step by their series, then step by step around a quarter of the circle
    parts, term, k = [one, 0], one, 1
    while term:
        term = ((term * angle) >> _DIGITS) // k
        parts[k & 1] += term if k & 2 == 0 else -term
        k += 1
    c, s = parts
    x, y, quarter = one, 0, []
    for _ in range(turn // 4 + 1):
        quarter.append(y)
        x, y = (x * c - y * s) >> _DIGITS, (x * s + y * c) >> _DIGITS
    half = 1 << (_DIGITS - VALUE_BITS - 1)
    up = [(v + half) >> (_DIGITS - VALUE_BITS) for v in quarter]
    values = up[:-1] + up[:0:-1] + [-v for v in up[:-1]] + [-v for v in up[:0:-1]]
    return np.array(values, np.int64)


def sine(phase: NDArray[np.int64]) -> NDArray[np.float64]:
    """Sines in units of 2^-14, as floats that hold integers, of phases in units of 2^-14 of a turn."""
    return np.asarray(_floats()[phase & ((1 << PHASE_BITS) - 1)])


@cache
def _floats() -> NDArray[np.float64]:
    return table().astype(np.float64)
