"""The serializer in zarr v3 arrays.

zarr's tests of codecs are not part of its package; those of `tests/test_codecs/test_codecs.py` and `test_sharding.py` that say something
about a serializer are done here over again with this one.
"""

import asyncio
import importlib
import json
import multiprocessing
import os
import pickle
import subprocess
import sys
import warnings
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np
import pytest
import zarr
from zarr.abc.codec import SupportsSyncCodec
from zarr.codecs import TransposeCodec
from zarr.core.array_spec import ArrayConfig, ArraySpec
from zarr.core.buffer import default_buffer_prototype
from zarr.core.dtype import get_data_type_from_native_dtype
from zarr.storage import FsspecStore, LocalStore, MemoryStore

import codecs_core as cc
from codecs_core import models
from codecs_core.adapters.zarr import CodecsCore, keep_models, use_models
from codecs_core.errors import (
    ConfigError,
    CorruptDataError,
    DecodeMismatchError,
    MissingDependencyError,
    ModelError,
    ModelNotFoundError,
    UnknownCodecError,
    UnsupportedArrayError,
    UnsupportedFeatureError,
)

from .conftest import forget

ZLIB = CodecsCore("classic.zlib")
DATA = np.arange(256, dtype="uint16").reshape(16, 16)


def create(store, data=DATA, serializer=ZLIB, **more):
    settings = {"shape": data.shape, "dtype": data.dtype, "fill_value": 0, "compressors": None, **more}
    return zarr.create_array(store, serializer=serializer, **settings)


def stored(store, key):
    value = asyncio.run(store.get(key, prototype=default_buffer_prototype()))
    return None if value is None else value.to_bytes()


# --- zarr's own tests --------------------------------------------------------------------------------


@pytest.fixture(params=["local", "memory"])
def store(request, tmp_path):
    return LocalStore(tmp_path / "store") if request.param == "local" else MemoryStore()


@pytest.mark.parametrize("filters", [None, [TransposeCodec(order=(1, 0))]], ids=["plain", "transposed"])
@pytest.mark.parametrize("orders", ["CC", "CF", "FC", "FF"])
@pytest.mark.parametrize("shards", [None, (16, 16)], ids=["chunks", "shards"])
def test_order(orders, shards, filters):
    store = MemoryStore()
    data = np.asarray(DATA, order=orders[0])
    array = create(store, data, chunks=(8, 8), shards=shards, filters=filters, config={"order": orders[1]})
    array[:, :] = data
    with zarr.config.set({"array.order": orders[0]}):
        read = zarr.open_array(store)[:, :]
    assert np.array_equal(data, read)
    assert read.flags["F_CONTIGUOUS"] == (orders[0] == "F")


def test_open(store):
    assert create(store, chunks=(5, 16)).metadata == zarr.open_array(store).metadata


def test_write_partial_chunks(store):
    array = create(store, chunks=(20, 20), fill_value=1)
    array[0:16, 0:16] = DATA
    assert np.array_equal(array[0:16, 0:16], DATA)
    array[3:9, 4] = 7
    assert (array[3:9, 4] == 7).all()
    assert np.array_equal(array[:, 5:], DATA[:, 5:])


def test_delete_empty_chunks(store):
    array = create(store, np.ones((16, 16)), chunks=(32, 32), fill_value=1)
    array[:16, :16] = np.zeros((16, 16))
    array[:16, :16] = np.ones((16, 16))
    assert (array[:] == 1).all()
    assert stored(store, "c/0/0") is None


def test_resize(store):
    array = create(store, np.zeros((16, 18), "u2"), chunks=(10, 10), fill_value=1)
    array[:] = 0
    assert all(stored(store, f"c/{i}/{j}") is not None for i in (0, 1) for j in (0, 1))
    array.resize((10, 12))
    assert zarr.open_array(store).shape == (10, 12)
    assert stored(store, "c/0/1") is not None
    assert stored(store, "c/1/0") is stored(store, "c/1/1") is None
    assert (array[:] == 0).all()


