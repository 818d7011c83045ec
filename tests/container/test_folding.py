"""Folded files: held against the ordinary containers that they stand for."""

import hashlib
import importlib.util
import io
import itertools
import random
import tracemalloc
import zlib
from pathlib import Path

import msgpack
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from codecs_core.arrays import DTYPES, ArraySpec
from codecs_core.container import Entry, Reader, Writer, layout, packing
from codecs_core.container.checksum import crc32c
from codecs_core.container.folding import LARGEST, fold, header_end, unfold
from codecs_core.container.grid import simplest
from codecs_core.container.source import Memory
from codecs_core.errors import (
    CodecsError,
    CorruptDataError,
    FormatError,
    InputError,
    LimitExceededError,
    NotAContainerError,
    TruncatedFileError,
    UnsupportedFeatureError,
)
from codecs_core.limits import Limits

D = bytes(range(16))
SPEC = Path(__file__).parents[2] / "spec"
DICTIONARY = (SPEC / "folding.dict").read_bytes()
names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
arrays = hnp.arrays(
    st.sampled_from(sorted(DTYPES)).map(np.dtype), hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)
)


@st.composite
def containers(draw, kit):
    """Bytes of ordinary containers of all sorts."""
    held = draw(st.dictionaries(names, arrays, max_size=3) | arrays.map(lambda a: {"": a}))
    embed = draw(st.sampled_from(["no model", "named", "embedded"]))
    model = None if embed == "no model" else kit.SHA
    return kit.build(
        held,
        chunk=draw(st.integers(1, 6)),
        models={model: "a name"} if model else {},
        embed=[kit.MODEL] if embed == "embedded" else [],
        attrs=draw(st.dictionaries(names, st.binary(max_size=9) | names, max_size=3)),
        model=model,
        codec=draw(st.sampled_from(["ar.array", "test.reverse"])),
    )


def folded_by_hand(header, rest, *, features=0):
    """A folded file whose CRC holds, whatever else is wrong with it."""
    stream = zlib.compressobj(wbits=-15, zdict=DICTIONARY)
    packed = header if isinstance(header, bytes) else msgpack.packb(header)
    body = layout.FOLDED + bytes([features]) + stream.compress(packed) + stream.flush() + rest
    return sealed(body)


def sealed(body):
    return body + layout.CRC.pack(crc32c(body))


def header(shape=(3,), chunk=2, models=(), **fields):
    codec = {"config": {}, "id": "test.c", "model": 0 if models else None, "package": "", "version": 1}
    entry = ["", "uint8", list(shape), chunk, 0, {}]
    return {"attrs": {}, "codecs": [codec], "entries": [entry], "models": list(models), **fields}


def written(entries, chunks, **more):
    file = io.BytesIO()
    writer = Writer(file, entries, **more)
    for name, i, payload in chunks:
        writer.write_chunk(name, i, payload, D)
    writer.close()
    return file.getvalue(), writer


def entry(name="x", shape=(3,), chunk=1, **fields):
    return Entry(name=name, spec=ArraySpec(shape, "uint8"), chunk=chunk, codec="test.c", **fields)


# --- round trips ----------------------------------------------------------------------------------


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_container_comes_back_to_the_byte(kit, data):
    file = data.draw(containers(kit))
    folded = fold(file)
    if len(file) > LARGEST:
        assert folded is None
        return
    assert len(folded) < len(file) - 70
    assert unfold(folded) == file
    assert fold(unfold(folded)) == folded


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_a_folded_file_reads_as_the_container_that_it_stands_for(kit, data):
    file = data.draw(containers(kit))
    assume(len(file) <= LARGEST)
    folded = fold(file)
    arrays, models, ordinary = kit.read_all(file)
    again, same, reader = kit.read_all(folded)
    assert {name: a.tobytes() for name, a in again.items()} == {name: a.tobytes() for name, a in arrays.items()}
    assert list(again) == list(arrays)
    assert (same, reader.models, reader.attrs) == (models, ordinary.models, ordinary.attrs)
    assert dict(reader.entries) == dict(ordinary.entries)
    assert (reader.folded, ordinary.folded) == (True, False)
    assert (reader.version, ordinary.version) == ("1.2", "1.0")
    assert reader.sizes["total"] == len(folded) == sum(v for k, v in reader.sizes.items() if k != "total")
    assert reader.sizes["payload"] == ordinary.sizes["payload"]
    assert reader.sizes["models"] == sum(model.embedded_bytes or 0 for model in reader.models.values())


