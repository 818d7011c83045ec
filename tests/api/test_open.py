"""`open`, `load` and `inspect`: parts of entries, previews, and all that can be wrong with a file."""

import io
import json
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import codecs_core as cc
from codecs_core import ArraySpec, CodecSpec, Limits, hookimpl
from codecs_core.api.opening.selection import select
from codecs_core.container import Entry, Reader, Writer, digest
from codecs_core.container.folding import unfold
from codecs_core.errors import (
    CodecConflictError,
    CodecsError,
    ConfigError,
    CorruptDataError,
    DecodeMismatchError,
    InputError,
    LimitExceededError,
    ModelNotFoundError,
    UnknownCodecError,
    UnsupportedFeatureError,
)

from .conftest import COUNT, FIVES, Raw, offset_model, registry_of


def test_a_missing_model_says_what_is_missing_and_can_be_handed_in(path, registry, tmp_path):
    model = offset_model(5)
    cc.save(path, {"x": FIVES}, codec="test.offset", model=model, registry=registry)
    with pytest.raises(ModelNotFoundError) as caught:
        cc.load(path, registry=registry)
    for part in ("entry 'x'", "'m5'", model.sha256, "the file itself", "the installed plugins", "store"):
        assert part in str(caught.value)
    model.save(tmp_path / "m.safetensors")
    for models in (model, [model], str(tmp_path / "m.safetensors"), [tmp_path / "m.safetensors"]):
        np.testing.assert_array_equal(cc.load(path, models=models, registry=registry)["x"], FIVES)


CUBE = np.arange(7 * 3 * 2, dtype="i4").reshape(7, 3, 2)


indices = st.integers(-8, 8)


slices = st.builds(slice, *[st.none() | st.integers(-9, 9)] * 2, st.none() | st.integers(-9, 9).filter(bool))


picks = (
    st.lists(indices, max_size=5).map(lambda p: np.array(p, int)) | hnp.arrays(bool, 7) | st.lists(indices, max_size=3)
)


firsts = indices | slices | st.just(...) | st.none() | picks


keys = firsts | st.tuples(firsts) | st.tuples(firsts, st.integers(-3, 2) | st.slices(3)) | st.just(())


keys |= st.tuples(firsts, st.slices(3), st.just([1, 0, 1])) | st.tuples(st.just(...), st.integers(-2, 1))


keys |= st.sampled_from([True, np.int8(3), np.array(2), np.array([[1, 2], [3, -1]]), (1, 2, 1), (1, 2, 1, 0), 1.5, "x"])


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@settings(max_examples=400, deadline=None)
@given(keys, st.integers(1, 8))
def test_indexing_is_that_of_numpy(tmp_path_factory, key, chunk):
    registry = registry_of(Raw)
    path = tmp_path_factory.mktemp("index") / "x.ccf"
    cc.save(path, CUBE, codec="test.raw", chunk=chunk, jobs=1, registry=registry)
    with cc.open(path, registry=registry, jobs=1) as file:
        try:
            due = CUBE[key]
        except (IndexError, ValueError, TypeError) as error:
            with pytest.raises(type(error)):
                file[""][key]
            return
        found = file[""][key]
        assert type(found) is type(due)
        np.testing.assert_array_equal(found, due)
        assert found.dtype == due.dtype


@pytest.mark.parametrize("what", [b"\x89Cf", bytearray(3), io.BytesIO(b"x"), None, 3])
def test_what_is_no_path(what):
    with pytest.raises(InputError, match=f"path or URL, got {type(what).__name__}"):
        cc.open(what)


