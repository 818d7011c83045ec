"""Models that ship, and models that are none: what does not fit is refused when it is loaded."""

from __future__ import annotations

import numpy as np
import pytest
from codecs_idf import INFO, codecs_register, codecs_register_models
from codecs_idf.codec import ImageCodec
from codecs_idf.flow import Flow
from codecs_idf.testing import random_model
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

import codecs_core as cc
from codecs_core.arrays import ArraySpec
from codecs_core.errors import ModelError
from codecs_core.models import Model

MODEL = random_model(1, couplings=(1,), width=3)
MODELS = [m.name for m in codecs_register_models()]


def remade(**tensors: NDArray[np.generic] | None) -> Model:
    """The model with some tensors replaced, or with None left out."""
    merged = {k: v for k, v in (MODEL.tensors() | tensors).items() if v is not None}
    return Model.create(codec=MODEL.codec, config=MODEL.config, tensors=merged)


def test_random_models_are_as_ever() -> None:
    """They stand in files of tests, by their hash."""
    assert random_model().sha256[:16] == "eb6291b399b11a04"
    assert MODEL.sha256[:16] == "e0b80868d3aadb42"


def test_every_tensor_is_needed() -> None:
    for name in MODEL.tensors():
        if not name.endswith(".skip"):
            with pytest.raises(ModelError):
                ImageCodec(model=remade(**{name: None})).encode(np.zeros((2, 2), np.uint8))


@given(seed=st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=60)
def test_damaged_tensors(seed: int) -> None:
    """Whatever a model holds: an error when it is loaded, or a codec that works."""
    rng = np.random.default_rng(seed)
    name = str(rng.choice(sorted(MODEL.tensors())))
    damaged = MODEL.tensors()[name].copy()
    view = damaged.reshape(-1).view(np.uint8)
    view[rng.integers(0, view.size)] ^= 1 << int(rng.integers(0, 8))
    model = remade(**{name: damaged})
    try:
        Flow(model.config, model.tensors())
    except ModelError:
        return
    codec = ImageCodec(model=model)
    x = rng.integers(0, 256, (5, 4)).astype(np.uint8)
    np.testing.assert_array_equal(codec.decode(codec.encode(x), ArraySpec.of(x)), x)


def test_registration() -> None:
    (spec,) = codecs_register()
    assert (spec.id, spec.info) == (ImageCodec.id, INFO)
    assert INFO.needs_model
    assert INFO.exactness == "portable"


@pytest.mark.parametrize("name", MODELS)
def test_models_that_ship(name: str) -> None:
    """They load, beat PNG on a photograph of any size, and say how they came to be."""
    with Image.open("samples/photos/parrots.png") as image:
        x = np.asarray(image)[40:141, 100:199]
    codec = cc.get_codec("idf.image", model=name)
    assert codec.model is not None
    assert codec.model.attrs["command"]
    payload = codec.encode(x)
    assert np.array_equal(codec.decode(payload, ArraySpec.of(x)), x)
    assert len(payload) < len(cc.get_codec("classic.png").encode(x))
