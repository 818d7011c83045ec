"""Logical dtypes on the command line: what NumPy has no dtype for comes back, with nothing to install."""

import sys

import ml_dtypes
import numpy as np
import pytest
from safetensors.numpy import save_file
from typer.testing import CliRunner

import codecs_core as cc
from codecs_core.cli.app import app


def codecs(*args):
    run = CliRunner().invoke(app, [str(a) for a in args], prog_name="codecs")
    assert run.exit_code == 0, run.output
    return run


@pytest.fixture
def tensors(tmp_path):
    held = {
        "a": np.arange(8).astype(ml_dtypes.bfloat16),
        "b": np.arange(8).astype(ml_dtypes.float8_e5m2),
        "c": np.arange(4.0),
    }
    save_file(held, tmp_path / "a.safetensors")
    codecs("encode", tmp_path / "a.safetensors", tmp_path / "a.ccf", "--codec", "classic.zlib")
    return tmp_path / "a.ccf"


def test_info_names_the_dtype_that_is_meant(tensors):
    told = codecs("info", tensors).stdout
    assert "bfloat16" in told
    assert "float8_e5m2" in told
    assert "uint16" not in told
    with cc.open(tensors) as file:
        assert "bfloat16" in file["a"]._repr_html_()


def test_tensors_come_back_without_ml_dtypes(tmp_path, tensors, monkeypatch):
    monkeypatch.setitem(sys.modules, "ml_dtypes", None)
    codecs("decode", tensors, tmp_path / "b.safetensors")
    codecs("decode", tensors, tmp_path / "folder")
    for path in (tmp_path / "b.safetensors", tmp_path / "folder/a.safetensors"):
        assert path.read_bytes() == (tmp_path / "a.safetensors").read_bytes()


def test_arrays_as_numpy_has_them(tmp_path, tensors, monkeypatch):
    expected = cc.load(tensors)
    monkeypatch.setitem(sys.modules, "ml_dtypes", None)
    codecs("decode", tensors, tmp_path / "a.npz")
    codecs("decode", tensors, tmp_path / "a.npy", "--entry", "a", "--items", "2:5")
    codecs("decode", tensors, tmp_path / "npy", "--npy")
    with np.load(tmp_path / "a.npz") as held:
        assert held["a"].dtype == "V2"
        assert held["b"].dtype == "V1"
        assert held["a"].tobytes() == expected["a"].tobytes()
    assert np.load(tmp_path / "a.npy").tobytes() == expected["a"][2:5].tobytes()
    assert np.load(tmp_path / "npy/a.npy").tobytes() == expected["a"].tobytes()


@pytest.mark.parametrize(
    "array", [np.arange(5).astype("M8[s]"), np.arange(5).astype(">m8[D]"), np.arange(5).astype(ml_dtypes.bfloat16)]
)
def test_npy_files(tmp_path, array):
    np.save(tmp_path / "a.npy", array)
    codecs("encode", tmp_path / "a.npy", tmp_path / "a.ccf", "--codec", "classic.zlib")
    codecs("decode", tmp_path / "a.ccf", tmp_path / "b.npy")
    assert (tmp_path / "b.npy").read_bytes() == (tmp_path / "a.npy").read_bytes()
    codecs("decode", tmp_path / "a.ccf", tmp_path / "c.npy", "--items", "1:3")
    assert np.load(tmp_path / "c.npy").tolist() == np.load(tmp_path / "a.npy")[1:3].tolist()
