"""Patches, packed indices, sines, features and the network: each against a plain definition."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from codecs_inr.features import fourier
from codecs_inr.groups import Groups
from codecs_inr.network import Siren
from codecs_inr.packing import packed, unpacked
from codecs_inr.patches import counts, cut, joined
from codecs_inr.positional import Positional
from codecs_inr.sine import sine, table
from codecs_inr.upsampling import Upsampling
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from codecs_core.errors import CorruptDataError
from codecs_core.testing import Draw


def test_sines_are_the_nearest_integers() -> None:
    exact = [math.floor(2**14 * math.sin(2 * math.pi * k / 2**14) + 0.5) for k in range(1 << 14)]
    assert table().tolist() == exact
    assert sine(np.array([-(1 << 12), 5 << 12, (1 << 14) + 1])).tolist() == [-(1 << 14), 1 << 14, table()[1]]


@pytest.mark.parametrize("grid", [(5,), (4, 6), (2, 3, 4)])
def test_features_are_waves_over_the_grid(grid: tuple[int, ...]) -> None:
    frequencies = np.array([1024, 3000])
    found = fourier(grid, frequencies) / 2**14
    x = np.stack(np.meshgrid(*[(2 * np.arange(n) + 1 - n) / n for n in grid], indexing="ij"), -1).reshape(-1, len(grid))
    angles = np.pi * x[:, :, None] * frequencies / 1024
    expected = np.concatenate([np.cos(angles), np.sin(angles)], 2).reshape(len(x), -1)
    assert np.abs(found - expected).max() < 2 * np.pi * 2**-14 + 2**-14


def test_a_coarser_grid_is_the_same_wave() -> None:
    fine, coarse = fourier((30,), np.array([1500])), fourier((10,), np.array([1500]))
    np.testing.assert_array_equal(fine[1::3], coarse)


def test_a_network_is_layers_of_sines() -> None:
    network, rng = Siren((3, 4, 2)), np.random.default_rng(0)
    w, x = rng.standard_normal((2, network.size)).astype(np.float32), rng.standard_normal((5, 3)).astype(np.float32)
    first, last = network.layers(w)
    for i in range(2):
        hidden = np.sin(x @ first[i, :-1] + first[i, -1])
        np.testing.assert_allclose(network(w, x)[i], hidden @ last[i, :-1] + last[i, -1], rtol=1e-4, atol=1e-5)


def test_gradients_are_slopes() -> None:
    rng = np.random.default_rng(1)
    check_slopes(Siren((3, 4, 5, 2)), rng.standard_normal((6, 3)), rng)


def test_gradients_of_latents_are_slopes() -> None:
    rng = np.random.default_rng(2)
    upsampling = Upsampling((2, 1), (2, 3, 2))
    for layer in upsampling.layers:
        layer[...] = rng.standard_normal(layer.shape) / 4
    network, x = Positional((3, 3, 1), upsampling), rng.standard_normal((32, 1))
    check_slopes(network, x, rng)
    w, y = rng.standard_normal((2, network.size)).astype(np.float32), np.zeros((2, 32, 1), np.float32)
    turns = network.gradient(w, x.astype(np.float32), y).shared
    for layer, turn in zip(upsampling.layers, turns, strict=True):
        for at in zip(*(rng.integers(0, n, 5) for n in layer.shape), strict=True):
            kept, found = layer[at], []
            for step in (1e-2, -1e-2):
                layer[at] = kept + np.float32(step)
                found.append(network.gradient(w, x.astype(np.float32), y).squares.sum(dtype=np.float64))
            layer[at] = kept
            np.testing.assert_allclose(turn[at], (found[0] - found[1]) / 4e-2, rtol=0.02, atol=0.02)


def check_slopes(network: Siren, x: NDArray[Any], rng: np.random.Generator) -> None:
    x = x.astype(np.float32)
    w = rng.standard_normal((2, network.size)).astype(np.float32)
    y = rng.standard_normal((2, len(x), network.widths[-1])).astype(np.float32)
    found = network.gradient(w, x, y)
    np.testing.assert_allclose(found.squares, np.square(network(w, x) - y).sum((1, 2)), rtol=1e-5)
    for i in range(network.size):
        step = np.zeros_like(w)
        step[:, i] = 1e-2
        above, below = (network.gradient(w + s * step, x, y).squares.astype(np.float64) for s in (1, -1))
        np.testing.assert_allclose(found.weights[:, i], (above - below) / 4e-2, rtol=0.03, atol=0.03)


def test_groups_have_members_in_ascending_order() -> None:
    members = Groups(np.array([2, -1, 0, 2, 0, -1, 4]), 3).members
    assert [at.tolist() for at in members] == [[2, 4], [], [0, 3], [], [6]]
    assert Groups(np.array([-1, -1]), 3).members == Groups(np.zeros(0, np.int64), 3).members == []


@given(st.integers(1, 20), st.integers(0, 40), st.integers(0, 2**32))
def test_packed_indices_come_back(bits: int, count: int, seed: int) -> None:
    x = np.random.default_rng(seed).integers(0, 1 << bits, (count, 2))
    payload = packed(x, bits)
    assert len(payload) == -(-2 * count * bits // 8)
    np.testing.assert_array_equal(unpacked(payload, bits, x.shape), x)


def test_other_payloads_are_damaged() -> None:
    payload = packed(np.array([5, 6, 7]), 5)
    with pytest.raises(CorruptDataError, match="must have 2 bytes, got 3"):
        unpacked(payload + b"\0", 5, (3,))
    with pytest.raises(CorruptDataError, match="behind its last index"):
        unpacked(payload[:1] + bytes([payload[1] | 0x80]), 5, (3,))


@given(st.tuples(st.integers(0, 3), st.integers(0, 9), st.integers(0, 9)), st.integers(1, 5), st.integers(1, 5))
@settings(deadline=None)
def test_patches_are_put_together_again(shape: tuple[int, int, int], height: int, width: int) -> None:
    x = Draw(1)(0, 255, *shape, 3).astype(np.uint8)
    patches = cut(x, (height, width))
    rows, columns = counts(shape[1:], (height, width))
    assert patches.shape == (shape[0] * rows * columns, height, width, 3)
    np.testing.assert_array_equal(joined(patches, x.shape), x)
