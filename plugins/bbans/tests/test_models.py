"""A model file may hold anything; what is no model is refused when it is loaded."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from codecs_bbans.codec import VAECodec
from codecs_bbans.model import VAE
from codecs_bbans.testing import random_model
from hypothesis import given, settings
from hypothesis import strategies as st

from codecs_core.arrays import ArraySpec
from codecs_core.errors import CodecsError, ConfigError, ModelError
from codecs_core.exact import ExactNet
from codecs_core.models import Model


def with_probes(model: Model) -> Model:
    """The model with the probes of its networks, right for the weights it has."""
    tensors = model.tensors()
    for name in ("encoder", "decoder"):
        tensors |= ExactNet.from_tensors(tensors, name, probed=False).tensors(name)
    return model.replaced(tensors=tensors)


def remade(model: Model, config: dict[str, Any] | None = None, **tensors: Any) -> Model:
    """The model with some of it replaced; a tensor of None is left out."""
    merged = {k: v for k, v in (model.tensors() | tensors).items() if v is not None}
    return Model.create(codec=model.codec, config=model.config if config is None else config, tensors=merged)


MIXTURE, BERNOULLI = random_model("mixture", (2, 2)), random_model("bernoulli", (2, 2))


def test_random_models_are_as_ever() -> None:
    """They stand in files of tests, by their hash."""
    assert MIXTURE.sha256[:16] == "fe4ad5015fbbbe77"
    assert BERNOULLI.sha256[:16] == "8947b4c1b075eb0b"


@pytest.mark.parametrize("model", [MIXTURE, BERNOULLI])
def test_every_tensor_is_needed(model: Model) -> None:
    VAE(model)
    for name in model.tensors():
        with pytest.raises(ModelError):
            VAE(remade(model, **{name: None}))


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"likelihood": "mixture", "item_shape": [2, 2]},
        {"likelihood": "gaussian", "item_shape": [2, 2], "latents": 5},
        {"likelihood": "bernoulli", "item_shape": [2, 2], "latents": 5},
        {"likelihood": "mixture", "item_shape": [2, 3], "latents": 5},
        {"likelihood": "mixture", "item_shape": 4, "latents": 5},
        {"likelihood": "mixture", "item_shape": "22", "latents": 5},
        {"likelihood": "mixture", "item_shape": [-2, -2], "latents": 5},
        {"likelihood": "mixture", "item_shape": [2, 2, None], "latents": 5},
        {"likelihood": "mixture", "item_shape": [2.5, 2], "latents": 5},
        {"likelihood": "mixture", "item_shape": [2, 2], "latents": 6},
        {"likelihood": "mixture", "item_shape": [2, 2], "latents": -5},
        {"likelihood": "mixture", "item_shape": [2, 2], "latents": True},
        {"likelihood": "mixture", "item_shape": [2, 2], "latents": "5"},
        {"likelihood": ["mixture"], "item_shape": [2, 2], "latents": 5},
    ],
)
def test_config_must_fit(config: dict[str, Any]) -> None:
    with pytest.raises(ModelError):
        VAE(remade(MIXTURE, config))


TABLES = MIXTURE.tensors()["tables"]
HOSTILE: dict[str, list[Any]] = {
    "tables": [
        TABLES[:, :255],
        TABLES[:2],
        TABLES[0],
        TABLES * 2,
        TABLES.astype(np.float32),
        TABLES - TABLES[:, :1],
        np.zeros((3, 256), np.int32),
        np.int32(7).reshape(()),
        np.roll(np.eye(3, 256, dtype=np.int64) * (1 << 62), 3),
        TABLES.astype(np.int64) + (1 << 32),
    ],
    "encoder.range": [np.array([0, 256]), np.array([-1, 255]), np.array([1, 255]), np.array([0, 1])],
    "decoder.range": [np.array([0, 1]), np.array([-100, 700]), np.array([-700, 100])],
    "encoder.1.high": [np.full(10, (1 << 24) - 1), np.full(10, 1 << 30)],
    "encoder.1.low": [np.full(10, 1 - (1 << 24))],
    "decoder.1.weight": [np.zeros((12, 0), np.int8), np.zeros((4, 16), np.int8)],
}


@pytest.mark.parametrize(("name", "index"), [(n, i) for n, values in HOSTILE.items() for i in range(len(values))])
@pytest.mark.parametrize("probed", [True, False])
def test_hostile_tensors_are_refused(name: str, index: int, probed: bool) -> None:
    """Also by who made a probe for them."""
    value = HOSTILE[name][index]
    model = remade(MIXTURE, **{name: value})
    with pytest.raises(ModelError):
        VAE(model if probed else with_probes(model))


@given(seed=st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=80)
def test_damaged_tensors(seed: int) -> None:
    """Whatever a model holds: an error when it is loaded, or a codec that works."""
    rng = np.random.default_rng(seed)
    tensors = MIXTURE.tensors()
    name = str(rng.choice(sorted(tensors)))
    damaged = tensors[name].copy()
    view = damaged.reshape(-1).view(np.uint8)
    view[rng.integers(0, view.size)] ^= 1 << int(rng.integers(0, 8))
    model = remade(MIXTURE, **{name: damaged})
    try:
        codec = VAECodec(model=with_probes(model))
        VAE(codec.model)
    except ModelError:
        return
    x = rng.integers(0, 256, (5, 2, 2)).astype(np.uint8)
    np.testing.assert_array_equal(codec.decode(codec.encode(x), ArraySpec.of(x)), x)


def test_probes_can_be_added() -> None:
    bare = remade(MIXTURE, **{"encoder.probe": None, "decoder.probe": None})
    with pytest.raises(ModelError, match="probe"):
        VAE(bare)
    again = with_probes(bare)
    assert {k: v.tobytes() for k, v in again.tensors().items()} == {
        k: v.tobytes() for k, v in MIXTURE.tensors().items()
    }
    assert (again.config, again.codec) == (MIXTURE.config, MIXTURE.codec)


def test_a_model_of_another_codec() -> None:
    model = Model.create(codec="other", config={}, tensors={})
    with pytest.raises(CodecsError):
        VAECodec.from_config({}, model=model).encode(np.zeros((1, 2, 2), np.uint8))


def test_a_codec_without_a_model() -> None:
    with pytest.raises(ConfigError):
        VAECodec().encode(np.zeros((1, 2, 2), np.uint8))
