"""Filters and pcodec: exact, chosen by what is smaller, and nothing but the project's errors on damage."""

import zlib

import numpy as np
import pytest
from codecs_classic import filters
from codecs_classic.filtered import Filtered
from codecs_classic.pcodec import Pcodec
from codecs_classic.stdlib import Lzma
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from codecs_core.arrays import ArraySpec
from codecs_core.errors import CodecsError, CorruptDataError

CODECS = [Filtered(), Filtered(method="zstd"), Pcodec(), Pcodec(level=0)]
each_codec = pytest.mark.parametrize("codec", CODECS, ids=["xz", "zstd", "pcodec-12", "pcodec-0"])


@given(words=st.sampled_from("1248").flatmap(lambda n: hnp.arrays(f"<u{n}", hnp.array_shapes(max_dims=3, max_side=9))))
@settings(max_examples=200, deadline=None)
def test_filters_are_undone(words):
    for kind in (filters.PLAIN, filters.BYTES, filters.BITS):
        data = filters.shuffle(words, kind)
        assert len(data) == filters.shuffled_bytes(words.dtype, words.size, kind)
        assert np.array_equal(filters.unshuffle(data, words.dtype, words.size, kind), words.reshape(-1))
    for axis in range(words.ndim):
        assert np.array_equal(filters.accumulate(filters.difference(words, axis), axis), words)


def test_what_the_filters_do():
    words = np.array([[1, 3], [2, 0x0203]], "<u2")
    assert filters.difference(words, 0).tolist() == [[1, 3], [1, 0x0200]]
    assert filters.difference(words, 1).tolist() == [[1, 2], [2, 0x0201]]
    assert filters.shuffle(words, filters.BYTES).hex() == "01030203" + "00000002"
    assert filters.shuffle(words, filters.BITS).hex() == "0b0e" + "00" * 7 + "08" + "00" * 6


@pytest.mark.parametrize(
    ("array", "smaller"),
    [
        (np.cumsum(np.ones((300, 7), "i4") * [3, 1, 4, 1, 5, 9, 2], axis=0).astype("i4"), 0.2),
        (np.round(1e6 * np.sin(np.arange(4000) / 200)).astype("i4"), 0.6),
    ],
    ids=["columns", "smooth"],
)
@each_codec
def test_they_pay(codec, array, smaller):
    assert len(codec.encode(array)) < smaller * len(Lzma().encode(array))


def test_what_suits_a_fast_compressor_may_not_suit_the_codec():
    words = np.asarray(np.random.Philox(3).random_raw(4 * 20000)).reshape(4, -1) % np.uint64(1000)
    noise = words.sum(axis=0).astype("<u2")
    shuffled = [filters.shuffle(noise, kind) for kind in (filters.BYTES, filters.BITS)]
    assert len(zlib.compress(shuffled[0], 4)) > len(zlib.compress(shuffled[1], 4))
    assert len(Lzma().compress(shuffled[0])) < 0.99 * len(Lzma().compress(shuffled[1]))
    assert Filtered().encode(noise)[1] == filters.BYTES


def test_columns_are_told_apart_where_that_is_smaller():
    rng = np.random.default_rng(0)
    table = np.stack([rng.integers(0, 4, 5000), rng.integers(0, 1 << 40, 5000)], axis=1)
    assert Pcodec().encode(table)[0] == 1
    assert Pcodec().encode(np.arange(5000).reshape(-1, 2))[0] == 0


@each_codec
@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_damage_raises_only_errors_of_the_tree(codec, data):
    array = (np.arange(600, dtype=np.int32) ** 2).reshape(100, 6)
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
@pytest.mark.parametrize("size", [999, 1001])
def test_a_stream_of_another_size_is_refused(codec, size):
    payload = codec.encode(np.zeros(1000, np.uint32))
    with pytest.raises(CorruptDataError):
        codec.decode(payload, ArraySpec((size,), "uint32"))
