"""`codec="auto"`: what is chosen, and on which sample."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes
from PIL import Image

import codecs_core as cc
from codecs_core import ArraySpec, CodecInfo, CodecSpec, hookimpl, media
from codecs_core.api.choosing import auto, sample
from codecs_core.api.choosing.repeats import farther, novelty
from codecs_core.api.items import items
from codecs_core.errors import ConfigError, PluginLoadError, UnsupportedArrayError
from codecs_core.media import png
from codecs_core.registry import Registry

from .conftest import COUNT, FIVES, Lossy, Nibble, Offset, Raw, Runs, Wrong, offset_model, registry_of


def test_auto_takes_the_smallest(path, registry):
    info = cc.save(path, COUNT % 16, registry=registry)
    assert info["entries"][0]["codec"] == "test.nibble"
    [tried] = info["tried"]
    assert tried["chosen"] == {"codec": "test.nibble", "model": None}
    assert {c["codec"]: c["bytes"] for c in tried["candidates"]} == {
        "test.raw": 40 + auto.CHUNK_OVERHEAD,
        "test.nibble": 20 + auto.CHUNK_OVERHEAD,
    }
    json.dumps(info)
    np.testing.assert_array_equal(cc.load(path, registry=registry), COUNT % 16)


def test_choose_is_what_auto_takes(registry):
    assert cc.choose(COUNT % 16, registry=registry).id == "test.nibble"
    assert cc.choose(COUNT, chunk=2, registry=registry).id == "test.raw"
    with pytest.raises(UnsupportedArrayError):
        cc.choose(np.array(["text"], dtype=object), registry=registry)


def test_auto_drops_what_raises_on_the_sample(path, registry):
    info = cc.save(path, COUNT, registry=registry)
    assert info["entries"][0]["codec"] == "test.raw"
    errors = {c["codec"]: c["error"] for c in info["tried"][0]["candidates"]}
    assert "below 16" in errors["test.nibble"]
    assert errors["test.raw"] is None


def test_auto_takes_the_next_best_if_the_sample_missed_a_value(path, registry):
    data = np.zeros((4 << 20, 2), "u1")
    data[-1] = 200
    info = cc.save(path, {"a": data, "b": COUNT % 16}, chunk=1 << 20, registry=registry)
    assert [entry["codec"] for entry in info["entries"]] == ["test.raw", "test.nibble"]
    assert any("below 16" in (c["error"] or "") for c in info["tried"][0]["candidates"])
    np.testing.assert_array_equal(cc.load(path, registry=registry)["a"], data)


def test_auto_chooses_neither_lossy_nor_lying_codecs(path, monkeypatch):
    monkeypatch.setattr(Wrong, "info", CodecInfo(summary="lies", auto=True))
    info = cc.save(path, COUNT, registry=registry_of(Raw, Wrong, Lossy))
    assert info["entries"][0]["codec"] == "test.raw"
    errors = {c["codec"]: c["error"] for c in info["tried"][0]["candidates"]}
    assert errors == {"test.raw": None, "test.wrong": "codec test.wrong does not decode what it encoded"}


def test_auto_survives_a_plugin_that_cannot_be_imported(path):
    class Plugin:
        @hookimpl
        def codecs_register(self):
            return [CodecSpec(id="test.gone", implementation="not_there_at_all:X", info=CodecInfo(summary=""))]

    registry = registry_of(Raw)
    registry.register(Plugin(), name="codecs-gone")
    assert cc.save(path, COUNT, registry=registry)["entries"][0]["codec"] == "test.raw"


def test_auto_with_nothing_to_choose_from(path):
    with pytest.raises(ConfigError, match="pip install codecs-classic"):
        cc.save(path, COUNT, registry=Registry([]))
    with pytest.raises(UnsupportedArrayError, match=r"below 16.*pip install codecs-classic"):
        cc.save(path, COUNT, registry=registry_of(Nibble))


def test_auto_decides_once_for_entries_of_one_kind(path, registry):
    data = {f"{i}": COUNT % 16 for i in range(50)} | {"other": np.zeros((3, 7), "u1"), "f": np.zeros(3)}
    info = cc.save(path, data, registry=registry)
    assert [(t["entries"], t["first"]) for t in info["tried"]] == [(50, "0"), (1, "other"), (1, "f")]
    assert {e["codec"] for e in info["entries"]} == {"test.nibble", "test.raw"}


@pytest.mark.parametrize("shape", [(), (0,), (0, 3), (3, 0), (1,)])
def test_auto_of_little(path, registry, shape):
    cc.save(path, np.zeros(shape, "u1"), registry=registry)
    assert cc.load(path, registry=registry).shape == shape


def test_samples_are_small_and_from_several_places():
    big = np.broadcast_to(np.arange(1 << 16, dtype="u4")[:, None], (1 << 16, 256))
    [taken] = sample.take([items(big)])
    assert 0.9 * sample.VALUES < taken.size <= sample.VALUES
    rows = taken.array[:, 0]
    assert len(np.unique(rows // (1 << 14))) == len(taken.blocks) == sample.PLACES
    runs = np.diff(rows.astype(int))
    assert (runs == 1).sum() == len(runs) - 3
    many = [items(np.zeros((64, 64, 3), "u1")) for _ in range(1000)]
    assert len(sample.take(many)) == sample.ENTRIES
    assert len(sample.glance(sample.take(many))) == sample.LOOKS
    photos = [items(np.zeros((2000, 2000, 3), "u1")) for _ in range(5)]
    assert sum(one.size for one in sample.take(photos)) <= sample.VALUES
    assert len(sample.pieces(np.zeros((1000, 2)), 1)) == sample.PIECES
    assert [len(p) for p in sample.pieces(np.zeros((5, 2)), 2)] == [2, 2, 1]
    assert [p.shape for p in sample.pieces(np.zeros((4, 5)), (3, 3))] == [(3, 3), (3, 2), (1, 3), (1, 2)]


@settings(deadline=None)
@given(
    array_shapes(min_dims=0, max_dims=5, min_side=0, max_side=40).filter(lambda shape: np.prod(shape) < 1 << 18),
    st.integers(1, 1 << 14),
    st.booleans(),
)
def test_samples_of_any_shape(shape, values, images):
    array = np.arange(np.prod(shape), dtype="u4").reshape(shape)
    whole = sample.excerpt(items(array), 1 << 13, images=images, places=sample.PLACES)
    for one in (whole, whole.smaller(values), whole.uncropped() if whole.cropped else whole):
        assert np.isin(one.array, array).all()
        assert np.unique(one.array).size == one.array.size  # no value twice
        assert {block.shape for block in one.blocks} == {one.blocks[0].shape}
    assert whole.smaller(values).size <= max(2 * values, 8 * np.prod(shape[1:]))


def test_samples_of_images_are_crops():
    wide = items(np.zeros((3000, 4000, 3), "u1"))
    [taken] = sample.take([wide], images=True)
    assert len(taken.blocks) == sample.PLACES
    assert all(block.shape[0] > 100 < block.shape[1] for block in taken.blocks)
    assert 0.9 * sample.VALUES < taken.size <= sample.VALUES
    assert all(block.shape[0] > 10 < block.shape[1] for block in taken.smaller(sample.GLANCE).blocks)
    some = [wide, *(items(np.zeros((n, 5000 // n, 3), "u1")) for n in (1, 50, 5000))]
    assert sample.take(some, images=True)[-1].size <= sample.VALUES


def test_items_of_a_stack_are_taken_whole():
    [taken] = sample.take([items(np.zeros((9000, 28, 28), "u1"))])
    assert taken.blocks[0].shape[1:] == taken.smaller(sample.GLANCE).blocks[0].shape[1:] == (28, 28)


def test_a_codec_that_takes_items_of_one_shape_is_tried_on_such(path, monkeypatch):
    def check(self, spec):
        if spec.shape[1:] != (5000,):
            raise UnsupportedArrayError("items of 5000")

    monkeypatch.setattr(Nibble, "check", check)
    data = np.arange(5000 * 100, dtype="u4").reshape(100, 5000).astype("u1") % 16
    assert cc.save(path, data, registry=registry_of(Raw, Nibble))["entries"][0]["codec"] == "test.nibble"


def test_what_is_far_from_the_best_is_tried_on_little(path, monkeypatch):
    seen = {"test.raw": 0, "test.nibble": 0}
    for codec in (Raw, Nibble):

        def encode(self, chunk, encode=codec._encode):
            seen[self.id] += chunk.nbytes
            return encode(self, chunk)

        monkeypatch.setattr(codec, "_encode", encode)
    noise = np.random.Generator(np.random.Philox(2)).integers(0, 16, 1 << 22, dtype=np.uint8)
    info = cc.save(path, noise, registry=registry_of(Raw, Nibble))
    assert info["entries"][0]["codec"] == "test.nibble"
    assert seen["test.raw"] <= sample.GLANCE
    assert seen["test.nibble"] <= sample.GLANCE + noise.nbytes


def test_what_repeats_itself_far_apart_is_seen():
    noise = np.random.Generator(np.random.Philox(3)).integers(0, 1 << 30, 16381)
    for array, far in (np.tile(noise, 13), True), (np.arange(1 << 18), False), (np.tile(noise[:99], 2), False):
        [taken] = sample.take([items(array)])
        assert farther([taken], [taken.smaller(sample.GLANCE)]) is far
    assert novelty([sample.excerpt(items(np.zeros(7, "u1")), 99)]) == 1.0


def test_a_model_for_other_shapes_is_not_loaded(path, shipped, monkeypatch):
    stated = [replace(model, shapes=((None, 3),) if model.name == "m5" else ()) for model in shipped.models]
    registry = registry_of(Raw, Offset, models=stated)
    assert [model.fits((6, 2)) for model in registry.models] == [False, True]
    assert [c.model for c in auto.candidates(ArraySpec.of(FIVES), registry) if c.model] == ["m6"]
    assert cc.save(path, FIVES, registry=registry, codec="test.offset")["entries"][0]["model"]["name"] == "m5"
    wide = replace(stated[0], shapes=((None, range(3, 9)),))
    assert [wide.fits((6, n)) for n in (2, 3, 8, 9)] == [False, True, True, False]
    for shapes in ([], ((0, 3),), ((2.0,),), (3,)):
        with pytest.raises(PluginLoadError, match="shapes"):
            replace(stated[0], shapes=shapes)


def test_auto_decides_once_for_images_of_all_sizes_that_are_alike(path, registry):
    data = {f"{n}": np.full((5, n, 3), 7, "u1") for n in range(1, 30)}
    info = cc.save(path, data, registry=registry)
    assert [tried["entries"] for tried in info["tried"]] == [29]
    assert {entry["codec"] for entry in info["entries"]} == {"test.nibble"}


def test_auto_decides_for_each_image_where_they_differ(path):
    registry = registry_of(Raw, Runs)
    noise = np.random.Generator(np.random.Philox(1)).integers(0, 256, (40, 9, 8, 3), dtype=np.uint8)
    data = {f"{k}": image if k % 3 else np.full((9 + k, 8, 3), k, "u1") for k, image in enumerate(noise)}
    info = cc.save(path, data, registry=registry)
    assert [entry["codec"] for entry in info["entries"]] == [
        "test.raw" if k % 3 else "test.runs" for k in range(len(noise))
    ]
    assert [tried["entries"] for tried in info["tried"]] == [40]
    for name, array in cc.load(path, registry=registry).items():
        np.testing.assert_array_equal(array, data[name])


@pytest.mark.parametrize("count", [1, 3, 5, 12])
def test_an_image_of_a_folder_is_decoded_twice_at_most(tmp_path, monkeypatch, count):
    """Once to see that it is whole, and once to be stored; to choose a codec, and one for each, takes no more."""
    folder = tmp_path / "in"
    folder.mkdir()
    noise = np.asarray(np.random.Philox(3).random_raw(380 * 350 * 3 // 8 + 1), "<u8").view(np.uint8)
    for n in range(count):
        image = noise[: 380 * 350 * 3].reshape(380, 350, 3) if n % 2 else np.full((380, 350, 3), n, np.uint8)
        Image.fromarray(image).save(folder / f"{n:02}.png", compress_level=1)
    Image.fromarray(noise[: 300 * 300].reshape(300, 300)).save(folder / "grey.png", compress_level=1)
    decoded = []
    monkeypatch.setattr(auto, "WORTH", 100)  # nobody is out after a rough look
    monkeypatch.setattr(png, "_decoded", lambda *args, real=png._decoded: decoded.append(args[-1]) or real(*args))
    found = media.read([folder], on_skip=pytest.fail, on_keep=pytest.fail)
    info = cc.save(tmp_path / "x.ccf", found, registry=registry_of(Raw, Runs))
    assert {decoded.count(str(path)) for path in folder.iterdir()} == {2}
    assert info["tried"]
    if count == 12:
        assert len({entry["codec"] for entry in info["entries"]}) > 1  # each image had its own choice


def test_without_a_model_the_best_of_those_that_ship(path, shipped):
    for codec in ("auto", "test.offset"):
        info = cc.save(path, FIVES + 1, codec=codec, registry=shipped)
        assert info["entries"][0]["model"] == {"name": "m6", "sha256": offset_model(6).sha256, "embedded": False}
        assert info["tried"][0]["chosen"] == {"codec": "test.offset", "model": "m6"}
        np.testing.assert_array_equal(cc.load(path, registry=shipped), FIVES + 1)
    assert cc.save(path, COUNT, registry=shipped)["entries"][0]["codec"] == "test.raw"
    with pytest.raises(UnsupportedArrayError, match=r"test\.offset with model m5: model m5 takes items of shape"):
        cc.save(path, COUNT, codec="test.offset", registry=shipped)
