"""Stacks of small images: round trips, what is refused, the order of pixels, models that are none."""

from __future__ import annotations

import gzip
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from codecs_ar import codecs_register_models
from codecs_ar.stack.codec import StackCodec
from codecs_ar.stack.fitted import Fitted
from codecs_ar.stack.model import Stack
from codecs_ar.stack.packing import Packer, Unpacker
from codecs_ar.stack.testing import fitted_model, random_model
from codecs_ar.stack.view import Order
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

import codecs_core as cc
from codecs_core.arrays import ArraySpec
from codecs_core.entropy import Message
from codecs_core.errors import CodecsError, ModelError, UnsupportedArrayError
from codecs_core.models import Model

GREY, COLOUR, BINARY = random_model((7, 6, 1)), random_model((5, 9, 3)), random_model((6, 6, 1), symbols=2)
REFERRED = random_model((5, 9, 3), referred=True)
FITTED, FITTED_GREY = fitted_model(), fitted_model((6, 5, 1))


def pixels(*shape: int, symbols: int = 256, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, symbols, shape, dtype=np.uint8)


def stack_of(model: Model) -> Stack | Fitted:
    return (Fitted if "decays" in model.config else Stack)(model.config, model.tensors())


@pytest.mark.parametrize("model", [GREY, COLOUR, BINARY, REFERRED, FITTED, FITTED_GREY])
@pytest.mark.parametrize("count", [0, 1, 3, 64])
def test_round_trip(model: Model, count: int) -> None:
    stack = stack_of(model)
    x = pixels(count, *stack.shape, symbols=stack.symbols)
    message = Message()
    stack.push(message, x)
    received = Message.from_bytes(message.to_bytes())
    np.testing.assert_array_equal(stack.pop(received, count), x)
    received.verify_end()


@pytest.mark.parametrize(
    ("model", "shape"),
    [(REFERRED, (4, 5, 9, 3)), (BINARY, (4, 6, 6)), (FITTED_GREY, (4, 6, 5)), (FITTED, (4, *FITTED.config["shape"]))],
)
def test_samples(model: Model, shape: tuple[int, ...]) -> None:
    codec = StackCodec(model=model)
    found = codec.sample(4, seed=3)
    assert found.shape == shape
    np.testing.assert_array_equal(found, codec.sample(4, seed=3))
    assert (found != codec.sample(4, seed=4)).any()
    np.testing.assert_array_equal(codec.decode(codec.encode(found), ArraySpec.of(found)), found)


@pytest.mark.parametrize("model", [GREY, FITTED])
def test_images_do_not_see_each_other(model: Model) -> None:
    """What an image costs does not depend on the others: messages of stacks add up, but for their ends."""
    stack = stack_of(model)
    x = pixels(4, *stack.shape)
    bits = []
    for part in (x, x[:1], x[1:]):
        message = Message()
        stack.push(message, part)
        bits.append(message.bits)
    assert bits[0] == pytest.approx(bits[1] + bits[2], abs=0.05)


@pytest.mark.parametrize("model", [GREY, COLOUR, BINARY, REFERRED, FITTED])
def test_information(model: Model) -> None:
    """What single values cost adds up to the message."""
    stack = stack_of(model)
    x = pixels(3, *stack.shape, symbols=stack.symbols)
    message = Message()
    stack.push(message, x)
    assert StackCodec(model=model).information(x).sum() == pytest.approx(message.bits, abs=0.05)


def test_shapes_and_types(tmp_path: Path) -> None:
    """With or without an axis of one channel; bool for two values; through a file."""
    arrays = {"a": pixels(5, 7, 6), "b": pixels(2, 7, 6, 1), "none": pixels(0, 7, 6)}
    cc.save(tmp_path / "a.ccf", arrays, codec=StackCodec(model=GREY), embed_model=True)
    loaded = cc.load(tmp_path / "a.ccf")
    for name, x in arrays.items():
        np.testing.assert_array_equal(loaded[name], x)
    bits = pixels(9, 6, 6, symbols=2).astype(bool)
    codec = StackCodec(model=BINARY)
    decoded = codec.decode(codec.encode(bits), ArraySpec.of(bits))
    assert decoded.dtype == bool
    np.testing.assert_array_equal(decoded, bits)


