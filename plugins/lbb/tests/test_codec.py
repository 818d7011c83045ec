"""The codec: shapes it takes, what it refuses, damaged payloads, training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from codecs_lbb.codec import FlowCodec
from codecs_lbb.model import FlowModel
from codecs_lbb.testing import random_model
from codecs_lbb.train import train
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import codecs_core as cc
from codecs_core.arrays import ArraySpec
from codecs_core.entropy import Message
from codecs_core.errors import CodecsError, ConfigError, ModelError, UnsupportedArrayError
from codecs_core.models import Model
from codecs_core.testing import unstored

CODECS = {c: FlowCodec(model=random_model(c)) for c in (1, 3)}


def pixels(*shape: int) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


@pytest.mark.parametrize("channels", [1, 3])
def test_information_says_where_the_bits_of_a_payload_are(channels: int) -> None:
    """By the densities, which with random weights are off by a little."""
    codec, x = CODECS[channels], pixels(9, 8, 12, channels)
    bits = codec.information(x)
    assert bits.shape == x.shape
    message = Message()
    empty = message.bits
    codec._flow.codec(*x.shape[:3]).push(message, codec._arranged(x))
    assert bits.sum() == pytest.approx(message.bits - empty, rel=0.05)
    assert codec.information(x[:0]).shape == x[:0].shape


def test_samples_are_what_random_bits_decode_to() -> None:
    codec = CODECS[3]
    found = codec.sample(5, (8, 4), seed=1)
    assert (found.shape, found.dtype) == ((5, 8, 4, 3), np.uint8)
    assert np.array_equal(found, codec.sample(5, (8, 4), seed=1))
    assert not np.array_equal(found, codec.sample(5, (8, 4), seed=2))
    with pytest.raises(UnsupportedArrayError, match="multiples of"):
        codec.sample(5, (7, 4))


@pytest.mark.parametrize("shape", [(1, 4, 8, 3), (9, 8, 4, 3), (0, 8, 8, 3), (2, 0, 4, 3), (6, 4, 4, 1), (5, 8, 4)])
def test_round_trip(shape: tuple[int, ...]) -> None:
    codec, x = unstored(CODECS[3 if shape[-1] == 3 else 1]), pixels(*shape)
    y = codec.decode(codec.encode(x), ArraySpec.of(x))
    assert y.dtype == x.dtype
    assert np.array_equal(y, x)


@pytest.mark.parametrize("shape", [(8, 8), (8, 8, 3), (2, 8, 8, 1), (2, 8, 6, 3), (2, 7, 8, 3), (1, 2, 8, 8, 3), ()])
def test_shapes_that_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(UnsupportedArrayError):
        CODECS[3].encode(np.zeros(shape, np.uint8))


def test_learned_noise_is_of_images_of_even_sides() -> None:
    model = random_model(1)
    tensors = {name: tensor for name, tensor in model.tensors().items() if name.startswith("noise.")}
    made = Model.create(codec="lbb.flow", config=model.config | {"layers": []}, tensors=tensors)
    codec = unstored(FlowCodec(model=made))
    for shape in (2, 5, 4), (2, 4, 5):
        with pytest.raises(UnsupportedArrayError, match="multiples of 2"):
            codec.check(ArraySpec.of(pixels(*shape)))
    x = pixels(2, 6, 4)
    assert np.array_equal(codec.decode(codec.encode(x), ArraySpec.of(x)), x)


def test_no_model() -> None:
    with pytest.raises(ConfigError, match="needs a model"):
        FlowCodec.from_config({})


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_damaged_payloads(data: st.DataObject) -> None:
    x = pixels(3, 4, 8, 3)
    codec = unstored(CODECS[3])
    payload = bytearray(codec.encode(x))
    payload[data.draw(st.integers(0, len(payload) - 1))] ^= data.draw(st.integers(1, 255))
    payload = payload[: data.draw(st.integers(0, len(payload)))]
    try:
        assert codec.decode(bytes(payload), ArraySpec.of(x)).shape == x.shape
    except CodecsError:
        return


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"channels": 0}, "channels"),
        ({"centre": 256}, "centre"),
        ({"components": "2"}, "components"),
        ({"grid": [21]}, "grid"),
        ({"grid": [16, 3]}, r"grid \[16, 3\]; expected 17 to 32 bits"),
        ({"grid": [21, 20]}, "noise of 2 less"),
        ({"learned": 1}, "learned"),
        ({"layers": {}}, "list"),
        ({"layers": [["rotate"]]}, "kind"),
        ({"layers": [[]]}, "kind"),
        ({"layers": [["additive", [0, 9]]]}, "last channel"),
        ({"layers": [["additive", 2]]}, "parity"),
        ({"layers": [["mixture", 0]]}, "first and the last"),
        ({"layers": [["factor"]]}, "kept"),
        ({"layers": [["squeeze"], ["convolution"]]}, "must have a tensor 'layer1.order'"),
        ({"layers": [["squeeze"], *[["logit"]] * 2, ["squeeze"], ["actnorm"]]}, "must have a tensor 'layer4.shift'"),
        ({"channels": 1, "layers": [["convolution"]]}, "layer0.order of shape"),
        ({"layers": [["squeeze"]] * 6}, "expected up to 1024"),
        ({"layers": [["squeeze", 7]]}, r"\[7\] after layer0, squeeze; expected nothing"),
        ({"layers": [["factor", 0], ["actnorm"]]}, "no channels for layer 1"),
    ],
)
def test_models_that_do_not_fit(change: dict[str, Any], match: str) -> None:
    model = random_model(3)
    with pytest.raises(ModelError, match=match):
        FlowModel(model.config | change, model.tensors())


@pytest.mark.parametrize(
    ("name", "tensor", "match"),
    [
        ("layer0.order", np.int32(0), r"order .* shape \(\)"),
        ("layer0.order", np.arange(3.0), "one of float64"),
        ("layer0.order", np.arange(1, 4), "permutation of the integers"),
        ("layer3.shift", np.int32(0), r"shift .* shape \(\)"),
        ("layer3.log_scale", np.full(12, -(2**63)), "from -9223372036854775808"),
        ("layer3.log_scale", np.full(12, (1 << 19) + 1), "up to 524288"),
        ("layer0.lower", np.zeros(3, np.int32), r"lower of shape \(3,\)"),
        ("layer1.network.0.weight", np.int8(0), "shape"),
        ("layer6.head.range", np.int32(0), "head"),
    ],
)
def test_tensors_that_do_not_fit(name: str, tensor: Any, match: str) -> None:
    model = random_model(3)
    FlowModel(model.config, model.tensors())
    with pytest.raises(ModelError, match=match):
        FlowModel(model.config, model.tensors() | {name: np.asarray(tensor)})


def test_training_and_a_file(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    x = (pixels(40, 8, 8) // 8 + 100).astype(np.uint8)
    sizes: dict[str, Any] = {
        "couplings": [1],
        "width": 4,
        "blocks": 1,
        "coupling_width": 4,
        "components": 1,
        "batch": 4,
    }
    model = train(x, budget=60.0, steps=5, **sizes)
    cc.save(tmp_path / "a.ccf", x, codec=FlowCodec(model=model), embed_model=True)
    assert np.array_equal(cc.load(tmp_path / "a.ccf"), x)
    with pytest.raises(ConfigError, match=r"has no setting 'colour'"):
        train(x, budget=1.0, colour="red")
    with pytest.raises(ConfigError, match="halved"):
        train(x[:, :7], budget=1.0, **sizes)
    with pytest.raises(ConfigError, match="stacks of uint8"):
        train(x[0], budget=1.0, **sizes)
