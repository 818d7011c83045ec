"""Training a hierarchy: what comes out codes, the same run gives the same model, an interrupted one goes on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from codecs_bbans.hvae.codec import HierarchicalCodec
from codecs_bbans.hvae.train import Settings, fit, learn, train
from numpy.typing import NDArray

from codecs_core.arrays import ArraySpec
from codecs_core.errors import UnsupportedArrayError
from codecs_core.learn import Crops, Run

SMALL = {"latents": (2, 2), "features": 6, "width": 8, "blocks": 1, "components": 2, "crop": 16, "batch": 4}


def waves(n: int, h: int, w: int, channels: int = 3, seed: int = 0) -> NDArray[np.uint8]:
    """Smooth images with a little noise."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:h, :w]
    phase, speed = rng.random((2, n, 1, 1, channels)) * [[[[[6]]]], [[[[0.5]]]]]
    clean = 120 + 80 * np.sin(phase + speed * y[:, :, None] + 0.2 * x[:, :, None])
    return (clean + rng.normal(0, 2, clean.shape)).clip(0, 255).astype(np.uint8)


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.mark.parametrize("channels", [1, 3])
def test_model_codes_what_it_says(channels: int) -> None:
    """Frozen, the model costs what it costs in floating point, and files cost what the model says."""
    data = waves(40, 24, 24, channels)
    _, model = learn(list(data), Settings(steps=30, **SMALL), Run(budget=60, held_out=8))
    held_out = model.attrs["held_out"]
    assert held_out["integer_bits_per_value"] == pytest.approx(held_out["float_bits_per_value"], rel=2e-2)
    assert held_out["integer_bits_per_value"] < 7.5
    codec, x = HierarchicalCodec(model=model), data[-8:]
    payload = codec.encode(x)
    assert np.array_equal(codec.decode(payload, ArraySpec.of(x)), x)
    assert 8 * len(payload) / x.size == pytest.approx(held_out["integer_bits_per_value"], rel=1e-2)


def test_same_steps_same_model() -> None:
    data = waves(10, 16, 16)
    models = [learn(data, Settings(steps=4, seed=seed, **SMALL), Run(budget=60))[1] for seed in (3, 3, 4)]
    assert models[0].sha256 == models[1].sha256 != models[2].sha256


def test_an_interrupted_run_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that is killed and started again ends with the network of a run that was not."""
    monkeypatch.setattr("codecs_bbans.hvae.train.INTERVAL", 0.0)
    images, held_out = Crops(waves(6, 16, 16), 8), waves(2, 16, 16)
    settings, checkpoint = Settings(steps=8, **SMALL), tmp_path / "state"
    whole, _ = fit(images, held_out, settings, Run())

    class Killed(Exception):
        pass

    def kill(done: float, message: str) -> None:
        if message.startswith("step 5"):
            raise Killed

    with pytest.raises(Killed):
        fit(images, held_out, settings, Run(progress=kill, checkpoint=checkpoint))
    resumed, steps = fit(images, held_out, settings, Run(checkpoint=checkpoint))
    assert steps == 8
    assert all(torch.equal(a, b) for a, b in zip(whole.parameters(), resumed.parameters(), strict=True))


def test_images_that_are_too_small() -> None:
    with pytest.raises(UnsupportedArrayError, match="at least 8 x 8 pixels; number 0 has 7 x 16"):
        train(waves(6, 7, 16), budget=0.2, **SMALL)
