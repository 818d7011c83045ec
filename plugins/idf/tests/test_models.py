"""Models that ship, and models that are none: what does not fit is refused when it is loaded."""

from __future__ import annotations

import numpy as np
import pytest
from codecs_idf import codecs_register_models
from codecs_idf.testing import random_model
from numpy.typing import NDArray
from PIL import Image

import codecs_core as cc
from codecs_core.arrays import ArraySpec
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


@pytest.mark.parametrize("name", MODELS)
def test_a_way_from_one_photograph_to_another(name: str) -> None:
    """Its ends are the photographs; each image is nearer to the second than the one before, and halfway none costs more than the dearer."""
    first, last = (np.asarray(Image.open(f"samples/photos/{n}.png"))[40:101, 100:159] for n in ("parrots", "stream"))
    codec = cc.get_codec("idf.image", model=name)
    found = codec.between(first, last, 5)
    assert np.array_equal(found[[0, -1]], [first, last])
    distances = np.abs(found.astype(int) - last).mean((1, 2, 3))
    assert (np.diff(distances) < 0).all()
    bits = codec.information(found).sum((1, 2, 3))
    assert bits[2] < max(bits[0], bits[-1])
