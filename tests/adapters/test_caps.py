"""Limits of chunks that lie in arrays of zarr and numcodecs: before any work, and where the arrays are opened."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

zarr = pytest.importorskip("zarr")
pytest.importorskip("codecs_classic")

from codecs_core import Limits  # noqa: E402
from codecs_core.adapters import caps  # noqa: E402
from codecs_core.adapters import numcodecs as numcodecs_adapter  # noqa: E402
from codecs_core.adapters import zarr as zarr_adapter  # noqa: E402
from codecs_core.adapters.numcodecs import CodecsCore as ForNumcodecs  # noqa: E402
from codecs_core.adapters.zarr import CodecsCore  # noqa: E402
from codecs_core.codec import Codec  # noqa: E402
from codecs_core.errors import LimitExceededError  # noqa: E402

SMALL = Limits(chunk_bytes=1000)


@pytest.fixture(autouse=True)
def limits_of_the_process():
    yield
    caps.use_limits(Limits())


def create(path, *, chunk, shards=None, limits=None):
    return zarr.create_array(
        path,
        shape=(4000,),
        chunks=(chunk,),
        shards=shards,
        dtype="u1",
        serializer=CodecsCore("classic.raw", limits=limits),
        compressors=None,
    )


@pytest.mark.parametrize("shards", [None, (4000,)], ids=["chunks", "shards"])
def test_an_array_whose_chunks_nobody_would_read_is_not_made(tmp_path, shards):
    with pytest.raises(LimitExceededError, match="chunk_bytes"):
        create(tmp_path / "a.zarr", chunk=2000, shards=shards, limits=SMALL)
    array = create(tmp_path / "b.zarr", chunk=1000, shards=shards, limits=SMALL)
    array[:] = 7
    assert (zarr.open_array(tmp_path / "b.zarr")[:] == 7).all()


def test_chunks_over_two_gibibytes_need_a_higher_limit(tmp_path):
    def make(limits):
        return zarr.create_array(
            tmp_path / "a.zarr",
            shape=(3 << 30,),
            chunks=(3 << 30,),
            dtype="u1",
            serializer=CodecsCore("classic.raw", limits=limits),
            compressors=None,
        )

    with pytest.raises(LimitExceededError, match="2147483648"):
        make(None)
    make(Limits(chunk_bytes=1 << 32))


def test_arrays_that_are_opened_keep_to_the_limits_of_the_process(tmp_path):
    create(tmp_path / "a.zarr", chunk=2000)[:] = 7
    caps.use_limits(SMALL)
    with pytest.raises(LimitExceededError, match="chunk_bytes"):
        zarr.open_array(tmp_path / "a.zarr")[:]
    caps.use_limits(Limits(chunk_bytes=2000))
    assert (zarr.open_array(tmp_path / "a.zarr")[:] == 7).all()


def test_numcodecs_checks_before_it_encodes(monkeypatch):
    codec = ForNumcodecs("classic.raw", limits=SMALL)
    whole = codec.encode(np.zeros(1000, "u1"))
    monkeypatch.setattr(Codec, "encode", lambda *_: pytest.fail("it was encoded"))
    with pytest.raises(LimitExceededError, match="chunk_bytes"):
        codec.encode(np.zeros(1001, "u1"))
    np.testing.assert_array_equal(codec.decode(whole), np.zeros(1000, "u1"))
    with pytest.raises(LimitExceededError):
        ForNumcodecs("classic.raw", limits=Limits(chunk_bytes=999)).decode(whole)
    caps.use_limits(Limits(chunk_bytes=999))
    with pytest.raises(LimitExceededError):
        ForNumcodecs("classic.raw").decode(whole)


@pytest.mark.parametrize("kind", [CodecsCore, ForNumcodecs])
def test_limits_travel_with_the_codec_and_do_not_stay_in_the_array(kind):
    codec = kind("classic.raw", limits=SMALL)
    assert pickle.loads(pickle.dumps(codec)).limits == SMALL
    assert codec == kind("classic.raw")
    described = codec.to_dict() if kind is CodecsCore else codec.get_config()
    assert "limits" not in repr(described)


def test_a_chunk_that_claims_too_much():
    few = Limits(values_per_byte=10)
    with pytest.raises(LimitExceededError, match="values_per_byte"):
        ForNumcodecs("classic.zlib", limits=few).encode(np.zeros(10_000, "u1"))
    sealed = ForNumcodecs("classic.zlib").encode(np.zeros(10_000, "u1"))
    with pytest.raises(LimitExceededError, match="values_per_byte"):
        ForNumcodecs("classic.zlib", limits=few).decode(sealed)


def test_both_adapters_offer_the_limits_of_the_process():
    assert zarr_adapter.use_limits is numcodecs_adapter.use_limits is caps.use_limits
