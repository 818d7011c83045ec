"""Elementary functions of kernels are near those of the machine's library."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from codecs_core.jit import kernel
from codecs_core.jit.elementary import erf, erfc, exp, expm1, log


@kernel
def _all(x, out):
    for i in range(x.size):
        out[0, i], out[1, i], out[2, i], out[3, i], out[4, i] = log(x[i]), exp(x[i]), expm1(x[i]), erfc(x[i]), erf(x[i])


ORACLES: list[Callable[[float], float]] = [math.log, math.exp, math.expm1, math.erfc, math.erf]
#: Errors allowed, in units of 2^-53 of the value; the tail of erfc multiplies the error of the square of its argument.
UNITS = [4, 4, 6, 16, 6]


def check_near(x: NDArray[np.float64], which: int) -> None:
    found = np.empty((5, x.size))
    _all(x, found)
    expected = np.array([ORACLES[which](v) for v in x.tolist()])
    error = np.abs(found[which] - expected)
    # results below the normal numbers are as coarse as these are
    allowed = UNITS[which] * np.maximum(np.abs(expected) * 2.0**-53, 2.0**-1074)
    worst = int(np.argmax(error / allowed))
    assert error[worst] <= allowed[worst], (x[worst], found[which][worst], expected[worst])


def spread(low: float, high: float) -> NDArray[np.float64]:
    return np.random.default_rng(1).uniform(low, high, 20_000)


@pytest.mark.parametrize(
    ("which", "low", "high"),
    [
        *((0, 0.5, 2.0), (0, 0.0, 1e300)),
        *((1, -745.0, 709.7), (1, -1.0, 1.0)),
        *((2, -1.0, 1.0), (2, -50.0, 700.0)),
        *((3, -6.0, 6.0), (3, 6.0, 27.0), (3, -1.0, 1.0)),
        *((4, -6.0, 6.0), (4, -1e-8, 1e-8)),
    ],
)
def test_as_the_library(which: int, low: float, high: float) -> None:
    check_near(spread(low, high), which)


def test_logarithms_of_all_magnitudes() -> None:
    check_near(2.0 ** spread(-1074, 1023.9), 0)


@given(st.floats(min_value=0.0, exclude_min=True, allow_infinity=False))
def test_logarithms(x: float) -> None:
    check_near(np.array([x]), 0)


def test_ends() -> None:
    found = np.empty((5, 5))
    _all(np.array([0.0, -1.0, math.inf, -math.inf, math.nan]), found)
    nan = math.nan
    expected = [
        [-math.inf, nan, math.inf, nan, nan],
        [1.0, found[1, 1], math.inf, 0.0, nan],
        [0.0, found[2, 1], math.inf, -1.0, nan],
        [1.0, found[3, 1], 0.0, 2.0, nan],
        [0.0, found[4, 1], 1.0, -1.0, nan],
    ]
    np.testing.assert_array_equal(found, expected)
