"""``codecs train rec.weights``: a network trained on labelled images is a small model file, and comes back from it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from typer.testing import CliRunner

import codecs_core as cc
from codecs_core.cli.app import app
from codecs_core.errors import CodecsError, ConfigError, ModelError, UnsupportedArrayError

torch = pytest.importorskip("torch")

from codecs_rec.weights.lenet import error, images_of, network_of  # noqa: E402
from codecs_rec.weights.train import moved  # noqa: E402

FAST = {"bits": 10.0, "block": 5, "steps": 100, "between": 0, "batch": 32}


def bars(n: int, seed: int = 0) -> dict[str, NDArray[Any]]:
    """Upright and lying bars in noise."""
    rng = np.random.default_rng(seed)
    images, labels = rng.integers(0, 60, (n, 16, 16)).astype(np.uint8), rng.integers(0, 2, n)
    for image, label, at in zip(images, labels, rng.integers(2, 12, n), strict=True):
        (image if label else image.T)[at : at + 3] += 150
    return {"images": images, "labels": labels.astype(np.uint8)}


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def test_a_network_from_the_command_line(tmp_path: Path) -> None:
    """As a model file of a kilobyte and a half, from which it comes back; the error that the file tells is that of what it holds."""
    np.savez(tmp_path / "bars.npz", **bars(240))
    settings = [part for key, value in FAST.items() for part in ("--set", f"{key}={value}")]
    out = tmp_path / "bars.safetensors"
    result = CliRunner().invoke(app, ["train", "rec.weights", str(tmp_path / "bars.npz"), "--out", str(out), *settings])
    assert result.exit_code == 0, result.output
    model = cc.load_model(out, codec="rec.weights")
    assert len(model.data) < 1700
    network, test = network_of(model), bars(300, 1)
    x, y = images_of(test["images"]), torch.from_numpy(test["labels"].astype(np.int64))
    assert error(network, x, y) < 0.25
    held = bars(240)
    x, y = images_of(held["images"][-12:]), torch.from_numpy(held["labels"][-12:].astype(np.int64))
    assert model.attrs["held_out"] == {"images": 12, "error": round(error(network, x, y), 5)}
    assert not out.with_name(out.name + ".checkpoint").exists()


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"images": bars(50)["images"]}, "no 'labels'"),
        ({"labels": bars(50)["labels"]}, "no 'images'"),
        ({"images": bars(50)["images"], "labels": bars(49)["labels"]}, "one an image"),
        ({"images": bars(50)["images"][:, :9], "labels": bars(50)["labels"]}, "16 x 16 pixels"),
        ({"images": bars(50)["images"], "labels": bars(50)["labels"] - 1.0}, "integers from 0"),
    ],
)
def test_data_that_is_refused(tmp_path: Path, arrays: dict[str, Any], message: str) -> None:
    """With status 2 and a sentence that says what is missing."""
    np.savez(tmp_path / "data.npz", **arrays)
    out = tmp_path / "out.safetensors"
    result = CliRunner().invoke(app, ["train", "rec.weights", str(tmp_path / "data.npz"), "--out", str(out)])
    assert result.exit_code == 2
    assert message in " ".join(result.output.split())
    assert not out.exists()


def test_images_are_moved() -> None:
    """By whole pixels, each on its own, with edges that go on."""
    x = torch.arange(36.0).view(1, 1, 6, 6).expand(20, 2, 6, 6)
    padded = torch.nn.functional.pad(x[:1], (2, 2, 2, 2), mode="replicate")
    all_ = [padded[:, :, i : i + 6, j : j + 6] for i in range(5) for j in range(5)]
    for image in moved(x, 2):
        assert any(torch.equal(image, one[0]) for one in all_)
    assert torch.equal(moved(x, 0), x)


def test_from_python() -> None:
    with pytest.raises(UnsupportedArrayError, match="'images' and 'labels'"):
        cc.train("rec.weights", bars(50)["images"])
    with pytest.raises(ConfigError, match="bits"):
        cc.train("rec.weights", bars(50), bits=17.0)


def test_other_models_are_no_networks() -> None:
    empty = cc.Model.create(codec="rec.weights", config={}, tensors={})
    with pytest.raises(ModelError, match="no network"):
        network_of(empty)
    config = {"item_shape": [16, 16, 1], "classes": 2, "bits": 8.0, "block": 400}
    with pytest.raises(CodecsError):
        network_of(empty.replaced(config=config, tensors={"payload": np.zeros(9, np.uint8)}))
