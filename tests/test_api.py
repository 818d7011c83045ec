"""Files by way of the public functions, with codecs small enough to see through."""

import json
import pickle
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import codecs_core as cc
from codecs_core import ArraySpec, Codec, CodecInfo, CodecSpec, Limits, Model, ModelSpec, hookimpl
from codecs_core.api import auto, sample
from codecs_core.api.items import items
from codecs_core.api.parallel import ordered
from codecs_core.api.selection import select
from codecs_core.arrays import DTYPES
from codecs_core.container import Entry, Reader, Writer, digest
from codecs_core.errors import (
    CodecConflictError,
    CodecsError,
    ConfigError,
    CorruptDataError,
    DecodeMismatchError,
    InputError,
    LimitExceededError,
    ModelError,
    ModelNotFoundError,
    OutputError,
    UnknownCodecError,
    UnsupportedArrayError,
    UnsupportedFeatureError,
)
from codecs_core.models import add, cache
from codecs_core.registry import Registry

# --- codecs -----------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Raw(Codec):
    """The bytes as they are; counts the chunks it decodes."""

    id = "test.raw"
    info = CodecInfo(summary="raw")
    decoded: ClassVar[list] = []

    level: int = 0

    def _encode(self, chunk):
        return chunk.astype(chunk.dtype.newbyteorder("<")).tobytes()

    def _decode(self, payload, spec):
        self.decoded.append(spec.shape)
        return np.frombuffer(payload, spec.numpy).reshape(spec.shape).astype(spec.dtype)


