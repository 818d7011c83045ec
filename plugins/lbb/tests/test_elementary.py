"""exp, log and their kin against mpmath."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
from codecs_lbb import elementary
from hypothesis import given, settings
from hypothesis import strategies as st

from codecs_core.jit import kernel


@kernel
def _exp(x):
    return elementary.exp(x)


@kernel
def _log(x):
    return elementary.log(x)


@kernel
def _logistic(x):
    return elementary.logistic(x)


@kernel
def _logit(x):
    return elementary.logit(x)


def check_close(function: Any, oracle: Callable[[Any], Any], x: float, *, scale: float = 0.0) -> None:
    expected = oracle(mpmath.mpf(x))
    assert abs(function(x) - expected) <= 4e-16 * (4 * abs(expected) + scale)


@settings(deadline=None)
@given(st.floats(-elementary.LIMIT, elementary.LIMIT))
def test_exp(x: float) -> None:
    check_close(_exp, mpmath.exp, x)


@settings(deadline=None)
@given(st.floats(1e-300, 1e300))
def test_log(x: float) -> None:
    check_close(_log, mpmath.log, x)


@settings(deadline=None)
@given(st.floats(-600, 600))
def test_logistic(x: float) -> None:
    check_close(_logistic, lambda v: 1 / (1 + mpmath.exp(-v)), x)


@settings(deadline=None)
@given(st.floats(1e-9, 1 - 1e-9))
def test_logit(p: float) -> None:
    check_close(_logit, lambda v: mpmath.log(v / (1 - v)), p, scale=4)


@pytest.mark.parametrize("x", [-1e300, -671.0, 671.0, 1e300, float("inf"), float("-inf")])
def test_exp_stays_where_it_is(x: float) -> None:
    assert _exp(x) == _exp(np.copysign(elementary.LIMIT, x))


def test_exp_of_zero_and_log_of_one() -> None:
    assert _exp(0.0) == 1.0
    assert _log(1.0) == 0.0
