"""What is encoded is what is digested, whatever becomes of its source meanwhile; and true is one, whatever byte it was."""

from __future__ import annotations

import mmap
import os
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import codecs_core as cc
from codecs_core import ArraySpec, Codec, CodecInfo, CodecSpec, hookimpl
from codecs_core.api.mapped import Mapped, guarded, private
from codecs_core.errors import InputError, UnsupportedArrayError
from codecs_core.registry import Registry

posix = pytest.mark.skipif(os.name != "posix", reason="a mapped file cannot be cut there")
WHILE_IT_IS_ENCODED: list = []


@dataclass(frozen=True, kw_only=True)
class Interrupted(Codec):
    """The bytes as they are; something happens each time one is asked for them."""

    id = "test.interrupted"
    info = CodecInfo(summary="raw")

    def _encode(self, chunk):
        before = chunk.tobytes()
        for happens in WHILE_IT_IS_ENCODED:
            happens()
        assert chunk.tobytes() == before
        return before

    def _decode(self, payload, spec):
        return np.frombuffer(payload, spec.dtype).reshape(spec.shape)


class Plugin:
    @hookimpl
    def codecs_register(self):
        where = f"{__name__}:Interrupted"
        return [CodecSpec(id=Interrupted.id, implementation=where, info=Interrupted.info)]


@pytest.fixture
def registry(monkeypatch):
    monkeypatch.setitem(sys.modules, __name__, sys.modules.get(__name__) or __import__("types").ModuleType(__name__))
    monkeypatch.setattr(sys.modules[__name__], "Interrupted", Interrupted, raising=False)
    found = Registry([])
    found.register(Plugin(), name="test")
    return found


@pytest.fixture
def happening():
    yield WHILE_IT_IS_ENCODED.append
    WHILE_IT_IS_ENCODED.clear()


def test_an_array_that_changes_while_it_is_encoded(tmp_path, registry, happening):
    array = np.arange(1000, dtype="u1").reshape(10, 100)
    before = array.copy()
    happening(lambda: array.__setitem__(slice(0, 1), 0))
    cc.save(tmp_path / "a.ccf", array[:1], codec=Interrupted(), registry=registry)
    np.testing.assert_array_equal(cc.load(tmp_path / "a.ccf", registry=registry), before[:1])


def test_parts_that_change_after_they_were_appended(tmp_path, registry):
    part = np.zeros((2, 5), "u1")
    with cc.create(tmp_path / "a.ccf", ArraySpec((6, 5), "uint8"), codec=Interrupted(), registry=registry) as writer:
        for k in range(3):
            part[:] = k
            writer.append("", part)
            part[:] = 99
    assert cc.load(tmp_path / "a.ccf", registry=registry)[:, 0].tolist() == [0, 0, 1, 1, 2, 2]


# --- mapped files -------------------------------------------------------------------------------


def mapped(path, *, order="C", mode="r"):
    np.save(path, np.asarray(np.arange(60_000, dtype="<i4").reshape(100, 20, 30), order=order))
    return np.load(path, mmap_mode=mode)


@posix
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("key", [..., slice(3, 9), slice(0, 0), slice(1, 99, 7), slice(None, None, -1)], ids=range(5))
def test_mapped_arrays_are_copied_as_they_are(tmp_path, order, key):
    array = mapped(tmp_path / "a.npy", order=order)
    held = guarded(array)
    assert isinstance(held, Mapped)
    np.testing.assert_array_equal(held[key], array[key])
    assert held[key].flags.c_contiguous
    assert held[key].flags.writeable
    assert held[key].base is None or not np.shares_memory(held[key], array)
    np.testing.assert_array_equal(private(array[:, 3, 2:5]), array[:, 3, 2:5])


@posix
@settings(max_examples=50, deadline=None)
@given(st.data())
def test_any_part_of_a_mapped_array(data):
    shape = tuple(data.draw(st.lists(st.integers(0, 6), max_size=4)))
    memory = mmap.mmap(-1, 1 << 14)
    array = np.frombuffer(memory, "<u2", count=int(np.prod(shape))).reshape(shape)
    array[...] = np.arange(array.size).reshape(shape)
    axes = data.draw(st.permutations(range(len(shape))))
    view = array.transpose(axes)[tuple(slice(data.draw(st.integers(0, 2)), None) for _ in shape)]
    copy = private(view)
    assert (copy.shape, copy.dtype) == (view.shape, view.dtype)
    np.testing.assert_array_equal(copy, view)


