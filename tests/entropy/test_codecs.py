"""Every codec that is not tested in `test_distributions`: exact round trips, honest lengths, large arrays, clear errors."""

from __future__ import annotations

import copy
import math
import pickle
import threading
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codecs_core.entropy import (
    Bernoulli,
    Bits,
    BucketedGaussian,
    Categorical,
    ChannelMixture,
    DiscretizedGaussian,
    DiscretizedLaplace,
    DiscretizedLogistic,
    Distribution,
    EliasDelta,
    EliasGamma,
    Escape,
    FineGaussian,
    LogisticMixture,
    Message,
    StackCodec,
    Uniform,
    Zipf,
    distribution,
)
from codecs_core.entropy.distributions.location_scale import MEAN_LIMIT, SCALE_RANGE
from codecs_core.entropy.rans import TAIL, WIDE
from codecs_core.errors import CorruptDataError, EntropyError, ExhaustedMessageError

Shape = tuple[int, ...]
shapes = st.sampled_from([(), (0,), (1,), (7,), (3, 5), (2, 0, 3), (40, 3)])
seeds = st.integers(0, 2**32 - 1)
FAMILIES = [DiscretizedLogistic, DiscretizedGaussian, DiscretizedLaplace]


@numba.njit
def squares(k):
    return k * k


@numba.njit
def triangle(k, peak):
    return (k * k << 16) // (peak * peak) if k < peak else 1 << 16


@numba.njit
def steps(k, first, second, ones):
    """Two symbols that have a share of their own, above a floor of one count."""
    rest = (1 << 20) - 32 - 2 * ones
    share = (ones if k > first else 0) + (ones if k > second else 0) + (rest if k == 32 else 0)
    return k + share


Squares = distribution(squares, symbols=16, precision=8)
Triangle = distribution(triangle, symbols=64, precision=16)
Steps = distribution(steps, symbols=32, precision=20)


