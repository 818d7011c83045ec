"""From 64 random bits to a point of a standard proposal: the one map that encoder and decoder must agree on to the last bit.

A point is the quantile of (u + 1/2) / 2^64, interpolated in committed tables by integers, and handed out as a float64 that is a multiple of
2^-32: exact. Uniform and triangular points are one multiplication, one square root: IEEE operations, alike everywhere.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_core.jit import inline, kernel
from codecs_rec.tables import table

#: The standard proposals: N(0, 1), Laplace(0, 1), U(0, 1), and the triangle on (-1, 1).
NORMAL, LAPLACE, UNIFORM, TRIANGULAR = range(4)
TAIL, LOG = table("normal_tail"), table("log_mantissa")
#: Grid of the proposals of blocks.
GRID_BITS = 16

_1, _24, _56 = (np.uint64(v) for v in (1, 24, 56))
_TOP = np.uint64(1 << 63)
_BIG = np.uint64(1 << 53)
_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)


@inline
def octave(v):
    """How many zeros lead the 64 bits of v > 0: from the exponent of a float that holds its upper bits exactly."""
    if v >= _BIG:
        return np.int64(1075) - (np.float64(v >> np.uint64(11)).view(np.int64) >> 52)
    return np.int64(1086) - (np.float64(v).view(np.int64) >> 52)


@inline
def tail(u):
    """(upper half?, e, cell, part): the distance to the nearer end is 2^-(e + 2) (1 + (cell + part / 2^32) / 256)."""
    upper = u >= _TOP
    v = max(_ALL - u if upper else u, _1)
    zeros = octave(v)
    rest = v << np.uint64(zeros) << _1
    return upper, zeros - 1, rest >> _56, np.int64((rest >> _24) & np.uint64(0xFFFFFFFF))


@inline
def normal(u):
    """Phi^-1 in units of 2^-32, an int64."""
    upper, e, cell, part = tail(u)
    a, b = TAIL[e, cell], TAIL[e, cell + _1]
    x = a - (((a - b) * part) >> 32)
    return x if upper else -x


@inline
def laplace(u):
    """The quantile ln(2 u) or -ln(2 - 2 u) in units of 2^-32, an int64."""
    upper, e, cell, part = tail(u)
    a, b = LOG[cell], LOG[cell + _1]
    x = (e + 1) * LOG[256] - (a + (((b - a) * part) >> 32))
    return x if upper else -x


@inline
def quantile(family, u):
    """The point of a standard proposal, a float64."""
    if family == NORMAL:
        return np.float64(normal(u)) * 2.0**-32
    if family == LAPLACE:
        return np.float64(laplace(u)) * 2.0**-32
    if family == UNIFORM:
        return np.float64(u >> np.uint64(11)) * 2.0**-53
    if u >= _TOP:
        return 1.0 - np.sqrt(np.float64(_ALL - u) * 2.0**-63)
    return np.sqrt(np.float64(u) * 2.0**-63) - 1.0


@kernel
def _fill(family, u, out):
    for i in range(u.size):
        out[i] = quantile(family, u[i])


def quantiles(family: int, u: NDArray[np.uint64]) -> NDArray[np.float64]:
    """Points of a flat array of bits."""
    out = np.empty(u.size)
    _fill(family, u, out)
    return out


@cache
def grid() -> NDArray[np.int64]:
    """The 2^16 equally likely points of a block's proposals: quantiles of (2 k + 1) / 2^17 of N(0, 1), in units of 2^-32."""
    u = (np.arange(1 << GRID_BITS, dtype=np.uint64) << np.uint64(48)) + np.uint64(1 << 47)
    points: NDArray[Any] = np.rint(quantiles(NORMAL, u) * 2.0**32).astype(np.int64)
    points.setflags(write=False)
    return points
