"""Training makes models that code."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from codecs_bbans.codec import VAECodec, item_bits

import codecs_core as cc
from codecs_core.arrays import ArraySpec
from codecs_core.errors import ConfigError, UnsupportedArrayError

torch = pytest.importorskip("torch")

from codecs_bbans.train import train  # noqa: E402

SMALL = {"latents": 4, "hidden": 16, "components": 3}


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """More only wait for each other, with networks as small as these."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def make_items(n: int, *, high: int = 255, seed: int = 0) -> Any:
    """Squares that differ in place and brightness: one latent or two say nearly all."""
    rng = np.random.default_rng(seed)
    x = np.zeros((n, 6, 6), np.uint8)
    for item, (i, j) in zip(x, rng.integers(0, 4, (n, 2)), strict=True):
        item[i : i + 3, j : j + 3] = high if high == 1 else rng.integers(high // 2, high)
    return x


def check_round_trip(model: Any, x: Any) -> float:
    codec = VAECodec(model=model)
    payload = codec.encode(x)
    np.testing.assert_array_equal(codec.decode(payload, ArraySpec.of(x)), x)
    return 8 * len(payload) / x.size


@pytest.mark.parametrize("high", [1, 255])
def test_a_model_trained_for_two_seconds(high: int) -> None:
    reports: list[tuple[float, str]] = []
    model = train(make_items(400, high=high), budget=2.0, progress=lambda *a: reports.append(a), **SMALL)
    assert model.config["likelihood"] == ("bernoulli" if high == 1 else "mixture")
    assert model.config["item_shape"] == [6, 6]
    fresh = make_items(500, high=high, seed=1)
    rate = check_round_trip(model, fresh)
    # untrained, it would be 1 or 8 bits a value
    assert rate < (0.95 if high == 1 else 6.5)
    fractions = [f for f, _ in reports]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert "bits per value" in reports[-1][1]


def test_freezing_costs_little() -> None:
    from codecs_bbans.train import Settings, learn

    from codecs_core.learn import Run, evidence_bits

    network, model = learn(make_items(2000), Settings(epochs=20, seed=3, **SMALL), Run(name="squares"))
    x = make_items(2000, seed=1)
    exact = np.mean([evidence_bits(network, torch.from_numpy(x.reshape(2000, -1))) for _ in range(10)])
    frozen = item_bits(VAECodec(model=model), x) / x.size
    assert abs(frozen - exact) < 0.02 * exact
    assert model.name == "squares"


@pytest.mark.parametrize("dtype", ["bool", "uint8"])
def test_the_same_seed_gives_the_same_model(dtype: str) -> None:
    x = make_items(100, high=1).astype(dtype)
    models = [train(x, epochs=2, seed=seed, **SMALL) for seed in (5, 5, 6)]
    assert models[0].data == models[1].data
    assert models[0].data != models[2].data


def test_binarised_data() -> None:
    model = train(make_items(100), epochs=2, binarise=True, **SMALL)
    assert model.config["likelihood"] == "bernoulli"
    check_round_trip(model, make_items(50, high=1).astype(bool))


@pytest.mark.parametrize("shape", [(60, 5), (60, 2, 3, 2), (60, 1)])
def test_items_of_any_shape(shape: tuple[int, ...]) -> None:
    x = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    check_round_trip(train(x, epochs=1, **SMALL), x)


def test_constant_data() -> None:
    """A network that has nothing to tell apart has layers of zeros."""
    x = np.full((50, 3, 3), 7, np.uint8)
    assert check_round_trip(train(x, epochs=1, **SMALL), x) < 9
    check_round_trip(train(np.zeros((50, 3, 3), bool), epochs=1, **SMALL), np.zeros((50, 3, 3), bool))


@pytest.mark.parametrize(
    "x",
    [
        np.zeros((39, 4), np.uint8),
        np.zeros((100, 4), np.int16),
        np.zeros((100, 4), np.float32),
        np.zeros((), np.uint8),
        np.zeros((100, 0), np.uint8),
        np.zeros((0, 4), np.uint8),
    ],
)
def test_other_data_is_refused(x: Any) -> None:
    with pytest.raises(UnsupportedArrayError, match="40 items"):
        train(x, epochs=1, **SMALL)


@pytest.mark.parametrize(
    "settings",
    [
        {"latents": 0},
        {"hidden": -1},
        {"batch": 0},
        {"hidden": 2.5},
        {"components": 1},
        {"components": 65},
        {"components": "8"},
        {"epochs": -1},
        {"budget": 0.0},
        {"budget": float("nan")},
        {"rate": 0.0},
        {"decay": -1.0},
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        train(make_items(100), **{"epochs": 1, **SMALL, **settings})


def test_unknown_settings_are_refused() -> None:
    with pytest.raises((ConfigError, TypeError)):
        cc.train("bbans.vae", make_items(100), budget=1.0, nonsense=3)
