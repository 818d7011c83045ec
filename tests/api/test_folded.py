"""Small files are folded as they are saved, and every door takes them."""

import pickle

import numpy as np
import pytest
from typer.testing import CliRunner

import codecs_core as cc
from codecs_core import container
from codecs_core.cli.app import app
from codecs_core.container import layout
from codecs_core.container.folding import LARGEST, unfold
from codecs_core.errors import CorruptDataError, UnknownKindError
from codecs_core.media import read

DATA = np.arange(60, dtype="<i2").reshape(12, 5)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "a.ccf"
    cc.save(path, {"x": DATA, "y": DATA * 2.5}, codec="classic.raw", chunk=5)
    assert path.read_bytes().startswith(layout.FOLDED)
    return path


def codecs(*args):
    return CliRunner().invoke(app, [str(a) for a in args], prog_name="codecs")


def test_small_files_are_folded_and_others_are_not(tmp_path):
    path = tmp_path / "a.ccf"
    for n, folded in ((0, True), (1, True), (3500, True), (LARGEST, False)):
        array = np.frombuffer(np.random.default_rng(0).bytes(n), np.uint8)
        info = cc.save(path, array, codec="classic.raw")
        assert (info["folded"], path.read_bytes().startswith(layout.FOLDED)) == (folded, folded)
        assert info["bytes"]["total"] == path.stat().st_size == sum(v for k, v in info["bytes"].items() if k != "total")
        assert info["bytes"]["payload"] == n
        found = cc.inspect(path)
        assert found.items() <= info.items()
        assert found["format"] == ("ccf 1.2" if folded else "ccf 1.0")
        np.testing.assert_array_equal(cc.load(path), array)


def test_what_is_appended_is_folded_too(file, tmp_path):
    with cc.create(tmp_path / "b.ccf", cc.ArraySpec.of(DATA), codec="classic.raw", chunk=5) as writer:
        for i in range(0, 12, 3):
            writer.append("", DATA[i : i + 3])
        assert not (tmp_path / "b.ccf").exists()
    assert (tmp_path / "b.ccf").read_bytes().startswith(layout.FOLDED)
    np.testing.assert_array_equal(cc.load(tmp_path / "b.ccf"), DATA)
    assert [p.name for p in tmp_path.iterdir() if p.suffix == ".tmp"] == []


def test_entries_that_are_filled_by_turns_are_not_folded(tmp_path):
    """Their chunks are in another order; which is a file like any other."""
    specs = dict.fromkeys("ab", cc.ArraySpec.of(DATA))
    with cc.create(tmp_path / "b.ccf", specs, codec="classic.raw", chunk=6) as writer:
        for i in (0, 6):
            for name in "ab":
                writer.append(name, DATA[i : i + 6])
    assert (tmp_path / "b.ccf").read_bytes().startswith(layout.SIGNATURE)
    np.testing.assert_array_equal(cc.load(tmp_path / "b.ccf")["b"], DATA)


def test_doors_of_python(file):
    with cc.open(file) as held:
        np.testing.assert_array_equal(held["x"][7:9], DATA[7:9])
        assert held.verify(decode=True)["ok"]
        again = pickle.loads(pickle.dumps(held["y"]))
        np.testing.assert_array_equal(again[...], DATA * 2.5)
    with container.Reader.open(file) as reader:
        assert (reader.folded, reader.chunks("x")) == (True, [0, 1, 2])
    np.testing.assert_array_equal(cc.load(file)["x"], DATA)


def test_dask(file):
    array = pytest.importorskip("dask.array")
    with cc.open(file) as held:
        lazy = array.from_array(held["x"])
        np.testing.assert_array_equal(lazy.compute(), DATA)
        assert lazy.name == array.from_array(held["x"]).name


def test_a_url(file):
    fsspec = pytest.importorskip("fsspec")
    with fsspec.open("memory://folded/a.ccf", "wb") as target:
        target.write(file.read_bytes())
    np.testing.assert_array_equal(cc.load("memory://folded/a.ccf")["x"], DATA)
    cc.save("memory://folded/b.ccf", DATA, codec="classic.raw")
    with fsspec.open("memory://folded/b.ccf") as source:
        assert source.read(3) == layout.FOLDED


def test_doors_of_the_command_line(file, tmp_path):
    shown = codecs("info", file)
    assert "ccf 1.2, folded, 2 arrays" in shown.stdout
    assert codecs("verify", "--decode", file).exit_code == 0
    assert codecs("view", file, tmp_path / "page.html").exit_code == 0
    assert codecs("decode", file, tmp_path / "out").exit_code == 0
    np.testing.assert_array_equal(np.load(tmp_path / "out" / "x.npy"), DATA)
    assert codecs("decode", file, tmp_path / "x.npy", "--entry", "x", "--items", "3:9").exit_code == 0
    np.testing.assert_array_equal(np.load(tmp_path / "x.npy"), DATA[3:9])
    assert codecs("recover", file, tmp_path / "plain.ccf").exit_code == 0
    assert (tmp_path / "plain.ccf").read_bytes() == unfold(file.read_bytes())
    with pytest.raises(UnknownKindError, match="container already"):
        read([file])


def test_damage(file):
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(CorruptDataError) as e:
        cc.open(file)
    assert e.value.path == str(file)
    for verb in ("info", "verify", "decode"):
        assert codecs(verb, file, *[file.with_name("no")] * (verb == "decode")).exit_code == 4
