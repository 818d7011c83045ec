"""Training: what comes out codes, the same run gives the same model, an interrupted one goes on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from codecs_idf.codec import ImageCodec
from codecs_idf.network import Network, squeeze
from codecs_idf.train import Settings, evaluate, fit, learn, train
from numpy.typing import NDArray

from codecs_core.arrays import ArraySpec
from codecs_core.errors import ConfigError, UnsupportedArrayError
from codecs_core.learn import Run
from codecs_core.learn import image_list as as_images

SMALL = {"couplings": (1, 1), "width": 8, "blocks": 1, "coupling_width": 8, "components": 2, "crop": 16, "batch": 4}


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
    """Frozen, the flow costs what it costs in floating point, and files cost what the flow says."""
    data = waves(40, 24, 24)
    network, model = learn(list(data), Settings(steps=30, **SMALL), Run(budget=60))
    held_out = model.attrs["held_out"]
    assert held_out["integer_bits_per_value"] == pytest.approx(held_out["float_bits_per_value"], rel=1e-2)
    assert held_out["integer_bits_per_value"] < 7
    codec = ImageCodec(model=model)
    payload = codec.encode(data)
    assert np.array_equal(codec.decode(payload, ArraySpec.of(data)), data)
    assert 8 * len(payload) / data.size == pytest.approx(evaluate(network, list(data)), rel=1e-2)


@pytest.mark.parametrize("shape", [(12, 10), (13, 11), (7, 16), (1, 1)])
def test_float_and_integers_are_the_same_flow(shape: tuple[int, int]) -> None:
    """Also where sizes are odd, and whatever is beyond the image."""
    data = [*waves(30, 16, 16, 1), *waves(2, *shape, 1)]
    network, model = learn(data, Settings(steps=40, **SMALL), Run(held_out=2))
    x = np.concatenate([waves(6, *shape, 1, seed=s) for s in range(5)])
    expected = evaluate(network, list(x)) * x.size
    assert 8 * len(ImageCodec(model=model).encode(x)) == pytest.approx(expected, rel=5e-3, abs=60)


def test_squeeze_of_odd_sizes() -> None:
    x = torch.arange(15.0).view(1, 1, 3, 5) + 1
    phases, masks = squeeze(x)
    assert masks is not None
    assert sum(float(m.sum()) for m in masks) == 15
    assert all(bool(((p != 0) == (m != 0)).all()) for p, m in zip(phases, masks, strict=True))


def test_same_steps_same_model() -> None:
    data = waves(10, 16, 16)
    models = [learn(data, Settings(steps=4, seed=3, **SMALL), Run(budget=60))[1] for _ in range(2)]
    assert models[0].sha256 == models[1].sha256
    other = learn(data, Settings(steps=4, seed=4, **SMALL), Run(budget=60))[1]
    assert other.sha256 != models[0].sha256


def test_an_interrupted_run_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that is killed and started again ends with the network of a run that was not."""
    monkeypatch.setattr("codecs_idf.train.INTERVAL", 0.0)
    images = list(waves(8, 16, 16))
    settings = Settings(steps=8, **SMALL)
    whole, _ = fit(images[:6], images[6:], settings, Run())
    checkpoint = tmp_path / "state"

    class Killed(Exception):
        pass

    def kill(done: float, message: str) -> None:
        if message.startswith("step 5"):
            raise Killed

    with pytest.raises(Killed):
        fit(images[:6], images[6:], settings, Run(progress=kill, checkpoint=checkpoint))
    seen: list[str] = []
    resumed, steps = fit(
        images[:6], images[6:], settings, Run(progress=lambda _, m: seen.append(m), checkpoint=checkpoint)
    )
    assert steps == 8
    assert seen[0].startswith("step 5")
    for a, b in zip(whole.parameters(), resumed.parameters(), strict=True):
        assert torch.equal(a, b)


def test_checkpoint_of_another_run(tmp_path: Path) -> None:
    images = list(waves(4, 16, 16))
    fit(images[:3], images[3:], Settings(steps=2, **SMALL), Run(checkpoint=tmp_path / "state"))
    with pytest.raises(ConfigError, match="another run"):
        fit(images[:3], images[3:], Settings(steps=3, **SMALL), Run(checkpoint=tmp_path / "state"))
    (tmp_path / "noise").write_bytes(b"no state")
    with pytest.raises(ConfigError, match="no checkpoint"):
        fit(images[:3], images[3:], Settings(steps=2, **SMALL), Run(checkpoint=tmp_path / "noise"))


def test_starting_from_another_model(tmp_path: Path) -> None:
    """A flow of one level more starts with the levels of a trained one."""
    images = list(waves(6, 16, 16))
    learn(images, Settings(steps=40, **SMALL), Run(held_out=1))[1].save(tmp_path / "flow.safetensors")
    deeper = {**SMALL, "couplings": (1, 1, 0), "start": str(tmp_path / "flow.safetensors")}
    started, _ = fit(images[:5], images[5:], Settings(steps=1, **deeper), Run())
    fresh, _ = fit(images[:5], images[5:], Settings(steps=1, **{**deeper, "start": ""}), Run())
    assert evaluate(started, images[5:]) < evaluate(fresh, images[5:]) - 0.05
    with pytest.raises(ConfigError, match=r"cannot start from .*layers"):
        fit(images[:5], images[5:], Settings(steps=1, **{**deeper, "width": 9}), Run())


def test_budget_ends_a_run() -> None:
    model = train(waves(6, 16, 16), budget=0.2, **SMALL)
    assert model.attrs["steps"] >= 1


def test_images_smaller_than_the_crop() -> None:
    data = [*waves(5, 3, 30), *waves(5, 40, 8), *waves(2, 1, 1)]
    model = train(data, steps=3, **SMALL)
    codec = ImageCodec(model=model)
    for x in data:
        assert np.array_equal(codec.decode(codec.encode(x), ArraySpec.of(x)), x)


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
        ({"width": 0}, "width"),
        ({"couplings": []}, "couplings"),
        ({"couplings": 3}, "couplings"),
        ({"rate": float("nan")}, "rate"),
        ({"rate": "fast"}, "rate"),
        ({"seed": -1}, "seed"),
        ({"steps": 1.5}, "steps"),
        ({"wide": 1}, "no setting 'wide'"),
        ({"held_out": 40}, "held_out"),
        ({"budget": -1.0}, "budget"),
    ],
)
def test_settings_that_are_refused(settings: dict[str, object], match: str) -> None:
    with pytest.raises(ConfigError, match=match):
        train(waves(4, 8, 8), **settings)


def test_network_starts_as_an_interpolation() -> None:
    """An untrained flow predicts a plane from its neighbours."""
    network = Network(1, couplings=(0,), width=4, blocks=1, coupling_width=4, components=1)
    plane = torch.arange(16.0)[:, None] + 2 * torch.arange(16.0)
    noise = torch.randn(16, 16, generator=torch.Generator().manual_seed(0)).round() * 30
    with torch.inference_mode():
        bits = [float(network.levels[0](x.view(1, 1, 16, 16))[1]) / 192 for x in (plane, noise)]
    assert bits[0] < bits[1] - 1
