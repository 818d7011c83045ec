"""Tensors of a model file: as the library of that format reads them here, and the same on a machine of another byte order."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from safetensors.numpy import load, save

from codecs_core.errors import ModelError
from codecs_core.models.header import split
from codecs_core.models.model import _DTYPES
from codecs_core.models.tensors import read

DTYPES = sorted(_DTYPES)


def read_file(data: bytes) -> dict[str, np.ndarray]:
    return read(data, *split(data, "the file"))


def make_file(**tensors: dict[str, Any]) -> bytes:
    """A file with this header and 8 bytes of tensors."""
    text = json.dumps(tensors).encode()
    return len(text).to_bytes(8, "little") + text + bytes(range(8))


def entry(dtype: Any = "U8", shape: Any = (8,), offsets: Any = (0, 8)) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


@given(
    st.dictionaries(
        st.text(min_size=1).filter(lambda name: name != "__metadata__"),
        st.sampled_from(DTYPES).flatmap(
            lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, min_side=0, max_side=4))
        ),
        max_size=5,
    )
)
def test_as_the_library_reads_them(tensors: dict[str, np.ndarray]) -> None:
    data = save(tensors)
    found, expected = read_file(data), load(data)
    assert found.keys() == expected.keys() == tensors.keys()
    for name, array in found.items():
        assert array.dtype.isnative
        assert array.flags.aligned
        assert not array.flags.writeable
        assert (array.dtype, array.shape) == (expected[name].dtype, expected[name].shape)
        assert array.tobytes() == expected[name].tobytes() == tensors[name].tobytes()


def test_bytes_are_little_endian() -> None:
    found = read_file(make_file(a=entry("U16", [2], [0, 4]), b=entry("I32", [1], [4, 8])))
    assert found["a"].tolist() == [0x0100, 0x0302]
    assert found["b"].tolist() == [0x07060504]


@pytest.mark.parametrize(
    ("tensors", "text"),
    [
        ({"a": entry("BF16", [4])}, "dtype 'BF16'; a model holds BOOL, F16"),
        ({"a": entry(7)}, "dtype 7"),
        ({"a": entry(shape=[7])}, r"'a' of uint8 and shape \(7,\) lies at bytes 0 to 8; expected 0 to 7"),
        ({"a": entry(offsets=[1, 8], shape=[7])}, "bytes 1 to 8; expected 0 to 7"),
        ({"a": entry(offsets=[0, 4], shape=[4]), "b": entry(offsets=[3, 8], shape=[5])}, "'b' .* expected 4 to 9"),
        ({"a": entry(offsets=[0, 7], shape=[7])}, "must end with its last tensor, at byte"),
        ({"a": entry(offsets=[0, 9], shape=[9])}, "must end with its last tensor"),
        ({"a": entry(shape=[-8])}, "what shape tensor 'a' has"),
        ({"a": entry(shape=8)}, "what shape"),
        ({"a": entry(shape=[True, 8])}, "what shape"),
        ({"a": entry(offsets=[0, 8.0])}, "where it is"),
        ({"a": entry(offsets=[0, 4, 8])}, "two offsets"),
        ({"a": entry(shape=[1] * 33 + [8])}, "at most 32 axes"),
        ({"a": [1]}, "what shape"),
        ({"a": {"dtype": "U8"}}, "what shape"),
    ],
)
def test_headers_that_say_something_else(tensors: dict[str, Any], text: str) -> None:
    with pytest.raises(ModelError, match=text):
        read_file(make_file(**tensors))
