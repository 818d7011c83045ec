"""Second opinions, at the level smallest: they code, older payloads stay what they were, and training makes them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from codecs_ar import levels
from codecs_ar.coarse import coarser
from codecs_ar.codec import ImageCodec
from codecs_ar.model import Autoregression
from codecs_ar.smallest import places, training
from codecs_ar.testing import random_model
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import codecs_core as cc
from codecs_core.arrays import ArraySpec
from codecs_core.errors import CorruptDataError, ModelError
from codecs_core.models import Model
from codecs_core.testing import unstored

MODEL = random_model(3, second=True)
CODEC, ALONE = (unstored(ImageCodec(model=model, effort="smallest")) for model in (MODEL, random_model(3)))


def waves(h: int, w: int, channels: int = 3, seed: int = 0) -> NDArray[np.uint8]:
    noise = np.random.default_rng(seed).integers(0, 7, (h, w, channels))
    return (np.add.outer(np.arange(h) * 5, np.arange(w) * 3)[..., None] + noise).astype(np.uint8)


@settings(max_examples=10, deadline=None)
@given(st.data())
def test_round_trips(data: st.DataObject) -> None:
    """Integers of several widths in 2 to 4 channels, and in stacks."""
    dtype = np.dtype(data.draw(st.sampled_from(["u1", "u2", "i4"])))
    shape = tuple(data.draw(st.integers(least, most)) for least, most in ((1, 2), (1, 9), (1, 12), (2, 4)))
    bits = data.draw(st.integers(1, 8 * dtype.itemsize))
    x = np.random.default_rng(data.draw(st.integers(0, 99))).integers(0, (1 << bits) - 1, shape, endpoint=True)
    x = np.minimum(x, x[:, :1]).astype(dtype)
    payload = CODEC.encode(x)
    assert payload[0] == levels.DECISIONS + levels.SECOND
    assert np.array_equal(CODEC.decode(payload, ArraySpec.of(x)), x)


def test_payloads_of_a_model_without_one() -> None:
    """What was coded by the networks alone is decoded by them alone, in all versions that there were."""
    x = waves(9, 11)
    payload, spec = ALONE.encode(x), ArraySpec.of(x)
    assert payload[0] == levels.DECISIONS
    for version in 3, 4, 5:
        assert np.array_equal(ALONE.decode(payload, spec, version=version), x)
    fuller = random_model(3, second=True)
    named = {name: t for name, t in random_model(3).tensors().items() if name.startswith("plane")}
    both = Model.create(codec="ar.image", config=fuller.config, tensors={**fuller.tensors(), **named})
    assert np.array_equal(unstored(ImageCodec(model=both)).decode(payload, spec), x)


def test_levels_that_there_are_not() -> None:
    x = waves(7, 9)
    payload, spec = CODEC.encode(x), ArraySpec.of(x)
    with pytest.raises(CorruptDataError, match="a second opinion that the model does not have"):
        ALONE.decode(payload, spec)
    for version in 3, 4:
        with pytest.raises(CorruptDataError, match="the payload begins with 11"):
            CODEC.decode(payload, spec, version=version)
    for first in 8, 9, 10, 12:
        with pytest.raises(CorruptDataError, match="the payload begins with"):
            CODEC.decode(bytes([first]) + payload[1:], spec)


@pytest.mark.parametrize(
    ("config", "tensors"),
    [
        ({"wide": None}, {}),
        ({"wide": {}}, {}),
        ({"wide": {**MODEL.config["wide"], "components": 2}}, {}),
        ({}, {"wide1.panel": np.zeros(791, np.int32)}),
        ({}, {"wide2.prior": np.zeros(9)}),
    ],
)
def test_models_that_are_refused(config: dict[str, Any], tensors: dict[str, NDArray[Any]]) -> None:
    with pytest.raises(ModelError):
        Autoregression({**MODEL.config, **config}, {**MODEL.tensors(), **tensors})


def test_photo_stands_for_the_larger_model() -> None:
    photo, larger = (cc.load_model(name, codec="ar.image") for name in ("photo", "photo-smallest"))
    codec = cc.get_codec("ar.image", model=photo, effort="smallest")
    assert codec.model == larger
    assert cc.get_codec("ar.image", model=photo).model == photo
    assert larger.attrs["made_of"] == photo.sha256
    assert all(np.array_equal(larger.tensors()[name], t) for name, t in photo.tensors().items() if name != "probe")
    x = waves(40, 50)
    payload = codec.encode(x)
    assert np.array_equal(codec.decode(payload, ArraySpec.of(x)), x)


def test_places() -> None:
    """The nearest ones, each once."""
    assert places.PAST[:6] == [(-1, 0), (0, -1), (-1, -1), (-1, 1), (-2, 0), (0, -2)]
    assert places.AROUND[:6] == [(0, 0), (-1, 0), (0, -1), (0, 1), (1, 0), (-1, -1)]
    assert len(places.PAST) == len({*places.PAST}) == 40
    assert [(places.regressors(i), places.features(i)) for i in range(3)] == [(31, 76), (31, 103), (39, 125)]


def test_training(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few steps: networks and panels of images make a model that codes, and rounded weights leave panels as they are."""
    monkeypatch.setattr(training, "HIDDEN", (12, 12))
    monkeypatch.setattr(training, "BATCH", 64)
    alone, images = random_model(3), [waves(30, 33, seed=seed) for seed in range(3)]
    priors, told = training.wide_priors_of(images), []
    networks = training.networks_of(
        alone, images[1:], images[:1], priors, budget=0.1, progress=lambda _, text: told.append(text)
    )
    assert "bits per value on what is held out" in told[-1]
    model = training.attached(alone, networks, priors, [training.usual()] * 3)
    found = training.beginnings_of(model, images[:2])
    model = training.attached(alone, networks, priors, found)
    assert np.allclose(
        found[0].weights[..., :31],
        Autoregression(model.config, model.tensors()).second.beginnings[0].weights[..., :31],
        atol=1e-4,
    )
    codec = unstored(ImageCodec(model=model, effort="smallest"))
    assert np.array_equal(codec.decode(codec.encode(images[0]), ArraySpec.of(images[0])), images[0])
    assert np.array_equal(coarser(model, 5).tensors()["wide0.panel"], model.tensors()["wide0.panel"])
