"""Divergences: closed forms, their order, and the entropy of indices between their bounds."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from codecs_rec.divergences import channel_simulation, kullback_leibler
from codecs_rec.families import Family, Gaussian, Laplace, Triangular, Uniform
from codecs_rec.samplers import GreedyPoisson, GreedyRejection
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from codecs_core.errors import EntropyError

PAIRS: list[tuple[Family, Family]] = [
    (Gaussian(1.0, 0.25), Gaussian()),
    (Gaussian(-0.3, 0.6), Gaussian(0.0, 1.2)),
    (Gaussian(0.0, 0.02), Gaussian()),
    (Laplace(0.0, 0.3), Laplace()),
    (Laplace(-1.0, 0.1), Laplace()),
]


@pytest.mark.parametrize("b", [0.9, 0.5, 0.1, 0.01])
def test_laplace_has_closed_forms(b: float) -> None:
    """The slide of the talk has - psi(1 / b); with it D_CS would be below D_KL, and negative."""
    kl, cs = kullback_leibler(Laplace(0.0, b), Laplace()), channel_simulation(Laplace(0.0, b), Laplace())
    assert float(kl) == pytest.approx((b - math.log(b) - 1) / math.log(2), abs=1e-6)
    assert float(cs) == pytest.approx((b + float(special.digamma(1 / b)) + np.euler_gamma - 1) / math.log(2), abs=1e-6)


@pytest.mark.parametrize(("m", "s"), [(0.0, 0.5), (2.0, 0.1), (-3.0, 0.9), (0.0, 1e-4)])
def test_gaussian_has_a_closed_form(m: float, s: float) -> None:
    kl = (m * m + s * s - 1) / 2 - math.log(s)
    assert float(kullback_leibler(Gaussian(m, s), Gaussian())) == pytest.approx(kl / math.log(2), abs=1e-6)


def test_uniform_tells_what_it_leaves_out() -> None:
    """Both are log2 of the ratio of the lengths."""
    for divergence in (kullback_leibler, channel_simulation):
        np.testing.assert_allclose(divergence(Uniform([0.1, 0.5], [0.5, 0.125]), Uniform()), [1, 3], atol=1e-6)


def test_nothing_told() -> None:
    """Where the target is the proposal, both are 0."""
    for family in (Gaussian, Laplace):
        for divergence in (kullback_leibler, channel_simulation):
            assert float(divergence(family(), family())) == pytest.approx(0, abs=1e-6)


@given(m=st.floats(-4, 4), s=st.floats(1e-3, 0.99), family=st.sampled_from([Gaussian, Laplace]))
def test_order(m: float, s: float, family: Any) -> None:
    """D_KL <= D_CS <= D_KL + log2(D_KL + 1) + 1."""
    kl, cs = (float(f(family(m, s), family())) for f in (kullback_leibler, channel_simulation))
    assert kl <= cs + 1e-6
    assert cs <= kl + math.log2(kl + 1) + 1 + 1e-6


@pytest.mark.parametrize("sampler", [GreedyPoisson(), GreedyRejection()], ids=lambda s: type(s).__name__)
@pytest.mark.parametrize(("target", "proposal"), PAIRS)
def test_the_entropy_of_an_index_lies_between(sampler: Any, target: Family, proposal: Family) -> None:
    """D_CS <= H <= D_CS + log2(1 + e) (Goc, Flamich 2024), H estimated from 40,000 indices with Miller and Madow's correction."""
    n = 40_000
    many = type(target)(np.broadcast_to(target.location, n), target.scale)
    counts = np.unique(sampler.encode(many, proposal, 13), return_counts=True)[1]
    entropy = -(counts / n * np.log2(counts / n)).sum() + (counts.size - 1) / (2 * n * math.log(2))
    kl, cs = float(kullback_leibler(target, proposal)), float(channel_simulation(target, proposal))
    # two of its standard errors, about
    slack = 2 * math.sqrt((cs + 3) / n) + 0.01
    assert kl <= cs
    assert cs - slack <= entropy <= cs + math.log2(1 + math.e) + slack


def test_shapes_and_bad_input() -> None:
    assert channel_simulation(Gaussian(np.zeros((2, 3)), 0.5), Gaussian(np.zeros(3))).shape == (2, 3)
    assert kullback_leibler(Triangular(0.5, [0.1, 0.2]), Uniform()).shape == (2,)
    with pytest.raises(EntropyError, match="wider"):
        channel_simulation(Gaussian(0.0, 2.0), Gaussian())