def random_codec(kind: str, shape: Shape, rng: np.random.Generator) -> StackCodec:
    """A codec of arrays of this shape, with parameters from anywhere in their ranges."""

    def scales(low: int = SCALE_RANGE[0], high: int = SCALE_RANGE[1]) -> Any:
        return rng.integers(low, high + 1, shape)

    if kind in ("DiscretizedLogistic", "DiscretizedGaussian", "DiscretizedLaplace"):
        n = int(rng.integers(1, 1 << int(rng.integers(1, 15))))
        p = int(rng.integers(max(1, n.bit_length()), 29))
        mean = rng.integers(-300, (n << 8) + 300, shape)
        return globals()[kind](mean, scales(-384, 700), symbols=n, precision=p)  # type: ignore[no-any-return]
    if kind == "LogisticMixture":
        k = int(rng.integers(1, 6))
        logits, means = rng.integers(-3000, 3000, (*shape, k)), rng.integers(-9000, 75000, (*shape, k))
        return LogisticMixture(logits, means, rng.integers(-384, 600, (*shape, k)), precision=int(rng.integers(9, 29)))
    if kind == "ChannelMixture":
        k, c = int(rng.integers(1, 4)), int(rng.integers(1, 4))
        means, log_scales = rng.integers(0, 65536, (*shape, c, k)), rng.integers(-200, 400, (*shape, c, k))
        coefficients = rng.integers(-400, 400, (*shape, c * (c - 1) // 2, k))
        return ChannelMixture(rng.integers(-300, 300, (*shape, k)), means, log_scales, coefficients)
    if kind == "FineGaussian":
        mean = rng.integers(-(1 << 60), (1 << 60) + 1, shape)
        return FineGaussian(mean, rng.integers(0, (40 << 6) + 1, shape), precision=int(rng.integers(14, 29)))
    if kind == "BucketedGaussian":
        bits = int(rng.integers(1, 13))
        mean, prior_mean = rng.integers(-(16 << 12), (16 << 12) + 1, (2, *shape))
        log_scale, prior = rng.integers(-640, 129, (2, *shape))
        p = int(rng.integers(bits, 29))
        more = {"prior_mean": prior_mean, "prior_log_scale": prior}
        return BucketedGaussian(mean, log_scale, bucket_bits=bits, precision=p, **more)
    if kind == "Bits":
        return Bits(rng.integers(0, 63, shape))
    if kind == "Zipf":
        return Zipf(int(rng.integers(65, 513)), shape)
    if kind == "Escape":
        return Escape(Uniform(int(rng.integers(1, 1000)), shape))
    if kind == "Squares":
        return Squares(shape=shape)
    if kind == "Triangle":
        return Triangle(rng.integers(1, 65, shape))
    if kind == "Steps":
        first, second = rng.integers(0, 32, (2, *shape))
        return Steps(first, second, rng.integers(0, (1 << 19) - 16, shape))
    return {"EliasGamma": EliasGamma, "EliasDelta": EliasDelta}[kind](shape)


KINDS = [
    *("DiscretizedLogistic", "DiscretizedGaussian", "DiscretizedLaplace", "LogisticMixture", "ChannelMixture"),
    *("FineGaussian", "BucketedGaussian", "Bits", "EliasGamma", "EliasDelta", "Zipf", "Escape"),
    *("Squares", "Triangle", "Steps"),
]


def stirred(words: int = 40) -> Message:
    """A message of some words that mean nothing."""
    message = Message()
    noise = np.random.default_rng(words).integers(0, 1 << 28, words)
    Uniform(1 << 28, words).push(message, noise)
    return message


def check_inverse(codec: StackCodec, x: Any) -> None:
    """Push and pop are inverses of each other on a new message and a long one, and a message grows by `bits`."""
    for words in (0, 100):
        message = stirred(words)
        before = message.bits
        codec.push(message, x)
        grown = message.bits - before
        received = Message.from_bytes(message.to_bytes())
        y = codec.pop(received)
        assert y.shape == np.shape(x)
        np.testing.assert_array_equal(y, x)
        assert Uniform(1 << 28, words).pop(received).tolist() == Uniform(1 << 28, words).pop(stirred(words)).tolist()
        received.verify_end()
        # a symbol may cost a head's rounding, and the lanes of a large array some bits
        assert math.isclose(grown, codec.bits(x), rel_tol=1e-4, abs_tol=12)


def check_reverse(codec: StackCodec) -> Any:
    """What is popped off any message can be pushed again, and leaves it as it was. Returns the symbol."""
    if isinstance(codec, EliasDelta):  # one exponent in 63 is that of no integer
        return EliasGamma(codec.shape).pop(stirred())
    for message in (Message(), stirred()):
        before = message.bits
        x = codec.pop(message)
        codec.push(message, x)
        assert message.bits == before
    Uniform(1 << 28, 40).pop(message)
    message.verify_end()
    return x


@pytest.mark.parametrize("kind", KINDS)
@given(shape=shapes, seed=seeds)
@settings(deadline=None, max_examples=30)
def test_round_trip(kind: str, shape: Shape, seed: int) -> None:
    codec = random_codec(kind, shape, np.random.default_rng(seed))
    check_inverse(codec, check_reverse(codec))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [WIDE - 1, WIDE, WIDE + 5, WIDE + 2000])
def test_large_arrays_use_all_lanes(kind: str, size: int) -> None:
    codec = random_codec(kind, (size,), np.random.default_rng(size))
    check_inverse(codec, check_reverse(codec))


@pytest.mark.parametrize("kind", KINDS)
@given(seed=seeds)
@settings(deadline=None, max_examples=20)
def test_all_of_the_support_can_be_pushed(kind: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    codec = random_codec(kind, (11,), rng)
    if isinstance(codec, Distribution):
        low, high = 0, codec.symbols - 1
        if kind in ("Squares", "Triangle"):
            return  # symbols from the peak on have no counts
    elif isinstance(codec, ChannelMixture):
        x = rng.integers(0, 256, (11, codec.channels))
        x[:5] = rng.choice([0, 255], (5, codec.channels))
        check_inverse(codec, x)
        return
    elif isinstance(codec, Bits):
        check_inverse(codec, (np.int64(1) << codec.widths) - 1)
        return
    elif isinstance(codec, FineGaussian):
        check_inverse(codec, codec._bottom)
        check_inverse(codec, codec._bottom + (4096 << codec._low) - 1)
        return
    elif isinstance(codec, Escape):
        low, high = -(1 << 60), 1 << 60
    else:
        low, high = 1, (1 << 62) - 1
    octaves = np.floor(2.0 ** rng.uniform(0, 61, 11)).astype(np.int64)
    check_inverse(codec, np.clip(octaves, low, high))
    check_inverse(codec, np.full(11, low))
    check_inverse(codec, np.full(11, high))
    check_inverse(codec, rng.choice([low, high], 11))


# --- discretised families ------------------------------------------------------------------------


def cumulative(family: Any, mean: int, log_scale: int, n: int, p: int) -> Any:
    """The integer CDF of one symbol, C_0 to C_n."""
    bits = family(mean, log_scale, symbols=n, precision=p, shape=(n,)).information(np.arange(n))
    counts = 2.0 ** (p - bits)
    np.testing.assert_allclose(counts, np.rint(counts), rtol=1e-9)
    return np.append(0, np.cumsum(np.rint(counts).astype(np.int64)))


@pytest.mark.parametrize("family", FAMILIES)
@given(
    mean=st.one_of(st.integers(-MEAN_LIMIT, MEAN_LIMIT), st.integers(-5000, 300_000)),
    log_scale=st.integers(*SCALE_RANGE),
    n=st.integers(1, 1200),
    more=st.integers(0, 17),
)
@settings(deadline=None, max_examples=60)
def test_integer_cdf_rises_from_0_to_all_counts(family: Any, mean: int, log_scale: int, n: int, more: int) -> None:
    p = min(max(1, (n - 1).bit_length()) + more, 28)
    edges = cumulative(family, mean, log_scale, n, p)
    assert edges[0] == 0
    assert edges[-1] == 1 << p
    assert (np.diff(edges) >= 1).all()


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(
    ("mean", "log_scale", "n"),
    [
        *(
            (32768, 256, 256),
            (20000, 511, 256),
            (100, 0, 256),
            (32800, -384, 256),
            (-5000, 300, 256),
            (70000, 400, 256),
        ),
        *((MEAN_LIMIT, 1280, 1000), (-MEAN_LIMIT, 1280, 1000), (500_000, 700, 4096), (128, -200, 2)),
    ],
)
def test_families_are_what_they_are_called(family: Any, mean: int, log_scale: int, n: int) -> None:
    from scipy import stats

    exact = {DiscretizedLogistic: stats.logistic, DiscretizedGaussian: stats.norm, DiscretizedLaplace: stats.laplace}
    edges = (np.arange(1, n) - 0.5 - mean / 256) / 2 ** (log_scale / 64)
    expected = np.array([0, *exact[family].cdf(edges), 1])
    found = cumulative(family, mean, log_scale, n, 28) / 2.0**28
    np.testing.assert_allclose(found, expected, atol=4e-5 + n / 2**28)


def test_means_beyond_the_support_cost_what_the_tails_do() -> None:
    # all of the mass is in the nearest bin, but any other can still be coded
    for family in FAMILIES:
        right = family(MEAN_LIMIT, -384, shape=(3,)).information([255, 254, 0])
        np.testing.assert_allclose(right, [0, 24, 24], atol=1e-4)
        # a CDF of 2^32 - 1 in units of 2^-32 leaves one more count to the last bin
        left = family(-MEAN_LIMIT, -384, shape=(3,)).information([0, 1, 255])
        np.testing.assert_allclose(left, [0, 24, 23], atol=1e-4)


def test_mixture_is_the_mixture() -> None:
    from scipy.stats import logistic

    rng = np.random.default_rng(4)
    logits, means = rng.integers(-300, 300, (40, 5)), rng.integers(10000, 50000, (40, 5))
    log_scales = rng.integers(0, 400, (40, 5))
    x = rng.integers(1, 255, 40)
    weights = 2.0 ** (logits / 64)
    weights /= weights.sum(1, keepdims=True)
    high, low = (logistic.cdf((x[:, None] + d - means / 256) / 2.0 ** (log_scales / 64)) for d in (0.5, -0.5))
    bits = LogisticMixture(logits, means, log_scales, precision=28).information(x)
    np.testing.assert_allclose(2.0**-bits, ((high - low) * weights).sum(1), atol=6e-5)


def test_channels_share_their_component() -> None:
    """The cost of a pixel is that of the joint distribution, as the paper has it."""
    from scipy.stats import logistic

    rng = np.random.default_rng(5)
    size, k = 300, 4
    logits = rng.integers(-200, 200, (size, k))
    means, log_scales = rng.integers(20000, 45000, (size, 3, k)), rng.integers(100, 400, (size, 3, k))
    coefficients = rng.integers(-200, 200, (size, 3, k))
    x = rng.integers(60, 190, (size, 3))
    weights = 2.0 ** (logits / 64)
    joint = weights / weights.sum(1, keepdims=True)
    centred = x - 128
    shifts = [
        np.zeros((size, k)),
        coefficients[:, 0] * centred[:, :1],
        coefficients[:, 1] * centred[:, :1] + coefficients[:, 2] * centred[:, 1:2],
    ]
    for c in range(3):
        at = (means[:, c] + shifts[c]) / 256
        scale = 2.0 ** (log_scales[:, c] / 64)
        joint = joint * (
            logistic.cdf((x[:, c, None] + 0.5 - at) / scale) - logistic.cdf((x[:, c, None] - 0.5 - at) / scale)
        )
    exact = -np.log2(joint.sum(1)).sum()
    found = ChannelMixture(logits, means, log_scales, coefficients, precision=28).bits(x)
    assert found == pytest.approx(exact, rel=2e-3)


# --- fine Gaussians ------------------------------------------------------------------------------


@pytest.mark.parametrize("log_scale", [150, 383, 384, 447, 448, 600, 1024, 1999, 2560])
def test_fine_gaussian_is_a_gaussian(log_scale: int) -> None:
    size, mean = WIDE, 12345678
    scale = 2 ** (log_scale / 64)
    codec = FineGaussian(np.full(size, mean), log_scale)
    x = codec.pop(stirred(size))
    z = (x - mean) / scale
    # every bin of the window has a count, so one symbol in a hundred thousand comes from anywhere
    near = abs(z) < 8
    assert size - near.sum() < 8
    x, z, size = x[near], z[near], int(near.sum())
    codec = FineGaussian(np.full(size, mean), log_scale)
    assert abs(z.mean()) < 5 / math.sqrt(size)
    assert z.std() == pytest.approx(1, abs=5 / math.sqrt(2 * size))
    assert (z**4).mean() == pytest.approx(3, abs=5 * math.sqrt(96 / size))
    # these very symbols under the density, which at a scale above 4 is the probability
    ideal = (z**2 / 2).sum() * math.log2(math.e) + size * math.log2(scale * math.sqrt(2 * math.pi))
    assert codec.bits(x) == pytest.approx(ideal, abs=size * 0.004)
    assert codec.bits(x) / size == pytest.approx(math.log2(scale * math.sqrt(2 * math.pi * math.e)), abs=0.04)


@pytest.mark.parametrize("log_scale", [0, 63, 383, 384, 500, 1000, 2560])
@pytest.mark.parametrize("mean", [0, 1 << 60, -(1 << 60), 987654321])
def test_fine_gaussian_has_a_window_of_sixteen_scales(mean: int, log_scale: int) -> None:
    codec = FineGaussian([mean], log_scale)
    reach = math.floor(15.9 * 2 ** (log_scale / 64))
    for x in (mean - reach, mean, mean + reach):
        check_inverse(codec, np.array([x]))
    message = Message()
    for x in (mean - 40 * (reach + 2000), mean + 40 * (reach + 2000)):
        with pytest.raises(EntropyError):
            codec.push(message, [x])
    assert message.bits == 0


# --- integers without bound ----------------------------------------------------------------------


@pytest.mark.parametrize("exponent", [65, 80, 128, 200, 512])
def test_zipf_is_the_zeta_distribution(exponent: int) -> None:
    from mpmath import mp

    mp.dps = 30
    s = mp.mpf(exponent) / 64
    total = mp.zeta(s) - mp.zeta(s, mp.mpf(2) ** 62)
    repeated = 400
    for x in [*range(1, 70), 100, 127, 128, 255, 1000, 4097]:
        exact = float(x**-s / total)
        if exact * 2**28 > 3000:
            bits = Zipf(exponent, repeated).bits(np.full(repeated, x)) / repeated
            assert 2**-bits == pytest.approx(exact, rel=0.03)


def test_elias_codes_cost_what_they_say() -> None:
    for e in (0, 1, 5, 12):
        x = np.full(300, (1 << e) + (1 << e >> 1))
        assert EliasGamma(300).bits(x) / 300 == pytest.approx(2 * e + 1, abs=0.01)
    x = np.full(300, 1 << 59)
    assert EliasDelta(300).bits(x) / 300 == pytest.approx(59 + 2 * 5 + 1, abs=0.1)


def test_bits_cost_their_number() -> None:
    codec = Bits([0, 1, 17, 62])
    assert codec.bits([0, 1, 5, 1 << 61]) == 80
    message = Message()
    codec.push(message, [0, 1, 5, 1 << 61])
    assert message.bits == pytest.approx(80, abs=1e-4)


# --- escapes -------------------------------------------------------------------------------------


def test_an_escape_costs_nothing_where_there_is_none() -> None:
    x = np.random.default_rng(0).integers(0, 100, (20, 30))
    alone, both = stirred(), stirred()
    Uniform(100, x.shape).push(alone, x)
    Escape(Uniform(100, x.shape)).push(both, x)
    assert 0 <= both.bits - alone.bits < 0.001


@given(
    n=st.integers(1, 300),
    x=st.lists(st.one_of(st.integers(-3, 310), st.integers(-(1 << 60), 1 << 60)), max_size=40),
)
@settings(deadline=None, max_examples=60)
def test_escapes_anywhere(n: int, x: list[int]) -> None:
    codec = Escape(Uniform(n, len(x)))
    check_inverse(codec, np.array(x, np.int64))


def test_escapes_keep_the_shape_and_sit_on_any_distribution() -> None:
    codec = Escape(DiscretizedGaussian(np.full((4, 5), 2000), 100, symbols=16))
    x = np.arange(-5, 15).reshape(4, 5)
    check_inverse(codec, x)


def test_more_escapes_than_integers_are_refused() -> None:
    message = stirred()
    Uniform(4, 3).push(message, [3, 3, 3])
    for _ in range(2):
        EliasDelta(3).push(message, [1, 1, 1])
    EliasDelta().push(message, 4)
    Bernoulli(1, precision=20).push(message, 1)
    with pytest.raises(CorruptDataError, match="a block of 3 integers has 4 escapes"):
        Escape(Uniform(4, 3)).pop(message)


# --- refusals ------------------------------------------------------------------------------------

CODECS: dict[str, Callable[[], StackCodec]] = {
    "logistic": lambda: DiscretizedLogistic([100, 200, 300], 0, symbols=5),
    "gaussian": lambda: DiscretizedGaussian([100, 200, 300], 0, symbols=5),
    "laplace": lambda: DiscretizedLaplace([100, 200, 300], 0, symbols=5),
    "mixture": lambda: LogisticMixture(np.zeros((3, 2), int), np.zeros((3, 2), int), np.zeros((3, 2), int), symbols=5),
    "bucketed": lambda: BucketedGaussian([1, 2, 3], 0, bucket_bits=2),
    "bits": lambda: Bits([0, 5, 62]),
    "gamma": lambda: EliasGamma(3),
    "delta": lambda: EliasDelta(3),
    "zipf": lambda: Zipf(100, 3),
    "fine": lambda: FineGaussian([0, 1, 2], 640),
    "escape": lambda: Escape(Uniform(4, 3)),
    "squares": lambda: Squares(shape=3),
    "steps": lambda: Steps(1, 2, 0, shape=3),
}
OUTSIDE = [np.iinfo(np.int64).min, np.iinfo(np.int64).max]
BAD = [
    *(pytest.param(np.array([0, bad, 1]), id=str(bad)) for bad in OUTSIDE),
    pytest.param(np.array([1, 2**64 - 1, 1], np.uint64), id="uint64"),
    pytest.param(np.array([1.0, 2.0, 3.0]), id="float"),
    pytest.param(np.array([1.0, np.nan, 3.0]), id="nan"),
    pytest.param(np.array([1j, 0, 0]), id="complex"),
    pytest.param(np.array(["1", "2", "3"]), id="text"),
    pytest.param(np.array([1, None, 3]), id="object"),
    pytest.param(np.ones((2, 2), int), id="shape"),
    pytest.param(np.ones(4, int), id="size"),
]


@pytest.mark.parametrize("name", CODECS)
@pytest.mark.parametrize("x", BAD)
def test_bad_symbols_are_refused_before_anything_is_pushed(name: str, x: Any) -> None:
    message = stirred()
    before = message.to_bytes()
    with pytest.raises(EntropyError):
        CODECS[name]().push(message, x)
    assert message.to_bytes() == before


@pytest.mark.parametrize("name", ["logistic", "gaussian", "laplace", "mixture", "bucketed", "squares", "steps"])
@pytest.mark.parametrize("end", [-1, 1])
def test_symbols_next_to_the_support_are_refused(name: str, end: int) -> None:
    codec = CODECS[name]()
    assert isinstance(codec, Distribution)
    message = stirred()
    before = message.to_bytes()
    symbols = np.full(3, -1 if end < 0 else codec.symbols)
    for dtype in (np.int64, np.int32):
        with pytest.raises(EntropyError):
            codec.push(message, symbols.astype(dtype))
        with pytest.raises(EntropyError):
            codec.information(symbols.astype(dtype))
    assert message.to_bytes() == before


@pytest.mark.parametrize(
    ("name", "x"),
    [
        *(("gamma", [1, 0, 1]), ("delta", [1, -1, 1]), ("zipf", [0, 1, 1]), ("gamma", [1, 1, 1 << 62])),
        ("bits", [1, 0, 0]),
        ("bits", [0, 32, 0]),
        ("bits", [0, 0, 1 << 62]),
        ("escape", [0, 0, (1 << 60) + 1]),
        ("escape", [-(1 << 60) - 1] * 3),
    ],
)
def test_integers_out_of_range_are_refused(name: str, x: list[int]) -> None:
    message = stirred()
    before = message.to_bytes()
    with pytest.raises(EntropyError):
        CODECS[name]().push(message, x)
    assert message.to_bytes() == before


@pytest.mark.parametrize("x", [np.full((3, 2), 256), np.full((3, 2), -1), np.zeros((3, 3), int), np.zeros((3, 2))])
def test_bad_pixels_are_refused(x: Any) -> None:
    zeros = np.zeros((3, 2, 1), int)
    message = stirred()
    before = message.to_bytes()
    with pytest.raises(EntropyError):
        ChannelMixture(np.zeros((3, 1), int), zeros, zeros, np.zeros((3, 1, 1), int)).push(message, x)
    assert message.to_bytes() == before


Z = np.zeros((3, 2), int)


@pytest.mark.parametrize(
    "make",
    [
        *(lambda f=f: f(float("nan"), 0) for f in FAMILIES),
        *(lambda f=f: f(0.5, 0) for f in FAMILIES),
        lambda: DiscretizedLogistic(0, np.array([0.0])),
        lambda: DiscretizedLogistic(MEAN_LIMIT + 1, 0),
        lambda: DiscretizedLogistic(-MEAN_LIMIT - 1, 0),
        lambda: DiscretizedLogistic(np.array([2**64 - 1], np.uint64), 0),
        lambda: DiscretizedLogistic(0, SCALE_RANGE[0] - 1),
        lambda: DiscretizedLogistic(0, SCALE_RANGE[1] + 1),
        lambda: DiscretizedLogistic(0, 0, symbols=0),
        lambda: DiscretizedLogistic(0, 0, symbols=(1 << 24) + 1, precision=28),
        lambda: DiscretizedLogistic(0, 0, symbols=2.0),  # type: ignore[arg-type]
        lambda: DiscretizedLogistic(0, 0, symbols=257, precision=8),
        lambda: DiscretizedLogistic(0, 0, precision=29),
        lambda: DiscretizedLogistic(0, 0, precision=0),
        lambda: DiscretizedLogistic([1, 2], [1, 2, 3]),
        lambda: DiscretizedLogistic([1, 2], 0, shape=3),
        lambda: DiscretizedLogistic([1, 2], 0, shape=()),
        lambda: LogisticMixture(0, 0, 0),
        lambda: LogisticMixture(Z, Z, Z[:2]),
        lambda: LogisticMixture(Z, Z[:, :1], Z),
        lambda: LogisticMixture(Z[:, :0], Z[:, :0], Z[:, :0]),
        lambda: LogisticMixture(Z * 1.0, Z, Z),
        lambda: LogisticMixture(Z, Z * float("nan"), Z),
        lambda: LogisticMixture(Z + (1 << 31), Z, Z),
        lambda: LogisticMixture(Z, Z, Z, symbols=(1 << 20) + 1),
        lambda: LogisticMixture(Z, Z, Z, precision=7),
        lambda: ChannelMixture(Z[:, :1], Z, Z, Z),
        lambda: ChannelMixture(0, 0, 0, 0),
        lambda: ChannelMixture(Z[:, :1], Z[:, :, None], Z[:, :, None], np.full((3, 1, 1), 40000)),
        lambda: ChannelMixture(Z[:, :1], Z[:, :, None] * 0.5, Z[:, :, None], np.zeros((3, 1, 1), int)),
        lambda: FineGaussian((1 << 60) + 1, 0),
        lambda: FineGaussian(0, -1),
        lambda: FineGaussian(0, (40 << 6) + 1),
        lambda: FineGaussian(0.0, 0),
        lambda: FineGaussian([1, 2], [1, 2, 3]),
        lambda: FineGaussian(0, 0, precision=11),
        lambda: BucketedGaussian(0, 0, prior_mean=(16 << 12) + 1),
        lambda: BucketedGaussian(0, 0, prior_log_scale=-641),
        lambda: BucketedGaussian(0, 0, prior_mean=0.5),
        lambda: BucketedGaussian([1, 2], 0, prior_mean=[1, 2, 3]),
        lambda: BucketedGaussian(0, 0, bucket_bits=0),
        lambda: Bits(63),
        lambda: Bits(-1),
        lambda: Bits(1.0),
        lambda: Zipf(64),
        lambda: Zipf(513),
        lambda: Zipf(70.0),  # type: ignore[arg-type]
        lambda: Steps(1, 2),
        lambda: Steps(1, 2, 3, 4),
        lambda: Steps(1, 2.0, 3),
        lambda: Steps([1, 2], [1, 2, 3], 4),
        lambda: Squares(1),
        lambda: distribution(3, symbols=2, precision=1),  # type: ignore[arg-type]
        lambda: distribution(squares, symbols=0, precision=8),
        lambda: distribution(squares, symbols=16, precision=29),
        lambda: distribution(squares, symbols=300, precision=8),
    ],
)
def test_bad_parameters_are_refused(make: Callable[[], Any]) -> None:
    with pytest.raises(EntropyError):
        make()


def test_limits_of_parameters_are_allowed() -> None:
    for family in FAMILIES:
        for mean in (-MEAN_LIMIT, MEAN_LIMIT):
            for log_scale in SCALE_RANGE:
                for n in (1, 2, 1 << 20):
                    codec = family(mean, log_scale, symbols=n, precision=28, shape=(3,))
                    check_inverse(codec, np.array([0, n - 1, n // 2]))
    check_inverse(
        LogisticMixture(Z - (1 << 30), Z + MEAN_LIMIT, Z + 1280, symbols=1 << 20), np.array([0, 1, (1 << 20) - 1])
    )


def test_a_mean_that_channels_shift_out_of_range_is_refused() -> None:
    top = np.full((1, 2, 1), MEAN_LIMIT)
    codec = ChannelMixture([[0]], top, top * 0, [[[1 << 15]]])
    message = stirred()
    before = message.to_bytes()
    with pytest.raises(EntropyError, match="means"):
        codec.push(message, [[255, 0]])
    assert message.to_bytes() == before


# --- a failure in the middle of a large array ----------------------------------------------------


def test_a_large_array_with_a_bad_symbol_leaves_the_message() -> None:
    # the tail is all but free, so that the lanes take their bits from below it
    message = stirred(100)
    before = message.to_bytes()
    x = np.zeros(2 * WIDE, int)
    x[5] = 2
    with pytest.raises(EntropyError, match="symbol 5 "):
        Bernoulli(np.full(x.size, 1), precision=28).push(message, x)
    assert message.to_bytes() == before
    Uniform(1 << 28, 100).pop(message)
    message.verify_end()


def test_a_large_array_that_ends_too_early_leaves_the_message() -> None:
    # symbols of the lanes are certain, those after them are not, so that the message ends after the lanes are closed
    received = Message.from_bytes(stirred(60).to_bytes())
    before = received.to_bytes()
    counts = np.zeros((2, 16), int)
    counts[0, 0], counts[1] = 1 << 28, 1 << 24
    with pytest.raises(ExhaustedMessageError):
        Categorical(counts, index=np.arange(WIDE) >= WIDE - TAIL).pop(received)
    assert received.to_bytes() == before
    Uniform(1 << 28, 60).pop(received)
    received.verify_end()


# --- threads, copies -----------------------------------------------------------------------------


def one_of_each() -> dict[str, StackCodec]:
    return {kind: random_codec(kind, (300,), np.random.default_rng(7)) for kind in KINDS}


def test_threads_write_what_one_writes() -> None:
    codecs = one_of_each()
    drawn = {kind: check_reverse(codec) for kind, codec in codecs.items()}

    def work(order: list[str]) -> bytes:
        message = Message()
        for _ in range(20):
            for kind in order:
                codecs[kind].push(message, drawn[kind])
        return message.to_bytes()

    orders = [KINDS, KINDS[::-1], KINDS[3:] + KINDS[:3]]
    alone = [work(order) for order in orders]
    together: dict[int, bytes] = {}
    threads = [threading.Thread(target=lambda i=i: together.update({i: work(orders[i])})) for i in range(len(orders))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [together[i] for i in range(len(orders))] == alone


def test_kernels_release_the_gil() -> None:
    found = [codec for codec in one_of_each().values() if isinstance(codec, Distribution)]
    for codec in [*found, Uniform(3), Bernoulli(1), Categorical([1, 1]), Categorical([[1, 1]] * 2)]:
        assert codec._kernels
        for function in codec._kernels:
            if callable(function):
                assert function.targetoptions["nogil"] is True
                assert not function.targetoptions["fastmath"]


@pytest.mark.parametrize("kind", [k for k in KINDS if k not in ("Squares", "Triangle", "Steps")])
def test_copies_code_alike(kind: str) -> None:
    codec = random_codec(kind, (9,), np.random.default_rng(3))
    x = check_reverse(codec)
    message = stirred()
    codec.push(message, x)
    for twin in (copy.copy(codec), copy.deepcopy(codec), pickle.loads(pickle.dumps(codec))):
        other = stirred()
        twin.push(other, x)
        assert other.to_bytes() == message.to_bytes()


def test_messages_can_be_pickled() -> None:
    message = stirred()
    twin = pickle.loads(pickle.dumps(message))
    assert twin.to_bytes() == message.to_bytes()
    Uniform(1 << 28, 40).pop(twin)
    twin.verify_end()
    assert message.bits > 0
