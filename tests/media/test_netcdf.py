"""NetCDF classic: variables as entries, and the same file back."""

import struct

import numpy as np
import pytest
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.io import netcdf_file

from .conftest import check_identical, check_kept, same

rng = np.random.Generator(np.random.Philox(13))
CODES = ["i1", "S1", ">i2", ">i4", ">f4", ">f8"]
NUMBERS = {"i1": 1, "S1": 2, ">i2": 3, ">i4": 4, ">f4": 5, ">f8": 6, "u1": 7, ">u2": 8, ">u4": 9, ">i8": 10, ">u8": 11}


def arrays_of(path):
    """As scipy sees them."""
    with netcdf_file(path, mmap=False) as file:
        return {name: np.array(variable.data) for name, variable in file.variables.items()}


def check_file(path, folder):
    returned = check_identical(path, folder)
    found = {name.removeprefix(f"{path.name}/"): array for name, array in returned.arrays.items()}
    expected = arrays_of(path)
    assert set(found) == set(expected)
    for name, array in expected.items():
        plain = array.view("u1") if array.dtype.kind == "S" else array.astype(array.dtype.newbyteorder("="))
        assert same(found[name], plain)
    return returned


def write_netcdf(path, variables, records=3, version=1):
    """Variables by name: whether in records, shape (of one record), dtype.

    Scalars are not among them, since scipy writes them over the records.
    """
    with netcdf_file(path, "w", version=version) as file:
        file.title = b"made in a test"
        file.createDimension("record", None)
        for name, (record, shape, code) in variables.items():
            axes = []
            for k, n in enumerate(shape):
                file.createDimension(f"{name}{k}", n)
                axes.append(f"{name}{k}")
            made = file.createVariable(name, np.dtype(code), (("record",) if record else ()) + tuple(axes))
            made.units, made.scale_factor = b"K", 0.5
            whole = ((records,) if record else ()) + shape
            values = np.frombuffer(rng.bytes(int(np.prod(whole)) * np.dtype(code).itemsize), code).reshape(whole)
            made[:] = values


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("code", CODES)
def test_every_dtype(tmp_path, version, code):
    variables = {"fixed": (False, (3, 5), code), "moving": (True, (2, 3), code), "other": (True, (), code)}
    write_netcdf(tmp_path / "a.nc", variables, version=version)
    returned = check_file(tmp_path / "a.nc", tmp_path / "there")
    held = returned.attrs["a.nc/moving"]["media"]
    assert held["axes"] == ["record", "moving0", "moving1"]
    assert held["attributes"] == {"units": "K", "scale_factor": 0.5}
    assert returned.attrs["a.nc/fixed"]["media"]["file"]["attributes"] == {"title": "made in a test"}


@pytest.mark.parametrize("records", [0, 1, 5])
def test_a_sole_variable_in_records_is_not_padded(tmp_path, records):
    write_netcdf(tmp_path / "a.nc", {"a": (True, (3,), "i1"), "b": (False, (1,), ">f8")}, records)
    check_file(tmp_path / "a.nc", tmp_path / "there")


def test_what_xarray_writes(tmp_path):
    times = np.datetime64("2020-01-01", "ns") + np.arange(4) * np.timedelta64(6, "h")
    data = xr.Dataset({"t": (("time", "x"), rng.normal(size=(4, 5)), {"units": "K"})}, {"time": times}, {"title": "a"})
    encoding = {"t": {"dtype": "int16", "scale_factor": 0.01, "_FillValue": -32768}}
    data.to_netcdf(tmp_path / "a.nc", engine="scipy", encoding=encoding, unlimited_dims=["time"])
    returned = check_file(tmp_path / "a.nc", tmp_path / "there")
    assert returned.arrays["a.nc/t"].dtype == np.int16
    with (
        xr.open_dataset(tmp_path / "a.nc", engine="scipy") as one,
        xr.open_dataset(returned.path, engine="scipy") as two,
    ):
        xr.testing.assert_identical(one.load(), two.load())


def named(name):
    data = name.encode()
    return struct.pack(">Q", len(data)) + data + b"\0" * (-len(data) % 4)


def cdf5(variables):
    """A file of CDF-5, which scipy does not write, as its specification has it."""

    def head(places):
        out = b"CDF\5" + struct.pack(">QIQ", 0, 10, len(variables))
        out += b"".join(named(f"n{k}") + struct.pack(">Q", array.size) for k, array in enumerate(variables.values()))
        out += struct.pack(">IQ", 0, 0) + struct.pack(">IQ", 11, len(variables))
        for k, (name, array) in enumerate(variables.items()):
            out += named(name) + struct.pack(">QQ", 1, k) + struct.pack(">IQ", 0, 0)
            out += struct.pack(">IQQ", NUMBERS[array.dtype.str.lstrip("|")], array.nbytes, places[k])
        return out

    start, places = len(head([0] * len(variables))), []
    for array in variables.values():
        places.append(start)
        start += array.nbytes + -array.nbytes % 4
    return head(places) + b"".join(array.tobytes() + b"\0" * (-array.nbytes % 4) for array in variables.values())


def test_cdf_5(tmp_path):
    variables = {code.lstrip(">"): np.arange(5).astype(code) for code in NUMBERS if code != "S1"}
    (tmp_path / "a.nc").write_bytes(cdf5(variables))
    returned = check_identical(tmp_path / "a.nc", tmp_path / "there")
    for name, array in variables.items():
        assert same(returned.arrays[f"a.nc/{name}"], array.astype(array.dtype.newbyteorder("=")))


def test_what_is_kept_whole(tmp_path):
    write_netcdf(tmp_path / "a.nc", {"a": (True, (3,), "i1"), "b": (True, (5,), ">i2"), "c": (False, (4,), ">i4")})
    whole = (tmp_path / "a.nc").read_bytes()
    for name, data, match in (
        ("cut", whole[:-4], "cut short|damaged"),
        ("head", whole[:50], "ends within its header"),
        ("streaming", whole[:4] + b"\xff" * 4 + whole[8:], "never closed"),
        ("many", whole[:4] + b"\x7f" * 4 + whole[8:], "cut short"),
        ("tag", whole[:8] + b"\0\0\0\7" + whole[12:], "a list of kind 7"),
        ("gap", whole[:-1] + b"\2", "something else between its variables"),
        ("empty", b"CDF\1" + bytes(28), "without variables"),
    ):
        (tmp_path / f"{name}.nc").write_bytes(data)
        check_kept(tmp_path / f"{name}.nc", tmp_path / name, match)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(
        st.tuples(
            st.booleans(), st.lists(st.integers(1, 4), min_size=1, max_size=3).map(tuple), st.sampled_from(CODES)
        ),
        min_size=1,
        max_size=4,
    ),
    st.integers(0, 4),
    st.sampled_from([1, 2]),
)
def test_any_variables(tmp_path_factory, variables, records, version):
    folder = tmp_path_factory.mktemp("netcdf")
    write_netcdf(folder / "a.nc", {f"v{k}": one for k, one in enumerate(variables)}, records, version)
    check_identical(folder / "a.nc", folder / "there")


def test_scalars(tmp_path):
    xr.Dataset({"n": ((), 5), "a": ("x", [1.0, 2.0])}).to_netcdf(tmp_path / "a.nc", engine="scipy")
    assert check_file(tmp_path / "a.nc", tmp_path / "there").arrays["a.nc/n"].shape == ()