@dataclass(frozen=True, kw_only=True)
class Nibble(Raw):
    """Half the size, for values below 16 only."""

    id = "test.nibble"
    info = CodecInfo(summary="nibble", dtypes=("uint8",))

    def _encode(self, chunk):
        if chunk.size and chunk.max() > 15:
            raise UnsupportedArrayError(f"codec {self.id} takes values below 16, not {chunk.max()}")
        flat = np.append(chunk.ravel(), np.zeros(chunk.size % 2, "u1"))
        return (flat[::2] * 16 + flat[1::2]).tobytes()

    def _decode(self, payload, spec):
        packed = np.frombuffer(payload, "u1")
        return np.stack([packed // 16, packed % 16], -1).ravel()[: spec.size].reshape(spec.shape)


@dataclass(frozen=True, kw_only=True)
class Runs(Raw):
    """A byte for an array of one value, and ten times an array of many."""

    id = "test.runs"
    info = CodecInfo(summary="values that are all the same", dtypes=("uint8",))

    def _encode(self, chunk):
        same = (chunk == chunk.flat[0]).all()
        return chunk.tobytes()[:1] if same else chunk.tobytes() * 10

    def _decode(self, payload, spec):
        return np.resize(np.frombuffer(payload, "u1")[: spec.size], spec.shape)


@dataclass(frozen=True, kw_only=True)
class Offset(Raw):
    """Stores the difference to its model in nothing if there is none."""

    id = "test.offset"
    info = CodecInfo(summary="needs a model", dtypes=("uint8",), needs_model=True, trainable=True)

    def check(self, spec):
        super().check(spec)
        shape = tuple(self.model.config["shape"])
        if spec.shape[1:] != shape:
            raise UnsupportedArrayError(f"model {self.model.name} takes items of shape {shape}, not {spec.shape[1:]}")

    def _encode(self, chunk):
        difference = chunk - self.model.tensors()["w"]
        return b"" if not difference.any() else difference.tobytes()

    def _decode(self, payload, spec):
        difference = np.frombuffer(payload, "u1").reshape(spec.shape) if payload else np.zeros(spec.shape, "u1")
        return difference + self.model.tensors()["w"]

    @classmethod
    def train(cls, data, *, budget, progress=None, step=1):
        if progress:
            progress(1.0, "done")
        return offset_model(int(data[0].flat[0]), data.shape[1:], attrs={"budget": budget, "step": step})


@dataclass(frozen=True, kw_only=True)
class Lossy(Raw):
    id = "test.lossy"
    info = CodecInfo(summary="drops the low bits", dtypes=("uint8",), kind="lossy")

    def _encode(self, chunk):
        return b"" if not chunk.size else (chunk & 0xF0).tobytes()


@dataclass(frozen=True, kw_only=True)
class Planes(Raw):
    """The high halves of bytes and then the low ones; learns from items of any shape, and goes on where it ended."""

    id = "test.planes"
    info = CodecInfo(
        summary="coarse to fine", dtypes=("uint8",), trainable=True, auto=False, ragged=True, resumable=True
    )

    def _encode(self, chunk):
        return (chunk >> 4).tobytes() + (chunk & 15).tobytes()

    def _decode(self, payload, spec):
        return self._preview(payload, spec, 2)

    def _preview(self, payload, spec, levels):
        self.decoded.append(spec.shape)
        planes = np.frombuffer(payload, "u1").reshape(2, *spec.shape)
        high, low = (plane * (k < levels) for k, plane in enumerate(planes))
        return high << 4 | low

    @classmethod
    def train(cls, data, *, budget, progress=None, checkpoint=None):
        steps = 1
        if checkpoint is not None:
            steps += int(checkpoint.read_text()) if checkpoint.exists() else 0
            checkpoint.write_text(str(steps))
        shapes = [list(item.shape) for item in data]
        return Model.create(
            codec=cls.id, config={"shapes": shapes, "listed": isinstance(data, list), "steps": steps}, tensors={}
        )


@dataclass(frozen=True, kw_only=True)
class Wrong(Raw):
    """Small, and decodes to something else."""

    id = "test.wrong"
    info = CodecInfo(summary="lies", auto=False)

    def _encode(self, chunk):
        return b""

    def _decode(self, payload, spec):
        return np.full(spec.shape, 7, spec.dtype)


@dataclass(frozen=True, kw_only=True)
class Failing(Raw):
    """Raises for a chunk that holds 99."""

    id = "test.failing"
    info = CodecInfo(summary="raises", auto=False)

    def _encode(self, chunk):
        if (chunk == 99).any():
            raise RuntimeError("ninety-nine")
        return super()._encode(chunk)


def offset_model(value, shape=(2,), **more):
    return Model.create(
        codec="test.offset",
        config={"shape": list(shape)},
        tensors={"w": np.full(shape, value, "u1")},
        name=f"m{value}",
        **more,
    )


def registry_of(*classes, models=(), **changes):
    class Plugin:
        @hookimpl
        def codecs_register(self):
            return [
                CodecSpec(
                    id=cls.id,
                    implementation=f"{__name__}:{cls.__name__}",
                    info=cls.info,
                    format_version=cls.format_version,
                )
                for cls in classes
            ]

        @hookimpl
        def codecs_register_models(self):
            return list(models)

    found = Registry([])
    found.register(Plugin(), name="codecs-test")
    return found


@pytest.fixture
def registry():
    return registry_of(Raw, Nibble, Offset, Lossy, Planes, Wrong, Failing)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "x.ccf"


@pytest.fixture(autouse=True)
def _store(tmp_path, monkeypatch):
    monkeypatch.setenv("CODECS_MODELS", str(tmp_path / "store"))
    cache.clear()
    Raw.decoded.clear()


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    """Two models that ship with the plugin of the registry."""
    package = tmp_path / "site" / "shipped_models"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(str(package.parent))
    specs = []
    for value in (5, 6):
        model = offset_model(value)
        (package / f"{value}.safetensors").write_bytes(model.data)
        specs.append(
            ModelSpec(
                name=model.name,
                codec=model.codec,
                resource=f"shipped_models:{value}.safetensors",
                sha256=model.sha256,
                summary="s",
                nbytes=len(model.data),
            )
        )
    yield registry_of(Raw, Nibble, Offset, models=specs)
    sys.modules.pop("shipped_models", None)


COUNT = np.arange(40, dtype="u1").reshape(10, 4)

# --- round trips ------------------------------------------------------------------------------------


def layouts(array):
    """The same values in other memory layouts."""
    yield array
    yield np.array(array, order="F")
    yield array.astype(array.dtype.newbyteorder(">"))
    if array.ndim:
        yield np.ascontiguousarray(array[::-1])[::-1]
        yield np.repeat(array, 2, axis=-1)[..., ::2]
    frozen = array.copy()
    frozen.flags.writeable = False
    yield frozen


arrays = hnp.arrays(
    dtype=st.sampled_from(sorted(DTYPES)).map(np.dtype),
    shape=hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=7),
)


@settings(max_examples=60, deadline=None)
@given(array=arrays, chunk=st.none() | st.integers(1, 9), jobs=st.sampled_from([1, 3]))
def test_what_is_saved_is_loaded(tmp_path_factory, array, chunk, jobs):
    registry = registry_of(Raw)
    path = tmp_path_factory.mktemp("round") / "x.ccf"
    for variant in layouts(array):
        before = variant.tobytes()
        cc.save(path, variant, codec="test.raw", chunk=chunk, jobs=jobs, registry=registry)
        back = cc.load(path, jobs=jobs, registry=registry)
        assert back.shape == array.shape
        assert back.dtype == array.dtype
        assert back.dtype.isnative
        assert back.tobytes() == np.ascontiguousarray(array).tobytes()
        assert variant.tobytes() == before


def test_several_entries_keep_their_names_and_order(path, registry):
    data = {"b": COUNT, "a/c": np.float64(2.5), "": None, "ä": np.zeros((0, 3), "i8")}
    del data[""]
    info = cc.save(path, data, codec="test.raw", chunk=3, attrs={"b": {"icc": b"123", "n": 1}}, registry=registry)
    assert [entry["name"] for entry in info["entries"]] == ["b", "a/c", "ä"]
    back = cc.load(path, registry=registry)
    assert list(back) == list(data)
    for name, array in data.items():
        np.testing.assert_array_equal(back[name], array)
    with cc.open(path, registry=registry) as file:
        assert list(file) == list(data)
        assert len(file) == 3
        assert file["b"].attrs == {"icc": b"123", "n": 1}
        assert "nothing" not in file
        with pytest.raises(KeyError, match="no entry 'nothing'"):
            file["nothing"]


def test_a_named_array_comes_back_in_a_dict(path, registry):
    cc.save(path, {"x": COUNT}, codec="test.raw", registry=registry)
    assert list(cc.load(path, registry=registry)) == ["x"]
    cc.save(path, {}, codec="test.raw", registry=registry)
    assert cc.load(path, registry=registry) == {}


def test_the_file_depends_on_nothing_but_the_data(path, registry):
    files = set()
    for jobs in (1, 2, 7):
        cc.save(path, {"x": COUNT, "y": COUNT[::2]}, codec="test.raw", chunk=1, jobs=jobs, registry=registry)
        files.add(path.read_bytes())
    assert len(files) == 1


def test_lists_and_other_array_likes(path, registry):
    cc.save(path, [[1, 2], [3, 4]], codec="test.raw", registry=registry)
    np.testing.assert_array_equal(cc.load(path, registry=registry), [[1, 2], [3, 4]])
    other = path.with_name("y.ccf")
    with cc.open(path, registry=registry) as file:
        cc.save(other, dict(file), codec="test.raw", chunk=1, registry=registry)
    np.testing.assert_array_equal(cc.load(other, registry=registry), [[1, 2], [3, 4]])


@pytest.mark.parametrize(
    "array", [["a"], [object()], [[1], [2, 3]], np.zeros(2, "V3"), np.ma.masked_array([1], [True])]
)
def test_what_no_container_holds(path, registry, array):
    with pytest.raises(UnsupportedArrayError):
        cc.save(path, array, codec="test.raw", registry=registry)
    assert not path.exists()


def test_a_memory_map_is_read_chunk_by_chunk(path, registry, tmp_path):
    np.save(tmp_path / "x.npy", COUNT)
    cc.save(path, np.load(tmp_path / "x.npy", mmap_mode="r"), codec="test.raw", chunk=3, registry=registry)
    np.testing.assert_array_equal(cc.load(path, registry=registry), COUNT)


class Counted:
    """A source that says how many arrays are in memory."""

    alive = 0
    most = 0
    lock = threading.Lock()

    def __init__(self, array, spec=None):
        self.array, self.spec, self.attrs = array, spec or ArraySpec.of(array), {"kind": "counted"}

    def read(self):
        class Tracked(np.ndarray):
            def __del__(tracked):
                if tracked.base is self.array:
                    Counted.alive -= 1

        with self.lock:
            Counted.alive += 1
            Counted.most = max(Counted.most, Counted.alive)
        return self.array.view(Tracked)


def test_sources_are_read_when_their_turn_comes_and_let_go(path, registry):
    Counted.alive = Counted.most = 0
    data = {f"{i:03}": Counted(np.full((4, 2), i, "u1")) for i in range(100)}
    cc.save(path, data, codec="test.raw", chunk=3, jobs=2, attrs={"007": {"more": 1}}, registry=registry)
    assert 0 < Counted.most < 20
    back = cc.load(path, registry=registry)
    assert all((back[name] == int(name)).all() for name in data)
    with cc.open(path, registry=registry) as file:
        assert file["007"].attrs == {"kind": "counted", "more": 1}


def test_a_source_that_is_not_what_it_said(path, registry):
    path.write_bytes(b"old")
    with pytest.raises(InputError, match="turned out"):
        cc.save(path, Counted(COUNT, ArraySpec((3,), "uint8")), codec="test.raw", registry=registry)
    source = Counted(COUNT)
    source.read = lambda: open("/nonexistent/file")  # noqa: SIM115
    with pytest.raises(InputError, match="cannot be read"):
        cc.save(path, source, codec="test.raw", registry=registry)
    assert path.read_bytes() == b"old"


# --- failing ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("jobs", [1, 4])
def test_a_failure_midway_leaves_the_old_file(path, registry, jobs):
    cc.save(path, COUNT, codec="test.raw", registry=registry)
    before = path.read_bytes()
    data = np.zeros((1000, 4), "u1")
    data[500] = 99
    with pytest.raises(RuntimeError, match="ninety-nine") as caught:
        cc.save(path, data, codec="test.failing", chunk=1, jobs=jobs, registry=registry)
    assert "test.failing" in caught.value.__notes__[0]
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_progress_rises_to_one_and_may_stop_the_work(path, registry):
    seen = []
    cc.save(path, COUNT, codec="test.raw", chunk=3, progress=lambda f, m: seen.append(f), registry=registry)
    assert seen == sorted(seen)
    assert seen[-1] == 1
    assert len(seen) == 4
    seen.clear()
    cc.load(path, progress=lambda f, m: seen.append(f), registry=registry)
    assert (len(seen), seen[-1]) == (4, 1)
    before = path.read_bytes()

    def stop(fraction, message):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cc.save(path, COUNT * 2, codec="test.raw", chunk=1, progress=stop, registry=registry)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"codec": "test.rav"}, UnknownCodecError, "test.raw"),
        ({"codec": "test.nibble"}, UnsupportedArrayError, "below 16"),
        ({"codec": "test.raw", "chunk": 0}, ConfigError, "got 0"),
        ({"codec": "test.raw", "chunk": 1.5}, ConfigError, r"got 1\.5"),
        ({"codec": "test.raw", "jobs": 0}, ConfigError, "jobs is 0"),
        ({"codec": "test.raw", "config": {"lvl": 1}}, ConfigError, "no setting 'lvl'"),
        ({"codec": {"id": "test.raw", "lvl": 1}}, ConfigError, "no setting 'lvl'"),
        ({"codec": {"level": 1}}, ConfigError, "codec names none for entry ''"),
        ({"codec": 5}, ConfigError, "codec is a int"),
        ({"codec": Raw(), "config": {"level": 1}}, ConfigError, "drop config"),
        ({"codec": "auto", "config": {"level": 1}}, ConfigError, "name the codec"),
        ({"codec": "test.raw", "attrs": {"x": object()}}, CodecsError, "x"),
        ({"codec": "test.offset"}, ConfigError, "needs a model and none ships"),
        ({"codec": "test.raw", "model": offset_model(1)}, ConfigError, "takes none"),
        ({"codec": "test.offset", "model": "nope"}, ModelNotFoundError, "nope"),
        ({"codec": "test.offset", "model": offset_model(1)}, UnsupportedArrayError, r"takes items of shape \(2,\)"),
    ],
)
def test_everything_is_checked_before_the_target_is_touched(path, registry, arguments, error, text):
    path.write_bytes(b"old")
    with pytest.raises(error, match=text):
        cc.save(path, COUNT, registry=registry, **arguments)
    assert path.read_bytes() == b"old"
    assert [p.name for p in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize(
    ("data", "arguments", "text"),
    [
        ({"a": COUNT, "": COUNT}, {}, "cannot be called ''"),
        ({1: COUNT}, {}, "cannot be called 1"),
        ({"a": COUNT}, {"attrs": {"b": {}}}, "attrs names 'b'"),
        ({"a": COUNT}, {"attrs": {"a": 5}}, "mapping is due"),
        ({"a": COUNT}, {"codec": {"b": "test.raw"}}, "none for entry 'a'"),
        ({"a": COUNT}, {"codec": {"a": "test.raw", "b": "test.raw"}}, "'b', which is no entry"),
    ],
)
def test_names_must_fit(path, registry, data, arguments, text):
    with pytest.raises(ConfigError, match=text):
        cc.save(path, data, **{"codec": "test.raw", **arguments}, registry=registry)


def test_a_refusal_names_the_entry(path, registry):
    with pytest.raises(UnsupportedArrayError, match=r"entry 'b': codec test\.nibble takes values below 16"):
        cc.save(path, {"a": COUNT % 16, "b": COUNT}, codec="test.nibble", registry=registry)


def test_a_folder_that_is_not_there(path, registry):
    with pytest.raises(OutputError):
        cc.save(path.parent / "no" / "x.ccf", COUNT, codec="test.raw", registry=registry)


# --- which codec ------------------------------------------------------------------------------------


def test_the_ways_to_name_a_codec(path, registry):
    for codec in ("test.raw", {"id": "test.raw", "level": 2}, Raw(level=2)):
        entry = cc.save(path, COUNT, codec=codec, registry=registry)["entries"][0]
        assert (entry["codec"], entry["package"]) == ("test.raw", "codecs-test")
        assert entry["config"] == ({} if codec == "test.raw" else {"level": 2})
    info = cc.save(path, COUNT, codec="test.raw", config={"level": 4}, registry=registry)
    assert info["entries"][0]["config"] == {"level": 4}
    codecs = {"id": "test.raw", "b": Nibble(), "c": {"id": "test.raw", "level": 1}}
    info = cc.save(path, {"id": COUNT, "b": COUNT % 16, "c": COUNT}, codec=codecs, registry=registry)
    assert [(e["codec"], e["config"]) for e in info["entries"]] == [
        ("test.raw", {}),
        ("test.nibble", {}),
        ("test.raw", {"level": 1}),
    ]
    assert info["tried"] == []


def test_auto_takes_the_smallest(path, registry):
    info = cc.save(path, COUNT % 16, registry=registry)
    assert info["entries"][0]["codec"] == "test.nibble"
    [tried] = info["tried"]
    assert tried["chosen"] == {"codec": "test.nibble", "model": None}
    assert {c["codec"]: c["bytes"] for c in tried["candidates"]} == {
        "test.raw": 40 + auto.CHUNK_OVERHEAD,
        "test.nibble": 20 + auto.CHUNK_OVERHEAD,
    }
    json.dumps(info)
    np.testing.assert_array_equal(cc.load(path, registry=registry), COUNT % 16)


def test_auto_drops_what_raises_on_the_sample(path, registry):
    info = cc.save(path, COUNT, registry=registry)
    assert info["entries"][0]["codec"] == "test.raw"
    errors = {c["codec"]: c["error"] for c in info["tried"][0]["candidates"]}
    assert "below 16" in errors["test.nibble"]
    assert errors["test.raw"] is None


def test_auto_takes_the_next_best_if_the_sample_missed_a_value(path, registry):
    data = np.zeros((4 << 20, 2), "u1")
    data[-1] = 200
    info = cc.save(path, {"a": data, "b": COUNT % 16}, chunk=1 << 20, registry=registry)
    assert [entry["codec"] for entry in info["entries"]] == ["test.raw", "test.nibble"]
    assert any("below 16" in (c["error"] or "") for c in info["tried"][0]["candidates"])
    np.testing.assert_array_equal(cc.load(path, registry=registry)["a"], data)


def test_auto_chooses_neither_lossy_nor_lying_codecs(path, monkeypatch):
    monkeypatch.setattr(Wrong, "info", CodecInfo(summary="lies", auto=True))
    info = cc.save(path, COUNT, registry=registry_of(Raw, Wrong, Lossy))
    assert info["entries"][0]["codec"] == "test.raw"
    errors = {c["codec"]: c["error"] for c in info["tried"][0]["candidates"]}
    assert errors == {"test.raw": None, "test.wrong": "codec test.wrong does not decode what it encoded"}


def test_auto_survives_a_plugin_that_cannot_be_imported(path):
    class Plugin:
        @hookimpl
        def codecs_register(self):
            return [CodecSpec(id="test.gone", implementation="not_there_at_all:X", info=CodecInfo(summary=""))]

    registry = registry_of(Raw)
    registry.register(Plugin(), name="codecs-gone")
    assert cc.save(path, COUNT, registry=registry)["entries"][0]["codec"] == "test.raw"


def test_auto_with_nothing_to_choose_from(path):
    with pytest.raises(ConfigError, match="pip install codecs-classic"):
        cc.save(path, COUNT, registry=Registry([]))
    with pytest.raises(UnsupportedArrayError, match=r"below 16.*pip install codecs-classic"):
        cc.save(path, COUNT, registry=registry_of(Nibble))


def test_auto_decides_once_for_entries_of_one_kind(path, registry):
    data = {f"{i}": COUNT % 16 for i in range(50)} | {"other": np.zeros((3, 7), "u1"), "f": np.zeros(3)}
    info = cc.save(path, data, registry=registry)
    assert [(t["entries"], t["first"]) for t in info["tried"]] == [(50, "0"), (1, "other"), (1, "f")]
    assert {e["codec"] for e in info["entries"]} == {"test.nibble", "test.raw"}


@pytest.mark.parametrize("shape", [(), (0,), (0, 3), (3, 0), (1,)])
def test_auto_of_little(path, registry, shape):
    cc.save(path, np.zeros(shape, "u1"), registry=registry)
    assert cc.load(path, registry=registry).shape == shape


def test_samples_are_small_and_from_several_places():
    big = np.broadcast_to(np.arange(1 << 16, dtype="u4")[:, None], (1 << 16, 256))
    [taken] = sample.take([items(big)])
    assert taken.nbytes <= sample.BYTES
    rows = taken.parts[0][:, 0]
    assert len(np.unique(rows // (1 << 14))) == 4
    runs = np.diff(rows.astype(int))
    assert (runs == 1).sum() == len(runs) - 3
    many = [items(np.zeros((64, 64, 3), "u1")) for _ in range(1000)]
    assert len(sample.take(many)) == sample.ENTRIES
    photos = [items(np.zeros((2000, 2000, 3), "u1")) for _ in range(5)]
    assert sum(part.nbytes for part in sample.take(photos)) <= sample.BYTES
    assert len(sample.pieces([np.zeros((1000, 2))], 1)) == sample.PIECES
    assert [len(p) for p in sample.pieces([np.zeros((5, 2)), np.zeros((2, 2))], 2)] == [2, 2, 1, 2]


def test_samples_of_images_are_crops():
    wide = items(np.zeros((3000, 4000, 3), "u1"))
    [taken] = sample.take([wide], images=True)
    assert [part.ndim for part in taken.parts] == [3] * sample.PLACES
    assert all(part.shape[0] > 200 and part.shape[1] > 200 for part in taken.parts)
    assert 0.9 * sample.BYTES < taken.nbytes <= sample.BYTES
    some = [wide, *(items(np.zeros((n, 5000 // n, 3), "u1")) for n in (1, 50, 5000))]
    assert sample.take(some, images=True)[-1].nbytes <= sample.BYTES
    for shape in ((1, 1 << 22), (1 << 22, 1), (3, 1 << 20)):
        [taken] = sample.take([items(np.zeros(shape, "u1"))], images=True)
        assert 0.4 * sample.BYTES < taken.nbytes <= sample.BYTES


def test_auto_decides_once_for_images_of_all_sizes_that_are_alike(path, registry):
    data = {f"{n}": np.full((5, n, 3), 7, "u1") for n in range(1, 30)}
    info = cc.save(path, data, registry=registry)
    assert [tried["entries"] for tried in info["tried"]] == [29]
    assert {entry["codec"] for entry in info["entries"]} == {"test.nibble"}


def test_auto_decides_for_each_image_where_they_differ(path):
    registry = registry_of(Raw, Runs)
    noise = np.random.Generator(np.random.Philox(1)).integers(0, 256, (40, 9, 8, 3), dtype=np.uint8)
    data = {f"{k}": image if k % 3 else np.full((9 + k, 8, 3), k, "u1") for k, image in enumerate(noise)}
    info = cc.save(path, data, registry=registry)
    assert [entry["codec"] for entry in info["entries"]] == [
        "test.raw" if k % 3 else "test.runs" for k in range(len(noise))
    ]
    assert [tried["entries"] for tried in info["tried"]] == [40]
    for name, array in cc.load(path, registry=registry).items():
        np.testing.assert_array_equal(array, data[name])


# --- models -----------------------------------------------------------------------------------------

FIVES = np.full((6, 2), 5, "u1")


def test_a_model_given_as_object_path_or_name(path, registry, tmp_path):
    model = offset_model(5)
    model.save(tmp_path / "five.safetensors")
    add(model, "kept")
    for ref in (model, tmp_path / "five.safetensors", str(tmp_path / "five.safetensors"), "kept", model.sha256):
        for codec in ("test.offset", "auto"):
            info = cc.save(path, FIVES, codec=codec, model=ref, registry=registry)
            assert info["entries"][0]["model"]["sha256"] == model.sha256
            assert info["entries"][0]["bytes"] == 0
    np.testing.assert_array_equal(cc.load(path, registry=registry), FIVES)


def test_a_model_of_another_codec(path, registry):
    other = Model.create(codec="test.other", config={}, tensors={})
    with pytest.raises(ModelError, match=r"for codec test\.other, not for test\.offset"):
        cc.save(path, FIVES, codec="test.offset", model=other, registry=registry)
    with pytest.raises(UnknownCodecError, match=r"test\.other"):
        cc.save(path, FIVES, model=other, registry=registry)


def test_without_a_model_the_best_of_those_that_ship(path, shipped):
    for codec in ("auto", "test.offset"):
        info = cc.save(path, FIVES + 1, codec=codec, registry=shipped)
        assert info["entries"][0]["model"] == {"name": "m6", "sha256": offset_model(6).sha256, "embedded": False}
        assert info["tried"][0]["chosen"] == {"codec": "test.offset", "model": "m6"}
        np.testing.assert_array_equal(cc.load(path, registry=shipped), FIVES + 1)
    assert cc.save(path, COUNT, registry=shipped)["entries"][0]["codec"] == "test.raw"
    with pytest.raises(UnsupportedArrayError, match=r"test\.offset with model m5: model m5 takes items of shape"):
        cc.save(path, COUNT, codec="test.offset", registry=shipped)


def test_embedding(path, registry):
    model = offset_model(5)
    for embed, held in ((True, True), (False, False), (len(model.data), True), (len(model.data) - 1, False)):
        info = cc.save(path, FIVES, codec="test.offset", model=model, embed_model=embed, registry=registry)
        assert info["entries"][0]["model"]["embedded"] is held
        assert (info["bytes"]["models"] > len(model.data)) is held
        cache.clear()
        if held:
            np.testing.assert_array_equal(cc.load(path, registry=registry), FIVES)


def test_a_missing_model_says_what_is_missing_and_can_be_handed_in(path, registry, tmp_path):
    model = offset_model(5)
    cc.save(path, {"x": FIVES}, codec="test.offset", model=model, registry=registry)
    with pytest.raises(ModelNotFoundError) as caught:
        cc.load(path, registry=registry)
    for part in ("entry 'x'", "'m5'", model.sha256, "the file itself", "the installed plugins", "store"):
        assert part in str(caught.value)
    model.save(tmp_path / "m.safetensors")
    for models in (model, [model], str(tmp_path / "m.safetensors"), [tmp_path / "m.safetensors"]):
        np.testing.assert_array_equal(cc.load(path, models=models, registry=registry)["x"], FIVES)


# --- reading a part ---------------------------------------------------------------------------------

CUBE = np.arange(7 * 3 * 2, dtype="i4").reshape(7, 3, 2)

indices = st.integers(-8, 8)
slices = st.builds(slice, *[st.none() | st.integers(-9, 9)] * 2, st.none() | st.integers(-9, 9).filter(bool))
picks = (
    st.lists(indices, max_size=5).map(lambda p: np.array(p, int)) | hnp.arrays(bool, 7) | st.lists(indices, max_size=3)
)
firsts = indices | slices | st.just(...) | st.none() | picks
keys = firsts | st.tuples(firsts) | st.tuples(firsts, st.integers(-3, 2) | st.slices(3)) | st.just(())
keys |= st.tuples(firsts, st.slices(3), st.just([1, 0, 1])) | st.tuples(st.just(...), st.integers(-2, 1))
keys |= st.sampled_from([True, np.int8(3), np.array(2), np.array([[1, 2], [3, -1]]), (1, 2, 1), (1, 2, 1, 0), 1.5, "x"])


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@settings(max_examples=400, deadline=None)
@given(keys, st.integers(1, 8))
def test_indexing_is_that_of_numpy(tmp_path_factory, key, chunk):
    registry = registry_of(Raw)
    path = tmp_path_factory.mktemp("index") / "x.ccf"
    cc.save(path, CUBE, codec="test.raw", chunk=chunk, jobs=1, registry=registry)
    with cc.open(path, registry=registry, jobs=1) as file:
        try:
            due = CUBE[key]
        except (IndexError, ValueError, TypeError) as error:
            with pytest.raises(type(error)):
                file[""][key]
            return
        found = file[""][key]
        assert type(found) is type(due)
        np.testing.assert_array_equal(found, due)
        assert found.dtype == due.dtype


@pytest.mark.parametrize(
    ("key", "chunks"),
    [
        (0, [0]),
        (-1, [4]),
        (slice(2, 4), [1]),
        (slice(1, 3), [0, 1]),
        (slice(None, None, -4), [0, 2, 4]),
        (slice(0, 0), []),
        ([9, 0, 1, -10], [0, 4]),
        ((3, 1), [1]),
        (..., [0, 1, 2, 3, 4]),
    ],
)
def test_only_touched_chunks_are_decoded(path, registry, key, chunks):
    assert [part.chunk for part in select(key, 10, 2).parts] == chunks
    cc.save(path, COUNT, codec="test.raw", chunk=2, registry=registry)
    with cc.open(path, registry=registry) as file:
        np.testing.assert_array_equal(file[""][key], COUNT[key])
    assert len(Raw.decoded) == len(chunks)


def test_going_through_items_decodes_each_chunk_once(path, registry):
    cc.save(path, COUNT, codec="test.raw", chunk=3, registry=registry)
    with cc.open(path, registry=registry) as file:
        np.testing.assert_array_equal(list(file[""]), COUNT)
        assert len(Raw.decoded) == 4
        row = file[""][9]
        row[:] = 0
        np.testing.assert_array_equal(file[""][9], COUNT[9])


def test_views_say_what_they_are(path, registry):
    cc.save(path, {"x": COUNT, "z": np.float32(4)}, codec="test.raw", chunk=3, registry=registry)
    with cc.open(path, registry=registry) as file:
        x, z = file["x"], file["z"]
        assert (x.name, x.shape, x.ndim, x.dtype, x.size, x.nbytes) == ("x", (10, 4), 2, np.uint8, 40, 40)
        assert (x.codec, x.chunks, x.n_chunks, len(x)) == ("test.raw", (3, 4), 4, 10)
        assert (z.shape, z.chunks, z[()], z[...].shape) == ((), (), 4, ())
        np.testing.assert_array_equal(np.asarray(x), COUNT)
        assert np.asarray(x, "f4").dtype == np.float32
        with pytest.raises(ValueError, match="copy"):
            np.asarray(x, copy=False)
        with pytest.raises(TypeError, match="len"):
            len(z)
        with pytest.raises(IndexError):
            z[0]
        assert "uint8" in repr(x)
        assert path.name in repr(file)
        copy = pickle.loads(pickle.dumps(file))
        assert list(copy) == ["x", "z"]
        copy.close()


def test_many_threads_read_one_file(path, registry):
    data = np.arange(4000, dtype="u2").reshape(1000, 4)
    cc.save(path, data, codec="test.raw", chunk=7, registry=registry)
    with cc.open(path, registry=registry) as file, ThreadPoolExecutor(8) as pool:
        starts = np.random.default_rng(0).integers(0, 1000, 200)
        for start, part in zip(starts, pool.map(lambda s: file[""][s : s + 20], starts), strict=True):
            np.testing.assert_array_equal(part, data[start : start + 20])


# --- what can be wrong with a file ------------------------------------------------------------------


def write(path, array, payload, *, seal=None, **changes):
    fields = {"name": "x", "spec": ArraySpec.of(array), "chunk": 100, "codec": "test.raw", "package": "codecs-test"}
    with path.open("wb") as file:
        entry = Entry(**(fields | changes))
        writer = Writer(file, [entry], models={} if entry.model is None else {entry.model: "net"})
        writer.write_chunk("x", 0, payload, seal or digest(array))
        writer.close()


def test_a_damaged_chunk(path, registry):
    cc.save(path, COUNT, codec="test.raw", chunk=2, registry=registry)
    data = bytearray(path.read_bytes())
    data[data.index(COUNT[4:6].tobytes())] ^= 1
    path.write_bytes(data)
    with cc.open(path, registry=registry) as file:
        np.testing.assert_array_equal(file[""][:4], COUNT[:4])
        for ask in (lambda: file[""][4], lambda: file[""][:], lambda: cc.load(path, registry=registry)):
            with pytest.raises(CorruptDataError, match="chunk 2"):
                ask()
        for decode in (False, True):
            report = file.verify(decode=decode)
            [entry] = report["entries"]
            assert (report["ok"], entry["chunks"], entry["ok"]) == (False, 5, 4)
            [damage] = entry["damaged"]
            assert (damage["chunk"], damage["code"]) == (2, "corrupt")
            json.dumps(report)


def test_a_payload_that_decodes_to_something_else(path, registry):
    write(path, COUNT, (COUNT + 1).tobytes())
    with pytest.raises(
        DecodeMismatchError, match=r"entry 'x', chunk 0: the stored bytes are intact.*test\.raw.*codecs-test"
    ):
        cc.load(path, registry=registry)
    with cc.open(path, registry=registry) as file:
        assert file.verify()["ok"]
        report = file.verify(decode=True)
        assert report["entries"][0]["damaged"][0]["code"] == "decode-mismatch"


def test_a_payload_that_does_not_decode(path, registry):
    write(path, COUNT, b"abc")
    with pytest.raises(CorruptDataError, match=r"x\.ccf, entry 'x', chunk 0: .*test\.raw"):
        cc.load(path, registry=registry)


def test_a_codec_nobody_has(path, registry):
    write(path, COUNT, b"abc", codec="acme.deep", package="acme-codecs")
    with pytest.raises(UnknownCodecError, match=r"entry 'x': .*acme\.deep.*pip install acme-codecs"):
        cc.load(path, registry=registry)
    with cc.open(path, registry=registry) as file:
        assert file.info()["entries"][0]["package"] == "acme-codecs"
        assert file.verify()["ok"]
        report = file.verify(decode=True)
        assert not report["ok"]
        assert report["entries"][0]["error"]["code"] == "unknown-codec"
        assert report["entries"][0]["ok"] == 1


@pytest.mark.parametrize(
    ("changes", "error", "text"),
    [
        ({"codec_version": 2}, UnsupportedFeatureError, "version 2 of codec test.raw.*up to version 1; pip install -U"),
        ({"config": {"later": 1}}, UnsupportedFeatureError, "no setting 'later'.*pip install -U codecs-test"),
        ({"model": "ab" * 32, "codec": "test.offset"}, ModelNotFoundError, "called 'net'.*" + "ab" * 32),
        ({"codec": "test.offset"}, UnsupportedFeatureError, "needs a model"),
    ],
)
def test_files_of_newer_or_missing_things(path, registry, changes, error, text):
    write(path, COUNT, COUNT.tobytes(), **changes)
    with pytest.raises(error, match=text):
        cc.load(path, registry=registry)


def test_two_claims_on_the_codec_of_a_file(path, registry):
    cc.save(path, COUNT, codec="test.raw", registry=registry)

    class Other:
        @hookimpl
        def codecs_register(self):
            return [CodecSpec(id="test.raw", implementation="a:B", info=Raw.info)]

    registry.register(Other(), name="codecs-other")
    with pytest.raises(CodecConflictError, match=r"codecs-test .* and codecs-other"):
        cc.load(path, registry=registry)


def test_limits_come_from_the_caller(path, registry):
    cc.save(path, np.zeros((1000, 10), "u1"), codec="test.raw", chunk=10, registry=registry)
    with pytest.raises(LimitExceededError):
        cc.load(path, limits=Limits(array_bytes=9999), registry=registry)
    with pytest.raises(LimitExceededError):
        cc.load(path, limits=Limits(chunk_bytes=99), registry=registry)


def test_a_lossy_codec_is_sealed_by_what_a_reader_gets(path, registry):
    cc.save(path, COUNT, codec="test.lossy", registry=registry)
    np.testing.assert_array_equal(cc.load(path, registry=registry), COUNT & 0xF0)


# --- info -------------------------------------------------------------------------------------------


def test_info_is_json_and_adds_up(path, registry):
    model = offset_model(5)
    cc.save(path, {"x": FIVES, "y": FIVES}, codec={"x": "test.offset", "y": "test.raw"}, model=model, embed_model=True,
            attrs={"x": {"icc": b"12345", "deep": [{"b": b"1"}]}}, chunk=4, registry=registry)  # fmt: skip
    info = cc.inspect(path)
    assert json.loads(json.dumps(info)) == info
    sizes = info["bytes"]
    assert sizes["total"] == path.stat().st_size == sum(sizes.values()) - sizes["total"]
    x, y = info["entries"]
    assert x["model"] == {"name": "m5", "sha256": model.sha256, "embedded": True}
    assert y["model"] is None
    assert (y["shape"], y["dtype"], y["chunk"], y["chunks"], y["bytes"], y["bits_per_value"]) == (
        [6, 2],
        "uint8",
        4,
        2,
        12,
        8,
    )
    assert (x["bytes"], x["codec_version"], x["config"]) == (0, 1, {})
    assert x["attrs"] == {"icc": "<5 bytes>", "deep": [{"b": "<1 bytes>"}]}
    assert info["values"] == 24
    assert info["bits_per_value"] == 8 * sizes["total"] / 24
    assert info["path"] == str(path)
    with Reader.open(path) as reader:
        assert info["format"] == f"ccf {reader.version}"


def test_files_that_are_none(path):
    with pytest.raises(InputError):
        cc.inspect(path)
    path.write_bytes(b"no container at all" * 10)
    for ask in (cc.inspect, cc.load, cc.open):
        with pytest.raises(CodecsError) as caught:
            ask(path)
        assert caught.value.code == "not-a-container"


# --- streaming --------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 9), max_size=8), st.integers(1, 7), st.sampled_from([1, 3]))
def test_what_is_appended_is_what_would_have_been_saved(tmp_path_factory, sizes, chunk, jobs):
    registry = registry_of(Raw)
    folder = tmp_path_factory.mktemp("stream")
    data = np.arange(2 * sum(sizes), dtype="i4").reshape(-1, 2)
    specs = {"x": ArraySpec.of(data), "z": ArraySpec((), "float64")}
    buffer = np.zeros((9, 2), ">i4")
    with cc.create(folder / "a", specs, codec="test.raw", chunk=chunk, jobs=jobs, registry=registry) as writer:
        start = 0
        for size in sizes:
            buffer[:size] = data[start : start + size]
            writer.append("x", buffer[:size])
            start += size
        writer.append("z", np.array(2.5))
    cc.save(folder / "b", {"x": data, "z": 2.5}, codec="test.raw", chunk=chunk, registry=registry)
    assert (folder / "a").read_bytes() == (folder / "b").read_bytes()


def test_a_stream_that_is_not_finished_leaves_nothing(path, registry):
    path.write_bytes(b"old")
    spec = ArraySpec((4, 2), "uint8")
    with pytest.raises(ConfigError, match="lacks 2 of 4 chunks"):  # noqa: SIM117
        with cc.create(path, spec, codec="test.raw", chunk=1, registry=registry) as writer:
            writer.append("", np.zeros((2, 2), "u1"))
    with pytest.raises(FileNotFoundError, match="mine"):  # noqa: PT012, SIM117
        with cc.create(path, spec, codec="test.raw", chunk=1, registry=registry) as writer:
            writer.append("", np.zeros((2, 2), "u1"))
            open("mine")  # noqa: SIM115
    with pytest.raises(RuntimeError, match="ninety-nine"):  # noqa: SIM117
        with cc.create(path, spec, codec="test.failing", chunk=1, registry=registry) as writer:
            writer.append("", np.full((4, 2), 99, "u1"))
    assert path.read_bytes() == b"old"
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_parts_must_fit_the_entry(path, registry):
    writer = cc.create(path, {"x": ArraySpec((4, 2), "uint8")}, codec="test.raw", registry=registry)
    with pytest.raises(ConfigError, match="open the writer"):
        writer.append("x", COUNT)
    with writer:
        for part in (np.zeros((2, 3), "u1"), np.zeros((2, 2), "u2"), np.zeros(2, "u1"), np.array(1, "u1")):
            with pytest.raises(UnsupportedArrayError, match="does not fit entry 'x'"):
                writer.append("x", part)
        with pytest.raises(UnsupportedArrayError, match="holds 4 items and would have 5"):
            writer.append("x", np.zeros((5, 2), "u1"))
        with pytest.raises(ConfigError, match="entries: 'x'"):
            writer.append("y", np.zeros((5, 2), "u1"))
        writer.append("x", np.ones((4, 2), "u1"))
        with pytest.raises(UnsupportedArrayError, match="would have 5"):
            writer.append("x", np.ones((1, 2), "u1"))
    assert (cc.load(path, registry=registry)["x"] == 1).all()
    with pytest.raises(ConfigError, match="open the writer"):
        writer.append("x", COUNT)
    with pytest.raises(ConfigError, match="used already"):
        writer.__enter__()


def test_create_needs_a_codec_and_takes_models(path, registry):
    spec = ArraySpec.of(FIVES)
    with pytest.raises(ConfigError, match="name a codec"):
        cc.create(path, spec, codec="auto", registry=registry)
    with pytest.raises(ConfigError, match="takes one here"):
        cc.create(path, spec, codec="test.raw", model=offset_model(5), registry=registry)
    arguments = {"model": offset_model(5), "embed_model": True, "attrs": {"a": 1}}
    with cc.create(path, spec, codec="test.offset", registry=registry, **arguments) as writer:
        writer.append("", FIVES)
    with cc.open(path, registry=registry) as file:
        assert file[""].attrs == {"a": 1}
        np.testing.assert_array_equal(file[""], FIVES)


# --- codecs without files ---------------------------------------------------------------------------


def test_get_codec(registry):
    assert cc.get_codec("test.raw", registry=registry) == Raw()
    assert cc.get_codec("test.raw", level=3, registry=registry) == Raw(level=3)
    assert cc.get_codec({"id": "test.raw", "level": 3}, registry=registry) == Raw(level=3)
    model = offset_model(5)
    assert cc.get_codec("test.offset", model=model, registry=registry).model is model
    with pytest.raises(ConfigError, match="needs a model"):
        cc.get_codec("test.offset", registry=registry)
    with pytest.raises(ConfigError, match="no 'id'"):
        cc.get_codec({"level": 3}, registry=registry)


def test_list_codecs(shipped):
    listed = cc.list_codecs(registry=shipped)
    json.dumps(listed)
    assert [codec["id"] for codec in listed] == ["test.raw", "test.nibble", "test.offset"]
    assert listed[2] == {
        "id": "test.offset",
        "plugin": "codecs-test",
        "version": "",
        "summary": "needs a model",
        "kind": "lossless",
        "exactness": "portable",
        "dtypes": ["uint8"],
        "ndim": [],
        "format_version": 1,
        "trainable": True,
        "needs_model": True,
        "auto": True,
        "files": False,
        "ragged": False,
        "resumable": False,
        "models": ["m5", "m6"],
    }


def test_train(registry, path):
    seen = []
    model = cc.train("test.offset", FIVES, budget=2, step=3, progress=lambda f, m: seen.append(f), registry=registry)
    assert model.attrs == {"budget": 2, "step": 3}
    assert seen == [1.0]
    assert cc.save(path, FIVES, model=model, registry=registry)["entries"][0]["bytes"] == 0
    with pytest.raises(ConfigError, match="nothing to train"):
        cc.train("test.raw", FIVES, registry=registry)
    with pytest.raises(ConfigError, match="budget is 0"):
        cc.train("test.offset", FIVES, budget=0, registry=registry)


def test_training_on_items_of_many_shapes(registry):
    items = [COUNT[:3], COUNT[:5, :2].T, COUNT[2:3]]
    model = cc.train("test.planes", items, registry=registry)
    assert model.config == {"shapes": [[3, 4], [2, 5], [1, 4]], "listed": True, "steps": 1}
    assert cc.train("test.planes", COUNT, registry=registry).config["listed"] is False
    assert cc.train("test.offset", [[5, 5], [7, 7]], registry=registry).config == {"shape": [2]}
    with pytest.raises(UnsupportedArrayError, match=r"the data to train test\.offset on cannot be made one array"):
        cc.train("test.offset", items, registry=registry)
    with pytest.raises(UnsupportedArrayError, match="item 1 cannot be made one array"):
        cc.train("test.planes", [COUNT, [[1], [2, 3]]], registry=registry)


def test_training_that_goes_on(registry, tmp_path):
    checkpoint = tmp_path / "state"
    for steps, path in enumerate([checkpoint, str(checkpoint), checkpoint], start=1):
        assert cc.train("test.planes", COUNT, checkpoint=path, registry=registry).config["steps"] == steps
    assert checkpoint.read_text() == "3"
    with pytest.raises(ConfigError, match=r"training of test\.offset .* takes no checkpoint"):
        cc.train("test.offset", FIVES, checkpoint=checkpoint, registry=registry)
    with pytest.raises(ConfigError, match="'rate'; it has none"):
        cc.train("test.planes", COUNT, rate=1, registry=registry)


# --- previews ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("jobs", [1, 3])
def test_previews_of_an_entry(path, registry, jobs):
    cc.save(path, {"x": COUNT * 5, "y": np.uint8(77)}, codec="test.planes", chunk=3, registry=registry)
    with cc.open(path, jobs=jobs, registry=registry) as file:
        x, y = file["x"], file["y"]
        for levels, seen in enumerate([COUNT * 0, COUNT * 5 & 0xF0, COUNT * 5]):
            preview = x.preview(levels)
            assert preview.dtype == np.uint8
            np.testing.assert_array_equal(preview, seen)
        assert y.preview(1) == 64
        Raw.decoded.clear()
        np.testing.assert_array_equal(x.preview(1, np.s_[4:7, 1]), (COUNT * 5 & 0xF0)[4:7, 1])
        assert sorted(Raw.decoded) == [(3, 4), (3, 4)]
        x.preview(1, 2)
        np.testing.assert_array_equal(x[2], COUNT[2] * 5)  # what is kept of the last chunk is never a preview
        with pytest.raises(ConfigError, match="levels is -1"):
            x.preview(-1)


def test_previews_that_are_none(path, registry):
    cc.save(path, COUNT, codec="test.raw", registry=registry)
    with cc.open(path, registry=registry) as file, pytest.raises(ConfigError, match=r"test\.raw has no previews"):
        file[""].preview(1)
    write(path, COUNT, b"abc", codec="test.planes")
    where = r"x\.ccf, entry 'x', chunk 0: .*test\.planes"
    with cc.open(path, registry=registry) as file, pytest.raises(CorruptDataError, match=where):
        file["x"].preview(1)


# --- threads ----------------------------------------------------------------------------------------


def test_results_come_in_order_and_few_wait():
    taken = []

    def source():
        for i in range(100):
            taken.append(i)
            yield i

    def work(i):
        time.sleep(0.001 * (i % 3))
        return i * i

    for n, result in enumerate(ordered(work, source(), jobs=4)):
        assert result == n * n
        assert len(taken) - n <= 8
    assert len(taken) == 100


def test_the_first_error_cancels_the_rest():
    done, before = [], threading.active_count()

    def work(i):
        if i == 3:
            raise ValueError("three")
        time.sleep(0.01)
        done.append(i)

    with pytest.raises(ValueError, match="three"):
        list(ordered(work, range(1000), jobs=2))
    assert len(done) < 10
    assert threading.active_count() <= before + 2


def test_the_installed_plugins_serve_by_default(path):
    """In a fresh process: nothing in this module is registered there."""
    script = (
        "import sys, numpy as np, codecs_core as cc\n"
        "a = np.arange(1000, dtype='u2').reshape(10, 100)\n"
        "info = cc.save(sys.argv[1], a)\n"
        "assert (cc.load(sys.argv[1]) == a).all()\n"
        "print(info['entries'][0]['package'])\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("codecs-")


# --- in notebooks -----------------------------------------------------------------------------------


def test_files_and_entries_show_themselves(path, registry):
    cc.save(path, {"<script>": COUNT, **{f"{n}": COUNT for n in range(30)}}, codec="test.raw", registry=registry)
    with cc.open(path, registry=registry) as file:
        whole, one = file._repr_html_(), file["<script>"]._repr_html_()
    assert "<script>" not in whole + one
    assert "entry &#x27;&lt;script&gt;&#x27; of" in one
    assert "and 11 more" in whole
    assert f"{path.stat().st_size:,} bytes" in whole


def test_a_file_that_was_closed(path, registry):
    cc.save(path, COUNT, codec="test.raw", chunk=3, registry=registry)
    with cc.open(path, registry=registry) as file:
        view = file[""]
    for use in (lambda: view[:], lambda: view[0], file.load, lambda: np.asarray(view), lambda: file[""].preview(1)):
        with pytest.raises(CodecsError, match="is closed; open it again"):
            use()
    assert not file.verify()["ok"]
    assert view.shape == COUNT.shape
