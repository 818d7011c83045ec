"""Index codes are prefix codes on a message, and cost what they say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from codecs_rec.families import Gaussian, Laplace
from codecs_rec.index import OCTAVES, PRECISION, OctaveCode, calibrate, depth_code, depth_counts, zipf
from codecs_rec.samplers import ESCAPE, OFFSET, BranchAndBound, Dithered, GreedyPoisson, ScaledDithered
from codecs_rec.tables.depths import channel
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from codecs_core.entropy import EliasDelta, EliasGamma, Message, StackCodec, exponents
from codecs_core.errors import EntropyError

INDEX = st.integers(1, 2**62 - 1) | st.integers(1, 100) | st.integers(0, 61).map(lambda e: 1 << e)


def check_code(code: StackCodec, index: Any) -> float:
    """Push and pop; returns the bits that the message grew by."""
    message = Message()
    before = message.bits
    code.push(message, index)
    bits = message.bits - before
    copy = Message.from_bytes(message.to_bytes())
    np.testing.assert_array_equal(code.pop(copy), index)
    copy.verify_end()
    return bits


@given(index=st.lists(INDEX, max_size=30))
@settings(deadline=None)
def test_octave_code(index: list[int]) -> None:
    code = OctaveCode(calibrate(index), shape=len(index))
    assert check_code(code, np.array(index, np.int64)) == pytest.approx(
        code.information(np.array(index, np.int64)).sum(), abs=0.01
    )


@given(index=st.lists(st.integers(1, 15), max_size=20), seed=st.integers(0, 99))
@settings(deadline=None)
def test_octave_code_with_several_tables(index: list[int], seed: int) -> None:
    counts = np.stack([calibrate([1, 1, 2], 4), calibrate([9, 15], 4)])
    which = np.random.default_rng(seed).integers(0, 2, len(index))
    check_code(OctaveCode(counts, which=which), np.array(index, np.int64))


def test_octave_code_is_complete() -> None:
    """Its lengths satisfy the inequality of Kraft with equality: nothing is left over, and nothing counted twice."""
    code = OctaveCode(calibrate([1, 3, 3, 200], 9), shape=511)
    assert code.largest == 511
    assert sum(2.0 ** -code.information(np.arange(1, 512))) == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("index", [0, -1, 16, 1.5])
def test_indices_outside_the_code(index: Any) -> None:
    with pytest.raises(EntropyError):
        OctaveCode(calibrate([1], 4), shape=()).push(Message(), index)


def test_octaves() -> None:
    index = np.array([1, 2, 3, 4, 7, 8, ESCAPE, 2**62 - 1])
    assert exponents(index).tolist() == [0, 1, 1, 2, 2, 3, 61, 61]
    assert calibrate(index).sum() == 1 << PRECISION
    assert calibrate([]).size == OCTAVES
    assert (calibrate(np.ones(10**6, np.int64)) > 0).all()


@pytest.mark.parametrize(("information", "bits"), [(2, 4.1), (12, 14.5)])
def test_length_of_branch_and_bound(information: float, bits: float) -> None:
    """The aims of this plugin, by the committed tables, on a message (published: 6.1 and 17.95)."""
    index = BranchAndBound().encode(channel(information, 20_000, 5), Gaussian(), 5)
    assert check_code(depth_code(information, shape=index.shape), index) / index.size < bits


def test_codes_cost_more_than_the_information_and_less_than_the_bound() -> None:
    """Laplace(0, 0.2) in Laplace(0, 1): D_KL is 1.168 bits, and an index has 2.995 (its empirical entropy)."""
    index = GreedyPoisson().encode(Laplace(np.zeros(20_000), 0.2), Laplace(), 3)
    for code in (zipf(1.168, index.shape), EliasGamma(index.shape), EliasDelta(index.shape)):
        assert 2.99 < check_code(code, index) / index.size < 4.5
    assert 2.99 < check_code(OctaveCode(calibrate(index), shape=index.shape), index) / index.size < 3.3


@pytest.mark.parametrize("information", [-1.0, float("nan"), float("inf")])
def test_information_out_of_range(information: float) -> None:
    with pytest.raises(EntropyError, match="information"):
        zipf(information)
    with pytest.raises(EntropyError, match="tabulated"):
        depth_counts(information)


@pytest.mark.parametrize("information", [0.0, 1e-9, 0.3, 500.0])
def test_zipf_takes_any_information(information: float) -> None:
    check_code(zipf(information, 3), np.array([1, 5, 2**40]))


@pytest.mark.parametrize("sampler", [Dithered(0.25), ScaledDithered([0.25, 0.1, 3.0])])
def test_index_code_of_dithers(sampler: Any) -> None:
    from codecs_rec.families import Uniform

    rng = np.random.default_rng(0)
    y = rng.normal(1.0, 2.0, (5000, 3))
    y[7] = 1e6
    prior = Gaussian(1.0, 2.0)
    family = Gaussian if isinstance(sampler, ScaledDithered) else Uniform
    index = sampler.encode(family(y, np.broadcast_to(sampler.width, 3)), prior, 9)
    code = sampler.code(y.shape, prior, 9)
    check_code(code, index + OFFSET)
    # the mean over the dither of the bits of a uniformly quantised Gaussian: its differential entropy less that of the width
    if isinstance(sampler, Dithered) and not isinstance(sampler, ScaledDithered):
        kept = np.delete(index, 7, 0)
        bits = code.bits(index + OFFSET) / index.size
        assert kept.shape[0] == 4999
        assert bits == pytest.approx(0.5 * np.log2(2 * np.pi * np.e * 4) - np.log2(0.25), abs=0.1)


@pytest.mark.parametrize("b", [0.05, 0.3, 0.5, 0.9])
def test_the_simulation_divergence_of_laplace_has_a_plus(b: float) -> None:
    """D_CS = -int w ln w over heights h of the ratio 1/b exp(-|x| (1/b - 1)), w(h) the mass of P where the ratio is above."""
    h = (np.arange(2_000_000) + 0.5) / (2_000_000 * b)
    w = 1 - (b * h) ** (b / (1 - b))
    numeric = -np.sum(w * np.log(w)) / (2_000_000 * b)
    closed = b + special.digamma(1 / b) + np.euler_gamma - 1
    assert abs(numeric - closed) < 1e-3
    assert closed >= b - np.log(b) - 1  # D_KL, which the slide's minus falls below
