"""Convolutions and skips compute what integers compute, however the work is cut up."""

from __future__ import annotations

import dataclasses
import math
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from codecs_core.errors import ModelError
from codecs_core.exact import ExactNet, Layer, evaluate, step

seeds = st.integers(0, 2**32 - 1)


def make_layer(
    rng: np.random.Generator, inputs: int, outputs: int, *taps: int, skip: int = 0, wide: bool = False
) -> Layer:
    """`wide`: its sums need float64. Outputs span about 1000 whatever the size."""
    size = 1 << 20 if wide else 20
    spread = int(size * 300 * np.sqrt(inputs * np.prod(taps, dtype=int)))
    low, high = np.sort(rng.integers(-1000, 1000, (2, outputs)), axis=0)
    return Layer(
        weight=rng.integers(-size, size + 1, (outputs, *taps, inputs)),
        bias=rng.integers(-spread, spread, outputs),
        shift=rng.integers(-2, 2, outputs) + max(2, (spread // 1000).bit_length()),
        low=low,
        high=high,
        skip=skip,
    )


@st.composite
def nets(draw: st.DrawFn) -> ExactNet:
    """Networks of any layers, in which anything is added that fits."""
    rng = np.random.default_rng(draw(seeds))
    widths = [draw(st.integers(1, 9))]
    layers: list[Layer] = []
    odd = st.sampled_from([1, 3, 5, 7])
    for _ in range(draw(st.integers(1, 5))):
        # widths seen before: something to skip to
        outputs = draw(st.sampled_from(widths) | st.integers(1, 9))
        skips = [k for k in range(1, len(widths) + 1) if widths[-k] == outputs]
        skip = draw(st.sampled_from([0, *skips]))
        taps = draw(st.just(()) | st.tuples(odd, odd))
        layers.append(make_layer(rng, widths[-1], outputs, *taps, skip=skip, wide=draw(st.booleans())))
        widths.append(outputs)
    return ExactNet(layers, -1000, 1000)


def reference(net: ExactNet, x: NDArray[Any]) -> NDArray[np.int64]:
    """The specification, in integers of 64 bits, for images."""
    activations = [x.astype(np.int64)]
    for layer in net.layers:
        weight = layer.weight.reshape(
            layer.outputs, *(layer.weight.shape[1:3] if layer.weight.ndim == 4 else (1, 1)), -1
        )
        down, across = (n // 2 for n in weight.shape[1:3])
        padded = np.pad(activations[-1], ((0, 0), (down, down), (across, across), (0, 0)))
        around = np.lib.stride_tricks.sliding_window_view(padded, weight.shape[1:3], (1, 2))
        y = (np.einsum("nijcyx,ryxc->nijr", around, weight) + layer.bias) >> layer.shift
        if layer.skip:
            y = y + activations[-layer.skip]
        activations.append(np.clip(y, layer.low, layer.high))
    return activations[-1]


def make_images(seed: int, net: ExactNet, *shape: int) -> NDArray[np.int64]:
    return np.random.default_rng(seed).integers(net.low, net.high + 1, (*shape, net.inputs))


def check_reference(net: ExactNet, x: NDArray[Any]) -> None:
    out = net(x)
    assert out.dtype == np.int32
    np.testing.assert_array_equal(out, reference(net, x))


sizes = st.tuples(st.integers(0, 5), st.integers(1, 9), st.integers(1, 9))


@given(net=nets(), size=sizes | st.sampled_from([(1, 1, 1), (9, 1, 1), (2, 1, 40), (1, 40, 1)]), seed=seeds)
@settings(deadline=None, max_examples=300)
def test_integers_say_the_same(net: ExactNet, size: tuple[int, ...], seed: int) -> None:
    shape = size if net.spatial else size[:1]
    x = make_images(seed, net, *size)
    expected = reference(net, x)
    np.testing.assert_array_equal(net(x), expected)
    assert net(x).shape == (*size, net.outputs)
    assert len(shape) in (1, 3)


@given(net=nets(), size=sizes, seed=seeds, pixels=st.integers(1, 100), rows=st.integers(1, 40))
@settings(deadline=None, max_examples=100)
def test_blocks_of_any_size(net: ExactNet, size: tuple[int, ...], seed: int, pixels: int, rows: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluate, "PIXELS", pixels)
        patch.setattr(step, "ROWS", rows)
        patch.setattr(step, "small_terms", lambda: 0)
        patch.setattr(net, "_pairs", None)  # which has blocks of its own
        check_reference(net, make_images(seed, net, *size))


def make_resnet(seed: int, width: int = 12, wide: bool = False) -> ExactNet:
    rng = np.random.default_rng(seed)
    layers = [make_layer(rng, 3, width, 3, 3)]
    for _ in range(2):
        layers += [make_layer(rng, width, width, 3, 3, wide=wide), make_layer(rng, width, width, 3, 3, skip=2)]
    layers.append(make_layer(rng, width, 5, 1, 1))
    layers = [
        dataclasses.replace(layer, low=np.zeros_like(layer.low), high=np.full_like(layer.high, 900)) for layer in layers
    ]
    return ExactNet(layers, 0, 255)


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("size", [(1, 1), (2, 2), (7, 5), (16, 16), (1, 300)])
def test_an_image_does_not_depend_on_its_batch(size: tuple[int, int], wide: bool) -> None:
    net = make_resnet(5, wide=wide)
    assert net.dtypes == ["float32", *["float64" if wide else "float32", "float32"] * 2, "float32"]
    batch = max(10, 3000 // (size[0] * size[1]))
    x = make_images(0, net, batch, *size)
    whole = net(x)
    np.testing.assert_array_equal(whole[:50], reference(net, x[:50]))
    for images in (1, 3, batch - 1):
        some = [net(x[i : i + images]) for i in range(0, min(batch, 100 * images), images)]
        np.testing.assert_array_equal(np.concatenate(some), whole[: 100 * images])
    np.testing.assert_array_equal(net(np.asfortranarray(x)[::-1]), whole[::-1])


@given(
    seed=seeds,
    inputs=st.integers(1, 40),
    taps=st.sampled_from([(), (1, 1), (3, 3), (1, 5)]),
    count=st.floats(0.1, 12),
    low=st.sampled_from([0, -1]),
)
@settings(deadline=None, max_examples=200)
def test_sums_beyond_float32_in_parts(seed: int, inputs: int, taps: tuple[int, ...], count: float, low: int) -> None:
    """Sums of up to `count` times what float32 is good for, as large as they can be: every bit of them is right."""
    rng = np.random.default_rng(seed)
    high = int(rng.integers(1, 3000))
    terms = inputs * math.prod(taps)
    share = int(count * (1 << 24) / (terms * high))
    if share == 0:
        return
    weight = rng.choice([-1, 1], (3, *taps, inputs)) * rng.integers(share, share + 2, (3, *taps, inputs))
    weight[0] = share
    layer = Layer(
        weight=weight,
        bias=rng.integers(-(1 << 20), 1 << 20, 3),
        shift=np.full(3, 5),
        low=np.full(3, 1 - (1 << 24)),
        high=np.full(3, (1 << 24) - 1),
    )
    net = ExactNet([layer], low * high, high)
    x = rng.integers(low * high, high + 1, (3, 4, 5, inputs))
    x[0] = high
    check_reference(net, x)
    (only,) = net._plan.steps
    bound = layer.reach(*net_span(net)).max()
    assert only.bias.dtype == (np.float32 if bound < 1 << 24 else np.float64)
    edges = np.cumsum([0, *(len(w) for w in only.weight)])
    if only.dtype == np.float32:
        assert edges[-1] == terms
        assert all(layer.products(*net_span(net), slice(a, b)).max() < 1 << 24 for a, b in pairwise(edges))
    else:
        assert bound >= 1 << 24


def net_span(net: ExactNet) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    return np.full(net.inputs, net.low), np.full(net.inputs, net.high)


@pytest.mark.parametrize(
    ("bits", "parts", "dtype"), [(15, 1, "float32"), (16, 2, "float32"), (18, 8, "float32"), (19, 1, "float64")]
)
def test_parts(bits: int, parts: int, dtype: str) -> None:
    """512 products below 2^(bits - 6): parts of equal size where they suffice."""
    layer = make_layer(np.random.default_rng(0), 512, 2)
    layer = dataclasses.replace(layer, weight=np.full((2, 512), (1 << (bits - 6)) - 1))
    (only,) = ExactNet([layer], 0, 63)._plan.steps
    assert (len(only.weight), only.dtype.name) == (parts, dtype)
    assert only.bias.dtype.name == ("float32" if bits < 16 else "float64")


def test_threads_at_once_compute_the_same() -> None:
    net = make_resnet(6)
    rng = np.random.default_rng(1)
    batches = [make_images(i, net, *rng.integers(1, 12, 3)) for i in range(40)]
    with ThreadPoolExecutor(4) as pool:
        for x, y in zip(batches, pool.map(net, batches), strict=True):
            np.testing.assert_array_equal(y, reference(net, x))


def test_the_input_is_left_alone() -> None:
    net = make_resnet(7)
    x = make_images(0, net, 3, 4, 5).astype(np.uint8)
    before = x.copy()
    check_reference(net, x)
    np.testing.assert_array_equal(x, before)


@pytest.mark.parametrize("shape", [(3,), (4, 3), (4, 4, 3), (1, 1, 4, 4, 3), (2, 3, 4, 4)])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ModelError, match="takes integers of shape \\(batch, height, width, 3\\)"):
        make_resnet(0)(np.zeros(shape, int))


@pytest.mark.parametrize("shape", [(0, 4, 4), (2, 0, 4), (2, 4, 0)])
def test_nothing_gives_nothing(shape: tuple[int, ...]) -> None:
    y = make_resnet(0)(np.zeros((*shape, 3), int))
    assert (y.shape, y.dtype) == ((*shape, 5), np.int32)


def test_buffers_are_used_again() -> None:
    """A residual network of any depth needs three."""
    assert len(make_resnet(0)._plan.widths) == 3
