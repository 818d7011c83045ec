"""`codecs recover`, and what files that lack chunks are to the other verbs."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

import codecs_core as cc
from codecs_core import container
from codecs_core.cli.app import app
from codecs_core.container.folding import fold, unfold
from codecs_core.errors import ConfigError, MissingChunkError


def codecs(*args):
    return CliRunner().invoke(app, [str(a) for a in args], prog_name="codecs")


@pytest.fixture
def data():
    return np.arange(7 * 50, dtype=np.uint8).reshape(7, 50)


@pytest.fixture
def file(tmp_path, data):
    path = tmp_path / "a.ccf"
    cc.save(path, {"x": data, "y": data[:2] * 2.5}, codec="classic.raw", chunk=2)
    path.write_bytes(unfold(path.read_bytes()))
    return path


def frames_of(path):
    source = container.FileSource(path)
    try:
        return container.scan(source).frames
    finally:
        source.close()


def damage(path, *places):
    """Change a bit of the payload of frames, counted from 0, or in the file's last bytes."""
    frames = frames_of(path)
    held = bytearray(path.read_bytes())
    for place in places:
        held[frames[place].payload_offset if place != "end" else -20] ^= 1
    path.write_bytes(held)


@pytest.fixture
def recovered(tmp_path, file):
    damage(file, 1)
    out = tmp_path / "out.ccf"
    assert codecs("recover", file, out).exit_code == 1
    return out


def test_nothing_lost(tmp_path, file):
    whole = file.read_bytes()
    out = tmp_path / "out.ccf"
    damage(file, "end")
    assert codecs("verify", file).exit_code == 4
    done = codecs("recover", file, out)
    assert done.exit_code == 0, done.output
    assert "5 of 5 chunks recovered; nothing is lost" in done.stdout
    assert "index and trailer are of no use: the trailer is damaged" in done.stderr
    assert out.read_bytes() == whole


def test_a_chunk_lost(tmp_path, file):
    damage(file, 1)
    assert codecs("verify", file).exit_code == 4
    out = tmp_path / "out.ccf"
    done = codecs("recover", file, out)
    assert done.exit_code == 1
    assert "4 of 5 chunks recovered" in done.stdout
    assert "entry 'x', chunk 1 at offset" in done.stderr
    again = codecs("recover", file, out, "--json")
    report = json.loads(again.stdout)
    (lost,) = report["entries"][0]["lost"]
    assert (lost["first"], lost["last"]) == (1, 1)
    assert "CRC32C" in lost["reason"]
    assert report["entries"][1] == {"name": "y", "chunks": 1, "whole": 1, "lost": []}
    assert not report["ok"]


def test_a_tail_lost(tmp_path, file):
    file.write_bytes(file.read_bytes()[:500])
    done = codecs("recover", file, tmp_path / "out.ccf")
    assert done.exit_code == 1
    assert "entry 'x', chunks 2 to 3: lost: no whole frame of it was found" in done.stderr
    assert "entry 'y', chunk 0: lost" in done.stderr


def test_nothing_to_recover(tmp_path, file):
    out = tmp_path / "out.ccf"
    held = bytearray(file.read_bytes())
    held[40] ^= 1
    file.write_bytes(held)
    done = codecs("recover", file, out)
    assert done.exit_code == 4
    assert "header" in done.stderr
    assert not out.exists()


def test_a_folded_file_becomes_an_ordinary_one(tmp_path, file):
    """There is nothing to recover but all of it: it has one checksum."""
    whole, out = file.read_bytes(), tmp_path / "out.ccf"
    folded = fold(whole)
    file.write_bytes(folded)
    done = codecs("recover", file, out)
    assert done.exit_code == 0, done.output
    assert "5 of 5 chunks recovered; nothing is lost" in done.stdout
    assert out.read_bytes() == whole
    for damaged in (folded[:-1], folded[:99] + b"?" + folded[100:], folded + b"?"):
        file.write_bytes(damaged)
        done = codecs("recover", file, tmp_path / "no.ccf")
        assert done.exit_code == 4
        assert "nothing of it can be recovered" in done.stderr
        assert not (tmp_path / "no.ccf").exists()


def test_the_target_is_not_the_source(file):
    assert codecs("recover", file, file).exit_code == 2


def test_missing_data_is_no_data(recovered, data):
    with cc.open(recovered) as held:
        view = held["x"]
        assert view.missing == 1
        assert held["y"].missing == 0
        np.testing.assert_array_equal(view[4:], data[4:])
        np.testing.assert_array_equal(view[1], data[1])
        for key in (2, slice(1, 3), slice(None), [0, 3], ...):
            with pytest.raises(MissingChunkError):
                view[key]
        with pytest.raises(MissingChunkError):
            held.load()
    with pytest.raises(MissingChunkError) as e:
        cc.load(recovered)
    assert e.value.code == "missing-chunk"


def test_filling(recovered, data):
    filled = cc.load(recovered, fill=7)["x"]
    expected = data.copy()
    expected[2:4] = 7
    np.testing.assert_array_equal(filled, expected)
    with cc.open(recovered, fill=0) as held:
        assert not held["x"][3].any()
    for value in (256, -1, 0.5, float("nan"), 1j):
        with pytest.raises(ConfigError, match="no value of it"):
            cc.load(recovered, fill=value)


def test_decode(tmp_path, recovered, data):
    out = tmp_path / "out"
    done = codecs("decode", recovered, out)
    assert done.exit_code == 4
    assert "missing" in done.stderr
    assert not out.exists()
    assert codecs("decode", recovered, tmp_path / "x.npy", "--entry", "x", "--items", "4:").exit_code == 0
    np.testing.assert_array_equal(np.load(tmp_path / "x.npy"), data[4:])
    done = codecs("decode", recovered, out, "--fill", "9")
    assert done.exit_code == 0, done.output
    assert "1 missing chunk filled with 9, which is not data" in done.stdout
    assert (np.load(out / "x.npy")[2:4] == 9).all()
    assert codecs("decode", recovered, tmp_path / "z", "--fill", "blue").exit_code == 2


def test_verify_and_info(recovered):
    done = codecs("verify", recovered)
    assert done.exit_code == 4
    assert "4 of 5 chunks are whole" in done.stdout
    assert "entry 'x': 1 of 4 chunks are missing" in done.stderr
    report = json.loads(codecs("verify", "--decode", recovered, "--json").stdout)
    assert [entry["missing"] for entry in report["entries"]] == [1, 0]
    assert [entry["damaged"] for entry in report["entries"]] == [[], []]
    assert "x lacks 1 chunk of 4" in codecs("info", recovered).stdout
    described = json.loads(codecs("info", recovered, "--json").stdout)
    assert described["entries"][0]["missing"] == 1
    assert described["entries"][0]["bytes"] == 5 * 50


def test_damaged_is_not_decodes_differently(tmp_path, file):
    """A wrong digest under checksums that hold is another machine's result, not damage."""
    first = frames_of(file)[0]
    payload = file.read_bytes()[first.payload_offset : first.end]
    entries = [container.Entry(name="", spec=cc.ArraySpec((2, 50), "uint8"), chunk=2, codec="classic.raw")]
    out = tmp_path / "other.ccf"
    with out.open("wb") as target:
        writer = container.Writer(target, entries)
        writer.write_chunk("", 0, payload, bytes(16))
        writer.close()
    assert codecs("verify", out).exit_code == 0
    assert codecs("verify", "--decode", out).exit_code == 1
    assert "decodes them to something else" in codecs("verify", "--decode", out).stderr
    assert codecs("recover", out, tmp_path / "same.ccf").exit_code == 0
