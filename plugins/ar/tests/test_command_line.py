"""Images through the `codecs` command: a model of one's own, folders of many sizes, one image of many."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from codecs_ar import codecs_register_models
from codecs_ar.testing import random_model
from PIL import Image
from typer.testing import CliRunner

from codecs_core.cli.app import app


def codecs(*args: object) -> Any:
    """Run a verb in this process."""
    return CliRunner().invoke(app, [str(a) for a in args], prog_name="codecs")


def make_folder(folder: Path) -> Path:
    """Gradients with a little noise, of four sizes, one of them a single pixel."""
    rng = np.random.default_rng(0)
    (folder / "images").mkdir()
    for number, (h, w) in enumerate([(1, 1), (20, 31), (17, 16), (40, 24), (20, 31), (9, 50)]):
        ramp = np.add.outer(3 * np.arange(h), 2 * np.arange(w))[:, :, None] + [0, 30, 60]
        x = (ramp + rng.integers(0, 3, ramp.shape)).clip(0, 255).astype(np.uint8)
        Image.fromarray(x).save(folder / "images" / f"{number}.png")
    return folder / "images"


def test_a_model_of_ones_own(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    folder, model, file = make_folder(tmp_path), tmp_path / "own.safetensors", tmp_path / "a.ccf"
    small = ["--set", "hidden=[12]", "--set", "components=2", "--set", "batch=256"]
    result = codecs("train", "ar.image", folder, "--out", model, "--budget", "1s", *small)
    assert result.exit_code == 0, result.stderr
    assert sorted(os.listdir(tmp_path)) == ["images", "own.safetensors"]
    result = codecs("encode", folder, file, "--codec", "ar.image", "--model", model, "--embed-model")
    assert result.exit_code == 0, result.stderr
    model.unlink()
    result = codecs("decode", file, tmp_path / "back")
    assert result.exit_code == 0, result.stderr
    for path in folder.iterdir():
        assert np.array_equal(np.asarray(Image.open(tmp_path / "back" / path.name)), np.asarray(Image.open(path)))


def test_one_image_of_many(tmp_path: Path) -> None:
    x = np.random.default_rng(1).integers(0, 256, (9, 12, 10, 3), np.uint8)
    np.save(tmp_path / "x.npy", x)
    random_model().save(tmp_path / "m.safetensors")
    encode = ["encode", tmp_path / "x.npy", tmp_path / "x.ccf", "--codec", "ar.image", "--embed-model", "--chunk", 1]
    assert codecs(*encode, "--model", tmp_path / "m.safetensors").exit_code == 0
    assert codecs("decode", tmp_path / "x.ccf", tmp_path / "one.npy", "--items", "4:5").exit_code == 0
    assert np.array_equal(np.load(tmp_path / "one.npy"), x[4:5])
    info = json.loads(codecs("info", tmp_path / "x.ccf", "--json").stdout)
    assert info["entries"][0]["chunks"] == 9


@pytest.mark.parametrize(
    ("array", "word"),
    [(np.zeros((5, 5, 3), np.float32), "float32"), (np.zeros((5, 5), np.uint8), "2 to 16 channels")],
)
def test_what_is_refused(tmp_path: Path, array: Any, word: str) -> None:
    np.save(tmp_path / "x.npy", array)
    random_model().save(tmp_path / "m.safetensors")
    result = codecs(
        "encode", tmp_path / "x.npy", tmp_path / "x.ccf", "--codec", "ar.image", "--model", tmp_path / "m.safetensors"
    )
    assert result.exit_code == 2
    assert word in result.stderr.splitlines()[-1]
    assert not (tmp_path / "x.ccf").exists()


@pytest.mark.skipif(not codecs_register_models(), reason="no model")
def test_auto_takes_it(tmp_path: Path) -> None:
    """For a photograph in colour, and for one in grey."""
    with Image.open("samples/photos/parrots.png") as image:
        part = image.crop((100, 40, 228, 136))
    for mode in ("RGB", "L"):
        part.convert(mode).save(tmp_path / f"{mode}.png")
        result = codecs("encode", tmp_path / f"{mode}.png", tmp_path / f"{mode}.ccf")
        assert result.exit_code == 0, result.stderr
        info = json.loads(codecs("info", tmp_path / f"{mode}.ccf", "--json").stdout)
        assert info["entries"][0]["codec"] == "ar.image"
