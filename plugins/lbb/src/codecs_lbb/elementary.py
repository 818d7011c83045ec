"""exp, log and logistic functions in IEEE double, by additions, multiplications and divisions in a fixed order.

They are accurate to a few units in the last place, which hardly matters, and the same on every machine, which does: nothing
here is left to a library of mathematical functions.
"""

from __future__ import annotations

import math

import numpy as np

from codecs_core.jit import inline

#: Beyond this, exp stays where it is: a difference of two such values is still no subnormal number, which some processes flush to zero.
LIMIT = 670.0
_LOG2E = 1.4426950408889634
# ln 2 in two parts, the first with so few bits that its products with exponents are exact
_LN2_HIGH, _LN2_LOW = 0.693147180369123816490, 1.90821492927058770002e-10
_SQRT2 = 1.4142135623730951
#: 1 / n!, the last one first.
_EXP = tuple(1.0 / math.factorial(n) for n in range(13, -1, -1))
#: The same for `decay`, which is good for 2^-30.
_DECAY = _EXP[5:]
#: 1 / (2 n + 1), the last one first.
_LOG = tuple(1.0 / (2 * n + 1) for n in range(10, -1, -1))


@inline
def exp(x):
    """e^x, for x within [-670, 670]; at these ends for what is beyond."""
    x = min(max(x, -LIMIT), LIMIT)
    n = np.floor(x * _LOG2E + 0.5)
    r = (x - n * _LN2_HIGH) - n * _LN2_LOW
    p = _EXP[0]
    for c in _EXP[1:]:
        p = p * r + c
    return p * np.int64((np.int64(n) + 1023) << 52).view(np.float64)


@inline
def decay(x):
    """e^-x to 30 bits, for x from 0 on; where it is compared with something and not kept."""
    x = min(x, LIMIT)
    n = np.floor(0.5 - x * _LOG2E)
    r = -x - n * (_LN2_HIGH + _LN2_LOW)
    p = _DECAY[0]
    for c in _DECAY[1:]:
        p = p * r + c
    return p * np.int64((np.int64(n) + 1023) << 52).view(np.float64)


@inline
def log(x):
    """The natural logarithm, for a positive x that is neither subnormal nor infinite."""
    bits = np.float64(x).view(np.int64)
    n = (bits >> 52) - 1023
    m = np.int64((bits & ((1 << 52) - 1)) | (1023 << 52)).view(np.float64)
    large = m > _SQRT2
    m = 0.5 * m if large else m
    e = np.float64(n + 1 if large else n)
    s = (m - 1.0) / (m + 1.0)
    square = s * s
    p = _LOG[0]
    for c in _LOG[1:]:
        p = p * square + c
    return e * _LN2_HIGH + (2.0 * s * p + e * _LN2_LOW)


@inline
def logistic(x):
    """1 / (1 + e^-x)."""
    return 1.0 / (1.0 + exp(-x))


@inline
def logit(p):
    """ln(p / (1 - p)), for p within (0, 1)."""
    return log(p / (1.0 - p))
