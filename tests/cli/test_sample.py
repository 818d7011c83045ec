"""`codecs sample`: a picture of what a model holds likely."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import codecs_core as cc
from codecs_core import media
from codecs_core.cli.app import app

testing = pytest.importorskip("codecs_bbans.testing")


def codecs(*arguments: object) -> Any:
    return CliRunner().invoke(app, ["sample", *(str(a) for a in arguments)], prog_name="codecs")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    testing.random_model("mixture", (6, 5)).save(tmp_path / "model.safetensors")
    return tmp_path / "model.safetensors"


def test_a_stack(model: Path, tmp_path: Path) -> None:
    done = codecs(model, tmp_path / "x.npy", "--items", 3, "--seed", 7)
    assert done.exit_code == 0, done.output
    assert "3 samples" in done.output
    found = np.load(tmp_path / "x.npy")
    assert np.array_equal(found, cc.get_codec("bbans.vae", model=model).sample(3, seed=7))


def test_an_image_has_them_side_by_side(model: Path, tmp_path: Path) -> None:
    assert codecs(model, tmp_path / "x.png", "--items", 5).exit_code == 0
    picture = next(iter(media.read([tmp_path / "x.png"]).values())).load()
    assert picture.shape == (2 * 6, 3 * 5)
    stack = cc.get_codec("bbans.vae", model=model).sample(5)
    assert np.array_equal(picture[:6, 5:10], stack[1])
    assert np.array_equal(picture[6:, :5], stack[3])
    assert not picture[6:, 10:].any()


def test_what_is_there_is_replaced_only_by_force(model: Path, tmp_path: Path) -> None:
    (tmp_path / "x.npy").write_bytes(b"mine")
    assert codecs(model, tmp_path / "x.npy").exit_code == 1
    assert (tmp_path / "x.npy").read_bytes() == b"mine"
    assert codecs(model, tmp_path / "x.npy", "--force").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "status", "text"),
    [
        (["--size", "32"], 2, "--size takes a height and a width"),
        (["--size", "0x4"], 2, "--size takes a height and a width"),
        (["--size", "4x99999999999"], 2, "--size takes a height and a width"),
        (["--seed", 1 << 31], 2, "seed must be an integer from 0"),
        (["--size", "6x4"], 2, "makes images of 6x5 alone, not of 6x4"),
        (["--size", "5000x5000", "--items", 100], 2, "2,500,000,000 pixels, and samples at most 4,194,304"),
        (["--size", "6x5", "--between", "a.png", "b.png"], 2, "--size is for samples"),
    ],
)
def test_wrong_usage(model: Path, tmp_path: Path, arguments: list[object], status: int, text: str) -> None:
    done = codecs(model, tmp_path / "x.png", *arguments)
    assert done.exit_code == status
    assert text in done.output
    assert not (tmp_path / "x.png").exists()


def test_the_one_size_may_be_named(model: Path, tmp_path: Path) -> None:
    assert codecs(model, tmp_path / "x.png", "--size", "6x5").exit_code == 0


def test_a_model_that_is_not_there(tmp_path: Path) -> None:
    assert codecs("no-such-model", tmp_path / "x.png").exit_code == 3


def test_a_codec_without_samples(tmp_path: Path) -> None:
    rec = pytest.importorskip("codecs_rec.testing")
    rec.random_model().save(tmp_path / "other.safetensors")
    done = codecs(tmp_path / "other.safetensors", tmp_path / "x.png")
    assert done.exit_code == 2
    assert "has no samples" in done.output


def test_images_on_the_way_from_one_to_another(tmp_path: Path) -> None:
    flows = pytest.importorskip("codecs_lbb.testing")
    flows.random_model(3).save(tmp_path / "flow.safetensors")
    codec, ends = cc.get_codec("lbb.flow", model=tmp_path / "flow.safetensors"), []
    for name, seed in ("a", 1), ("b", 2):
        image = codec.sample(1, (8, 8), seed=seed)[0]
        media.write(tmp_path / f"{name}.png", [("", image)], {"": {}})
        ends.append(image)
    between = ["--between", tmp_path / "a.png", tmp_path / "b.png"]
    done = codecs(tmp_path / "flow.safetensors", tmp_path / "x.npy", "--items", 4, *between)
    assert done.exit_code == 0, done.output
    assert "4 images from one to the other" in done.output
    found = np.load(tmp_path / "x.npy")
    assert np.array_equal(found, codec.between(*ends, 4))


def test_ends_that_are_no_image(model: Path, tmp_path: Path) -> None:
    np.savez(tmp_path / "two.npz", a=np.zeros((6, 5), np.uint8), b=np.zeros((6, 5), np.uint8))
    done = codecs(model, tmp_path / "x.png", "--between", tmp_path / "two.npz", tmp_path / "two.npz")
    assert done.exit_code == 2
    assert "holds 2 arrays" in done.output


def test_grey_samples_with_an_axis_of_channels(tmp_path: Path) -> None:
    flows = pytest.importorskip("codecs_lbb.testing")
    flows.random_model(1).save(tmp_path / "grey.safetensors")
    assert codecs(tmp_path / "grey.safetensors", tmp_path / "x.png", "--items", 4, "--size", "8x8").exit_code == 0
    assert next(iter(media.read([tmp_path / "x.png"]).values())).load().shape == (16, 16)
