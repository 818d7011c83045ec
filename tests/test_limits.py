"""Limits are compared with what is asked before any work, on the way in and on the way out."""

from __future__ import annotations

import os

import numpy as np
import pytest
from typer.testing import CliRunner

import codecs_core as cc
from codecs_core import ArraySpec, Limits
from codecs_core.api.items import items
from codecs_core.cli.app import app
from codecs_core.cli.arguments import CAPS, limits
from codecs_core.codec import Codec
from codecs_core.container import Entry, Writer, atomic_write
from codecs_core.errors import ConfigError, LimitExceededError, MissingChunkError, OutOfMemoryError

pytest.importorskip("codecs_classic")


def codecs(*args):
    return CliRunner().invoke(app, [str(a) for a in args], prog_name="codecs")


class Huge:
    """An array that nobody may read."""

    dtype = np.dtype("u1")

    def __init__(self, *shape):
        self.shape = shape

    def __getitem__(self, key):
        pytest.fail("it was read")


@pytest.fixture
def old(tmp_path):
    path = tmp_path / "old.ccf"
    path.write_bytes(b"what was there before")
    yield path
    assert path.read_bytes() == b"what was there before"
    assert os.listdir(tmp_path) == ["old.ccf"]


@pytest.mark.parametrize("data", [Huge(1, 3 << 30), {"a": Huge(2, 3 << 30)}, Huge((1 << 36) + 1)], ids=range(3))
def test_what_no_reader_would_open_is_not_begun(old, data):
    with pytest.raises(LimitExceededError, match="over the limit of"):
        cc.save(old, data, codec="classic.raw")


def test_nor_is_it_tried_on_a_sample(old):
    with pytest.raises(LimitExceededError, match="array_bytes"):
        cc.save(old, Huge((1 << 36) + 1))


def test_a_chunk_that_is_asked_for(old):
    with pytest.raises(LimitExceededError, match="chunk_bytes"):
        cc.save(old, Huge(1 << 33), codec="classic.raw", chunk=1 << 33)


@pytest.mark.parametrize("shape", [(1, 3 << 30), ((1 << 36) + 1,)], ids=range(2))
def test_streams(old, shape):
    with pytest.raises(LimitExceededError), cc.create(old, ArraySpec(shape, "uint8"), codec="classic.raw"):
        pytest.fail("it was begun")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("header_bytes", 20),
        ("index_bytes", 30),
        ("chunk_bytes", 99),
        ("array_bytes", 999),
        ("entries", 1),
        ("chunks", 9),
    ],
)
def test_every_limit_holds_before_the_first_chunk(old, monkeypatch, name, value):
    monkeypatch.setattr(Codec, "encode", lambda *_: pytest.fail("it was encoded"))
    data = {"a": np.zeros(1000, "u1"), "b": np.zeros(10, "u1")}
    with pytest.raises(LimitExceededError, match=f"Limits.{name}="):
        cc.save(old, data, codec="classic.raw", chunk=100, limits=Limits(**{name: value}))


def test_payloads_that_grow_over_the_limit(old, monkeypatch):
    with pytest.raises(LimitExceededError, match="values_per_byte"):
        cc.save(old, np.zeros(1 << 20, "u1"), codec="classic.zlib", limits=Limits(values_per_byte=100))
    monkeypatch.setattr(Codec, "encode", lambda *_: bytes(1001))
    with pytest.raises(LimitExceededError, match=r"chunk 0 of entry ''.*chunk_bytes"):
        cc.save(old, np.zeros(1000, "u1"), codec="classic.zlib", limits=Limits(chunk_bytes=1000))


def test_limits_that_are_raised_on_both_sides(tmp_path):
    path, array = tmp_path / "a.ccf", np.arange(1000, dtype="u1")
    small = Limits(chunk_bytes=500)
    cc.save(path, array, codec="classic.raw", chunk=1000)
    for read in (cc.inspect, cc.load, cc.open):
        with pytest.raises(LimitExceededError):
            read(path, limits=small)
    np.testing.assert_array_equal(cc.load(path, limits=Limits(chunk_bytes=1000)), array)


@pytest.mark.parametrize("chunk", [1 << 63, 1 << 70, 0, -1, 1.5, True])
def test_chunks_that_are_none(old, chunk):
    with pytest.raises(ConfigError, match="chunk must be a positive number of items"):
        cc.save(old, np.zeros(3), codec="classic.raw", chunk=chunk)


def test_more_chunks_than_a_file_can_number(old):
    with pytest.raises(ConfigError, match=r"2\^32 chunks of 1; take larger chunks"):
        cc.save(old, Huge((1 << 32) + 1), codec="classic.raw", chunk=1)


# --- claims -------------------------------------------------------------------------------------


def claiming(path, spec, *, chunk, payloads, incomplete=False):
    """A file whose header says more than its payloads hold."""
    entry = Entry(name="", spec=spec, chunk=chunk, codec="classic.zlib", package="codecs-classic")
    everything = Limits(values_per_byte=1 << 62)
    with atomic_write(path) as file:
        writer = Writer(file, [entry], incomplete=incomplete, limits=everything)
        for index, payload in payloads.items():
            writer.write_chunk("", index, payload, bytes(16))
        writer.close()
    return path


