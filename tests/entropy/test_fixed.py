"""Fixed-point formats, logarithms, powers and counts, in integers."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codecs_core.entropy import (
    BucketedGaussian,
    Categorical,
    CategoricalMixture,
    ChannelMixture,
    DiscretizedLaplace,
    LogisticMixture,
    Message,
    QFormat,
    counts,
    exp2,
    log2,
)
from codecs_core.errors import EntropyError


@given(st.lists(st.integers(1, (1 << 62) - 1), min_size=1), st.integers(0, 61))
def test_log2_is_little_below(numbers: list[int], octave: int) -> None:
    x = np.array([*numbers, 1 << octave], np.int64)
    exact = [math.log2(n) * 65536 for n in x.tolist()]
    below = exact - log2(x)
    assert below.min() >= -(2.0**-9)
    assert below.max() <= 3
    assert log2(1 << octave) == octave << 16


def test_log2_never_falls() -> None:
    x = np.unique(np.floor(2.0 ** np.linspace(0, 61.9, 100_000)).astype(np.int64))
    assert (np.diff(log2(x)) >= 0).all()
    assert (np.diff(log2(np.arange(1, 70_000))) >= 0).all()


@pytest.mark.parametrize("x", [0, -1, 1 << 62, 1.5])
def test_log2_of_what_has_none(x: float) -> None:
    with pytest.raises(EntropyError):
        log2(x)


@given(st.integers(-4000, 2000), st.integers(0, 30))
def test_exp2_is_rounded_down(x: int, bits: int) -> None:
    found = int(exp2(x, bits))
    exact = 2 ** (x / 64 + bits)
    assert exact * (1 - 2**-15) - 1 <= found <= exact * (1 + 1e-12)


def test_exp2_of_whole_octaves_is_exact() -> None:
    assert exp2([0, 64, -64, 30 * 64], 16).tolist() == [1 << 16, 1 << 17, 1 << 15, 1 << 46]
    assert exp2([-(1 << 30)], 16).tolist() == [0]
    with pytest.raises(EntropyError, match="x holds"):
        exp2(46 * 64, 16)


@given(st.lists(st.integers(0, 1 << 60), min_size=1, max_size=40).filter(any), st.integers(6, 28))
def test_counts(histogram: list[int], precision: int) -> None:
    some, total = counts(histogram, precision), sum(histogram)
    assert int(some.sum()) == 1 << precision
    assert (some > 0).all()
    for k, seen in enumerate(histogram):
        share = Fraction(seen, total) * ((1 << precision) - len(histogram)) + 1
        assert abs(int(some[k]) - share) < 1
    Categorical(some).push(Message(), len(histogram) - 1)
    sparse = counts(histogram, precision, zeros=True)
    assert int(sparse.sum()) == 1 << precision
    assert not sparse[np.array(histogram) == 0].any()


@pytest.mark.parametrize("histogram", [[], [0, 0], [-1, 2], [[1, 2]], [0.5, 1.0]])
def test_no_histogram(histogram: list[int]) -> None:
    with pytest.raises(EntropyError):
        counts(histogram, 12)


def test_too_many_symbols_for_a_precision() -> None:
    with pytest.raises(EntropyError, match="precision"):
        counts([1] * 5, 2)


def test_formats() -> None:
    q = QFormat(bits=4, low=-32, high=47)
    assert q.units([0.5, -0.03, 0.03125, 99, -99, math.inf]).tolist() == [8, 0, 1, 47, -32, 47]
    assert q.values([8, -32]).tolist() == [0.5, -2]
    assert q.within(-100, 10) == QFormat(bits=4, low=-32, high=10)
    assert q.check([47], "x", np.int32).dtype == np.int32
    with pytest.raises(EntropyError, match="x holds 48 to 48; expected -32 to 47"):
        q.check([48], "x")
    with pytest.raises(EntropyError, match="NaN"):
        q.units([math.nan])


def test_distributions_have_the_formats_of_their_parameters() -> None:
    limit = BucketedGaussian.MEAN.high
    BucketedGaussian(limit, BucketedGaussian.LOG_SCALE.low)
    with pytest.raises(EntropyError, match="mean holds"):
        BucketedGaussian(limit + 1, 0)
    with pytest.raises(EntropyError, match="log_scale holds"):
        DiscretizedLaplace(0, DiscretizedLaplace.LOG_SCALE.high + 1)
    found = {
        (BucketedGaussian.MEAN.bits, BucketedGaussian.LOG_SCALE.bits, BucketedGaussian.CENTRE.bits),
        (DiscretizedLaplace.MEAN.bits, LogisticMixture.LOGIT.bits, ChannelMixture.COEFFICIENT.bits),
        (CategoricalMixture.LOGIT.bits, LogisticMixture.LOG_SCALE.bits),
    }
    assert found == {(12, 6, 24), (8, 6, 8), (6, 6)}
