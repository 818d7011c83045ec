import io
import os
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from codecs_core.arrays import DTYPES, ArraySpec
from codecs_core.container import Entry, ModelRecord, Reader, Writer, reader
from codecs_core.errors import ConfigError, InputError

names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
arrays = hnp.arrays(
    st.sampled_from(sorted(DTYPES)).map(np.dtype),
    hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5),
)
json = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 63), (1 << 64) - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=5,
)  # fmt: skip
maps = st.dictionaries(names, json, max_size=3)


@settings(max_examples=150)
@given(
    held=st.dictionaries(names, arrays, max_size=4) | arrays.map(lambda a: {"": a}),
    chunk=st.integers(1, 6),
    config=maps,
    attrs=st.dictionaries(names, json | st.binary(max_size=9), max_size=3),
    embed=st.sampled_from(["no model", "named", "embedded"]),
    version=st.integers(0, (1 << 32) - 1),
)
def test_round_trip(kit, held, chunk, config, attrs, embed, version):
    model = None if embed == "no model" else kit.SHA
    data = kit.build(
        held,
        chunk=chunk,
        models={model: "a name"} if model else {},
        embed=[kit.MODEL] if embed == "embedded" else [],
        attrs=attrs,
        config=config,
        model=model,
        package="codecs-test",
        codec_version=version,
    )
    got, models, r = kit.read_all(data)
    assert list(got) == list(held)
    for name, array in held.items():
        assert got[name].tobytes() == array.tobytes()
        assert r.entries[name] == Entry(
            name=name,
            spec=ArraySpec(array.shape, array.dtype.name),
            chunk=chunk,
            codec="test.reverse",
            codec_version=version,
            config=config,
            model=model,
            package="codecs-test",
        )
    assert r.attrs == attrs
    assert r.version == "1.0"
    assert models == ({model: kit.MODEL if embed == "embedded" else None} if model else {})
    assert r.sizes["total"] == len(data) == sum(v for k, v in r.sizes.items() if k != "total")
    assert r.sizes["payload"] == sum(r.stored(n, i) for n, e in r.entries.items() for i in range(e.n_chunks))
    assert (r.sizes["models"] > len(kit.MODEL)) == (embed == "embedded")


def test_models(kit, small):
    r = Reader(kit.Memory(small))
    assert r.models == {
        kit.SHA: ModelRecord(sha256=kit.SHA, name="mnist", embedded_bytes=len(kit.MODEL)),
        "0" * 64: ModelRecord(sha256="0" * 64, name="other", embedded_bytes=None),
    }
    assert r.model(kit.SHA) == kit.MODEL
    assert r.model("0" * 64) is None
    assert r.model("1" * 64) is None


def large(payload=bytes(70000), n=3):
    file = io.BytesIO()
    writer = Writer(file, [Entry(name="x", spec=ArraySpec((n,), "uint8"), chunk=1, codec="test.c")])
    for i in range(n):
        writer.write_chunk("x", i, payload, i.to_bytes(16, "big"))
    writer.close()
    return file.getvalue()


def test_opening_is_two_reads_and_an_item_one_more(kit):
    source = kit.Memory(large(bytes(300000)))
    r = Reader(source)
    assert source.reads == [(0, reader.HEAD_READ), (source.size - reader.TAIL_READ, reader.TAIL_READ)]
    del source.reads[:]
    assert r.payload("x", 1) == bytes(300000)
    assert len(source.reads) == 1
    r.stored("x", 2)
    assert len(source.reads) == 1


def test_a_small_file_is_one_read(kit, small):
    source = kit.Memory(small)
    Reader(source)
    assert source.reads == [(0, len(small))]


def test_a_large_header_and_a_large_index_are_one_read_more_each(kit):
    long = kit.build({"x": np.zeros(3)}, attrs={"long": "x" * 400000})
    source = kit.Memory(long)
    Reader(source)
    assert len(source.reads) == 3
    many = kit.Memory(large(b"12", 14000))
    r = Reader(many)
    assert len(many.reads) == 3
    assert [int.from_bytes(r.chunk("x", i)[1], "big") for i in range(14000)] == list(range(14000))


def test_thousands_of_tiny_chunks_are_cheap_to_describe(kit):
    data = large(b"1", 20000)
    assert len(data) < 20000 * 70 + 400
    r = Reader(kit.Memory(data))
    assert all(r.payload("x", i) == b"1" for i in range(0, 20000, 97))


def test_open_a_path(tmp_path, small, kit):
    path = tmp_path / "x.ccf"
    path.write_bytes(small)
    with Reader.open(path) as r:
        assert r.payload("β", 0) == kit.encode(np.array(2.5))
    with Reader.open(str(path)):
        pass


def test_open_closes_what_it_cannot_read(tmp_path, monkeypatch):
    (tmp_path / "x").write_bytes(b"not a container")
    closed = []
    monkeypatch.setattr("codecs_core.container.FileSource.close", lambda self: closed.append(self._file.close()))
    with pytest.raises(ValueError, match="not a codecs container"):
        Reader.open(tmp_path / "x")
    assert len(closed) == 1


def test_no_such_path(tmp_path):
    with pytest.raises(InputError, match="No such file"):
        Reader.open(tmp_path / "x")
    with pytest.raises(InputError, match="not a regular file"):
        Reader.open(tmp_path)


def test_no_such_entry_or_chunk(kit, small):
    r = Reader(kit.Memory(small))
    for call in (r.payload, r.chunk, r.stored):
        with pytest.raises(ConfigError, match=r"no entry 'c'; it has \['a', 'β'\]"):
            call("c", 0)
        with pytest.raises(ConfigError, match="no chunk 2; it has 2"):
            call("a", 2)
        with pytest.raises(ConfigError, match="no chunk -1"):
            call("a", -1)


def test_threads(tmp_path):
    n = 200
    file = tmp_path / "x.ccf"
    with file.open("wb") as f:
        writer = Writer(f, [Entry(name="x", spec=ArraySpec((n,), "uint8"), chunk=1, codec="test.c")])
        for i in range(n):
            writer.write_chunk("x", i, b"%d" % i * 100, bytes(16))
        writer.close()
    wrong = []
    with Reader.open(file) as r:

        def work(k):
            wrong.extend(i for i in range(n) if r.payload("x", (i * k) % n) != b"%d" % (i * k % n) * 100)

        threads = [threading.Thread(target=work, args=(k,)) for k in (1, 3, 7, 11)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
    assert wrong == []


def test_a_file_that_shrinks_while_open(tmp_path):
    path = tmp_path / "x.ccf"
    path.write_bytes(large())
    with Reader.open(path) as r:
        os.truncate(path, 100000)
        with pytest.raises(InputError, match=r"x\.ccf' changed since it was opened"):
            r.payload("x", 1)
