"""safetensors: tensors by their names, and the same file back."""

import json
import struct

import ml_dtypes
import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from safetensors.numpy import load, save_file
from safetensors.torch import save_file as save_tensors

import codecs_core as cc
from codecs_core import media
from codecs_core.arrays import logical

from .conftest import check_identical, check_kept, same

rng = np.random.Generator(np.random.Philox(9))
DTYPES = [
    "bool",
    "uint8",
    "int8",
    "uint16",
    "int16",
    "uint32",
    "int32",
    "uint64",
    "int64",
    "float16",
    "float32",
    "float64",
]


def file_of(header, data=b""):
    text = json.dumps(header).encode() if isinstance(header, dict) else header
    return struct.pack("<Q", len(text)) + text + data


def check_tensors(path, folder, expected):
    returned = check_identical(path, folder)
    assert {name.removeprefix(f"{path.name}/") for name in returned.arrays} == set(expected)
    for name, array in returned.arrays.items():
        restored = logical(array, returned.attrs[name].get("dtype"))
        assert same(restored, expected[name.removeprefix(f"{path.name}/")])


def test_every_dtype(tmp_path):
    tensors = {name: rng.integers(0, 2, (3, 2)).astype(name) for name in DTYPES}
    tensors |= {"none": np.zeros((0, 4), "f4"), "one": np.array(5, "i8"), "c": np.ones(3, "c8")}
    tensors |= {f"layer.{n}/a": rng.normal(size=(n,)).astype(ml_dtypes.bfloat16) for n in range(1, 9)}
    tensors |= {n: rng.normal(size=5).astype(getattr(ml_dtypes, n)) for n in ("float8_e4m3fn", "float8_e5m2")}
    save_file(tensors, tmp_path / "a.safetensors", metadata={"made": "here"})
    check_tensors(tmp_path / "a.safetensors", tmp_path / "there", tensors)


def test_tensors_of_torch(tmp_path):
    names = ["bfloat16", "float8_e4m3fn", "float8_e5m2", "float8_e8m0fnu"]
    tensors = {name: torch.arange(1, 9).float().to(getattr(torch, name)) for name in names}
    save_tensors(tensors, tmp_path / "a.safetensors")
    found = media.read([tmp_path / "a.safetensors"])
    cc.save(tmp_path / "a.ccf", found, codec="classic.zlib")
    loaded = cc.load(tmp_path / "a.ccf")
    for name in names:
        assert loaded[name].dtype.name == name
        assert np.array_equal(loaded[name].astype(np.float32), tensors[name].float().numpy())


def test_a_tensor_alone(tmp_path):
    save_file({"weight": np.arange(6.0)}, tmp_path / "a.safetensors")
    check_tensors(tmp_path / "a.safetensors", tmp_path / "there", {"weight": np.arange(6.0)})


GOOD = {"a": {"dtype": "I16", "shape": [2], "data_offsets": [0, 4]}}


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (file_of({}), "without values"),
        (file_of({"__metadata__": {"a": "b"}}), "without values"),
        (file_of({"a": {**GOOD["a"], "dtype": "F4"}}, b"1234"), "dtype 'F4', which no entry has"),
        (file_of({"a": {**GOOD["a"], "shape": [3]}}, b"1234"), "does not take bytes"),
        (file_of({"a": {**GOOD["a"], "shape": [-1]}}, b"1234"), "has no shape"),
        (file_of({"a": {**GOOD["a"], "data_offsets": [0, 1e999]}}, b"1234"), "has no shape, or no place"),
        (file_of({"a": {**GOOD["a"], "data_offsets": [2, 6]}}, b"123456"), "begins at byte"),
        (file_of(GOOD, b"123456"), "where its header says"),
        (file_of(GOOD, b"12"), "damaged|lie outside|where its header says"),
        (file_of(b'{"a": 1, "a": 2}'), "occurs twice"),
        (file_of(b'{"a": 1}'), "no table of tensors"),
        (file_of(b"{" * 3000), "cannot be read|that can be read"),
        (struct.pack("<Q", 1 << 60) + b"{", "header of 1152921504606846976 bytes"),
        (file_of({"a\n": GOOD["a"]}, b"1234"), "which no entry can be"),
        (file_of({"\ud800": GOOD["a"]}, b"1234"), "which no entry can be"),
        (file_of({"a": {"dtype": "BOOL", "shape": [2], "data_offsets": [0, 2]}}, b"\1\2"), "neither 0 nor 1"),
    ],
)
def test_what_is_kept_whole(tmp_path, data, match):
    (tmp_path / "a.safetensors").write_bytes(data)
    check_kept(tmp_path / "a.safetensors", tmp_path / "there", match)


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.dictionaries(
        st.text("abc./", min_size=1, max_size=6),
        hnp.arrays(st.sampled_from(DTYPES), hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3)),
        min_size=1,
        max_size=5,
    )
)
def test_any_tensors(tmp_path_factory, tensors):
    folder = tmp_path_factory.mktemp("safetensors")
    save_file(tensors, folder / "a.safetensors")
    check_tensors(folder / "a.safetensors", folder / "there", load((folder / "a.safetensors").read_bytes()))