CUT = """
import sys, os
import numpy as np
import codecs_core as cc
from codecs_core.errors import InputError
path, out, order, left = sys.argv[1:]
np.save(path, np.asarray(np.arange(1 << 20, dtype="<i8").reshape(256, -1), order=order))
array = np.load(path, mmap_mode="r+" if order == "F" else "r")
from codecs_core.api.saving import write as writing
whole = writing.encode_chunk
def encode(*arguments, **options):
    os.truncate(path, int(left))
    return whole(*arguments, **options)
writing.encode_chunk = encode
try:
    cc.save(out, array, codec="classic.raw", chunk=16, jobs=1)
except InputError as error:
    print(error)
"""


@posix
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("left", [0, 5000, 1 << 20, (1 << 23) + 100])
def test_a_file_that_is_cut_while_it_is_encoded(tmp_path, order, left):
    pytest.importorskip("codecs_classic")
    command = [sys.executable, "-c", CUT, tmp_path / "a.npy", tmp_path / "a.ccf", order, left]
    result = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, timeout=100)
    assert result.returncode == 0, result.stderr
    assert "while it was read" in result.stdout
    assert os.listdir(tmp_path) == ["a.npy"]


def test_a_file_that_is_written_to_while_it_is_encoded(tmp_path, registry, happening):
    array = mapped(tmp_path / "a.npy")

    def write():
        with (tmp_path / "a.npy").open("r+b") as file:
            file.seek(1000)
            file.write(b"other")
        os.utime(tmp_path / "a.npy", ns=(0, 5))

    happening(write)
    with pytest.raises(InputError, match=r"a\.npy changed while it was read"):
        cc.save(tmp_path / "a.ccf", array, codec=Interrupted(), chunk=10, registry=registry, jobs=1)
    assert os.listdir(tmp_path) == ["a.npy"]


def test_a_file_that_is_replaced_while_it_is_encoded_is_still_there(tmp_path, registry, happening):
    array = mapped(tmp_path / "a.npy")
    before = np.array(array)

    def replace():
        np.save(tmp_path / "b.npy", np.zeros(5))
        os.replace(tmp_path / "b.npy", tmp_path / "a.npy")

    happening(replace)
    cc.save(tmp_path / "a.ccf", array, codec=Interrupted(), chunk=10, registry=registry, jobs=1)
    np.testing.assert_array_equal(cc.load(tmp_path / "a.ccf", registry=registry), before)


def test_a_map_that_its_owner_writes_to(tmp_path, registry):
    array = mapped(tmp_path / "a.npy", mode="r+")
    array[:] = 7
    cc.save(tmp_path / "a.ccf", array, codec=Interrupted(), chunk=10, registry=registry)
    assert (cc.load(tmp_path / "a.ccf", registry=registry) == 7).all()


# --- what is true -------------------------------------------------------------------------------


def odd(n=1000):
    """Booleans of any byte, as views of other arrays have them."""
    return (np.random.Generator(np.random.Philox(3)).integers(0, 2, n, np.uint8) * 255).view(bool)


@pytest.mark.parametrize("shape", [(1000,), (10, 10, 10), ()], ids=str)
def test_true_is_one(tmp_path, shape):
    pytest.importorskip("codecs_classic")
    array = odd().reshape(shape) if shape else odd(1).reshape(())
    for codec in [spec["id"] for spec in cc.list_codecs() if spec["plugin"] == "codecs-classic"] + ["auto"]:
        path = tmp_path / f"{codec}.ccf"
        if codec != "auto" and not cc.get_codec(codec).info.accepts(ArraySpec.of(array)):
            continue
        with suppress(UnsupportedArrayError):  # of this shape
            cc.save(path, array, codec=codec)
        if not path.exists():
            continue
        back = cc.load(path)
        assert back.dtype == bool
        np.testing.assert_array_equal(back.view("u1"), array.view("u1") != 0, err_msg=codec)
        with cc.open(path) as file:
            assert file.verify(decode=True)["ok"]
    assert (tmp_path / "auto.ccf").exists()


def test_true_in_a_stream(tmp_path):
    pytest.importorskip("codecs_classic")
    with cc.create(tmp_path / "a.ccf", ArraySpec((1000,), "bool"), codec="classic.raw") as writer:
        writer.append("", odd()[:300])
        writer.append("", odd()[300:])
    np.testing.assert_array_equal(cc.load(tmp_path / "a.ccf").view("u1"), odd().view("u1") != 0)
