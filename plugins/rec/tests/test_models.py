"""Whatever a model holds, it is refused when it is loaded, or it codes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from codecs_rec.calibration import partition
from codecs_rec.codec import LosslessCodec
from codecs_rec.model import VAE
from codecs_rec.testing import random_model
from hypothesis import given, settings
from hypothesis import strategies as st

from codecs_core.arrays import ArraySpec
from codecs_core.errors import ModelError
from codecs_core.exact import ExactNet
from codecs_core.models import Model

MODELS = {kind: random_model(kind, (2, 3)) for kind in ("bernoulli", "mixture", "colour")}


def remade(model: Model, config: dict[str, Any] | None = None, **tensors: Any) -> Model:
    """The model with some of it replaced and with probes of its own; a tensor of None is left out."""
    merged = {k: v for k, v in (model.tensors() | tensors).items() if v is not None}
    if not {name.split(".")[-1] for name in tensors} & {"probe"}:
        for name in ("encoder", "decoder"):
            try:
                merged |= ExactNet.from_tensors(merged, name, probed=False).tensors(name)
            except ModelError:
                continue
    return Model.create(codec=model.codec, config=model.config if config is None else config, tensors=merged)


def test_random_models_are_as_ever() -> None:
    """They stand in files of tests, by their hash."""
    assert {kind: model.sha256[:12] for kind, model in MODELS.items()} == {
        "bernoulli": "0e0432817cfb",
        "mixture": "7b7c59dadcbd",
        "colour": "d19af8c2b476",
    }


@pytest.mark.parametrize("kind", MODELS)
def test_every_tensor_is_needed(kind: str) -> None:
    VAE(MODELS[kind])
    for name in MODELS[kind].tensors():
        with pytest.raises(ModelError):
            VAE(remade(MODELS[kind], **{name: None}))


@pytest.mark.parametrize(
    "changed",
    [
        {"likelihood": None},
        {"likelihood": "gaussian"},
        {"likelihood": ["mixture"]},
        {"likelihood": "bernoulli"},
        {"likelihood": "colour"},
        {"item_shape": 6},
        {"item_shape": [2, 4]},
        {"item_shape": [-2, -3]},
        {"item_shape": [2.0, 3]},
        {"latents": 7},
        {"latents": True},
    ],
)
def test_config_must_fit(changed: dict[str, Any]) -> None:
    model = MODELS["mixture"]
    with pytest.raises(ModelError):
        VAE(remade(model, {k: v for k, v in {**model.config, **changed}.items() if v is not None}))


COUNTS = MODELS["bernoulli"].tensors()["octaves"]
HOSTILE: list[tuple[str, str, Any]] = [
    ("bernoulli", "blocks", np.zeros((1, 6), np.int16)),
    ("bernoulli", "blocks", np.zeros(5, np.int16)),
    ("bernoulli", "blocks", np.array([-2, 0, 1, 0, 1, 0])),
    ("bernoulli", "blocks", np.array([0, 1, 2, 0, 1, 2])),
    ("bernoulli", "blocks", np.zeros(6, np.int16)),
    ("bernoulli", "blocks", np.zeros(6, np.float32)),
    ("bernoulli", "octaves", COUNTS * 2),
    ("bernoulli", "octaves", COUNTS[:1]),
    ("bernoulli", "octaves", COUNTS[0]),
    ("bernoulli", "octaves", np.eye(2, 6, dtype=np.int64) << 20),
    ("bernoulli", "octaves", np.full((2, 32), 1 << 15)),
    ("bernoulli", "octaves", np.zeros((2, 0), np.int32)),
    ("bernoulli", "encoder.range", np.array([0, 255])),
    ("bernoulli", "decoder.range", np.array([-500, 500])),
    ("bernoulli", "encoder.1.high", np.full(12, 0)),
    ("bernoulli", "encoder.1.low", np.full(12, -(1 << 20))),
    ("mixture", "tables", MODELS["mixture"].tensors()["tables"] * 2),
    ("mixture", "tables", MODELS["mixture"].tensors()["tables"][:, :255]),
    ("colour", "coefficients", np.full(3, 1 << 13)),
    ("colour", "coefficients", np.zeros(2, np.int32)),
    ("colour", "decoder.1.high", np.full(12, 1 << 16)),
    ("mixture", "encoder.range", np.array([0, 17])),
]


@pytest.mark.parametrize(("kind", "name", "value"), HOSTILE, ids=[f"{k}-{n}{i}" for i, (k, n, _) in enumerate(HOSTILE)])
def test_hostile_tensors_are_refused(kind: str, name: str, value: Any) -> None:
    """Also by who made a probe for them."""
    with pytest.raises(ModelError):
        VAE(remade(MODELS[kind], **{name: value}))


@pytest.mark.parametrize("kind", MODELS)
@given(seed=st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=15)
def test_damaged_tensors(kind: str, seed: int) -> None:
    """Whatever a model holds: an error when it is loaded, or a codec that works."""
    rng = np.random.default_rng(seed)
    tensors = MODELS[kind].tensors()
    name = str(rng.choice(sorted(tensors)))
    damaged = tensors[name].copy()
    view = damaged.reshape(-1).view(np.uint8)
    view[rng.integers(0, view.size)] ^= 1 << int(rng.integers(0, 8))
    model = remade(MODELS[kind], **{name: damaged})
    codec = LosslessCodec(model=model)
    try:
        largest = codec._vae.largest
    except ModelError:
        return
    x = rng.integers(0, largest + 1, (3, 2, 3)).astype(np.uint8)
    decoded = codec.decode(codec.encode(x), ArraySpec.of(x))
    np.testing.assert_array_equal(decoded, x)


@given(bits=st.lists(st.floats(0, 30), min_size=1, max_size=60), budget=st.floats(1, 17))
def test_partition(bits: list[float], budget: float) -> None:
    block = partition(np.array(bits), budget)
    used = set(block.tolist()) - {-1}
    assert used == set(range(len(used)))
    sent = [b >= 0 for b in block]
    assert any(sent)
    assert all(b >= 0.01 or len(used) == 1 for b, s in zip(bits, sent, strict=True) if s)
