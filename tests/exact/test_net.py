"""An exact network computes what integers compute."""

from __future__ import annotations

import dataclasses
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from codecs_core.errors import ModelError
from codecs_core.exact import ExactNet, Layer
from codecs_core.exact.layer import FIELDS

seeds = st.integers(0, 2**32 - 1)


def make_layer(rng: np.random.Generator, inputs: int, outputs: int, **fields: Any) -> Layer:
    bottom, top = np.sort(rng.integers(-3000, 3000, (2, outputs)), axis=0)
    layer = Layer(
        weight=rng.integers(-127, 128, (outputs, inputs)).astype(np.int8),
        bias=rng.integers(-(1 << 15), 1 << 15, outputs),
        shift=rng.integers(5, 12, outputs).astype(np.int8),
        low=bottom.astype(np.int32),
        high=top.astype(np.int32),
    )
    return dataclasses.replace(layer, **fields)


def make_net(rng: np.random.Generator, widths: list[int], low: int = -300, high: int = 400) -> ExactNet:
    return ExactNet([make_layer(rng, a, b) for a, b in pairwise(widths)], low, high)


def reference(net: ExactNet, x: NDArray[Any]) -> NDArray[np.int64]:
    """The specification, in integers of 64 bits."""
    y = x.astype(np.int64)
    for layer in net.layers:
        weight, bias, shift, low, high = (np.asarray(getattr(layer, name), np.int64) for name in FIELDS)
        y = np.clip((y @ weight.T + bias) >> shift, low, high)
    return y


def check_reference(net: ExactNet, x: NDArray[Any]) -> None:
    """The network's output is the reference's, for the batch and for each item alone."""
    expected = reference(net, x)
    out = net(x)
    assert out.dtype == np.int32
    np.testing.assert_array_equal(out, expected)
    for i in range(min(3, len(x))):
        np.testing.assert_array_equal(net(x[i : i + 1])[0], expected[i])


@given(seed=seeds, widths=st.lists(st.integers(1, 40), min_size=2, max_size=5), batch=st.integers(0, 70))
@settings(deadline=None)
def test_integers_say_the_same(seed: int, widths: list[int], batch: int) -> None:
    rng = np.random.default_rng(seed)
    check_reference(make_net(rng, widths), rng.integers(-300, 401, (batch, widths[0])))


@given(seed=seeds, inputs=st.integers(1, 3000), wide=st.booleans())
@settings(deadline=None, max_examples=60)
def test_at_the_edge_of_the_bound(seed: int, inputs: int, wide: bool) -> None:
    """Partial sums reach the last integer the type is good for, and every bit of the sum is right."""
    rng = np.random.default_rng(seed)
    limit = (1 << 53 if wide else 1 << 24) - 1
    high = int(rng.integers(1, 1000))
    share = limit // (inputs * high)
    if share == 0:
        return
    weight = rng.choice([-1, 1], (4, inputs)) * share
    weight[0], weight[1] = share, -share
    bias = np.array([1, -1, 1, -1]) * (limit - share * inputs * high)
    layer = Layer(
        weight=weight,
        bias=bias,
        shift=np.full(4, 30 if wide else 0, np.int8),
        low=np.full(4, -(1 << 24) + 1),
        high=np.full(4, (1 << 24) - 1),
    )
    net = ExactNet([layer], 0, high)
    if wide:
        assert net.dtypes == ["float64"] or share * inputs * high + abs(bias[0]) < 1 << 24
    else:
        assert net.dtypes == ["float32"]
    x = rng.integers(0, high + 1, (5, inputs))
    x[0], x[1] = high, np.where(weight[2] > 0, high, 0)
    check_reference(net, x)


def one_row(weight: list[int], bias: int = 0) -> Layer:
    return Layer(
        weight=np.array([weight]), bias=np.array([bias]), shift=np.zeros(1, int), low=np.array([-9]), high=np.array([9])
    )


