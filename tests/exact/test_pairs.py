"""Where a processor multiplies pairs of small integers, networks of these compute what they compute elsewhere."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codecs_core.errors import ModelError
from codecs_core.exact import ExactNet, Layer, pairs
from codecs_core.jit.pairs import supported

pytestmark = pytest.mark.skipif(not supported(), reason="kernels are compiled for a processor without such products")
SHORT = (1 << 15) - 1


def make_layer(
    rng: np.random.Generator,
    inputs: int,
    outputs: int,
    *,
    skip: int = 0,
    largest: int = 500,
    high: int = 2000,
    least: int = 0,
) -> Layer:
    return Layer(
        weight=rng.integers(-largest, largest + 1, (outputs, inputs)),
        bias=rng.integers(-90000, 90000, outputs),
        shift=rng.integers(least, 12, outputs),
        low=rng.integers(-high, 1, outputs),
        high=rng.integers(0, high + 1, outputs),
        skip=skip,
    )


def without(net: ExactNet) -> ExactNet:
    """The same network, by products in floating point."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pairs, "supported", lambda: False)
        other = ExactNet(net.layers, net.low, net.high)
    assert other._pairs is None
    return other


@st.composite
def nets(draw: st.DrawFn, high: int = 2000, least: int = 0) -> ExactNet:
    """Networks of any layers, in which anything is added that fits."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    widths = [draw(st.integers(1, 70))]
    layers: list[Layer] = []
    for _ in range(draw(st.integers(1, 5))):
        outputs = draw(st.sampled_from(widths) | st.integers(1, 70))
        skips = [k for k in range(1, len(widths) + 1) if widths[-k] == outputs]
        skip = draw(st.sampled_from([0, *skips]))
        layers.append(make_layer(rng, widths[-1], outputs, skip=skip, high=high, least=least))
        widths.append(outputs)
    return ExactNet(layers, -512, 511)


@given(net=nets(), rows=st.integers(0, 30) | st.sampled_from([96, 97, 200]), kind=st.sampled_from([np.int16, np.int64]))
@settings(deadline=None, max_examples=100)
def test_both_ways_say_the_same(net: ExactNet, rows: int, kind: type) -> None:
    assert net._pairs is not None
    x = np.random.default_rng(rows).integers(-512, 512, (rows, net.inputs)).astype(kind)
    np.testing.assert_array_equal(net(x), without(net)(x))


@given(net=nets(high=1 << 20, least=8), rows=st.integers(0, 30) | st.sampled_from([97, 200]))
@settings(deadline=None, max_examples=100)
def test_numbers_that_are_cut_in_two(net: ExactNet, rows: int) -> None:
    """Numbers of up to 21 bits, sums of up to 37."""
    assert net._pairs is not None
    x = np.random.default_rng(rows).integers(-512, 512, (rows, net.inputs))
    np.testing.assert_array_equal(net(x), without(net)(x))


@pytest.mark.parametrize("value", [-(1 << 23), (1 << 23) - 1])
def test_the_largest_sums(value: int) -> None:
    """Numbers of 24 bits, biases that are cut too, and outputs that are always the same."""
    ones, zeros = np.ones(3, int), np.zeros(3, int)
    first = Layer(np.diag([1, SHORT, 1]), np.array([0, 0, 9]), zeros, zeros - (1 << 23), zeros + (1 << 23) - 1)
    last = Layer(
        np.array([[SHORT, 1, 0], [-SHORT, 0, SHORT], [500, 400, 300]]),
        np.array([-(1 << 37) - 5, 3, 77]),
        np.array([15, 16, 3]),
        np.array([-(1 << 24) + 1, -(1 << 24) + 1, 7]),
        np.array([(1 << 24) - 1, (1 << 24) - 1, 7]),
        skip=1,
    )
    net = ExactNet([first, last], -SHORT - 1, SHORT)
    assert net._pairs is not None
    assert net._pairs.cut
    x = np.stack([np.full(3, np.clip(value, -SHORT - 1, SHORT)), ones, zeros, -ones])
    np.testing.assert_array_equal(net(x), without(net)(x))


@pytest.mark.parametrize("value", [-SHORT - 1, SHORT])
def test_the_largest_integers(value: int) -> None:
    zeros = np.zeros(3, int)
    weight = np.array([[1, 0], [0, SHORT], [-SHORT, 1]])
    layer = Layer(weight, zeros, np.array([0, 15, 40]), zeros - SHORT - 1, zeros + SHORT)
    net = ExactNet([layer], -SHORT - 1, SHORT)
    assert net._pairs is not None
    x = np.full((1, 2), value)
    np.testing.assert_array_equal(net(x), [[value, SHORT * value >> 15, -1 if value > 0 else 0]])


def test_what_is_too_large_goes_another_way() -> None:
    rng = np.random.default_rng(0)
    fitting = make_layer(rng, 8, 8)
    wide = {
        "weights": [make_layer(rng, 8, 8, largest=1 << 16)],
        "sums": [make_layer(rng, 80, 80, high=SHORT), make_layer(rng, 80, 8, largest=SHORT)],
        "shifts of less than the lower bits": [make_layer(rng, 8, 8, high=1 << 20), make_layer(rng, 8, 8)],
        "a convolution": [
            Layer(rng.integers(-9, 9, (8, 3, 3, 8)), *(getattr(fitting, n) for n in ("bias", "shift", "low", "high")))
        ],
    }
    assert ExactNet([fitting], -512, 511)._pairs is not None
    assert ExactNet([fitting], -512, 1 << 15)._pairs is None
    assert [name for name, layers in wide.items() if ExactNet(layers, -512, 511)._pairs is not None] == []


def test_another_result_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    net = ExactNet([make_layer(np.random.default_rng(1), 30, 40)], -512, 511)
    tensors, right = net.tensors("net"), pairs.evaluate
    ExactNet.from_tensors(without(net).tensors("net"), "net")

    def sloppy(*arguments: np.ndarray) -> None:
        right(*arguments)
        arguments[-1][-1, -1] += 1

    monkeypatch.setattr(pairs, "evaluate", sloppy)
    with pytest.raises(ModelError, match="probe"):
        ExactNet.from_tensors(tensors, "net")
