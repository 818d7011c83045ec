"""Training makes models that code."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from codecs_rec.codec import LosslessCodec
from codecs_rec.lossy.codec import LossyCodec
from typer.testing import CliRunner

import codecs_core as cc
from codecs_core.arrays import ArraySpec
from codecs_core.cli.app import app
from codecs_core.errors import ConfigError, UnsupportedArrayError

torch = pytest.importorskip("torch")

from codecs_rec.lossy.train import train as train_lossy  # noqa: E402
from codecs_rec.train import train as train_lossless  # noqa: E402


def train(x: Any, codec: str, **settings: Any) -> Any:
    """Train a model of either codec."""
    return (train_lossless if codec == LOSSLESS else train_lossy)(x, **settings)


SMALL_LOSSY: dict[str, Any] = {"width": 8, "depth": 1, "classes": 3, "block_bits": 5}
SMALL: dict[str, Any] = {"latents": 4, "hidden": 16, "components": 3, "block_bits": 5.0, "batch": 32, "rate": 0.01}
LOSSLESS, LOSSY = "rec.vae-lossless", "rec.vae"


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """More only wait for each other, with networks as small as these."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def make_items(n: int, *, high: int = 255, channels: int = 1, seed: int = 0) -> Any:
    """Squares that differ in place and brightness: few latents say nearly all."""
    rng = np.random.default_rng(seed)
    x = np.zeros((n, 6, 6, channels), np.uint8)
    for item, (i, j) in zip(x, rng.integers(0, 4, (n, 2)), strict=True):
        item[i : i + 3, j : j + 3] = high if high == 1 else rng.integers(high // 2, high)
    return x if channels > 1 else x[..., 0]


@pytest.mark.parametrize(("high", "channels", "kind"), [(1, 1, "bernoulli"), (255, 1, "mixture"), (255, 3, "colour")])
def test_a_lossless_model(high: int, channels: int, kind: str) -> None:
    reports: list[tuple[float, str]] = []
    x = make_items(400, high=high, channels=channels)
    model = train(x, LOSSLESS, epochs=25, progress=lambda *a: reports.append(a), **SMALL)
    assert model.config["likelihood"] == kind
    fresh = make_items(60, high=high, channels=channels, seed=1)
    codec = LosslessCodec(model=model)
    payload = codec.encode(fresh)
    np.testing.assert_array_equal(codec.decode(payload, ArraySpec.of(fresh)), fresh)
    # untrained, it would be 1 or 8 bits a value
    assert 8 * len(payload) / fresh.size < (0.9 if high == 1 else 6.5)
    fractions = [f for f, _ in reports]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert "bits per value" in reports[-1][1]


@pytest.mark.parametrize("high", [1, 255])
def test_a_lossy_model(high: int) -> None:
    """Better qualities cost more and err less."""
    model = train(make_items(300, high=high), LOSSY, epochs=4, **SMALL_LOSSY)
    fresh = make_items(200, high=high, seed=1)
    codecs = [LossyCodec(model=model, quality=q) for q in (1, 8)]
    sizes = [len(codec.encode(fresh)) for codec in codecs]
    errors = [
        np.square(codec.decode(codec.encode(fresh), ArraySpec.of(fresh)) - fresh.astype(float)).mean()
        for codec in codecs
    ]
    assert sizes[0] < sizes[1]
    # binary images may come back whole at both
    assert errors[1] < errors[0] or errors[1] == 0
    assert errors[1] < 0.5 * fresh.astype(float).var()


def test_the_same_seed_gives_the_same_model() -> None:
    x = make_items(100, high=1)
    models = [train(x, LOSSLESS, epochs=2, seed=seed, **SMALL) for seed in (5, 5, 6)]
    assert models[0].data == models[1].data
    assert models[0].data != models[2].data


def test_binarised_and_constant_data() -> None:
    model = train(make_items(100), LOSSLESS, epochs=1, binarise=True, **SMALL)
    assert model.config["likelihood"] == "bernoulli"
    for codec in (LOSSLESS, LOSSY):
        constant = np.full((50, 3, 3), 7, np.uint8)
        small = SMALL if codec == LOSSLESS else SMALL_LOSSY
        made = cc.get_codec(codec, model=train(constant, codec, epochs=1, **small))
        made.decode(made.encode(constant), ArraySpec.of(constant))


@pytest.mark.parametrize("codec", [LOSSLESS, LOSSY])
def test_the_command(codec: str, tmp_path: Path) -> None:
    data, model, file, back = (tmp_path / name for name in ("d.npy", "m.safetensors", "f.ccf", "b.npy"))
    np.save(data, make_items(60))
    sizes = ["hidden=8", "latents=3"] if codec == LOSSLESS else ["width=4", "depth=1"]
    small = [word for setting in [*sizes, "epochs=1", "block_bits=4"] for word in ("--set", setting)]
    runs: list[list[Any]] = [
        ["train", codec, data, "--out", model, "--budget", "1s", *small],
        ["encode", data, file, "--codec", codec, "--model", model],
        ["decode", file, back, "--model", model],
    ]
    for arguments in runs:
        result = CliRunner().invoke(app, [str(a) for a in arguments], prog_name="codecs")
        assert result.exit_code == 0, result.stderr
    assert np.load(back).shape == (60, 6, 6)
    if codec == LOSSLESS:
        np.testing.assert_array_equal(np.load(back), np.load(data))


@pytest.mark.parametrize(
    "x",
    [np.zeros((39, 4), np.uint8), np.zeros((100, 4), np.int16), np.zeros((100, 0), np.uint8), np.zeros((), np.uint8)],
)
def test_other_data_is_refused(x: Any) -> None:
    for codec in (LOSSLESS, LOSSY):
        with pytest.raises(UnsupportedArrayError, match="40"):
            train(x, codec, epochs=1)


@pytest.mark.parametrize("shape", [(50, 4), (50, 4, 4, 5), (50, 4, 4, 3, 1), (50, 300, 300)])
def test_lossy_models_are_of_small_images(shape: tuple[int, ...]) -> None:
    with pytest.raises(UnsupportedArrayError, match="small images"):
        train(np.zeros(shape, np.uint8), LOSSY, epochs=1)


def test_detail(tmp_path: Path) -> None:
    """It is trained beside a model, which it leaves as it is, and brings back what is between neighbours."""
    x = np.random.default_rng(3).integers(0, 256, (300, 8, 8, 3)).astype(np.uint8)
    model = train(x, LOSSY, epochs=1, **SMALL_LOSSY)
    model.save(path := tmp_path / "start.safetensors")
    artist = train(x, LOSSY, start=str(path), epochs=20, width=8, depth=1, batch=32, rate=0.01)
    tensors = artist.tensors()
    assert all(np.array_equal(tensors.pop(name), tensor) for name, tensor in model.tensors().items())
    assert tensors
    payload = LossyCodec(model=artist, quality=1).encode(x[:50])
    none, drawn = (
        LossyCodec(model=artist, quality=1, detail=d).decode(payload, ArraySpec.of(x[:50])).astype(float)
        for d in (0, 100)
    )
    assert np.square(np.diff(drawn, axis=1)).mean() > 1.2 * np.square(np.diff(none, axis=1)).mean()
    artist.save(path)
    with pytest.raises(ConfigError, match="draws no detail"):
        train(x, LOSSY, start=str(path), epochs=1)
    with pytest.raises(ConfigError, match="cannot start from"):
        train(x, LOSSY, start="no such model", epochs=1)


@pytest.mark.parametrize("detail", [False, True])
def test_a_lossy_training_goes_on(detail: bool, tmp_path: Path) -> None:
    """From the checkpoint of one that was interrupted."""
    x, small = make_items(60, channels=3), {**SMALL_LOSSY, "checkpoint": tmp_path / "state"}
    if detail:
        train(x, LOSSY, epochs=1, **SMALL_LOSSY).save(path := tmp_path / "start.safetensors")
        small["start"] = str(path)

    def interrupt(done: float, message: str) -> None:
        if message.startswith("step 3"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(x, LOSSY, epochs=4, progress=interrupt, **small)
    seen: list[str] = []
    train(x, LOSSY, epochs=4, progress=lambda _, message: seen.append(message), **small)
    assert [message[:6] for message in seen] == ["step 3", "step 4"]


@pytest.mark.parametrize(
    "settings", [{"sigma": 0.5}, {"width": 0}, {"classes": 1.0}, {"depth": -1}, {"block_bits": 18}, {"hidden": 3}]
)
def test_lossy_settings_out_of_range_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        train(make_items(100), LOSSY, **{"epochs": 1, **settings})


@pytest.mark.parametrize(
    "settings",
    [
        {"latents": -1},
        {"hidden": 0},
        {"batch": 0},
        {"components": 1},
        {"block_bits": 18},
        {"block_bits": "14"},
        {"epochs": -1},
        {"budget": float("nan")},
        {"rate": 0.0},
        {"decay": -1.0},
        {"seed": -1},
        {"binarise": 1},
        {"nonsense": 3},
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        train(make_items(100), LOSSLESS, **{"epochs": 1, **SMALL, **settings})
