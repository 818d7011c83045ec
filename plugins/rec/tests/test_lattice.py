"""Dithering with E8: the law of its noise, its lattice, its code."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from codecs_rec.families import Gaussian, Laplace
from codecs_rec.samplers import LatticeDithered
from codecs_rec.samplers.lattice import DENSITY
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from codecs_core.entropy import Message
from codecs_core.errors import CodecsError, EntropyError

BLOCKS = 12_500


def test_noise_is_gaussian() -> None:
    """Of 10^5 coordinates: Kolmogorov-Smirnov along axes, lattice vectors and others, chi-square of the length."""
    rng = np.random.default_rng(0)
    y, scale = rng.normal(0, 3, (BLOCKS, 8)), 0.7
    sampler, proposal = LatticeDithered(scale), Gaussian(np.full(8, 0.25))
    index = sampler.encode(Gaussian(y, scale), proposal, 5)
    z = (sampler.decode(index, proposal, 5) - y) / scale
    rows = [np.eye(8)[0], np.eye(8)[7], np.full(8, 1.0), np.array([1.0, -1, 0, 0, 0, 0, 0, 0]), rng.normal(0, 1, 8)]
    for direction in rows:
        assert stats.kstest(z @ (direction / np.linalg.norm(direction)), "norm").pvalue > 1e-3
    assert stats.kstest(z.reshape(-1), "norm").pvalue > 1e-3
    assert stats.kstest(np.square(z).sum(1), stats.chi2(8).cdf).pvalue > 1e-3
    assert abs(np.corrcoef(z.reshape(-1), y.reshape(-1))[0, 1]) < 5 / math.sqrt(z.size)
    # the ball fills so much of a cell
    assert index[:, 0].mean() == pytest.approx(1 / DENSITY, rel=0.05)


def test_points_are_the_nearest_of_the_lattice() -> None:
    """The offset of each point from what it stands for is no longer than to any of the 240 nearest neighbours."""
    rows = np.array([r for r in itertools.product((-2, -1, 0, 1, 2), repeat=8) if sum(v * v for v in r) == 8], np.int64)
    rows = rows[((rows & 1) == (rows[:, :1] & 1)).all(1) & (rows.sum(1) % 4 == 0)]
    assert len(rows) == 240
    y = np.random.default_rng(1).normal(0, 5, (500, 8))
    sampler = LatticeDithered(1.0)
    index = sampler.encode(Gaussian(y, 1.0), Gaussian(np.zeros(8)), 3)
    steps = sampler._steps((500,), 3)[:, None]
    away = y / steps - sampler._dithers(index[:, 0], 3) - 0.5 * index[:, 1:]
    others = np.square(away[:, None] - 0.5 * rows).sum(2)
    assert (np.square(away).sum(1) <= others.min(1) + 1e-6).all()


@pytest.mark.parametrize("bits", [2, 5])
def test_length_over_the_information(bits: int) -> None:
    scale, n = 0.5, 1500
    spread = scale * math.sqrt(4**bits - 1)
    y, sampler, prior = (
        np.random.default_rng(2).normal(0, spread, (n, 8)),
        LatticeDithered(scale),
        Gaussian(np.zeros(8), spread),
    )
    index, code, message = sampler.encode(Gaussian(y, scale), prior, 6), sampler.code((n,), prior, 6), Message()
    code.push(message, index)
    length = message.bits / (8 * n)
    again = Message.from_bytes(message.to_bytes())
    np.testing.assert_array_equal(code.pop(again), index)
    again.verify_end()
    assert bits + 0.3 < length < bits + 0.42


@given(seed=st.integers(0, 2**32), n=st.integers(0, 4), spread=st.floats(0.01, 1e6))
@settings(deadline=None, max_examples=30)
def test_blocks_decode(seed: int, n: int, spread: float) -> None:
    """Alike whatever stands beside them, and through their code, also where the prior is wrong."""
    rng = np.random.default_rng(seed)
    y, scale = rng.normal(0, spread, (n, 8)), rng.uniform(0.1, 2, n)
    sampler, proposal = LatticeDithered(scale), Gaussian(rng.normal(0, 1, 8), rng.uniform(0.01, 10, 8))
    index = sampler.encode(Gaussian(y, scale[:, None]), proposal, seed)
    assert index.shape == (n, 9)
    x = sampler.decode(index, proposal, seed)
    if n:
        first = LatticeDithered(scale[:1]).decode(index[:1], proposal, seed)
        np.testing.assert_array_equal(first, x[:1])
    code, message = sampler.code((n,), proposal, seed), Message()
    code.push(message, index)
    np.testing.assert_array_equal(code.pop(message), index)


@given(data=st.binary(min_size=8, max_size=200))
@settings(deadline=None, max_examples=30)
def test_damaged_messages(data: bytes) -> None:
    """An error of the tree, or an index that decodes."""
    sampler, proposal = LatticeDithered(0.5), Gaussian(np.zeros(8), 3.0)
    try:
        index = sampler.code((3,), proposal, 1).pop(Message.from_bytes(data))
    except CodecsError:
        return
    assert np.isfinite(sampler.decode(index, proposal, 1)).all()


@pytest.mark.parametrize(
    "index",
    [
        [0, *[0] * 8],
        [129, *[0] * 8],
        [1, 1, *[0] * 7],
        [1, 2, *[0] * 7],
        [1, *[1] * 7, -1],
        [1, *[0] * 7],
        [1, *[0.5] * 8],
    ],
)
def test_indices_out_of_range(index: Any) -> None:
    with pytest.raises(EntropyError, match="index"):
        LatticeDithered(1.0).decode(index, Gaussian(np.zeros(8)), 1)


def test_bad_input() -> None:
    for scale in (0.0, -1.0, math.nan, [1.0, math.inf]):
        with pytest.raises(EntropyError, match="scale"):
            LatticeDithered(scale)
    sampler = LatticeDithered(0.5)
    with pytest.raises(EntropyError, match="Gaussian"):
        sampler.encode(Laplace(np.zeros(8), 0.5), Gaussian(), 1)
    with pytest.raises(EntropyError, match="shape"):
        sampler.encode(Gaussian(np.zeros(7), 0.5), Gaussian(), 1)
    with pytest.raises(EntropyError, match="scale"):
        sampler.encode(Gaussian(np.zeros(8), 0.4), Gaussian(), 1)
    with pytest.raises(EntropyError, match="steps"):
        sampler.encode(Gaussian(np.full(8, 1e12), 0.5), Gaussian(), 1)
