"""Byte codecs: round trips of every dtype and shape, and nothing but the project's errors on damage."""

import bz2
import lzma
import zlib

import numpy as np
import pytest
import zstandard
from codecs_classic.stdlib import Bz2, Lzma, Raw, Zlib
from codecs_classic.zstd import Zstd
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from codecs_core.arrays import DTYPES, ArraySpec
from codecs_core.errors import CodecsError, ConfigError, CorruptDataError

CODECS = [Raw(), Zlib(), Bz2(), Lzma(), Zstd()]
each_codec = pytest.mark.parametrize("codec", CODECS, ids=lambda c: c.id)

shapes = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=6)
arrays = st.sampled_from(sorted(DTYPES)).flatmap(lambda name: hnp.arrays(np.dtype(name), shapes))


def same(a, b):
    return a.shape == b.shape and a.dtype == b.dtype and a.tobytes() == b.tobytes()


@each_codec
@settings(max_examples=60, deadline=None)
@given(array=arrays)
def test_round_trip(codec, array):
    payload = codec.encode(array)
    assert same(codec.decode(payload, ArraySpec.of(array)), array)
    assert codec.encode(array) == payload


@each_codec
def test_big_endian_and_strided_arrays_are_stored_as_their_values(codec):
    plain = np.arange(60, dtype="<i4").reshape(5, 12)
    assert codec.encode(plain.astype(">i4")) == codec.encode(plain)
    assert codec.encode(np.repeat(plain, 2, axis=1)[:, ::2]) == codec.encode(plain)
    assert codec.encode(np.asfortranarray(plain)) == codec.encode(plain)


@each_codec
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_damage_raises_only_errors_of_the_tree(codec, data):
    array = np.arange(200, dtype=np.uint16) // 7
    payload = bytearray(codec.encode(array))
    match data.draw(st.sampled_from(["cut", "flip", "more", "noise"])):
        case "cut":
            del payload[data.draw(st.integers(0, len(payload) - 1)) :]
        case "flip":
            payload[data.draw(st.integers(0, len(payload) - 1))] ^= data.draw(st.integers(1, 255))
        case "more":
            payload += data.draw(st.binary(min_size=1, max_size=20))
        case "noise":
            payload[:] = data.draw(st.binary(max_size=200))
    try:
        decoded = codec.decode(bytes(payload), ArraySpec.of(array))
    except CodecsError:
        return
    assert decoded.shape == array.shape


@each_codec
@pytest.mark.parametrize("delta", [-1, 1])
def test_a_stream_of_another_size_is_refused(codec, delta):
    payload = codec.encode(np.zeros(1000 + delta, np.uint8))
    with pytest.raises(CorruptDataError):
        codec.decode(payload, ArraySpec((1000,), "uint8"))


@each_codec
def test_bytes_left_over_are_refused(codec):
    for array in (np.zeros(1000, np.uint8), np.zeros((0, 3), np.uint8)):
        with pytest.raises(CorruptDataError):
            codec.decode(codec.encode(array) + b"\0", ArraySpec.of(array))


@pytest.mark.parametrize(
    ("codec", "bomb"),
    [
        (Zlib(), zlib.compress(bytes(1 << 26))),
        (Bz2(), bz2.compress(bytes(1 << 26))),
        (Lzma(), lzma.compress(bytes(1 << 26))),
        (Zstd(), zstandard.compress(bytes(1 << 26))),
        (Zstd(), zstandard.ZstdCompressor(write_content_size=False).compress(bytes(1000))),
    ],
    ids=["zlib", "bz2", "lzma", "zstd", "zstd-unsized"],
)
def test_bombs_stop_at_the_size_of_the_array(codec, bomb):
    with pytest.raises(CorruptDataError):
        codec.decode(bomb, ArraySpec((100,), "uint8"))


def test_booleans_are_zero_or_one():
    with pytest.raises(CorruptDataError, match="neither 0 nor 1"):
        Raw().decode(b"\0\1\2", ArraySpec((3,), "bool"))


@pytest.mark.parametrize(
    ("cls", "config"),
    [(Zlib, {"level": 10}), (Bz2, {"level": 0}), (Lzma, {"preset": "9"}), (Zstd, {"level": True}), (Raw, {"level": 1})],
)
def test_settings_out_of_range_are_refused(cls, config):
    with pytest.raises(ConfigError, match=cls.id):
        cls.from_config(config)
