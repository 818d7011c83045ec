"""Whatever a lossy model holds, it is refused when it is loaded, or it codes."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np
import pytest
from codecs_rec.lossy.codec import LossyCodec
from codecs_rec.lossy.model import LossyVAE, amplitudes, gains_of, plan
from codecs_rec.testing import random_lossy
from hypothesis import given, settings
from hypothesis import strategies as st

from codecs_core.arrays import ArraySpec
from codecs_core.errors import ModelError
from codecs_core.exact import ExactNet
from codecs_core.models import Model

MODEL = random_lossy((2, 4, 3))


def remade(config: dict[str, Any] | None = None, **tensors: Any) -> Model:
    """The model with some of it replaced and with a probe of its own; a tensor of None is left out."""
    merged = {k: v for k, v in (MODEL.tensors() | tensors).items() if v is not None}
    if not any(name.endswith("probe") for name in tensors):
        with contextlib.suppress(ModelError):
            merged |= ExactNet.from_tensors(merged, "decoder", probed=False).tensors("decoder")
    return Model.create(codec=MODEL.codec, config=MODEL.config if config is None else config, tensors=merged)


def test_random_models_are_as_ever() -> None:
    """They stand in files of tests, by their hash."""
    assert MODEL.sha256[:12] == "be387835c6b6"


def test_every_tensor_is_needed() -> None:
    LossyVAE(MODEL)
    for name in MODEL.tensors():
        with pytest.raises(ModelError):
            LossyVAE(remade(**{name: None}))


@pytest.mark.parametrize(
    "changed",
    [
        {"item_shape": 6},
        {"item_shape": [24]},
        {"item_shape": [2, 4]},
        {"item_shape": [2, 4, -3]},
        {"item_shape": [2, 4, 3.0]},
        {"item_shape": [2, 1 << 20, 3]},
        {"largest": 2},
        {"largest": True},
        {"squeeze": 3},
        {"squeeze": 4},
        {"block_bits": 0},
        {"block_bits": 18},
        {"block_bits": None},
    ],
)
def test_config_must_fit(changed: dict[str, Any]) -> None:
    with pytest.raises(ModelError):
        LossyVAE(remade({**MODEL.config, **changed}))


TENSORS = MODEL.tensors()
HOSTILE: list[tuple[str, Any]] = [
    ("rows", np.full((2, 2), 1 << 14)),
    ("rows", np.zeros((4, 4), np.int16)),
    ("colours", np.zeros((3, 3), np.float32)),
    ("places", TENSORS["places"][::-1].copy()),
    ("places", TENSORS["places"] + 24),
    ("places", np.zeros(0, np.int32)),
    ("deviations", TENSORS["deviations"][:, 1:]),
    ("deviations", TENSORS["deviations"] + 1024),
    ("deviations", TENSORS["deviations"] * -1),
    ("noises", np.zeros(65, np.int16)),
    ("noises", np.full(2, 1024)),
    ("classes", TENSORS["classes"] * 2),
    ("octaves", TENSORS["octaves"] * 2),
    ("octaves", TENSORS["octaves"][:-1]),
    ("octaves", np.full((TENSORS["octaves"].shape[0], 32), 1 << 15)),
    ("decoder.range", np.array([-4096, 4095])),
    ("decoder.1.high", np.full(len(TENSORS["decoder.1.high"]), 1 << 16)),
]


@pytest.mark.parametrize(("name", "value"), HOSTILE, ids=[f"{n}{i}" for i, (n, _) in enumerate(HOSTILE)])
def test_hostile_tensors_are_refused(name: str, value: Any) -> None:
    """Also by who made a probe for them."""
    with pytest.raises(ModelError):
        LossyVAE(remade(**{name: value}))


@given(seed=st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=25)
def test_damaged_tensors(seed: int) -> None:
    """Whatever a model holds: an error when it is loaded, or a codec that works."""
    rng = np.random.default_rng(seed)
    name = str(rng.choice(sorted(TENSORS)))
    damaged = TENSORS[name].copy()
    view = damaged.reshape(-1).view(np.uint8)
    view[rng.integers(0, view.size)] ^= 1 << int(rng.integers(0, 8))
    codec = LossyCodec(model=remade(**{name: damaged}))
    try:
        _ = codec._vae
    except ModelError:
        return
    x = rng.integers(0, 256, (3, 2, 4, 3)).astype(np.uint8)
    decoded = codec.decode(codec.encode(x), ArraySpec.of(x))
    assert decoded.shape == x.shape


@given(
    deviations=st.lists(st.integers(0, 1023), min_size=1, max_size=80),
    noise=st.integers(0, 1023),
    bits=st.integers(1, 17),
)
def test_blocks_hold_about_equal_information(deviations: list[int], noise: int, bits: int) -> None:
    d = np.array(deviations)
    how = plan(d, noise, bits)
    sent = sorted(i for block in how.blocks for i in block.tolist())
    assert sent == np.flatnonzero(d > noise).tolist()
    assert (how.gains[d <= noise] == 0).all()
    loads = [int((d[block] - noise).sum()) for block in how.blocks]
    if loads:
        # dealt forwards and backwards, two blocks differ by the largest latent at most
        assert max(loads) - min(loads) <= int(d.max()) - noise
        assert how.row == min(sum(loads) // (64 * len(loads)), bits)
        assert len(loads) == len(sent) or sum(loads) <= 64 * bits * len(loads)


def test_gains() -> None:
    d = np.arange(300, 1024, 7)
    noise = 290
    exact = np.sqrt(4.0 ** (d / 64) - 4.0 ** (noise / 64))
    np.testing.assert_allclose(gains_of(d, d - noise) / 256, exact, rtol=2e-3)
    assert amplitudes()[0] == 0
    assert (np.diff(amplitudes()) >= 0).all()
