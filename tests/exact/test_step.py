"""What BLAS is given, and that a BLAS which takes rows that lie apart for neighbours does no harm."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from codecs_core.errors import ModelError
from codecs_core.exact import ExactNet, Layer, pairs, probe, step
from codecs_core.exact.step import Step

#: Rows, terms of the first part, outputs, distance of the rows: what OpenBLAS's kernels for SME multiply wrongly (its issue 5794).
FAILING = [(256, 128, 128, 256), (8, 7, 7, 8)]
matmul = np.matmul


@pytest.fixture(autouse=True)
def by_blas(monkeypatch: pytest.MonkeyPatch) -> None:
    """No network goes another way."""
    monkeypatch.setattr(pairs, "supported", lambda: False)


def matmul_for_sme(a: NDArray[Any], b: NDArray[Any], out: NDArray[Any]) -> NDArray[Any]:
    """As OpenBLAS 0.3.31 multiplies on processors with SME, and with the warnings that its garbage may bring."""
    for factor, product in zip(*(array.reshape(-1, *array.shape[-2:]) for array in (a, out)), strict=True):
        (m, k), n = factor.shape, b.shape[1]
        distance = {
            name: array.strides[0] // array.itemsize for name, array in (("a", factor), ("b", b), ("c", product))
        }
        if (m, n, k) == (distance["a"], distance["b"], distance["c"]):
            factor = as_strided(factor, strides=(k * factor.itemsize, factor.itemsize))
        matmul(factor, b, out=product)
    np.divide(1.0, np.zeros(1))
    return out


def make_step(terms: int, part: int, outputs: int) -> Step:
    """A layer without bias, shift and limits, summed in two parts, `part` terms in the first."""
    weight = np.random.default_rng(0).integers(-99, 100, (terms, outputs)).astype(np.float32)
    ones, limit = np.ones(outputs), np.full(outputs, 2.0**30)
    parts = [weight[:part].copy(), weight[part:].copy()]
    return Step(parts, (1, 1), 0 * ones, ones, -limit, limit, source=0, skip=-1, target=-1)


def make_layer(rng: np.random.Generator, *shape: int, largest: int) -> Layer:
    n = shape[0]
    return Layer(
        weight=rng.integers(-largest, largest + 1, shape),
        bias=rng.integers(-900, 900, n),
        shift=np.full(n, 9),
        low=np.zeros(n, int),
        high=np.full(n, 2047),
    )


def make_nets() -> dict[str, ExactNet]:
    """Of one layer each: summed at once and in parts, in binary32 and in binary64."""
    rng = np.random.default_rng(1)
    return {
        "dense": ExactNet([make_layer(rng, 20, 30, largest=9)], 0, 2047),
        "dense in parts": ExactNet([make_layer(rng, 128, 256, largest=150)], 0, 2047),
        "dense binary64": ExactNet([make_layer(rng, 20, 30, largest=1 << 20)], 0, 2047),
        "convolution": ExactNet([make_layer(rng, 8, 3, 3, 8, largest=9)], 0, 2047),
        "convolution in parts": ExactNet([make_layer(rng, 24, 3, 3, 40, largest=200)], 0, 2047),
        "convolution binary64": ExactNet([make_layer(rng, 5, 3, 5, 3, largest=1 << 20)], 0, 2047),
    }


def sums(net: ExactNet, x: NDArray[Any]) -> NDArray[np.int64]:
    """The one layer in integers."""
    weight = net.layers[0].weight
    if weight.ndim == 2:
        return x.astype(np.int64) @ weight.T
    down, across = weight.shape[1:3]
    padded = np.pad(x.astype(np.int64), ((0, 0), (down // 2, down // 2), (across // 2, across // 2), (0, 0)))
    height, width = x.shape[1:3]
    taps = [(i, j) for i in range(down) for j in range(across)]
    return sum(padded[:, i : i + height, j : j + width] @ weight[:, i, j].T for i, j in taps)


def check_net(net: ExactNet) -> None:
    layer, rng = net.layers[0], np.random.default_rng(2)
    for shape in ((256,), (40,), (1,)) if not net.spatial else ((3, 9, 7), (1, 16, 16), (40, 2, 2)):
        x = rng.integers(0, 2048, (*shape, net.inputs))
        expected = np.clip(sums(net, x) + layer.bias >> layer.shift, layer.low, layer.high)
        np.testing.assert_array_equal(net(x), expected)


def test_the_nets_are_of_the_kinds_they_are_called() -> None:
    nets = make_nets()
    parts = {name: len(net._plan.steps[0].weight) for name, net in nets.items()}
    assert all((parts[name] > 1) == ("in parts" in name) for name in nets)
    assert [name for name, net in nets.items() if net.dtypes == ["float64"] and parts[name] == 1] == [
        "dense binary64",
        "convolution binary64",
    ]


@pytest.mark.parametrize(("rows", "part", "outputs", "terms"), FAILING)
@pytest.mark.parametrize("kernels", ["here", "for SME"])
def test_products_that_sme_kernels_get_wrong(
    monkeypatch: pytest.MonkeyPatch, rows: int, part: int, outputs: int, terms: int, kernels: str
) -> None:
    if kernels == "for SME":
        monkeypatch.setattr(np, "matmul", matmul_for_sme)
    layer = make_step(terms, part, outputs)
    x = np.random.default_rng(1).integers(-999, 1000, (rows, terms)).astype(np.float32)
    products = np.empty((2, rows, outputs), np.float32)
    with np.errstate(all="ignore"):
        layer.multiply(x, (1, rows), 0, np.empty(0, np.uint8), products)
    expected = [
        x[:, cut].astype(np.int64) @ weight.astype(np.int64)
        for cut, weight in zip((slice(part), slice(part, None)), layer.weight, strict=True)
    ]
    np.testing.assert_array_equal(products, expected)


@pytest.mark.parametrize(("rows", "part", "outputs", "terms"), FAILING)
def test_the_stand_in_for_sme_gets_rows_that_lie_apart_wrong(rows: int, part: int, outputs: int, terms: int) -> None:
    """Else the tests with it would show nothing."""
    x = np.random.default_rng(1).integers(-999, 1000, (rows, terms)).astype(np.float32)[:, :part]
    weight, out = make_step(terms, part, outputs).weight[0], np.empty((rows, outputs), np.float32)
    expected = x.astype(np.int64) @ weight.astype(np.int64)  # real kernels for SME are wrong here, too
    with np.errstate(all="ignore"):
        assert not np.array_equal(matmul_for_sme(x, weight, out), expected)
        assert np.array_equal(matmul_for_sme(np.ascontiguousarray(x), weight, out), expected)


@pytest.mark.parametrize("name", make_nets())
def test_networks_are_right_with_such_kernels(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """And without a warning, which would end a test."""
    monkeypatch.setattr(np, "matmul", matmul_for_sme)
    check_net(make_nets()[name])


@pytest.mark.parametrize("name", make_nets())
def test_blas_is_given_what_is_contiguous(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    given: list[bool] = []

    def recorded(*factors: NDArray[Any], out: NDArray[Any]) -> NDArray[Any]:
        given.extend(array.flags.c_contiguous for array in (*factors, out))
        return matmul(*factors, out=out)

    monkeypatch.setattr(np, "matmul", recorded)
    check_net(make_nets()[name])
    assert given
    assert all(given)


@pytest.mark.parametrize("name", make_nets())
def test_the_probe_tries_as_many_rows_as_terms(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(step, "small_terms", lambda: 0)  # products of 256 rows
    net = make_nets()[name]
    tensors, right = net.tensors("net"), step._multiply
    ExactNet.from_tensors(tensors, "net")

    def sloppy(factor: NDArray[Any], weight: NDArray[Any], product: NDArray[Any], rows: int) -> None:
        right(factor, weight, product, rows)
        if len(factor) == len(weight):
            product[-1, -1] += 1

    monkeypatch.setattr(step, "_multiply", sloppy)
    with pytest.raises(ModelError, match="rows of"):
        ExactNet.from_tensors(tensors, "net")


def test_the_probe_finds_a_part_taken_from_between_its_neighbours(monkeypatch: pytest.MonkeyPatch) -> None:
    """What went unnoticed once: the digest of this network never asks for as many rows as it has terms."""
    monkeypatch.setattr(step, "small_terms", lambda: 0)
    net = make_nets()["dense in parts"]
    tensors = net.tensors("net")
    monkeypatch.setattr(np, "matmul", matmul_for_sme)
    monkeypatch.setattr(np, "ascontiguousarray", np.asarray)
    with np.errstate(all="ignore"), pytest.raises(ModelError, match="256 rows of 256 terms"):
        probe.check(net, tensors["net.probe"], "net")
