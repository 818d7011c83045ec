"""Rounding weights by what comes out of a layer."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from codecs_core.exact.rounding import round_weights


def moments(x: NDArray[np.float64]) -> NDArray[np.float64]:
    with_one = np.concatenate([x, np.ones((len(x), 1))], 1)
    return with_one.T @ with_one / len(x)


def outputs_change(w: NDArray[np.float64], x: NDArray[np.float64], limit: float) -> tuple[float, float]:
    """Mean squares of how much the outputs change, rounded so and to the nearest."""
    rounded, bias = round_weights(w, moments(x), np.full(len(w), limit))
    assert np.array_equal(rounded, np.floor(rounded))
    assert np.abs(rounded).max(initial=0) <= limit
    nearest = np.floor(w + 0.5).clip(-limit, limit)
    return float(np.mean((x @ (rounded - w).T + bias) ** 2)), float(np.mean((x @ (nearest - w).T) ** 2))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1 << 32), st.integers(3, 6), st.integers(8, 40))
def test_inputs_that_belong_together(seed: int, rows: int, terms: int) -> None:
    """With inputs that differ little from each other, errors of weights nearly cancel, and the mean is made up for."""
    rng = np.random.default_rng(seed)
    x = 5 + rng.normal(size=(500, 1)) + 0.1 * rng.normal(size=(500, terms))
    so, nearest = outputs_change(rng.normal(0, 20, (rows, terms)), x, 127)
    assert so < max(nearest / 2, 0.02 * terms)


def test_integers_stay() -> None:
    rng = np.random.default_rng(0)
    w = rng.integers(-50, 50, (3, 10)).astype(float)
    rounded, bias = round_weights(w, moments(rng.normal(size=(100, 10))), np.full(3, 127.0))
    assert np.array_equal(rounded, w)
    assert bias == pytest.approx(np.zeros(3))


def test_inputs_that_are_never_seen() -> None:
    """A ReLU that is dead, an image that is black: no input, and no failure."""
    x = np.zeros((50, 4))
    so, _ = outputs_change(np.random.default_rng(1).normal(0, 20, (2, 4)), x, 127)
    assert so == pytest.approx(0, abs=1e-9)


def test_weights_beyond_the_limit_are_cut() -> None:
    rng = np.random.default_rng(2)
    x = 1 + 0.05 * rng.normal(size=(300, 6))
    so, nearest = outputs_change(rng.normal(0, 30, (2, 6)), x, 20)
    assert so < nearest
