"""Training makes models that code, at the rate that was asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from codecs_inr.codec import InrCodec
from codecs_inr.sound.codec import SoundCodec

import codecs_core as cc
from codecs_core.errors import ConfigError, UnsupportedArrayError

pytest.importorskip("torch")

from codecs_inr.sound.train import train as train_sound
from codecs_inr.train import Settings, learn, train

from codecs_core.learn import Run

SMALL = {
    "hidden": [8],
    "linear": False,
    "frequencies": 3,
    "index_bits": 8,
    "bpp": 1.0,
    "steps": 200,
    "between": 5,
    "rounds": 60,
}


def blobs(n: int, side: int = 8, channels: int = 1, seed: int = 0) -> Any:
    """Images of one smooth spot each."""
    rng = np.random.default_rng(seed)
    x, y = np.mgrid[:side, :side]
    cx, cy = rng.uniform(0, side, (2, n, 1, 1))
    images = 250 * np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / side)
    return np.repeat(images[..., None], channels, 3).astype(np.uint8)


def test_a_trained_model_shows_images_that_it_did_not_see() -> None:
    told: list[tuple[float, str]] = []
    model = train(blobs(64), progress=lambda *a: told.append(a), **SMALL)
    x = blobs(8, seed=1)
    codec = InrCodec(model=model)
    payload = codec.encode(x)
    assert len(payload) == 8 * 8  # one bit per pixel
    error = np.square(x.astype(float) - codec.decode(payload, cc.ArraySpec.of(x))).mean()
    assert error < 0.4 * x.var()
    assert [f for f, _ in told] == sorted(f for f, _ in told)
    assert told[-1][0] == 1.0
    assert "bits a signal" in told[0][1]


def test_latents_start_from_principal_axes() -> None:
    settings = SMALL | {"latents": [6, 4, 4], "numbers": 30, "linear": True, "index_bits": 2, "window": 8, "rounds": 3}
    model = train(blobs(64), **settings)
    x = blobs(8, seed=1)
    codec = InrCodec(model=model)
    payload = codec.encode(x)
    assert len(payload) == 8 * 8
    error = np.square(x.astype(float) - codec.decode(payload, cc.ArraySpec.of(x))).mean()
    assert error < 0.1 * x.var()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"latents": [4, 4, 4, 4, 4], "linear": True}, "multiples of 16"),
        ({"latents": [4, 4]}, "linear must be true"),
        ({"window": 8, "index_bits": 6}, "at least twice the bits"),
    ],
)
def test_latents_and_windows_must_fit(settings: Any, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        train(blobs(8), **(SMALL | settings))


def test_the_same_seed_gives_the_same_model() -> None:
    settings = SMALL | {"rounds": 2}
    models = [train(blobs(10), seed=seed, **settings) for seed in (1, 1, 2)]
    assert models[0].data == models[1].data
    assert models[0].data != models[2].data


def test_training_starts_from_a_model_of_another_rate(tmp_path: Path) -> None:
    """At once it is where the first training was after some rounds."""
    settings = SMALL | {"linear": True, "rounds": 30}
    train(blobs(32), **settings).save(tmp_path / "first")
    more = settings | {"start": str(tmp_path / "first"), "rounds": 2, "bpp": 2.0}
    alternation, _ = learn(blobs(32), Settings(**more), Run())
    fresh, _ = learn(blobs(32), Settings(**more | {"start": ""}), Run())
    alternation.share = fresh.share = 1.0
    errors = [one.expect(1, 1e-6) for one in (alternation, fresh)]
    assert errors[0] < 0.7 * errors[1]
    with pytest.raises(ConfigError, match="start must be a model of the same network"):
        train(blobs(32), **more | {"hidden": [9]})


def test_images_of_different_sizes_become_patches() -> None:
    images = [blobs(1, 20, 3)[0], blobs(1, 17, 3)[0]]
    alternation, model = learn(images, Settings(**SMALL | {"side": 8, "rounds": 1, "signals": 12}), Run())
    assert model.config["item_shape"] == [8, 8, 3]
    assert len(alternation.y) == 12


def test_training_goes_on_from_a_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped and started again, it ends at the same model."""
    settings, data = SMALL | {"rounds": 4, "linear": True}, blobs(20)
    whole = train(data, **settings)
    monkeypatch.setattr("codecs_inr.learning.INTERVAL", 0.0)

    def stop(done: float, _: str) -> None:
        if done == 0.5:
            raise KeyboardInterrupt

    state = tmp_path / "state"
    with pytest.raises(KeyboardInterrupt):
        train(data, checkpoint=state, progress=stop, **settings)
    assert train(data, checkpoint=state, **settings).data == whole.data
    with pytest.raises(ConfigError, match="other settings or data; delete it"):
        train(data, checkpoint=state, **settings | {"seed": 1})
    state.write_bytes(b"nothing")
    with pytest.raises(ConfigError, match="no state of a training"):
        train(data, checkpoint=state, **settings)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"bpp": 0.05}, "bpp must be from 0.125, one group of 8 bits"),
        ({"bpp": 30.0}, "more hidden units reach a higher rate"),
        ({"bpp": 0.0}, "bpp"),
        ({"hidden": []}, "hidden"),
        ({"index_bits": 21}, "index_bits"),
        ({"steps": 0}, "steps"),
        ({"budget": 0.0}, "budget"),
        ({"nonsense": 1}, "no setting 'nonsense'"),
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        train(blobs(10), **SMALL | settings)


def test_other_data_is_refused() -> None:
    with pytest.raises(UnsupportedArrayError):
        train(np.zeros((9, 4, 4, 3), np.float32), **SMALL)
    with pytest.raises(ConfigError, match="1 or 3 channels"):
        train(np.zeros((9, 4, 4, 4), np.uint8), **SMALL)


def test_a_model_of_sound_codes_what_it_did_not_see() -> None:
    """Bits go to patches that tell more: the quiet ones of a chunk need few."""
    rng = np.random.default_rng(0)
    loud = np.repeat(rng.choice([100, 6000], 80), 32)
    x = (loud * np.sin(np.cumsum(rng.uniform(0.1, 0.4, 80).repeat(32)))).astype(np.int16)
    settings = SMALL | {"hidden": [8], "frequencies": 4, "highest": 4.0, "samples": 32, "bps": 1.0, "steps": 100}
    del settings["bpp"]
    model = train_sound(x[:2048], **settings)
    assert model.codec == "inr.sound"
    codec, y = SoundCodec(model=model), x[2048:]
    payload = codec.encode(y)
    assert len(payload) == 8 + 512 // 8  # 16 exponents, and one bit per sample
    error = np.square(y - codec.decode(payload, cc.ArraySpec.of(y)).astype(float)).mean()
    assert error < 0.5 * np.square(y.astype(float)).mean()
    with pytest.raises(ConfigError, match=r"bps must be from 0\.25, one group of 8 bits"):
        train_sound(x, **settings | {"bps": 0.1})
    for data in x.astype(np.float32), x[:50], x.reshape(-1, 32, 2):
        with pytest.raises(UnsupportedArrayError):
            train_sound(data, **settings)
