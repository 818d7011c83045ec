"""The latents alone: what is kept and shown, block by block, damaged payloads, models of the lossless codec."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from codecs_rec.codec import LosslessCodec
from codecs_rec.ladder import LatentsCodec
from codecs_rec.model import VAE
from codecs_rec.testing import random_model
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import codecs_core as cc
from codecs_core.arrays import ArraySpec
from codecs_core.entropy import CategoricalMixture
from codecs_core.errors import CodecsError, ConfigError, CorruptDataError, ModelError
from codecs_core.testing import unstored

KINDS = ("bernoulli", "mixture", "colour")
SHAPE = (3, 2, 3)
MODELS = {kind: random_model(kind, SHAPE) for kind in KINDS}
BLOCKS = 2


def items(kind: str, n: int = 5, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 2 if kind == "bernoulli" else 256, (n, *SHAPE), np.uint8)


def codec_of(kind: str, levels: int = 0) -> LatentsCodec:
    return unstored(LatentsCodec(model=MODELS[kind], levels=levels))


@pytest.mark.parametrize("kind", KINDS)
def test_levels(kind: str) -> None:
    """Fewer levels are fewer bytes, and decode to what more of them would show as a preview; all of them is the default."""
    x = items(kind, 40)
    spec, payloads = ArraySpec.of(x), [codec_of(kind, levels).encode(x) for levels in (1, 2, 0)]
    shown = [codec_of(kind, levels).decode(p, spec) for levels, p in zip((1, 2, 0), payloads, strict=True)]
    assert len(payloads[0]) < len(payloads[1])
    assert payloads[1] == payloads[2]
    assert not np.array_equal(shown[0], shown[1])
    previews = [codec_of(kind).preview(payloads[2], spec, levels) for levels in (0, 1, 2, 9)]
    assert np.array_equal(previews[2], shown[1])
    assert np.array_equal(previews[3], shown[1])
    assert (previews[0] == previews[0][0]).all()
    assert not np.array_equal(previews[0], previews[1])


@pytest.mark.parametrize("kind", KINDS)
def test_previews_of_the_lossless_codec(kind: str) -> None:
    """With all blocks they show what the latents alone decode to, and with more levels than there are the items; of version 1, too."""
    x, codec = items(kind), unstored(LosslessCodec(model=MODELS[kind]))
    spec, payload, coarse = ArraySpec.of(x), codec.encode(x), codec_of(kind)
    assert np.array_equal(codec.preview(payload, spec, BLOCKS), coarse.decode(coarse.encode(x), spec))
    assert np.array_equal(codec.preview(payload, spec, BLOCKS + 1), x)
    for levels in range(BLOCKS + 2):
        again = codec.preview(payload, spec, levels, version=1)
        assert np.array_equal(again, codec.preview(payload, spec, levels))


def test_what_is_shown_is_expected() -> None:
    z = np.random.default_rng(1).integers(-900, 900, (4, 6))
    for kind in KINDS:
        vae = VAE(MODELS[kind])
        shown, codec = vae.shown(z), vae.likelihood(z)
        if isinstance(codec, CategoricalMixture):
            values = np.arange(256)
            spread = CategoricalMixture(vae.decoder(z).reshape(4, -1, 1, 3), vae.tables, precision=26)
            chances = 2.0 ** -np.stack([_information(spread, v) for v in values], -1)
            assert np.abs(shown - chances @ values).max() < 0.51
        elif kind == "bernoulli":
            assert (vae.ones(z) >> 21 == shown).all()
        else:
            better, worse = (vae.information(z, np.clip(shown + np.int64(d), 0, 255).astype(np.uint8)) for d in (0, 9))
            assert (better < worse).all()


def _information(codec: CategoricalMixture, value: int) -> NDArray[np.float64]:
    return codec.information(np.full(codec.shape, value))[..., 0]


@pytest.mark.parametrize("kind", KINDS)
def test_no_items_and_one(kind: str) -> None:
    for n in (0, 1):
        x = items(kind, n)
        assert codec_of(kind).decode(codec_of(kind).encode(x), ArraySpec.of(x)).shape == x.shape


def test_more_levels_than_the_model_has() -> None:
    with pytest.raises(ConfigError, match="has 2 blocks of latents, not 3"):
        codec_of("mixture", BLOCKS + 1).encode(items("mixture"))


def test_a_model_of_another_codec() -> None:
    with pytest.raises(ModelError, match=r"is for codec bbans\.vae, not for rec\.vae-latents"):
        LatentsCodec(model=cc.Model.create(codec="bbans.vae", config={}, tensors={})).encode(items("mixture"))


def test_a_file_takes_the_models_of_the_lossless_codec(tmp_path: Path) -> None:
    x = items("mixture")
    cc.save(tmp_path / "a.ccf", x, codec=LatentsCodec(model=MODELS["mixture"], levels=1), embed_model=True)
    with cc.open(tmp_path / "a.ccf") as file:
        (entry,) = file.values()
        assert entry[...].shape == x.shape
    (found,) = [one for one in cc.list_codecs() if one["id"] == "rec.vae-latents"]
    assert (found["kind"], found["auto"], found["trainable"]) == ("lossy", False, False)


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_damaged_payloads_are_refused_or_differ(data: Any) -> None:
    codec, x = codec_of("mixture"), items("mixture", 2)
    payload = bytearray(codec.encode(x))
    payload[data.draw(st.integers(0, len(payload) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        found = codec.decode(bytes(payload), ArraySpec.of(x))
    except CodecsError:
        return
    assert found.shape == x.shape


def test_a_payload_with_more_behind_it() -> None:
    """What a payload of more levels has is not passed over in silence."""
    x = items("mixture")
    with pytest.raises(CorruptDataError):
        codec_of("mixture", 1).decode(codec_of("mixture", 2).encode(x), ArraySpec.of(x))
