"""Elementary functions with the same bits on every machine, for kernels: sums, products and quotients in the order that is written.

A machine's own library differs from another's in the last digit, which is enough for two encoders to choose differently. Here
errors are a few units in the last place. Arguments and results are float64.
"""

from __future__ import annotations

import math

import numpy as np

from codecs_core.jit.compile import inline

#: ln 2 in two parts; products of the first, which has 32 binary digits, with exponents are exact.
_LN2_HIGH, _LN2_LOW = 0.6931471803691238, 1.9082149292705877e-10
_PER_LN2, _SQRT2, _PER_SQRT_PI = 1.0 / math.log(2.0), math.sqrt(2.0), 1.0 / math.sqrt(math.pi)
_FIELD, _BIAS = np.int64(52), np.int64(1023)
_FRACTION = np.int64((1 << 52) - 1)

#: 1 / (2 i + 1), the series of the area tangent, and 1 / i!, both from the last that counts to the first.
_AREA_TANGENT = tuple(1.0 / (2 * i + 1) for i in range(11, 0, -1))
_FACTORIALS = tuple(1.0 / math.factorial(i) for i in range(13, 1, -1))

#: Cody 1969, "Rational Chebyshev approximations for the error function": numerators and denominators up to 0.46875, to 4, and beyond.
_NEAR = (
    1.85777706184603153e-1,
    3.16112374387056560e0,
    1.13864154151050156e2,
    3.77485237685302021e2,
    3.20937758913846947e3,
)
_BELOW_NEAR = (1.0, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3)
_MIDDLE = (
    *(
        2.15311535474403846e-8,
        5.64188496988670089e-1,
        8.88314979438837594e0,
        6.61191906371416295e1,
        2.98635138197400131e2,
    ),
    *(8.81952221241769090e2, 1.71204761263407058e3, 2.05107837782607147e3, 1.23033935479799725e3),
)
_BELOW_MIDDLE = (
    *(1.0, 1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2, 1.62138957456669019e3),
    *(3.29079923573345963e3, 4.36261909014324716e3, 3.43936767414372164e3, 1.23033935480374942e3),
)
_FAR = (
    *(1.63153871373020978e-2, 3.05326634961232344e-1, 3.60344899949804439e-1),
    *(1.25781726111229246e-1, 1.60837851487422766e-2, 6.58749161529837803e-4),
)
_BELOW_FAR = (
    *(1.0, 2.56852019228982242e0, 1.87295284992346725e0),
    *(5.27905102951428412e-1, 6.05183413124413191e-2, 2.33520497626869185e-3),
)


@inline
def polynomial(coefficients, x):
    """The polynomial with these coefficients, the highest power's first, by Horner's scheme."""
    value = coefficients[0]
    for i in range(1, len(coefficients)):
        value = value * x + coefficients[i]
    return value


@inline
def _power(k):
    """2^k, for k from -1022 to 1023."""
    return np.int64((np.int64(k) + _BIAS) << _FIELD).view(np.float64)


@inline
def exponent(x):
    """The k with 2^k <= x < 2^(k + 1), for a positive normal number: also of integers up to 2^53."""
    return (np.float64(x).view(np.int64) >> _FIELD) - _BIAS


@inline
def log(x):
    """Ln x: -inf for 0, NaN below."""
    if not 0.0 < x < math.inf:
        return -math.inf if x == 0.0 else (x if x > 0.0 else math.nan)
    few = x < 2.0**-1022
    x = x * 2.0**54 if few else x
    k = exponent(x) - (54 if few else 0)
    f = np.int64(np.float64(x).view(np.int64) & _FRACTION | _BIAS << _FIELD).view(np.float64)
    if f > _SQRT2:
        f, k = 0.5 * f, k + 1
    s = (f - 1.0) / (f + 1.0)
    z = s * s
    return k * _LN2_HIGH + (2.0 * s + (2.0 * s * (z * polynomial(_AREA_TANGENT, z)) + k * _LN2_LOW))


@inline
def exp(x):
    """e^x."""
    if not -745.2 < x < 709.8:
        return 0.0 if x < 0.0 else (math.inf if x > 0.0 else x)
    k = np.int64(x * _PER_LN2 + (0.5 if x > 0.0 else -0.5))
    r = (x - k * _LN2_HIGH) - k * _LN2_LOW
    half = k >> 1
    return (1.0 + (r + r * r * polynomial(_FACTORIALS, r))) * _power(half) * _power(k - half)


@inline
def expm1(x):
    """e^x - 1, also near 0."""
    if abs(x) < 0.34:
        return x + x * x * polynomial(_FACTORIALS, x)
    return exp(x) - 1.0


@inline
def _small_erf(x):
    """Erf x for |x| up to 0.46875."""
    z = x * x
    return x * polynomial(_NEAR, z) / polynomial(_BELOW_NEAR, z)


@inline
def erfc(x):
    """The complement of the error function, 2 / sqrt(pi) times the integral of e^(-t^2) from x on."""
    y = abs(x)
    if y <= 0.46875:
        return 1.0 - _small_erf(x)
    if not y < 27.3:
        return 0.0 if x > 0.0 else (2.0 if x < 0.0 else x)
    if y <= 4.0:
        tail = polynomial(_MIDDLE, y) / polynomial(_BELOW_MIDDLE, y)
    else:
        z = 1.0 / (y * y)
        tail = (_PER_SQRT_PI - z * polynomial(_FAR, z) / polynomial(_BELOW_FAR, z)) / y
    # the square of y to sixteenths is exact, and what is left of y^2 is small
    near = np.int64(y * 16.0) * 0.0625
    tail *= exp(-near * near) * exp(-(y - near) * (y + near))
    return tail if x > 0.0 else 2.0 - tail


@inline
def erf(x):
    """The error function."""
    return _small_erf(x) if abs(x) <= 0.46875 else 1.0 - erfc(x)


__all__ = ["erf", "erfc", "exp", "expm1", "exponent", "log"]


def __dir__() -> list[str]:
    return __all__
