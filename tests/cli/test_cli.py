"""The command line: what it prints, what it refuses, and what it ends with."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import codecs_core as cc
from codecs_core import container, registry
from codecs_core.api import File
from codecs_core.arrays import ArraySpec
from codecs_core.cli import arguments
from codecs_core.cli.app import app
from codecs_core.cli.output import shown, table
from codecs_core.container.folding import unfold
from codecs_core.errors import ConfigError
from codecs_core.limits import Limits

rng = np.random.Generator(np.random.Philox(7))
RAW = "classic.raw"
PROGRAM = shutil.which("codecs", path=Path(sys.executable).parent)


def codecs(*args):
    """Run the verbs in this process."""
    return CliRunner().invoke(app, [str(a) for a in args], prog_name="codecs")


def process(*args, **env):
    """Run the installed program."""
    return subprocess.run(
        [PROGRAM, *map(str, args)],
        capture_output=True,
        text=True,
        errors="replace",
        env={**os.environ, **env},
        timeout=60,
    )


def pixels(*shape):
    return (rng.integers(0, 4, shape) * 60).astype(np.uint8)


@pytest.fixture
def images(tmp_path):
    path = tmp_path / "images.npy"
    np.save(path, pixels(20, 8, 9))
    return path


@pytest.fixture
def held(tmp_path, images):
    path = tmp_path / "images.ccf"
    cc.save(path, np.load(images), codec="classic.zlib", chunk=6)
    return path


def written(path, entries, chunks, digests=None):
    """A container made by hand."""
    with path.open("wb") as file:
        writer = container.Writer(file, entries, limits=Limits(**dict.fromkeys(arguments.CAPS, 1 << 62)))
        for k, (entry, payload) in enumerate(zip(entries, chunks, strict=True)):
            writer.write_chunk(entry.name, 0, payload, digests[k] if digests else bytes(16))
        writer.close()
    return path


def entry(name="", shape=(4,), dtype="uint8", codec=RAW, **more):
    described = {
        "chunk": max(1, shape[0]),
        "codec_version": 1,
        "config": {},
        "model": None,
        "package": "codecs-classic",
    }
    described |= {"attrs": {}, **more}
    return container.Entry(name=name, spec=ArraySpec(shape, dtype), codec=codec, **described)


# --- round trips -------------------------------------------------------------------------------


def test_encode_info_verify_decode(tmp_path, images):
    dst = tmp_path / "a.ccf"
    result = codecs("encode", images, dst, "--codec", "classic.zlib", "--set", "level=5", "--chunk", 7, "--jobs", 2)
    assert result.exit_code == 0, result.stderr
    assert "1,440 bytes in" in result.stdout
    assert "bits per value" in result.stdout
    assert result.stderr == ""
    described = json.loads(codecs("info", dst, "--json").stdout)
    assert described["entries"][0]["config"] == {"level": 5}
    assert described["entries"][0]["chunks"] == 3
    assert described["bytes"]["total"] == dst.stat().st_size
    assert sum(described["bytes"][k] for k in ("payload", "header", "index", "models")) == described["bytes"]["total"]
    assert "classic.zlib with level=5: 1 array\n" in codecs("info", dst).stdout
    for options, how in ([], "byte matches its checksum"), (["--decode"], "chunk decodes to what was encoded"):
        result = codecs("verify", dst, *options)
        assert (result.exit_code, result.stdout) == (0, f"{dst}: ok; 1 array in 3 chunks; every {how}\n")
    assert json.loads(codecs("verify", dst, "--decode", "--json").stdout)["ok"] is True
    assert codecs("decode", dst, tmp_path / "back.npy").exit_code == 0
    assert np.array_equal(np.load(tmp_path / "back.npy"), np.load(images))


def test_auto_says_what_it_tried(tmp_path, images):
    result = codecs("encode", images, tmp_path / "a.ccf")
    assert result.exit_code == 0, result.stderr
    assert "classic.raw 1," in result.stderr
    assert "tried on" not in result.stdout


@pytest.mark.parametrize(
    ("items", "where"),
    [("3:6", np.s_[3:6]), (":2", np.s_[:2]), ("18:", np.s_[18:]), ("-2:", np.s_[-2:]), ("9:9", np.s_[9:9])],
)
def test_items(tmp_path, images, held, items, where):
    result = codecs("decode", held, tmp_path / "b.npy", f"--items={items}")
    assert result.exit_code == 0, result.stderr
    assert np.array_equal(np.load(tmp_path / "b.npy"), np.load(images)[where])


def test_chunks_and_items_in_all_axes(tmp_path, images):
    held, array = tmp_path / "a.ccf", np.load(images)
    result = codecs("encode", images, held, "--codec", RAW, "--chunk", "7x4x5")
    assert result.exit_code == 0, result.stderr
    assert "12 of 7 x 4 x 5" in codecs("info", held).stdout
    assert codecs("verify", held, "--decode").exit_code == 0
    assert codecs("view", held, tmp_path / "a.html").exit_code == 0
    result = codecs("decode", held, tmp_path / "b.npy", "--items=3:6,:,-4:")
    assert result.exit_code == 0, result.stderr
    assert np.array_equal(np.load(tmp_path / "b.npy"), array[3:6, :, -4:])
    for items, text in ("3:6,0:9", "within the 8 items along axis 1"), ("0:1,0:1,0:1,0:1", "needs 4 axes"):
        result = codecs("decode", held, tmp_path / "c.npy", f"--items={items}")
        assert (result.exit_code, text in result.stderr) == (2, True), result.stderr


@pytest.mark.parametrize("chunk", ["0", "-1", "3x", "x3", "3x0", "y=3,y=4", "y=", "=3", "three", "", "3,4"])
def test_chunks_that_are_none(tmp_path, images, chunk):
    result = codecs("encode", images, tmp_path / "a.ccf", f"--chunk={chunk}")
    assert result.exit_code == 2
    assert not (tmp_path / "a.ccf").exists()


@pytest.mark.parametrize("items", ["3", "a:b", "1:2:3", "1:2,", ""])
def test_items_that_are_none(tmp_path, held, items):
    assert codecs("decode", held, tmp_path / "b.npy", f"--items={items}").exit_code == 2
    assert not (tmp_path / "b.npy").exists()


def test_a_folder_of_images_and_back(tmp_path):
    (tmp_path / "in").mkdir()
    for name in ("b.png", "a.webp", "c.bmp"):
        Image.fromarray(pixels(6, 7, 3)).save(tmp_path / "in" / name, lossless=True)
    np.save(tmp_path / "in" / "d.npy", np.arange(5.0))
    assert codecs("encode", tmp_path / "in", tmp_path / "a.ccf").exit_code == 0
    assert list(cc.load(tmp_path / "a.ccf")) == ["a.webp", "b.png", "c.bmp", "d.npy"]
    assert codecs("decode", tmp_path / "a.ccf", tmp_path / "out").exit_code == 0
    assert sorted(os.listdir(tmp_path / "out")) == ["a.webp", "b.png", "c.bmp", "d.npy"]
    for name in ("a.webp", "b.png", "c.bmp"):
        with Image.open(tmp_path / "in" / name) as a, Image.open(tmp_path / "out" / name) as b:
            assert np.array_equal(np.asarray(a), np.asarray(b))
    assert codecs("decode", tmp_path / "a.ccf", tmp_path / "one.png", "--entry", "b.png").exit_code == 0
    assert codecs("decode", tmp_path / "a.ccf", tmp_path / "all.npz").exit_code == 0
    result = codecs("decode", tmp_path / "a.ccf", tmp_path / "no.npy")
    assert (result.exit_code, "--entry" in result.stderr) == (2, True)


def test_several_sources_are_named_by_their_stems(tmp_path, images):
    Image.fromarray(pixels(5, 5)).save(tmp_path / "photo.png")
    assert codecs("encode", images, tmp_path / "photo.png", tmp_path / "a.ccf", "--codec", RAW).exit_code == 0
    assert list(cc.load(tmp_path / "a.ccf")) == ["images", "photo"]


def test_images_of_many_sizes_and_a_broken_one_among_them(tmp_path):
    (tmp_path / "in").mkdir()
    for n in range(8):
        Image.fromarray(pixels(6, 5 + n, 3)).save(tmp_path / "in" / f"{n}.png")
    whole = (tmp_path / "in" / "4.png").read_bytes()
    (tmp_path / "in" / "4.png").write_bytes(whole[: len(whole) // 2])
    result = codecs("encode", tmp_path / "in", tmp_path / "a.ccf")
    assert result.exit_code == 0
    assert "kept whole, byte for byte: 1 file (1 .png)\n  damaged: " in result.stderr
    assert "4.png is damaged" in result.stderr
    assert result.stderr.count("tried on") == 1
    assert "a.ccf: 8 entries" in result.stdout
    assert "against 8 files of" in result.stdout
    assert "\n  not " not in result.stderr  # that a model is for other shapes is no news
    held = cc.load(tmp_path / "a.ccf")
    assert list(held) == [f"{n}.png" for n in range(8)]
    assert held["4.png"].tobytes() == (tmp_path / "in" / "4.png").read_bytes()


def test_overviews_are_named(tmp_path):
    import tifffile

    with tifffile.TiffWriter(tmp_path / "cog.tif") as out:
        out.write(pixels(8, 8, 3), photometric="rgb")
        out.write(pixels(4, 4, 3), photometric="rgb", subfiletype=1)
    result = codecs("encode", tmp_path / "cog.tif", tmp_path / "a.ccf", "--codec", RAW)
    assert result.exit_code == 0
    assert "beside other images of a TIFF file: overview\n" in result.stderr
    assert list(cc.load(tmp_path / "a.ccf")) == ["image", "overview"]
    assert codecs("decode", tmp_path / "a.ccf", tmp_path / "again.tif").exit_code == 0
    assert (tmp_path / "again.tif").read_bytes() == (tmp_path / "cog.tif").read_bytes()


def test_arrays_of_many_kinds(tmp_path):
    np.savez(tmp_path / "a.npz", *(pixels(6, 5 + n) for n in range(7)))
    result = codecs("encode", tmp_path / "a.npz", tmp_path / "a.ccf")
    assert result.exit_code == 0
    assert result.stderr.count("tried on") == 5
    assert "2 more kinds of arrays" in result.stderr


def test_what_else_lies_in_a_folder(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    Image.fromarray(pixels(6, 7, 3)).save(folder / "a.png")
    (folder / "words.txt").write_text("words")
    result = codecs("encode", folder, tmp_path / "a.ccf", "--codec", RAW)
    assert (result.exit_code, result.stderr) == (0, "kept whole, byte for byte: 1 file (1 .txt)\n")
    frames = [Image.fromarray(pixels(4, 4, 3)) for _ in range(3)]
    frames[0].save(folder / "moves.gif", save_all=True, append_images=frames[1:])
    (folder / "b.jpg").write_bytes(b"\xff\xd8\xff")
    (folder / "c.png").write_text("words")
    (folder / "up").symlink_to(tmp_path)
    result = codecs("encode", folder, tmp_path / "b.ccf", "--codec", RAW)
    assert result.exit_code == 1
    assert "kept whole, byte for byte: " in result.stderr
    assert "\n  damaged: " in result.stderr
    assert "c.png does not start like a PNG file" in result.stderr
    assert result.stderr.count("not read: ") == 1
    assert "up is a link to a folder" in result.stderr
    assert "error: 1 file could not be read and is missing" in result.stderr
    result = codecs("encode", folder, tmp_path / "c.ccf", "--strict")
    assert result.exit_code == 2
    assert not (tmp_path / "c.ccf").exists()


def test_files_that_were_smaller_are_explained(tmp_path):
    Image.fromarray(np.kron(pixels(8, 8, 3), np.ones((8, 8, 1), np.uint8))).save(tmp_path / "a.jpg", quality=5)
    result = codecs("encode", tmp_path / "a.jpg", tmp_path / "a.ccf", "--codec", RAW, "--pixels")
    assert result.exit_code == 0
    assert "larger than the files themselves: 1 of them is JPEG" in result.stderr
    assert f"against 1 file of {(tmp_path / 'a.jpg').stat().st_size:,} bytes: 0.0" in result.stdout


def test_a_folder_need_not_fit_into_memory(tmp_path, monkeypatch):
    """Arrays are decoded a few at a time, and written before the next ones are."""
    from codecs_core.media import writing

    images = {f"{n:02}.npy": np.full((40, 40), n, np.uint8) for n in range(40)}
    cc.save(tmp_path / "a.ccf", images, codec=RAW)
    decoded, ahead = [], []
    arrays, save_npy = File.arrays, writing.save_npy

    def counted(*args, **options):
        for name, array in arrays(*args, **options):
            decoded.append(name)
            yield name, array

    def written(file, array):
        ahead.append(len(decoded) - len(ahead))
        save_npy(file, array)

    monkeypatch.setattr(File, "arrays", counted)
    monkeypatch.setattr(writing, "save_npy", written)
    assert codecs("decode", tmp_path / "a.ccf", tmp_path / "out", "--jobs", 2).exit_code == 0
    assert len(list((tmp_path / "out").iterdir())) == 40
    assert max(ahead) <= 5


def test_a_damaged_file_is_kept_as_it_is_and_named(tmp_path):
    (tmp_path / "in").mkdir()
    np.save(tmp_path / "in" / "good.npy", np.arange(5))
    (tmp_path / "in" / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\nxxx")
    result = codecs("encode", tmp_path / "in", tmp_path / "a.ccf", "--codec", RAW)
    assert result.exit_code == 0
    assert "bad.png is damaged: " in result.stderr
    assert "bad.png" in result.stderr
    assert codecs("decode", tmp_path / "a.ccf", tmp_path / "out").exit_code == 0
    for name in ("good.npy", "bad.png"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "in" / name).read_bytes()


# --- exit statuses, by the program itself ------------------------------------------------------


def test_status_0_and_silence_in_a_pipe(tmp_path, images):
    result = process("encode", images, tmp_path / "a.ccf", "--codec", "classic.zstd")
    assert (result.returncode, result.stderr) == (0, "")
    result = process("--version")
    assert (result.returncode, result.stdout) == (0, f"codecs {cc.__version__}\n")


def test_status_1_intact_bytes_that_decode_to_something_else(tmp_path):
    path = written(tmp_path / "a.ccf", [entry()], [b"abcd"])
    for args in (["decode", path, tmp_path / "a.npy"], ["verify", path, "--decode"]):
        result = process(*args)
        assert result.returncode == 1, result.stderr
        assert "intact" in result.stderr
    assert process("verify", path).returncode == 0
    assert not (tmp_path / "a.npy").exists()


def test_status_2_usage(tmp_path, images):
    for args in (
        ["frobnicate"],
        ["info", "--wrong"],
        ["encode", images],
        ["encode", images, tmp_path / "a.ccf", "--chunk", "0"],
    ):
        result = process(*args)
        assert (result.returncode, result.stdout) == (2, "")
        assert "Traceback" not in result.stderr


def test_status_3_unknown_codec(tmp_path, images):
    path = written(tmp_path / "a.ccf", [entry(codec="nobody.none", package="codecs-nobody")], [b"abcd"])
    result = process("decode", path, tmp_path / "a.npy")
    assert result.returncode == 3
    assert "codecs-nobody" in result.stderr
    assert process("info", path).returncode == 0
    assert process("verify", path, "--decode").returncode == 3
    result = process("encode", images, tmp_path / "b.ccf", "--codec", "classic.zlob")
    assert result.returncode == 3
    assert "classic.zlib" in result.stderr
    assert not (tmp_path / "b.ccf").exists()


def test_status_4_damage(tmp_path, held, images):
    folded = held.read_bytes()
    whole = unfold(folded)
    damaged = [(whole[:-9], "chunk"), (whole[: len(whole) // 2], "chunk"), (folded[:-9], "damaged")]
    for data, what in [*damaged, (b"words", ""), (b"", "")]:
        held.write_bytes(data)
        for verb in (["info", held], ["verify", held], ["decode", held, tmp_path / "a.npy"]):
            result = process(*verb)
            assert result.returncode == 4, (verb, result)
            assert what in result.stderr
            assert result.stderr.startswith("error: ")
            assert result.stderr.count("\n") == 1
    assert not (tmp_path / "a.npy").exists()


def test_status_4_a_flipped_byte(tmp_path):
    array = np.frombuffer(rng.bytes(4000), np.uint8)
    cc.save(tmp_path / "a.ccf", array, codec=RAW, chunk=1000)
    data = bytearray((tmp_path / "a.ccf").read_bytes())
    data[data.index(array[2000:2020].tobytes())] ^= 1
    (tmp_path / "a.ccf").write_bytes(data)
    result = codecs("verify", tmp_path / "a.ccf", "--json")
    assert result.exit_code == 4
    assert [fault["chunk"] for fault in json.loads(result.stdout)["entries"][0]["damaged"]] == [2]
    result = codecs("verify", tmp_path / "a.ccf")
    assert "3 of 4 chunks are whole" in result.stdout
    assert codecs("decode", tmp_path / "a.ccf", tmp_path / "a.npy").exit_code == 4
    assert codecs("decode", tmp_path / "a.ccf", tmp_path / "a.npy", "--items", "0:1000").exit_code == 0


def test_status_5_limits(tmp_path):
    path = written(tmp_path / "a.ccf", [entry(shape=(1 << 40,))], [b"abcd"])
    result = process("decode", path, tmp_path / "a.npy")
    assert result.returncode == 5
    assert "limit" in result.stderr


def test_status_70_bugs_are_told_shortly(monkeypatch, held):
    from codecs_core.report import info

    monkeypatch.setattr(info, "summary", lambda contents, path: 1 / 0)
    result = codecs("info", held)
    assert result.exit_code == 70
    assert "CODECS_DEBUG" in result.stderr
    assert "Traceback" not in result.stderr
    monkeypatch.setenv("CODECS_DEBUG", "1")
    assert "Traceback" in codecs("info", held).stderr


def not_ignored():
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.skipif(sys.platform == "win32", reason="signals are another matter there")
def test_status_130_an_interrupt_leaves_nothing(tmp_path):
    (tmp_path / "out").mkdir()
    np.save(tmp_path / "a.npy", np.frombuffer(rng.bytes(20_000_000), np.uint8))
    args = ["encode", tmp_path / "a.npy", tmp_path / "out" / "a.ccf", "--codec", "classic.lzma", "--chunk", 50_000]
    with subprocess.Popen(
        [PROGRAM, *map(str, args)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=not_ignored,  # as it is for what a script runs in the background
    ) as running:
        until = time.monotonic() + 20
        while not os.listdir(tmp_path / "out") and time.monotonic() < until:
            time.sleep(0.02)
        running.send_signal(signal.SIGINT)
        _, talk = running.communicate(timeout=30)
    assert running.returncode == 130
    assert "interrupted" in talk
    assert "Traceback" not in talk
    assert os.listdir(tmp_path / "out") == []


# --- refusals ----------------------------------------------------------------------------------


def test_targets_that_would_do_harm(tmp_path, images, held):
    folder = tmp_path / "in"
    folder.mkdir()
    np.save(folder / "a.npy", np.arange(3))
    before = held.read_bytes()
    for status, args in [
        (2, ["encode", images, tmp_path / "b.npy"]),
        (2, ["encode", folder, folder / "a.ccf"]),
        (2, ["encode", tmp_path / "missing.npy", tmp_path / "a.ccf"]),
        (1, ["encode", images, tmp_path / "missing" / "a.ccf"]),
        (2, ["encode", images, held, held]),
        (2, ["decode", held, held]),
        (1, ["decode", held, tmp_path / "missing" / "a.npy"]),
        (2, ["decode", held, tmp_path / "a.jpg"]),
        (2, ["decode", held, tmp_path / "a.png"]),
        (1, ["decode", held, folder]),
        (2, ["decode", held, tmp_path / "a.npy", "--entry", "none"]),
        (2, ["decode", tmp_path / "missing.ccf", tmp_path / "a.npy"]),
        (2, ["info", tmp_path / "missing.ccf"]),
        (2, ["encode", images, tmp_path / "a.ccf", "--codec", RAW, "--set", "level=3"]),
        (2, ["encode", images, tmp_path / "a.ccf", "--codec", RAW, "--set", "level"]),
        (2, ["encode", images, tmp_path / "a.ccf", "--set", "level=3"]),
        (3, ["encode", images, tmp_path / "a.ccf", "--model", "nothing"]),
    ]:
        result = codecs(*args)
        assert result.exit_code == status, (args, result.stderr)
        assert result.stderr.startswith("error: "), (args, result.stderr)
        assert result.stdout == ""
    assert held.read_bytes() == before
    assert sorted(os.listdir(tmp_path)) == ["images.ccf", "images.npy", "in"]


def test_entries_that_are_not_there(tmp_path, held):
    result = codecs("decode", held, tmp_path / "a.npy", "--entry", "none")
    assert "it has one without a name" in result.stderr


def test_a_container_is_a_file_like_others(tmp_path, held):
    assert codecs("encode", held, tmp_path / "b.ccf").exit_code == 0
    assert codecs("decode", tmp_path / "b.ccf", tmp_path / "c.ccf").exit_code == 0
    assert (tmp_path / "c.ccf").read_bytes() == held.read_bytes()


@pytest.mark.parametrize("name", ["../evil.npy", "/evil", "a/../../evil", "..\\evil", "a\x1bb"])
def test_names_lead_nowhere(tmp_path, name):
    (tmp_path / "deep").mkdir()
    path = tmp_path / "a.ccf"
    written(path, [entry(name)], [b"abcd"], [container.digest(np.frombuffer(b"abcd", np.uint8))])
    for target in ("out", "out.npz"):
        result = codecs("decode", path, tmp_path / "deep" / target)
        assert result.exit_code == 1, result.stderr
        assert "--entry" in result.stderr
    assert os.listdir(tmp_path / "deep") == []
    assert sorted(os.listdir(tmp_path)) == ["a.ccf", "deep"]
    assert codecs("decode", path, tmp_path / "deep" / "a.npy", f"--entry={name}").exit_code == 0


def test_control_characters_in_a_file_never_reach_the_terminal(tmp_path):
    evil = "a\x1b[2Jb\r\u202ec"
    path = written(tmp_path / "a.ccf", [entry(evil, attrs={"k": "\x1b]0;x\x07"})], [b"abcd"])
    for args in (
        ["info", path],
        ["info", path, "--json"],
        ["verify", path, "--decode"],
        ["decode", path, tmp_path / "o"],
    ):
        result = codecs(*args)
        assert not {"\x1b", "\r", "\x07", "\u202e"} & set(result.stdout + result.stderr), args


def test_unprintable_names_on_a_terminal_without_unicode(tmp_path):
    cc.save(tmp_path / "a.ccf", {"ä中": np.arange(4)}, codec=RAW)
    result = process("info", tmp_path / "a.ccf", PYTHONIOENCODING="latin-1")
    assert result.returncode == 0
    assert "\\u4e2d" in result.stdout


# --- lists -------------------------------------------------------------------------------------


def test_list(tmp_path):
    listed = json.loads(codecs("list", "--json").stdout)["codecs"]
    keys = {"id", "plugin", "summary", "kind", "exactness", "dtypes", "ndim", "trainable", "needs_model", "models"}
    assert all(keys <= codec.keys() for codec in listed)
    assert "classic.png" in {codec["id"] for codec in listed}
    assert "classic.png" in codecs("list").stdout


def test_json_has_the_keys_that_are_promised(held, images):
    shapes = {
        ("list",): {"codecs": ["id", "plugin", "summary"]},
        ("info", held): {
            "format": None,
            "entries": ["name", "shape", "dtype", "codec", "model", "chunks"],
            "bytes": ["total", "payload", "header", "index", "models"],
        },
        ("plugins",): {"plugins": ["name", "distribution", "version", "state", "error", "codecs"], "ok": None},
        ("plugins", "--check"): {"plugins": ["name", "checked"], "ok": None},
        ("models",): {"models": ["name", "codec", "sha256", "bytes", "summary", "source", "where"], "store": None},
        ("verify", held): {"ok": None, "entries": ["name", "chunks", "ok", "damaged", "error"], "models": []},
        ("verify", held, "--decode"): {"ok": None, "decoded": None},
        ("bench", images, "--codec", RAW): {"groups": ["name", "dtype", "shape", "rows", "left_out"], "ok": None},
    }
    for args, keys in shapes.items():
        result = codecs(*args, "--json")
        assert result.exit_code == 0, (args, result.stderr)
        described = json.loads(result.stdout)
        for key, inner in keys.items():
            held_there = described[key]
            for one in held_there if isinstance(held_there, list) else [held_there]:
                assert set(inner or ()) <= (one.keys() if inner else set()), (args, key)


def test_models_prints_the_spec_of_a_file(tmp_path):
    from codecs_core import ModelSpec
    from codecs_core.models import Model

    model = Model.create(codec="acme.delta-two", config={}, tensors={"a": np.zeros(3, "f4")}, name="tiny")
    model.save(tmp_path / "tiny.safetensors")
    done = codecs("models", "--spec", tmp_path / "tiny.safetensors")
    assert done.exit_code == 0
    spec = eval(done.stdout, {"ModelSpec": ModelSpec})
    assert (spec.name, spec.codec, spec.resource) == (
        "tiny",
        "acme.delta-two",
        "acme_delta_two:models/tiny.safetensors",
    )
    assert (spec.sha256, spec.nbytes) == (model.sha256, len(model.data))
    assert codecs("models", "--spec", tmp_path / "none.safetensors").exit_code == 2


def test_models(monkeypatch, tmp_path):
    monkeypatch.setenv("CODECS_MODELS", str(tmp_path))
    assert isinstance(json.loads(codecs("models", "--json").stdout)["models"], list)
    assert codecs("models").exit_code == 0


class Broken:
    @staticmethod
    @registry.hookimpl
    def codecs_register():
        info = cc.CodecInfo(summary="is not there")
        return [cc.CodecSpec(id="broken.one", implementation="no_such_package:Codec", info=info)]


def test_plugins(monkeypatch):
    known = registry.Registry(entry_points=[])
    monkeypatch.setattr(registry, "default", lambda: known)
    assert codecs("plugins", "--check").exit_code == 0
    known.register(Broken, name="broken")
    assert codecs("plugins").exit_code == 0
    result = codecs("plugins", "--check")
    assert result.exit_code == 1
    assert "no_such_package" in result.stderr
    (plugin,) = json.loads(codecs("plugins", "--check", "--json").stdout)["plugins"]
    assert plugin["checked"][0]["ok"] is False


# --- train and bench ---------------------------------------------------------------------------


def test_train_refuses(tmp_path, images):
    for status, args in [
        (2, ["classic.raw", images, "--out", tmp_path / "m.safetensors"]),
        (3, ["nobody.none", images, "--out", tmp_path / "m.safetensors"]),
        (2, ["classic.raw", images, "--out", tmp_path / "m.safetensors", "--budget", "soon"]),
        (2, ["classic.raw", images]),
        (1, ["classic.raw", images, "--out", tmp_path / "missing" / "m.safetensors"]),
    ]:
        assert codecs("train", *args).exit_code == status, args
    result = codecs("encode", images, tmp_path / "a.ccf", "--train", "0s")
    assert (result.exit_code, "--train takes a time above 0" in result.stderr) == (2, True)
    assert os.listdir(tmp_path) == ["images.npy"]


def test_train_and_use(tmp_path, monkeypatch):
    from codecs_classic.stdlib import Raw

    from codecs_core.models import Model

    class Learner(Raw):
        id = "test.learner"
        info = cc.CodecInfo(summary="learns nothing", dtypes=("uint8",), trainable=True)

        @classmethod
        def train(cls, data, *, budget, progress=None, steps=1):
            tensors = {"shape": np.array(data.shape)}
            return Model.create(codec=cls.id, config={"budget": budget, "steps": steps}, tensors=tensors, name="m")

    known = registry.Registry()
    monkeypatch.setattr(
        known, "spec", lambda id, package=None: cc.CodecSpec(id=id, implementation="a:B", info=Learner.info)
    )
    monkeypatch.setattr(known, "codec_class", lambda id, package=None: Learner)
    monkeypatch.setattr(registry, "default", lambda: known)
    np.savez(tmp_path / "data.npz", images=pixels(9, 3, 3), labels=np.arange(9), few=np.arange(9, dtype=np.uint8))
    out = tmp_path / "m.safetensors"
    result = codecs("train", "test.learner", tmp_path / "data.npz", "--out", out, "--budget", "2m", "--set", "steps=5")
    assert result.exit_code == 0, result.stderr
    model = Model.from_file(out)
    assert model.sha256 in result.stdout
    assert model.config == {"budget": 120.0, "steps": 5}
    assert model.tensors()["shape"].tolist() == [9, 3, 3]
    assert "'labels'" in result.stderr
    assert "'few'" in result.stderr
    result = codecs("train", "test.learner", tmp_path / "data.npz", "--out", tmp_path / "n", "--set", "stride=5")
    assert (result.exit_code, "'stride'; it has steps" in result.stderr) == (2, True)


def test_bench(tmp_path, images):
    args = [
        "bench",
        images,
        "--codec",
        "classic.zlib",
        "--codec",
        "classic.png",
        "--limit",
        10,
        "--keep",
        tmp_path / "kept",
    ]
    result = codecs(*args)
    assert result.exit_code == 0, result.stderr
    assert "10 x 8 x 9" in result.stdout
    assert result.stdout.count("yes") == 4
    assert len(os.listdir(tmp_path / "kept")) == 4
    (group,) = json.loads(codecs(*args, "--json").stdout)["groups"]
    assert [row["bytes"] for row in group["rows"]] == sorted(row["bytes"] for row in group["rows"])


# --- small parts -------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["--help", "info", "list"])
def test_start_is_light(held, verb):
    """What the installed program imports; `benchmarks/bbans.py` says how long it takes to start."""
    args = [verb, str(held)] if verb == "info" else [verb]
    result = process(*args, PYTHONPROFILEIMPORTTIME="1")
    assert result.returncode == 0
    imported = {line.rsplit("|", 1)[-1].strip() for line in result.stderr.splitlines()}
    assert "typer" in imported
    assert not {"torch", "numba", "PIL", "rich", "imagecodecs", "scipy"} & imported


@pytest.mark.parametrize(("text", "value"), [("90", 90), ("90s", 90), ("20m", 1200), ("1.5h", 5400)])
def test_budgets(text, value):
    assert arguments.seconds(text) == value


@pytest.mark.parametrize("text", ["", "m", "-3s", "nan", "inf", "0"])
def test_budgets_that_are_none(text):
    with pytest.raises(ConfigError):
        arguments.seconds(text)


def test_settings():
    assert arguments.settings(["a=5", "b=x", "c=true", "d=[1]", "e=a=b"]) == {
        "a": 5,
        "b": "x",
        "c": True,
        "d": [1],
        "e": "a=b",
    }
    with pytest.raises(ConfigError, match="twice"):
        arguments.settings(["a=1", "a=2"])


def test_shown_and_table():
    assert shown("a\n\x1b\u202eä") == "a\\n\\x1b\\u202eä"
    assert table(["a", "bb"], [[1, 2], ["xyz", "\n"]], right=" r") == ["a    bb", "1     2", "xyz  \\n"]


def test_a_slip_is_told_before_a_folder_is_read(tmp_path, monkeypatch):
    from codecs_core import media

    monkeypatch.setattr(media, "read", lambda *args, **options: pytest.fail("it is read"))
    np.save(tmp_path / "x.npy", pixels(2, 2))
    result = codecs("encode", tmp_path / "x.npy", tmp_path / "a.ccf", "--codec", "classic.zilb")
    assert (result.exit_code, "did you mean classic.zlib" in result.stderr) == (3, True)
    result = codecs("encode", tmp_path / "x.npy", tmp_path / "a.ccf", "--pixels", "--whole")
    assert (result.exit_code, "one of them, not both" in result.stderr) == (2, True)
