"""Training: what comes out codes, the same run gives the same model, an interrupted one goes on."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from codecs_ar.codec import ImageCodec
from codecs_ar.data import DECAYS, as_images, collect, look, priors_of
from codecs_ar.probe import digest
from codecs_ar.train import RATES, Settings, begun, fit, learn, rate_of, train
from codecs_ar.workspace import Predictors
from numpy.typing import NDArray

from codecs_core.arrays import ArraySpec
from codecs_core.errors import ConfigError, UnsupportedArrayError
from codecs_core.learn import Run

SMALL: dict[str, Any] = {"hidden": (12,), "components": 2, "batch": 256}


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


def test_model_codes_what_it_says() -> None:
    """Frozen, the networks cost what they cost in floating point, and files cost what the model says."""
    data = waves(12, 24, 24)
    _, model = learn(data, Settings(steps=60, **SMALL), Run(budget=60))
    held_out = model.attrs["held_out"]
    assert held_out["integer_bits_per_value"] == pytest.approx(held_out["float_bits_per_value"], rel=1e-2)
    assert held_out["learning_bits_per_value"] <= held_out["integer_bits_per_value"]
    assert tuple(model.config["rates"]) in RATES
    codec = ImageCodec(model=model)
    assert model.tensors()["probe"].tobytes() == digest(codec._coder)
    payload = codec.encode(data)
    assert np.array_equal(codec.decode(payload, ArraySpec.of(data)), data)
    assert 8 * len(payload) / data.size < 4.5  # the noise alone takes 3.05


def test_grey_and_deep_images() -> None:
    """A model of 8 and 16 bits codes both, and does not mind a factor of 16."""
    data = [x[..., 0] for x in waves(10, 24, 24, 1)]
    deep = [x.astype(np.uint16) * 16 for x in data]
    codec = ImageCodec(model=train([*data, *deep], steps=60, **SMALL))
    for x in (data[3], deep[3]):
        payload = codec.encode(x)
        assert np.array_equal(codec.decode(payload, ArraySpec.of(x)), x)
        assert 8 * len(payload) / x.size < (6 if x.dtype == np.uint8 else 10)


def test_same_steps_same_model() -> None:
    data = waves(5, 16, 16)
    models = [learn(data, Settings(steps=4, seed=3, **SMALL), Run(budget=60))[1] for _ in range(2)]
    assert models[0].sha256 == models[1].sha256
    other = learn(data, Settings(steps=4, seed=4, **SMALL), Run(budget=60))[1]
    assert other.sha256 != models[0].sha256


def values_of(images: list[NDArray[Any]]) -> list[Any]:
    looked = partial(look, priors=priors_of(images), predictors=Predictors.of(DECAYS, (1, 4)))
    return collect(images, looked, 1 << 20, np.random.default_rng(0))


def test_an_interrupted_run_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that is killed and started again ends with the networks of a run that was not."""
    monkeypatch.setattr("codecs_ar.train.INTERVAL", 0.0)
    values = values_of(list(waves(4, 16, 16)))
    settings = Settings(steps=8, **SMALL)
    whole, resumed = begun(3, settings), begun(3, settings)
    fit(whole, values, values, settings, Run(budget=1))
    checkpoint = tmp_path / "state"

    class Killed(Exception):
        pass

    def kill(done: float, message: str) -> None:
        if message.startswith("step 5"):
            raise Killed

    with pytest.raises(Killed):
        fit(begun(3, settings), values, values, settings, Run(budget=1, progress=kill, checkpoint=checkpoint))
    seen: list[str] = []
    run = Run(budget=1, progress=lambda _, m: seen.append(m), checkpoint=checkpoint)
    steps = fit(resumed, values, values, settings, run)
    assert steps == 8
    assert seen[0].startswith("step 5")
    for one, other in zip(whole, resumed, strict=True):
        for a, b in zip(one.parameters(), other.parameters(), strict=True):
            assert torch.equal(a, b)


