"""Model files: identity, canonical bytes, hostile files, the store, and from names to models."""

import hashlib
import json
import os
import pickle
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save as save_tensors

from codecs_core.errors import InputError, ModelError, ModelNotFoundError, OutputError
from codecs_core.models import Model, add, available, cache, installed, resolve, store_dir
from codecs_core.registry import ModelSpec


def make(value=1, *, codec="test.net", name="m", **attrs):
    tensors = {"w": np.full((2, 3), value, "f4"), "b": np.arange(3, dtype="i2")}
    return Model.create(codec=codec, config={"layers": [2, 3]}, tensors=tensors, attrs=attrs, name=name)


@pytest.fixture(autouse=True)
def store(tmp_path, monkeypatch):
    folder = tmp_path / "store"
    monkeypatch.setenv("CODECS_MODELS", str(folder))
    cache.clear()
    return folder


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package with model files, and a catalogue that lists them."""
    root = tmp_path / "site" / "zoo_models"
    root.mkdir(parents=True)
    (root / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(str(root.parent))
    specs = []

    def ship(model, name=None, **changes):
        name = name or model.name
        (root / f"{name}-{len(specs)}.safetensors").write_bytes(model.data)
        fields = {"name": name, "codec": model.codec, "resource": f"zoo_models:{name}-{len(specs)}.safetensors"}
        fields |= {"sha256": model.sha256, "summary": "ships", "nbytes": len(model.data)}
        specs.append(ModelSpec(**(fields | changes)))
        return specs[-1]

    yield SimpleNamespace(models=specs, ship=ship, root=root)
    sys.modules.pop("zoo_models", None)


NOTHING = SimpleNamespace(models=[])


# --- a model ----------------------------------------------------------------------------------------


def test_identity_is_the_hash_of_the_file():
    model = make(name="a")
    assert model.sha256 == hashlib.sha256(model.data).hexdigest()
    assert model == make(name="b")
    assert hash(model) == hash(make(name="b"))
    assert model != make(2)
    assert (model.codec, model.config, model.attrs, model.name) == ("test.net", {"layers": [2, 3]}, {}, "a")


def test_bytes_depend_neither_on_order_nor_on_layout():
    a = np.arange(6, dtype="f4").reshape(2, 3)
    one = Model.create(codec="a.b", config={"x": 1, "y": (2,)}, tensors={"p": a, "q": np.float64(3)})
    two = Model.create(
        codec="a.b",
        config={"y": [2], "x": 1},
        tensors={"q": np.array(3, ">f8"), "p": np.asfortranarray(a.astype(">f4"))},
    )
    assert one.data == two.data
    np.testing.assert_array_equal(two.tensors()["p"], a)
    assert two.tensors()["q"].shape == ()


def test_the_bytes_of_a_model_are_pinned():
    assert make().sha256 == hashlib.sha256(make().data).hexdigest() == PINNED


PINNED = "7a3c3421b73f9e4ebdc3ba33465a516f193f79d2472efed403a5d2e9ab36aa8b"


def test_metadata_is_canonical_json():
    data = make(z=1, a="ä").data
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    assert header["__metadata__"] == {
        "codecs": '{"attrs":{"a":"ä","z":1},"codec":"test.net","config":{"layers":[2,3]}}'
    }


def test_tensors_are_read_only_and_parsed_once():
    model = make()
    assert model.tensors()["w"] is model.tensors()["w"]
    with pytest.raises(ValueError, match="read-only"):
        model.tensors()["w"][0] = 5
    model.tensors().clear()
    assert set(model.tensors()) == {"w", "b"}


def test_pickling_keeps_name_and_file():
    model = make(name="a")
    model.tensors()
    back = pickle.loads(pickle.dumps(model))
    assert back == model
    assert back.name == "a"


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"config": {"x": float("nan")}}, "JSON-able"),
        ({"config": {"x": object()}}, "JSON-able"),
        ({"attrs": {"x": b"bytes"}}, "JSON-able"),
        ({"tensors": {"x": np.zeros(2, complex)}}, "dtype complex128"),
        ({"tensors": {"x": np.array(["a"])}}, "dtype"),
        ({"tensors": {"x": np.array([object()])}}, "dtype object"),
        ({"tensors": {"__metadata__": np.zeros(2)}}, "keeps that name"),
    ],
)
def test_what_a_model_cannot_hold(changes, text):
    with pytest.raises(ModelError, match=text):
        Model.create(**{"codec": "a.b", "config": {}, "tensors": {}, **changes})


def with_metadata(text):
    return save_tensors({"w": np.zeros(2, "f4")}, metadata=None if text is None else {"codecs": text})


def with_header(text):
    return len(text).to_bytes(8, "little") + text.encode()


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "no safetensors file, or one cut short: it is 0 bytes"),
        (b"\x80\x04K\x01.", "no safetensors file"),
        (b"\xff" * 100, "no safetensors file"),
        ((5).to_bytes(8, "little") + b"{nope", "cannot be parsed"),
        ((100000).to_bytes(8, "little") + b'{"a":' * 20000, "cannot be parsed"),
        (make().data[:-1], "cut short or damaged"),
        (make().data + b"x", "cut short or damaged"),
        (with_metadata(None), "no model of a codec"),
        (with_metadata("[]"), "must be an object, got a list"),
        (with_metadata('{"codec":"a.b","codec":"a.c","config":{},"attrs":{}}'), "occurs twice"),
        (with_metadata('{"codec":"a.b","config":{"x":NaN},"attrs":{}}'), "not a finite number"),
        (with_metadata('{"codec":5,"config":{},"attrs":{}}'), "not made of"),
        (with_metadata('{"codec":"a.b","config":{}}'), "not made of"),
        (with_metadata('{"codec":"a.b","config":{"x":1e999},"attrs":{}}'), "not a finite number"),
        (with_metadata(r'{"codec":"a.b","config":{},"attrs":{"summary":"\ud800"}}'), "surrogates"),
        (with_header(r'{"__metadata__":{"codecs":"\udfff"}}'), "surrogates"),
        (with_header('{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,1e999]}}'), "not a finite number"),
        (with_header('{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4.0]}}'), r"ends at 4\.0"),
        (with_header('{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,-4]}}'), "ends at -4"),
        (with_header('{"w":{"dtype":"F32","shape":[1],"data_offsets":[0]}}'), "where its tensors are"),
        (with_header('{"w":{"data_offsets":[0,%s]}}' % ("9" * 5000)), "cannot be parsed"),
    ],
    ids=range(21),
)
def test_files_that_are_no_models(data, text):
    with pytest.raises(ModelError, match=text):
        Model.from_bytes(data)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(make().data) - 1), st.integers(1, 255))
def test_a_damaged_file_is_a_model_error_or_another_model(place, flip):
    data = bytearray(make().data)
    data[place] ^= flip
    with pytest.raises(ModelError, match="SHA-256"):
        Model.from_bytes(bytes(data), expect=make().sha256)
    try:
        model = Model.from_bytes(bytes(data))
        model.tensors()
    except ModelError:
        return
    assert model != make()


def test_files(tmp_path):
    model = make()
    path = tmp_path / f"digits-{model.sha256[:16]}.safetensors"
    model.save(path)
    assert path.read_bytes() == model.data
    assert Model.from_file(path) == model
    assert Model.from_file(path).name == "digits"
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    with pytest.raises(InputError, match="missing"):
        Model.from_file(tmp_path / "missing.safetensors")
    with pytest.raises(OutputError, match="folder"):
        model.save(tmp_path / "folder" / "x.safetensors")
    path.write_bytes(b"x")
    with pytest.raises(ModelError, match="digits"):
        Model.from_file(path)


def test_a_pipe_is_no_model(tmp_path):
    if not hasattr(os, "mkfifo"):
        pytest.skip("there are no pipes with names here")
    os.mkfifo(tmp_path / "pipe.safetensors")
    with pytest.raises(InputError, match="not a regular file"):
        Model.from_file(tmp_path / "pipe.safetensors")


def check_listed(store, name, data, text):
    """What cannot be a model is a line of its own, and the other models are still there."""
    good = make(summary="good")
    add(good, "good")
    path = store / f"{name}-{'0' * 16}.safetensors"
    os.mkfifo(path) if data is None else path.write_bytes(data)
    found = {record.name: record for record in available(NOTHING)}
    assert found["good"].sha256 == good.sha256
    assert found[name].codec == ""
    assert text in found[name].summary


def test_what_lies_in_the_store_breaks_no_list(store):
    check_listed(store, "endless", with_header('{"w":{"data_offsets":[0,1e999]}}'), "finite")
    check_listed(
        store, "half", with_metadata(r'{"codec":"a.b","config":{},"attrs":{"summary":"\ud800"}}'), "surrogates"
    )
    if hasattr(os, "mkfifo"):
        check_listed(store, "pipe", None, "not a regular file")


# --- the store --------------------------------------------------------------------------------------


def test_where_the_store_is(monkeypatch, store):
    assert store_dir() == store
    monkeypatch.delenv("CODECS_MODELS")
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    monkeypatch.setenv("LOCALAPPDATA", "/local")
    for platform, path in {
        "linux": "/data/codecs/models",
        "win32": "/local/codecs/models",
        "darwin": str(Path("~/Library/Application Support/codecs/models").expanduser()),
    }.items():
        monkeypatch.setattr(sys, "platform", platform)
        assert store_dir() == Path(path)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("XDG_DATA_HOME")
    assert store_dir() == Path("~/.local/share/codecs/models").expanduser()


def test_adding_to_the_store(store):
    model = make(summary="digits")
    path = add(model, "mine")
    assert path == store / f"mine-{model.sha256[:16]}.safetensors"
    assert add(model, "mine") == path
    [record] = available(NOTHING)
    assert (record.name, record.codec, record.sha256, record.source) == ("mine", "test.net", model.sha256, "store")
    assert (record.summary, record.nbytes, record.where) == ("digits", len(model.data), str(path))
    for name in ("", "../x", "a/b", ".x"):
        with pytest.raises(ModelError, match="needs a name"):
            add(make(name=""), name)


def test_a_damaged_file_in_the_store_is_listed_as_such(store):
    path = add(make())
    path.write_bytes(make(2).data)
    [record] = available(NOTHING)
    assert record.codec == ""
    assert "damaged" in record.summary
    for ref in ("m", make().sha256):
        with pytest.raises(ModelError, match=r"damaged") as caught:
            resolve(ref, registry=NOTHING)
        assert not isinstance(caught.value, ModelNotFoundError)


# --- from names to models ----------------------------------------------------------------------------


def test_by_path(tmp_path):
    make().save(tmp_path / "x.safetensors")
    make().save(tmp_path / "no_suffix")
    for name in ("x.safetensors", "no_suffix"):
        assert resolve(str(tmp_path / name), registry=NOTHING) == make()
    with pytest.raises(ModelNotFoundError, match=r"no model file .*y\.safetensors"):
        resolve(str(tmp_path / "y.safetensors"), registry=NOTHING)


def test_by_registered_name(package):
    package.ship(make(1, codec="a.x"), "mnist")
    package.ship(make(2, codec="b.x"), "mnist")
    package.ship(make(3, codec="a.x"), "faces")
    assert resolve("faces", registry=package) == make(3, codec="a.x")
    assert resolve("b.x/mnist", registry=package) == make(2, codec="b.x")
    assert resolve("mnist", codec="a.x", registry=package) == make(1, codec="a.x")
    with pytest.raises(ModelError, match=r"may be a\.x/mnist .* or b\.x/mnist"):
        resolve("mnist", registry=package)
    with pytest.raises(ModelError, match=r"for codec a\.x, not for b\.x"):
        resolve("faces", codec="b.x", registry=package)
    with pytest.raises(ModelError, match=r"for codec b\.x, not for a\.x"):
        resolve("b.x/mnist", codec="a.x", registry=package)
    with pytest.raises(ModelNotFoundError, match=r"there are a\.x/faces, a\.x/mnist, b\.x/mnist"):
        resolve("cats", registry=package)


def test_by_store_name_after_registered_names(package):
    add(make(1), "mine")
    add(make(2), "both")
    package.ship(make(3), "both")
    assert resolve("mine", registry=package) == make(1)
    assert resolve("test.net/mine", registry=package) == make(1)
    assert resolve("both", registry=package) == make(3)
    with pytest.raises(ModelError, match=r"for codec test\.net, not for a\.b"):
        resolve("mine", codec="a.b", registry=package)
    add(make(4), "mine")
    with pytest.raises(ModelError, match="may be"):
        resolve("mine", registry=package)


def test_by_hash_in_order(package):
    model = make()
    asked = []

    def embedded(sha256):
        asked.append(sha256)
        return model.data

    reader = SimpleNamespace(model=embedded)
    empty = SimpleNamespace(model=lambda sha256: None)
    with pytest.raises(ModelNotFoundError) as caught:
        resolve(model.sha256, registry=package, reader=empty)
    for place in (model.sha256, "the file itself", "the installed plugins", str(store_dir())):
        assert place in str(caught.value)
    add(model, "kept")
    assert resolve(model.sha256, registry=package, reader=empty).name == "kept"
    package.ship(model, "shipped")
    assert resolve(model.sha256, registry=package, reader=empty).name == "shipped"
    assert resolve(model.sha256, registry=package, reader=reader) == model
    assert asked == [model.sha256]
    with pytest.raises(ModelError, match=r"for codec test\.net, not for a\.b"):
        resolve(model.sha256, codec="a.b", registry=package)


def test_what_a_reader_embeds_is_checked():
    reader = SimpleNamespace(model=lambda sha256: make(2).data)
    with pytest.raises(ModelError, match="SHA-256"):
        resolve(make(1).sha256, registry=NOTHING, reader=reader)


def test_a_plugin_that_ships_another_file_than_it_says(package):
    with pytest.raises(ModelError, match="SHA-256"):
        installed(package.ship(make(1), sha256=make(2).sha256))
    with pytest.raises(ModelError, match=r"its plugin says a\.b"):
        installed(package.ship(make(3), codec="a.b"))
    with pytest.raises(ModelError, match="cannot be read from zoo_models:gone"):
        installed(package.ship(make(4), resource="zoo_models:gone"))
    with pytest.raises(ModelError, match="cannot be read from no_such_package:x"):
        installed(package.ship(make(5), resource="no_such_package:x"))


def test_models_are_parsed_once_a_process(package):
    spec = package.ship(make())
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: installed(spec), range(64)))
    assert all(model == found[0] for model in found)
    assert installed(spec) is resolve("m", registry=package)
    for value in range(20):
        installed(package.ship(make(value)))
    assert len(cache._models) == 16
