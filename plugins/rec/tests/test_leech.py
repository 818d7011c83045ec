"""The Leech lattice, random rotations, and dithering with both: the lattice's points, the law of the noise, the code."""

from __future__ import annotations

import hashlib
import math
from typing import Any

import numpy as np
import pytest
from codecs_rec.families import Gaussian, Laplace
from codecs_rec.leech import ONE, SIZE, WORDS, contains, nearest
from codecs_rec.rotation import mirrors, rotate, rotate_back
from codecs_rec.samplers import LeechDithered
from codecs_rec.samplers.leech import SHARE, SPREAD, TRIES
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from codecs_core.entropy import Message
from codecs_core.errors import CodecsError, EntropyError
from codecs_core.jit import kernel

BLOCKS = 4200
WORD_BITS: NDArray[np.int64] = WORDS[:, None] >> np.arange(SIZE) & 1


@kernel
def _nearest(x, points, squares):
    a, b, c = np.empty((3, 3, 256), np.int64)
    for i in range(len(x)):
        squares[i] = nearest(x[i], points[i], a, b, c)


def found(x: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The points nearest to vectors in units of the lattice, and their squared distances."""
    whole = np.rint(x * float(ONE)).astype(np.int64)
    points, squares = np.empty(x.shape, np.int64), np.empty(len(x), np.int64)
    _nearest(whole, points, squares)
    return points, squares / float(ONE) ** 2


def distances(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """The squared distance of a vector to the nearest point of each of the 8192 classes of points modulo 4."""
    offsets = np.concatenate([2 * WORD_BITS, 2 * WORD_BITS + 1])
    m = np.rint((x - offsets) / 4)
    rest = np.abs(x - offsets - 4 * m)
    wrong = (m.sum(1) + np.repeat([0, 1], len(WORDS))) % 2
    return np.square(rest).sum(1) + wrong * (16 - 8 * rest.max(1))


def shortest() -> NDArray[np.int64]:
    """The shortest vectors of the lattice."""
    eights = WORD_BITS[WORD_BITS.sum(1) == 8]
    signs = np.array([[1 - 2 * (n >> k & 1) for k in range(8)] for n in range(256) if n.bit_count() % 2 == 0])
    twos = np.zeros((len(eights), len(signs), SIZE), np.int64)
    for word, at in enumerate(eights):
        twos[word][:, np.flatnonzero(at)] = 2 * signs
    fours = [
        [*np.bincount([i], [a], SIZE) + np.bincount([j], [b], SIZE)]
        for i in range(SIZE)
        for j in range(i)
        for a in (4, -4)
        for b in (4, -4)
    ]
    odd = (1 - 2 * WORD_BITS)[:, None] * (1 - 4 * np.eye(SIZE, dtype=np.int64))
    return np.concatenate([twos.reshape(-1, SIZE), np.array(fours, np.int64), odd.reshape(-1, SIZE)])


def test_words_are_those_of_the_golay_code() -> None:
    weights, counts = np.unique(WORD_BITS.sum(1), return_counts=True)
    assert dict(zip(weights.tolist(), counts.tolist(), strict=True)) == {0: 1, 8: 759, 12: 2576, 16: 759, 24: 1}
    rng = np.random.default_rng(0)
    assert np.isin(rng.choice(WORDS, 1000) ^ rng.choice(WORDS, 1000), WORDS).all()


def test_shortest_vectors() -> None:
    """There are 196,560, all of the squared length 4 in units of volume 1, and sums and differences are in the lattice, none shorter."""
    vectors, rng = shortest(), np.random.default_rng(1)
    assert len(np.unique(vectors, axis=0)) == 196_560
    assert contains(vectors).all()
    assert (np.square(vectors).sum(1) == 32).all()
    a, b = rng.choice(vectors, 2000), rng.choice(vectors, 2000)
    assert contains(a + b).all()
    lengths = np.square(a - b).sum(1)
    assert (lengths[lengths > 0] >= 32).all()
    assert not contains(vectors[:2000] + 2 * np.eye(SIZE, dtype=np.int64)[0]).any()


def test_nearest_points() -> None:
    """They are points of the lattice, at the distance of the best of all classes, and no vector is farther than the covering radius."""
    rng = np.random.default_rng(2)
    x = np.concatenate(
        [rng.uniform(-20, 20, (30, SIZE)), rng.normal(0, 1e4, (10, SIZE)), rng.choice(shortest(), 10) / 2]
    )
    points, squares = found(x)
    assert contains(points).all()
    np.testing.assert_allclose(squares, np.square(x - points).sum(1), rtol=1e-5)
    np.testing.assert_allclose(squares, [distances(one).min() for one in x], rtol=1e-5)
    assert squares.max() <= 16
    assert (squares[-10:] == 8).all()  # halves of shortest vectors


def test_no_neighbour_is_nearer() -> None:
    x = np.random.default_rng(3).uniform(-8, 8, (20, SIZE))
    away, vectors = x - found(x)[0], shortest().astype(np.float64)
    for one in away:
        assert 2 * float((vectors @ one).max()) <= 32 + 1e-5


def test_deep_holes() -> None:
    """Four times an axis is as far from the lattice as there is, and has 48 nearest points; lattice points are their own."""
    hole, axes = 4 * np.eye(SIZE)[5:6], 4 * np.eye(SIZE, dtype=np.int64)
    points = shortest()[:500]
    assert contains(np.concatenate([axes[5] + axes, axes[5] - axes])).all()
    for shift in (np.zeros_like(points[:1]), points):
        nearby, squares = found(hole + shift)
        assert (squares == 16).all()
        assert contains(nearby).all()
    assert (found(points.astype(np.float64))[0] == points).all()


def test_the_spread_of_a_cell() -> None:
    squares = found(np.random.default_rng(4).uniform(-4, 4, (20_000, SIZE)))[1]
    assert squares.mean() / SIZE == pytest.approx(SPREAD, rel=0.004)


@kernel
def _turned(normals, z, back):
    rows = np.zeros((z.shape[1] - 1, z.shape[1]))
    for i in range(len(z)):
        mirrors(normals[i], rows)
        rotate(rows, z[i])
        back[i] = z[i]
        rotate_back(rows, back[i])


def test_rotations() -> None:
    """They keep lengths, can be undone, and take a vector to one whose coordinates are those of a uniform direction."""
    rng = np.random.default_rng(5)
    for first in (np.eye(5)[0], np.eye(5)[4], np.array([0.6, 0.0, 0.0, -0.8, 0.0])):
        z = np.tile(first, (5000, 1))
        back = np.empty_like(z)
        _turned(rng.normal(0, 1, (5000, 14)), z, back)
        np.testing.assert_allclose(back, np.tile(first, (5000, 1)), atol=1e-12)
        np.testing.assert_allclose(np.square(z).sum(1), 1)
        for direction in (np.eye(5)[0], np.eye(5)[3], np.eye(5)[4], np.full(5, 5**-0.5)):
            assert stats.kstest((1 + z @ direction) / 2, stats.beta(2, 2).cdf).pvalue > 1e-3


def test_noise_is_gaussian() -> None:
    """Of 10^5 coordinates: Kolmogorov-Smirnov along axes, lattice vectors and others, chi-square of the length."""
    rng = np.random.default_rng(0)
    y, scale = rng.normal(0, 3, (BLOCKS, SIZE)), 0.7
    sampler, proposal = LeechDithered(scale), Gaussian(np.full(SIZE, 0.25))
    index = sampler.encode(Gaussian(y, scale), proposal, 5)
    z = (sampler.decode(index, proposal, 5) - y) / scale
    rows = [np.eye(SIZE)[0], np.eye(SIZE)[23], np.full(SIZE, 1.0), *shortest()[[0, -1]], rng.normal(0, 1, SIZE)]
    for direction in rows:
        assert stats.kstest(z @ (direction / np.linalg.norm(direction)), "norm").pvalue > 1e-3
    assert stats.kstest(z.reshape(-1), "norm").pvalue > 1e-3
    length = np.square(z).sum(1)
    assert stats.kstest(length, stats.chi2(SIZE).cdf).pvalue > 1e-3
    cells = np.bincount((stats.chi2(SIZE).cdf(length) * 40).astype(int), minlength=40)
    assert stats.chisquare(cells).pvalue > 1e-3
    assert abs(np.corrcoef(z.reshape(-1), y.reshape(-1))[0, 1]) < 5 / math.sqrt(z.size)
    assert index[:, 0].mean() == pytest.approx(1 / SHARE, abs=0.01)


@pytest.mark.parametrize("bits", [2, 5])
def test_length_over_the_information(bits: int) -> None:
    scale, n = 0.5, 600
    spread = scale * math.sqrt(4**bits - 1)
    y = np.random.default_rng(2).normal(0, spread, (n, SIZE))
    sampler, prior = LeechDithered(scale), Gaussian(np.zeros(SIZE), spread)
    index, code, message = sampler.encode(Gaussian(y, scale), prior, 6), sampler.code((n,), prior, 6), Message()
    code.push(message, index)
    length = message.bits / y.size
    again = Message.from_bytes(message.to_bytes())
    np.testing.assert_array_equal(code.pop(again), index)
    again.verify_end()
    assert bits + 0.08 < length < bits + 0.15


@given(seed=st.integers(0, 2**32), n=st.integers(0, 4), spread=st.floats(0.01, 1e6))
@settings(deadline=None, max_examples=30)
def test_blocks_decode(seed: int, n: int, spread: float) -> None:
    """Alike whatever stands beside them, and through their code, also where the prior is wrong."""
    rng = np.random.default_rng(seed)
    y, scale = rng.normal(0, spread, (n, SIZE)), rng.uniform(0.1, 2, n)
    sampler, proposal = LeechDithered(scale), Gaussian(rng.normal(0, 1, SIZE), rng.uniform(0.01, 10, SIZE))
    index = sampler.encode(Gaussian(y, scale[:, None]), proposal, seed)
    assert index.shape == (n, SIZE + 1)
    x = sampler.decode(index, proposal, seed)
    if n:
        first = LeechDithered(scale[:1]).decode(index[:1], proposal, seed)
        np.testing.assert_array_equal(first, x[:1])
        assert float(np.abs(x - y).max()) < 8 * 2
    code, message = sampler.code((n,), proposal, seed), Message()
    code.push(message, index)
    np.testing.assert_array_equal(code.pop(message), index)


def test_indices_and_samples_stay_the_same() -> None:
    y = (np.arange(48).reshape(2, SIZE) * 37 % 101) / 10
    sampler, proposal = LeechDithered(0.3), Gaussian(np.zeros(SIZE), 2.0)
    index = sampler.encode(Gaussian(y, 0.3), proposal, 11)
    written = index.astype("<i8").tobytes() + sampler.decode(index, proposal, 11).astype("<f8").tobytes()
    assert hashlib.sha256(written).hexdigest() == "e7545582b445fa31f434ea2f4b29fe5216cd54103ac62e51ab718f4f1238a6cf"


@given(data=st.binary(min_size=8, max_size=300))
@settings(deadline=None, max_examples=30)
def test_damaged_messages(data: bytes) -> None:
    """An error of the tree, or an index that decodes."""
    sampler, proposal = LeechDithered(0.5), Gaussian(np.zeros(SIZE), 3.0)
    try:
        index = sampler.code((3,), proposal, 1).pop(Message.from_bytes(data))
    except CodecsError:
        return
    assert np.isfinite(sampler.decode(index, proposal, 1)).all()


@pytest.mark.parametrize(
    "index",
    [
        [0, *[0] * 24],
        [TRIES + 1, *[0] * 24],
        [1, 4, *[0] * 23],
        [1, 2, *[0] * 23],
        [1, *[1] * 24],
        [1, *[0] * 23],
        [1, *[0.5] * 24],
    ],
)
def test_indices_out_of_range(index: Any) -> None:
    with pytest.raises(EntropyError, match="index"):
        LeechDithered(1.0).decode(index, Gaussian(np.zeros(SIZE)), 1)


def test_bad_input() -> None:
    for scale in (0.0, -1.0, math.nan, [1.0, math.inf]):
        with pytest.raises(EntropyError, match="scale"):
            LeechDithered(scale)
    sampler = LeechDithered(0.5)
    with pytest.raises(EntropyError, match="Gaussian"):
        sampler.encode(Laplace(np.zeros(SIZE), 0.5), Gaussian(), 1)
    with pytest.raises(EntropyError, match="shape"):
        sampler.encode(Gaussian(np.zeros(8), 0.5), Gaussian(), 1)
    with pytest.raises(EntropyError, match="scale"):
        sampler.encode(Gaussian(np.zeros(SIZE), 0.4), Gaussian(), 1)
    with pytest.raises(EntropyError, match="scales from"):
        sampler.encode(Gaussian(np.full(SIZE, 1e12), 0.5), Gaussian(), 1)
    with pytest.raises(EntropyError, match="point"):
        sampler.code((1,), Gaussian(), 1).push(Message(), [[1, *[1] * 24]])
