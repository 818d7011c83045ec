"""`inr.image` through the `codecs` command: any resolution, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from codecs_inr.testing import random_model
from PIL import Image
from typer.testing import CliRunner

import codecs_core as cc
from codecs_core.cli.app import app
from codecs_core.testing import Draw

MODEL = random_model()


def codecs(*args: object) -> Any:
    """Run a verb in this process."""
    return CliRunner().invoke(app, [str(a) for a in args], prog_name="codecs")


@pytest.fixture
def held(tmp_path: Path) -> Path:
    x = Draw(1)(0, 255, 12, 10, 3).astype(np.uint8)
    Image.fromarray(x).save(tmp_path / "x.png")
    MODEL.save(tmp_path / "m.safetensors")
    path = tmp_path / "x.ccf"
    result = codecs(
        "encode",
        tmp_path / "x.png",
        path,
        "--codec",
        "inr.image",
        "--model",
        tmp_path / "m.safetensors",
        "--embed-model",
    )
    assert result.exit_code == 0, result.stderr
    return path


def test_an_image_of_another_resolution(held: Path, tmp_path: Path) -> None:
    result = codecs("decode", held, tmp_path / "small.png", "--scale", "1/2")
    assert result.exit_code == 0, result.stderr
    assert "at scale 1/2" in result.stdout
    assert "this is not the data" in result.stdout
    with cc.open(held) as file:
        [name] = file
        np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "small.png")), file[name].scaled(0.5))
    assert codecs("decode", held, tmp_path / "part.png", "--scale", 4, "--items", "3:6,0:5").exit_code == 0
    assert np.asarray(Image.open(tmp_path / "part.png")).shape == (12, 20, 3)


@pytest.mark.parametrize(
    ("scale", "words"),
    [("0", "a scale must be a number"), ("big", "a scale must be a number"), ("1/50", "take a larger scale")],
)
def test_scales_that_are_none(held: Path, tmp_path: Path, scale: str, words: str) -> None:
    result = codecs("decode", held, tmp_path / "y.png", "--scale", scale)
    assert result.exit_code == 2
    assert words in result.stderr
    assert not (tmp_path / "y.png").exists()


def test_an_interrupted_fit_leaves_nothing(held: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("codecs_inr.encoder.tell", interrupted)
    before = sorted(tmp_path.iterdir())
    for path in tmp_path / "new.ccf", held:
        content = held.read_bytes()
        model = ("--codec", "inr.image", "--model", tmp_path / "m.safetensors")
        result = codecs("encode", tmp_path / "x.png", path, *model)
        assert result.exit_code == 130
        assert "nothing half-written is left behind" in result.stderr
        assert sorted(tmp_path.iterdir()) == before
        assert held.read_bytes() == content


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.full((4, 5, 3), np.nan, np.float32), "takes uint8"),
        (np.full((4, 5, 3), np.inf), "takes uint8"),
        (np.zeros((4, 5), np.uint8), "takes images of 3 channels"),
        (np.zeros((4, 5, 4), np.uint8), "takes images of 3 channels"),
        (np.zeros(9, np.uint8), "takes uint8 with 2 or 3 or 4 dimensions"),
    ],
)
def test_arrays_that_are_refused(held: Path, tmp_path: Path, array: Any, words: str) -> None:
    np.save(tmp_path / "y.npy", array)
    model = ("--codec", "inr.image", "--model", tmp_path / "m.safetensors")
    result = codecs("encode", tmp_path / "y.npy", tmp_path / "y.ccf", *model)
    assert result.exit_code == 2
    assert words in " ".join(result.stderr.split())
    assert not (tmp_path / "y.ccf").exists()


@pytest.mark.parametrize("model", [(), ("--model", "cifar10-3")])
def test_a_rate_that_no_model_has(held: Path, tmp_path: Path, model: tuple[str, ...]) -> None:
    """It says which there are."""
    result = codecs("encode", tmp_path / "x.png", tmp_path / "y.ccf", "--codec", "inr.image", *model)
    assert result.exit_code == (3 if model else 2)
    said = " ".join(result.stderr.split())
    assert "cifar10-1" in said
    assert "cifar10-2" in said
    if not model:
        assert "0.94 bits per pixel" in said
    assert not (tmp_path / "y.ccf").exists()


def test_a_codec_without_scale(tmp_path: Path) -> None:
    cc.save(tmp_path / "x.ccf", np.arange(9), codec="classic.zlib")
    result = codecs("decode", tmp_path / "x.ccf", tmp_path / "y.npy", "--scale", 2)
    assert result.exit_code == 2
    assert "has no scale: codec classic.zlib cannot evaluate it at another resolution" in " ".join(
        result.stderr.split()
    )
    result = codecs("decode", tmp_path / "x.ccf", tmp_path / "y.npy", "--scale", 2, "--preview", 1)
    assert result.exit_code == 2
    assert "give one of them" in " ".join(result.stderr.split())
