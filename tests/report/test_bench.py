"""The bench engine: whole files, decoded again, honestly compared."""

import numpy as np
import pytest
from PIL import Image

import codecs_core as cc
from codecs_core import media, registry
from codecs_core.codec import Codec, CodecInfo
from codecs_core.errors import UnknownCodecError, UnsupportedArrayError
from codecs_core.report import bench

rng = np.random.Generator(np.random.Philox(3))


@pytest.fixture
def images(tmp_path):
    np.save(tmp_path / "images.npy", (rng.integers(0, 4, (40, 8, 8)) * 60).astype(np.uint8))
    return media.read([tmp_path / "images.npy"])


class Liar(Codec):
    """Decodes to zeros."""

    id = "test.liar"
    info = CodecInfo(summary="decodes to something else")

    def _encode(self, chunk):
        return b""

    def _decode(self, payload, spec):
        return np.zeros(spec.shape, spec.dtype)


class Crash(Codec):
    """Never encodes."""

    id = "test.crash"
    info = CodecInfo(summary="breaks")

    def _encode(self, chunk):
        raise RuntimeError("broken")

    def _decode(self, payload, spec):
        raise RuntimeError("broken")


@pytest.fixture
def known(monkeypatch):
    class Plugin:
        @staticmethod
        @registry.hookimpl
        def codecs_register():
            return [
                cc.CodecSpec(id=c.id, implementation=f"{__name__}:{c.__name__}", info=c.info) for c in (Liar, Crash)
            ]

    import sys

    monkeypatch.setitem(sys.modules, __name__, sys.modules.get(__name__) or type(sys)(__name__))
    for cls in (Liar, Crash):
        monkeypatch.setattr(sys.modules[__name__], cls.__name__, cls, raising=False)
    known = registry.Registry()
    known.register(Plugin, name="test")
    return known


def test_a_folder_that_nothing_is_kept_in_is_not_left_behind(images, tmp_path):
    with pytest.raises(UnsupportedArrayError, match="no codec could be measured"):
        bench.run(images, codecs=["classic.jpeg"], keep=tmp_path / "kept")
    assert not (tmp_path / "kept").exists()
    (tmp_path / "own").mkdir()
    with pytest.raises(UnsupportedArrayError):
        bench.run(images, codecs=["classic.jpeg"], keep=tmp_path / "own")
    assert (tmp_path / "own").is_dir()


def test_sizes_are_those_of_files_and_rows_are_sorted(images, tmp_path):
    result = bench.run(images, codecs=["classic.zlib", "classic.jxl"], keep=tmp_path / "kept")
    (group,) = result.groups
    assert (group.shape, group.values, group.nbytes) == ((40, 8, 8), 2560, 2560)
    assert {(row.codec, row.layout) for row in group.rows} == {
        (codec, layout) for codec in ("classic.zlib", "classic.jxl") for layout in ("per item", "solid")
    }
    assert [row.bytes for row in group.rows] == sorted(row.bytes for row in group.rows)
    for row in group.rows:
        info = cc.inspect(row.path)
        assert row.bytes == info["bytes"]["total"]
        assert row.payload == info["bytes"]["payload"]
        assert row.bits_per_value == 8 * row.bytes / 2560
        assert row.chunks == (40 if row.layout == "per item" else 1)
        assert row.identical
        assert np.array_equal(cc.load(row.path), images[""].read())
    assert result.ok


def test_nothing_is_kept_unless_asked(images):
    assert all(row.path is None for row in bench.run(images, codecs=["classic.raw"]).rows)


def test_limit(images):
    assert bench.run(images, codecs=["classic.raw"], limit=7).groups[0].shape == (7, 8, 8)


def test_kinds_of_arrays_are_measured_apart(tmp_path):
    np.savez(tmp_path / "a.npz", images=np.zeros((9, 4, 4), np.uint8), labels=np.arange(9))
    groups = bench.run(media.read([tmp_path / "a.npz"]), codecs=["classic.raw", "classic.png"]).groups
    assert [(group.name, len(group.rows)) for group in groups] == [("images", 4), ("labels", 2)]
    assert [one["codec"] for one in groups[1].left_out] == ["classic.png"]


def test_images_are_items(tmp_path):
    (tmp_path / "in").mkdir()
    for k, size in enumerate([(5, 6, 3), (7, 4, 3), (5, 6)]):
        Image.fromarray(rng.integers(0, 255, size, dtype=np.uint8)).save(tmp_path / "in" / f"{k}.png")
    groups = bench.run(media.read([tmp_path / "in"], stack=True), codecs=["classic.png"], limit=1).groups
    assert [(group.arrays, [row.layout for row in group.rows]) for group in groups] == [(1, ["per item"])] * 2


def test_a_codec_that_lies_or_breaks_is_found_out(images, known):
    result = bench.run(images, codecs=["classic.jxl", "test.liar", "test.crash"], registry=known)
    assert not result.ok
    failed = {one["codec"]: one["why"] for one in result.groups[0].left_out if one["kind"] == "failed"}
    assert failed["test.crash"] == "RuntimeError: broken"
    assert "intact" in failed["test.liar"]
    assert {row.codec for row in result.rows} == {"classic.jxl"}


def test_refusals(images, tmp_path):
    with pytest.raises(UnknownCodecError):
        bench.run(images, codecs=["nobody.none"])
    np.save(tmp_path / "f.npy", np.arange(5.0))
    with pytest.raises(UnsupportedArrayError, match="no codec"):
        bench.run(media.read([tmp_path / "f.npy"]), codecs=["classic.png"])
    np.save(tmp_path / "e.npy", np.zeros((0, 5)))
    with pytest.raises(UnsupportedArrayError, match="the data has no values"):
        bench.run(media.read([tmp_path / "e.npy"]))


def test_progress(images):
    seen = []
    bench.run(images, codecs=["classic.raw", "classic.zlib"], progress=lambda fraction, message: seen.append(fraction))
    assert seen == [0.0, 0.25, 0.5, 0.75]


def test_in_a_notebook(tmp_path):
    np.save(tmp_path / "<b>.npy", np.zeros((3, 4, 5), np.uint8))
    result = bench.run(media.read([tmp_path / "<b>.npy"]), codecs=["classic.raw"])
    shown = result._repr_html_()
    assert "&lt;b&gt;.npy: one array, uint8, 60 bytes" in shown
    assert shown.count("classic.raw") == len(result.rows)