def test_checkpoint_of_another_run(tmp_path: Path) -> None:
    values, networks = values_of(list(waves(3, 16, 16))), begun(3, Settings(**SMALL))
    fit(networks, values, values, Settings(steps=2, **SMALL), Run(budget=1, checkpoint=tmp_path / "state"))
    with pytest.raises(ConfigError, match="another run"):
        fit(networks, values, values, Settings(steps=3, **SMALL), Run(budget=1, checkpoint=tmp_path / "state"))
    (tmp_path / "noise").write_bytes(b"no state")
    with pytest.raises(ConfigError, match="no checkpoint"):
        fit(networks, values, values, Settings(steps=2, **SMALL), Run(budget=1, checkpoint=tmp_path / "noise"))


def test_starting_from_another_model(tmp_path: Path) -> None:
    """A grey model starts from the first plane of one in colour."""
    colour = list(waves(4, 24, 24))
    learn(colour, Settings(steps=60, **SMALL), Run(budget=60))[1].save(tmp_path / "colour.safetensors")
    grey = values_of([x[..., 1:2] for x in colour])
    starts = str(tmp_path / "colour.safetensors"), ""
    bits = [rate_of(begun(1, Settings(start=start, **SMALL)), grey) for start in starts]
    assert bits[0] < bits[1] - 0.01
    other = Settings(start=str(tmp_path / "colour.safetensors"), **{**SMALL, "hidden": (9,)})
    with pytest.raises(ConfigError, match=r"cannot start from .* no layer of shape"):
        begun(1, other)


def test_budget_ends_a_run() -> None:
    model = train(waves(4, 16, 16), budget=0.2, **SMALL)
    assert model.attrs["steps"] >= 1


def test_small_images_and_alpha() -> None:
    data = [*waves(3, 3, 30, 4), *waves(3, 40, 8, 4), *waves(2, 1, 1, 4)]
    codec = ImageCodec(model=train(data, steps=3, **SMALL))
    for x in data:
        assert np.array_equal(codec.decode(codec.encode(x), ArraySpec.of(x)), x)


def test_images_of_one_colour() -> None:
    """Nothing to fit a predictor to."""
    data = np.full((3, 16, 16, 3), 9, np.uint8)
    codec = ImageCodec(model=train(data, steps=3, **SMALL))
    assert np.array_equal(codec.decode(codec.encode(data), ArraySpec.of(data)), data)


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (np.zeros((4, 8, 8, 3), np.uint16), "uint16"),
        (np.zeros((4, 8, 8, 2), np.uint8), "channels"),
        ([np.zeros((8, 8, 3), np.uint8), np.zeros((8, 8), np.uint8)], "number 1 has 1, the first has 3"),
        ([np.zeros((8, 8, 3), np.uint8)], "at least 2"),
        ([np.zeros((0, 8, 3), np.uint8)] * 3, "at least 2"),
        ([], "at least 2"),
        ([1, 2], "a int"),
    ],
)
def test_data_that_is_refused(data: object, match: str) -> None:
    with pytest.raises(UnsupportedArrayError, match=match):
        as_images(data)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"hidden": []}, "hidden"),
        ({"hidden": 3}, "hidden"),
        ({"components": 0}, "components"),
        ({"enlarge": 2}, "enlarge"),
        ({"adapt": -0.1}, "adapt"),
        ({"rate": float("nan")}, "rate"),
        ({"seed": -1}, "seed"),
        ({"periods": [0, 4]}, "periods"),
        ({"steps": 1.5}, "steps"),
        ({"wide": 1}, "no setting 'wide'"),
        ({"held_out": 40}, "held_out"),
        ({"budget": -1.0}, "budget"),
        ({"start": "nowhere", "steps": 1}, "start"),
    ],
)
def test_settings_that_are_refused(settings: dict[str, Any], match: str) -> None:
    with pytest.raises(ConfigError, match=match):
        train(waves(4, 8, 8), **settings)
