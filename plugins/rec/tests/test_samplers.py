"""Samplers: their samples follow the target, their indices the published tables, and bad input ends in a sentence."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from codecs_rec.families import Family, Gaussian, Laplace, Triangular, Uniform, relate
from codecs_rec.philox import check_key
from codecs_rec.quantile import NORMAL
from codecs_rec.samplers import (
    ESCAPE,
    AStar,
    BranchAndBound,
    Dithered,
    GreedyPoisson,
    GreedyRejection,
    MinimalRandom,
    OrderedRandom,
    PoissonFunctional,
    Rejection,
    ScaledDithered,
    escaped,
)
from codecs_rec.samplers.base import NAMED
from codecs_rec.tables.depths import channel
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from codecs_core.entropy import exponents
from codecs_core.errors import EntropyError

SAMPLES = 100_000
#: Where what is drawn is looked at for gross faults alone: of escapes, and beyond the reach of proposals.
FEWER = 20_000
EXACT = [
    GreedyPoisson(),
    BranchAndBound(),
    BranchAndBound("sample"),
    AStar(),
    AStar("dyadic"),
    Rejection(),
    GreedyRejection(),
]
TARGETS: list[tuple[type[Family], tuple[float, float], Family, Any]] = [
    (Gaussian, (1.0, 0.25), Gaussian(), stats.norm(1.0, 0.25)),
    (Gaussian, (-2.5, 0.7), Gaussian(-3.0, 2.0), stats.norm(-2.5, 0.7)),
    (Laplace, (0.4, 0.2), Laplace(), stats.laplace(0.4, 0.2)),
    (Laplace, (-1.4, 0.5), Laplace(), stats.laplace(-1.4, 0.5)),
    (Uniform, (0.3, 0.1), Uniform(), stats.uniform(0.3, 0.1)),
    (Triangular, (0.3, 0.2), Uniform(), stats.triang(0.5, 0.1, 0.4)),
    (Triangular, (-0.3, 0.4), Triangular(), stats.triang(0.5, -0.7, 0.8)),
]
NAMES = [
    f"{t.__name__}-{t.__name__ if type(p) is t else type(p).__name__}{i}" for i, (t, _, p, _) in enumerate(TARGETS)
]


def label(sampler: Any) -> str:
    return type(sampler).__name__ + getattr(sampler, "split", "")


@pytest.mark.parametrize("sampler", EXACT, ids=label)
@pytest.mark.parametrize(("family", "place", "proposal", "law"), TARGETS, ids=NAMES)
def test_samples_follow_the_target(
    sampler: Any, family: type[Family], place: tuple[float, float], proposal: Family, law: Any
) -> None:
    target = family(np.full(SAMPLES, place[0]), place[1])
    index = sampler.encode(target, proposal, 7)
    x = sampler.decode(index, proposal, 7)
    assert stats.kstest(x, law.cdf).pvalue > 2e-3
    assert not escaped(index).any()
    # what one draw says of the next
    assert abs(np.corrcoef(x[:-1], x[1:])[0, 1]) < 5 / math.sqrt(SAMPLES)


@pytest.mark.parametrize("sampler", [PoissonFunctional(), OrderedRandom(1 << 12), MinimalRandom(1 << 12)], ids=label)
def test_blocks_follow_the_target(sampler: Any) -> None:
    """The last two are exact in the limit of many candidates; these have enough to pass for exact."""
    samples = {"MinimalRandom": 2000}.get(type(sampler).__name__, 20_000)
    mean, scale = np.array([0.5, -1.0, 0.2]), np.array([0.5, 0.4, 0.9])
    target, proposal = Gaussian(np.broadcast_to(mean, (samples, 3)), scale), Gaussian(np.zeros(3))
    x = sampler.decode(sampler.encode(target, proposal, 3), proposal, 3)
    z = (x - mean) / scale
    for d in range(3):
        assert stats.kstest(z[:, d], "norm").pvalue > 2e-3
    assert stats.kstest((z**2).sum(1), stats.chi2(3).cdf).pvalue > 2e-3


@pytest.mark.parametrize(("sampler", "family"), [(Dithered(0.3), Uniform), (ScaledDithered(0.3), Gaussian)])
def test_dithers_follow_the_target(sampler: Any, family: type[Family]) -> None:
    y = np.linspace(-3, 3, SAMPLES)
    index = sampler.encode(family(y, 0.3), Gaussian(0.5), 5)
    noise = (sampler.decode(index, Gaussian(0.5), 5) - y) / 0.3
    assert stats.kstest(noise, "uniform" if family is Uniform else "norm").pvalue > 2e-3
    assert abs(np.corrcoef(noise, y)[0, 1]) < 5 / math.sqrt(SAMPLES)


# Medians and quartiles of the data published with Flamich 2023 (figure 2), by the information of the channel in bits.
STEPS = {
    "sample": {0.95: (1, 1, 3), 2.65: (2, 3, 5), 5.2: (4, 6, 9), 8.6: (8, 11, 14), 12.0: (13, 16, 19)},
    "dyadic": {0.95: (1, 1, 2), 2.65: (2, 3, 4), 5.2: (4, 5, 7), 8.6: (7, 9, 10), 12.0: (10, 12, 13)},
}
MEANS = {"sample": {0.95: 2.06, 5.2: 6.81, 12.0: 16.13}, "dyadic": {0.95: 1.79, 5.2: 5.15, 12.0: 11.80}}


@pytest.mark.parametrize("split", STEPS)
def test_steps_are_those_published(split: Any) -> None:
    for information, published in STEPS[split].items():
        index = BranchAndBound(split).encode(channel(information, 20_000, 1), Gaussian(), 1)
        depth = exponents(index) + 1
        for share, expected in zip((0.25, 0.5, 0.75), published, strict=True):
            # published quartiles are of 1,000 samples: within two standard errors of the share
            low, high = np.quantile(depth, [share - 0.03, share + 0.03])
            assert low <= expected <= high
        if information in MEANS[split]:
            assert depth.mean() == pytest.approx(MEANS[split][information], abs=0.15)


def test_global_indices_are_those_published() -> None:
    for information, published in {0.943: (1, 1, 3), 2.629: (2, 5, 12), 4.314: (5, 13, 40)}.items():
        index = GreedyPoisson().encode(channel(information, 4000, 2), Gaussian(), 2)
        for share, expected in zip((0.25, 0.5, 0.75), published, strict=True):
            low, high = np.quantile(index, [share - 0.05, share + 0.05])
            assert low <= expected <= high


def test_the_index_of_a_bounded_ratio_has_its_bound_as_mean() -> None:
    index = GreedyPoisson().encode(Laplace(np.zeros(20_000), 0.2), Laplace(), 1)
    assert index.mean() == pytest.approx(5, rel=0.05)


def test_steps_of_astar_grow_with_the_largest_ratio() -> None:
    """One node a nat, up to 46 bits, at an information of about 1.5 bits: Flamich et al. 2022."""
    counts = []
    for nats in (4.0, 16.0, 32.0):
        # ln sup = -ln s + m^2 / (2 (1 - s^2)), D_KL = -ln s + (s^2 + m^2 - 1) / 2 = 1
        s = next(s for s in np.linspace(0.3, 0.9999, 20_000) if excess_of(s) >= nats)
        m = math.sqrt(2 * (1 + math.log(s)) + 1 - s * s)
        pair = relate(Gaussian(np.full(300, m), s), Gaussian())
        index = np.empty(300, np.int64)
        counts.append(AStar().steps(pair, NORMAL, check_key(1), index).mean())
        assert (exponents(index) < 30).all()
    assert (counts[1] - counts[0]) / 12 == pytest.approx(1, abs=0.2)
    assert (counts[2] - counts[1]) / 16 == pytest.approx(1, abs=0.2)


def excess_of(s: float) -> float:
    """The largest ln ratio of a Gaussian of scale s that tells one nat."""
    square = 2 * (1 + math.log(s)) + 1 - s * s
    return -math.log(s) + square / (2 * (1 - s * s)) if square > 0 else 0.0


def test_depth_limits_bound_the_index() -> None:
    target = Gaussian(np.full(2000, 1.5), 2.0**-8)
    index = AStar("dyadic", depth=5).encode(target, Gaussian(), 1)
    assert index.max() < 1 << 5
    AStar("dyadic", depth=5).decode(index, Gaussian(), 1)
    with pytest.raises(EntropyError, match="31"):
        AStar("dyadic", depth=5).decode([32], Gaussian(), 1)


SCANS = [Rejection(limit=100), GreedyRejection(limit=100)]
ANY = [*EXACT[1:5], *SCANS, GreedyPoisson(limit=1000), AStar("dyadic", depth=9), GreedyPoisson(limit=3)]
PAIRED = st.sampled_from(
    [(Gaussian, Gaussian), (Laplace, Laplace), (Uniform, Uniform), (Triangular, Uniform), (Triangular, Triangular)]
)


@pytest.mark.parametrize("sampler", ANY, ids=label)
@given(pair=PAIRED, a=st.floats(0.001, 0.999), b=st.floats(1e-6, 0.98), key=st.integers(0, 2**64 - 1))
@settings(deadline=None, max_examples=40)
def test_every_sample_decodes(sampler: Any, pair: Any, a: float, b: float, key: int) -> None:
    """Alike, whatever stands beside it, within the support of its target, and from an index in range."""
    family, proposed = pair
    if family in (Gaussian, Laplace):
        location, scale = 12 * a - 6, b
    elif proposed is Triangular:
        location, scale = (1 - b) * (2 * a - 1) * 0.99, b
    else:
        scale = b / (1 if family is Uniform else 2)
        location = (1 - b) * a + (0 if family is Uniform else scale)
    target, proposal = family(np.full(3, location), scale), proposed()
    index = sampler.encode(target, proposal, key)
    assert index.dtype == np.int64
    assert (index >= 1).all()
    assert ((index <= sampler.largest) | escaped(index)).all()
    np.testing.assert_array_equal(sampler.encode(family(location, scale), proposal, key), index[0])
    x = sampler.decode(index, proposal, key)
    np.testing.assert_array_equal(sampler.decode(index[:1], proposal, key), x[:1])
    assert np.isfinite(x).all()
    if getattr(sampler, "depth", 60) == 60 and family in (Uniform, Triangular):
        middle = location + (scale / 2 if family is Uniform else 0)
        reach = scale / (2 if family is Uniform else 1)
        assert (np.abs(x - middle) <= reach * (1 + 1e-6) + 1e-8).all()


#: Targets beyond what 64 bits of a proposal reach: 9.1 standard deviations, or 44 scales of a Laplace distribution.
FAR: list[tuple[type[Family], tuple[float, float], Any]] = [
    (Gaussian, (6.5, 0.1), stats.norm),
    (Gaussian, (8.0, 0.5), stats.norm),
    (Gaussian, (-9.1, 0.05), stats.norm),
    (Gaussian, (20.0, 0.9), stats.norm),
    (Gaussian, (-1000.0, 1e-3), stats.norm),
    (Laplace, (-30.0, 0.9), stats.laplace),
    (Laplace, (700.0, 0.5), stats.laplace),
]


@pytest.mark.parametrize("sampler", [GreedyPoisson(limit=256), *EXACT[1:5], *SCANS], ids=label)
@pytest.mark.parametrize(("family", "place", "law"), FAR, ids=lambda v: str(v) if isinstance(v, tuple) else "")
def test_samples_follow_the_target_anywhere_on_the_line(
    sampler: Any, family: type[Family], place: tuple[float, float], law: Any
) -> None:
    location, scale = place
    index = sampler.encode(family(np.full(FEWER, location), scale), family(), 11)
    x = sampler.decode(index, family(), 11)
    assert stats.kstest((x - location) / scale, law.cdf).pvalue > 2e-3
    assert abs(np.corrcoef(x[:-1], x[1:])[0, 1]) < 5 / math.sqrt(FEWER)
    assert index.max() < 1 << 62  # so that a code of 62 octaves takes it


@pytest.mark.parametrize(
    ("family", "place", "proposal", "law"),
    [(f, p, q, law) for f, p, q, law in TARGETS if type(q) is not Gaussian],
    ids=[name for name, (_, _, q, _) in zip(NAMES, TARGETS, strict=True) if type(q) is not Gaussian],
)
@pytest.mark.parametrize("sampler", [GreedyPoisson(limit=2), Rejection(limit=2), GreedyRejection(limit=1)], ids=label)
def test_searches_that_end_at_once_follow_the_target(
    sampler: Any, family: type[Family], place: tuple[float, float], proposal: Family, law: Any
) -> None:
    """Half or less of the target is sent by an index, and what is left of it by escapes."""
    target = family(np.full(FEWER, place[0]), place[1])
    index = sampler.encode(target, proposal, 7)
    assert 0.05 < escaped(index).mean() < 0.95
    assert stats.kstest(sampler.decode(index, proposal, 7), law.cdf).pvalue > 2e-3


def test_escapes_of_earlier_versions_decode() -> None:
    """They are fractions of the distribution function, of 32 bits."""
    x = BranchAndBound().decode([ESCAPE, ESCAPE + (1 << 31), ESCAPE + (1 << 32) - 1], Gaussian(), 1)
    np.testing.assert_allclose(x, stats.norm.ppf([2.0**-33, 0.5 + 2.0**-33, 1 - 2.0**-33]), atol=1e-4)


@pytest.mark.parametrize(
    ("index", "proposal"),
    [
        (ESCAPE + (1 << 32), Gaussian()),
        (NAMED - 1, Gaussian()),
        (NAMED + (0x7FF << 48), Gaussian()),  # infinity
        (NAMED + (0x7FF << 48) + 1, Laplace()),  # no number
        (NAMED + (0x3FF << 48), Uniform()),  # 1
        (NAMED + (1 << 59) + 1, Uniform()),  # below 0
        (NAMED + (0x400 << 48), Triangular()),  # 2
    ],
)
def test_points_that_a_proposal_lacks_are_refused(index: int, proposal: Family) -> None:
    with pytest.raises(EntropyError, match=r"names the point|none that a sampler makes"):
        BranchAndBound().decode([index], proposal, 1)


@pytest.mark.parametrize("sampler", [BranchAndBound(), BranchAndBound("sample"), AStar(), AStar("dyadic")], ids=label)
@pytest.mark.parametrize(("location", "scale"), [(0.3, 1e-30), (-300.0, 0.1), (8.0, 1e-12)])
def test_no_search_is_endless(sampler: Any, location: float, scale: float) -> None:
    """Targets narrower than what 64 bits can point at, or beyond all proposals."""
    index = sampler.encode(Gaussian(np.full(3, location), scale), Gaussian(), 1)
    x = sampler.decode(index, Gaussian(), 1)
    np.testing.assert_allclose(x, location, atol=6 * scale + abs(location) * 2.0**-48)


@given(seed=st.integers(0, 2**32), d=st.integers(1, 20), n=st.integers(0, 4))
@settings(deadline=None, max_examples=30)
def test_blocks_decode(seed: int, d: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    target = Gaussian(rng.normal(0, 1, (n, d)), rng.uniform(0.05, 0.99, d))
    proposal = Gaussian(np.zeros(d), np.ones(d))
    for sampler in (PoissonFunctional(64), OrderedRandom(64), MinimalRandom(64)):
        index = sampler.encode(target, proposal, seed)
        assert index.shape == (n,)
        assert ((index >= 1) & (index <= 64)).all()
        x = sampler.decode(index, proposal, seed)
        assert x.shape == (n, d)
        if n > 1:
            alone = sampler.decode(index[:1], proposal, seed)
            np.testing.assert_array_equal(alone, x[:1])


def test_ordered_indices_are_smaller_than_the_lottery() -> None:
    target, proposal = Gaussian(np.full((500, 4), 0.8), 0.5), Gaussian(np.zeros(4))
    ordered, lottery = (s(1 << 12).encode(target, proposal, 1) for s in (OrderedRandom, MinimalRandom))
    assert np.median(ordered) < 0.1 * np.median(lottery)


# --- bad input ----------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", [0.0, -1.0, math.nan, math.inf, [1.0, 0.0]])
@pytest.mark.parametrize("family", [Gaussian, Laplace, Uniform, Triangular])
def test_scales_are_positive(family: type[Family], scale: Any) -> None:
    with pytest.raises(EntropyError, match="scale"):
        family(0.0, scale)


@pytest.mark.parametrize("location", [math.nan, math.inf, [0.0, -math.inf]])
def test_locations_are_finite(location: Any) -> None:
    with pytest.raises(EntropyError, match="location"):
        Gaussian(location)


@pytest.mark.parametrize("sampler", EXACT, ids=label)
@pytest.mark.parametrize(
    ("target", "proposal"),
    [
        (Gaussian(0.0, 2.0), Gaussian()),
        (Gaussian([0.0, 0.1], [0.5, 1.0]), Gaussian()),
        (Laplace(0.0, 1.5), Laplace()),
        (Uniform(0.5, 1.0), Uniform()),
        (Uniform(-0.1, 0.5), Uniform()),
        (Triangular(0.1, 0.2), Uniform()),
        (Triangular(0.5, 0.6), Triangular()),
    ],
)
def test_targets_wider_than_their_proposal(sampler: Any, target: Family, proposal: Family) -> None:
    with pytest.raises(EntropyError, match="wider than its proposal"):
        sampler.encode(target, proposal, 1)


def test_other_pairs() -> None:
    with pytest.raises(EntropyError, match="no ratio"):
        GreedyPoisson().encode(Laplace(), Gaussian(), 1)
    with pytest.raises(EntropyError, match="broadcast"):
        GreedyPoisson().encode(Gaussian(np.zeros(3), 0.5), Gaussian(np.zeros(2)), 1)
    with pytest.raises(EntropyError, match="broadcast"):
        Gaussian(np.zeros(3), np.ones(2))
    with pytest.raises(EntropyError, match="Gaussian"):
        OrderedRandom().encode(Laplace(np.zeros(3), 0.5), Laplace(np.zeros(3)), 1)
    with pytest.raises(EntropyError, match="last axis"):
        OrderedRandom().encode(Gaussian(0.0, 0.5), Gaussian(), 1)
    with pytest.raises(EntropyError, match="width"):
        Dithered(0.3).encode(Uniform(0.0, 0.4), Gaussian(), 1)
    with pytest.raises(EntropyError, match="scale"):
        ScaledDithered(0.3).encode(Uniform(0.0, 0.3), Gaussian(), 1)
    with pytest.raises(EntropyError, match="widths"):
        Dithered(1e-9).encode(Uniform(1e9, 1e-9), Gaussian(), 1)


@pytest.mark.parametrize("sampler", EXACT, ids=label)
@pytest.mark.parametrize("index", [0, -1, [1, 0], ESCAPE + (1 << 32), (1 << 60) + 1, 1.0, math.nan])
def test_indices_out_of_range(sampler: Any, index: Any) -> None:
    with pytest.raises(EntropyError, match="index"):
        sampler.decode(index, Gaussian(), 1)


@pytest.mark.parametrize("sampler", [PoissonFunctional(64), OrderedRandom(64), MinimalRandom(64)], ids=label)
def test_block_indices_out_of_range(sampler: Any) -> None:
    for index in (0, 65, 1.0):
        with pytest.raises(EntropyError, match="index"):
            sampler.decode(index, Gaussian(np.zeros(3)), 1)
    for shape in ((), (2, 3), (1, 1, 3)):
        with pytest.raises(EntropyError, match="shape"):
            sampler.decode([1], Gaussian(np.zeros(shape)), 1)


@pytest.mark.parametrize(
    "make",
    [
        lambda: BranchAndBound("left"),  # type: ignore[arg-type]
        lambda: AStar("left"),  # type: ignore[arg-type]
        lambda: AStar(depth=0),
        lambda: AStar(depth=61),
        lambda: GreedyPoisson(limit=0),
        lambda: Rejection(limit=0),
        lambda: OrderedRandom(0),
        lambda: MinimalRandom(1 << 30),
        lambda: Dithered(0.0),
        lambda: ScaledDithered([1.0, math.nan]),
    ],
)
def test_settings_out_of_range(make: Any) -> None:
    with pytest.raises(EntropyError):
        make()


@pytest.mark.parametrize("key", [-1, 1 << 64, 0.5])
def test_keys_out_of_range(key: Any) -> None:
    for sampler in (GreedyPoisson(), AStar()):
        with pytest.raises(EntropyError, match="key"):
            sampler.encode(Gaussian(0.0, 0.5), Gaussian(), key)
        with pytest.raises(EntropyError, match="key"):
            sampler.decode([1], Gaussian(), key)


def test_no_samples() -> None:
    for sampler in EXACT:
        index = sampler.encode(Gaussian(np.zeros((0, 3)), 0.5), Gaussian(), 1)
        assert index.shape == (0, 3)
        assert sampler.decode(index, Gaussian(), 1).shape == (0, 3)