@pytest.mark.parametrize(
    ("weight", "bias", "low", "high", "bound"),
    [
        ([2, -3], 5, -4, 7, 5 + 2 * 4 + 3 * 7),
        ([3, -2], -5, -4, 7, 5 + 3 * 7 + 2 * 4),
        ([2, -3], 0, 0, 7, 21),
        ([2, 3], 0, 5, 7, 35),
        ([2, 3], 0, -7, -5, 35),
        ([0, 0], -8, -7, 5, 8),
    ],
)
def test_bound(weight: list[int], bias: int, low: int, high: int, bound: int) -> None:
    assert one_row(weight, bias).reach(np.array([low] * 2), np.array([high] * 2)).tolist() == [bound]


@given(seed=seeds)
@settings(deadline=None)
def test_bound_holds_for_any_order_of_summation(seed: int) -> None:
    rng = np.random.default_rng(seed)
    low, high = np.sort(rng.integers(-50, 50, (2, 6)), axis=0)
    layer = make_layer(rng, 6, 1)
    (bound,) = layer.reach(low, high)
    x = rng.integers(low, high + 1, (50, 6))
    terms = np.concatenate([layer.weight * x, np.full((50, 1), layer.bias[0])], 1)
    partial = np.cumsum(rng.permuted(terms, axis=1), 1)
    assert np.abs(partial).max() <= bound


def test_beyond_float32_is_float64_and_beyond_that_refused() -> None:
    for bits, expected in [(24, "float32"), (25, "float64"), (53, "float64")]:
        net = ExactNet([one_row([(1 << bits) - 1])], 0, 1)
        assert net.dtypes == [expected]
        assert net(np.array([[1]])).item() == 9
    for layer in (one_row([1 << 52, 1 << 52]), one_row([(1 << 53) - 1], 1), one_row([(1 << 53) - 1] * 300)):
        with pytest.raises(ModelError, match="2\\^53"):
            ExactNet([layer], 0, 1)


def test_a_hostile_weight_cannot_wrap_the_bound() -> None:
    for weight, high in (([1 << 62], 4), ([-(1 << 63)], 1), ([(1 << 52) + 1] * 4096, 1 << 23)):
        with pytest.raises(ModelError):
            ExactNet([one_row(weight)], 0, high)


@pytest.mark.parametrize("batch", [1, 2, 3, 7, 64, 65])
def test_an_item_does_not_depend_on_its_batch(batch: int) -> None:
    rng = np.random.default_rng(3)
    net = make_net(rng, [784, 200, 200, 300])
    x = rng.integers(-300, 401, (130, 784))
    whole = net(x)
    np.testing.assert_array_equal(whole, reference(net, x))
    parts = [net(x[i : i + batch]) for i in range(0, 130, batch)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    strided = np.asfortranarray(x)[::-1]
    np.testing.assert_array_equal(net(strided), whole[::-1])


def test_two_threads_at_once_compute_the_same() -> None:
    from concurrent.futures import ThreadPoolExecutor

    rng = np.random.default_rng(4)
    net = make_net(rng, [300, 200, 100])
    batches = [rng.integers(-300, 401, (int(n), 300)) for n in rng.integers(1, 60, 40)]
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(net, batches))
    for x, y in zip(batches, results, strict=True):
        np.testing.assert_array_equal(y, reference(net, x))


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int8", "uint16", "int64", "uint64"])
def test_any_integer_dtype_is_taken_and_left_alone(dtype: str) -> None:
    net = make_net(np.random.default_rng(0), [5, 4], low=0, high=1)
    x = np.array([[0, 1, 1, 0, 1]], dtype)
    before = x.copy()
    check_reference(net, x)
    np.testing.assert_array_equal(x, before)


