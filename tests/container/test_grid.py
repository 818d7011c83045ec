"""Grids: arrays that are cut along all axes."""

import io
import itertools

import msgpack
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes

from codecs_core.arrays import ArraySpec
from codecs_core.container import Entry, Reader, grid, layout
from codecs_core.container.recovery import rescue, survey
from codecs_core.errors import (
    CodecsError,
    ConfigError,
    CorruptDataError,
    FormatError,
    LimitExceededError,
    MissingChunkError,
    UnsupportedFeatureError,
)
from codecs_core.limits import Limits

DATA = np.arange(5 * 4 * 3, dtype=np.uint8).reshape(5, 4, 3)
shapes = array_shapes(min_dims=1, max_dims=4, min_side=1, max_side=7)


def lengths(shape):
    """Lengths of chunks for some of the first axes of an array, or for all."""
    return st.integers(1, len(shape)).flatmap(lambda n: st.tuples(*[st.integers(1, 9)] * n))


shapes_and_chunks = shapes.flatmap(lambda shape: st.tuples(st.just(shape), lengths(shape)))


@given(shapes_and_chunks)
def test_chunks_tile_the_array(given):
    shape, asked = given
    entry = Entry(name="x", spec=ArraySpec(shape, "uint8"), chunk=grid.simplest(shape, asked), codec="test.c")
    seen, sizes = np.zeros(shape, int), set()
    for i in range(entry.n_chunks):
        part = seen[entry.chunk_slice(i)]
        assert entry.chunk_spec(i) == ArraySpec(part.shape, "uint8")
        assert all(n <= step for n, step in zip(part.shape, asked, strict=False))
        sizes.add(part.shape)
        seen[entry.chunk_slice(i)] += 1
    assert (seen == 1).all()
    assert tuple(min(step, n) for step, n in zip(entry.chunk_shape, shape, strict=True)) in sizes


@given(shapes_and_chunks)
def test_the_last_axis_runs_first(given):
    shape, asked = given
    steps = grid.simplest(shape, asked)
    if isinstance(steps, int):
        assert grid.simplest(shape, steps) == steps == asked[0]
        assert all(step >= n for step, n in zip(asked[1:], shape[1:], strict=False))
        return
    assert grid.fault(shape, steps) is None
    assert grid.simplest(shape, steps) == steps
    along = grid.counts(shape, steps)
    for i, at in enumerate(itertools.product(*map(range, along))):
        assert grid.number(at, along) == i
        assert tuple(one.start for one in grid.place(i, shape, steps)) == tuple(
            p * step for p, step in zip(at, steps, strict=True)
        )


@pytest.mark.parametrize(
    ("shape", "asked", "chunk"),
    [
        ((), (), 1),
        ((5,), (2,), 2),
        ((5, 4), (2,), 2),
        ((5, 4), (2, 4), 2),
        ((5, 4), (9, 9), 9),
        ((5, 4), (9, 3), (5, 3)),
        ((5, 4, 3), (2, 3), (2, 3, 3)),
        ((0, 4), (2, 3), 2),
        ((5, 0, 4), (2, 3, 2), 2),
    ],
)
def test_one_array_has_one_form(shape, asked, chunk):
    assert grid.simplest(shape, asked) == chunk


@pytest.mark.parametrize(
    "chunk", [(), (2,), (2, 2, 2), (2, 0), (2, -1), (True, 2), (2.0, 2), (6, 2), (2, 5), (2, 4), (1 << 64, 2), [2, 2]]
)
def test_refuses(chunk):
    with pytest.raises(FormatError, match="entry 'x'"):
        Entry(name="x", spec=ArraySpec((5, 4), "uint8"), chunk=chunk, codec="test.c")


def test_no_more_chunks_than_frames_can_number():
    spec = ArraySpec((1 << 20, 1 << 13), "uint8")
    with pytest.raises(FormatError, match="chunks"):
        Entry(name="x", spec=spec, chunk=(1, 1), codec="test.c")
    assert Entry(name="x", spec=spec, chunk=(2, 1), codec="test.c").n_chunks == 1 << 32


# --- files ---------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(shapes_and_chunks)
def test_a_file_of_a_grid_is_read_as_written(kit, given):
    shape, asked = given
    x = np.arange(np.prod(shape), dtype="<u2").reshape(shape)
    data = kit.build({"x": x, "first": x}, chunk=grid.simplest(shape, asked))
    arrays, _, reader = kit.read_all(data)
    np.testing.assert_array_equal(arrays["x"], x)
    assert reader.version == ("1.1" if reader.entries["x"].chunk != asked[0] else "1.0")


def test_files_without_a_grid_stay_what_they_were(kit):
    data = kit.build({"x": DATA})
    assert layout.PREAMBLE.unpack_from(data)[1:5] == (1, 0, 0, 0)
    assert layout.PREAMBLE.unpack_from(kit.build({"x": DATA}, chunk=(2, 2, 3)))[1:5] == (1, 1, layout.GRID, 0)