@pytest.mark.parametrize("chunk", [3, (2, 3), (1, 2)])
def test_grids_and_chunks(kit, chunk):
    array = np.arange(24, dtype="<u2").reshape(4, 6)
    file = kit.build({"a": array}, chunk=simplest(array.shape, chunk))
    folded = fold(file)
    assert unfold(folded) == file
    assert folded[3] == (0 if chunk == 3 else layout.GRID)
    assert (kit.read_all(folded)[0]["a"] == array).all()


def test_compressed_models_and_models_that_are_only_named(kit):
    model = bytes(1 << 20)
    shas = sorted([hashlib.sha256(model).hexdigest(), kit.SHA, "7" * 64])
    file = io.BytesIO()
    entries = [entry(f"x{i}", model=sha256) for i, sha256 in enumerate(shas)]
    writer = Writer(file, entries, models=dict.fromkeys(shas, "m"), fold=True)
    for sha256 in shas:
        if sha256 == kit.SHA:
            writer.write_model(sha256, kit.MODEL)
        elif sha256 != "7" * 64:
            writer.write_model(sha256, model, packing.pack(model))
    for one in entries:
        for i in range(3):
            writer.write_chunk(one.name, i, b"", D)
    writer.close()
    folded = file.getvalue()
    assert folded.startswith(layout.FOLDED)
    assert len(folded) < 700
    reader = Reader(kit.Memory(folded))
    assert [reader.model(sha256) for sha256 in shas] == [
        {kit.SHA: kit.MODEL, "7" * 64: None}.get(sha256, model) for sha256 in shas
    ]
    assert reader.sizes == writer.contents().sizes
    with pytest.raises(LimitExceededError):
        Reader(kit.Memory(folded), limits=Limits(model_bytes=1 << 19)).model(hashlib.sha256(model).hexdigest())


def test_what_it_takes():
    """The header of an array without a name, by a codec that the dictionary knows, and 20 bytes with the digest and the CRC."""
    file, _ = written([Entry(name="", spec=ArraySpec((12345,), "int16"), chunk=12345, codec="ar.array", codec_version=3,
                             package="codecs-ar")], [("", 0, b"payload")])  # fmt: skip
    assert len(file) > 270
    assert len(fold(file)) == 20 + 19 + len(b"payload")


# --- what is folded, and what is not -------------------------------------------------------------


def test_a_writer_folds_small_files_and_streams_the_others():
    for size in (0, 1, 3500, LARGEST, 100000):
        chunks = [("x", i, bytes(size)) for i in range(3)]
        ordinary, plain = written([entry()], chunks)
        data, writer = written([entry()], chunks, fold=True)
        small = len(ordinary) <= LARGEST
        assert data.startswith(layout.FOLDED) == writer.contents().folded == small
        assert (unfold(data) if small else data) == ordinary
        assert writer.contents().sizes["total"] == len(data)
        assert not plain.contents().folded


@pytest.mark.parametrize("size", [0, 1])
def test_the_largest(size):
    """The limit is one for what a folded file stands for."""
    without = len(written([entry(shape=(1,))], [("x", 0, b"")])[0])
    file, _ = written([entry(shape=(1,))], [("x", 0, random.Random(0).randbytes(LARGEST - without + size))], fold=True)
    assert file.startswith(layout.FOLDED) == (not size)


def test_what_takes_more_than_there_is_left_is_written_at_once():
    file = io.BytesIO()
    writer = Writer(file, [entry(shape=(2,))], fold=True)
    writer.write_chunk("x", 0, bytes(10), D)
    assert not file.getvalue()
    writer.write_chunk("x", 1, bytes(LARGEST), D)
    assert len(file.getvalue()) > LARGEST
    writer.close()
    assert file.getvalue() == written([entry(shape=(2,))], [("x", 0, bytes(10)), ("x", 1, bytes(LARGEST))])[0]


def test_chunks_in_another_order_are_not_folded():
    chunks = [("x", i, bytes([i])) for i in range(3)]
    for order in itertools.permutations(chunks):
        data, _ = written([entry()], order, fold=True)
        assert data.startswith(layout.FOLDED) == (list(order) == chunks)
        assert Reader(Memory(data)).payload("x", 2) == b"\2"


def test_incomplete_files_are_not_folded():
    data, _ = written([entry()], [("x", 1, b"1")], incomplete=True, fold=True)
    assert data.startswith(layout.SIGNATURE)


@pytest.mark.parametrize("change", ["minor", "compat", "other frame", "model order"])
def test_what_would_not_come_back_is_not_folded(kit, change):
    forge = kit.Forge()
    if change == "minor":
        forge.version = (1, 1)
    if change == "compat":
        forge.bits = (0, 1)
    if change == "other frame":
        forge.frames.append(forge.other(9, layout.SAFE_TO_COPY))
    if change == "model order":
        sha256 = "00" * 32
        forge.header["models"].insert(0, {"name": "", "sha256": bytes.fromhex(sha256)})
        forge.frames[:1] = [forge.model(number=1), forge.model(sha256=sha256)]
    data = forge.join()
    assert fold(data) is None
    Reader(kit.Memory(data))
    assert fold(kit.Forge().join()) is not None


