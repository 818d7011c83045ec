"""Posteriors, groups and the alternation: what they converge to where that is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from codecs_inr.em import Alternation
from codecs_inr.groups import Groups, partition
from codecs_inr.network import Siren
from codecs_inr.posterior import Fit, Posterior
from codecs_inr.prior import Prior


def linear() -> Siren:
    """A network without hidden layers: y = w x + b, for which all is known in closed form."""
    return Siren((1, 1))


def test_a_posterior_is_that_of_linear_regression() -> None:
    rng = np.random.default_rng(0)
    x = np.linspace(-1, 1, 20, dtype=np.float32)[:, None]
    y = (0.7 * x + 0.2 + 0.1 * rng.standard_normal(x.shape)).astype(np.float32)[None]
    prior = Prior(np.zeros(2, np.float32), np.array([2.0, 0.5], np.float32))
    posterior = Posterior(1, 2, 0.5)
    fit = Fit(linear(), x, y, prior, 0.25)
    for rate in (0.05, 0.01, 0.002):
        fit.run(posterior, 1500, rng, rate=rate, share=1.0)
    design = np.concatenate([x, np.ones_like(x)], 1).astype(np.float64)
    precision = design.T @ design / 0.25 + np.diag(1 / prior.std.astype(np.float64) ** 2)
    mean = np.linalg.solve(precision, design.T @ y[0, :, 0] / 0.25)
    np.testing.assert_allclose(posterior.mean[0] * prior.std, mean, atol=0.02)
    # places are symmetric, so that w and b are independent
    np.testing.assert_allclose(posterior.deviation[0] * prior.std, np.diag(precision) ** -0.5, rtol=0.1)


def test_the_divergence_of_normal_distributions() -> None:
    posterior = Posterior(1, 2, 0.25)
    posterior.mean[0, 1] = 1.5
    half = 0.5 * (0.25**2 - 1) - math.log(0.25)
    np.testing.assert_allclose(posterior.kl()[0], [half, half + 0.5 * 1.5**2], rtol=1e-5)


def test_fixed_weights_stay_and_cost_nothing() -> None:
    rng = np.random.default_rng(2)
    posterior = Posterior(3, 2, 0.5)
    fit = Fit(
        linear(), np.ones((4, 1), np.float32), np.ones((3, 4, 1), np.float32), Prior(*np.ones((2, 2), np.float32)), 0.1
    )
    fit.run(posterior, 5, rng, rate=0.1)
    posterior.fix(np.array([1]), np.array([[1.0], [2.0], [3.0]]))
    before = posterior.mean[:, 0].copy()
    fit.run(posterior, 5, rng, rate=0.1)
    assert posterior.mean[:, 1].tolist() == [1, 2, 3]
    assert not posterior.kl()[:, 1].any()
    assert (posterior.mean[:, 0] != before).all()


def test_groups_tell_about_the_same() -> None:
    bits = np.random.default_rng(3).exponential(1.0, 400)
    group = partition(bits, 20)
    sums = np.bincount(group, bits)
    assert sorted({*group.tolist()}) == list(range(20))
    assert np.ptp(sums) < 0.25 * sums.mean()


@pytest.mark.parametrize("bits", [4, 10])
def test_the_best_proposal_is_chosen(bits: int) -> None:
    groups = Groups(np.array([0, 1, 0, -1, 1, 1]), bits)
    mean = np.random.default_rng(4).normal(0, 0.7, (5, 6)).astype(np.float32)
    deviation = np.full((5, 6), 0.3, np.float32)
    found = groups.choose(range(1, 2), np.zeros((5, 1), np.int64), mean, deviation)[:, 0]
    every = np.arange(1, 1 << bits)
    z = groups.values(np.stack([np.zeros_like(every), every], 1)) / 2**16
    at = groups.members[1]
    log = -0.5 * np.square((z[:, None, at] - mean[:, at]) / 0.3).sum(2) + 0.5 * np.square(z[:, at]).sum(1)[:, None]
    chosen = log[found - 1, np.arange(5)]
    np.testing.assert_allclose(chosen, log.max(0), rtol=1e-4)
    assert not z[:, 3].any()


def test_windows_have_the_best_path() -> None:
    """Of all 2^8 paths through four groups of two bits."""
    groups = Groups(np.array([0, 1, 2, -1, 3, 1, 0, 2, 3]), 2, window=6)
    mean = np.random.default_rng(4).normal(0, 0.7, (5, 9)).astype(np.float32)
    deviation = np.full((5, 9), 0.3, np.float32)
    every = np.stack([a.reshape(-1) for a in np.meshgrid(*[np.arange(4)] * 4)], 1)
    z = groups.values(every) / 2**16
    sent = groups.group >= 0
    ratio = 0.5 * np.square(z[:, None]) - 0.5 * np.square((z[:, None] - mean) / 0.3)
    best = ratio[..., sent].sum(2).argmax(0)
    found = groups.choose(range(4), np.zeros((5, 0), np.int64), mean, deviation)
    np.testing.assert_array_equal(found, every[best])
    later = groups.choose(range(2, 4), found[:, :2], mean, deviation)
    np.testing.assert_array_equal(later, found[:, 2:])
    assert [len(stage) for stage in groups.stages] == [2, 2]


def test_values_of_the_first_groups_are_those_of_all() -> None:
    groups = Groups(np.array([0, 1, 0, -1, 1, 2]), 8)
    index = np.random.default_rng(5).integers(0, 256, (4, 3))
    whole, part = groups.values(index), groups.values(index[:, :2])
    np.testing.assert_array_equal(whole[:, :5], part[:, :5])
    assert not part[:, 5].any()
    assert whole[:, 5].any()


def test_the_prior_gets_the_moments_of_the_posteriors() -> None:
    rng = np.random.default_rng(6)
    x = np.linspace(-1, 1, 9, dtype=np.float32)[:, None]
    slopes = rng.normal(2.0, 0.5, (60, 1, 1)).astype(np.float32)
    alternation = Alternation(linear(), x, slopes * x, 8.0, rng)
    for _ in range(60):
        alternation.expect(25, 0.03)
        alternation.maximise()
    assert abs(alternation.prior.mean[0] - slopes.mean()) < 0.1
    assert abs(alternation.prior.std[0] - slopes.std()) < 0.15
    assert abs(alternation.prior.mean[1]) < 0.1
    assert abs(alternation.information().sum() - 8.0) < 1.5


def test_a_basis_finds_the_directions_that_signals_differ_in() -> None:
    """Of lines whose slope and height are the same number, one number tells all."""
    rng = np.random.default_rng(7)
    x = np.linspace(-1, 1, 9, dtype=np.float32)[:, None]
    both = rng.normal(0, 1, (60, 1, 1)).astype(np.float32)
    bits = []
    for basis in False, True:
        alternation = Alternation(linear(), x, both * x + both, 8.0, np.random.default_rng(8), linear=basis)
        alternation.share = 1.0
        for _ in range(80):
            alternation.expect(25, 0.03)
            alternation.maximise()
            alternation.variance = 0.01
        bits.append(alternation.information().sum())
    assert bits[1] < 0.75 * bits[0]


def test_gradients_are_pulled_back_through_a_basis() -> None:
    rng = np.random.default_rng(9)
    basis = tuple(rng.standard_normal((n, n)).astype(np.float32) for n in (3, 2))
    prior = Prior(rng.standard_normal(5).astype(np.float32), rng.uniform(1, 2, 5).astype(np.float32), basis)
    z, slope = rng.standard_normal((2, 4, 5)).astype(np.float32)
    step = rng.standard_normal((4, 5)).astype(np.float32)
    change = ((prior.place(z + step) - prior.place(z)) * slope).sum()
    np.testing.assert_allclose((prior.pull(slope) * step).sum(), change, rtol=1e-3)