@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0), (2, 3), (1, 2, 3, 2)])
def test_leading_axes_are_kept(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(1)
    net = make_net(rng, [5, 6, 4])
    x = rng.integers(-300, 401, (*shape, 5))
    y = net(x)
    assert (y.dtype, y.shape) == (np.int32, (*shape, 4))
    np.testing.assert_array_equal(y.reshape(-1, 4), reference(net, x.reshape(-1, 5)))


@pytest.mark.parametrize(
    "x",
    [
        np.full((2, 5), 401),
        np.full((2, 5), -301),
        np.zeros((2, 4), int),
        np.zeros((5, 2), int),
        np.zeros((), int),
        np.zeros((2, 5)),
        np.full((2, 5), np.nan),
        np.full((2, 5), 2**63, np.uint64),
    ],
)
def test_inputs_out_of_range_are_refused(x: NDArray[Any]) -> None:
    with pytest.raises(ModelError, match="takes"):
        make_net(np.random.default_rng(0), [5, 4])(x)


def test_tensors_round_trip() -> None:
    rng = np.random.default_rng(7)
    net = make_net(rng, [6, 5, 4])
    tensors = net.tensors("a.b") | make_net(rng, [3, 2]).tensors("c")
    again = ExactNet.from_tensors(tensors, "a.b")
    assert (again.inputs, again.outputs, again.low, again.high) == (6, 4, -300, 400)
    x = rng.integers(-300, 401, (9, 6))
    np.testing.assert_array_equal(again(x), net(x))
    assert {k: v.tobytes() for k, v in again.tensors("a.b").items()} == {
        k: v.tobytes() for k, v in net.tensors("a.b").items()
    }


BREAKS: dict[str, Any] = {
    "0.weight": [
        np.zeros((5, 7), np.int8),
        np.zeros((6,), np.int8),
        np.int8(3).reshape(()),
        np.ones((5, 6)),
        np.zeros((0, 6), int),
    ],
    "0.bias": [np.zeros(4, int), np.zeros((5, 1), int), np.zeros(5), np.full(5, -(1 << 63)), np.full(5, 1 << 53)],
    "0.shift": [np.full(5, -1), np.full(5, 53), np.full(5, 2**64 - 1, np.uint64), np.full(5, np.nan)],
    "0.low": [np.full(5, 3000), np.full(5, -(1 << 24)), np.zeros(5, bool), np.full(5, 2**64 - 5, np.uint64)],
    "0.high": [np.full(5, 1 << 24), np.full(5, -3001), np.full(5, np.inf)],
    "1.weight": [np.zeros((4, 6), np.int8), np.int8(3).reshape(()), np.zeros((4, 0), np.int8)],
    "range": [
        np.array([5, 4]),
        np.array([0]),
        np.array([0.0, 1.0]),
        np.array([np.nan, 1]),
        np.array([0, 1 << 24]),
        np.int64(3).reshape(()),
    ],
    "probe": [np.zeros(16, np.uint8), np.zeros(15, np.uint8), np.zeros(16, np.int8), np.zeros(16)],
}


@pytest.mark.parametrize(("name", "index"), [(name, i) for name, values in BREAKS.items() for i in range(len(values))])
def test_malformed_tensors_are_refused(name: str, index: int) -> None:
    tensors = make_net(np.random.default_rng(7), [6, 5, 4]).tensors("net")
    assert f"net.{name}" in tensors
    tensors[f"net.{name}"] = BREAKS[name][index]
    with pytest.raises(ModelError):
        ExactNet.from_tensors(tensors, "net")


def sums_in(net: ExactNet) -> list[str]:
    """The type in which products, bias and skip of each layer are added up."""
    return [step.bias.dtype.name for step in net._plan.steps]


def make_residual() -> ExactNet:
    rng = np.random.default_rng(9)
    kernels = [rng.integers(-127, 128, shape).astype(np.int8) for shape in ((5, 3, 1, 6), (4, 1, 3, 5), (4, 3, 3, 4))]
    first, second, third = (make_layer(rng, 1, len(kernel), weight=kernel) for kernel in kernels)
    return ExactNet([first, second, dataclasses.replace(third, skip=1), make_layer(rng, 4, 6, skip=4)], -300, 400)


def test_tensors_of_convolutions_and_skips_round_trip() -> None:
    rng = np.random.default_rng(9)
    net = make_residual()
    tensors = net.tensors("net")
    assert {k: v.tolist() for k, v in tensors.items() if k.endswith("skip")} == {"net.2.skip": [1], "net.3.skip": [4]}
    again = ExactNet.from_tensors(tensors, "net")
    assert again.spatial
    x = rng.integers(-300, 401, (2, 5, 4, 6))
    np.testing.assert_array_equal(again(x), net(x))
    tensors["net.1.skip"] = np.zeros(1, np.uint8)
    np.testing.assert_array_equal(ExactNet.from_tensors(tensors, "net")(x), net(x))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("3.skip", np.array([3])),
        ("3.skip", np.array([5])),
        ("3.skip", np.array([-1])),
        ("3.skip", np.array([2**64 - 1], np.uint64)),
        ("3.skip", np.array([1.0])),
        ("3.skip", np.array([True])),
        ("3.skip", np.array(1)),
        ("3.skip", np.array([1, 1])),
        ("3.skip", np.zeros(0, int)),
        ("0.skip", np.array([1])),
        ("0.weight", np.zeros((5, 3, 2, 6), int)),
        ("0.weight", np.zeros((5, 2, 1, 6), int)),
        ("0.weight", np.zeros((5, 0, 1, 6), int)),
        ("0.weight", np.zeros((5, 1, 6), int)),
        ("0.weight", np.zeros((5, 1, 1, 1, 6), int)),
        ("1.weight", np.zeros((4, 5, 1, 3), int)),
    ],
)
def test_malformed_convolutions_and_skips_are_refused(name: str, value: NDArray[Any]) -> None:
    with pytest.raises(ModelError, match="layer"):
        ExactNet.from_tensors(make_residual().tensors("net") | {f"net.{name}": value}, "net", probed=False)


