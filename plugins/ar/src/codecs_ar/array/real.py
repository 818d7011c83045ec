"""Functions of real numbers, exact on every machine: ordered operations on binary64 and committed integer tables."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from codecs_core.entropy import table
from codecs_core.jit import borrowing, kernel

#: Up to this magnitude a number that fades is zero: what machines make of subnormal numbers is never seen.
TINY = 1e-60
#: log(2) as a short binary fraction.
LN2 = 0.693147180559945

_MANTISSA, _ONE = np.int64((1 << 52) - 1), np.int64(1023 << 52)


@borrowing
def log2(x, mantissas):
    """Binary logarithm of a positive normal number, to about 1e-6; `mantissas` are from `logarithms`."""
    bits = np.float64(x).view(np.int64)
    part = (np.int64((bits & _MANTISSA) | _ONE).view(np.float64) - 1.0) * 256.0
    i = np.uint64(np.int64(part))
    low = mantissas[i]
    return np.float64((bits >> 52) - 1023) + (low + (mantissas[i + np.uint64(1)] - low) * (part - np.float64(i)))


@borrowing
def top_bit(x):
    """Place of the highest one in a positive integer."""
    high = np.int64(x >> 32)
    part, more = (high, 32) if high > 0 else (np.int64(x), 0)
    return (np.float64(part).view(np.int64) >> 52) - 1023 + more


@borrowing
def logistic(x, cdf):
    """1 / (1 + e^-x), from `logistics`."""
    place = x * 64.0 + 2048.0
    place = place if place > 64.0 else 64.0
    place = place if place < 4032.0 else 4032.0
    i = np.uint64(np.int64(place))
    low = cdf[i]
    return low + (cdf[i + np.uint64(1)] - low) * (place - np.float64(i))


@borrowing
def stretch(p, mantissas):
    """log(p / (1 - p))."""
    return (log2(p, mantissas) - log2(1.0 - p, mantissas)) * LN2


@cache
def logarithms() -> NDArray[np.float64]:
    """log2(1 + i / 256)."""
    return table("log2_mantissa") / 65536.0


@cache
def logistics() -> NDArray[np.float64]:
    """The logistic function at i / 64 - 32; its lower half, mirrored, is the upper one."""
    lower = table("logistic_cdf")[:2049] / 2.0**32
    return np.concatenate([lower, 1.0 - lower[-2::-1]])


@kernel
def _stretched(out, mantissas):
    for i in range(out.size):
        out[i] = stretch((i + 0.5) / out.size, mantissas)


@cache
def stretches() -> NDArray[np.float64]:
    """`stretch` of (i + 1/2) / 4096."""
    out = np.empty(4096)
    _stretched(out, logarithms())
    return out
