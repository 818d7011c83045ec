"""Layers and flows of random networks: exact round trips, and rates against what the densities say."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from codecs_lbb import local
from codecs_lbb.base import Base
from codecs_lbb.conditioner import LOG_BITS, SHIFT_BITS, fixed, on_grid
from codecs_lbb.dequantise import Learned, Noise, Uniform
from codecs_lbb.elementwise import Logit as LogitMap
from codecs_lbb.elementwise import Scale
from codecs_lbb.flow import Flow
from codecs_lbb.grid import Grid
from codecs_lbb.layers import (
    ActNorm,
    Additive,
    Affine,
    Channels,
    Checkerboard,
    Convolution,
    FactorOut,
    Layer,
    Logit,
    Mask,
    Mixture,
    Squeeze,
)
from codecs_lbb.testing import Source
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from codecs_core.entropy import Chain, Message
from codecs_core.errors import CodecsError, EntropyError, ModelError

GRID = Grid()


def convolution(draw: Source, channels: int) -> Convolution:
    order = np.argsort(draw(0, 1 << 20, channels), kind="stable")
    return Convolution(order, draw(-3000, 3000, channels, channels), draw(-3000, 3000, channels, channels))


def affine(draw: Source, name: str, channels: int, mask: Mask, grid: Grid = GRID) -> Affine:
    inputs, size = mask.sizes(channels)
    high = np.repeat([1 << SHIFT_BITS, 1 << LOG_BITS], size)
    tensors = draw.conditioner(name, inputs, -high, high, size)
    return Affine(grid, tensors, name, channels=channels, mask=mask)


def additive(draw: Source, name: str, channels: int, mask: Mask, grid: Grid = GRID) -> Additive:
    inputs, size = mask.sizes(channels)
    high = np.full(size, 1 << SHIFT_BITS)
    tensors = draw.conditioner(name, inputs, -high, high, size)
    return Additive(grid, tensors, name, channels=channels, mask=mask)


def mixture(draw: Source, name: str, colours: int, part: tuple[int, int], grid: Grid = GRID) -> Mixture:
    tensors = draw.mixture(name, colours=colours, part=part, components=2)
    return Mixture(grid, tensors, name, colours=colours, part=part, components=2)


def actnorm(draw: Source, channels: int, grid: Grid = GRID) -> ActNorm:
    return ActNorm(grid, draw(-(1 << 16), 1 << 16, channels), draw(-(1 << 16), 1 << 16, channels))


def layers_of(seed: int, channels: int, grid: Grid = GRID) -> dict[str, Layer]:
    """One of each kind, for images of this number of channels (before they are squeezed)."""
    draw, wide = Source(seed), 4 * channels
    return {
        "logit": Logit(grid, 128),
        "actnorm": actnorm(draw, wide, grid),
        "convolution": convolution(draw, wide),
        "additive": additive(draw, "a", wide, Channels(0, channels), grid),
        "additive-checkerboard": additive(draw, "d", wide, Checkerboard(1 - seed % 2), grid),
        "affine": affine(draw, "b", wide, Channels(channels, 3 * channels), grid),
        "affine-checkerboard": affine(draw, "c", wide, Checkerboard(seed % 2), grid),
        "mixture": mixture(draw, "m", channels, (2 * channels, wide), grid),
        "constants": mixture(draw, "n", channels, (0, channels), grid),
        "squeeze": Squeeze(),
        "factor": FactorOut(grid, wide, channels),
    }


def flowpp(seed: int, channels: int, shape: tuple[int, int, int, int], grid: Grid = GRID) -> Flow:
    draw, wide = Source(seed), 4 * channels
    layers: list[Layer] = [convolution(draw, channels)]
    for level in range(2):
        layers += [Squeeze(), additive(draw, f"{level}.a", wide, Channels(channels, 2 * channels), grid)]
        layers += [affine(draw, f"{level}.s", wide, Channels(0, channels), grid)]
        layers += [
            mixture(draw, f"{level}.{i}", channels, (i * channels, j * channels), grid) for i, j in ((1, 2), (2, 4))
        ]
        layers.append(FactorOut(grid, wide, channels))
    layers += [mixture(draw, "top", channels, (0, channels), grid), FactorOut(grid, channels, 0)]
    high = np.repeat([1 << SHIFT_BITS, 1 << LOG_BITS], wide)
    tensors = draw.conditioner("noise", wide, -high, high, wide)
    return Flow(grid, layers, Learned(grid, tensors, "noise", channels=channels), shape, 128)


def realnvp(seed: int, channels: int, shape: tuple[int, int, int, int], grid: Grid = GRID) -> Flow:
    draw, wide = Source(seed), 4 * channels
    layers: list[Layer] = [Logit(grid, 0), actnorm(draw, channels, grid)]
    layers += [affine(draw, f"{i}", channels, Checkerboard(i), grid) for i in range(2)]
    layers += [Squeeze(), actnorm(draw, wide, grid), convolution(draw, wide)]
    layers += [
        affine(draw, "a", wide, Channels(0, wide // 2), grid),
        affine(draw, "b", wide, Channels(wide // 2, wide), grid),
    ]
    return Flow(grid, [*layers, FactorOut(grid, wide, 0)], Uniform(grid), shape, 0)


FLOWS = {"flow++": flowpp, "realnvp": realnvp}


def images(seed: int, *shape: int) -> NDArray[np.uint8]:
    """Smooth images with some noise."""
    rng = np.random.default_rng(seed)
    ramp = np.add.outer(np.linspace(40, 120, shape[1]), np.linspace(0, 80, shape[2]))[None, :, :, None]
    return (ramp + rng.normal(0, 12, shape)).clip(0, 255).astype(np.uint8)


def check_round_trip(codec: Any, x: NDArray[Any]) -> None:
    message = Message()
    codec.push(message, x)
    copy = Message.from_bytes(message.to_bytes())
    assert np.array_equal(codec.pop(copy), x)
    copy.verify_end()


# --- one layer --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", list(layers_of(0, 1)))
@pytest.mark.parametrize("channels", [1, 3])
@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 1 << 20), bits=st.integers(18, 30))
def test_layers_are_reversible(kind: str, channels: int, seed: int, bits: int) -> None:
    grid = Grid(bits, bits // 2)
    layer, rng, message = layers_of(seed, channels, grid)[kind], np.random.default_rng(seed), Message()
    x = grid.units(rng.uniform(-3.9, 3.9, (2, 4, 6, 4 * channels)))
    y = layer.push(message, x)
    assert y.shape == layer.shape(x.shape)
    copy = Message.from_bytes(message.to_bytes())
    assert np.array_equal(layer.pop(copy, y), x)
    copy.verify_end()


@pytest.mark.parametrize("kind", list(layers_of(0, 3)))
def test_rate_of_a_layer(kind: str) -> None:
    """A layer lengthens a message by as much as its map spreads values, less what the base distribution says of them."""
    grid = Grid(28, 16)
    layer, rng = layers_of(1, 3, grid)[kind], np.random.default_rng(0)
    x = grid.units(rng.uniform(-3.9, 3.9, (40, 8, 8, 12)))
    message = Message()
    before = message.bits
    y = layer.push(message, x)
    grown = message.bits - before
    exact, shorter = layer.forward(x)
    assert abs(grown + shorter.sum()) / x.size < 0.003
    assert np.abs(grid.values(exact - y)).max() < 0.01


@pytest.mark.parametrize("function", [Scale(np.array(0.7)), LogitMap(0.5, 0.1)])
def test_elementwise_maps(function: local.Map) -> None:
    x = np.linspace(-3.9, 3.9, 1001)
    y, log_slope = function.forward(x)
    np.testing.assert_allclose(function.inverse(y), x, atol=1e-12)
    np.testing.assert_allclose(np.gradient(y, x)[1:-1], np.exp(log_slope)[1:-1], rtol=1e-4)


def test_what_a_map_cannot_take_is_refused() -> None:
    x = GRID.units(np.array([0.0, 4.6]))
    with pytest.raises(EntropyError, match="leaves the range"):
        local.push(Message(), GRID, x, LogitMap(0.5, 0.9 / 8))


def test_an_inverse_that_does_not_invert_is_refused() -> None:
    class Wrong(Scale):
        def inverse(self, y: NDArray[np.float64]) -> NDArray[np.float64]:
            return y

    with pytest.raises(EntropyError, match="does not invert"):
        local.push(Message(), GRID, GRID.units(np.array([1.0])), Wrong(np.array(0.5)))


def test_mixture_parameters_are_bounded() -> None:
    draw = Source(0)
    tensors = draw.mixture("m", colours=3, part=(3, 6), components=2)
    for name in ("trunk", "head", "linear", "others"):
        lacking = {k: v for k, v in tensors.items() if not k.startswith(f"m.{name}.")}
        with pytest.raises(ModelError, match=f"m.{name}"):
            Mixture(GRID, lacking, "m", colours=3, part=(3, 6), components=2)
    with pytest.raises(ModelError, match="outputs; expected"):
        Mixture(GRID, tensors, "m", colours=3, part=(3, 9), components=2)
    with pytest.raises(ModelError, match="constants"):
        Mixture(GRID, tensors, "m", colours=3, part=(0, 3), components=2)


def test_inputs_of_networks_are_rounded_half_up() -> None:
    units = GRID.units(np.array([-100.0, -1.5 / 128, -0.5 / 128, 0.49 / 128, 0.5 / 128, 100.0]))
    assert fixed(GRID, units).tolist() == [-2048, -1, 0, 0, 1, 2047]


def test_shifts_on_grids() -> None:
    shift = np.array([-3, -2, -1, 1, 2, 3])
    assert on_grid(Grid(18, 2), shift).tolist() == [-12, -8, -4, 4, 8, 12]
    assert on_grid(Grid(15, 2), shift).tolist() == [-1, -1, 0, 1, 1, 2]


# --- base and noise ---------------------------------------------------------------------------------


def test_base_is_logistic() -> None:
    base, message = Base(GRID, (200_000,)), Message()
    z = GRID.values(base.pop(message))
    for at in (-3.0, -1.0, 0.0, 1.0, 3.0):
        assert abs((z < at).mean() - 1 / (1 + math.exp(-at))) < 0.005
    z = np.random.default_rng(0).logistic(size=10_000)
    information = np.abs(z) + 2 * np.log1p(np.exp(-np.abs(z)))
    codec = Base(GRID, z.shape)
    assert abs(codec.bits(GRID.units(z)) / z.size - information.mean() / math.log(2) - GRID.bits) < 1e-3


def test_base_takes_anything() -> None:
    check_round_trip(Base(GRID, (4,)), GRID.units(np.array([-3000.0, -32.0, 32.0, 1e6])))


@pytest.mark.parametrize("name", ["uniform", "learned"])
def test_noise_stays_within_a_grey_level(name: str) -> None:
    x, draw = images(0, 6, 8, 8, 3).astype(np.int64) << (GRID.bits - 5), Source(0)
    high = np.repeat([20 << SHIFT_BITS, 1 << LOG_BITS], 12)
    tensors = draw.conditioner("noise", 12, -high, high, 12)
    noise: Noise = (Uniform(GRID) if name == "uniform" else Learned(GRID, tensors, "noise", channels=3))(x)
    message = Message()
    u = noise.pop(message)
    assert u.min() >= 0
    assert u.max() < 1 << (GRID.bits - 5)
    noise.push(message, u)
    message.verify_end()


# --- flows ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", list(FLOWS))
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1 << 20), n=st.integers(1, 3), channels=st.sampled_from([1, 3]))
def test_round_trip(kind: str, seed: int, n: int, channels: int) -> None:
    flow = FLOWS[kind](seed, channels, (n, 8, 4, channels))
    check_round_trip(flow, images(seed, n, 8, 4, channels))


@pytest.mark.parametrize("kind", list(FLOWS))
def test_extreme_images(kind: str) -> None:
    x = np.zeros((2, 8, 8, 3), np.uint8)
    x[1, ::2] = 255
    check_round_trip(FLOWS[kind](0, 3, x.shape), x)


@pytest.mark.parametrize("kind", list(FLOWS))
def test_rate_is_that_of_the_flow(kind: str) -> None:
    x = images(0, 60, 16, 16, 3)
    flow, message = FLOWS[kind](0, 3, x.shape, Grid(26, 15)), Message()
    noise = flow.noise(flow.centred(x))
    u = noise.pop(message)
    z, theory = flow.centred(x) + u, -noise.bits(u)
    for layer in flow.layers:
        if isinstance(layer, FactorOut):  # random networks give variables that are far from logistic
            done = z[..., layer.keep :]
            theory += Base(flow.grid, done.shape).bits(done)
        else:
            theory -= layer.forward(z)[1].sum()
        z = layer.push(message, z)
    assert abs(flow.bits(x) - theory) / x.size < 0.01


def test_chain_of_images() -> None:
    x = images(1, 12, 8, 8, 3)
    check_round_trip(Chain(lambda n: flowpp(0, 3, (n, 8, 8, 3)), len(x), 4), x)


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_damaged_messages(data: st.DataObject) -> None:
    x = images(2, 2, 8, 8, 3)
    kind = data.draw(st.sampled_from(list(FLOWS)))
    flow, message = FLOWS[kind](0, 3, x.shape), Message()
    flow.push(message, x)
    payload = bytearray(message.to_bytes())
    payload[data.draw(st.integers(0, len(payload) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        assert flow.pop(Message.from_bytes(bytes(payload))).shape == x.shape
    except CodecsError:
        return
