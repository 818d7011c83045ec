"""Models that ship, and models that are none: what does not fit is refused when it is loaded."""

from __future__ import annotations

import numpy as np
import pytest
from codecs_ar import codecs_register_models
from codecs_ar.codec import ImageCodec
from codecs_ar.model import Autoregression
from codecs_ar.planes import Planes
from codecs_ar.testing import random_model
from numpy.typing import NDArray
from PIL import Image

import codecs_core as cc
from codecs_core.arrays import ArraySpec
from codecs_core.entropy import Message
from codecs_core.errors import ModelError
from codecs_core.models import Model

MODEL = random_model(1, width=3)
MODELS = [m.name for m in codecs_register_models() if m.codec == "ar.image"]


def remade(**tensors: NDArray[np.generic] | None) -> Model:
    """The model with some tensors replaced, or with None left out."""
    merged = {k: v for k, v in (MODEL.tensors() | tensors).items() if v is not None}
    return Model.create(codec=MODEL.codec, config=MODEL.config, tensors=merged)


@pytest.mark.parametrize(
    "config",
    [
        {"channels": 2},
        {"channels": "1"},
        {"components": 3},
        {"components": 0},
        {"decays": [1]},
        {"decays": [1, 256]},
        {"rates": [10]},
        {"rates": [25, 7]},
        {"periods": [0, 4]},
        {"periods": None},
    ],
)
def test_configs_that_are_refused(config: dict[str, object]) -> None:
    with pytest.raises(ModelError):
        Autoregression({**MODEL.config, **config}, MODEL.tensors())


@pytest.mark.parametrize("prior", [0.0, -1.0, 1e11])
def test_priors_that_predict_nothing(prior: float) -> None:
    """Where there is nothing to solve, weights stay as they were."""
    name = "plane0.prior"
    codec = ImageCodec(model=remade(**{name: np.full_like(MODEL.tensors()[name], prior)}))
    x = np.random.default_rng(0).integers(0, 256, (9, 8)).astype(np.uint8)
    np.testing.assert_array_equal(codec.decode(codec.encode(x), ArraySpec.of(x)), x)


def follow(coder: Autoregression, x: NDArray[np.uint8]) -> float:
    """The bits of images, by the distributions an encoder has."""
    planes = Planes.of(x)
    return sum(planes.follow(i, coder.expert(i)).bits for i in range(planes.count))


def test_encoder_and_decoder_learn_alike() -> None:
    """The distributions of an encoder, and of a decoder that pops value by value: each message is what the other one reads."""
    coder = Autoregression(random_model(3).config, random_model(3).tensors())
    x = np.random.default_rng(1).integers(0, 256, (2, 30, 21, 3)).astype(np.uint8)
    message = Message()
    coder.push(message, x)
    assert message.bits == pytest.approx(follow(coder, x), abs=2)
    np.testing.assert_array_equal(coder.pop(message, x.shape, "uint8"), x)
    message.verify_end()


def test_learning_pays() -> None:
    """A model that knows nothing learns of one image what it can, and nothing at the rate 0."""
    y, x = np.mgrid[:60, :70]
    image = (100 + 60 * np.sin(x / 9 + y / 23) + np.random.default_rng(0).normal(0, 3, y.shape)).astype(np.uint8)
    ignorant, bits = random_model(1, width=16), {}
    for rates in ([0, 0], [10, 7]):
        coder = Autoregression({**ignorant.config, "rates": rates}, ignorant.tensors())
        bits[rates[0]] = follow(coder, image[None, :, :, None])
        assert follow(coder, image[None, :, :, None]) == bits[rates[0]]  # each time from the beginning
    assert bits[10] < 0.7 * bits[0]


def test_parities_have_biases_of_their_own() -> None:
    """What lies in every other column is learnt."""
    rng = np.random.default_rng(0)
    image = rng.integers(0, 2, (64, 64)) * 3 + 100
    image[:, ::2] += rng.integers(0, 40, (64, 32))
    coder = Autoregression({**MODEL.config, "rates": [10, 7]}, MODEL.tensors())
    shuffled = np.take_along_axis(image, rng.random(image.shape).argsort(1), 1)
    striped, plain = (follow(coder, x.astype(np.uint8)[None, :, :, None]) for x in (image, shuffled))
    assert striped < 0.95 * plain


@pytest.mark.parametrize("name", MODELS)
def test_models_that_ship(name: str) -> None:
    """They load, beat PNG on a photograph of any size, and say how they came to be."""
    with Image.open("samples/photos/parrots.png") as image:
        x = np.asarray(image)[40:141, 100:199]
    codec = cc.get_codec("ar.image", model=name)
    assert codec.model is not None
    assert codec.model.attrs["command"]
    if name == "gray":
        x = np.ascontiguousarray(x[..., 1])
    payload = codec.encode(x)
    assert np.array_equal(codec.decode(payload, ArraySpec.of(x)), x)
    assert len(payload) < 0.8 * len(cc.get_codec("classic.png").encode(x))


@pytest.mark.skipif("photo" not in MODELS, reason="no model")
def test_alpha_costs_next_to_nothing() -> None:
    codec = cc.get_codec("ar.image", model="photo")
    x = np.random.default_rng(0).integers(0, 40, (40, 50, 4)).astype(np.uint8)
    x[..., 3] = 255
    assert len(codec.encode(x)) < len(codec.encode(x[..., :3])) + 60


@pytest.mark.skipif("gray" not in MODELS, reason="no model")
def test_sixteen_bits() -> None:
    """Twelve bits in sixteen cost four more a value than eight, not eight more."""
    codec = cc.get_codec("ar.image", model="gray")
    y, x = np.mgrid[:60, :70]
    clean = 100 + 60 * np.sin(x / 9 + y / 23) + np.random.default_rng(0).normal(0, 3, y.shape)
    sizes = [len(codec.encode(np.rint(clean * scale).astype(dtype))) for scale, dtype in ((1, "uint8"), (16, "uint16"))]
    assert sizes[1] - sizes[0] == pytest.approx(4 * y.size / 8, rel=0.1)
