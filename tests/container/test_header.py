import msgpack
import pytest

from codecs_core.arrays import ArraySpec
from codecs_core.container import Entry
from codecs_core.container.canonical import pack, unpack
from codecs_core.container.header import Header
from codecs_core.errors import ConfigError, FormatError, LimitExceededError
from codecs_core.limits import DEFAULT_LIMITS, Limits

A, B = "a" * 64, "b" * 64
NAME, DTYPE, SHAPE, CHUNK, CODEC, ATTRS = range(6)


def entry(name="x", **fields):
    return Entry(name=name, **{"spec": ArraySpec((4, 3), "uint8"), "chunk": 2, "codec": "test.c", **fields})


def parsed(header, limits=DEFAULT_LIMITS):
    return Header.from_bytes(header.to_bytes(), limits)


def test_round_trip():
    entries = [
        entry("é/1", model=B, config={"z": [1, {"y": 2.5}], "a": None}, attrs={"icc": b"\0\1", "n": [True]}),
        entry("2", model=A, package="codecs-x", codec_version=3),
        entry("3", spec=ArraySpec((), "complex128")),
    ]
    header = Header.of(entries, {B: "bee", A: ""}, {"title": "x"})
    again = parsed(header)
    assert again == header
    assert again.models == ((A, ""), (B, "bee"))


def test_no_entries():
    assert parsed(Header.of([], {}, {})).entries == ()


def test_equal_codecs_are_stored_once():
    many = [entry(str(i), config={"long": "setting" * 100, "i": [1]}) for i in range(50)]
    header = Header.of([*many, entry("last", config={})], {}, {})
    raw = unpack(header.to_bytes())
    assert len(raw["codecs"]) == 2
    assert [e[CODEC] for e in raw["entries"]] == [0] * 50 + [1]
    assert parsed(header) == header


@pytest.mark.parametrize(
    ("entries", "models"),
    [
        ([entry("x"), entry("x")], {}),
        ([entry(""), entry("x")], {}),
        ([entry(model=A)], {}),
        ([entry(model=A)], {B: "b"}),
        ([entry()], {"short": "b"}),
        ([entry()], {A: None}),
        ([entry(config={"a": [{"b": b"bytes"}]})], {}),
        ([entry(config={"a": object()})], {}),
        ([entry(attrs={"a": float("nan")})], {}),
        ([entry(attrs={1: 2})], {}),
        ([entry("\ud800")], {}),
    ],
)
def test_what_cannot_be_stored(entries, models):
    with pytest.raises(ConfigError):
        Header.of(entries, models, {}).to_bytes()


def test_attributes_that_are_too_large_are_named():
    fine, large = entry("fine", attrs={"a": bytes(4_000_000)}), entry("large", attrs={"a": [0] * 300_000})
    assert parsed(Header.of([fine], {}, {})).entries == (fine,)
    with pytest.raises(ConfigError, match=r"entry 'large' cannot be stored .* at most 4194304 bytes and 262144 values"):
        Header.of([fine, large], {}, {}).to_bytes()
    with pytest.raises(ConfigError, match="at most"):
        Header.of([fine], {}, {"a": bytes(1 << 22)}).to_bytes()


def raw():
    return {
        "attrs": {},
        "codecs": [
            {"config": {}, "id": "test.c", "model": None, "package": "", "version": 1},
            {"config": {"q": 1}, "id": "test.c", "model": 1, "package": "", "version": 1},
        ],
        "entries": [
            ["x", "uint8", [4, 3], 2, 0, {}],
            ["y", "uint8", [4, 3], 2, 1, {}],
        ],
        "models": [{"name": "", "sha256": bytes.fromhex(A)}, {"name": "", "sha256": bytes.fromhex(B)}],
    }


def test_the_raw_header_of_these_tests_is_fine():
    assert len(Header.from_bytes(pack(raw()), DEFAULT_LIMITS).entries) == 2


@pytest.mark.parametrize(
    ("where", "new"), [(SHAPE, [True]), (SHAPE, [1.0]), (CHUNK, True), (CHUNK, 1.0), (CODEC, False)]
)
def test_an_entry_is_not_taken_for_an_earlier_one_of_equal_values(where, new):
    value = raw()
    value["entries"] = [["x", "uint8", [1], 1, 0, {}], ["y", "uint8", [1], 1, 0, {}], ["z", "uint8", [4], 1, 1, {}]]
    assert len(Header.from_bytes(pack(value), DEFAULT_LIMITS).entries) == 3
    value["entries"][1][where] = new
    with pytest.raises(FormatError, match="entry 1"):
        Header.from_bytes(pack(value), DEFAULT_LIMITS)


def set_at(value, path, new):
    *path, last = path
    for key in path:
        value = value[key]
    value[last] = new


