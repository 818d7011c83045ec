"""Dask arrays of the entries of files, and arrays of zarr written by several workers."""

import asyncio
import gc
import pickle

import dask
import dask.array as da
import numpy as np
import pytest
import zarr
from zarr.core.buffer import default_buffer_prototype
from zarr.storage import LocalStore

import codecs_core as cc
from codecs_core.adapters.zarr import CodecsCore


@pytest.fixture
def file(tmp_path, images):
    cc.save(tmp_path / "x.ccf", {"images": images, "one": np.array(7)}, codec="classic.zlib", chunk=25)
    with cc.open(tmp_path / "x.ccf") as file:
        yield file


def test_an_entry_is_a_dask_array(file, images):
    entry = file["images"]
    array = da.from_array(entry, chunks=entry.chunks)
    assert array.chunks == ((25, 25, 10), (28,), (28,))
    assert (array.dtype, array.shape) == (images.dtype, images.shape)
    assert np.array_equal(array.compute(), images)
    assert np.array_equal(array[[50, 3, 4], ::3, 5].compute(), images[[50, 3, 4], ::3, 5])
    assert da.from_array(entry).chunks == ((60,), (28,), (28,))  # by itself dask joins small chunks
    assert da.from_array(file["one"]).compute() == 7


def test_only_the_chunks_that_are_asked_for_are_decoded(file, images, monkeypatch):
    decoded = []
    decode = type(file._decoder).decode
    monkeypatch.setattr(type(file._decoder), "decode", lambda self, e, i: decoded.append(i) or decode(self, e, i))
    array = da.from_array(file["images"], chunks=file["images"].chunks)
    assert decoded == []
    assert np.array_equal(array[55].compute(), images[55])
    assert decoded == [2]


def test_names(file, tmp_path, images):
    name = dask.base.tokenize(file["images"])
    with cc.open(tmp_path / "x.ccf") as again:
        assert dask.base.tokenize(again["images"]) == name != dask.base.tokenize(again["one"])
    cc.save(tmp_path / "x.ccf", {"images": images[::-1]}, codec="classic.zlib", chunk=25)
    with cc.open(tmp_path / "x.ccf") as changed:
        assert dask.base.tokenize(changed["images"]) != name


def test_an_entry_can_be_pickled(tmp_path, images, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cc.save("x.ccf", {"images": images}, codec="classic.zlib", chunk=25)
    with cc.open("x.ccf") as file:
        entry = pickle.loads(pickle.dumps(file["images"]))
        monkeypatch.chdir("/")
        again = pickle.loads(pickle.dumps(entry))
    assert np.array_equal(entry[20:30], images[20:30])
    assert np.array_equal(again[20:30], images[20:30])
    del entry, again
    gc.collect()  # whoever opened a file closes it: an open one would be a warning


def test_an_entry_behind_a_url_can_be_pickled(images):
    cc.save("memory://pickled/x.ccf", images, codec="classic.zlib", chunk=25)
    with cc.open("memory://pickled/x.ccf") as file:
        assert np.array_equal(pickle.loads(pickle.dumps(file[""]))[20:30], images[20:30])


def contents(path):
    async def read(store):
        prototype = default_buffer_prototype()
        return {key: (await store.get(key, prototype)).to_bytes() async for key in store.list()}

    return asyncio.run(read(LocalStore(path, read_only=True)))


def test_workers_write_what_one_process_writes(file, tmp_path, images):
    distributed = pytest.importorskip("distributed")
    digits = da.from_array(file["images"], chunks=file["images"].chunks)

    def create(name):
        settings = {"shape": digits.shape, "chunks": digits.chunksize, "dtype": digits.dtype, "compressors": None}
        return zarr.create_array(tmp_path / name, serializer=CodecsCore("bbans.vae", model="mnist"), **settings)

    create("one")[:] = images
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None) as cluster,
        distributed.Client(cluster),
    ):
        da.store(digits, create("many"), lock=False)
        total = da.from_zarr(zarr.open_array(tmp_path / "many")).sum().compute()
    assert total == images.sum()
    assert contents(tmp_path / "many") == contents(tmp_path / "one")
