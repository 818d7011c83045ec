"""numcodecs' own checks, applied to the adapter, and zarr's v2 format."""

import importlib
import json
import pickle
import sys

import numcodecs
import numpy as np
import pytest
import zarr
from numcodecs.tests import common as checks  # they ship with numcodecs
from numcodecs.tests.test_zlib import arrays as ARRAYS

from codecs_core import models
from codecs_core.adapters.numcodecs import CodecsCore
from codecs_core.adapters.zarr import keep_models, use_models
from codecs_core.errors import (
    ConfigError,
    CorruptDataError,
    MissingDependencyError,
    ModelNotFoundError,
    UnknownCodecError,
    UnsupportedArrayError,
)

from .conftest import forget

CODECS = [CodecsCore("classic.zlib"), CodecsCore("classic.bz2", level=1)]


@pytest.mark.parametrize("codec", CODECS, ids=repr)
@pytest.mark.parametrize("array", ARRAYS, ids=lambda array: str(array.dtype))
def test_encode_decode(array, codec):
    checks.check_encode_decode(array, codec)


@pytest.mark.parametrize("array", [a for a in ARRAYS if a.dtype.kind in "iufb"], ids=lambda array: str(array.dtype))
def test_encode_decode_array(array):
    checks.check_encode_decode_array(array, CODECS[0])
    checks.check_encode_decode_array(np.asfortranarray(array), CODECS[0])
    checks.check_encode_decode_array(array.astype(array.dtype.newbyteorder(">")), CODECS[0])


@pytest.mark.parametrize("codec", CODECS, ids=repr)
def test_config(codec):
    checks.check_config(codec)
    assert codec.get_config()["id"] == "codecs_core"
    assert pickle.loads(pickle.dumps(codec)) == codec


def test_repr(monkeypatch):
    monkeypatch.setattr(checks, "CodecsCore", CodecsCore, raising=False)
    checks.check_repr("CodecsCore('classic.bz2', level=1)")
    checks.check_repr("CodecsCore('bbans.vae', model='mnist')")


def test_objects():
    checks.check_err_decode_object_buffer(CODECS[0])
    checks.check_err_encode_object_buffer(CODECS[0])
    with pytest.raises(TypeError):
        CODECS[0].encode(["a", "b"])
    with pytest.raises(ValueError, match="contiguous"):
        CODECS[0].encode(np.arange(10)[::2])


def test_equality():
    assert CodecsCore("classic.bz2", level=1) == CODECS[1] != CODECS[0]
    assert hash(CodecsCore("classic.bz2", level=1)) == hash(CODECS[1])
    assert CODECS[0] != "classic.zlib"


def test_the_registry_finds_it_by_one_id():
    config = json.loads(json.dumps({"id": "codecs_core", "codec": {"id": "classic.bz2", "level": 1}}))
    assert numcodecs.get_codec(config) == CODECS[1]


def test_it_decodes_to_what_it_was(images):
    codec = CodecsCore("bbans.vae", model="mnist")
    back = codec.decode(codec.encode(images))
    assert (back.dtype, back.shape) == (images.dtype, images.shape)
    assert np.array_equal(back, images)
    out = np.empty_like(images)
    assert codec.decode(codec.encode(images), out=out) is out
    assert np.array_equal(out, images)
    with pytest.raises(UnsupportedArrayError, match="28"):
        codec.encode(images[:, :20].copy())


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", ["|u1", "<i4", ">i4", "<f8", "?", "M8[s]"])
def test_zarr_v2(tmp_path, order, dtype):
    data = np.arange(600).reshape(20, 30).astype(dtype)
    array = zarr.create_array(
        tmp_path / "x.zarr",
        shape=data.shape,
        chunks=(7, 11),
        dtype=dtype,
        zarr_format=2,
        compressors=CODECS[0],
        order=order,
    )
    array[:] = data
    again = zarr.open_array(tmp_path / "x.zarr", mode="r")
    assert np.array_equal(again[:], data)
    assert again.compressors == (CODECS[0],)


def test_a_model_of_ones_own(tmp_path, images, own_model):
    made = CodecsCore("bbans.vae", model=own_model)
    array = zarr.create_array(tmp_path / "x", shape=(4, 28, 28), dtype="u1", zarr_format=2, compressors=made)
    array[:] = images[:4]
    assert keep_models(array) == [f"codecs_models/own-{own_model.sha256}.safetensors"]
    travelling = pickle.dumps(made)
    forget()
    with pytest.raises(ModelNotFoundError, match=own_model.sha256):
        zarr.open_array(tmp_path / "x")
    assert pickle.loads(travelling).codec.model == own_model
    assert np.array_equal(zarr.open_array(tmp_path / "x")[:], images[:4])
    forget()
    assert use_models(tmp_path / "x") == [own_model]
    assert np.array_equal(zarr.open_array(tmp_path / "x")[:], images[:4])
    forget()
    models.add(own_model)
    assert np.array_equal(zarr.open_array(tmp_path / "x")[:], images[:4])


@pytest.mark.parametrize("at", [0, 3, 8, 15, -1])
def test_damage(at):
    encoded = bytearray(CODECS[0].encode(np.arange(10)))
    encoded[at] ^= 1
    with pytest.raises(CorruptDataError):
        CODECS[0].decode(bytes(encoded))
    with pytest.raises(CorruptDataError):
        CODECS[0].decode(bytes(encoded[:at]))


@pytest.mark.parametrize(
    ("config", "error", "text"),
    [
        (
            {"codec": {"id": "bbans.nothing"}, "package": "codecs-bbans"},
            UnknownCodecError,
            "pip install -U codecs-bbans",
        ),
        ({"codec": {"id": "acme.raw"}, "package": "codecs-acme"}, UnknownCodecError, "pip install codecs-acme"),
        ({"codec": {"id": "classic.zlib"}, "level": 1}, ConfigError, "no setting 'level'"),
        ({"codec": {}}, ConfigError, "describes no codec"),
        ({}, ConfigError, "describes no codec"),
        ({"codec": "classic.zlib"}, ConfigError, "describes no codec"),
    ],
)
def test_what_cannot_be_had_is_said_when_it_is_looked_up(config, error, text):
    with pytest.raises(error, match=text):
        numcodecs.get_codec({"id": "codecs_core", **config})


def test_without_numcodecs(monkeypatch):
    monkeypatch.setitem(sys.modules, "numcodecs.abc", None)
    monkeypatch.delitem(sys.modules, "codecs_core.adapters.numcodecs")
    with pytest.raises(MissingDependencyError, match=r"pip install 'codecs-core\[zarr\]'"):
        importlib.import_module("codecs_core.adapters.numcodecs")
