"""`save`: what comes back, what is refused, and that nothing is written unless all goes well."""

import subprocess
import sys
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import codecs_core as cc
from codecs_core import ArraySpec, Model
from codecs_core.arrays import DTYPES
from codecs_core.errors import (
    CodecsError,
    ConfigError,
    InputError,
    ModelError,
    ModelNotFoundError,
    OutputError,
    UnknownCodecError,
    UnsupportedArrayError,
)
from codecs_core.models import add, cache

from .conftest import COUNT, FIVES, Colour, Nibble, Raw, offset_model, registry_of


class Slow(Raw):
    """Tells that it is halfway."""

    def _encode(self, chunk):
        cc.tell(0.5, "halfway")
        return super()._encode(chunk)


def test_progress_moves_within_a_chunk(path, registry):
    said = []
    x = np.arange(8, dtype="u1")
    cc.save(path, {"a": x}, codec=Slow(), chunk=4, jobs=1, progress=lambda *each: said.append(each), registry=registry)
    assert said[0] == (0.25, "a: halfway")
    assert said[-1] == (1.0, "a")
    told, quiet = path.read_bytes(), path.with_name("quiet.ccf")
    cc.save(quiet, {"a": x}, codec=Slow(), chunk=4, jobs=1, registry=registry)
    assert quiet.read_bytes() == told


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


def test_what_save_returns_is_what_inspect_says(path, registry):
    attrs = {"a": {"z": (1, 2), "b": b"xyz", "c": 1.5}}
    info = cc.save(path, {"a": COUNT, "b": COUNT[:0]}, codec="test.raw", chunk=3, attrs=attrs, registry=registry)
    said = {key: value for key, value in info.items() if key not in ("tried", "aside")}
    assert said == cc.inspect(path)
    assert list(said["entries"][0]["attrs"]) == list(cc.inspect(path)["entries"][0]["attrs"])


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
        ({"codec": "test.raw", "jobs": 0}, ConfigError, "jobs must be a positive integer, got 0"),
        ({"codec": "test.raw", "config": {"lvl": 1}}, ConfigError, "no setting 'lvl'"),
        ({"codec": {"id": "test.raw", "lvl": 1}}, ConfigError, "no setting 'lvl'"),
        ({"codec": {"level": 1}}, ConfigError, "codec names none for entry ''"),
        ({"codec": 5}, ConfigError, "codec is a int"),
        ({"codec": Raw(), "config": {"level": 1}}, ConfigError, "drop config"),
        ({"codec": "auto", "config": {"level": 1}}, ConfigError, "no codec is named"),
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
        ({"a": COUNT}, {"attrs": {"a": 5}}, "expected a mapping"),
        ({"a": COUNT}, {"codec": {"b": "test.raw"}}, "none for entry 'a'"),
        ({"a": COUNT}, {"codec": {"a": "test.raw", "b": "test.raw"}}, "'b', which is no entry"),
    ],
)
def test_names_must_fit(path, registry, data, arguments, text):
    with pytest.raises(ConfigError, match=text):
        cc.save(path, data, **{"codec": "test.raw", **arguments}, registry=registry)


def test_a_codec_is_asked_for_no_chunk_of_what_it_does_not_take(path):
    registry, image = registry_of(Raw, Colour), np.zeros((4, 5, 3), "u1")
    others = {"one value": np.uint8(3), "floats": np.zeros(3), "grey": image[:, :, :1]}
    for name, array in others.items():
        with pytest.raises(UnsupportedArrayError, match=f"entry {name!r}: codec test.colour takes"):
            cc.save(path, {"a": image, name: array}, codec="test.colour", registry=registry)
    cc.save(path, {"a": image, **others}, codec="test.colour", registry=registry, strict=False)
    with cc.open(path, registry=registry) as file:
        assert {name: one.codec for name, one in file.items()} == {
            "a": "test.colour",
            **dict.fromkeys(others, "test.raw"),
        }


def test_a_refusal_names_the_entry(path, registry):
    with pytest.raises(UnsupportedArrayError, match=r"entry 'b': codec test\.nibble takes values below 16"):
        cc.save(path, {"a": COUNT % 16, "b": COUNT}, codec="test.nibble", registry=registry)


def test_a_folder_that_is_not_there(path, registry):
    with pytest.raises(OutputError):
        cc.save(path.parent / "no" / "x.ccf", COUNT, codec="test.raw", registry=registry)


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


def test_embedding(path, registry):
    model = offset_model(5)
    for embed, held in ((True, True), (False, False), (len(model.data), True), (len(model.data) - 1, False)):
        info = cc.save(path, FIVES, codec="test.offset", model=model, embed_model=embed, registry=registry)
        assert info["entries"][0]["model"]["embedded"] is held
        assert info["bytes"]["models"] == held * len(model.data)  # in a folded file, without a head
        cache.clear()
        if held:
            np.testing.assert_array_equal(cc.load(path, registry=registry), FIVES)


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
