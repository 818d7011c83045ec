import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes

from codecs_core.arrays import ArraySpec
from codecs_core.container import Entry
from codecs_core.errors import ConfigError, FormatError


def entry(shape, chunk=1, **fields):
    return Entry(name="x", spec=ArraySpec(tuple(shape), "uint8"), chunk=chunk, **{"codec": "test.c", **fields})


@given(array_shapes(min_dims=0, min_side=0, max_side=9), st.integers(1, 12))
def test_chunks_tile_the_array(shape, chunk):
    e = entry(shape, chunk)
    seen = np.zeros(shape, int)
    for i in range(e.n_chunks):
        part = seen[e.chunk_slice(i)]
        assert e.chunk_spec(i) == ArraySpec(part.shape, "uint8")
        seen[e.chunk_slice(i)] += 1
    assert (seen == 1).all()


@pytest.mark.parametrize(
    ("shape", "chunk", "n"), [((), 1, 1), ((), 7, 1), ((0,), 1, 0), ((0, 3), 1, 0), ((3, 0), 2, 2), ((5,), 2, 3)]
)
def test_number_of_chunks(shape, chunk, n):
    assert entry(shape, chunk).n_chunks == n


def test_scalar_is_one_chunk():
    assert entry(()).chunk_slice(0) is ...
    assert entry(()).chunk_spec(0) == ArraySpec((), "uint8")


@pytest.mark.parametrize("i", [-1, 3])
def test_no_such_chunk(i):
    with pytest.raises(ConfigError, match=f"no chunk {i}; it has 3"):
        entry((5,), 2).chunk_spec(i)


@pytest.mark.parametrize(
    "fields",
    [
        {"chunk": 0},
        {"chunk": -1},
        {"chunk": True},
        {"chunk": 1.0},
        {"chunk": 1 << 63},
        {"codec": ""},
        {"codec": 3},
        {"codec_version": -1},
        {"codec_version": True},
        {"codec_version": 1 << 32},
        {"model": "abc"},
        {"model": "A" * 64},
        {"model": "a" * 64 + "\n"},
        {"config": None},
        {"attrs": []},
        {"package": None},
    ],
    ids=repr,
)
def test_refuses(fields):
    with pytest.raises(FormatError, match="entry 'x'"):
        entry((4,), **fields)


@pytest.mark.parametrize("shape", [(1 << 63,), (1 << 40, 1 << 40), (0, 1 << 40, 1 << 40)])
def test_refuses_a_shape_beyond_addresses(shape):
    with pytest.raises(FormatError, match=r"2\*\*63"):
        entry(shape, 1 << 40)


def test_refuses_more_chunks_than_frames_can_number():
    with pytest.raises(FormatError, match="chunks"):
        entry(((1 << 32) + 1,), 1)
    assert entry((1 << 32,), 1).n_chunks == 1 << 32
