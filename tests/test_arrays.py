"""Logical dtypes: stored as integers, given back as they were, and never taken for what they are not."""

import subprocess
import sys

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import codecs_core as cc
from codecs_core.arrays import SMALL, logical, logical_name, stored
from codecs_core.container import Reader
from codecs_core.errors import ConfigError, MissingDependencyError, UnsupportedArrayError

ML = sorted(name for name in SMALL if hasattr(ml_dtypes, name))
TIMES = ["datetime64[ns]", "datetime64[D]", "datetime64[25s]", "timedelta64[us]", "timedelta64[Y]", "datetime64"]


def of(name, n=300):
    """Every pattern of bits, or near enough."""
    dtype = np.dtype(getattr(ml_dtypes, name, name))
    if dtype.itemsize == 8:
        values = np.arange(-n, n, dtype=np.int64) * 0x0123456789ABC
        values[0] = np.iinfo(np.int64).min  # not a time
        return values.view(dtype)
    return np.arange(0, 1 << min(16, 8 * dtype.itemsize), dtype=np.dtype(f"u{dtype.itemsize}")).view(dtype)


def same(a, b):
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


@pytest.mark.parametrize("name", [*ML, *TIMES, "V1", "V2", "V4", "V8"])
def test_there_and_back(tmp_path, name):
    array = of(name).reshape(2, -1, 4)
    assert logical_name(array.dtype) == name
    cc.save(tmp_path / "a.ccf", array, codec="classic.zlib", chunk=1)
    assert same(cc.load(tmp_path / "a.ccf"), array)
    with cc.open(tmp_path / "a.ccf") as file:
        view = file[""]
        assert view.dtype == array.dtype
        assert same(view[1, 2:], array[1, 2:])
        assert same(view.stored[...], stored(array))
        assert same(dict(file.arrays(stored=True))[""], stored(array))
    with Reader.open(tmp_path / "a.ccf") as reader:  # what a reader of 1.0 sees
        assert reader.entries[""].spec.dtype == stored(array).dtype.name
        assert reader.entries[""].attrs == {"dtype": name}


def test_every_dtype_of_ml_dtypes_has_a_row():
    found = {
        name
        for name in dir(ml_dtypes)
        if isinstance(getattr(ml_dtypes, name), type)
        and getattr(ml_dtypes, name).__module__ == "ml_dtypes"
        and not issubclass(getattr(ml_dtypes, name), (ml_dtypes.finfo, ml_dtypes.iinfo))
    }
    assert found <= set(SMALL)
    for name in found:
        assert np.dtype(SMALL[name]).itemsize == np.dtype(getattr(ml_dtypes, name)).itemsize


@given(
    hnp.arrays(
        st.sampled_from([np.dtype(t) for t in ("<M8[ns]", ">M8[s]", "<m8[D]", ">m8[h]")]),
        hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
    )
)
def test_times_of_any_order_of_bytes(array):
    back = logical(stored(array), logical_name(array.dtype))
    assert np.array_equal(back.view("i8"), array.astype(array.dtype.newbyteorder("=")).view("i8"))


@pytest.mark.parametrize(
    "name", ["datetime64[XX]", "datetime64[99999999999999999999s]", "O", "V3", "object", "", 7, None]
)
def test_a_name_that_is_none_changes_nothing(name):
    array = np.arange(5)
    assert logical(array, name).dtype == np.int64


def test_a_name_for_another_width_changes_nothing():
    assert logical(np.arange(5, dtype=np.uint8), "bfloat16").dtype == np.uint8
    assert logical(np.arange(5, dtype=np.int32), "datetime64[ns]").dtype == np.int32


def test_other_dtypes_are_refused_as_before(tmp_path):
    for array in (np.array(["a"]), np.zeros(2, "V3"), np.zeros(2, [("a", "i4")]), np.array([None])):
        with pytest.raises(UnsupportedArrayError, match="cannot be stored"):
            cc.save(tmp_path / "a.ccf", array)


def test_attributes_do_not_contradict_the_dtype(tmp_path):
    days = np.arange(3).astype("M8[D]")
    with pytest.raises(ConfigError, match=r"call its dtype 'bfloat16', and it is datetime64\[D\]"):
        cc.save(tmp_path / "a.ccf", days, attrs={"dtype": "bfloat16"})
    cc.save(tmp_path / "a.ccf", days, codec="classic.zlib", attrs={"unit": "day"})
    assert same(cc.load(tmp_path / "a.ccf"), days)


def test_an_entry_of_another_file_keeps_its_dtype(tmp_path):
    days = np.arange(300).astype("M8[D]").reshape(100, 3)
    cc.save(tmp_path / "a.ccf", {"days": days}, codec="classic.zlib", chunk=7)
    with cc.open(tmp_path / "a.ccf") as file:
        cc.save(tmp_path / "b.ccf", {"again": file["days"]}, chunk=9)
    assert same(cc.load(tmp_path / "b.ccf")["again"], days)


def test_parts(tmp_path):
    days = np.arange(10).astype("M8[D]")
    spec, attrs = cc.ArraySpec((10,), "int64"), {"dtype": "datetime64[D]"}
    with cc.create(tmp_path / "a.ccf", spec, codec="classic.zlib", attrs=attrs) as writer:
        writer.append("", days[:4])
        writer.append("", days[4:])
    assert same(cc.load(tmp_path / "a.ccf"), days)
    with (
        pytest.raises(UnsupportedArrayError, match=r"datetime64\[ns\]"),
        cc.create(tmp_path / "a.ccf", spec, codec="classic.zlib", attrs=attrs) as writer,
    ):
        writer.append("", days.astype("M8[ns]"))


def test_without_ml_dtypes_the_integers_can_be_had(tmp_path):
    array = of("bfloat16")
    cc.save(tmp_path / "a.ccf", array, codec="classic.zlib")
    script = """
import sys
sys.modules["ml_dtypes"] = None
import codecs_core as cc
try:
    cc.load(sys.argv[1])
except cc.CodecsError as error:
    print(error.code, error)
print(cc.open(sys.argv[1])[""].stored[3])
"""
    run = subprocess.run([sys.executable, "-c", script, tmp_path / "a.ccf"], capture_output=True, text=True, check=True)
    assert run.stdout.startswith(f"{MissingDependencyError.code} an array of bfloat16 takes ml_dtypes: pip install")
    assert run.stdout.endswith("\n3\n")