# --- damage and malice ---------------------------------------------------------------------------


def test_cut_at_every_length(kit, small):
    folded = fold(small)
    for n in range(len(folded)):
        with pytest.raises(TruncatedFileError if n < 9 else CorruptDataError, match="get the file again"):
            Reader(kit.Memory(folded[:n]))


def test_every_bit(kit, small):
    folded = fold(small)
    for i in range(len(folded) * 8):
        damaged = bytearray(folded)
        damaged[i // 8] ^= 1 << i % 8
        with pytest.raises(NotAContainerError if i < 24 else CorruptDataError):
            Reader(kit.Memory(bytes(damaged)))


@pytest.mark.parametrize("behind", [b"\0", bytes(LARGEST), bytes(1 << 22)])
def test_bytes_behind_the_end(kit, small, behind):
    source = kit.Memory(fold(small) + behind)
    with pytest.raises(CorruptDataError, match="end"):
        Reader(source)
    assert all(n <= 1 << 16 for _, n in source.reads)


def check_mutant(kit, data):
    """A mutant whose CRC holds is refused, or stands for one container, which reads as it does."""
    try:
        file = unfold(data)
    except CodecsError as error:
        kind = type(error)
    else:
        kind = None
    if kind is not None:
        assert issubclass(kind, FormatError | LimitExceededError)
        with pytest.raises(kind):
            Reader(kit.Memory(data))
        return
    assert len(file) <= LARGEST
    again = fold(file)
    assert again is None or unfold(again) == file
    # what a folded file holds besides its header has one form
    assert again is None or again[header_end(again) : -4] == data[header_end(data) : -4]
    assert everything(kit, data) == everything(kit, file)


def everything(kit, data):
    """All that a file holds, or the kind of the error."""
    try:
        reader = Reader(kit.Memory(data))
        chunks = [reader.chunk(name, i) for name, one in reader.entries.items() for i in range(one.n_chunks)]
        return dict(reader.entries), chunks, [reader.model(sha256) for sha256 in reader.models], reader.attrs
    except FormatError as error:
        return type(error)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_mutants_are_refused_or_stand_for_one_container(kit, data):
    folded = fold(data.draw(containers(kit)))
    assume(folded is not None)
    body = bytearray(folded[:-4])
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(3, len(body) - 1))
        what = data.draw(st.sampled_from(["change", "cut", "insert"]))
        if what == "change":
            body[at] ^= data.draw(st.integers(1, 255))
        elif what == "cut" and len(body) > 8:
            del body[at : at + data.draw(st.integers(1, 4))]
        else:
            body[at:at] = data.draw(st.binary(min_size=1, max_size=4))
    check_mutant(kit, sealed(bytes(body)))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60), st.integers(0, 255), st.lists(st.integers(1, 40), min_size=1, max_size=2))
def test_anything_behind_a_header(kit, rest, features, shape):
    check_mutant(
        kit, folded_by_hand(header(shape, models=[{"name": "", "sha256": bytes(32)}]), rest, features=features)
    )


MODEL = {"name": "", "sha256": bytes(32)}
ONE = D + b"payload"


@pytest.mark.parametrize(
    ("data", "kind", "said"),
    [
        (folded_by_hand(header((1,)), ONE), None, ""),
        (folded_by_hand(header((3,)), 2 * D + b"\1ab"), None, ""),
        (folded_by_hand(header((3,)), 2 * D + b"\3ab"), FormatError, "too few"),
        (folded_by_hand(header((3,)), 2 * D + b"\x81\0ab"), FormatError, "longer than it needs"),
        (folded_by_hand(header((3,)), 2 * D + b"\xff" * 9 + b"\2ab"), FormatError, "more than 64 bits"),
        (folded_by_hand(header((3,)), 2 * D + b"\xff" * 9 + b"\1ab"), FormatError, "too few"),
        (folded_by_hand(header((3,)), 2 * D), FormatError, "too few"),
        (folded_by_hand(header((0,)), b"?"), FormatError, "1 bytes behind what its header says"),
        (folded_by_hand(header((1,), models=[MODEL]), b"\0" + ONE), None, ""),
        (folded_by_hand(header((1,), models=[MODEL]), b"\1" + ONE), FormatError, "models of the types"),
        (folded_by_hand(header((1 << 30,), 1 << 4), ONE), FormatError, "too few"),
        (folded_by_hand(header((1,)), D + bytes(3950)), FormatError, "expected at most 4096"),
        (folded_by_hand(header((1,)), ONE, features=layout.GRID), FormatError, "several axes"),
        (folded_by_hand(header((2, 2), [1, 1]), 4 * D + bytes(3)), FormatError, "header"),
        (folded_by_hand(header((1,)), ONE, features=1), UnsupportedFeatureError, "bit 0"),
        (folded_by_hand(header((1,)), ONE, features=0x84), UnsupportedFeatureError, "bit 7"),
        (folded_by_hand(b"\x81" + msgpack.packb(header((1,))), ONE), FormatError, "the header of"),
        (folded_by_hand(bytes(1 << 20), b""), FormatError, "more than 4096 bytes"),
        (sealed(layout.FOLDED + b"\0\7" + bytes(8)), FormatError, "cannot be decompressed"),
        (sealed(layout.FOLDED + b"\0\0" + bytes(8)), FormatError, "header"),
        (folded_by_hand(header((1 << 40,), 1 << 20), ONE), LimitExceededError, "array bytes"),
    ],
)
def test_one_rule_each(kit, data, kind, said):
    if kind is None:
        Reader(kit.Memory(data))
        return
    with pytest.raises(kind, match=said):
        Reader(kit.Memory(data))


