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


def make_net(seed: int, low: int, high: int) -> ExactNet:
    rng = np.random.default_rng(seed)
    layers = []
    widths = rng.integers(1, 9, 3)
    for inputs, outputs in pairwise(widths):
        bottom, top = np.sort(rng.integers(-900, 900, (2, outputs)), axis=0)
        layers.append(
            Layer(
                weight=rng.integers(-127, 128, (outputs, inputs)),
                bias=rng.integers(-9999, 9999, outputs),
                shift=rng.integers(0, 9, outputs),
                low=bottom,
                high=top,
            )
        )
    return ExactNet(layers, low, high)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("low", "high"), [(0, 1), (-700, 650), (5, 90), (-9, -9)])
def test_reference(reference: dict[str, Any], seed: int, low: int, high: int) -> None:
    net = make_net(seed, low, high)
    layers = [tuple(getattr(layer, f).tolist() for f in FIELDS) for layer in net.layers]
    rows = reference["probe_inputs"](net.inputs, low, high)
    assert rows == probe.inputs(net.inputs, low, high).tolist()
    assert net(np.array(rows)).tolist() == [reference["evaluate"](layers, row) for row in rows]
    data = reference["probe_bytes"](layers, net.inputs, low, high)
    assert xxhash.xxh3_128_digest(data) == probe.digest(net)
    lows, highs = np.full(net.inputs, low), np.full(net.inputs, high)
    first = net.layers[0]
    assert first.reach(lows, highs).max() == reference["bound"](*layers[0][:2], lows.tolist(), highs.tolist())


def test_example(reference: dict[str, Any]) -> None:
    layer = [[1, -2], [3, 4]], [5, -6], [0, 1], [-100, 0], [100, 50]
    net = ExactNet([Layer(*map(np.array, layer))], 0, 15)
    (probed,) = re.findall(r"the probe is `([0-9a-f]{32})`", TEXT)
    assert probe.digest(net).hex() == probed
    assert net(np.array([[7, 15]])).tolist() == [[-18, 37]]
    assert reference["evaluate"]([layer], [7, 15]) == [-18, 37]
    bounds = [reference["bound"]([w], [b], [0, 0], [15, 15]) for w, b in zip(*layer[:2], strict=True)]
    assert re.search(rf"bounds are\s{bounds[0]} and {bounds[1]}", TEXT)
    assert net.layers[0].reach(np.zeros(2, int), np.full(2, 15)).tolist() == bounds


def test_tensor_names() -> None:
    net = make_net(0, 0, 9)
    for name in net.tensors("NAME"):
        assert f"`{name.replace('.0.', '.I.').replace('.1.', '.I.')}`" in TEXT
