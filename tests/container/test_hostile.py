"""Files whose checksums all hold, and whose claims do not."""

import tracemalloc

import msgpack
import pytest

from codecs_core.container import Reader, layout
from codecs_core.container.checksum import crc32c
from codecs_core.errors import (
    CodecsError,
    CorruptDataError,
    FormatError,
    LimitExceededError,
    TruncatedFileError,
    UnsupportedFeatureError,
)
from codecs_core.limits import Limits


@pytest.fixture
def forge(kit):
    return kit.Forge()


def test_the_forge_makes_good_files(kit, forge):
    r = Reader(kit.Memory(forge.join()))
    assert r.payload("", 0) == b"ba"
    assert r.payload("", 1) == b"c"
    assert r.model(kit.SHA) == kit.MODEL


# --- versions ------------------------------------------------------------------------------------


@pytest.mark.parametrize("major", [0, 2, 65535])
def test_unknown_major(kit, forge, major):
    forge.version = (major, 7)
    with pytest.raises(UnsupportedFeatureError, match=rf"format version {major}\.7"):
        Reader(kit.Memory(forge.join()))


def test_drafts_are_called_so(kit, forge):
    forge.version = (0, 2)
    with pytest.raises(UnsupportedFeatureError, match=r"0\.2, a draft of version 1"):
        Reader(kit.Memory(forge.join()))


@pytest.mark.parametrize("minor", [0, 1, 65535])
def test_minor_never_gates(kit, forge, minor):
    forge.version = (layout.MAJOR, minor)
    assert Reader(kit.Memory(forge.join())).version == f"{layout.MAJOR}.{minor}"


@pytest.mark.parametrize("bit", [1, *range(3, 32)])
def test_unknown_incompatible_bit_is_named(kit, forge, bit):
    forge.bits = (1 << bit, 0)
    with pytest.raises(UnsupportedFeatureError, match=rf"bit {bit}\)"):
        Reader(kit.Memory(forge.join()))


def test_all_unknown_incompatible_bits_are_named(kit, forge):
    forge.bits = (1 << 3 | 1 << 31, 0)
    with pytest.raises(UnsupportedFeatureError, match=r"bit 3, 31\)"):
        Reader(kit.Memory(forge.join()))


@pytest.mark.parametrize("bits", [1, 1 << 31, 0xFFFFFFFF])
def test_compatible_bits_are_ignored(kit, forge, bits):
    forge.bits = (0, bits)
    assert Reader(kit.Memory(forge.join())).payload("", 0) == b"ba"


# --- frames --------------------------------------------------------------------------------------


def test_unknown_ancillary_frames_are_skipped(kit, forge):
    forge.frames.insert(1, forge.other(200, 0))
    forge.frames.append(forge.other(77, layout.SAFE_TO_COPY, b""))
    r = Reader(kit.Memory(forge.join()))
    assert r.payload("", 1) == b"c"
    assert sum(v for k, v in r.sizes.items() if k != "total") == r.sizes["total"]


def test_unknown_critical_frames_are_refused(kit, forge):
    forge.frames.append(forge.other(200, layout.CRITICAL))
    with pytest.raises(UnsupportedFeatureError, match="type 200"):
        Reader(kit.Memory(forge.join()))


@pytest.mark.parametrize("flags", [4, 8, 0x80, 0xFE])
def test_undefined_flags(kit, forge, flags):
    forge.frames.append(forge.other(200, flags))
    with pytest.raises(FormatError, match="flags"):
        Reader(kit.Memory(forge.join()))


@pytest.mark.parametrize("flags", [0, 2, 3, 5])
def test_chunks_have_one_value_of_flags(kit, forge, flags):
    forge.frames[1] = forge.chunk(0, b"ba", flags=flags)
    with pytest.raises(FormatError, match="flags"):
        Reader(kit.Memory(forge.join()))


@pytest.mark.parametrize("change", ["stored", "number", "entry", "type", "magic"])
def test_a_frame_that_says_something_else_than_the_index(kit, forge, change):
    crc = int.from_bytes(forge.frames[1][0][16:20], "little")
    entry, chunk, stored, magic = 0, 0, 2, layout.FRAME_MAGIC
    if change == "stored":
        stored = 3
    elif change == "number":
        chunk = 1
    elif change == "entry":
        entry = 1
    elif change == "magic":
        magic = b"\x89CFs"
    fields = layout.CHUNK_FIELDS.pack(entry, chunk, bytes(16))
    head = forge.head(200 if change == "type" else 1, 0 if change == "type" else 1, stored, crc, fields, magic)
    forge.frames[1] = (head, b"ba", (0, 0))
    forge.records = lambda r: [r[0], [1, 1, 48, 0, 0, 2], r[2]]
    r = Reader(kit.Memory(forge.join()))
    with pytest.raises(CorruptDataError, match=r"chunk 0 of entry ''"):
        r.payload("", 0)
    assert r.payload("", 1) == b"c"