@pytest.mark.parametrize("bits", [24, 53])
def test_what_a_skip_adds_counts_in_the_bound(bits: int) -> None:
    first = dataclasses.replace(one_row([1]), low=np.array([-5]), high=np.array([3]))
    below, at = (
        [first, dataclasses.replace(one_row([0], bias), skip=1)] for bias in ((1 << bits) - 6, (1 << bits) - 5)
    )
    assert sums_in(ExactNet(below, -9, 9)) == ["float32", "float32" if bits == 24 else "float64"]
    if bits == 24:
        assert sums_in(ExactNet(at, -9, 9)) == ["float32", "float64"]
    else:
        with pytest.raises(ModelError, match="2\\^53"):
            ExactNet(at, -9, 9)


@pytest.mark.parametrize("wide", [False, True])
def test_a_skip_at_the_edge_of_the_bound(wide: bool) -> None:
    """Sum and skip are as large as they can be together, and the last bit is right."""
    largest, top, shift = (1 << 24) - 1, (1 << 22) - 1, 30 if wide else 0
    bias = ((1 << 53 if wide else 1 << 24) - 1) - 2 * top
    fields = {"shift": np.array([shift]), "low": np.array([-largest]), "high": np.array([largest])}
    net = ExactNet([dataclasses.replace(one_row([1], bias), skip=1, **fields)], -top, top)
    assert sums_in(net) == ["float64" if wide else "float32"]
    for x in (top, top - 1, -top, 1 - top, 0, 1, -1):
        expected = ((x + bias) >> shift) + x
        assert abs(expected) < largest or x == top
        assert net(np.array([x])).item() == expected


def test_missing_tensors_are_refused() -> None:
    tensors = make_net(np.random.default_rng(7), [6, 5, 4]).tensors("net")
    for name in tensors:
        with pytest.raises(ModelError):
            ExactNet.from_tensors({k: v for k, v in tensors.items() if k != name}, "net")
    with pytest.raises(ModelError):
        ExactNet.from_tensors({}, "net")
    with pytest.raises(ModelError):
        ExactNet([], 0, 1)


@given(seed=seeds)
@settings(deadline=None)
def test_damaged_tensors_are_refused_or_exact(seed: int) -> None:
    """Whatever a file holds: an error of the tree, or a network that keeps to the integers."""
    rng = np.random.default_rng(seed)
    tensors = make_net(rng, [6, 5, 4]).tensors("net")
    name = rng.choice(sorted(set(tensors) - {"net.probe"}))
    dtype = rng.choice([np.int8, np.int32, np.int64, np.uint64, np.float32])
    size = tensors[name].size
    tensors[name] = np.frombuffer(rng.bytes(size * dtype().itemsize), dtype).reshape(tensors[name].shape)
    try:
        net = ExactNet.from_tensors(tensors, "net", probed=False)
    except ModelError:
        return
    check_reference(net, rng.integers(net.low, net.high + 1, (4, 6)))
