"""A machine that computes other numbers is found out when a model is loaded."""

from __future__ import annotations

import numpy as np
import pytest
from codecs_ar import codecs_register_models, probe
from codecs_ar.codec import ImageCodec
from codecs_ar.model import Autoregression
from codecs_ar.testing import random_model
from numpy.typing import NDArray

import codecs_core as cc
from codecs_core.errors import ModelError
from codecs_core.models import Model

IMAGE = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
SHIPPED = [spec.name for spec in codecs_register_models() if spec.codec == "ar.image"]


def with_tensors(model: Model, **tensors: NDArray[np.generic]) -> Model:
    return Model.create(codec=model.codec, config=model.config, tensors=model.tensors() | tensors)


def with_probe() -> Model:
    model = random_model(3)
    return with_tensors(model, probe=probe.tensor(Autoregression(model.config, model.tensors())))


def check_refused(model: Model, text: str) -> None:
    with pytest.raises(ModelError, match=text):
        ImageCodec(model=model).encode(IMAGE)


def test_digest_is_as_ever() -> None:
    """Another digest would refuse every model there is."""
    assert (
        probe.digest(Autoregression(random_model(3).config, random_model(3).tensors())).hex()
        == "ed2ff708f1219db023909473b04f5ae7"
    )


@pytest.mark.parametrize("name", SHIPPED)
def test_every_model_that_ships_has_one(name: str) -> None:
    codec = cc.get_codec("ar.image", model=name)
    assert codec.model is not None
    assert probe._expected(codec.model) == probe.digest(codec._coder)


def test_another_result_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    shipped, model = cc.get_codec("ar.image", model="photo"), with_probe()
    ImageCodec(model=model).encode(IMAGE)
    pop = Autoregression.pop

    def sloppy(*arguments: object) -> NDArray[np.generic]:
        image = pop(*arguments)  # type: ignore[arg-type]
        image[0, 5, 7] ^= 1
        return image

    monkeypatch.setattr(Autoregression, "pop", sloppy)
    assert shipped.model is not None
    check_refused(shipped.model, "'photo' fails its probe")
    check_refused(model, "fails its probe")


def test_other_weights_are_refused() -> None:
    model = with_probe()
    weight = model.tensors()["plane2.0.weight"].copy()
    weight += 1 << 10
    check_refused(with_tensors(model, **{"plane2.0.weight": weight}), "fails its probe")


def test_a_probe_of_another_kind_is_refused() -> None:
    check_refused(with_tensors(random_model(3), probe=np.zeros(15, np.uint8)), "must be 16 bytes, got uint8")


def test_models_from_before_there_were_probes_are_taken() -> None:
    codec = ImageCodec(model=random_model(3))
    assert len(codec.encode(IMAGE)) > 0