def test_dimension_names(store):
    create(store, chunks=(16, 16), dimension_names=("x", "y"))
    assert zarr.open_array(store).metadata.dimension_names == ("x", "y")


@pytest.mark.parametrize("index_location", ["start", "end"])
def test_sharding(store, index_location):
    data = np.arange(30 * 20 * 10, dtype="f4").reshape(30, 20, 10)
    shards = {"shape": (20, 20, 10), "index_location": index_location}
    array = create(store, data, chunks=(5, 10, 10), shards=shards)
    array[:10] = data[:10]
    array[10:] = data[10:]
    read = zarr.open_array(store)
    assert np.array_equal(read[:], data)
    assert np.array_equal(read[13, ::3, 2:4], data[13, ::3, 2:4])
    assert np.array_equal(read.oindex[[1, 25], :, [3]], data[np.ix_([1, 25], range(20), [3])])
    assert np.array_equal(read.vindex[[1, 25], [2, 3], [4, 5]], data[[1, 25], [2, 3], [4, 5]])
    array[4:12, 3] = 0
    assert not read[4:12, 3].any()
    assert np.array_equal(read[4:12, 4:], data[4:12, 4:])


def test_only_the_bytes_change():
    dtype = get_data_type_from_native_dtype(np.dtype("f8"))
    spec = ArraySpec((10,), dtype, dtype.cast_scalar(0.0), ArrayConfig("C", False), default_buffer_prototype())
    assert ZLIB.resolve_metadata(spec) == spec
    assert isinstance(ZLIB, SupportsSyncCodec)
    assert not ZLIB.is_fixed_size
    with pytest.raises(NotImplementedError):
        ZLIB.compute_encoded_size(100, spec)


# --- values and metadata -----------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["?", "i1", "<u2", ">u2", ">i4", "<i8", "<f2", ">f4", "<f8", "c8", ">c16"])
def test_dtypes(dtype):
    data = np.arange(-30, 30).astype(dtype).reshape(6, 10)
    array = create(MemoryStore(), data, chunks=(4, 10))
    array[:] = data
    assert array[:].tobytes() == data.tobytes()
    assert array[:].dtype == data.dtype


def test_without_axes():
    array = create(MemoryStore(), np.array(7.5))
    array[...] = 7.5
    assert array[()] == 7.5


def test_other_codecs_may_follow():
    array = create(MemoryStore(), chunks=(8, 16), compressors=[zarr.codecs.Crc32cCodec(), zarr.codecs.ZstdCodec()])
    array[:] = DATA
    assert np.array_equal(array[3:11, 2], DATA[3:11, 2])


def test_what_the_metadata_says(tmp_path):
    create(tmp_path, np.zeros((4, 28, 28), "u1"), CodecsCore("bbans.vae", model="mnist"))
    (codec,) = json.loads((tmp_path / "zarr.json").read_text())["codecs"]
    (sha256,) = (
        spec.sha256 for spec in cc.registry.default().models if (spec.codec, spec.name) == ("bbans.vae", "mnist")
    )
    assert codec == {
        "name": "codecs_core",
        "configuration": {
            "codec": {"id": "bbans.vae"},
            "version": cc.registry.default().spec("bbans.vae").format_version,
            "package": "codecs-bbans",
            "model": {"name": "mnist", "sha256": sha256},
        },
    }


def test_settings_are_kept():
    array = create(MemoryStore(), serializer=CodecsCore({"id": "classic.bz2", "level": 1}))
    assert array.serializer == CodecsCore("classic.bz2", level=1) == CodecsCore(cc.get_codec("classic.bz2", level=1))
    assert array.serializer != CodecsCore("classic.bz2")
    assert repr(array.serializer) == "CodecsCore('classic.bz2', level=1)"
    assert CodecsCore.from_dict(array.serializer.to_dict()) == array.serializer
    assert pickle.loads(pickle.dumps(array.serializer)) == array.serializer


