"""The codec: shapes it takes, what it refuses, damaged payloads."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from codecs_ar.codec import ImageCodec
from codecs_ar.testing import random_model
from codecs_ar.values import Values
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import codecs_core as cc
from codecs_core.arrays import ArraySpec
from codecs_core.errors import CodecsError, ConfigError, CorruptDataError, UnsupportedArrayError
from codecs_core.testing import unstored

CODECS = {c: ImageCodec(model=random_model(c)) for c in (1, 3)}


FAST = ImageCodec(model=random_model(3), effort="fast")
SMALLEST = {c: ImageCodec(model=random_model(c), effort="smallest") for c in (1, 3)}


def pixels(*shape: int, seed: int = 0, dtype: str = "uint8") -> NDArray[Any]:
    return np.random.default_rng(seed).integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)


def check_round_trip(codec: ImageCodec, x: NDArray[Any]) -> bytes:
    codec = unstored(codec)
    payload = codec.encode(x)
    y = codec.decode(payload, ArraySpec.of(x))
    assert y.dtype == x.dtype
    assert np.array_equal(y, x)
    return payload


@pytest.mark.parametrize(
    ("channels", "shape", "dtype"),
    [
        (3, (7, 5, 3), "uint8"),
        (3, (1, 1, 3), "uint8"),
        (3, (2, 9, 6, 3), "uint8"),
        (3, (1, 40, 3), "uint8"),
        (3, (40, 1, 3), "uint8"),
        (3, (0, 8, 8, 3), "uint8"),
        (3, (8, 0, 3), "uint8"),
        (3, (5, 6, 4), "uint8"),
        (3, (2, 5, 5, 4), "uint8"),
        (1, (6, 7), "uint8"),
        (1, (3, 6, 7), "uint8"),
        (1, (6, 7, 1), "uint8"),
        (1, (2, 6, 7, 1), "uint8"),
        (1, (1, 1), "uint8"),
        (1, (0, 0), "uint8"),
        (1, (12, 9), "uint16"),
        (1, (2, 3, 4), "uint16"),
        (1, (1, 1), "uint16"),
        (1, (2, 3, 4, 1), "uint16"),
        (1, (6, 7), "int16"),
        (1, (2, 6, 7), "uint64"),
        (3, (9, 7, 2), "uint8"),
        (3, (2, 6, 5, 3), "uint16"),
        (3, (6, 5, 16), "int32"),
    ],
)
def test_round_trip(channels: int, shape: tuple[int, ...], dtype: str) -> None:
    check_round_trip(CODECS[channels], pixels(*shape, dtype=dtype))


def test_more_values_than_lanes_need() -> None:
    """What is pushed block by block is one sequence for a decoder."""
    check_round_trip(CODECS[1], pixels(150, 200))


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_extreme_images(dtype: str) -> None:
    top = np.iinfo(dtype).max
    step = np.zeros((9, 17), dtype)
    step[:, 8:] = top
    dots = np.zeros((16, 16), dtype)
    dots[::2, ::2] = top
    for x in (np.zeros((9, 9), dtype), np.full((9, 9), top, dtype), step, dots):
        check_round_trip(CODECS[1], x)


def test_an_image_of_one_colour_for_long() -> None:
    """What was learnt fades until nothing is left of it."""
    payload = check_round_trip(CODECS[1], np.full((40, 700), 7, np.uint8))
    assert len(payload) < 40 * 700


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_any_size(data: st.DataObject) -> None:
    h, w = data.draw(st.integers(1, 14)), data.draw(st.integers(1, 14))
    seed = data.draw(st.integers(0, 99))
    smooth = np.add.outer(np.arange(h), 3 * np.arange(w))[:, :, None] + np.arange(3) * 20
    noise = np.random.default_rng(seed).integers(0, 1 + seed, smooth.shape)
    check_round_trip(CODECS[3], ((smooth + noise) % 256).astype(np.uint8))


@pytest.mark.parametrize(
    ("channels", "shape", "dtype"),
    [
        (3, (8, 8), "uint8"),
        (3, (8, 8, 17), "uint8"),
        (3, (8,), "uint8"),
        (3, (), "uint8"),
        (3, (2, 8, 8, 1), "uint8"),
        (3, (2, 2, 8, 8, 3), "uint8"),
        (3, (8, 8, 3), "float32"),
        (1, (2, 8, 8, 3), "uint8"),
        (1, (8, 8), "bool"),
    ],
)
def test_what_is_refused(channels: int, shape: tuple[int, ...], dtype: str) -> None:
    with pytest.raises(UnsupportedArrayError, match=r"takes (uint8|images)"):
        CODECS[channels].encode(np.zeros(shape, dtype))


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_fast(data: st.DataObject) -> None:
    """Any integers in up to 16 channels, smooth or not, also where few values occur, in one cell of columns and in more."""
    dtype = np.dtype(data.draw(st.sampled_from(["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8"])))
    h, w, c = data.draw(st.integers(1, 12)), data.draw(st.integers(1, 40)), data.draw(st.integers(1, 16))
    bits = data.draw(st.integers(1, 8 * dtype.itemsize))
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    x = rng.integers(0, (1 << bits) - 1, (h, w, c), np.uint64, endpoint=True) << np.uint64(8 * dtype.itemsize - bits)
    check_round_trip(FAST, np.minimum(x, x[:1]).astype(f"u{dtype.itemsize}").view(dtype))


def test_fast_ranks_and_orders() -> None:
    """Channels in which few values occur are coded by ranks; and bands that go together follow each other."""
    noise = np.random.default_rng(3).integers(0, 4000, (80, 90, 4))
    apart = noise[..., [0, 1, 0, 1]] + noise[..., [2, 3, 3, 2]] // 200
    assert Values.of(apart.astype(np.uint16)[None]).order in ((0, 2, 1, 3), (1, 3, 0, 2), (2, 0, 1, 3), (3, 1, 0, 2))
    check_round_trip(FAST, apart.astype(np.uint16))
    smooth = np.cumsum(noise[..., :3] % 5 - 2, axis=1) + 100
    plain, sparse = (check_round_trip(FAST, (factor * smooth).astype(np.uint16)) for factor in (1, 100))
    assert len(sparse) < 1.02 * len(plain)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\x02",
        b"\x01\x08",
        b"\x01\x01\x00\x00\x00" + bytes(9),
        b"\x01\x01\x00\x31\x05" + bytes(9),
        b"\x01\x04\x00\x00\x01" + bytes(9),
        b"\x01\x02\xff\xff\xff\x01",
        b"\x01\x02\x02\xff\xff\x7f\x00\x00\x00" + bytes(9),
    ],
)
def test_fast_descriptions_that_are_none(payload: bytes) -> None:
    with pytest.raises(CorruptDataError):
        FAST.decode(payload, ArraySpec((9, 9, 3), "uint8"))


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_smallest(data: st.DataObject) -> None:
    """Integers in 1 to 4 channels and in stacks, smooth or not: more decisions than an encoder makes room for at first, and fewer."""
    dtype = np.dtype(data.draw(st.sampled_from(["u1", "u2", "i4"])))
    shape = tuple(data.draw(st.integers(1, most)) for most in (2, 9, 20, 4))
    bits = data.draw(st.integers(1, 8 * dtype.itemsize))
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    x = rng.integers(0, (1 << bits) - 1, shape, np.uint64, endpoint=True) << np.uint64(8 * dtype.itemsize - bits)
    check_round_trip(SMALLEST[1 if shape[-1] == 1 else 3], np.minimum(x, x[:, :1]).astype(dtype))


def test_smallest_knows_colours() -> None:
    """Where 50 colours occur, in noise, it finds out which ones."""
    rng = np.random.default_rng(1)
    x = rng.integers(0, 256, (50, 3), np.uint8)[rng.integers(0, 50, (60, 60))]
    assert len(check_round_trip(SMALLEST[3], x)) < 0.7 * len(check_round_trip(CODECS[3], x))


@pytest.mark.parametrize("payload", [b"\x03", b"\x03\x08", b"\x03\x00" + bytes(9), b"\x04" + bytes(9)])
def test_smallest_payloads_that_are_none(payload: bytes) -> None:
    with pytest.raises(CorruptDataError):
        SMALLEST[3].decode(payload, ArraySpec((9, 9, 3), "uint8"))


def test_efforts() -> None:
    """A level is in the payload: a codec of another one decodes it too."""
    x = pixels(6, 7, 3)
    for one in (FAST, CODECS[3], SMALLEST[3]):
        for other in (FAST, CODECS[3], SMALLEST[3]):
            assert np.array_equal(unstored(one).decode(unstored(other).encode(x), ArraySpec.of(x)), x)
    with pytest.raises(ConfigError, match="one of fast, standard"):
        ImageCodec(model=random_model(3), effort="most")
    with pytest.raises(UnsupportedArrayError, match="of 1 to 16 channels"):
        FAST.encode(np.zeros((2, 3, 4, 17), np.uint8))


def test_no_model() -> None:
    with pytest.raises(ConfigError, match="needs a model"):
        ImageCodec.from_config({})


def test_chunks() -> None:
    codec = CODECS[3]
    assert codec.default_chunk(ArraySpec((10_000, 32, 32, 3), "uint8")) == 341
    assert codec.default_chunk(ArraySpec((5, 2000, 1000, 3), "uint8")) == 1
    assert codec.default_chunk(ArraySpec((512, 768, 3), "uint8")) == 512
    assert codec.default_chunk(ArraySpec((250, 200, 3), "uint8")) == 250
    rows = codec.default_chunk(ArraySpec((4000, 6000, 3), "uint8"))
    assert ImageCodec.BAND_ROWS // 2 < rows <= ImageCodec.BAND_ROWS
    assert codec.default_chunk(ArraySpec((4000, 500, 4), "uint8")) <= ImageCodec.BAND_PIXELS // 500
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
    cc.save(tmp_path / "a.ccf", arrays, codec=CODECS[3], embed_model=True, jobs=2)
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
    for shape in (2, 6, 6, 3), (0, 6, 6, 3), (2, 6, 5, 4):
        with pytest.raises(CorruptDataError):
            codec.decode(payload, ArraySpec(shape, "uint8"))
