"""Datasets and DataArrays of xarray through a file and back."""

import subprocess
import sys

import dask.array
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import codecs_core as cc
from codecs_core.errors import ConfigError, InputError, UnsupportedArrayError

rng = np.random.Generator(np.random.Philox(14))
ATTRS = {
    "units": "K",
    "number": 7,
    "huge": 1 << 80,
    "float": 0.1,
    "nan": np.nan,
    "none": None,
    "yes": True,
    "bytes": b"\0\1",
    "scalar": np.float32(0.1),
    "numpy text": np.str_("a"),
    "array": np.arange(6, dtype=">i2").reshape(2, 3),
    "times": np.array(["2020-01-01"], "M8[ns]"),
    "list": [1, "a", [2.5, None]],
    "tuple": (1, (2, 3)),
    "dict": {"a": {"b": np.int8(3)}, "float": 1.0},
}


def check_same(path, data, **options):
    cc.save(path, data, codec="classic.zlib", **options)
    again = cc.load(path, xarray=True)
    assert type(again) is type(data)
    xr.testing.assert_identical(again, data)
    assert set(again.xindexes) == set(data.xindexes)
    for name, one in data.coords.items():
        assert again[name].dtype == one.dtype
    return again


def weather(attrs=ATTRS):
    times = np.datetime64("2020-01-01", "ns") + np.arange(4) * np.timedelta64(6, "h")
    return xr.Dataset(
        {
            "t2m": (("time", "lat", "lon"), rng.normal(size=(4, 5, 6)).astype("f4"), attrs),
            "station": ("lat", ["a", "bb", "", "d\u1234", "\U0001f600"]),
            "bytes": ("lat", np.array([b"a", b"bc", b"", b"d", b"e"])),
            "object": ("lat", np.array(["x", "yy", "z", "", "w"], object)),
            "n": ((), 5),
            "valid": ("time", times + np.timedelta64(1, "s")),
            "took": ("time", np.arange(4).astype("m8[ms]")),
            "mask": ("lon", np.arange(6) % 2 == 0),
            "empty": (("lat", "none"), np.zeros((5, 0))),
        },
        {
            "time": times,
            "lat": ("lat", np.linspace(-90, 90, 5, dtype="f4"), {"standard_name": "latitude"}),
            "lon": np.arange(6, dtype="i2"),
            "height": ((), 2.0, {"units": "m"}),
            "name": ("lon", list("abcdef")),
        },
        {"title": "weather", "array": np.arange(3)},
    )


def test_a_dataset(tmp_path):
    data = weather()
    check_same(tmp_path / "a.ccf", data, chunk=2)
    loaded = cc.load(tmp_path / "a.ccf")
    assert set(loaded) == set(data.variables)
    assert np.array_equal(loaded["time"], data.time.values)
    with cc.open(tmp_path / "a.ccf") as file:
        assert file["t2m"].attrs["xarray"]["dims"] == ["time", "lat", "lon"]


def test_data_arrays(tmp_path):
    data = weather()
    check_same(tmp_path / "a.ccf", data.t2m)
    check_same(tmp_path / "a.ccf", data.t2m.rename(None))
    check_same(tmp_path / "a.ccf", data.lat)
    check_same(tmp_path / "a.ccf", data.height)
    check_same(tmp_path / "a.ccf", xr.DataArray(np.arange(6).reshape(2, 3)))
    check_same(tmp_path / "a.ccf", xr.DataArray(np.arange(3), {"data": ("dim_0", [1, 2, 3])}, ["dim_0"]))
    check_same(tmp_path / "a.ccf", xr.DataArray([1, 2], {"x": pd.Index(["a", "b"])}, ["x"]))


def test_coordinates_that_are_no_index_and_indexes_of_other_names(tmp_path):
    data = weather().drop_indexes("lat").set_xindex("name")
    again = check_same(tmp_path / "a.ccf", data)
    assert "lat" not in again.xindexes
    assert again.sel(name="c").n == 5


def test_encoding(tmp_path):
    data = weather({"units": "K"})
    data.t2m.encoding = {
        "dtype": np.dtype("int16"),
        "scale_factor": 0.01,
        "_FillValue": np.int16(-1),
        "chunksizes": (1, 5, 6),
        "source": "/somewhere",
        "original_shape": (4, 5, 6),
    }
    data.time.encoding = {"units": "hours since 2020-01-01", "calendar": "standard"}
    data.encoding = {"unlimited_dims": {"time"}, "source": "/somewhere"}
    again = check_same(tmp_path / "a.ccf", data)
    kept = {key: value for key, value in data.t2m.encoding.items() if key not in ("source", "original_shape")}
    assert again.t2m.encoding == kept
    assert again.time.encoding == data.time.encoding
    assert set(again.encoding["unlimited_dims"]) == {"time"}
    again.to_netcdf(tmp_path / "a.nc", engine="h5netcdf")
    with xr.open_dataset(tmp_path / "a.nc", engine="h5netcdf", mask_and_scale=False) as raw:
        assert raw.t2m.dtype == np.int16


def test_what_lies_in_a_file(tmp_path):
    data = weather({"units": "K"})
    data.to_netcdf(tmp_path / "a.nc", engine="h5netcdf")
    with xr.open_dataset(tmp_path / "a.nc", engine="h5netcdf") as opened:
        check_same(tmp_path / "a.ccf", opened, chunk=1)


