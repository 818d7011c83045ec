"""The verbs on files behind URLs."""

import json

import numpy as np
import pytest

import codecs_core as cc
from codecs_core.cli import arguments
from codecs_core.cli.app import app
from codecs_core.errors import ConfigError

ARRAY = np.arange(600, dtype="u2").reshape(20, 30)


@pytest.fixture
def source(tmp_path):
    np.save(tmp_path / "x.npy", ARRAY)
    return tmp_path / "x.npy"


@pytest.fixture
def codecs(capsys):
    def run(*command):
        with pytest.raises(SystemExit) as end:
            app([str(part) for part in command])
        said = capsys.readouterr()
        return end.value.code, said.out, said.err

    return run


def test_there_and_back(codecs, source, tmp_path):
    url = "memory://verbs/x.ccf"
    assert codecs("encode", source, url, "--codec", "classic.zlib", "--chunk", "5")[0] == 0
    assert np.array_equal(cc.load(url), ARRAY)
    status, out, _ = codecs("info", "--json", url)
    assert (status, json.loads(out)["path"]) == (0, url)
    assert codecs("verify", "--decode", url)[0] == 0
    assert codecs("recover", url, "memory://verbs/again.ccf")[0] == 0
    assert codecs("decode", "memory://verbs/again.ccf", tmp_path / "back.npy", "--items", "7:9")[0] == 0
    assert np.array_equal(np.load(tmp_path / "back.npy"), ARRAY[7:9])


@pytest.mark.parametrize(
    ("command", "status", "said"),
    [
        (["info", "memory://verbs/none.ccf"], 2, "cannot open 'memory://verbs/none.ccf': no such file or folder"),
        (["encode", "x.npy", "memory://verbs/x.npz"], 2, "ends in .ccf, which memory://verbs/x.npz does not"),
        (["encode", "x.npy", "https://verbs/x.ccf"], 1, "https can only be read"),
        (["recover", "memory://a.ccf", "memory://a.ccf"], 2, "would be read and written"),
    ],
)
def test_what_goes_wrong_is_said(codecs, source, monkeypatch, command, status, said):
    monkeypatch.chdir(source.parent)
    found, _, err = codecs(*command)
    assert (found, said in err) == (status, True), err


def test_targets(tmp_path):
    arguments.check_target("s3://a/b.ccf", [tmp_path])
    arguments.check_target(tmp_path / "b", ["s3://a/b.ccf"])
    arguments.check_file("s3://a/b.ccf")
    with pytest.raises(ConfigError, match="would be read and written"):
        arguments.check_target("s3://a/b.ccf", ["s3://a/b.ccf"])
    assert arguments.place("s3://a//b") == "s3://a//b"
    assert arguments.place("a//b").name == "b"
