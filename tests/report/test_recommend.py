"""Recommendations: what is measured decides, and the lines that are printed work."""

import importlib

import numpy as np
import pytest

import codecs_core
from codecs_core.report.recommend import recommendations
from codecs_core.report.result import Group, Result, Row


def row(codec, size, speed, **others):
    known = {
        "codec": codec, "settings": {}, "layout": "solid", "model": "", "bytes": size, "payload": size, "model_bytes": 0,
        "chunks": 1, "bits_per_value": size / 100, "payload_bits_per_value": size / 100, "encode_seconds": 1.0,
        "decode_seconds": 1.0, "encode_mb_s": speed, "decode_mb_s": speed, "identical": True, "path": None,
    }  # fmt: skip
    return Row(**known | others)


def advice(*rows):
    group = Group(name="a", dtype="uint8", arrays=1, shape=(800,), values=800, nbytes=800, rows=list(rows))
    return recommendations(Result(groups=[group]))


def test_the_smallest_and_the_smallest_of_the_fast():
    found = advice(row("a.slow", 50, 1.0), row("a.fast", 70, 30.0), row("classic.zstd", 100, 300.0))
    assert [(one.codec, one.purpose, one.against) for one in found] == [
        ("a.slow", "smallest", "classic.zstd"),
        ("a.fast", "smallest of the fast", "classic.zstd"),
    ]
    assert [one.saved for one in found] == pytest.approx([0.5, 0.3])


def test_one_that_is_both_is_named_once():
    assert [one.codec for one in advice(row("a.fast", 50, 30.0), row("classic.zstd", 100, 300.0))] == ["a.fast"]


def test_what_did_not_come_back_is_never_recommended():
    assert [one.codec for one in advice(row("a.liar", 5, 99.0, identical=False), row("a.b", 900, 99.0))] == ["a.b"]
    assert advice(row("a.liar", 5, 99.0, identical=False)) == []


def test_what_is_larger_is_said_to_be_larger():
    (one,) = advice(row("a.b", 900, 99.0))
    assert one.against == "the values as they are"
    assert "12.5% larger than the values as they are" in str(one)


def test_the_lines_work(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = advice(
        row("ar.array", 50, 1.0, settings={"effort": "fast"}), row("bbans.vae", 60, 30.0, model="bbans.vae/mnist")
    )
    array = np.arange(800).astype(np.uint8).reshape(-1, 20)
    known = {"codecs_core": codecs_core, "array": array}
    exec(found[0].python, known)
    assert np.array_equal(codecs_core.load("DATA.ccf"), array)
    assert found[0].command == "codecs encode DATA DATA.ccf --codec ar.array --set effort=fast"
    pytest.importorskip("zarr")
    importlib.import_module("codecs_core.adapters.zarr")

    for one in found:
        eval(f"dict({one.zarr})", known)