@pytest.mark.parametrize(
    ("key", "chunks"),
    [
        (0, [0]),
        (-1, [4]),
        (slice(2, 4), [1]),
        (slice(1, 3), [0, 1]),
        (slice(None, None, -4), [0, 2, 4]),
        (slice(0, 0), []),
        ([9, 0, 1, -10], [0, 4]),
        ((3, 1), [1]),
        (..., [0, 1, 2, 3, 4]),
    ],
)
def test_only_touched_chunks_are_decoded(path, registry, key, chunks):
    assert [part.chunk for part in select(key, (10, 4), (2, 4)).parts] == chunks
    cc.save(path, COUNT, codec="test.raw", chunk=2, registry=registry)
    with cc.open(path, registry=registry) as file:
        np.testing.assert_array_equal(file[""][key], COUNT[key])
    assert len(Raw.decoded) == len(chunks)


def test_going_through_items_decodes_each_chunk_once(path, registry):
    cc.save(path, COUNT, codec="test.raw", chunk=3, registry=registry)
    with cc.open(path, registry=registry) as file:
        np.testing.assert_array_equal(list(file[""]), COUNT)
        assert len(Raw.decoded) == 4
        row = file[""][9]
        row[:] = 0
        np.testing.assert_array_equal(file[""][9], COUNT[9])


def test_views_say_what_they_are(path, registry):
    cc.save(path, {"x": COUNT, "z": np.float32(4)}, codec="test.raw", chunk=3, registry=registry)
    with cc.open(path, registry=registry) as file:
        x, z = file["x"], file["z"]
        assert (x.name, x.shape, x.ndim, x.dtype, x.size, x.nbytes) == ("x", (10, 4), 2, np.uint8, 40, 40)
        assert (x.codec, x.chunks, x.n_chunks, len(x)) == ("test.raw", (3, 4), 4, 10)
        assert (z.shape, z.chunks, z[()], z[...].shape) == ((), (), 4, ())
        np.testing.assert_array_equal(np.asarray(x), COUNT)
        assert np.asarray(x, "f4").dtype == np.float32
        with pytest.raises(ValueError, match="copy"):
            np.asarray(x, copy=False)
        with pytest.raises(TypeError, match="len"):
            len(z)
        with pytest.raises(IndexError):
            z[0]
        assert "uint8" in repr(x)
        assert path.name in repr(file)
        copy = pickle.loads(pickle.dumps(file))
        assert list(copy) == ["x", "z"]
        copy.close()


def test_many_threads_read_one_file(path, registry):
    data = np.arange(4000, dtype="u2").reshape(1000, 4)
    cc.save(path, data, codec="test.raw", chunk=7, registry=registry)
    with cc.open(path, registry=registry) as file, ThreadPoolExecutor(8) as pool:
        starts = np.random.default_rng(0).integers(0, 1000, 200)
        for start, part in zip(starts, pool.map(lambda s: file[""][s : s + 20], starts), strict=True):
            np.testing.assert_array_equal(part, data[start : start + 20])


def write(path, array, payload, *, seal=None, **changes):
    fields = {"name": "x", "spec": ArraySpec.of(array), "chunk": 100, "codec": "test.raw", "package": "codecs-test"}
    with path.open("wb") as file:
        entry = Entry(**(fields | changes))
        writer = Writer(file, [entry], models={} if entry.model is None else {entry.model: "net"})
        writer.write_chunk("x", 0, payload, seal or digest(array))
        writer.close()


def test_a_damaged_chunk(path, registry):
    cc.save(path, COUNT, codec="test.raw", chunk=2, registry=registry)
    data = bytearray(unfold(path.read_bytes()))
    data[data.index(COUNT[4:6].tobytes())] ^= 1
    path.write_bytes(data)
    with cc.open(path, registry=registry) as file:
        np.testing.assert_array_equal(file[""][:4], COUNT[:4])
        for ask in (lambda: file[""][4], lambda: file[""][:], lambda: cc.load(path, registry=registry)):
            with pytest.raises(CorruptDataError, match="chunk 2"):
                ask()
        for decode in (False, True):
            report = file.verify(decode=decode)
            [entry] = report["entries"]
            assert (report["ok"], entry["chunks"], entry["ok"]) == (False, 5, 4)
            [damage] = entry["damaged"]
            assert (damage["chunk"], damage["code"]) == (2, "corrupt")
            json.dumps(report)