def test_the_checksum_is_no_part_of_the_header(kit):
    for n in range(1 << 16):
        file = folded_by_hand(header(attrs={"n": n}, codecs=[], entries=[]), b"")
        short = sealed(file[:-5])
        if short[-4] == file[-5]:  # the stream goes on into the CRC, and ends in its first byte
            break
    Reader(kit.Memory(file))
    with pytest.raises(FormatError, match="no end"):
        Reader(kit.Memory(short))


def test_a_bomb_takes_no_memory(kit):
    bombs = [
        folded_by_hand(bytes(3 << 20), b""),
        folded_by_hand(header((1 << 44,), 1 << 12), ONE),
        folded_by_hand(header((1,), models=[MODEL]), b"\3" + D + b"\xff" * 9 + b"\1\1" + b"xz"),
    ]
    limits = Limits(array_bytes=1 << 50, chunks=1 << 40)
    for bomb in bombs:
        assert len(bomb) <= LARGEST
        fold(kit.build({}))  # what is loaded once
        tracemalloc.start()
        with pytest.raises(CodecsError):
            Reader(kit.Memory(bomb), limits=limits).model("00" * 32)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
        tracemalloc.stop()


# --- sources -------------------------------------------------------------------------------------


def test_one_read_where_the_first_takes_all_of_it(kit, small):
    source = kit.Memory(fold(small))
    reader = Reader(source)
    assert source.reads == [(0, source.size)]
    reader.model(kit.SHA)
    assert len(source.reads) == 1


def test_two_reads_where_a_byte_is_dear(kit):
    data = random.Random(0).randbytes(3000)
    source = kit.Memory(fold(kit.build({"x": np.frombuffer(data, "u1")}, chunk=3000)))
    source.head_read = 1 << 11
    reader = Reader(source)
    assert source.reads == [(0, 1 << 11), (0, source.size)]
    assert reader.payload("x", 0) == data[::-1]


def test_a_file_that_is_closed(tmp_path, small):
    path = tmp_path / "x.ccf"
    path.write_bytes(fold(small))
    reader = Reader.open(path)
    stamp = reader.stamp
    reader.close()
    with pytest.raises(InputError, match="is closed"):
        reader.payload("a", 0)
    path.write_bytes(fold(small))
    with Reader.open(path) as again:
        assert again.stamp != stamp


def test_errors_name_the_file(tmp_path, small):
    path = tmp_path / "x.ccf"
    path.write_bytes(fold(small)[:-1])
    with pytest.raises(CorruptDataError, match="nothing of it can be recovered") as e:
        Reader.open(path)
    assert e.value.path == str(path)
    assert "x.ccf" in str(e.value)


# --- the dictionary ------------------------------------------------------------------------------


def test_the_dictionary_is_frozen():
    assert hashlib.sha256(DICTIONARY).hexdigest() == "883785bcbce019c86a7afdfd951ca19f3e700536bcafe96cd1fe55899c4ce9ee"
    assert hashlib.sha256(DICTIONARY).hexdigest() in (SPEC / "container.md").read_text()
    import codecs_core.container

    assert (Path(codecs_core.container.__file__).parent / "folding.dict").read_bytes() == DICTIONARY


def test_the_script_says_what_the_dictionary_is_made_of():
    about = importlib.util.spec_from_file_location("dictionary", SPEC.parent / "scripts" / "dictionary.py")
    script = importlib.util.module_from_spec(about)
    about.loader.exec_module(script)
    assert script.dictionary() == DICTIONARY
