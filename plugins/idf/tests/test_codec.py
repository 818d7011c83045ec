"""The codec: shapes it takes, what it refuses, damaged payloads."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from codecs_idf.codec import ImageCodec
from codecs_idf.testing import random_model
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import codecs_core as cc
from codecs_core.arrays import ArraySpec
from codecs_core.errors import CodecsError, ConfigError, CorruptDataError, UnsupportedArrayError
from codecs_core.testing import unstored

CODECS = {c: ImageCodec(model=random_model(c)) for c in (1, 3, 4)}


def pixels(*shape: int, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def check_round_trip(codec: ImageCodec, x: NDArray[np.uint8]) -> bytes:
    codec = unstored(codec)
    payload = codec.encode(x)
    y = codec.decode(payload, ArraySpec.of(x))
    assert y.dtype == x.dtype
    assert np.array_equal(y, x)
    return payload


def test_samples_are_what_random_bits_decode_to() -> None:
    codec = CODECS[3]
    found = codec.sample(5, (8, 4), seed=1)
    assert (found.shape, found.dtype) == ((5, 8, 4, 3), np.uint8)
    assert np.array_equal(found, codec.sample(5, (8, 4), seed=1))
    assert not np.array_equal(found, codec.sample(5, (8, 4), seed=2))


@pytest.mark.parametrize(
    ("channels", "shape"), [(3, (7, 6, 3)), (4, (5, 8, 4)), (1, (9, 4)), (1, (9, 1)), (1, (1, 9, 1)), (3, (4, 0, 3))]
)
def test_a_way_from_one_image_to_another(channels: int, shape: tuple[int, ...]) -> None:
    """Its ends are the images themselves."""
    codec, ends = CODECS[channels], (pixels(*shape), pixels(*shape, seed=1))
    found = codec.between(*ends, 4)
    assert (found.shape, found.dtype) == ((4, *shape), np.uint8)
    assert np.array_equal(found[[0, -1]], ends)
    assert np.array_equal(found, codec.between(*ends, 4))
    # with twice the steps, every other image is the same
    assert np.array_equal(found, codec.between(*ends, 7)[::2])


@pytest.mark.parametrize(("channels", "shape"), [(3, (5, 3)), (1, (7,)), (3, (2, 6, 6, 3)), (3, (6, 6, 4))])
def test_ways_between_what_are_no_images(channels: int, shape: tuple[int, ...]) -> None:
    with pytest.raises(UnsupportedArrayError, match=r"takes (images|uint8)"):
        CODECS[channels].between(pixels(*shape), pixels(*shape, seed=1), 3)


@pytest.mark.parametrize(
    ("channels", "shape"),
    [
        (3, (7, 5, 3)),
        (3, (1, 1, 3)),
        (3, (2, 9, 6, 3)),
        (3, (1, 40, 3)),
        (3, (0, 8, 8, 3)),
        (3, (8, 0, 3)),
        (1, (6, 7)),
        (1, (3, 6, 7)),
        (1, (6, 7, 1)),
        (1, (2, 6, 7, 1)),
        (1, (1, 1)),
        (1, (0, 0)),
        (4, (5, 5, 4)),
        (4, (2, 5, 5, 4)),
    ],
)
def test_round_trip(channels: int, shape: tuple[int, ...]) -> None:
    check_round_trip(CODECS[channels], pixels(*shape))


def test_extreme_images() -> None:
    for x in (np.zeros((9, 9, 3), np.uint8), np.full((9, 9, 3), 255, np.uint8)):
        check_round_trip(CODECS[3], x)
    x = np.zeros((16, 16, 3), np.uint8)
    x[::2, ::2, 1] = 255
    check_round_trip(CODECS[3], x)


@pytest.mark.parametrize(
    ("channels", "shape", "dtype"),
    [
        (3, (8, 8), "uint8"),
        (3, (8, 8, 4), "uint8"),
        (3, (8,), "uint8"),
        (3, (), "uint8"),
        (3, (2, 8, 8, 1), "uint8"),
        (3, (2, 2, 8, 8, 3), "uint8"),
        (3, (8, 8, 3), "uint16"),
        (3, (8, 8, 3), "float32"),
        (1, (8, 8, 3), "uint16"),
        (4, (8, 8, 3), "uint8"),
    ],
)
def test_what_is_refused(channels: int, shape: tuple[int, ...], dtype: str) -> None:
    with pytest.raises(UnsupportedArrayError, match=r"takes (uint8|images)"):
        CODECS[channels].encode(np.zeros(shape, dtype))


def test_no_model() -> None:
    with pytest.raises(ConfigError, match="needs a model"):
        ImageCodec.from_config({})


def test_chunks() -> None:
    codec = CODECS[3]
    assert codec.default_chunk(ArraySpec((10_000, 32, 32, 3), "uint8")) == 341
    assert codec.default_chunk(ArraySpec((5, 2000, 1000, 3), "uint8")) == 1
    assert codec.default_chunk(ArraySpec((512, 768, 3), "uint8")) == 512
    rows = codec.default_chunk(ArraySpec((4000, 6000, 3), "uint8"))
    assert ImageCodec.BAND_PIXELS // 2 < rows * 6000 <= ImageCodec.BAND_PIXELS + 6000
    assert codec.default_chunk(ArraySpec((0, 8, 8, 3), "uint8")) == 1
    assert codec.default_chunk(ArraySpec((3, 0, 3), "uint8")) == 3


def test_an_image_alone_is_as_in_a_stack(tmp_path: Any) -> None:
    """With a chunk an item, any item is read and decoded by itself."""
    x = pixels(5, 12, 10, 3)
    cc.save(tmp_path / "a.ccf", x, codec=CODECS[3], chunk=1, embed_model=True)
    with cc.open(tmp_path / "a.ccf") as file:
        assert np.array_equal(file[""][3], x[3])
    assert CODECS[3].encode(x[3:4]) == CODECS[3].encode(x[3])


def test_images_of_many_sizes(tmp_path: Any) -> None:
    arrays = {f"{h}x{w}": pixels(h, w, 3, seed=h) for h, w in [(1, 1), (3, 50), (17, 16), (33, 2)]}
    cc.save(tmp_path / "a.ccf", arrays, codec=CODECS[3], embed_model=True)
    loaded = cc.load(tmp_path / "a.ccf")
    assert loaded.keys() == arrays.keys()
    for name, x in arrays.items():
        assert np.array_equal(loaded[name], x)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_damaged_payloads(data: st.DataObject) -> None:
    """Whatever comes, it is an error of the tree or an array of the spec."""
    x = pixels(2, 6, 5, 3)
    codec = unstored(CODECS[3])
    payload = bytearray(codec.encode(x))
    for _ in range(data.draw(st.integers(1, 4))):
        payload[data.draw(st.integers(0, len(payload) - 1))] = data.draw(st.integers(0, 255))
    payload = payload[: data.draw(st.integers(0, len(payload)))]
    try:
        y = codec.decode(bytes(payload), ArraySpec.of(x))
    except CodecsError:
        return
    assert y.shape == x.shape


def test_payload_of_another_shape() -> None:
    codec = unstored(CODECS[3])
    payload = codec.encode(pixels(2, 6, 5, 3))
    with pytest.raises(CorruptDataError):
        codec.decode(payload, ArraySpec((2, 6, 6, 3), "uint8"))
    with pytest.raises(CorruptDataError):
        codec.decode(payload, ArraySpec((0, 6, 6, 3), "uint8"))


def test_preview() -> None:
    x = pixels(2, 6, 5, 3)
    codec = unstored(CODECS[3])
    payload = codec.encode(x)
    spec = ArraySpec.of(x)
    assert np.array_equal(codec.preview(payload, spec, 2), x)
    coarse = codec.preview(payload, spec, 1)
    assert coarse.shape == x.shape
    assert coarse.dtype == np.uint8
    assert not np.array_equal(coarse, x)
    empty = x[:0]
    assert codec.preview(codec.encode(empty), ArraySpec.of(empty), 1).shape == empty.shape
    # of a stored payload, and of one of version 1
    assert np.array_equal(CODECS[3].preview(CODECS[3].encode(x), spec, 1), x)
    assert np.array_equal(CODECS[3].preview(payload, spec, 1, version=1), coarse)


@pytest.mark.parametrize(("channels", "shape"), [(3, (21, 34, 3)), (1, (2, 13, 16)), (4, (9, 1, 4))])
def test_information_says_where_the_bits_of_a_payload_are(channels: int, shape: tuple[int, ...]) -> None:
    x = pixels(*shape)
    bits = CODECS[channels].information(x)
    assert bits.shape == x.shape
    assert (bits >= 0).all()
    payload = 8 * len(unstored(CODECS[channels]).encode(x))
    # What no distribution says: the heads of the message, and symbols that escape.
    assert 0.9 * payload - 300 < bits.sum() <= payload
    assert CODECS[channels].information(x[:0]).shape == x[:0].shape