def test_a_payload_that_decodes_to_something_else(path, registry):
    write(path, COUNT, (COUNT + 1).tobytes())
    with pytest.raises(
        DecodeMismatchError, match=r"entry 'x', chunk 0: the stored bytes are intact.*test\.raw.*codecs-test"
    ):
        cc.load(path, registry=registry)
    with cc.open(path, registry=registry) as file:
        assert file.verify()["ok"]
        report = file.verify(decode=True)
        assert report["entries"][0]["damaged"][0]["code"] == "decode-mismatch"


def test_a_payload_that_does_not_decode(path, registry):
    write(path, COUNT, b"abc")
    with pytest.raises(CorruptDataError, match=r"x\.ccf, entry 'x', chunk 0: .*test\.raw"):
        cc.load(path, registry=registry)


def test_a_codec_nobody_has(path, registry):
    write(path, COUNT, b"abc", codec="acme.deep", package="acme-codecs")
    with pytest.raises(UnknownCodecError, match=r"entry 'x': .*acme\.deep.*pip install acme-codecs"):
        cc.load(path, registry=registry)
    with cc.open(path, registry=registry) as file:
        assert file.info()["entries"][0]["package"] == "acme-codecs"
        assert file.verify()["ok"]
        report = file.verify(decode=True)
        assert not report["ok"]
        assert report["entries"][0]["error"]["code"] == "unknown-codec"
        assert report["entries"][0]["ok"] == 1


@pytest.mark.parametrize(
    ("changes", "error", "text"),
    [
        ({"codec_version": 2}, UnsupportedFeatureError, "version 2 of codec test.raw.*up to version 1; pip install -U"),
        ({"config": {"later": 1}}, UnsupportedFeatureError, "no setting 'later'.*pip install -U codecs-test"),
        ({"model": "ab" * 32, "codec": "test.offset"}, ModelNotFoundError, "called 'net'.*" + "ab" * 32),
        ({"codec": "test.offset"}, UnsupportedFeatureError, "needs a model"),
    ],
)
def test_files_of_newer_or_missing_things(path, registry, changes, error, text):
    write(path, COUNT, COUNT.tobytes(), **changes)
    with pytest.raises(error, match=text):
        cc.load(path, registry=registry)


def test_two_claims_on_the_codec_of_a_file(path, registry):
    cc.save(path, COUNT, codec="test.raw", registry=registry)

    class Other:
        @hookimpl
        def codecs_register(self):
            return [CodecSpec(id="test.raw", implementation="a:B", info=Raw.info)]

    registry.register(Other(), name="codecs-other")
    with pytest.raises(CodecConflictError, match=r"codecs-test .* and codecs-other"):
        cc.load(path, registry=registry)


def test_limits_come_from_the_caller(path, registry):
    cc.save(path, np.zeros((1000, 10), "u1"), codec="test.raw", chunk=10, registry=registry)
    with pytest.raises(LimitExceededError):
        cc.load(path, limits=Limits(array_bytes=9999), registry=registry)
    with pytest.raises(LimitExceededError):
        cc.load(path, limits=Limits(chunk_bytes=99), registry=registry)


def test_a_lossy_codec_is_sealed_by_what_a_reader_gets(path, registry):
    cc.save(path, COUNT, codec="test.lossy", registry=registry)
    np.testing.assert_array_equal(cc.load(path, registry=registry), COUNT & 0xF0)