@pytest.mark.parametrize(
    ("model", "x", "match"),
    [
        (GREY, pixels(3, 7, 7), r"'random' takes stacks of images of 7x6, not an array of shape \(3, 7, 7\)"),
        (COLOUR, pixels(3, 9, 5, 3), r"images of 5x9x3, not an array of shape \(3, 9, 5, 3\)"),
        (GREY, pixels(7, 6, 1, symbols=2), "not an array"),
        (GREY, np.zeros((3, 7, 6), bool), "not bool"),
        (GREY, np.zeros((3, 7, 6), np.int16), "int16"),
        (BINARY, np.full((3, 6, 6), 2, np.uint8), "values from 0 to 1; image 0 of a chunk holds 2"),
    ],
)
def test_arrays_that_are_refused(model: Model, x: NDArray[Any], match: str) -> None:
    with pytest.raises(UnsupportedArrayError, match=match):
        StackCodec(model=model).encode(x)


def reduced(path: str) -> NDArray[np.uint8]:
    """A photograph in squares of 32 x 32, four times as small."""
    photo = np.asarray(Image.open(path).convert("RGB"))
    height, width = (n // 128 * 32 for n in photo.shape[:2])
    small = photo[: 4 * height, : 4 * width].reshape(height, 4, width, 4, 3).mean((1, 3)).round().astype(np.uint8)
    squares = small.reshape(height // 32, 32, width // 32, 32, 3).swapaxes(1, 2)
    return np.ascontiguousarray(squares.reshape(-1, 32, 32, 3))


@pytest.mark.parametrize("spec", [m for m in codecs_register_models() if m.codec == "ar.stack"], ids=lambda m: m.name)
def test_models_that_ship(spec: Any) -> None:
    """They load, code such images in fewer bits than any codec of images does, and say how they came to be."""
    if spec.name == "cifar10":
        x, most = reduced("samples/photos/parrots.png")[:20], 4.2
    elif spec.name == "mnist-binary":
        x, most = np.load("samples/mnist-binary.npz")["mnist-binary"][:60], 0.17
    else:
        with gzip.open("samples/mnist.idx.gz") as file:
            x, most = np.frombuffer(file.read()[16:], np.uint8).reshape(1000, 28, 28)[:60], 1.15
    codec = cc.get_codec("ar.stack", model=spec.name)
    assert codec.model is not None
    assert codec.model.attrs["command"]
    payload = codec.encode(x)
    np.testing.assert_array_equal(codec.decode(payload, ArraySpec.of(x)), x)
    assert 8 * len(payload) / x.size < most
    alone = sum(len(codec.encode(x[i : i + 1])) for i in range(20)) / 20
    assert alone < 1.02 * len(codec.encode(x[:20])) / 20 + 6


def test_fronts() -> None:
    """A pixel sees earlier fronts alone, and there are no more fronts than that takes."""
    taps = np.array([(0, -1, 0), (-1, 2, 0), (-2, 5, 0)], np.int8)
    order = Order.of((4, 5, 1), taps)
    assert order.slope == 3
    seen = np.zeros((4, 5), bool)
    for rows, columns in order.fronts:
        for row, column in zip(rows, columns, strict=True):
            for down, right, _ in taps:
                if row + down >= 0 and 0 <= column + right < 5:
                    assert seen[row + down, column + right]
        seen[rows, columns] = True
    assert seen.all()
    assert len(order.fronts) == 5 + 3 * 3


@given(st.lists(st.integers(-(1 << 52), 1 << 52)), st.integers(0, 6))
@settings(max_examples=50, deadline=None)
def test_numbers_are_packed(numbers: list[int], zeros: int) -> None:
    x = np.array([0] * zeros + numbers, np.int64)
    packer = Packer()
    packer.numbers(x)
    unpacker = Unpacker(packer.packed())
    np.testing.assert_array_equal(unpacker.numbers(len(x)), x)
    unpacker.end()


@pytest.mark.parametrize("bits", [2, 4, 8, 14])
def test_matrices_are_packed(bits: int) -> None:
    """In about as many bits as their entropy says, where columns differ in scale."""
    rng = np.random.default_rng(bits)
    scale = np.ldexp(0.3, bits - 1) * 2.0 ** -rng.integers(0, 4, 60)
    weight = np.rint(rng.normal(0, 1, (80, 60)) * scale).clip(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1).astype(int)
    packer = Packer()
    packer.matrix(weight)
    packed = packer.packed()
    np.testing.assert_array_equal(Unpacker(packed).matrix(80, 60), weight)
    ideal = np.maximum(np.log2(scale * np.sqrt(2 * np.pi * np.e)), 0).mean()
    assert 8 * len(packed) / weight.size < ideal + 0.9


def remade(config: dict[str, Any] | None = None, **tensors: NDArray[Any]) -> Model:
    return Model.create(codec="ar.stack", config=GREY.config | (config or {}), tensors=GREY.tensors() | tensors)


@pytest.mark.parametrize(
    "config",
    [
        {"shape": [7, 6]},
        {"shape": [7, 6, 5]},
        {"shape": [7, 0, 1]},
        {"shape": [7, 129, 1]},
        {"shape": [8, 6, 1]},
        {"symbols": 257},
        {"symbols": 1},
        {"symbols": 200},
        {"symbols": True},
        {"components": -1},
        {"components": 3},
        {"components": 0},
        {"atoms": [256]},
        {"atoms": 0},
        {"atoms": [], "components": 0},
        {"tallies": [1, 2]},
        {"tallies": None},
    ],
)
def test_configs_that_are_refused(config: dict[str, Any]) -> None:
    model = remade(config)
    with pytest.raises(ModelError):
        Stack(model.config, model.tensors())


def test_tensors_that_are_refused() -> None:
    packed, probes = GREY.tensors()["packed"], GREY.tensors()["probes"]
    for tensors in (
        {"packed": packed[:-9]},
        {"packed": packed[:0]},
        {"packed": packed.astype(np.int16)},
        {"probes": probes[:0]},
        {"probes": probes + np.uint8(1)},
    ):
        model = remade(**tensors)
        with pytest.raises(ModelError):
            Stack(model.config, model.tensors())


@pytest.mark.parametrize(
    "config",
    [
        {"shape": [5, 6, 2]},
        {"shape": [5, 6]},
        {"order": [1, 1, 0]},
        {"components": 0},
        {"components": 3},
        {"decays": [184]},
        {"decays": [184, 256]},
        {"periods": [0, 1]},
    ],
)
def test_configs_with_predictors_that_are_refused(config: dict[str, Any]) -> None:
    with pytest.raises(ModelError):
        Fitted(FITTED.config | config, FITTED.tensors())


def test_tensors_with_predictors_that_are_refused() -> None:
    tensors = FITTED.tensors()
    for other in (
        {"packed": tensors["packed"][:-9]},
        {"packed": GREY.tensors()["packed"]},
        {"probes": tensors["probes"] + np.uint8(1)},
        {"plane1.prior": tensors["plane1.prior"][:-1]},
        {"plane1.prior": np.full_like(tensors["plane1.prior"], np.nan)},
    ):
        with pytest.raises(ModelError):
            Fitted(FITTED.config, {**tensors, **other})


def test_models_with_too_many_weights_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few bytes can say many weights."""
    monkeypatch.setattr("codecs_ar.stack.tensors.WEIGHTS", 100)
    with pytest.raises(ModelError, match="more than 100 weights"):
        Stack(GREY.config, GREY.tensors())


def test_chunks_of_tiny_images() -> None:
    """What margins take counts: a chunk of images of one pixel does not take gigabytes."""
    model = random_model((1, 1, 1))
    chunk = StackCodec(model=model).default_chunk(ArraySpec((1 << 30, 1, 1), "uint8"))
    assert chunk * math.prod(Stack(model.config, model.tensors()).canvas.whole) <= 1 << 25


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_damaged_models(data: st.DataObject) -> None:
    """Whatever the packed integers are, it is a `ModelError` or a model that codes."""
    packed = GREY.tensors()["packed"].copy()
    packed[data.draw(st.integers(0, len(packed) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        stack = Stack(GREY.config, {**GREY.tensors(), "packed": packed})
    except ModelError:
        return
    x, message = pixels(2, *stack.shape), Message()
    stack.push(message, x)
    np.testing.assert_array_equal(stack.pop(message, 2), x)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_damaged_payloads(data: st.DataObject) -> None:
    """Whatever comes, it is an error of the tree or an array of the spec."""
    x = np.zeros((2, 7, 6), np.uint8)
    codec = StackCodec(model=GREY)
    payload = bytearray(codec.encode(x))
    for _ in range(data.draw(st.integers(1, 4))):
        payload[data.draw(st.integers(0, len(payload) - 1))] = data.draw(st.integers(0, 255))
    payload = payload[: data.draw(st.integers(0, len(payload)))]
    try:
        y = codec.decode(bytes(payload), ArraySpec.of(x))
    except CodecsError:
        return
    assert y.shape == x.shape
