import math

import msgpack
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codecs_core.container.canonical import MAX_BYTES, MAX_DEPTH, MAX_VALUES, Parts, pack, unpack
from codecs_core.errors import ConfigError, FormatError

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(1 << 63), (1 << 64) - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


def same(a, b):
    if type(a) is dict:
        return type(b) is dict and a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if type(a) is list:
        return type(b) is list and len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and a == b and (type(a) is not float or math.copysign(1, a) == math.copysign(1, b))


@given(values)
def test_round_trip(value):
    assert same(unpack(pack(value)), value)


@given(values)
def test_one_encoding_whatever_the_order_of_keys(value):
    def turned(v):
        if type(v) is dict:
            return {k: turned(v[k]) for k in reversed(v)}
        return [turned(i) for i in v] if type(v) is list else v

    assert pack(turned(value)) == pack(value)


def test_tuples_become_lists():
    assert unpack(pack({"a": (1, (2,))})) == {"a": [1, [2]]}


@pytest.mark.parametrize(
    "value",
    [
        math.nan,
        math.inf,
        -math.inf,
        1 << 64,
        -(1 << 63) - 1,
        {1: 2},
        {b"a": 2},
        {None: 1},
        "\ud800",
        {"\ud800": 1},
        np.int64(3),
        np.float64(3),
        np.zeros(2),
        {1, 2},
        object(),
        bytearray(b"x"),
        msgpack.ExtType(5, b"x"),
        msgpack.Timestamp(1),
    ],
    ids=lambda value: "object" if type(value) is object else repr(value),
)
def test_pack_refuses(value):
    with pytest.raises(ConfigError):
        pack({"k": [value]})


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"\x82\xa1b\x01\xa1a\x02", "unsorted keys"),
        (b"\x82\xa1a\x01\xa1a\x02", "same key twice"),
        (b"\x81\xa1a\xcc\x01", "integer in two bytes"),
        (b"\x81\xa1a\xcd\x00\x01", "integer in three bytes"),
        (b"\x81\xa1a\xd0\x01", "positive as signed"),
        (b"\x81\xa1a\xd0\xff", "-1 in two bytes"),
        (b"\x81\xd9\x01a\x01", "long text"),
        (b"\x81\xa1a\xc5\x00\x01x", "long bytes"),
        (b"\xdc\x00\x01\xc0", "long list"),
        (b"\xde\x00\x01\xa1a\xc0", "long map"),
        (b"\xca\x3f\x80\x00\x00", "32-bit float"),
        (b"\xcb\x7f\xf8\x00\x00\x00\x00\x00\x00", "nan"),
        (b"\xcb\x7f\xf0\x00\x00\x00\x00\x00\x00", "inf"),
        (b"\xd4\x05x", "ext"),
        (b"\xd6\xff\x00\x00\x00\x01", "timestamp"),
        (b"\x81\x01\x02", "integer key"),
        (b"\x81\xc4\x01a\x02", "bytes key"),
        (b"\xa2\xff\xfe", "not UTF-8"),
        (b"\xa3\xed\xa0\x80", "surrogate"),
        (b"\xc1", "never used"),
        (b"\x01\x01", "trailing byte"),
        (b"", "nothing"),
        (b"\x92\x01", "cut short"),
        (b"\xdd\xff\xff\xff\xff", "list of four billion"),
        (b"\xdf\xff\xff\xff\xff", "map of four billion"),
        (b"\xdb\xff\xff\xff\xff", "text of four billion"),
        (b"\xc6\xff\xff\xff\xff", "bytes of four billion"),
        (b"\x91" * (MAX_DEPTH) + b"\x90", "too deep"),
        (b"\x91" * 5000 + b"\xc0", "much too deep"),
    ],
    ids=lambda x: x if isinstance(x, str) else "",
)
def test_unpack_refuses(data, why):
    with pytest.raises(FormatError):
        unpack(data)


def test_depth_is_exact():
    deep = 1
    for _ in range(MAX_DEPTH):
        deep = [deep]
    assert unpack(pack(deep)) == deep
    with pytest.raises(ConfigError, match="deeper"):
        pack([deep])


@given(values, st.data())
def test_no_other_bytes_decode_to_a_value(value, data):
    """Whatever decodes is what its value encodes to."""
    packed = bytearray(pack(value))
    at = data.draw(st.integers(0, len(packed) - 1))
    packed[at] ^= 1 << data.draw(st.integers(0, 7))
    try:
        other = unpack(bytes(packed))
    except FormatError:
        return
    assert pack(other) == bytes(packed)


@pytest.mark.parametrize(
    ("most", "more"),
    [
        (lambda: [0] * MAX_VALUES, lambda: [0] * (MAX_VALUES + 1)),
        (lambda: [[]] * MAX_VALUES, lambda: [[[]]] * (MAX_VALUES // 2 + 1)),
        (lambda: [[0, 1]] * (MAX_VALUES // 3), lambda: [[0, 1]] * (MAX_VALUES // 3 + 1)),
        (lambda: [{}] * MAX_VALUES, lambda: [{"": 0}] * (MAX_VALUES // 3 + 1)),
        (lambda: "x" * (MAX_BYTES - 5), lambda: "x" * (MAX_BYTES - 4)),
        (lambda: ["x" * 999] * 4000, lambda: ["x" * 999] * 5000),
    ],
    ids=["numbers", "lists", "pairs", "maps", "text", "texts"],
)
def test_size_is_capped(most, more):
    """What is large is made in the test: parameters stay in memory from the first test of a process to the last."""
    assert unpack(pack(most())) == most()
    with pytest.raises(ConfigError, match="at most"):
        pack(more())
    with pytest.raises(FormatError, match=r"more than|exceeds"):
        unpack(msgpack.packb(more()))


def test_parts():
    document = {"a": [1, "x"], "b": [{"c": None}, 2.5], "d": True}
    parts = Parts(pack(document))
    assert parts.map() == 3
    assert [parts.value(), parts.value(), parts.value()] == ["a", [1, "x"], "b"]
    assert parts.left == MAX_VALUES
    assert parts.list() == 2
    assert parts.value() == {"c": None}
    assert parts.left == MAX_VALUES - 2
    assert [parts.value(), parts.value(), parts.value()] == [2.5, "d", True]
    parts.end()


@given(values)
def test_parts_are_canonical(value):
    """What is entered is held to the same rules as what is read whole."""
    packed = pack([value])
    parts = Parts(packed)
    assert parts.list() == 1
    assert parts.at == 1
    assert pack(parts.value()) == packed[1:]
    long = Parts(b"\xdc\0\1" + packed[1:])
    with pytest.raises(FormatError, match="byte 0"):
        long.list()
