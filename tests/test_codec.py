"""The Codec contract, clause by clause, on codecs small enough to see through."""

from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
import pytest

import codecs_core as cc
from codecs_core import ArraySpec, Codec, CodecInfo, Limits
from codecs_core.arrays import DTYPES
from codecs_core.entropy import Bits, Message
from codecs_core.errors import (
    ConfigError,
    CorruptDataError,
    LimitExceededError,
    LongMessageError,
    UnsupportedArrayError,
    UnsupportedFeatureError,
)
from codecs_core.testing import unstored


@dataclass(frozen=True, kw_only=True)
class Raw(Codec):
    id = "test.raw"
    info = CodecInfo(summary="as it is", dtypes=("uint8", "uint16"), ndim=(1, 2))

    level: int = 3
    tags: tuple[str, ...] = ()
    table: dict = field(default_factory=dict)

    def __post_init__(self):
        if self.level < 0:
            raise ValueError("level is negative")

    def _encode(self, chunk):
        assert chunk.flags.c_contiguous
        assert chunk.dtype.isnative
        return chunk.tobytes()

    def _decode(self, payload, spec):
        return np.frombuffer(payload, spec.numpy).reshape(spec.shape)


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6, dtype=">u2").reshape(2, 3),
        np.asfortranarray(np.arange(6, dtype="u1").reshape(2, 3)),
        np.arange(9, dtype="u2")[::-2],
        np.zeros((0, 3), "u1"),
    ],
)
def test_layouts_are_normalised(array):
    before = array.copy()
    back = Raw().decode(Raw().encode(array), ArraySpec.of(array))
    np.testing.assert_array_equal(back, array)
    assert back.dtype == array.dtype.newbyteorder("=")
    np.testing.assert_array_equal(array, before)


@pytest.mark.parametrize("array", [np.zeros(3, "f4"), np.zeros((1, 1, 1), "u1")])
def test_what_the_info_excludes_is_refused(array):
    with pytest.raises(UnsupportedArrayError, match=r"test\.raw takes uint8 or uint16 with 1 or 2 dimensions"):
        Raw().encode(array)


def test_whatever_a_decoder_raises_is_corrupt_data():
    with pytest.raises(CorruptDataError, match="ValueError"):
        Raw().decode(b"abc", ArraySpec((2,), "uint16"))
    with pytest.raises(CorruptDataError, match="cannot be"):
        Raw().decode(b"abcd", ArraySpec((1,), "float32"))


@pytest.mark.parametrize("wrong", [None, np.zeros(2, "u2"), np.zeros((1, 3), "u1"), "abc"])
def test_a_decoder_that_returns_something_else_is_caught(wrong):
    @dataclass(frozen=True, kw_only=True)
    class Wrong(Raw):
        def _decode(self, payload, spec):
            return wrong

    with pytest.raises(CorruptDataError, match="must decode uint8 of"):
        Wrong().decode(b"abc", ArraySpec((3,), "uint8"))


def test_limits_hold_before_the_decoder_runs():
    with pytest.raises(LimitExceededError, match="chunk_bytes"):
        Raw().decode(b"", ArraySpec((1 << 40,), "uint8"), limits=Limits(chunk_bytes=1000))


def test_config_holds_what_is_not_default_and_comes_back():
    assert Raw().config() == {}
    codec = Raw(level=5, table={"a": 1})
    assert codec.config() == {"level": 5, "table": {"a": 1}}
    assert Raw.from_config(codec.config()) == codec


@pytest.mark.parametrize(
    ("config", "text"),
    [
        ({"levle": 1}, "no setting 'levle'; it has level, table, tags"),
        ({"level": -1}, "negative"),
        ({"level": "x"}, "<"),
    ],
)
def test_bad_settings(config, text):
    with pytest.raises(ConfigError, match=text):
        Raw.from_config(config)


def test_capabilities_are_what_a_class_has():
    optional = (
        cc.SupportsPreview,
        cc.SupportsOlderPreview,
        cc.SupportsInformation,
        cc.SupportsSamples,
        cc.SupportsScale,
        cc.SupportsTraining,
    )
    assert [isinstance(Raw(), one) for one in optional] == [False] * 6
    assert [isinstance(Planes(), one) for one in optional] == [True] + [False] * 5
    with pytest.raises(ConfigError, match=r"codec test\.raw has no samples"):
        Raw().sample(1)
    with pytest.raises(ConfigError, match=r"codec test\.raw does not tell"):
        Raw().information(np.zeros(3, "u1"))


@dataclass(frozen=True, kw_only=True)
class Planes(Raw):
    """The high halves of bytes, then the low halves: a level each."""

    id = "test.planes"
    format_version = 2
    info = CodecInfo(summary="coarse to fine", dtypes=("uint8",))

    def _encode(self, chunk):
        return (chunk >> 4).tobytes() + (chunk & 15).tobytes()

    def _decode(self, payload, spec):
        return self._preview(payload, spec, 2)

    def _preview(self, payload, spec, levels):
        planes = np.frombuffer(payload, "u1").reshape(2, *spec.shape)
        high, low = (plane * (k < levels) for k, plane in enumerate(planes))
        return high << 4 | low


