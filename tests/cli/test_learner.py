"""What the verbs do for codecs that train on items of many shapes, go on with training, and have previews."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import codecs_core as cc
from codecs_core import registry
from codecs_core.cli.app import app
from codecs_core.cli.progress import notes
from codecs_core.errors import ConfigError
from codecs_core.models import Model


def pixels(*shape):
    return np.random.Generator(np.random.Philox(3)).integers(0, 256, shape).astype(np.uint8)


@dataclass(frozen=True, kw_only=True)
class Planes(cc.Codec):
    """The high halves of bytes and then the low ones. Training notes what it was given and takes three steps."""

    id = "test.planes"
    info = cc.CodecInfo(
        summary="coarse to fine", dtypes=("uint8",), ndim=(2, 3, 4), trainable=True, ragged=True, resumable=True
    )
    given: ClassVar[list] = []
    ends: ClassVar[list] = []

    def _encode(self, chunk):
        return (chunk >> 4).tobytes() + (chunk & 15).tobytes()

    def _decode(self, payload, spec):
        return self._preview(payload, spec, 2)

    def _preview(self, payload, spec, levels):
        planes = np.frombuffer(payload, "u1").reshape(2, *spec.shape)
        high, low = (plane * (k < levels) for k, plane in enumerate(planes))
        return high << 4 | low

    @classmethod
    def train(cls, data, *, budget, progress=None, checkpoint=None, sign="x"):
        cls.given[:] = [data]
        state = checkpoint.read_text() if checkpoint.exists() else ""
        if state.strip(sign):
            raise ConfigError(f"{checkpoint} is a checkpoint of other settings; delete it")
        while len(state) < 3:
            state += sign
            checkpoint.write_text(state)
            if cls.ends:
                raise cls.ends.pop()
        return Model.create(codec=cls.id, config={"state": state}, tensors={})


class OneShape(Planes):
    """The same, but for items of one shape, and always from the beginning."""

    id = "test.one-shape"
    info = cc.CodecInfo(summary="one shape", dtypes=("uint8",), ndim=(2, 3, 4), trainable=True)

    @classmethod
    def train(cls, data, *, budget, progress=None):
        if cls.ends:
            raise cls.ends.pop()
        return Model.create(codec=cls.id, config={"shape": list(data.shape)}, tensors={})


class Plugin:
    @staticmethod
    @registry.hookimpl
    def codecs_register():
        return [
            cc.CodecSpec(id=cls.id, implementation=f"{__name__}:{cls.__name__}", info=cls.info)
            for cls in (Planes, OneShape)
        ]


@pytest.fixture(autouse=True)
def _registry(monkeypatch):
    known = registry.Registry()
    known.register(Plugin, name="codecs-test")
    for place in ("codecs_core.registry", "codecs_core.api.opening.file", "codecs_core.api.saving.save"):
        monkeypatch.setattr(f"{place}.default", lambda: known)
    Planes.given.clear()
    Planes.ends.clear()


def codecs(*args):
    return CliRunner().invoke(app, [str(a) for a in args], prog_name="codecs")


def trained(out: Path, *data):
    """What training was given."""
    result = codecs("train", "test.planes", *data, "--out", out)
    assert result.exit_code == 0, result.stderr
    return Planes.given[0], result.stderr


# --- items of many shapes ----------------------------------------------------------------------


def image(folder: Path, name: str, *shape):
    folder.mkdir(exist_ok=True)
    array = pixels(*shape)
    Image.fromarray(array).save(folder / name)
    return array


def test_images_of_many_sizes(tmp_path):
    folder = tmp_path / "in"
    images = {name: image(folder, name, *shape) for name, shape in {
        "c.png": (5, 9, 3), "a.png": (20, 20, 3), "d.png": (5, 9, 3), "b.png": (7, 1, 3),
    }.items()}  # fmt: skip
    image(folder, "grey.png", 8, 8)
    image(folder, "see-through.png", 8, 8, 4)
    np.save(folder / "words.npy", np.arange(5.0))
    data, talk = trained(tmp_path / "m.safetensors", folder)
    assert isinstance(data, list)
    for one, name in zip(data, sorted(images), strict=True):
        np.testing.assert_array_equal(one, images[name])
    assert "training test.planes on 4 items of uint8 and 3 shapes\n" in talk
    for name in ("grey.png", "see-through.png", "words.npy"):
        assert f"left out '{name}': " in talk
    assert talk.count("left out") == 3
    assert "since items are of one dtype and number of channels" in talk


def test_stacks_and_images_become_items(tmp_path):
    stack = pixels(3, 6, 6, 3)
    np.save(tmp_path / "stack.npy", stack)
    np.save(tmp_path / "none.npy", stack[:0])
    like = [image(tmp_path / "like", f"{n}.png", 4, 5, 3) for n in range(2)]
    arrays = tmp_path / "arrays"
    arrays.mkdir()
    for n in (7, 8):
        np.save(arrays / f"{n}.npy", stack[0, :, :n])
    np.save(arrays / "9.npy", pixels(9, 9, 3))
    alone = image(tmp_path / "one", "a.png", 2, 2, 3)
    sources = [tmp_path / name for name in ("like", "stack.npy", "none.npy", "arrays", "one/a.png")]
    data, _ = trained(tmp_path / "m.safetensors", *sources)
    due = [*like, *stack, stack[0, :, :7], stack[0, :, :8], pixels(9, 9, 3), alone]
    for one, expected in zip(data, due, strict=True):
        np.testing.assert_array_equal(one, expected)


@pytest.mark.parametrize("shape", [(4, 6, 6, 3), (4, 6, 6), (4, 6), (1, 2, 2, 3)])
def test_one_array_stays_one(tmp_path, shape):
    np.save(tmp_path / "x.npy", pixels(*shape))
    data, talk = trained(tmp_path / "m.safetensors", tmp_path / "x.npy")
    assert isinstance(data, np.ndarray)
    np.testing.assert_array_equal(data, pixels(*shape))
    assert f"{shape[0]} item" in talk
    for n in range(2):
        image(tmp_path / "like", f"{n}.png", 5, 5)
    data, _ = trained(tmp_path / "m.safetensors", tmp_path / "like")
    assert data.shape == (2, 5, 5)


def test_one_image_is_one_item(tmp_path):
    array = image(tmp_path, "a.png", 5, 6, 3)
    data, talk = trained(tmp_path / "m.safetensors", tmp_path / "a.png")
    assert [one.shape for one in data] == [(5, 6, 3)]
    np.testing.assert_array_equal(data[0], array)
    assert "1 item of uint8 and shape (5, 6, 3)\n" in talk


def test_without_ragged_items_have_one_shape(tmp_path):
    np.savez(tmp_path / "x.npz", a=pixels(4, 6, 6), b=pixels(3, 6, 6), c=pixels(4, 5, 5))
    result = codecs("train", "test.one-shape", tmp_path / "x.npz", "--out", tmp_path / "m.safetensors")
    assert result.exit_code == 0, result.stderr
    assert Model.from_file(tmp_path / "m.safetensors").config == {"shape": [7, 6, 6]}
    assert "since items are of one dtype and shape\n" in result.stderr


# --- training that goes on ---------------------------------------------------------------------


@pytest.fixture
def stack(tmp_path):
    np.save(tmp_path / "x.npy", pixels(4, 6, 6))
    return tmp_path / "x.npy"


def test_an_interrupt_and_the_same_command_again(tmp_path, stack):
    verb = ["train", "test.planes", stack, "--out", tmp_path / "m.safetensors"]
    checkpoint = tmp_path / "m.safetensors.checkpoint"
    Planes.ends[:] = [KeyboardInterrupt(), KeyboardInterrupt()]
    for state in ("x", "xx"):
        result = codecs(*verb)
        assert result.exit_code == 130
        assert result.stderr.splitlines()[-1] == f"interrupted; the same command goes on from {checkpoint}"
        assert ("training goes on from" in result.stderr) == (state == "xx")
        assert checkpoint.read_text() == state
        assert sorted(os.listdir(tmp_path)) == [checkpoint.name, "x.npy"]
    result = codecs(*verb)
    assert result.exit_code == 0, result.stderr
    assert f"training goes on from {checkpoint}; delete that file to start from the beginning\n" in result.stderr
    assert Model.from_file(tmp_path / "m.safetensors").config == {"state": "xxx"}
    assert sorted(os.listdir(tmp_path)) == ["m.safetensors", "x.npy"]


def test_a_checkpoint_stays_until_the_model_is_there(tmp_path, stack, monkeypatch):
    verb = ["train", "test.planes", stack, "--out", tmp_path / "m.safetensors"]
    checkpoint = tmp_path / "m.safetensors.checkpoint"
    Planes.ends[:] = [MemoryError()]
    assert codecs(*verb).exit_code == 1
    assert checkpoint.read_text() == "x"
    result = codecs(*verb, "--set", "sign=y")
    assert (result.exit_code, "of other settings" in result.stderr) == (2, True)
    with monkeypatch.context() as patch:
        patch.setattr(Model, "save", lambda self, path: 1 / 0)
        assert codecs(*verb).exit_code == 70
    assert checkpoint.read_text() == "xxx"
    assert codecs(*verb).exit_code == 0
    assert not checkpoint.exists()


def test_checkpoints_that_would_do_harm(tmp_path, stack):
    out = tmp_path / "m.safetensors"
    checkpoint = stack.rename(tmp_path / "m.safetensors.checkpoint")
    before = checkpoint.read_bytes()
    for args in ([checkpoint], [checkpoint, "--set", "checkpoint=x"]):
        result = codecs("train", "test.planes", *args, "--out", out)
        assert (result.exit_code, result.stderr.startswith("error: ")) == (2, True)
    assert checkpoint.read_bytes() == before
    checkpoint.rename(tmp_path / "x.npy")
    checkpoint.mkdir()
    result = codecs("train", "test.planes", tmp_path / "x.npy", "--out", out)
    assert (result.exit_code, "is a folder" in result.stderr) == (1, True)


def test_training_that_cannot_go_on_keeps_nothing(tmp_path, stack):
    Planes.ends[:] = [KeyboardInterrupt()]
    (tmp_path / "m.safetensors.checkpoint").write_text("somebody's")
    result = codecs("train", "test.one-shape", stack, "--out", tmp_path / "m.safetensors")
    assert result.exit_code == 130
    assert result.stderr.endswith("\ninterrupted; nothing half-written is left behind\n")
    assert codecs("train", "test.one-shape", stack, "--out", tmp_path / "m.safetensors").exit_code == 0
    assert (tmp_path / "m.safetensors.checkpoint").read_text() == "somebody's"


# --- previews ----------------------------------------------------------------------------------


@pytest.fixture
def held(tmp_path):
    path = tmp_path / "a.ccf"
    cc.save(path, {"a": pixels(9, 5, 4), "b": pixels(7, 6)}, codec="test.planes", chunk=2)
    return path


def test_previews(tmp_path, held):
    result = codecs("decode", held, tmp_path / "all.npz", "--preview", 1)
    assert result.exit_code == 0, result.stderr
    assert result.stdout == f"{tmp_path / 'all.npz'}: 2 previews of 1 level, 222 B; this is not the data\n"
    with np.load(tmp_path / "all.npz") as found:
        assert set(found) == {"a", "b"}
        np.testing.assert_array_equal(found["a"], pixels(9, 5, 4) & 0xF0)
        np.testing.assert_array_equal(found["b"], pixels(7, 6) & 0xF0)
    result = codecs("decode", held, tmp_path / "some.npy", "--entry", "a", "--items", "3:6", "--preview", 0)
    assert result.stdout.endswith(": 1 preview of 0 levels, 60 B; this is not the data\n")
    np.testing.assert_array_equal(np.load(tmp_path / "some.npy"), np.zeros((3, 5, 4), np.uint8))
    result = codecs("decode", held, tmp_path / "data.npy", "--entry", "a")
    assert result.stdout.endswith(": 1 array, 180 B, every chunk as it was encoded\n")
    np.testing.assert_array_equal(np.load(tmp_path / "data.npy"), pixels(9, 5, 4))


@pytest.mark.parametrize("levels", ["-1", "x", "1.5"])
def test_levels_that_are_none(tmp_path, held, levels):
    result = codecs("decode", held, tmp_path / "x.npz", f"--preview={levels}")
    assert (result.exit_code, result.stdout) == (2, "")
    assert not (tmp_path / "x.npz").exists()


def test_codecs_without_previews_refuse(tmp_path):
    cc.save(tmp_path / "a.ccf", pixels(4, 5), codec="classic.zlib")
    result = codecs("decode", tmp_path / "a.ccf", tmp_path / "x.npy", "--preview", 1)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "error: codec classic.zlib has no previews\n"
    assert sorted(os.listdir(tmp_path)) == ["a.ccf"]


# --- what training says into a pipe -------------------------------------------------------------


def test_lines_now_and_then(monkeypatch, capsys):
    clock = iter([0, 10, 29, 30, 30, 50, 61, 61, 70])
    monkeypatch.setattr("codecs_core.cli.progress.time.monotonic", lambda: next(clock))
    with notes(None) as note:
        for step in range(6):
            note(step / 10, f"step {step}: \x1b 3.25 bits per value on what is held out")
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(":")[0] for line in lines] == [" 20%  step 2", " 40%  step 4", " 50%  step 5"]
    assert "\\x1b 3.25 bits per value" in lines[0]


def test_a_bar_needs_no_lines(capsys):
    seen = []
    with notes(lambda fraction, message: seen.append(message)) as note:
        note(1.0, "done")
    assert (seen, capsys.readouterr().err) == (["done"], "")


def test_an_interrupt_is_the_last_word(capsys):
    def interrupted():
        with notes(None) as note:
            note(0.5, "half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert capsys.readouterr().err == ""