def test_what_is_to_be_computed_is_computed_in_parts(tmp_path):
    read = []

    def note(block):
        read.append(block.shape)
        return block

    source = dask.array.from_array(rng.normal(size=(12, 5)), chunks=(3, 5))
    data = xr.Dataset({"a": (("x", "y"), source.map_blocks(note, meta=np.zeros((0, 0))))})
    cc.save(tmp_path / "a.ccf", data, codec="classic.zlib", chunk=3)
    assert read == [(3, 5)] * 4
    xr.testing.assert_identical(cc.load(tmp_path / "a.ccf", xarray=True), data.compute())


def test_attributes_of_the_caller(tmp_path):
    cc.save(tmp_path / "a.ccf", weather(), codec="classic.zlib", attrs={"t2m": {"who": "me"}})
    with cc.open(tmp_path / "a.ccf") as file:
        assert file["t2m"].attrs["who"] == "me"
        xr.testing.assert_identical(file.load(xarray=True), weather().assign(t2m=file.load(xarray=True).t2m))


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (xr.Dataset(), "without a variable"),
        (weather()[["t2m"]].stack(place=("lat", "lon")), "PandasMultiIndex, which cannot be stored; reset_index"),
        (xr.Dataset({"a": ("x", np.array(["a", None], object))}), "values other than text"),
        (xr.Dataset({"a": ("x", np.array([1, "b"], object))}), "values other than text"),
        (xr.Dataset({"a": ("x", np.array(["a\0", "b"], object))}), "NUL"),
        (xr.Dataset({5: ("x", [1])}), "called 5"),
        (xr.Dataset({"a": ("x", [1], {"f": len})}), "attribute 'f' of variable 'a' is a builtin_function"),
        (xr.Dataset({"a": ("x", [1], {3: 1})}), "an attribute called 3"),
        (xr.Dataset({"a": ("x", [1])}, attrs={"f": np.array([{}], object)}), "attribute 'f' of the Dataset"),
        (xr.Dataset({"a": ("x", pd.Categorical(["a", "b"]))}), "category, which cannot be stored"),
        ({"a": xr.DataArray([1, 2])}, "entry 'a' is a DataArray, whose coordinates"),
    ],
)
def test_what_is_refused(tmp_path, data, match):
    with pytest.raises(UnsupportedArrayError, match=match):
        cc.save(tmp_path / "a.ccf", data)
    assert not (tmp_path / "a.ccf").exists()


def test_files_of_something_else(tmp_path):
    cc.save(tmp_path / "a.ccf", {"a": np.arange(3)}, codec="classic.zlib")
    with pytest.raises(ConfigError, match="was not saved from arrays of xarray"):
        cc.load(tmp_path / "a.ccf", xarray=True)
    for attrs in (
        {"dims": 5},
        {},
        {"dims": ["x"], "attrs": {"a": {"array": ["|O", [1], b"12345678"]}}, "encoding": {}},
    ):
        told = {"coord": False, "index": False, "whole": {"kind": "Dataset", "attrs": {}, "encoding": {}}, **attrs}
        cc.save(tmp_path / "a.ccf", {"a": np.arange(3)}, codec="classic.zlib", attrs={"a": {"xarray": told}})
        with pytest.raises(InputError, match="make no Dataset"):
            cc.load(tmp_path / "a.ccf", xarray=True)


@pytest.mark.parametrize(
    "data",
    [
        pd.DataFrame({"a": [1, 2], "b": [1.0, 2.0]}, index=["x", "y"]),
        pd.Series([1, 2], ["x", "y"]),
        xr.Variable("x", [1.0, 2.0], {"units": "K"}),
        xr.DataTree(xr.Dataset({"a": ("x", [1])})),
        [xr.DataArray([1.0], {"x": [3]}, "x")] * 2,
    ],
    ids=lambda data: type(data).__name__,
)
@pytest.mark.parametrize("named", [False, True])
def test_names_are_not_dropped_without_a_word(tmp_path, data, named):
    with pytest.raises(UnsupportedArrayError, match="save"):
        cc.save(tmp_path / "x.ccf", {"it": data} if named else data, codec="classic.zlib")
    assert not (tmp_path / "x.ccf").exists()


def test_what_is_advised_for_tables_works(tmp_path):
    table = pd.DataFrame({"a": [1, 2], "b": [1.0, 2.0]}, index=["x", "y"])
    cc.save(tmp_path / "x.ccf", table.to_xarray(), codec="classic.zlib")
    pd.testing.assert_frame_equal(
        cc.load(tmp_path / "x.ccf", xarray=True).to_dataframe(), table, check_names=False, check_index_type=False
    )


def test_nothing_is_imported_for_others(tmp_path):
    script = f"""
import sys
import numpy as np
import codecs_core as cc
cc.save({str(tmp_path / "a.ccf")!r}, np.arange(5), codec="classic.zlib")
cc.load({str(tmp_path / "a.ccf")!r})
print("xarray" in sys.modules, "ml_dtypes" in sys.modules)
"""
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout == "False False\n"


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    hnp.arrays(
        st.sampled_from(["?", "i1", ">i4", "u8", "f2", ">f8", "c16", "M8[ns]", "m8[s]", "U3", "S2"]),
        hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
    ),
    st.booleans(),
)
def test_any_array(tmp_path_factory, array, labels):
    folder = tmp_path_factory.mktemp("xarray")
    dims = [f"d{k}" for k in range(array.ndim)]
    coords = {dim: np.arange(n) * 2.5 for dim, n in zip(dims, array.shape, strict=True)} if labels else {}
    check_same(folder / "a.ccf", xr.DataArray(array, coords, dims, name="a"))
