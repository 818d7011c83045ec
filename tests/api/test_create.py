"""`create`: arrays that come in parts."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import codecs_core as cc
from codecs_core import ArraySpec
from codecs_core.errors import ConfigError, UnsupportedArrayError

from .conftest import COUNT, FIVES, Raw, offset_model, registry_of


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 9), max_size=8), st.integers(1, 7), st.sampled_from([1, 3]))
def test_what_is_appended_is_what_would_have_been_saved(tmp_path_factory, sizes, chunk, jobs):
    registry = registry_of(Raw)
    folder = tmp_path_factory.mktemp("stream")
    data = np.arange(2 * sum(sizes), dtype="i4").reshape(-1, 2)
    specs = {"x": ArraySpec.of(data), "z": ArraySpec((), "float64")}
    buffer = np.zeros((9, 2), ">i4")
    with cc.create(folder / "a", specs, codec="test.raw", chunk=chunk, jobs=jobs, registry=registry) as writer:
        start = 0
        for size in sizes:
            buffer[:size] = data[start : start + size]
            writer.append("x", buffer[:size])
            start += size
        writer.append("z", np.array(2.5))
    cc.save(folder / "b", {"x": data, "z": 2.5}, codec="test.raw", chunk=chunk, registry=registry)
    assert (folder / "a").read_bytes() == (folder / "b").read_bytes()


def test_a_stream_that_is_not_finished_leaves_nothing(path, registry):
    path.write_bytes(b"old")
    spec = ArraySpec((4, 2), "uint8")
    with pytest.raises(ConfigError, match="lacks 2 of 4 chunks"):  # noqa: SIM117
        with cc.create(path, spec, codec="test.raw", chunk=1, registry=registry) as writer:
            writer.append("", np.zeros((2, 2), "u1"))
    with pytest.raises(FileNotFoundError, match="mine"):  # noqa: PT012, SIM117
        with cc.create(path, spec, codec="test.raw", chunk=1, registry=registry) as writer:
            writer.append("", np.zeros((2, 2), "u1"))
            open("mine")  # noqa: SIM115
    with pytest.raises(RuntimeError, match="ninety-nine"):  # noqa: SIM117
        with cc.create(path, spec, codec="test.failing", chunk=1, registry=registry) as writer:
            writer.append("", np.full((4, 2), 99, "u1"))
    assert path.read_bytes() == b"old"
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_parts_must_fit_the_entry(path, registry):
    writer = cc.create(path, {"x": ArraySpec((4, 2), "uint8")}, codec="test.raw", registry=registry)
    with pytest.raises(ConfigError, match="open the writer"):
        writer.append("x", COUNT)
    with writer:
        for part in (np.zeros((2, 3), "u1"), np.zeros((2, 2), "u2"), np.zeros(2, "u1"), np.array(1, "u1")):
            with pytest.raises(UnsupportedArrayError, match="does not fit entry 'x'"):
                writer.append("x", part)
        with pytest.raises(UnsupportedArrayError, match="holds 4 items and would have 5"):
            writer.append("x", np.zeros((5, 2), "u1"))
        with pytest.raises(ConfigError, match="entries: 'x'"):
            writer.append("y", np.zeros((5, 2), "u1"))
        writer.append("x", np.ones((4, 2), "u1"))
        with pytest.raises(UnsupportedArrayError, match="would have 5"):
            writer.append("x", np.ones((1, 2), "u1"))
    assert (cc.load(path, registry=registry)["x"] == 1).all()
    with pytest.raises(ConfigError, match="open the writer"):
        writer.append("x", COUNT)
    with pytest.raises(ConfigError, match="used already"):
        writer.__enter__()


def test_create_needs_a_codec_and_takes_models(path, registry):
    spec = ArraySpec.of(FIVES)
    with pytest.raises(ConfigError, match="name a codec"):
        cc.create(path, spec, codec="auto", registry=registry)
    with pytest.raises(ConfigError, match="takes one here"):
        cc.create(path, spec, codec="test.raw", model=offset_model(5), registry=registry)
    arguments = {"model": offset_model(5), "embed_model": True, "attrs": {"a": 1}}
    with cc.create(path, spec, codec="test.offset", registry=registry, **arguments) as writer:
        writer.append("", FIVES)
    with cc.open(path, registry=registry) as file:
        assert file[""].attrs == {"a": 1}
        np.testing.assert_array_equal(file[""], FIVES)
