"""Images through the `codecs` command: a model of one's own, folders of many sizes, one image of many, previews."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from codecs_idf.testing import random_model
from PIL import Image
from typer.testing import CliRunner

import codecs_core as cc
from codecs_core.cli.app import app

SMALL = [
    part
    for setting in ("couplings=[1,1]", "width=8", "blocks=1", "coupling_width=8", "components=2", "crop=16", "batch=4")
    for part in ("--set", setting)
]


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
    result = codecs("train", "idf.image", folder, "--out", model, "--budget", "1s", *SMALL)
    assert result.exit_code == 0, result.stderr
    assert sorted(os.listdir(tmp_path)) == ["images", "own.safetensors"]
    result = codecs("encode", folder, file, "--codec", "idf.image", "--model", model, "--embed-model")
    assert result.exit_code == 0, result.stderr
    model.unlink()
    code = "from codecs_core.cli import main; main()"
    verb = [sys.executable, "-c", code, "decode", str(file), str(tmp_path / "back")]
    subprocess.run(verb, check=True, timeout=60)
    for path in folder.iterdir():
        assert np.array_equal(np.asarray(Image.open(tmp_path / "back" / path.name)), np.asarray(Image.open(path)))


def test_an_interrupted_training_goes_on(tmp_path: Path) -> None:
    """A checkpoint left by a run that was killed is where the next one starts."""
    pytest.importorskip("torch")
    from codecs_idf.train import Settings, fit

    from codecs_core import media
    from codecs_core.learn import Run
    from codecs_core.learn import image_list as as_images

    folder, model = make_folder(tmp_path), tmp_path / "own.safetensors"
    images = as_images([s.read() for _, s in sorted(media.read([folder]).items())])
    settings = Settings(couplings=(1, 1), width=8, blocks=1, coupling_width=8, components=2, crop=16, batch=4)
    fit(images[:-1], images[-1:], settings, Run(budget=0.3, checkpoint=f"{model}.checkpoint"))
    result = codecs("train", "idf.image", folder, "--out", model, "--budget", "2s", *SMALL)
    assert result.exit_code == 0, result.stderr
    assert "goes on" in result.stderr
    assert sorted(os.listdir(tmp_path)) == ["images", "own.safetensors"]


def test_one_image_of_many(tmp_path: Path) -> None:
    x = np.random.default_rng(1).integers(0, 256, (9, 12, 10, 3), np.uint8)
    np.save(tmp_path / "x.npy", x)
    random_model().save(tmp_path / "m.safetensors")
    encode = ["encode", tmp_path / "x.npy", tmp_path / "x.ccf", "--codec", "idf.image", "--embed-model", "--chunk", 1]
    assert codecs(*encode, "--model", tmp_path / "m.safetensors").exit_code == 0
    assert codecs("decode", tmp_path / "x.ccf", tmp_path / "one.npy", "--items", "4:5").exit_code == 0
    assert np.array_equal(np.load(tmp_path / "one.npy"), x[4:5])
    info = json.loads(codecs("info", tmp_path / "x.ccf", "--json").stdout)
    assert info["entries"][0]["chunks"] == 9


def test_preview(tmp_path: Path) -> None:
    x = np.random.default_rng(2).integers(0, 256, (12, 10, 3), np.uint8)
    cc.save(tmp_path / "x.ccf", x, codec="idf.image", model=random_model(), embed_model=True)
    result = codecs("decode", tmp_path / "x.ccf", tmp_path / "coarse.png", "--preview", 1)
    assert result.exit_code == 0, result.stderr
    assert "preview" in result.stdout
    assert np.asarray(Image.open(tmp_path / "coarse.png")).shape == x.shape


@pytest.mark.parametrize(
    ("array", "word"),
    [
        (np.zeros((5, 5, 3), np.uint16), "uint16"),
        (np.zeros((5, 5), np.uint8), "3 channels"),
        (np.zeros((5, 5, 4), np.uint8), "3 channels"),
    ],
)
def test_what_is_refused(tmp_path: Path, array: Any, word: str) -> None:
    np.save(tmp_path / "x.npy", array)
    random_model().save(tmp_path / "m.safetensors")
    result = codecs(
        "encode", tmp_path / "x.npy", tmp_path / "x.ccf", "--codec", "idf.image", "--model", tmp_path / "m.safetensors"
    )
    assert result.exit_code == 2
    assert word in result.stderr.splitlines()[-1]
    assert not (tmp_path / "x.ccf").exists()


def test_bench_leaves_out_models_of_other_images(tmp_path: Path) -> None:
    """Grey digits are nothing for a model of colours: no failure, a line that says so."""
    np.save(tmp_path / "grey.npy", np.zeros((3, 8, 8), np.uint8))
    result = codecs("bench", tmp_path / "grey.npy", "--json")
    assert result.exit_code == 0, result.stderr
    (group,) = json.loads(result.stdout)["groups"]
    assert {one["kind"] for one in group["left_out"] if one["codec"] == "idf.image"} == {"unsupported"}
