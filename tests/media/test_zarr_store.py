"""zarr stores: a folder that is one file, its arrays as entries."""

import json

import numpy as np
import pytest
import xarray as xr
import zarr
from numcodecs import Delta, Quantize
from typer.testing import CliRunner
from zarr.codecs import BloscCodec, GzipCodec, TransposeCodec, ZstdCodec

from codecs_core import media
from codecs_core.adapters.zarr import CodecsCore
from codecs_core.cli.app import app
from codecs_core.errors import InputError

from .conftest import same, there_and_back

rng = np.random.Generator(np.random.Philox(15))
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")
DTYPES = ["bool", "i1", "u2", "<i4", ">i4", "u8", "f2", ">f4", "f8", "c8", "c16", "M8[ns]", ">M8[s]", "m8[D]"]


def files_of(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def check_store(path, folder):
    """All of a store comes back: the same files, but for the bytes of chunks, whose values are the same."""
    before = files_of(path)
    arrays = {a.path: a[...] for a in walk(zarr.open(path, mode="r"))}
    returned = there_and_back(path, folder)
    assert not returned.kept
    after = files_of(returned.path)
    assert set(after) == set(before)
    for name, data in before.items():
        if name.rpartition("/")[2] in ("zarr.json", ".zarray", ".zgroup", ".zattrs", ".zmetadata"):
            assert after[name] == data
    for one in walk(zarr.open(returned.path, mode="r")):
        assert same(one[...], arrays.pop(one.path))
    assert not arrays
    return returned


def walk(node):
    if isinstance(node, zarr.Array):
        return [node]
    return [one for _, child in node.members() for one in walk(child)]


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("dtype", DTYPES)
def test_every_dtype(tmp_path, version, dtype):
    data = rng.integers(0, 2 if dtype == "bool" else 100, (20, 9)).astype(dtype)
    group = zarr.open_group(tmp_path / "a.zarr", mode="w", zarr_format=version, attributes={"title": "a", "n": [1, 2]})
    made = group.create_array("inner/a", data=data, chunks=(7, 4), attributes={"units": "K"})
    returned = check_store(tmp_path / "a.zarr", tmp_path / "there")
    held = returned.attrs["a.zarr/inner/a"]
    assert held["media"]["attributes"] == {"units": "K"}
    assert held["media"]["chunks"] == [7, 4]
    assert ("dtype" in held) == (data.dtype.kind in "mM")
    assert np.array_equal(returned.array, data.astype("i8") if data.dtype.kind in "mM" else data)
    assert made.shape == returned.array.shape


CODECS = {
    "none": {"compressors": None},
    "zstd": {"compressors": ZstdCodec(level=5, checksum=True)},
    "gzip": {"compressors": GzipCodec(level=3)},
    "blosc": {"compressors": BloscCodec(cname="lz4", shuffle="bitshuffle")},
    "transposed": {"filters": TransposeCodec(order=(1, 0))},
    "shards": {"shards": (14, 8)},
    "ours": {"serializer": CodecsCore("classic.zlib"), "compressors": None},
    "our shards": {"serializer": CodecsCore("classic.zlib"), "compressors": None, "shards": (14, 8)},
    "names": {"dimension_names": ("y", "x")},
    "other keys": {"chunk_key_encoding": {"name": "v2", "separator": "."}},
}


@pytest.mark.parametrize("name", CODECS)
def test_codecs(tmp_path, name):
    data = rng.normal(size=(20, 9)).astype("f4")
    zarr.create_array(tmp_path / "a.zarr", data=data, chunks=(7, 4), **CODECS[name])
    returned = check_store(tmp_path / "a.zarr", tmp_path / "there")
    assert same(returned.array, data)


def test_chunks_that_there_are_not_stay_away(tmp_path):
    made = zarr.create_array(tmp_path / "a.zarr", shape=(50, 40), chunks=(10, 10), dtype="i2", fill_value=-3)
    made[12:31, 5:8] = 7
    assert len(files_of(tmp_path / "a.zarr")) == 4
    returned = check_store(tmp_path / "a.zarr", tmp_path / "there")
    assert returned.array[0, 0] == -3


def test_chunks_of_the_fill_value_stay(tmp_path):
    zarr.create_array(
        tmp_path / "a.zarr", data=np.zeros((20, 4), "i2"), chunks=(10, 4), config={"write_empty_chunks": True}
    )
    assert len(files_of(tmp_path / "a.zarr")) == 3
    check_store(tmp_path / "a.zarr", tmp_path / "there")


def test_other_arrays_and_files_stay_as_they_are(tmp_path):
    group = zarr.open_group(tmp_path / "a.zarr", mode="w")
    group.create_array("text", data=np.array(["a", "bc"]))
    group.create_array("records", data=np.zeros(3, [("a", "i4"), ("b", "f8")]))
    group.create_array("none", data=np.zeros((0, 3)), chunks=(1, 3))
    group.create_array("scalar", data=np.array(2.5))
    group.create_group("empty")
    (tmp_path / "a.zarr" / "notes.txt").write_text("words")
    (tmp_path / "a.zarr" / "scalar" / "c.bak").write_text("words")
    before = files_of(tmp_path / "a.zarr")
    returned = there_and_back(tmp_path / "a.zarr", tmp_path / "there")
    assert set(returned.arrays) == {"a.zarr/none", "a.zarr/scalar"}
    after = files_of(returned.path)
    assert {name: data for name, data in after.items() if name != "scalar/c"} == {
        name: data for name, data in before.items() if name != "scalar/c"
    }


@pytest.mark.parametrize("version", [2, 3])
def test_what_xarray_writes(tmp_path, version):
    times = np.datetime64("2020-01-01", "ns") + np.arange(4) * np.timedelta64(6, "h")
    data = xr.Dataset({"t": (("time", "x"), rng.normal(size=(4, 5)), {"units": "K"})}, {"time": times}, {"title": "a"})
    encoding = {"t": {"dtype": "int16", "scale_factor": 0.01, "_FillValue": -32768}}
    data.to_zarr(tmp_path / "a.zarr", zarr_format=version, encoding=encoding)
    with xr.open_zarr(tmp_path / "a.zarr") as before:
        before.load()
    returned = check_store(tmp_path / "a.zarr", tmp_path / "there")
    assert returned.arrays["a.zarr/t"].dtype == np.int16
    with xr.open_zarr(returned.path) as after:
        xr.testing.assert_identical(after.load(), before)


@pytest.mark.parametrize("name", ["a", ""])
def test_on_the_command_line(tmp_path, name):
    data = rng.integers(0, 9, (10, 4))
    store = tmp_path / "in.zarr"
    zarr.open_group(store, mode="w").create_array("a", data=data) if name else zarr.create_array(store, data=data)
    run = CliRunner().invoke(app, ["encode", str(store), str(tmp_path / "a.ccf"), "--codec", "classic.zlib"])
    assert run.exit_code == 0, run.output
    for target in ("again.zarr", "folder"):
        run = CliRunner().invoke(app, ["decode", str(tmp_path / "a.ccf"), str(tmp_path / target)])
        assert run.exit_code == 0, run.output
    assert np.array_equal(zarr.open(tmp_path / "again.zarr", mode="r", path=name)[...], data)


def check_kept(path, folder, match):
    before = files_of(path)
    with pytest.raises(InputError, match=match):
        media.read([path])
    returned = there_and_back(path, folder)
    assert returned.kept
    assert files_of(returned.path) == before


def test_what_is_kept_whole(tmp_path):
    data = rng.normal(size=(20, 9))
    zarr.create_array(tmp_path / "lossy", data=data, zarr_format=2, filters=[Quantize(2, "f8")])
    check_kept(tmp_path / "lossy", tmp_path / "1", "the codec quantize, which may not give back what went in")
    zarr.create_array(tmp_path / "delta", data=data, zarr_format=2, filters=[Delta("f8")])
    check_kept(tmp_path / "delta", tmp_path / "2", "the codec delta")
    zarr.create_array(tmp_path / "text", data=np.array(["a"]))
    check_kept(tmp_path / "text", tmp_path / "3", "without arrays of numbers")
    zarr.create_array(tmp_path / "cut", data=data, chunks=(20, 9))
    (tmp_path / "cut/c/0/0").write_bytes(b"what")
    check_damaged(tmp_path / "cut", tmp_path / "4")
    zarr.create_array(tmp_path / "unknown", data=data)
    told = json.loads((tmp_path / "unknown/zarr.json").read_text())
    told["codecs"][-1]["name"] = "no such codec"
    (tmp_path / "unknown/zarr.json").write_text(json.dumps(told))
    check_kept(tmp_path / "unknown", tmp_path / "5", "no such codec")
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd/zarr.json").write_text("{")
    check_kept(tmp_path / "odd", tmp_path / "6", "is not a zarr store that can be read")


def check_damaged(path, folder):
    before = files_of(path)
    returned = there_and_back(path, folder)
    assert returned.kept
    assert files_of(returned.path) == before
