"""Models of one's own from the command line: `codecs train auto`, `--for`, `codecs encode --train`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

import codecs_core as cc
from codecs_core.cli.app import app
from codecs_core.models import given


@pytest.fixture(autouse=True)
def _alone() -> None:
    torch.set_num_threads(1)
    given.forget()


@pytest.fixture
def stack(tmp_path: Path) -> Path:
    """Bars of 9 to 12 rows in images of 16 x 12."""
    rng = np.random.default_rng(0)
    x = np.zeros((400, 16, 12), np.uint8)
    for image, top, bottom, column in zip(
        x, rng.integers(0, 4, 400), rng.integers(13, 16, 400), rng.integers(0, 8, 400), strict=True
    ):
        image[top:bottom, column : column + 4] = 250
    path = tmp_path / "bars.npy"
    np.save(path, x)
    return path


def codecs(*args: object, status: int = 0) -> str:
    result = CliRunner().invoke(app, [str(arg) for arg in args], prog_name="codecs")
    assert result.exit_code == status, result.output
    return result.output


def test_the_codec_for_the_data(stack: Path, tmp_path: Path) -> None:
    """For small images of one size; the model is sized for those to come, and it is told when it pays."""
    out = tmp_path / "m.safetensors"
    told = codecs("train", "auto", stack, "--out", out, "--for", 300, "--set", "steps=30", "--set", "reach=2")
    assert "training ar.stack on 400 items" in told
    assert "file and model are smaller than xz" in told
    model = cc.load_model(out)
    assert model.codec == "ar.stack"
    assert len(model.data) < 8000


def test_a_model_goes_into_the_file(stack: Path, tmp_path: Path) -> None:
    """It is tried beside all other codecs, and taken where it pays."""
    told = codecs("encode", stack, tmp_path / "a.ccf", "--train", "2s")
    assert "training ar.stack on 400 items" in told
    np.testing.assert_array_equal(cc.load(tmp_path / "a.ccf"), np.load(stack))
    codecs("encode", stack, tmp_path / "b.ccf")
    assert (tmp_path / "a.ccf").stat().st_size <= (tmp_path / "b.ccf").stat().st_size + 100
    codecs("encode", stack, tmp_path / "c.ccf", "--train", "2s", "--codec", "ar.stack")
    with cc.open(tmp_path / "c.ccf") as file:
        assert [entry.codec for entry in file.values()] == ["ar.stack"]
    given.forget()
    np.testing.assert_array_equal(cc.load(tmp_path / "c.ccf"), np.load(stack))


@pytest.mark.parametrize(
    ("args", "match"),
    [
        (["--train", "soon"], "soon"),
        (["--train", "1s", "--model", "mnist"], "give one of them, not both"),
    ],
)
def test_what_is_refused(stack: Path, tmp_path: Path, args: list[str], match: str) -> None:
    assert match in codecs("encode", stack, tmp_path / "a.ccf", *args, status=2)


def test_codecs_that_do_not_size_their_models(stack: Path, tmp_path: Path) -> None:
    told = codecs("train", "bbans.vae", stack, "--out", tmp_path / "m", "--for", 9, status=2)
    assert "--for is for codecs that size their models by it, which bbans.vae does not" in told


def test_no_codec_for_the_data(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros((90, 3)))
    told = codecs("train", "auto", tmp_path / "x.npy", "--out", tmp_path / "m.safetensors", status=2)
    assert "no installed codec trains on such data by itself" in told
