"""`get_codec`, `list_codecs` and `train`."""

import json

import pytest

import codecs_core as cc
from codecs_core.errors import ConfigError, UnsupportedArrayError

from .conftest import COUNT, FIVES, Raw, offset_model


def test_get_codec(registry):
    assert cc.get_codec("test.raw", registry=registry) == Raw()
    assert cc.get_codec("test.raw", level=3, registry=registry) == Raw(level=3)
    assert cc.get_codec({"id": "test.raw", "level": 3}, registry=registry) == Raw(level=3)
    model = offset_model(5)
    assert cc.get_codec("test.offset", model=model, registry=registry).model is model
    with pytest.raises(ConfigError, match="needs a model"):
        cc.get_codec("test.offset", registry=registry)
    with pytest.raises(ConfigError, match="no 'id'"):
        cc.get_codec({"level": 3}, registry=registry)


def test_list_codecs(shipped):
    listed = cc.list_codecs(registry=shipped)
    json.dumps(listed)
    assert [codec["id"] for codec in listed] == ["test.raw", "test.nibble", "test.offset"]
    assert listed[2] == {
        "id": "test.offset",
        "plugin": "codecs-test",
        "version": "",
        "summary": "needs a model",
        "kind": "lossless",
        "exactness": "portable",
        "dtypes": ["uint8"],
        "ndim": [],
        "format_version": 1,
        "trainable": True,
        "needs_model": True,
        "auto": True,
        "files": False,
        "ragged": False,
        "resumable": False,
        "labelled": False,
        "models": ["m5", "m6"],
    }


def test_train(registry, path):
    seen = []
    model = cc.train("test.offset", FIVES, budget=2, step=3, progress=lambda f, m: seen.append(f), registry=registry)
    assert model.attrs == {"budget": 2, "step": 3}
    assert seen == [1.0]
    assert cc.save(path, FIVES, model=model, registry=registry)["entries"][0]["bytes"] == 0
    with pytest.raises(ConfigError, match="nothing to train"):
        cc.train("test.raw", FIVES, registry=registry)
    with pytest.raises(ConfigError, match="budget must be a positive number of seconds, got 0"):
        cc.train("test.offset", FIVES, budget=0, registry=registry)


def test_training_on_items_of_many_shapes(registry):
    items = [COUNT[:3], COUNT[:5, :2].T, COUNT[2:3]]
    model = cc.train("test.planes", items, registry=registry)
    assert model.config == {"shapes": [[3, 4], [2, 5], [1, 4]], "listed": True, "steps": 1}
    assert cc.train("test.planes", COUNT, registry=registry).config["listed"] is False
    assert cc.train("test.offset", [[5, 5], [7, 7]], registry=registry).config == {"shape": [2]}
    with pytest.raises(UnsupportedArrayError, match=r"the data to train test\.offset on cannot be made one array"):
        cc.train("test.offset", items, registry=registry)
    with pytest.raises(UnsupportedArrayError, match="item 1 cannot be made one array"):
        cc.train("test.planes", [COUNT, [[1], [2, 3]]], registry=registry)


def test_training_that_goes_on(registry, tmp_path):
    checkpoint = tmp_path / "state"
    for steps, path in enumerate([checkpoint, str(checkpoint), checkpoint], start=1):
        assert cc.train("test.planes", COUNT, checkpoint=path, registry=registry).config["steps"] == steps
    assert checkpoint.read_text() == "3"
    with pytest.raises(ConfigError, match=r"training of test\.offset .* takes no checkpoint"):
        cc.train("test.offset", FIVES, checkpoint=checkpoint, registry=registry)
    with pytest.raises(ConfigError, match="'rate'; it has none"):
        cc.train("test.planes", COUNT, rate=1, registry=registry)
