"""The map from bits to points: the right distribution, and the same numbers everywhere."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pytest
from codecs_rec.quantile import LAPLACE, NORMAL, TRIANGULAR, UNIFORM, grid, quantiles
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

FAMILIES: dict[int, Any] = {
    NORMAL: stats.norm(),
    LAPLACE: stats.laplace(),
    UNIFORM: stats.uniform(),
    TRIANGULAR: stats.triang(0.5, -1, 2),
}
BITS = st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 63).map(lambda e: 1 << e), min_size=2, max_size=50)


def raw(n: int) -> Any:
    return np.asarray(np.random.Philox(1).random_raw(n))


@pytest.mark.parametrize("family", FAMILIES)
def test_points_have_the_distribution(family: int) -> None:
    u = raw(100_000)
    error = np.abs(FAMILIES[family].cdf(quantiles(family, u)) - (u.astype(np.float64) + 0.5) / 2.0**64)
    assert error.max() < 1e-6


@pytest.mark.parametrize("family", [NORMAL, LAPLACE])
def test_tails(family: int) -> None:
    u = np.array([(1 << e) - 1 for e in range(5, 64)], np.uint64)
    tail = FAMILIES[family].logcdf(quantiles(family, u))
    np.testing.assert_allclose(tail, np.log(u.astype(np.float64) + 0.5) - 64 * np.log(2), atol=0.03, rtol=1e-5)


@pytest.mark.parametrize("family", FAMILIES)
@given(bits=BITS)
def test_points_rise_with_the_bits(family: int, bits: list[int]) -> None:
    u = np.array(sorted(bits), np.uint64)
    x = quantiles(family, u)
    assert (np.diff(x) >= 0).all()
    if family != UNIFORM:
        np.testing.assert_array_equal(quantiles(family, ~u), -x)


@pytest.mark.parametrize(
    ("family", "digest"),
    [
        (NORMAL, "6994ea6068eab425"),
        (LAPLACE, "bdee6891b420f3e2"),
        (UNIFORM, "a0bed3ff3823a1a4"),
        (TRIANGULAR, "a89e90aa6e05c208"),
    ],
)
def test_points_are_the_same_everywhere(family: int, digest: str) -> None:
    u = np.concatenate(
        [raw(4096), np.uint64(1) << np.arange(64, dtype=np.uint64), ~np.uint64(0) >> np.arange(3, dtype=np.uint64)]
    )
    assert hashlib.sha256(quantiles(family, u).astype("<f8").tobytes()).hexdigest()[:16] == digest


def test_grid() -> None:
    points = grid()
    assert points.shape == (1 << 16,)
    assert (np.diff(points) > 0).all()
    assert np.abs(points + points[::-1]).max() <= 1
    np.testing.assert_allclose(
        points * 2.0**-32, stats.norm.ppf((np.arange(1 << 16) + 0.5) / 2.0**16), atol=1e-5, rtol=1e-5
    )
