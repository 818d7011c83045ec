"""Every distribution: exact round trips, honest lengths, clear errors."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codecs_core.entropy import (
    Bernoulli,
    BetaBinomial,
    BucketedGaussian,
    Categorical,
    CategoricalMixture,
    Distribution,
    Message,
    Uniform,
)
from codecs_core.entropy.distributions.bucketed_gaussian import SCALE_RANGE, centres
from codecs_core.entropy.distributions.categorical import quantise
from codecs_core.entropy.rans import WIDE
from codecs_core.errors import EntropyError

shapes = st.sampled_from([(), (0,), (1,), (7,), (3, 5), (2, 0, 3), (40, 3)])
seeds = st.integers(0, 2**32 - 1)


def random_distribution(kind: str, shape: tuple[int, ...], rng: np.random.Generator) -> Distribution:
    if kind == "uniform":
        return Uniform(int(rng.integers(1, 1 << int(rng.integers(1, 29)))), shape)
    if kind == "bernoulli":
        p = int(rng.integers(2, 29))
        return Bernoulli(rng.integers(1, 1 << p, shape), precision=p)
    if kind == "log_odds":
        return Bernoulli.from_log_odds(rng.integers(-3000, 3000, shape), precision=int(rng.integers(2, 29)))
    n = int(rng.integers(1, 40))
    p = int(rng.integers(6, 29))
    if kind == "shared":
        return Categorical(quantise(rng.random(n) ** 8 + 1e-9, p), shape=shape)
    if kind == "own":
        return (
            Categorical(quantise(rng.random((*shape, n)) + 1e-9, p), precision=p)
            if math.prod(shape)
            else Uniform(2, shape)
        )
    if kind == "indexed":
        return Categorical(quantise(rng.random((5, n)) + 1e-9, p), index=rng.integers(0, 5, shape))
    if kind == "beta_binomial":
        n = int(rng.integers(1, 64))
        a, b = (np.floor(2.0 ** rng.uniform(0, 40, shape)).astype(np.int64) for _ in range(2))
        return BetaBinomial(n, a, b, precision=p)
    if kind == "gaussian":
        bits = int(rng.integers(1, 13))
        mean = rng.integers(-(16 << 12), (16 << 12) + 1, shape)
        scale = rng.integers(SCALE_RANGE[0], SCALE_RANGE[1] + 1, shape)
        return BucketedGaussian(mean, scale, bucket_bits=bits, precision=int(rng.integers(bits, 29)))
    logits = rng.integers(-2000, 2000, (*shape, 4))
    return CategoricalMixture(logits, quantise(rng.random((4, n)) ** 6 + 1e-9, 18), precision=p)


KINDS = ["uniform", "bernoulli", "log_odds", "shared", "own", "indexed", "beta_binomial", "gaussian", "mixture"]


def check_round_trip(distribution: Distribution, x: np.ndarray[Any, Any]) -> None:
    """Pushing and popping are inverses on any message, and the growth is the information."""
    message = Message()
    Uniform(1000, 30).push(message, np.arange(30))
    bits = message.bits
    distribution.push(message, x)
    grown = message.bits - bits
    received = Message.from_bytes(message.to_bytes())
    y = distribution.pop(received)
    assert y.shape == distribution.shape
    assert y.dtype == distribution.dtype
    np.testing.assert_array_equal(y, x)
    assert Uniform(1000, 30).pop(received).tolist() == list(range(30))
    received.verify_end()
    # each symbol may cost a head's rounding more, and lanes a few bits an array
    assert math.isclose(grown, distribution.bits(x), rel_tol=1e-4, abs_tol=12)


@pytest.mark.parametrize("kind", KINDS)
@given(shape=shapes, seed=seeds)
@settings(deadline=None)
def test_round_trip(kind: str, shape: tuple[int, ...], seed: int) -> None:
    rng = np.random.default_rng(seed)
    distribution = random_distribution(kind, shape, rng)
    sample = distribution.pop(Message())
    check_round_trip(distribution, sample)
    # the other way round: what was popped goes back
    message = Message()
    distribution.push(message, distribution.pop(message))
    message.verify_end()


@pytest.mark.parametrize("kind", KINDS)
@given(seed=seeds)
@settings(deadline=None)
def test_any_symbol_of_the_support_can_be_pushed(kind: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    distribution = random_distribution(kind, (17,), rng)
    x = rng.integers(0, distribution.symbols, 17)
    check_round_trip(distribution, x)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [WIDE - 1, WIDE, WIDE + 5, 50_000])
def test_large_arrays_use_all_lanes(kind: str, size: int) -> None:
    rng = np.random.default_rng(size)
    distribution = random_distribution(kind, (size,), rng)
    sample = distribution.pop(Message())
    check_round_trip(distribution, sample)
    message = Message()
    distribution.push(message, distribution.pop(message))
    message.verify_end()


@pytest.mark.parametrize(
    ("make", "size"),
    [
        (lambda n: Bernoulli(np.full(n, 1 << 14)), 1_000_000),
        # so little information that lanes would have nothing to begin with
        (lambda n: Bernoulli(np.full(n, 1 << 6)), 1_000_000),
        (lambda n: Categorical([(1 << 16) - 2, 1, 1], shape=n), 1_000_000),
        (lambda n: Categorical([[(1 << 16) - 2, 1, 1], [1 << 16, 0, 0]], index=np.arange(n) % 2), 1_000_000),
        (lambda n: Categorical(quantise(0.97 ** np.arange(256), 16), shape=n), 1_000_000),
        (lambda n: BucketedGaussian(np.zeros(n, int), np.full(n, -64)), 1_000_000),
        (lambda n: Uniform(256, n), 1_000_000),
    ],
)
def test_a_million_symbols_cost_their_information(make: Callable[[int], Distribution], size: int) -> None:
    distribution = make(size)
    x = distribution.pop(Message())
    message = Message()
    distribution.push(message, x)
    information = distribution.bits(x) / 8
    assert information * 0.9999 - 16 < len(message) <= information * 1.0001 + 16


def test_shared_parameters_broadcast() -> None:
    distribution = Bernoulli(100, shape=(3, 4))
    check_round_trip(distribution, np.eye(3, 4, dtype=np.uint8))
    with pytest.raises(EntropyError, match="broadcast"):
        Bernoulli([1, 2], shape=(3,))


@pytest.mark.parametrize(
    "x", [np.array([0, 2]), np.array([-1, 0]), np.array([0.5, 0]), np.array([np.nan, 0]), np.zeros((3, 3), int)]
)
def test_bad_symbols_are_refused(x: np.ndarray[Any, Any]) -> None:
    message = Message()
    with pytest.raises(EntropyError):
        Bernoulli([5, 5]).push(message, x)
    assert message.bits == 0


@pytest.mark.parametrize(
    "make",
    [
        lambda: Uniform(0),
        lambda: Uniform((1 << 28) + 1),
        lambda: Uniform(2.0),  # type: ignore[arg-type]
        lambda: Bernoulli(0),
        lambda: Bernoulli(1 << 18),
        lambda: Bernoulli(0.5),
        lambda: Bernoulli(float("nan")),
        lambda: Bernoulli(3, precision=29),
        lambda: Bernoulli(1, precision=0),
        lambda: Categorical([1, 2]),
        lambda: Categorical([-1, 5]),
        lambda: Categorical([]),
        lambda: Categorical(3),
        lambda: Categorical([[2, 2]], index=[1]),
        lambda: Categorical([2, 2], index=[0]),
        lambda: quantise([0.5, float("nan")], 8),
        lambda: quantise([0.0, 0.0], 8),
        lambda: quantise([0.5, -0.5], 8),
        lambda: quantise(np.ones(300), 8),
        lambda: BetaBinomial(10, 0, 1),
        lambda: BetaBinomial(10, 1, 1 << 41),
        lambda: BetaBinomial(300, 1, 1, precision=8),
        lambda: BucketedGaussian(17 << 12, 0),
        lambda: BucketedGaussian(0, 129),
        lambda: BucketedGaussian(0, -641),
        lambda: BucketedGaussian(0, 0, bucket_bits=13),
        lambda: BucketedGaussian(0, 0, bucket_bits=8, precision=7),
        lambda: BucketedGaussian(float("nan"), 0),
        lambda: CategoricalMixture(np.zeros((2, 3), int), np.full((2, 4), 1 << 16)),
        lambda: CategoricalMixture(np.zeros((2, 2), int), np.full((2, 4), 5)),
    ],
)
def test_bad_parameters_are_refused(make: Callable[[], Any]) -> None:
    with pytest.raises(EntropyError):
        make()


def test_beta_binomial_counts_are_the_pmf() -> None:
    n, alpha, beta, p = 20, Fraction(5, 2), Fraction(1, 4), 24
    weights = [Fraction(1)]
    for k in range(n):
        weights.append(weights[-1] * (n - k) * (alpha + k) / ((k + 1) * (beta + n - k - 1)))
    total = sum(weights)
    distribution = BetaBinomial(n, int(alpha * 65536), int(beta * 65536), precision=p, shape=(n + 1,))
    bits = distribution.information(np.arange(n + 1))
    for k in range(n + 1):
        exact = weights[k] / total * ((1 << p) - n - 1) + 1
        assert abs(2 ** (p - bits[k]) - exact) <= 1.001


def test_bucketed_gaussian_is_the_gaussian() -> None:
    from scipy.stats import norm

    mean, log_scale, bits = 0.7, -1.5, 8
    distribution = BucketedGaussian(int(mean * 4096), int(log_scale * 64), bucket_bits=bits, precision=28, shape=(256,))
    edges = norm.ppf(np.arange(257) / 256)
    exact = np.diff(norm.cdf((edges - int(mean * 4096) / 4096) / 2**log_scale))
    counts = 2 ** (28 - distribution.information(np.arange(256)))
    np.testing.assert_allclose(counts / 2**28, exact, atol=3e-6)
    # under the prior itself, all buckets are alike
    flat = BucketedGaussian(0, 0, bucket_bits=8, precision=24, shape=(256,)).information(np.arange(256))
    np.testing.assert_allclose(flat, 8, atol=0.01)


@pytest.mark.parametrize("bits", [1, 4, 8, 12])
def test_centres_are_medians(bits: int) -> None:
    from scipy.stats import norm

    expected = norm.ppf((np.arange(1 << bits) + 0.5) / (1 << bits))
    np.testing.assert_allclose(centres(bits) / 2**24, expected, atol=1e-6)


def test_mixture_is_the_mixture() -> None:
    rng = np.random.default_rng(1)
    tables = quantise(rng.random((3, 256)) ** 4 + 1e-4, 18)
    logits = rng.integers(-300, 300, (50, 3))
    weights = 2.0 ** (logits / 64)
    exact = (weights / weights.sum(1, keepdims=True)) @ (tables / 2.0**18)
    distribution = CategoricalMixture(logits, tables, precision=28)
    x = rng.integers(0, 256, 50)
    counts = 2 ** (28 - distribution.information(x))
    np.testing.assert_allclose(counts / 2**28, exact[np.arange(50), x], atol=1e-4)


def test_slopes_of_a_mixture() -> None:
    """Weights less shares, which are those of differences of the information content."""
    rng = np.random.default_rng(2)
    tables = quantise(rng.random((3, 256)) ** 4 + 1e-4, 18)
    logits, x = rng.integers(-300, 300, (9, 7, 3)), rng.integers(0, 256, (9, 7))
    found = CategoricalMixture(logits, tables, precision=28).slopes(x)
    assert found.dtype == np.int32
    for c in range(3):
        step = 16 * (np.arange(3) == c)
        above, below = (CategoricalMixture(logits + s, tables, precision=28).information(x) for s in (step, -step))
        np.testing.assert_allclose(found[..., c] / 4096, (above - below) * 64 / 32, atol=0.02)


def test_slopes_where_nothing_has_a_share() -> None:
    tables = np.eye(2, 4, dtype=int) << 18
    assert CategoricalMixture(np.zeros((1, 2), int), tables).slopes([3]).tolist() == [[2048, 2048]]


@pytest.mark.parametrize("precision", [12, 22, 28])
def test_slopes_of_bits(precision: int) -> None:
    log_odds = np.arange(-640, 641, 5)
    for x in (0, 1):
        found = Bernoulli.from_log_odds(log_odds, precision=precision).slopes(np.full(log_odds.size, x))
        np.testing.assert_allclose(found / 4096, 1 / (1 + 2.0 ** (-log_odds / 64)) - x, atol=1e-3)


def test_quantise_never_gives_zero() -> None:
    counts = quantise([1, 0, 0, 1e-30], 8)
    assert counts.tolist() == [253, 1, 1, 1]
