"""Training ``ar.stack``: what comes out codes what it says, the same run gives the same model, an interrupted one goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from codecs_ar.stack import looking, worth
from codecs_ar.stack.codec import StackCodec
from codecs_ar.stack.model import Scene, Stack
from codecs_ar.stack.settings import Settings
from codecs_ar.stack.train import Lessons, learn, train
from codecs_ar.stack.view import ONE
from numpy.typing import NDArray

from codecs_core.arrays import ArraySpec
from codecs_core.errors import ConfigError, UnsupportedArrayError
from codecs_core.learn import Run

SMALL: dict[str, Any] = {"width": 24, "narrow": 16, "reach": 2, "components": 2, "batch": 512}


def rings(n: int, size: int = 12, channels: int = 1, seed: int = 0) -> NDArray[np.uint8]:
    """A ring in each image, its edge grey and its inside of one of two values, on black."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size]
    centre, radius = rng.uniform(4, 7, (2, n, 1, 1)), rng.uniform(2, 5, (n, 1, 1))
    distance = np.abs(np.hypot(y - centre[0], x - centre[1]) - radius)
    ink = rng.integers(253, 255, (n, 1, 1))
    grey = np.floor((1.5 - distance).clip(0, 1) * (ink + 0.5)).astype(np.uint8)
    return grey if channels == 1 else np.stack([grey // (i + 1) for i in range(channels)], -1)


def waves(n: int, seed: int = 0) -> NDArray[np.uint8]:
    """Smooth colour images with a little noise."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:12, :12]
    phase = rng.random((n, 1, 1, 1)) * 6
    clean = 120 + 80 * np.sin(phase + 0.5 * y[:, :, None] + 0.3 * x[:, :, None] + 0.1 * np.arange(3))
    return (clean + rng.normal(0, 2, clean.shape)).clip(0, 255).astype(np.uint8)


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.mark.parametrize("data", [rings(300), rings(300, channels=3), waves(300)], ids=["grey", "colour", "natural"])
def test_model_codes_what_it_says(data: NDArray[np.uint8]) -> None:
    """Frozen, networks cost what they cost in floating point, and files cost what the model says."""
    lessons, model = learn(data, Settings(steps=120, **SMALL), Run(held_out=60))
    told = model.attrs["held_out"]
    assert told["integer_bits_per_value"] == pytest.approx(told["float_bits_per_value"], rel=1e-2)
    shares = np.unique_counts(data).counts / data.size
    assert told["float_bits_per_value"] < 0.75 * -(shares * np.log2(shares)).sum()
    codec = StackCodec(model=model)
    held = data[-60:]
    payload = codec.encode(held)
    np.testing.assert_array_equal(codec.decode(payload, ArraySpec.of(held)), held)
    assert 8 * len(payload) / held.size == pytest.approx(told["integer_bits_per_value"], rel=5e-3)
    assert len(lessons.networks) == (data.shape[3] if data.ndim == 4 else 1)


def test_values_that_are_drawn() -> None:
    """Probabilities in 255ths; the model is one of two values."""
    model = train(rings(200), steps=40, draw=True, **SMALL)
    x = rings(20, seed=1) > 100
    codec = StackCodec(model=model)
    assert model.config["symbols"] == 2
    np.testing.assert_array_equal(codec.decode(codec.encode(x), ArraySpec.of(x)), x)


def test_batches_stand_for_all_pixels() -> None:
    """Drawn where there is something to learn, and weighted so that the mean is that of all pixels."""
    lessons = Lessons(rings(200, 20)[..., None], rings(5, 20)[..., None], Settings(**SMALL))
    (images,) = lessons.images
    torch.manual_seed(0)
    batch = images.draw(100_000)
    assert float(batch.weights.sum()) == pytest.approx(1, abs=1e-4)
    mean = float((batch.values * batch.weights).sum())
    assert mean == pytest.approx(float(images.targets.float().mean()), rel=0.03)
    assert float((batch.values > 0).float().mean()) > 1.2 * float((images.targets > 0).float().mean())


@pytest.mark.parametrize("data", [rings(60), rings(60, channels=3), waves(60)], ids=["grey", "colour", "natural"])
def test_encoder_sees_what_was_trained_on(data: NDArray[np.uint8]) -> None:
    """The inputs of training are those of the codec, to the last bit."""
    lessons, model = learn(data, Settings(steps=2, **SMALL), Run(budget=60))
    stack = Stack(model.config, model.tensors())
    assert stack.referred == (data.shape == (60, 12, 12, 3) and bool(np.median(data) > 0))
    scene = Scene(stack, 20)
    scene.inside[:] = data[:20].reshape(20, 12, 12, -1)[..., stack.channels]
    for rows, columns in stack.order.fronts:
        for plane, images in enumerate(lessons.images):
            written, which, expected = scene.look(plane, rows, columns)
            found = written[which]
            at = np.arange(20) * 144 + (rows * 12 + columns)[:, None]
            x, r, c, _, e = images.rows(torch.from_numpy(at.reshape(-1)))
            np.testing.assert_array_equal(found[:, : x.shape[1]], np.rint(ONE * x.numpy()))
            np.testing.assert_array_equal(found[:, x.shape[1] : x.shape[1] + 12].argmax(1), r)
            np.testing.assert_array_equal(found[:, x.shape[1] + 12 :].argmax(1), c)
            if stack.referred:
                np.testing.assert_array_equal(expected, e)
        scene.count(rows, columns)
    assert scene.tallies.any() != stack.referred


def test_a_model_for_few_images_is_small() -> None:
    """Its bytes are a part of what is minimised, and the report says at how many images it pays."""
    data = rings(300)
    sizes = {}
    for items in (0, 200, 20_000):
        model = train(data, steps=150, items=items, reach=2, batch=512)
        sizes[items] = len(model.data)
        pays = model.attrs["pays"]["xz"]
        bits = model.attrs["held_out"]["integer_bits_per_value"]
        saved = (pays["bits_per_value"] - bits) * 144 / 8
        assert pays["from"] == pytest.approx(len(model.data) / saved, rel=0.2) if saved > 0 else pays["from"] is None
    assert sizes[200] < 0.5 * min(sizes[20_000], sizes[0])


def test_pressure_makes_a_model_smaller() -> None:
    """Of one width and with weights of as many bits, too."""
    data, sizes = rings(300), []
    for items in (0, 30):
        model = train(data, steps=150, items=items, weight_bits=6, **SMALL)
        sizes.append(len(model.tensors()["packed"]))
    assert sizes[1] < 0.93 * sizes[0]


def test_sprite() -> None:
    x = np.arange(5 * 2 * 3, dtype=np.uint8).reshape(5, 2, 3, 1)
    whole = worth.sprite(x)
    assert whole.shape == (4, 9)
    np.testing.assert_array_equal(whole[2:, 3:6], x[4, :, :, 0])
    assert not whole[2:, 6:].any()


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1)])
def test_images_of_a_single_row_or_column_beside_other_codecs(shape: tuple[int, int]) -> None:
    few = np.arange(18, dtype=np.uint8)[: 2 * shape[0] * shape[1]].reshape(2, *shape, 1)
    assert worth.sprite(few).ndim == 2
    assert all(bits > 0 for bits in worth.others(few).values())


def test_values_that_stand_out() -> None:
    x = rings(200)
    assert looking.atoms(x, 256) == (0, 253, 254)
    assert looking.runs((0, 253, 254)) == [[0], [253, 254]]
    curves = looking.curves(256, (0, 253, 254))
    assert curves[:, 0].tolist() == [0, 0, 0]
    assert curves[2, 252:].tolist() == [0, -64, 64, 0]


def test_same_steps_same_model() -> None:
    data = rings(60)
    models = [train(data, steps=4, seed=seed, **SMALL) for seed in (3, 3, 4)]
    assert models[0].sha256 == models[1].sha256 != models[2].sha256


def test_an_interrupted_run_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that is killed and started again ends with the model of a run that was not."""
    monkeypatch.setattr("codecs_ar.stack.train.INTERVAL", 0.0)
    data = rings(60)
    whole = train(data, steps=8, **SMALL)

    class Killed(Exception):
        pass

    def kill(done: float, message: str) -> None:
        if message.startswith("step 5"):
            raise Killed

    with pytest.raises(Killed):
        train(data, steps=8, progress=kill, checkpoint=tmp_path / "state", **SMALL)
    seen: list[str] = []
    resumed = train(data, steps=8, progress=lambda _, m: seen.append(m), checkpoint=tmp_path / "state", **SMALL)
    assert seen[0].startswith("step 5")
    assert resumed.sha256 == whole.sha256


@pytest.mark.parametrize("value", [0, 9])
def test_images_of_one_value(value: int) -> None:
    data = np.full((50, 6, 6), value, np.uint8)
    codec = StackCodec(model=train(data, steps=3, **SMALL))
    np.testing.assert_array_equal(codec.decode(codec.encode(data), ArraySpec.of(data)), data)


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (np.zeros((50, 8, 8), np.uint16), "uint16"),
        (np.zeros((50, 8), np.uint8), "shape"),
        (np.zeros((50, 129, 2), np.uint8), "128 x 128"),
        (np.zeros((50, 8, 8, 5), np.uint8), "4 channels"),
        (np.zeros((3, 8, 8), np.uint8), "at least 40"),
    ],
)
def test_data_that_is_refused(data: NDArray[Any], match: str) -> None:
    with pytest.raises(UnsupportedArrayError, match=match):
        train(data, steps=1)


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"width": -1}, "width"),
        ({"reach": 16}, "reach"),
        ({"weight_bits": 13}, "weight_bits"),
        ({"items": -5}, "items"),
        ({"draw": 1}, "draw"),
        ({"wide": 1}, "no setting 'wide'"),
        ({"held_out": 50}, "held_out"),
        ({"budget": -1.0}, "budget"),
    ],
)
def test_settings_that_are_refused(settings: dict[str, Any], match: str) -> None:
    with pytest.raises(ConfigError, match=match):
        train(rings(50), **settings)
