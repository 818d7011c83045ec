"""Ratios of densities and their level sets, against scipy and numerical integration."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from codecs_rec import ratios
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit
from scipy import integrate, stats

PAIRS = {
    ratios.GAUSSIAN: (stats.norm, stats.norm()),
    ratios.LAPLACE: (stats.laplace, stats.laplace()),
    ratios.UNIFORM: (lambda m, s: stats.uniform(m - s, 2 * s), stats.uniform()),
    ratios.TRIANGULAR_IN_UNIFORM: (lambda m, s: stats.triang(0.5, m - s, 2 * s), stats.uniform()),
    ratios.TRIANGULAR: (lambda m, s: stats.triang(0.5, m - s, 2 * s), stats.triang(0.5, -1, 2)),
}


@njit
def level(pair, log_h, m, s):
    return ratios.level_set(ratios.ratio_of(pair, m, s), log_h)


@njit
def at(pair, x, m, s):
    return ratios.log_ratio(ratios.ratio_of(pair, m, s), x)


@njit
def top(pair, m, s):
    return ratios.ratio_of(pair, m, s).log_top


@njit
def survival(pair, h, low, high, m, s):
    return ratios.survival(ratios.ratio_of(pair, m, s), h, low, high)


@njit
def heights(pair, h, rate, low, high, m, s, n):
    """Heights of next arrivals, drawn `n` times."""
    out, state = np.empty(n), np.uint64(7)
    r = ratios.ratio_of(pair, m, s)
    alive, w_p = ratios.survival(r, h, low, high)
    for i in range(n):
        out[i], _, _, state = ratios.next_arrival(h, rate, alive, w_p, state, r, low, high)
    return out


def centre_and_scale(pair: int, a: float, b: float) -> tuple[float, float]:
    """A target within its proposal from two numbers in (0, 1)."""
    s = 0.02 + 0.9 * b
    if pair in (ratios.GAUSSIAN, ratios.LAPLACE):
        return 6 * a - 3, s
    if pair == ratios.TRIANGULAR:
        return (1 - s) * (2 * a - 1) * 0.99, s
    return s / 2 + (1 - s) * a, s / 2


@pytest.mark.parametrize("pair", PAIRS)
@given(a=st.floats(0, 1), b=st.floats(0, 1), share=st.floats(0.01, 0.99))
@settings(deadline=None)
def test_ratio_and_level_sets(pair: int, a: float, b: float, share: float) -> None:
    m, s = centre_and_scale(pair, a, b)
    make, proposal = PAIRS[pair]
    target = make(m, s)
    highest = top(pair, m, s)
    x = target.ppf(0.01 + 0.98 * share)
    assert at(pair, x, m, s) == pytest.approx(target.logpdf(x) - proposal.logpdf(x), abs=1e-6)
    assert at(pair, x, m, s) <= highest + 1e-9
    log_h = highest + math.log(share)
    low, high = level(pair, log_h, m, s)
    assert low <= high
    for end in () if pair == ratios.UNIFORM else (low, high):
        assert at(pair, end, m, s) == pytest.approx(log_h, abs=1e-6)


@pytest.mark.parametrize("pair", PAIRS)
@given(
    a=st.floats(0, 1),
    b=st.floats(0.05, 1),
    share=st.just(0.0) | st.floats(0.01, 0.95),
    cut=st.floats(0.1, 0.9),
    left=st.booleans(),
)
@settings(deadline=None, max_examples=30)
def test_survival(pair: int, a: float, b: float, share: float, cut: float, left: bool) -> None:
    m, s = centre_and_scale(pair, a, b)
    make, proposal = PAIRS[pair]
    target = make(m, s)
    h = share * math.exp(top(pair, m, s))
    middle = proposal.ppf(cut)
    low, high = (-math.inf, middle) if left else (middle, math.inf)
    z, p = survival(pair, h, low, high, m, s)
    grid = np.linspace(*target.ppf([1e-7, 1 - 1e-7]), 20_001)
    grid = grid[(grid >= low) & (grid <= high)]
    gain = np.maximum(target.pdf(grid) - h * proposal.pdf(grid), 0)
    assert z == pytest.approx(np.trapezoid(gain, grid) if grid.size else 0, abs=2e-3)
    inside = np.where(gain > 0, proposal.pdf(grid), 0)
    if h > 0:
        assert p == pytest.approx(np.trapezoid(inside, grid) if grid.size else 0, abs=2e-3)


@pytest.mark.parametrize(
    ("pair", "m", "s", "low", "high"),
    [
        (ratios.GAUSSIAN, 1.0, 0.25, -math.inf, math.inf),
        (ratios.GAUSSIAN, 0.5, 0.6, 0.0, math.inf),
        (ratios.LAPLACE, -0.7, 0.4, -0.9, 0.0),
        (ratios.TRIANGULAR, 0.3, 0.5, 0.0, 0.5),
    ],
)
def test_heights_have_the_law_of_stretched_time(pair: int, m: float, s: float, low: float, high: float) -> None:
    """P[height > h] = exp(-integral of rate / (w_Q - h w_P)): the stretched time that passes is exponential."""
    rate = float(PAIRS[pair][1].cdf(high) - PAIRS[pair][1].cdf(low))
    drawn: Any = heights(pair, 0.0, rate, low, high, m, s, 20_000)
    edges = np.quantile(drawn, np.linspace(0, 1, 60)[:-1])
    pieces = [
        integrate.quad(lambda h: rate / survival(pair, h, low, high, m, s)[0], a, b)[0]
        for a, b in zip([0.0, *edges[:-1]], edges, strict=True)
    ]
    time = np.interp(drawn, edges, np.cumsum(pieces))
    # beyond the last edge time is not known: compare below it
    limit = float(np.sum(pieces))
    inside = time[drawn < edges[-1]]
    assert stats.kstest(inside, stats.truncexpon(limit).cdf).pvalue > 1e-3