@pytest.fixture
def no_memory_is_taken(monkeypatch):
    empty = np.empty

    def checked(shape, *more, **options):
        found = empty(0, *more, **options)
        size = np.prod(shape, dtype=object) * found.itemsize
        assert size < 1 << 28, "memory is taken for what is not there"
        return empty(shape, *more, **options)

    monkeypatch.setattr(np, "empty", checked)


def test_a_small_file_that_claims_much(tmp_path, no_memory_is_taken):
    spec = ArraySpec((1 << 36,), "uint8")
    path = claiming(tmp_path / "a.ccf", spec, chunk=1 << 31, payloads=dict.fromkeys(range(32), b"x"))
    assert path.stat().st_size < 3000
    with cc.open(path) as file:
        for read in (file.load, lambda: file[""][:], lambda: file[""][5], lambda: np.asarray(file[""])):
            with pytest.raises(LimitExceededError, match="values_per_byte"):
                read()
    result = codecs("decode", path, tmp_path / "a.npy")
    assert result.exit_code == 5
    assert "--limit values_per_byte" in result.stderr


def test_missing_chunks_are_found_before_memory_is_taken(tmp_path, no_memory_is_taken):
    spec = ArraySpec((1 << 36,), "uint8")
    path = claiming(tmp_path / "a.ccf", spec, chunk=1 << 31, payloads={}, incomplete=True)
    assert path.stat().st_size < 300
    with cc.open(path) as file:
        for read in (file.load, lambda: file[""][:], lambda: file[""][3 << 31 :]):
            with pytest.raises(MissingChunkError, match=r"chunk [03]"):
                read()
    result = codecs("decode", path, tmp_path / "a.npy")
    assert result.exit_code == 4
    assert "missing" in result.stderr


def test_more_than_this_machine_has(tmp_path, monkeypatch):
    path = tmp_path / "a.ccf"
    cc.save(path, np.zeros(1000, "u1"), codec="classic.zlib")

    def full(shape, *more, **options):
        raise MemoryError

    monkeypatch.setattr(np, "empty", full)
    with pytest.raises(OutOfMemoryError, match="1000 bytes"):
        cc.load(path)
    with cc.open(path) as file, pytest.raises(OutOfMemoryError, match="1000 bytes"):
        file[""][:]


def test_a_claim_that_the_caller_believes(tmp_path):
    path, array = tmp_path / "a.ccf", np.zeros(1 << 20, "u1")
    cc.save(path, array, codec="classic.lzma")
    (entry,) = cc.inspect(path)["entries"]
    rate = -(-array.size // entry["bytes"])
    assert rate > 1000
    np.testing.assert_array_equal(cc.load(path, limits=Limits(values_per_byte=rate)), array)
    below = Limits(values_per_byte=rate - 1)
    with pytest.raises(LimitExceededError, match="values_per_byte"):
        cc.load(path, limits=below)
    with cc.open(path, limits=below) as file, pytest.raises(LimitExceededError, match="values_per_byte"):
        file[""][:10]


# --- the command line ---------------------------------------------------------------------------


def test_limits_by_name():
    assert limits([]) == Limits()
    assert limits(["chunk_bytes=8G", "entries=5", "model_bytes=3k"]) == Limits(
        chunk_bytes=8 << 30, entries=5, model_bytes=3 << 10
    )


@pytest.mark.parametrize(
    "pair", ["bytes=1", "chunks", "chunks=", "chunks=-1", "chunks=1.5", "chunks=x", "chunks=٣", "=1"]
)
def test_limits_that_are_none(pair):
    with pytest.raises(ConfigError, match=r"--limit"):
        limits([pair])


def test_every_reading_verb_takes_them(tmp_path):
    path = tmp_path / "a.ccf"
    np.save(tmp_path / "a.npy", np.zeros(1000, "u1"))
    cc.save(path, np.zeros(1000, "u1"), codec="classic.raw")
    over = ["--limit", "chunk_bytes=999"]
    for verb in (
        ["info", path],
        ["verify", path],
        ["verify", path, "--decode"],
        ["decode", path, tmp_path / "b.npy"],
        ["recover", path, tmp_path / "b.ccf"],
        ["encode", tmp_path / "a.npy", tmp_path / "b.ccf", "--codec", "classic.raw"],
    ):
        result = codecs(*verb, *over)
        assert result.exit_code == 5, (verb, result.output)
        assert "--limit chunk_bytes=..." in result.stderr
        assert codecs(*verb, "--limit", "chunk_bytes=1000").exit_code == 0, verb
    for name in CAPS:
        assert name in codecs("info", "--help").stdout


def test_who_decodes_nothing_does_not_compare_what_a_byte_stands_for(tmp_path):
    path, over = tmp_path / "a.ccf", ["--limit", "values_per_byte=1"]
    cc.save(path, np.zeros(1000), codec="ar.array")
    for verb, status in (["info"], 0), (["verify"], 0), (["verify", "--decode"], 5), (["decode", "--npy"], 5):
        target = [tmp_path / "b.npy"] if verb[0] == "decode" else []
        assert codecs(*verb, path, *target, *over).exit_code == status, verb


def test_an_array_like_is_wrapped_without_reading_it():
    assert items(Huge(5)).spec == ArraySpec((5,), "uint8")