def test_readers_from_before_refuse_a_grid_by_name(kit, monkeypatch):
    data = kit.build({"x": DATA}, chunk=(2, 2, 3))
    monkeypatch.setattr(layout, "INCOMPAT_KNOWN", layout.INCOMPLETE)
    with pytest.raises(UnsupportedFeatureError, match=r"incompatible bit 2.*upgrade codecs-core"):
        kit.read_all(data)


def forged(kit, shape, chunk, *, bits=layout.GRID, frames=None):
    forge = kit.Forge(embed=False)
    forge.header["models"], forge.header["codecs"][0]["model"] = [], None
    forge.header["entries"] = [["", "uint8", shape, chunk, 0, {}]]
    forge.bits = (bits, 0)
    forge.frames = [forge.chunk(i, b"abcd") for i in (range(4) if frames is None else frames)]
    return forge.join()


def test_the_forged_file_of_these_tests_is_fine(kit):
    with Reader(kit.Memory(forged(kit, [4, 4], [2, 2]))) as reader:
        assert reader.entries[""].chunk == (2, 2)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"bits": 0}, "'chunk' of type list"),
        ({"chunk": 2}, "cut in several axes, and none is"),
        ({"chunk": [2]}, "1 axes and an array of 2"),
        ({"chunk": [2, 4]}, "cuts no axis but the first"),
        ({"chunk": []}, "0 axes"),
        ({"chunk": [[2], 2]}, "expected integers"),
        ({"frames": [0, 1, 2]}, "3 chunks, and the entries have 4"),
        ({"frames": [0, 1, 2, 2]}, "a chunk twice"),
        ({"frames": [0, 1, 2, 3, 3]}, "5 chunks, and the entries have 4"),
        ({"frames": [0, 1, 2, 4]}, "beyond the end"),
        ({"shape": [1 << 31, 1 << 31], "chunk": [1, 1]}, "chunks; expected at most"),
    ],
)
def test_grids_that_are_refused(kit, changes, text):
    with pytest.raises(FormatError, match=text):
        Reader(kit.Memory(forged(kit, **{"shape": [4, 4], "chunk": [2, 2], **changes})))


@pytest.mark.parametrize(
    ("shape", "chunk", "limits", "text"),
    [
        ([4, 4], [1, 1], Limits(chunks=15), "chunks"),
        ([4, 4], [2, 2], Limits(chunk_bytes=3), "chunk_bytes|chunk bytes"),
        ([4, 4], [2, 2], Limits(array_bytes=15), "array bytes"),
        ([1 << 18, 1 << 18], [1 << 17, 1 << 17], Limits(), "chunk bytes"),
    ],
)
def test_limits(kit, shape, chunk, limits, text):
    with pytest.raises(LimitExceededError, match=text):
        Reader(kit.Memory(forged(kit, shape, chunk)), limits=limits)


values = st.integers(-2, 5) | st.sampled_from([1 << 31, 1 << 62, 1 << 63, (1 << 64) - 1, True, None, 2.0, "2", b"2"])


@given(
    st.lists(values, max_size=4), st.lists(values | st.lists(values, max_size=2), max_size=4), st.sampled_from([0, 4])
)
def test_hostile_headers(kit, shape, chunk, bits):
    """Whatever a header claims: it is refused, or it is a grid that tiles its array."""
    try:
        with Reader(kit.Memory(forged(kit, shape, chunk, bits=bits))) as reader:
            entry = reader.entries[""]
    except CodecsError:
        return
    assert msgpack.packb(list(entry.chunk)) == msgpack.packb(chunk)
    assert entry.n_chunks == 4


def test_a_chunk_of_another_size_is_refused(kit):
    """Each place has its own size: a chunk cannot reach into the place of another."""
    data = forged(kit, [4, 3], [2, 2])
    with Reader(kit.Memory(data)) as reader:
        assert [reader.entries[""].chunk_spec(i).shape for i in range(4)] == [(2, 2), (2, 1), (2, 2), (2, 1)]


def test_a_damaged_grid_is_recovered(kit):
    data = bytearray(kit.build({"x": DATA}, chunk=(2, 2, 2)))
    with Reader(kit.Memory(bytes(data))) as reader:
        n = reader.entries["x"].n_chunks
        payload = reader.payload("x", 5)
        at = bytes(data).index(payload)
    data[at] ^= 1
    memory, file = kit.Memory(bytes(data)), io.BytesIO()
    with Reader(memory) as reader, pytest.raises(CorruptDataError, match="chunk 5 of entry 'x'"):
        reader.payload("x", 5)
    rescue(memory, survey(memory), file)
    with Reader(kit.Memory(file.getvalue())) as reader:
        assert (reader.incomplete, reader.version) == (True, "1.1")
        assert reader.chunks("x") == [i for i in range(n) if i != 5]
        assert reader.entries["x"].chunk == (2, 2, 2)
        with pytest.raises(MissingChunkError):
            reader.payload("x", 5)
        with pytest.raises(ConfigError, match=f"no chunk {n}"):
            reader.payload("x", n)