def test_a_model_that_is_not_the_one_it_is_called(kit, forge):
    forge.frames[0] = forge.model(payload=b"something else" * 4)
    r = Reader(kit.Memory(forge.join()))
    with pytest.raises(CorruptDataError, match="has the SHA-256"):
        r.model(kit.SHA)
    assert r.payload("", 0) == b"ba"


@pytest.mark.parametrize("payload", [b"", b"x"])
def test_payload_lengths_are_free(kit, forge, payload):
    forge.frames[1] = forge.chunk(0, payload)
    assert Reader(kit.Memory(forge.join())).payload("", 0) == payload


# --- the index -----------------------------------------------------------------------------------

TYPE, FLAGS, HEAD, NUMBER, CHUNK, STORED = range(6)


def change(row, column, value):
    def apply(records):
        old = records[row][column]
        records[row][column] = value(old) if callable(value) else value
        return records

    return apply


@pytest.mark.parametrize(
    "records",
    [
        change(1, STORED, lambda v: v + 1),
        change(1, STORED, lambda v: v - 1),
        change(2, STORED, lambda v: v + 1),
        change(2, STORED, (1 << 64) - 1),
        change(2, STORED, (1 << 64) - 48),
        change(1, HEAD, lambda v: v + 1),
        change(1, HEAD, 0),
        change(1, TYPE, 2),
        change(1, TYPE, 9),
        change(0, TYPE, 1),
        change(1, FLAGS, 0),
        change(1, NUMBER, 1),
        change(1, NUMBER, (1 << 32) - 1),
        change(1, CHUNK, 1),
        change(1, CHUNK, 2),
        change(1, CHUNK, (1 << 32) - 1),
        change(0, NUMBER, 1),
        change(0, CHUNK, 1),
        lambda r: r[1:],
        lambda r: r[:-1],
        lambda r: [],
        lambda r: [*r, r[-1]],
        lambda r: [r[0], *r],
    ],
)
def test_an_index_that_contradicts_itself_or_the_header(kit, forge, records):
    forge.records = records
    with pytest.raises(FormatError):
        Reader(kit.Memory(forge.join()))


def test_sums_that_wrap_around(kit, forge):
    """A frame of nearly 2**64 bytes ends where it starts; the next one covers what is there."""

    def wrap(records):
        first, second = records[1], records[2]
        second[STORED] += first[HEAD] + first[STORED]
        first[STORED] = (1 << 64) - first[HEAD]
        return records

    forge.records = wrap
    with pytest.raises(FormatError, match="longer than the file"):
        Reader(kit.Memory(forge.join()), limits=Limits(chunk_bytes=1 << 70))


def test_an_index_that_has_chunks_in_another_order(kit, forge):
    """The sum of the lengths is right, so that only the frames can tell."""
    forge.frames[2] = forge.chunk(1, b"cd")
    forge.records = lambda r: [r[0], r[2], r[1]]
    r = Reader(kit.Memory(forge.join()))
    for i in (0, 1):
        with pytest.raises(CorruptDataError, match="not what the index says"):
            r.payload("", i)
    assert r.model(kit.SHA) == kit.MODEL


def test_an_index_that_divides_the_bytes_otherwise(kit, forge):
    forge.records = lambda r: [r[0], [*r[1][:STORED], 1], [*r[2][:STORED], 2]]
    r = Reader(kit.Memory(forge.join()))
    for i in (0, 1):
        with pytest.raises(CorruptDataError, match=f"chunk {i} of entry"):
            r.payload("", i)


@pytest.mark.parametrize(
    "head",
    [
        layout.INDEX.pack(b"\x89CIy", 20, 3),
        layout.INDEX.pack(layout.INDEX_MAGIC, 48, 3),
        layout.INDEX.pack(layout.INDEX_MAGIC, 0, 3),
        layout.INDEX.pack(layout.INDEX_MAGIC, 20, 2),
        layout.INDEX.pack(layout.INDEX_MAGIC, 20, (1 << 64) - 1),
        layout.INDEX.pack(layout.INDEX_MAGIC, (1 << 32) - 1, (1 << 64) - 1),
        b"",
        b"\x89CIx",
    ],
)
def test_the_head_of_the_index(kit, forge, head):
    forge.index_head = head or b"\0"
    with pytest.raises(FormatError):
        Reader(kit.Memory(forge.join()))


@pytest.mark.parametrize("order", [[1, 0, 2], [1, 2, 0]])
def test_models_after_chunks(kit, forge, order):
    forge.frames = [forge.frames[i] for i in order]
    with pytest.raises(FormatError, match="model after a chunk"):
        Reader(kit.Memory(forge.join()))


def test_a_model_twice(kit, forge):
    forge.frames.insert(0, forge.frames[0])
    with pytest.raises(FormatError, match="twice"):
        Reader(kit.Memory(forge.join()))