def test_info_is_json_and_adds_up(path, registry):
    model = offset_model(5)
    cc.save(path, {"x": FIVES, "y": FIVES}, codec={"x": "test.offset", "y": "test.raw"}, model=model, embed_model=True,
            attrs={"x": {"icc": b"12345", "deep": [{"b": b"1"}]}}, chunk=4, registry=registry)  # fmt: skip
    info = cc.inspect(path)
    assert json.loads(json.dumps(info)) == info
    sizes = info["bytes"]
    assert sizes["total"] == path.stat().st_size == sum(sizes.values()) - sizes["total"]
    x, y = info["entries"]
    assert x["model"] == {"name": "m5", "sha256": model.sha256, "embedded": True}
    assert y["model"] is None
    assert (y["shape"], y["dtype"], y["chunk"], y["chunks"], y["bytes"], y["bits_per_value"]) == (
        [6, 2],
        "uint8",
        4,
        2,
        12,
        8,
    )
    assert (x["bytes"], x["codec_version"], x["config"]) == (0, 1, {})
    assert x["attrs"] == {"icc": "<5 bytes>", "deep": [{"b": "<1 bytes>"}]}
    assert info["values"] == 24
    assert info["bits_per_value"] == 8 * sizes["total"] / 24
    assert info["path"] == str(path)
    with Reader.open(path) as reader:
        assert info["format"] == f"ccf {reader.version}"


def test_files_that_are_none(path):
    with pytest.raises(InputError):
        cc.inspect(path)
    path.write_bytes(b"no container at all" * 10)
    for ask in (cc.inspect, cc.load, cc.open):
        with pytest.raises(CodecsError) as caught:
            ask(path)
        assert caught.value.code == "not-a-container"


@pytest.mark.parametrize("jobs", [1, 3])
def test_previews_of_an_entry(path, registry, jobs):
    cc.save(path, {"x": COUNT * 5, "y": np.uint8(77)}, codec="test.planes", chunk=3, registry=registry)
    with cc.open(path, jobs=jobs, registry=registry) as file:
        x, y = file["x"], file["y"]
        for levels, seen in enumerate([COUNT * 0, COUNT * 5 & 0xF0, COUNT * 5]):
            preview = x.preview(levels)
            assert preview.dtype == np.uint8
            np.testing.assert_array_equal(preview, seen)
        assert y.preview(1) == 64
        Raw.decoded.clear()
        np.testing.assert_array_equal(x.preview(1, np.s_[4:7, 1]), (COUNT * 5 & 0xF0)[4:7, 1])
        assert sorted(Raw.decoded) == [(3, 4), (3, 4)]
        x.preview(1, 2)
        np.testing.assert_array_equal(x[2], COUNT[2] * 5)  # what is kept of the last chunk is never a preview
        with pytest.raises(ConfigError, match=r"levels must be .*, got -1"):
            x.preview(-1)


def test_previews_that_are_none(path, registry):
    cc.save(path, COUNT, codec="test.raw", registry=registry)
    with cc.open(path, registry=registry) as file, pytest.raises(ConfigError, match=r"test\.raw has no previews"):
        file[""].preview(1)
    write(path, COUNT, b"abc", codec="test.planes")
    where = r"x\.ccf, entry 'x', chunk 0: .*test\.planes"
    with cc.open(path, registry=registry) as file, pytest.raises(CorruptDataError, match=where):
        file["x"].preview(1)


def test_files_and_entries_show_themselves(path, registry):
    cc.save(path, {"<script>": COUNT, **{f"{n}": COUNT for n in range(30)}}, codec="test.raw", registry=registry)
    with cc.open(path, registry=registry) as file:
        whole, one = file._repr_html_(), file["<script>"]._repr_html_()
    assert "<script>" not in whole + one
    assert "entry &#x27;&lt;script&gt;&#x27; of" in one
    assert "and 11 more" in whole
    assert f"{path.stat().st_size:,} bytes" in whole


def test_a_file_that_was_closed(path, registry):
    cc.save(path, COUNT, codec="test.raw", chunk=3, registry=registry)
    with cc.open(path, registry=registry) as file:
        view = file[""]
    for use in (lambda: view[:], lambda: view[0], file.load, lambda: np.asarray(view), lambda: file[""].preview(1)):
        with pytest.raises(CodecsError, match="is closed; open it again"):
            use()
    assert not file.verify()["ok"]
    assert view.shape == COUNT.shape
