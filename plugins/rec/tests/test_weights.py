"""Weights as samples: payloads, the codec, and a network that is trained, sent, and put back."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from codecs_rec.weights.codec import WeightsCodec
from codecs_rec.weights.compressible import Compressible
from codecs_rec.weights.shared import Shared
from codecs_rec.weights.stream import ZERO, Layout, counts_of, read, scale_of, write
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional

import codecs_core as cc
from codecs_core.arrays import ArraySpec
from codecs_core.errors import CodecsError, ConfigError, CorruptDataError, UnsupportedArrayError


@given(
    block=st.integers(1, 40),
    cuts=st.integers(0, 6),
    counts=st.lists(st.integers(1, 60), min_size=1, max_size=4),
    octaves=st.integers(1, 18),
    seed=st.integers(0, 2**32),
)
@settings(deadline=None, max_examples=40)
def test_streams(block: int, cuts: int, counts: list[int], octaves: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    cuts = min(cuts, 40 // block)
    layout = Layout(block, cuts, tuple((n, int(rng.integers(0, 256))) for n in counts))
    number = rng.integers(1, 1 << octaves, layout.blocks)
    box = np.array([rng.integers(0, 1 << (len(layout.members(b)) * cuts)) for b in range(layout.blocks)])
    payload = write(layout, box, number)
    again, boxes, numbers = read(payload, sum(counts))
    assert again == layout
    np.testing.assert_array_equal(boxes, box)
    np.testing.assert_array_equal(numbers, number)
    values = layout.values(box, number)
    assert values.dtype == np.float32
    # a proposal is within 4.3 standard deviations
    assert (np.abs(values) <= 4.4 * layout.scales()).all()
    with pytest.raises(CorruptDataError):
        read(payload, sum(counts) + 1)


@given(data=st.binary(max_size=60), size=st.integers(1, 50))
@settings(deadline=None, max_examples=150)
def test_hostile_payloads(data: bytes, size: int) -> None:
    """An error of the tree, or values."""
    spec = ArraySpec(dtype="float32", shape=(size,))
    try:
        values = WeightsCodec().decode(data, spec)
    except CodecsError:
        return
    assert values.shape == (size,)


def test_shares_of_octaves() -> None:
    counts = counts_of(np.array([1, 255, 3]))
    assert counts.shape == (1, 3)
    assert counts.sum() == 1 << 20
    assert counts[0, 1:].tolist() == [(255 << 20) // 259, (3 << 20) // 259]
    assert scale_of(1.0) == ZERO
    assert scale_of(1.01) == ZERO + 1
    assert scale_of(0.0) == 0


@pytest.mark.parametrize("deviation", [0.5, 0.125, 0.02])
def test_errors_are_gaussian(deviation: float) -> None:
    x = np.random.default_rng(0).normal(0, 0.1, (40, 25)).astype(np.float32)
    codec = WeightsCodec(deviation=deviation)
    payload = codec.encode(x)
    unit = deviation * 2.0 ** ((scale_of(float(np.abs(x).max()) / 4) - ZERO) / 8)
    errors = (codec.decode(payload, ArraySpec.of(x)).astype(np.float64) - x).reshape(-1) / unit
    assert abs(errors.mean()) < 5 / math.sqrt(errors.size)
    assert np.square(errors).mean() == pytest.approx(1, abs=5 * math.sqrt(2 / errors.size))
    assert 8 * len(payload) / x.size < 1 - math.log2(deviation)


def test_arrays_of_all_kinds() -> None:
    codec = WeightsCodec()
    for x in (np.zeros((3, 4)), np.array(7.5), np.full((2, 2), -3e5), np.zeros((0, 3)), np.array([1e-30, 1e30])):
        x = x.astype(np.float32)
        back = codec.decode(codec.encode(x), ArraySpec.of(x))
        assert back.shape == x.shape
        assert np.isfinite(back).all()
    for bad in (np.nan, np.inf):
        with pytest.raises(UnsupportedArrayError, match="finite"):
            codec.encode(np.array([1.0, bad], np.float32))
    for deviation in (0.0, 0.6, 1, math.nan):
        with pytest.raises(ConfigError, match="deviation"):
            WeightsCodec(deviation=deviation)


# --- a network -----------------------------------------------------------------------------------


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(2, 12), nn.Tanh(), nn.Linear(12, 2))


def rings(n: int, seed: int) -> tuple[Tensor, Tensor]:
    """Points within a circle, and around it."""
    x = torch.from_numpy(np.random.default_rng(seed).uniform(-2, 2, (n, 2))).float()
    return x, (x.square().sum(1) > 1.7).long()


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Compressible, bytes, Path]:
    torch.set_num_threads(1)
    small = Compressible(network(), bits=12, block=4)
    x, y = rings(256, 1)

    def loss(_: float) -> Tensor:
        return functional.cross_entropy(small(x), y)

    small.fit(loss, lambda: float(loss(1.0)), budget=60, steps=600, rate=0.2)
    payload = small.compress(loss, steps=20, rate=0.02)
    path = tmp_path_factory.mktemp("weights") / "rings.ccf"
    small.save(path, payload)
    return small, payload, path


def test_a_network_is_a_small_file(trained: tuple[Compressible, bytes, Path]) -> None:
    """Which decodes to a network that has learnt: 62 weights at about 3.5 bits each, and half as much to say how they are laid out."""
    small, payload, path = trained
    assert len(payload) < 70
    x, y = rings(1000, 2)
    fresh = Compressible(network(), bits=12, block=4).load_values(cc.load(path))  # type: ignore[arg-type]
    with torch.no_grad():
        assert float((fresh(x).argmax(1) == y).float().mean()) > 0.9
        torch.testing.assert_close(fresh(x), small.module(x), rtol=0, atol=0)


def test_a_payload_is_put_back(trained: tuple[Compressible, bytes, Path]) -> None:
    small, payload, _ = trained
    again = Compressible(network(), bits=12, block=4).load(payload)
    for a, b in zip(again.parameters(), small.module.parameters(), strict=True):
        assert torch.equal(a, b)
    with pytest.raises(CorruptDataError):
        Compressible(nn.Linear(3, 3), bits=12, block=4).load(payload)


def test_blocks_tell_their_bits() -> None:
    """About, once they are trained."""
    small = Compressible(network(), bits=12.0, block=4)
    x, y = rings(256, 1)
    small.fit(lambda _: functional.cross_entropy(small(x), y), lambda: 0.0, budget=60, steps=800, rate=0.2)
    with torch.no_grad():
        told = small.nats() / math.log(2)
    assert told.mean() == pytest.approx(12, rel=0.15)
    assert told.max() < 14


def test_shared_weights() -> None:
    small = Compressible(nn.Linear(10, 10), share={"weight": 5})
    counts = torch.bincount(small.shared["0"].index)  # type: ignore[arg-type]
    assert counts.tolist() == [5] * 20
    assert small._layout.groups[0][0] == 20
    small.compress()
    weight = small.module.get_parameter("weight")
    assert len(weight.abs().unique()) <= 20


@pytest.mark.parametrize(("size", "count"), [(12, 5), (7, 7), (30, 1), (100, 30)])
def test_gradients_of_shared_weights(size: int, count: int) -> None:
    """Those of a sum over the places of each variable."""
    shared, values = Shared(size, count, 3), torch.randn(count, dtype=torch.float64, requires_grad=True)
    assert torch.bincount(shared.index).max() == -(-size // count)
    up = torch.randn(size, dtype=torch.float64)
    (shared(values) * up).sum().backward()
    plain = torch.zeros(count, dtype=torch.float64).index_add(0, shared.index, up * shared.sign)
    torch.testing.assert_close(values.grad, plain)


def test_bad_modules() -> None:
    for make in (
        lambda: Compressible(nn.Tanh()),
        lambda: Compressible(nn.Linear(2, 2), bits=17),
        lambda: Compressible(nn.Linear(2, 2), block=0),
        lambda: Compressible(nn.Linear(2, 2), share={"none": 2}),
    ):
        with pytest.raises(ConfigError):
            make()