def test_a_codec_is_made_once():
    array = create(MemoryStore())
    again = [zarr.open_array(array.store).serializer.codec for _ in range(2)]
    assert again[0] is again[1]


# --- what is refused, and when -----------------------------------------------------------------------


@pytest.mark.parametrize("shards", [None, (4, 28, 28)], ids=["chunks", "shards"])
@pytest.mark.parametrize(("dtype", "shape"), [("f4", (4, 28, 28)), ("M8[s]", (4, 28, 28)), ("u1", (4, 14, 28))])
def test_what_a_codec_cannot_take_is_refused_when_the_array_is_created(tmp_path, dtype, shape, shards):
    with pytest.raises(UnsupportedArrayError):
        zarr.create_array(
            tmp_path,
            shape=(4, 28, 28),
            chunks=shape,
            shards=shards,
            dtype=dtype,
            serializer=CodecsCore("bbans.vae", model="mnist"),
        )
    assert not (tmp_path / "zarr.json").exists()


def test_parts_of_images_fit_where_whole_ones_do_not(images):
    codec = CodecsCore("bbans.vae", model="mnist")
    tiled = np.tile(images[:4], (1, 2, 2))
    array = create(MemoryStore(), tiled, codec, chunks=(2, 28, 28))
    array[:] = tiled
    assert np.array_equal(array[1, 20:40], tiled[1, 20:40])


def test_a_codec_that_nobody_can_look_up_is_refused():
    @dataclass(frozen=True, kw_only=True)
    class Nameless(cc.Codec):
        id = "test.nameless"
        info = cc.CodecInfo(summary="for tests")

        def _encode(self, chunk):
            return chunk.tobytes()

        def _decode(self, payload, spec):
            return np.frombuffer(payload, spec.numpy).reshape(spec.shape)

    with pytest.raises(UnknownCodecError, match=r"test\.nameless"):
        CodecsCore(Nameless())


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ((["classic.zlob"], {}), UnknownCodecError, "did you mean classic.zlib"),
        ((["bbans.vae"], {}), ConfigError, "needs a model"),
        ((["bbans.vae"], {"model": "nothing"}), ModelNotFoundError, "nothing"),
        ((["classic.zlib"], {"colour": 1}), ConfigError, "no setting 'colour'"),
        (([ZLIB.codec], {"level": 1}), ConfigError, "given as an instance"),
    ],
)
def test_what_is_missing_is_said_when_the_codec_is_named(arguments, error, text):
    with pytest.raises(error, match=text):
        CodecsCore(*arguments[0], **arguments[1])


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        ({"codec": {"id": "acme.raw"}, "package": "codecs-acme"}, UnknownCodecError, "pip install codecs-acme"),
        ({"codec": {"id": "classic.nothing"}}, UnknownCodecError, "pip install -U codecs-classic"),
        ({"version": 99}, UnsupportedFeatureError, "pip install -U codecs-classic"),
        ({"codec": {"id": "classic.zlib", "colour": 1}}, UnsupportedFeatureError, "pip install -U codecs-classic"),
        ({"colour": 1}, ConfigError, "no setting 'colour'"),
        ({"codec": []}, ConfigError, "describes no codec"),
        ({"version": "1"}, ConfigError, "describes no codec"),
        ({"model": "mnist"}, ConfigError, "describes no codec"),
    ],
)
def test_what_is_missing_is_said_when_the_array_is_opened(tmp_path, change, error, text):
    create(tmp_path)
    document = json.loads((tmp_path / "zarr.json").read_text())
    document["codecs"][0]["configuration"] |= change
    (tmp_path / "zarr.json").write_text(json.dumps(document))
    for opened in (zarr.open_array, zarr.open):
        with pytest.raises(error, match=text):
            opened(tmp_path, mode="r+")