def test_a_chunk_twice(kit, forge):
    forge.frames.append(forge.frames[-1])
    with pytest.raises(FormatError, match="lists 3 chunks, and the entries have 2"):
        Reader(kit.Memory(forge.join()))


# --- the trailer ---------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["index_offset", "index_length", "file_length", "index_crc", "preamble_crc"])
@pytest.mark.parametrize("value", [0, 1, (1 << 32) - 1, (1 << 64) - 1, (1 << 64) - 44])
def test_the_trailer(kit, forge, key, value):
    if key.endswith("crc") and value >= 1 << 32:
        value = 12345
    forge.trailer = {key: value}
    with pytest.raises((CorruptDataError, TruncatedFileError, LimitExceededError)):
        Reader(kit.Memory(forge.join()))


def test_a_trailer_of_wrapped_sums(kit, forge):
    good = len(forge.join())
    forge.trailer = {"index_offset": (1 << 64) - 44, "index_length": good}
    with pytest.raises(FormatError):
        Reader(kit.Memory(forge.join()))


def test_a_hole_between_index_and_trailer(kit, forge):
    forge.after_index = b"hidden"
    with pytest.raises(CorruptDataError):
        Reader(kit.Memory(forge.join()))


# --- claims and limits ---------------------------------------------------------------------------

BIG = {
    "attrs": {},
    "codecs": [{"config": {}, "id": "c", "model": None, "package": "", "version": 1}],
    "entries": [["", "uint8", [1 << 40], 1, 0, {}]],
    "models": [],
}


def with_shape(shape, chunk):
    return msgpack.packb({**BIG, "entries": [["", "uint8", shape, chunk, 0, {}]]})


@pytest.mark.parametrize(
    ("header", "limits"),
    [
        (with_shape([1 << 40], 1), Limits()),  # chunks
        (with_shape([1 << 40], 1 << 39), Limits()),  # bytes of the array
        (with_shape([1 << 35], 1 << 35), Limits()),  # bytes of a chunk
        (with_shape([1 << 40, 0], 1), Limits()),  # chunks of nothing
        (with_shape([1 << 25], 1), Limits()),  # more chunks than are there
        (with_shape([1 << 62, 0, 1 << 62], 1), Limits()),
        (with_shape([100], 100), Limits(array_bytes=99)),
        (with_shape([100], 100), Limits(chunk_bytes=99)),
        (with_shape([100], 1), Limits(chunks=99)),
        (with_shape([100], 100), Limits(entries=0)),
        (with_shape([100], 100), Limits(header_bytes=20)),
        (b"\xdd\x7f\xff\xff\xff" + b"\x80" * 100, Limits()),
        (b"\x84\xa5attrs\xdf\xff\xff\xff\xff", Limits()),
    ],
)
def test_claims_are_refused_before_memory_is_spent(kit, header, limits):
    forge = kit.Forge(embed=False)
    forge.packed = header
    source = kit.Memory(forge.join())
    tracemalloc.start()
    try:
        with pytest.raises(CodecsError):
            Reader(source, limits=limits)
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


def test_a_header_length_beyond_the_limit_is_not_read(kit, forge):
    source = kit.Memory(forge.join())
    with pytest.raises(LimitExceededError, match="header_bytes"):
        Reader(source, limits=Limits(header_bytes=10))
    assert len(source.reads) == 1


def test_a_long_header_that_is_not_there(kit):
    preamble = layout.PREAMBLE.pack(layout.SIGNATURE, layout.MAJOR, 1, 0, 0, 1 << 25, 0, 0)[:-4]
    source = kit.Memory(preamble + crc32c(preamble).to_bytes(4, "little") + bytes(100))
    with pytest.raises(TruncatedFileError, match="inside its header"):
        Reader(source)
    assert len(source.reads) == 1


@pytest.mark.parametrize(
    "limits",
    [Limits(index_bytes=75), Limits(chunk_bytes=1)],
    ids=repr,
)
def test_limits_on_the_index_and_on_payloads(kit, forge, limits):
    with pytest.raises(LimitExceededError):
        Reader(kit.Memory(forge.join()), limits=limits)


def test_a_large_payload_for_a_small_chunk(kit, forge):
    forge.frames[1] = forge.chunk(0, bytes(1000))
    data = forge.join()
    assert Reader(kit.Memory(data)).stored("", 0) == 1000
    with pytest.raises(LimitExceededError, match="largest stored chunk"):
        Reader(kit.Memory(data), limits=Limits(chunk_bytes=999))


def test_models_over_the_limit_are_not_read_and_the_rest_is(kit, forge):
    source = kit.Memory(forge.join())
    r = Reader(source, limits=Limits(model_bytes=len(kit.MODEL) - 1))
    reads = len(source.reads)
    with pytest.raises(LimitExceededError, match="model_bytes"):
        r.model(kit.SHA)
    assert len(source.reads) == reads
    assert r.payload("", 0) == b"ba"
    assert Reader(source, limits=Limits(model_bytes=len(kit.MODEL))).model(kit.SHA) == kit.MODEL