def test_previews_are_coarse():
    x = np.arange(0, 255, 7, dtype="u1")
    spec, payload = ArraySpec.of(x), Planes().encode(x)
    for levels, seen in enumerate([x * 0, x & 0xF0, x, x]):
        np.testing.assert_array_equal(Planes().preview(payload, spec, levels), seen)
    np.testing.assert_array_equal(Planes().decode(payload, spec), x)


def test_a_codec_without_previews_says_so():
    with pytest.raises(ConfigError, match=r"codec test\.raw has no previews"):
        Raw().preview(b"abc", ArraySpec((3,), "uint8"), 1)
    with pytest.raises(ConfigError, match=r"codec test\.planes has no previews of .* version 1"):
        Planes().preview(b"abcdef", ArraySpec((3,), "uint8"), 1, version=1)
    for version in (0, 3):
        with pytest.raises(UnsupportedFeatureError, match=f"never had a format version {version}"):
            Planes().preview(b"abcdef", ArraySpec((3,), "uint8"), 1, version=version)


@dataclass(frozen=True, kw_only=True)
class Line(Codec):
    """A number of each row, and rows that rise by it from place to place: in 16ths, from 0 where an array begins."""

    id = "test.line"
    format_version = 2
    stores_from = 1
    info = CodecInfo(summary="rows that rise", dtypes=("uint16",), ndim=(2,))

    def _encode(self, chunk):
        rises = np.diff(chunk, axis=1)
        straight = chunk.shape[1] > 1 and (rises == rises[:, :1]).all()
        return rises[:, 0].astype("u1").tobytes() if straight else chunk.tobytes() + b"0"

    def _decode(self, payload, spec):
        return self._scaled(payload, spec, cc.Grid.of(spec.shape, (1,), Fraction(1)))

    def _axes(self, spec):
        return (1,)

    def _scaled(self, payload, spec, grid):
        above, below = grid.places[1].centres()
        rises = np.frombuffer(payload, "u1").reshape(-1, 1).astype(np.int64)
        return (rises * (above + below * grid.places[1].start) // below).astype(np.uint16)


RISING = (np.array([[16], [32], [48]]) * (2 * np.arange(6) + 1) // 2).astype("u2")


def test_a_function_of_the_place_has_any_resolution():
    spec, payload = ArraySpec.of(RISING), Line().encode(RISING)
    assert len(payload) == 3
    np.testing.assert_array_equal(Line().scaled(payload, spec, 1), RISING)
    np.testing.assert_array_equal(Line().scaled(payload, spec, 3)[:, 1::3], RISING)
    assert Line().scaled(payload, spec, "1/2")[0].tolist() == [16, 48, 80]
    assert Line().scaled(payload, spec, 0.5).shape == (3, 3)


def test_stored_values_stay_the_same_within_an_item():
    x = np.array([[3, 1, 4, 1, 5]], "u2")
    spec, payload = ArraySpec.of(x), Line().encode(x)
    assert len(payload) == x.nbytes
    assert Line().scaled(payload, spec, 2).tolist() == [[3, 3, 1, 1, 4, 4, 1, 1, 5, 5]]
    assert Line().scaled(payload, spec, "1/3").tolist() == [[1, 5]]


def test_scales_fail_as_decoding_does():
    spec = ArraySpec((3, 6), "uint16")
    with pytest.raises(ConfigError, match=r"codec test\.raw has no scale"):
        Raw().scaled(b"abc", ArraySpec((3,), "uint8"), 2)
    with pytest.raises(ConfigError, match=r"codec test\.line has no scale for payloads of its format version 1"):
        Line().scaled(b"abc", spec, 2, version=1)
    with pytest.raises(ConfigError, match="a scale must be a number"):
        Line().scaled(b"abc", spec, 0)
    with pytest.raises(CorruptDataError, match=r"codec test\.line must decode uint16 of shape \(3, 12\)"):
        Line().scaled(b"abcd", spec, 2)
    with pytest.raises(CorruptDataError, match="cannot be"):
        Line().scaled(b"abc", ArraySpec((3, 6), "uint8"), 2)
    with pytest.raises(LimitExceededError, match="at scale 100 asks for 3600 chunk bytes"):
        Line().scaled(b"abc", spec, 100, limits=Limits(chunk_bytes=1000))


@pytest.mark.parametrize("levels", [-1, 1.0, True, "1", None])
def test_levels_that_are_none(levels):
    with pytest.raises(ConfigError, match="levels must be"):
        Planes().preview(b"abcdef", ArraySpec((3,), "uint8"), levels)


def test_previews_fail_as_decoding_does():
    with pytest.raises(CorruptDataError, match=r"no stream of codec test\.planes: ValueError"):
        Planes().preview(b"abc", ArraySpec((3,), "uint8"), 1)
    with pytest.raises(CorruptDataError, match="cannot be"):
        Planes().preview(b"abcdef", ArraySpec((3,), "uint16"), 1)
    with pytest.raises(LimitExceededError, match="chunk_bytes"):
        Planes().preview(b"", ArraySpec((1 << 40,), "uint8"), 1, limits=Limits(chunk_bytes=1000))

    @dataclass(frozen=True, kw_only=True)
    class Small(Planes):
        def _preview(self, payload, spec, levels):
            return super()._preview(payload, spec, levels)[::2]

    with pytest.raises(CorruptDataError, match="must decode uint8 of"):
        Small().preview(b"abcdef", ArraySpec((3,), "uint8"), 1)


def test_default_chunk():
    assert Raw().default_chunk(ArraySpec((), "uint8")) == 1
    assert Raw().default_chunk(ArraySpec((0, 5), "uint8")) == 1
    assert Raw().default_chunk(ArraySpec((1 << 20, 1 << 10), "uint8")) == 1 << 14
    assert Raw().default_chunk(ArraySpec((2, 1 << 30), "uint8")) == 1


# --- stored payloads --------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Doubling(Codec):
    """Every byte twice, but arrays of one value as that value; payloads of version 2 may be stored."""

    id = "test.doubling"
    format_version = 2
    stores_from = 2
    info = CodecInfo(summary="longer than it was")

    def _encode(self, chunk):
        data = chunk.tobytes()
        if len(set(data)) == 1:
            return data[:1]
        message = Message(most=self.most(ArraySpec.of(chunk)))
        Bits(np.full(len(data), 16)).push(message, np.frombuffer(data, np.uint8))
        return message.to_bytes()

    def _decode(self, payload, spec):
        if len(payload) == 1:
            return np.frombuffer(payload * spec.nbytes, spec.numpy).reshape(spec.shape)
        data = Bits(np.full(spec.nbytes, 16)).pop(Message.from_bytes(payload)).astype(np.uint8)
        return data.view(spec.numpy).reshape(spec.shape)

    def _decode_older(self, payload, spec, version):
        return self._decode(payload, spec)

    def _preview(self, payload, spec, levels):
        return self._decode(payload, spec)


@pytest.mark.parametrize("dtype", sorted(DTYPES))
@pytest.mark.parametrize("shape", [(), (1,), (7,), (3, 5), (2, 4, 2)])
def test_no_payload_is_longer_than_its_values(dtype, shape):
    x = (np.arange(np.prod(shape)).reshape(shape) % 3).astype(dtype)
    spec, payload = ArraySpec.of(x), Doubling().encode(x)
    assert len(payload) <= (-(-x.size // 8) if dtype == "bool" else x.nbytes)
    back = Doubling().decode(payload, spec)
    assert back.tobytes() == x.tobytes()
    assert Doubling().preview(payload, spec, 0).tobytes() == x.tobytes()


def test_stored_values_are_little_endian_and_booleans_are_bits():
    assert Doubling().encode(np.array([258, 3], ">u2")) == b"\2\1\3\0"
    assert Doubling().encode(np.array([1, 0, 0, 1, 0, 0, 0, 0, 1], bool)) == b"\x09\x01"
    assert Doubling().encode(np.zeros((0, 3))) == b""
    assert Doubling().encode(np.full(9, 7, "u1")) == b"\7"


def test_earlier_versions_store_nothing():
    x = np.array([1, 2], "u1")
    code = unstored(Doubling()).encode(x)
    assert len(code) > x.nbytes
    np.testing.assert_array_equal(Doubling().decode(code, ArraySpec.of(x), version=1), x)
    with pytest.raises(ConfigError, match="no previews of payloads of its format version 1"):
        Doubling().preview(code, ArraySpec.of(x), 1, version=1)
    with pytest.raises(CorruptDataError, match="is longer than the 2 bytes"):
        Doubling().decode(code, ArraySpec.of(x))


@pytest.mark.parametrize(("payload", "text"), [(b"\x01\x02", "behind its last boolean"), (b"\1\1\0", "longer than")])
def test_bad_stored_payloads(payload, text):
    with pytest.raises(CorruptDataError, match=text):
        Doubling().decode(payload, ArraySpec((9,), "bool"))


def test_a_hopeless_code_is_given_up():
    """At the first array after which the message is longer than the values."""
    message = Message(most=100)
    Bits(np.full(90, 8)).push(message, np.zeros(90, np.int64))
    with pytest.raises(LongMessageError, match="more than the 100"):
        Bits(np.full(90, 8)).push(message, np.zeros(90, np.int64))
    assert message.copy()._most == 100
    x = np.arange(256, dtype="u1")
    assert Doubling().encode(x) == x.tobytes()