def test_without_zarr(monkeypatch):
    monkeypatch.setitem(sys.modules, "zarr.abc.codec", None)
    monkeypatch.delitem(sys.modules, "codecs_core.adapters.zarr")
    with pytest.raises(MissingDependencyError, match=r"pip install 'codecs-core\[zarr\]'"):
        importlib.import_module("codecs_core.adapters.zarr")


# --- damage ------------------------------------------------------------------------------------------


def test_a_damaged_chunk_is_named(tmp_path):
    array = create(tmp_path, chunks=(8, 16))
    array[:] = DATA
    path = tmp_path / "c/1/0"
    damaged = bytearray(path.read_bytes())
    damaged[-3] ^= 1
    path.write_bytes(damaged)
    assert np.array_equal(array[:8], DATA[:8])
    with pytest.raises(CorruptDataError, match=r"c/1/0 is damaged: the CRC32C"):
        array[:]
    path.write_bytes(b"")
    with pytest.raises(CorruptDataError, match=r"c/1/0 is 0 bytes"):
        array[10]


def test_a_damaged_shard(tmp_path):
    array = create(tmp_path, chunks=(8, 16), shards=(16, 16))
    array[:] = DATA
    path = tmp_path / "c/0/0"
    damaged = bytearray(path.read_bytes())
    damaged[40] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(CorruptDataError, match=r"^a chunk of a shard"):
        array[:]


def test_a_decoder_that_differs_does_not_pass(tmp_path, monkeypatch):
    array = create(tmp_path, chunks=(8, 16))
    array[:] = DATA
    cls = type(ZLIB.codec)
    decode = cls._decode
    monkeypatch.setattr(cls, "_decode", lambda self, payload, spec: decode(self, payload, spec) + np.uint16(1))
    with pytest.raises(DecodeMismatchError, match=r"c/./0: the stored bytes are intact"):
        array[:]


# --- models ------------------------------------------------------------------------------------------


def test_a_model_of_ones_own_lies_beside_the_array(tmp_path, images, own_model):
    root = zarr.create_group(tmp_path / "group")
    serializer = CodecsCore("bbans.vae", model=own_model)
    array = root.create_array("digits", shape=images.shape, dtype="u1", chunks=(20, 28, 28), serializer=serializer)
    array[:] = images
    (key,) = keep_models(array)
    assert key == f"digits/codecs_models/own-{own_model.sha256}.safetensors"
    assert [name for name, _ in root.members()] == ["digits"]

    forget()
    with pytest.raises(ModelNotFoundError, match=rf"needs the model 'own'.*{own_model.sha256}.*use_models\(STORE\)"):
        zarr.open_array(tmp_path / "group/digits")
    assert use_models(tmp_path / "group") == [own_model]
    assert np.array_equal(zarr.open_array(tmp_path / "group/digits")[:], images)

    forget()
    (found,) = use_models(FsspecStore.from_url(f"file://{tmp_path}/group", read_only=True), "digits")
    assert (found.name, found) == ("own", own_model)

    forget()
    (tmp_path / "group" / key).write_bytes(b"something else")
    with pytest.raises(ModelError, match=own_model.sha256):
        use_models(str(tmp_path / "group"))
    (tmp_path / "group" / key).unlink()
    with pytest.raises(ModelNotFoundError, match="there are no models"):
        use_models(tmp_path / "group")


def test_a_model_of_ones_own_travels_with_the_array(tmp_path, images, own_model):
    array = create(tmp_path, images, CodecsCore("bbans.vae", model=own_model), chunks=(60, 28, 28))
    array[:] = images
    travelling = pickle.dumps(array)
    assert len(travelling) > len(own_model.data)
    assert len(pickle.dumps(CodecsCore("bbans.vae", model="mnist"))) < 1000
    forget()
    assert np.array_equal(pickle.loads(travelling)[:], images)
    assert np.array_equal(zarr.open_array(tmp_path)[3], images[3])  # it stays at hand


