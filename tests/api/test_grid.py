"""Chunks in all axes: what `chunk=` takes, and what of a file is decoded."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import codecs_core as cc
from codecs_core import ArraySpec
from codecs_core.api.chunks import names, of
from codecs_core.api.items import Held
from codecs_core.container import Reader
from codecs_core.container.folding import unfold
from codecs_core.container.grid import simplest
from codecs_core.container.preamble import Preamble
from codecs_core.errors import ConfigError, CorruptDataError, MissingChunkError

from .conftest import Raw, registry_of

CUBE = np.arange(7 * 6 * 5, dtype="i4").reshape(7, 6, 5)
numbers = st.integers(-6, 4)
slices = st.builds(slice, *[st.none() | st.integers(-9, 9)] * 2, st.none() | st.integers(-3, 3).filter(bool))
picks = st.lists(numbers, min_size=2, max_size=2) | st.lists(
    st.lists(numbers, min_size=2, max_size=2), min_size=1, max_size=2
)
indices = numbers | slices | st.just(...) | st.none() | picks


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@settings(max_examples=300, deadline=None)
@given(st.lists(indices, max_size=5).map(tuple), st.tuples(*[st.integers(1, 7)] * 3))
@example((None, 0, ..., 0, [0, 0]), (1, 1, 1))  # an ellipsis of no axes keeps indices apart
def test_indexing_is_that_of_numpy(tmp_path_factory, key, chunk):
    registry = registry_of(Raw)
    path = tmp_path_factory.mktemp("index") / "x.ccf"
    cc.save(path, CUBE, codec="test.raw", chunk=chunk, jobs=1, registry=registry)
    with cc.open(path, registry=registry, jobs=1) as file:
        np.testing.assert_array_equal(file[""][...], CUBE)
        try:
            due = CUBE[key]
        except (IndexError, ValueError, TypeError) as error:
            with pytest.raises(type(error)):
                file[""][key]
            return
        found = file[""][key]
        assert type(found) is type(due)
        np.testing.assert_array_equal(found, due)


@pytest.mark.parametrize(
    ("key", "chunks"),
    [
        (np.s_[...], range(12)),
        (np.s_[0], [0, 1, 2, 3]),
        (np.s_[0, 0, 0], [0]),
        (np.s_[-1, -1, -1], [11]),
        (np.s_[3:5, :3, 2:4], [4, 5]),
        (np.s_[:, 5], [2, 3, 6, 7, 10, 11]),
        (np.s_[..., 4], [1, 3, 5, 7, 9, 11]),
        (np.s_[[0, 6], :2, ::-4], [0, 1, 8, 9]),
        (np.s_[2:2], []),
        (np.s_[CUBE[:, 0, 0] == 90, 1, 1], [4]),
    ],
)
def test_only_touched_chunks_are_decoded(path, registry, key, chunks):
    cc.save(path, CUBE, codec="test.raw", chunk=(3, 3, 3), registry=registry)
    with cc.open(path, registry=registry) as file, Reader.open(path) as reader:
        np.testing.assert_array_equal(file[""][key], CUBE[key])
        touched = sorted(reader.entries[""].chunk_spec(i).shape for i in chunks)
    assert sorted(Raw.decoded) == touched


def test_going_through_items_decodes_each_chunk_once(path, registry):
    cc.save(path, CUBE, codec="test.raw", chunk=(3, 3, 3), registry=registry)
    with cc.open(path, registry=registry) as file:
        np.testing.assert_array_equal(list(file[""]), CUBE)
        assert len(Raw.decoded) == 12
        assert file[""].chunks == (3, 3, 3)
        assert file.info()["entries"][0]["chunk_shape"] == [3, 3, 3]


@pytest.mark.parametrize("chunk", [4, (4,), (4, 6), (4, 9, 9), [4, 6, 5]])
def test_files_cut_along_the_first_axis_stay_what_they_were(path, registry, chunk):
    cc.save(path, CUBE, codec="test.raw", chunk=4, registry=registry)
    before = path.read_bytes()
    cc.save(path, CUBE, codec="test.raw", chunk=chunk, registry=registry)
    assert path.read_bytes() == before
    assert Preamble.from_bytes(unfold(before), "it").minor == 0


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 9), max_size=6), st.tuples(*[st.integers(1, 5)] * 3), st.sampled_from([1, 3]))
def test_what_is_appended_is_what_would_have_been_saved(tmp_path_factory, sizes, chunk, jobs):
    registry, folder = registry_of(Raw), tmp_path_factory.mktemp("stream")
    data = np.arange(12 * sum(sizes), dtype="i4").reshape(-1, 4, 3)
    with cc.create(
        folder / "a", ArraySpec.of(data), codec="test.raw", chunk=chunk, jobs=jobs, registry=registry
    ) as writer:
        start = 0
        for size in sizes:
            writer.append("", data[start : start + size])
            start += size
    cc.save(folder / "b", data, codec="test.raw", chunk=chunk, registry=registry)
    assert (folder / "a").read_bytes() == (folder / "b").read_bytes()


def test_arrays_with_fewer_axes_are_cut_as_by_default(path, registry):
    arrays = {"cube": CUBE, "flat": CUBE.ravel(), "one": np.float32(1)}
    info = cc.save(path, arrays, codec="test.raw", chunk=(3, 3, 3), registry=registry)
    assert [entry["chunks"] for entry in info["entries"]] == [12, 1, 1]
    for name, array in cc.load(path, registry=registry).items():
        np.testing.assert_array_equal(array, arrays[name])


@pytest.mark.parametrize("chunk", [0, (3, 0), (True, 2), (2.0, 2), (), {}, {"x": 0}, "3x3", (1 << 63, 2)])
def test_what_is_no_length(path, registry, chunk):
    with pytest.raises(ConfigError, match="chunk must be a positive number of items"):
        cc.save(path, CUBE, codec="test.raw", chunk=chunk, registry=registry)


def test_lengths_that_no_array_has(path, registry):
    with pytest.raises(ConfigError, match=r"4 lengths, \(1, 1, 1, 1\), and no array has more than 3 axes"):
        cc.save(path, CUBE, codec="test.raw", chunk=(1, 1, 1, 1), registry=registry)
    with pytest.raises(ConfigError, match="names the dimension 'z', and there is none: no dimension has a name"):
        cc.save(path, CUBE, codec="test.raw", chunk={"z": 3}, registry=registry)


def test_dimensions_by_name(path, registry):
    xarray = pytest.importorskip("xarray")
    data = xarray.Dataset({"t": (("time", "y", "x"), CUBE), "row": (("y",), CUBE[0, :, 0])})
    info = cc.save(path, data, codec="test.raw", chunk={"y": 4, "x": 2}, registry=registry)
    cut = {entry["name"]: entry["chunk_shape"] for entry in info["entries"]}
    assert cut == {"t": [7, 4, 2], "row": [4]}
    xarray.testing.assert_identical(cc.load(path, xarray=True, registry=registry), data)
    with pytest.raises(ConfigError, match="the dimension 'z', and there is none: the dimensions are time, x, y"):
        cc.save(path, data, codec="test.raw", chunk={"z": 4}, registry=registry)


class Chunked:
    """A large array that lies in chunks, such as a dataset of HDF5."""

    dtype = np.dtype("f4")

    def __init__(self, shape, chunks):
        self.shape, self.chunks = shape, chunks

    def __getitem__(self, where):
        raise AssertionError("it was read to see how it is cut")


@pytest.mark.parametrize(
    ("shape", "chunks", "cut"),
    [
        ((400, 300, 200), (64, 64, 64), (64, 64, 64)),
        ((400, 300, 200), (10, 300, 200), None),
        ((400, 300, 200), None, None),
        ((100, 100, 100), (10, 10, 10), None),
        ((400, 300, 200), (400, 1, 200), (400, 4, 200)),
        ((400, 300, 200), (500, 500, 100), (400, 300, 100)),
        ((400, 300, 200), ((200, 200), (300,), (100, 100)), (200, 300, 100)),
        ((400, 300, 200), (10, 10), None),
        ((400, 300, 200), ("x", 1, 1), None),
    ],
)
def test_arrays_that_come_in_chunks_keep_them(shape, chunks, cut):
    assert of(None, Held(Chunked(shape, chunks))) == cut


def test_chunks_that_are_too_small_are_put_together():
    found = of(None, Held(Chunked((400, 300, 200), (16, 16, 16))))
    assert all(step % 16 == 0 for step in found)
    assert 1 << 20 <= np.prod(found) * 4 < 1 << 22
    assert of(8, Held(Chunked((400, 300, 200), (16, 16, 16)))) == 8


def test_names_of_axes():
    one = Held(CUBE)
    assert names(one) == []
    one.attrs["media"] = {"axes": ["z", "y"]}  # an axis without a name: nobody knows which
    assert names(one) == []
    one.attrs["media"] = {"axes": ["z", "y", "x"]}
    assert names(one) == ["z", "y", "x"]


def test_damaged_and_missing_chunks(path, registry, tmp_path):
    cc.save(path, CUBE, codec="test.raw", chunk=(3, 3, 3), registry=registry)
    data = bytearray(unfold(path.read_bytes()))
    data[data.index(np.ascontiguousarray(CUBE[3:6, :3, 3:]).tobytes())] ^= 1
    path.write_bytes(data)
    with cc.open(path, registry=registry) as file:
        np.testing.assert_array_equal(file[""][:, :, :3], CUBE[:, :, :3])
        with pytest.raises(CorruptDataError, match="chunk 5"):
            file[""][4, 0, 3]
        assert [fault["chunk"] for fault in file.verify()["entries"][0]["damaged"]] == [5]
    report = cc.recover(path, tmp_path / "saved.ccf")
    assert (report["whole"], report["chunks"]) == (11, 12)
    with cc.open(tmp_path / "saved.ccf", registry=registry) as file:
        np.testing.assert_array_equal(file[""][:, 3:], CUBE[:, 3:])
        with pytest.raises(MissingChunkError, match="chunk 5"):
            file[""][...]
    due = CUBE.copy()
    due[3:6, :3, 3:] = -1
    np.testing.assert_array_equal(cc.load(tmp_path / "saved.ccf", registry=registry, fill=-1), due)


def test_auto_knows_grids(path):
    smooth = np.add.outer(np.arange(40), np.arange(900)).astype("u2")
    info = cc.save(path, smooth, chunk=(16, 300))
    assert info["entries"][0]["chunks"] == 9
    np.testing.assert_array_equal(cc.load(path), smooth)


def test_chunks_of_an_array_whose_first_axis_is_empty(path):
    cc.save(path, np.zeros((0, 10), "u1"), codec="classic.zlib", chunk=(1, 5))
    assert cc.load(path).shape == (0, 10)
    assert simplest((0, 10), (0, 5)) == 1


def test_choose_takes_the_chunks_that_save_takes():
    for chunk in (0, (4, 5, 6)):
        with pytest.raises(ConfigError, match="chunk"):
            cc.choose(np.zeros((4, 5), "u1"), chunk=chunk)