@pytest.mark.parametrize(
    ("path", "new"),
    [
        (["extra"], 1),
        (["attrs"], []),
        (["codecs"], {}),
        (["codecs", 0], []),
        (["codecs", 0, "extra"], 1),
        (["codecs", 0, "id"], ""),
        (["codecs", 0, "id"], 1),
        (["codecs", 0, "model"], 2),
        (["codecs", 0, "model"], -1),
        (["codecs", 0, "model"], True),
        (["codecs", 0, "model"], 0.0),
        (["codecs", 0, "version"], True),
        (["codecs", 0, "version"], 1.0),
        (["codecs", 0, "version"], -1),
        (["codecs", 0, "config"], {"a": [b"x"]}),
        (["codecs", 1, "config"], []),
        (["codecs", 0, "package"], None),
        (["entries", 0, CHUNK], 0),
        (["entries", 0, CHUNK], True),
        (["entries", 0, CHUNK], 2.0),
        (["entries", 0, CODEC], 2),
        (["entries", 0, CODEC], -1),
        (["entries", 0, CODEC], 1),  # then codec 0 is used by none
        (["entries", 0, DTYPE], "object"),
        (["entries", 0, DTYPE], ">u2"),
        (["entries", 0, NAME], "y"),
        (["entries", 0, NAME], ""),
        (["entries", 0, NAME], b"x"),
        (["entries", 0, SHAPE], [-1]),
        (["entries", 0, SHAPE], [True]),
        (["entries", 0, SHAPE], [1.0]),
        (["entries", 0, SHAPE], [1] * 33),
        (["entries", 0, SHAPE], [1 << 62, 4]),
        (["entries", 0, SHAPE], 3),
        (["entries", 0, ATTRS], []),
        (["entries", 0], {"name": "x"}),
        (["entries", 0], ["x", "uint8", [4, 3], 2, 0]),
        (["entries", 0], ["x", "uint8", [4, 3], 2, 0, {}, {}]),
        (["models", 0, "sha256"], bytes(31)),
        (["models", 0, "sha256"], A),
        (["models", 0, "sha256"], bytes.fromhex(B)),
        (["models", 0, "sha256"], b"\xff" * 32),
        (["models", 0, "name"], 1),
        (["models", 0, "name"], None),
    ],
)
def test_what_is_read_is_strict(path, new):
    value = raw()
    set_at(value, path, new)
    with pytest.raises(FormatError):
        Header.from_bytes(pack(value), DEFAULT_LIMITS)


@pytest.mark.parametrize("where", [[], ["codecs", 0], ["models", 0]])
def test_every_key_is_needed(where):
    keys = raw()
    for key in where:
        keys = keys[key]
    for key in list(keys):
        value = raw()
        inner = value
        for step in where:
            inner = inner[step]
        del inner[key]
        with pytest.raises(FormatError, match="expected"):
            Header.from_bytes(pack(value), DEFAULT_LIMITS)


def test_codecs_in_another_order_or_twice():
    swapped = raw()
    swapped["entries"][0][CODEC], swapped["entries"][1][CODEC] = 1, 0
    with pytest.raises(FormatError, match="order"):
        Header.from_bytes(pack(swapped), DEFAULT_LIMITS)
    twice = raw()
    twice["codecs"][1] = twice["codecs"][0]
    with pytest.raises(FormatError, match="codec twice"):
        Header.from_bytes(pack(twice), DEFAULT_LIMITS)


def test_a_header_must_be_canonical():
    value = raw()
    value = {"models": value.pop("models"), **value}
    with pytest.raises(FormatError, match="'models' in the place of 'attrs'"):
        Header.from_bytes(msgpack.packb(value), DEFAULT_LIMITS)


@pytest.mark.parametrize(
    "limits",
    [Limits(entries=1), Limits(chunks=1), Limits(array_bytes=11), Limits(chunk_bytes=5)],
    ids=repr,
)
def test_limits(limits):
    with pytest.raises(LimitExceededError, match="raise Limits"):
        Header.from_bytes(pack(raw()), limits)


def test_limits_are_inclusive():
    Header.from_bytes(pack(raw()), Limits(entries=2, chunks=2, array_bytes=12, chunk_bytes=6))


@pytest.mark.parametrize("length", [1, 31, 32, 255, 256, 70000])
def test_names_of_all_lengths_among_entries_that_are_alike(length):
    names = ["x" * (length - 1) + c for c in "abc"]
    attrs = {"a": [1, {"b": 2}]}
    like = [Entry(name=name, spec=ArraySpec((4,), "uint8"), chunk=2, codec="c", attrs=attrs) for name in names]
    header = Header.from_bytes(Header.of(like, {}, {}).to_bytes(), DEFAULT_LIMITS)
    found = list(header.entries)
    assert found == like == [header.entries[i] for i in range(3)]
    assert [header.entries.find(name) for name in names] == [0, 1, 2]
    found[0].attrs["a"][1]["b"] = 3
    assert [entry.attrs["a"][1]["b"] for entry in found] == [3, 2, 2]
    assert next(iter(header.entries)).attrs == attrs


@pytest.mark.parametrize("name", [b"\xd9\x01b", b"\xda\x00\x01b", b"\xa1\xff", b"\xc4\x01b", b"\x01", b"\xa1a"])
def test_a_name_is_looked_at_whatever_follows_it(name):
    """The second of two entries that are alike but for their names."""
    like = [Entry(name=name, spec=ArraySpec((4,), "uint8"), chunk=2, codec="c") for name in "ab"]
    good = Header.of(like, {}, {}).to_bytes()
    assert good.count(b"\x96\xa1b") == 1
    with pytest.raises(FormatError):
        Header.from_bytes(good.replace(b"\x96\xa1b", b"\x96" + name), DEFAULT_LIMITS)


@pytest.mark.parametrize("shape", [[[1]], [{}], [None]], ids=repr)
def test_a_shape_of_anything_but_integers_is_damage(shape):
    value = raw()
    value["entries"][0][2] = shape
    with pytest.raises(FormatError, match="shape"):
        Header.from_bytes(pack(value), DEFAULT_LIMITS)