def test_a_model_in_the_store_of_the_user(tmp_path, images, own_model):
    array = create(tmp_path / "x", images[:4], CodecsCore("bbans.vae", model=own_model))
    array[:] = images[:4]
    forget()
    models.add(own_model)
    assert np.array_equal(zarr.open_array(tmp_path / "x")[:], images[:4])


# --- other processes ---------------------------------------------------------------------------------


def run(code, *arguments, **environment):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_importing_zarr_loads_neither_codecs_nor_torch():
    code = (
        "import sys, zarr, numcodecs, zarr.registry; zarr.create_array({}, shape=(3,), dtype='u1')[:] = 1\n"
        "print(*[m for m in sys.modules if m.partition('.')[0] in ('torch', 'numba', 'codecs_core')])\n"
        "cls = zarr.registry.get_codec_class('codecs_core')\n"
        "print(cls.__module__, *[m for m in sys.modules if m.partition('.')[0] in ('torch', 'numba')])"
    )
    assert run(code) == "codecs_core.adapters.zarr"


def test_a_fresh_process_reads_it(tmp_path, images):
    array = create(tmp_path, images, CodecsCore("bbans.vae", model="mnist"), chunks=(20, 28, 28), shards=(40, 28, 28))
    array[:] = images
    code = "import sys, zarr; print(*zarr.open(sys.argv[1])[17:23].sum(axis=(1, 2)))"
    assert run(code, tmp_path) == " ".join(map(str, images[17:23].sum(axis=(1, 2))))
    code = "import sys, zarr\ntry: zarr.open(sys.argv[1])\nexcept LookupError as e: print(e)"
    assert "CODECS_PLUGINS leaves it out" in run(code, tmp_path, CODECS_PLUGINS="")


def _read(array, path):
    return array[3:5], zarr.open_array(path)[10:12]


def test_spawned_workers(tmp_path):
    array = create(tmp_path, chunks=(8, 16))
    array[:] = DATA
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        given, opened = pool.submit(_read, array, tmp_path).result()
    assert np.array_equal(given, DATA[3:5])
    assert np.array_equal(opened, DATA[10:12])


# --- xarray ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("consolidated", [False, True])
def test_xarray(tmp_path, images, consolidated):
    xarray = pytest.importorskip("xarray")
    data = xarray.Dataset({"images": (("n", "y", "x"), images)}, {"n": np.arange(len(images))}, {"title": "digits"})
    serializer = CodecsCore("bbans.vae", model="mnist")
    encoding = {"images": {"serializer": serializer, "compressors": None, "chunks": (20, 28, 28)}}
    with warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", "Consolidated metadata", UserWarning
        )  # zarr warns that others may not read it
        data.to_zarr(tmp_path / "x", zarr_format=3, encoding=encoding, consolidated=consolidated)
        with xarray.open_zarr(tmp_path / "x", consolidated=consolidated, chunks=None) as again:
            assert again.images.encoding["serializer"] == serializer
            xarray.testing.assert_identical(again.load(), data)
        with xarray.open_zarr(tmp_path / "x", consolidated=consolidated) as lazy:
            assert lazy.images.chunks == ((20, 20, 20), (28,), (28,))
            assert np.array_equal(lazy.images[33].values, images[33])


@pytest.mark.parametrize("dtype", ["M8[s]", "m8[ns]", ">M8[D]"])
@pytest.mark.parametrize("shards", [None, (12, 8)])
def test_times(dtype, shards):
    data = (np.arange(192) - 90).reshape(24, 8).astype(dtype)
    data[3, 4] = "NaT"
    store = MemoryStore()
    array = create(store, data, chunks=(6, 8), shards=shards, fill_value=data[3, 4])
    array[:] = data
    again = zarr.open_array(store, mode="r")
    assert again.dtype.kind == data.dtype.kind
    assert np.array_equal(again[5:20].astype("i8"), data[5:20].astype("i8"))
    assert np.array_equal(again[:].astype("i8"), data.astype("i8"))
