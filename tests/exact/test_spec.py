"""``spec/exact.md`` says what the code does; its reference is run."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xxhash

from codecs_core.exact import ExactNet, Layer, probe
from codecs_core.exact.layer import FIELDS

TEXT = (Path(__file__).parents[2] / "spec" / "exact.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def reference() -> dict[str, Any]:
    (code,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)
    return names


def make_net(seed: int, low: int, high: int, *, images: bool = False) -> ExactNet:
    rng = np.random.default_rng(seed)
    layers = []
    widths = rng.integers(1, 9, 3) if not images else rng.choice([2, 3], 4)
    for inputs, outputs in pairwise(widths.tolist()):
        bottom, top = np.sort(rng.integers(-900, 900, (2, outputs)), axis=0)
        skips = [k for k in range(1, len(layers) + 2) if widths[len(layers) + 1 - k] == outputs]
        taps = rng.choice([1, 3, 5], 2) if images and len(layers) != 1 else ()
        layers.append(
            Layer(
                weight=rng.integers(-127, 128, (outputs, *taps, inputs)),
                bias=rng.integers(-9999, 9999, outputs),
                shift=rng.integers(0, 9, outputs),
                low=bottom,
                high=top,
                skip=int(rng.choice([0, *skips])),
            )
        )
    return ExactNet(layers, low, high)


def as_lists(layer: Layer) -> tuple[Any, ...]:
    return *(getattr(layer, name).tolist() for name in FIELDS), layer.skip


@pytest.mark.parametrize("images", [False, True])
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("low", "high"), [(0, 1), (-700, 650), (5, 90), (-9, -9)])
def test_reference(reference: dict[str, Any], seed: int, low: int, high: int, images: bool) -> None:
    net = make_net(seed, low, high, images=images)
    layers = [as_lists(layer) for layer in net.layers]
    rows = reference["probe_inputs"](net.inputs, low, high)
    assert rows == probe.inputs(net.inputs, low, high).tolist()
    image = np.array(rows).reshape(6, 8, -1)
    expected = reference["evaluate"](layers, image.tolist())
    assert net(image[None])[0].tolist() == expected
    data = reference["probe_bytes"](layers, net.inputs, low, high)
    assert data == np.array(expected, "<i4").tobytes()
    assert xxhash.xxh3_128_digest(data) == probe.digest(net)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("taps", [(), (3, 5), (1, 1)])
def test_bound(reference: dict[str, Any], seed: int, taps: tuple[int, ...]) -> None:
    rng = np.random.default_rng(seed)
    lows, highs = np.sort(rng.integers(-900, 900, (2, 4)), axis=0)
    added = rng.integers(0, 900, 3)
    weight, bias = rng.integers(-99, 100, (3, *taps, 4)), rng.integers(-999, 999, 3)
    layer = Layer(weight=weight, bias=bias, shift=bias, low=bias, high=bias)
    rows = layer.reach(lows, highs) + added
    assert rows.max() == reference["bound"](*(a.tolist() for a in (weight, bias, lows, highs, added)))


def test_example(reference: dict[str, Any]) -> None:
    layer = [[1, -2], [3, 4]], [5, -6], [0, 1], [-100, 0], [100, 50]
    net = ExactNet([Layer(*map(np.array, layer))], 0, 15)
    (probed,) = re.findall(r"\(-18, 37\), and the probe is `([0-9a-f]{32})`", TEXT)
    assert probe.digest(net).hex() == probed
    assert net(np.array([7, 15])).tolist() == [-18, 37]
    assert reference["evaluate"]([(*layer, 0)], [[[7, 15]]]) == [[[-18, 37]]]
    bounds = [reference["bound"]([w], [b], [0, 0], [15, 15], [0]) for w, b in zip(*layer[:2], strict=True)]
    assert re.search(rf"bounds are\s{bounds[0]} and {bounds[1]}", TEXT)
    assert net.layers[0].reach(np.zeros(2, int), np.full(2, 15)).tolist() == bounds


def test_example_of_a_convolution(reference: dict[str, Any]) -> None:
    weight = np.arange(1, 10).reshape(1, 3, 3, 1)
    layer = Layer(weight, *(np.array([n]) for n in (0, 3, -15, 40)), skip=1)
    net = ExactNet([layer], 0, 9)
    image = np.array([[[1], [2], [3]], [[4], [5], [6]]])
    out = net(image[None])[0]
    assert out.tolist() == reference["evaluate"]([as_lists(layer)], image.tolist())
    rows = ", ".join(f"({', '.join(map(str, row))})" for row in out[..., 0].tolist())
    bound = reference["bound"](weight.tolist(), [0], [0], [9], [9])
    assert (
        f"the bound is {bound}; the\nimage ((1, 2, 3), (4, 5, 6)) gives ({rows}), and the probe is `{probe.digest(net).hex()}`"
        in TEXT
    )


@pytest.mark.parametrize("images", [False, True])
def test_tensor_names(images: bool) -> None:
    net = make_net(0, 0, 9, images=images)
    assert not images or any(layer.skip for layer in net.layers)
    for name in net.tensors("NAME"):
        assert f"`{re.sub('[0-9]', 'I', name)}`" in TEXT
