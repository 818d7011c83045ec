"""Partitioned blocks: their law, their lengths, and every index decodes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from codecs_rec.families import Gaussian, Laplace
from codecs_rec.index import calibrate
from codecs_rec.philox import check_key, words
from codecs_rec.samplers import Partitioned, cuts_for
from codecs_rec.samplers.base import BLOCKS, BOXES
from codecs_rec.samplers.blocks import points
from codecs_rec.samplers.partition import cells_of, choose, edges
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from codecs_core.entropy import Message
from codecs_core.errors import EntropyError

MEAN, SCALE = np.array([0.5, -0.8, 0.2, 1.0]), np.array([0.4, 0.3, 0.9, 0.5])


@pytest.mark.parametrize("cuts", [(0, 0, 0, 0), (1, 1, 1, 1), (2, 3, 0, 2), (6, 6, 6, 6)])
def test_samples_follow_the_target(cuts: tuple[int, ...]) -> None:
    """Wherever the axes are cut, 25,000 blocks of four: Kolmogorov-Smirnov on axes and diagonals, chi-square of the radius."""
    n = 25_000
    sampler, proposal = Partitioned(cuts), Gaussian(np.zeros(4))
    x = sampler.decode(sampler.encode(Gaussian(np.broadcast_to(MEAN, (n, 4)), SCALE), proposal, 3), proposal, 3)
    z = (x - MEAN) / SCALE
    for direction in (*np.eye(4), np.full(4, 0.5), np.array([0.5, -0.5, 0.5, -0.5])):
        assert stats.kstest(z @ direction, "norm").pvalue > 1e-3
    assert stats.kstest(np.square(z).sum(1), stats.chi2(4).cdf).pvalue > 1e-3
    seen = np.histogram(stats.norm.cdf(z[:, 1]), 20, (0, 1))[0]
    assert stats.chisquare(seen).pvalue > 1e-3
    assert abs(np.corrcoef(z[:-1, 0], z[1:, 0])[0, 1]) < 5 / np.sqrt(n)


def test_blocks_of_32_bits_follow_the_target() -> None:
    """By 2^15 candidates, if each axis is cut by all its bits: the same tests, of 16,000 coordinates, and a length within 13 % of D_KL."""
    scale, d, n = 1 / 16, 8, 2000
    m = np.random.default_rng(0).normal(0, np.sqrt(1 - scale**2), (n, d))
    sampler, proposal = Partitioned(cuts_for(np.full(d, 4.0), 0.0)), Gaussian(np.zeros(d))
    index = sampler.encode(Gaussian(m, scale), proposal, 1)
    z = (sampler.decode(index, proposal, 1) - m) / scale
    assert stats.kstest(z.reshape(-1), "norm").pvalue > 1e-3
    assert stats.kstest(z.sum(1) / np.sqrt(d), "norm").pvalue > 1e-3
    assert stats.kstest(np.square(z).sum(1), stats.chi2(d).cdf).pvalue > 1e-3
    assert abs(np.square(z).mean() - 1) < 4 * np.sqrt(2 / z.size)
    told = ((m * m + scale * scale - 1) / 2 - np.log(scale)).sum(1)[n // 2 :].mean() / np.log(2)
    numbers = (index[: n // 2] - 1) % sampler.candidates + 1
    code, message = sampler.code(calibrate(numbers, 21, smooth=True), (n // 2,)), Message()
    code.push(message, index[n // 2 :])
    assert message.bits / (n // 2) < 1.13 * told


def test_large_blocks_cost_three_bits_more_than_they_tell() -> None:
    scale, d, n = 1 / 16, 8, 120
    m = np.random.default_rng(1).normal(0, np.sqrt(1 - scale**2), (2 * n, d))
    sampler, proposal = Partitioned(cuts_for(np.full(d, 4.0), 5.0)), Gaussian(np.zeros(d))
    index = sampler.encode(Gaussian(m, scale), proposal, 1)
    told = ((m * m + scale * scale - 1) / 2 - np.log(scale)).sum(1)[n:].mean() / np.log(2)
    code, message = sampler.code(calibrate((index[:n] - 1) % sampler.candidates + 1, 21, smooth=True), (n,)), Message()
    code.push(message, index[n:])
    assert 1 < message.bits / n - told < 4
    np.testing.assert_array_equal(code.pop(message), index[n:])


@given(seed=st.integers(0, 2**32), cuts=st.lists(st.integers(0, 6), min_size=1, max_size=20), n=st.integers(0, 3))
@settings(deadline=None, max_examples=30)
def test_blocks_decode(seed: int, cuts: list[int], n: int) -> None:
    """To a point of their box, alike whatever stands beside them."""
    while sum(cuts) > 38:
        cuts.pop()
    rng, d = np.random.default_rng(seed), len(cuts)
    sampler, proposal = Partitioned(cuts, 64), Gaussian(np.zeros(d))
    index = sampler.encode(Gaussian(rng.normal(0, 2, (n, d)), rng.uniform(0.01, 0.99, d)), proposal, seed)
    assert index.shape == (n,)
    assert ((index >= 1) & (index <= 64 << sampler.bits)).all()
    x = sampler.decode(index, proposal, seed)
    np.testing.assert_array_equal(sampler.decode(index[:1], proposal, seed), x[:1])
    box = (index - 1) // 64
    for k in range(d):
        below = sum(cuts[k + 1 :])
        interval = (box >> below) & ((1 << cuts[k]) - 1)
        line = edges()[:: 1 << (6 - cuts[k])]
        assert ((line[interval] <= x[:, k]) & (x[:, k] <= line[interval + 1])).all()


def test_proposals_are_those_of_the_specification() -> None:
    """Of block 2: a key for the box, and then words as for blocks that are not cut."""
    key, box, number, cuts = 77, 0b101101, 9, (2, 0, 3, 1)
    index = np.full(3, box * 64 + number)
    x = Partitioned(cuts, 64).decode(index, Gaussian(np.zeros(4)), key)[2]
    k0, k1 = words([box, 0, 2, int(BOXES)], key)[0, :2].tolist()
    half = words([number, 0, 2, int(BLOCKS)], k0 | k1 << 32)[0].tolist()
    h = [half[0] & 0xFFFF, half[0] >> 16, half[1] & 0xFFFF, half[1] >> 16]
    cells = [0b10 << 14 | h[0] >> 2, h[1], 0b110 << 13 | h[2] >> 3, 1 << 15 | h[3] >> 1]
    np.testing.assert_array_equal(x, points()[cells])


def test_searching_finds_heavier_candidates() -> None:
    m, s = np.full((50, 6), 0.7), np.full((50, 6), 0.2)
    cuts = np.full((50, 6), 2)
    prices = np.zeros((50, 12))
    free = choose(m, s, cuts, check_key(1), 1 << 10, prices=prices)[1]
    dear = choose(m, s, cuts, check_key(1), 1 << 10, prices=prices + 3 * np.arange(12))[1]
    assert dear.mean() < free.mean()


def test_cuts_leave_what_can_be_searched() -> None:
    np.testing.assert_array_equal(cuts_for([0.5, 0.9]), [0, 0])
    np.testing.assert_array_equal(cuts_for([4.0] * 8, 8.0), [3] * 8)
    assert cuts_for([9.0, 9.0], 1.0).tolist() == [6, 6]
    assert (cuts_for(np.full(30, 0.9), 3.0) == 0).all()


@pytest.mark.parametrize(
    "make", [lambda: Partitioned([7]), lambda: Partitioned([-1]), lambda: Partitioned([]), lambda: Partitioned([[1]])]
)
def test_cuts_out_of_range(make: Any) -> None:
    with pytest.raises(EntropyError, match="cuts"):
        make()


def test_bad_input() -> None:
    with pytest.raises(EntropyError, match="candidates"):
        Partitioned([1], 0)
    with pytest.raises(EntropyError, match="more than 62"):
        Partitioned([6] * 8)
    sampler = Partitioned([1, 2], 64)
    with pytest.raises(EntropyError, match="Gaussian"):
        sampler.encode(Laplace(np.zeros(2), 0.5), Laplace(np.zeros(2)), 1)
    with pytest.raises(EntropyError, match="dimensions"):
        sampler.encode(Gaussian(np.zeros(3), 0.5), Gaussian(np.zeros(3)), 1)
    for index in (0, 64 * 8 + 1, 1.0):
        with pytest.raises(EntropyError, match="index"):
            sampler.decode(index, Gaussian(np.zeros(2)), 1)
    for shape in ((), (3,), (4, 2)):
        with pytest.raises(EntropyError, match="shape"):
            sampler.decode([1], Gaussian(np.zeros(shape)), 1)


@pytest.mark.parametrize("far", [2.0, 6.0, 60.0])
def test_targets_that_no_proposal_is_near(far: float) -> None:
    """They tell far more than any search looks at, and have the outermost box."""
    m, cuts, key = np.array([[far, -far, far]]), np.array([[6, 6, 6]]), np.uint64(0)
    for prices in (None, np.zeros((1, 16))):
        box, number = choose(m, np.full(m.shape, 0.01), cuts, key, 1 << 15, prices=prices)
        x = points()[cells_of(box, number, cuts, key)]
        assert (x * np.sign(m) > 1.8).all()
