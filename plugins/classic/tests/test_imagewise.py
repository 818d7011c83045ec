"""Image codecs: exact round trips of every image and stack, and nothing but the project's errors on damage."""

import numpy as np
import pytest
from codecs_classic import framing, imagewise
from codecs_classic.jxl import JpegXL
from codecs_classic.png import Png
from codecs_classic.sprite import SIDE, Images, grids
from codecs_classic.webp import WebP
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from codecs_core.arrays import ArraySpec
from codecs_core.errors import CodecsError, ConfigError, CorruptDataError, UnsupportedArrayError
from codecs_core.testing import unstored

CODECS = [cls(layout=layout) for cls in (Png, WebP, JpegXL) for layout in ("sprite", "items")]
each_codec = pytest.mark.parametrize("codec", CODECS, ids=lambda c: f"{c.id}-{c.layout}")

sides = st.integers(0, 9)
counts = st.integers(0, 7)
channels = st.sampled_from([1, 3, 4])
shapes = st.one_of(
    st.tuples(sides, sides),
    st.tuples(sides, sides, channels),
    st.tuples(counts, sides, sides),
    st.tuples(counts, sides, sides, channels),
    st.tuples(counts, st.integers(0, 3), sides, sides),
    st.tuples(counts, st.integers(0, 3), sides, sides, channels),
)


def accepts(codec, spec):
    try:
        codec.check(spec)
    except UnsupportedArrayError:
        return False
    return True


@each_codec
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_round_trip(codec, data):
    dtype = data.draw(st.sampled_from(codec.info.dtypes))
    array = data.draw(hnp.arrays(np.dtype(dtype), shapes))
    spec = ArraySpec.of(array)
    if not accepts(codec, spec):
        assert np.dtype(dtype).itemsize == 2 or len(spec.shape) > 3
        return
    payload = codec.encode(array)
    decoded = codec.decode(payload, spec)
    assert decoded.dtype == array.dtype
    assert decoded.tobytes() == array.tobytes()
    assert codec.encode(array) == payload


@each_codec
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_damage_raises_only_errors_of_the_tree(codec, data):
    array = (np.arange(3 * 6 * 5 * 3) % 251).astype(np.uint8).reshape(3, 6, 5, 3)
    payload = bytearray(codec.encode(array))
    match data.draw(st.sampled_from(["cut", "flip", "noise"])):
        case "cut":
            del payload[data.draw(st.integers(0, len(payload) - 1)) :]
        case "flip":
            payload[data.draw(st.integers(0, len(payload) - 1))] ^= data.draw(st.integers(1, 255))
        case "noise":
            payload[:] = data.draw(st.binary(max_size=200))
    try:
        decoded = codec.decode(bytes(payload), ArraySpec.of(array))
    except CodecsError:
        return
    assert decoded.shape == array.shape


@each_codec
def test_bytes_left_over_and_truncation_are_refused(codec):
    array = (np.arange(3 * 6 * 5) % 251).astype(np.uint8).reshape(3, 6, 5)
    payload = codec.encode(array)
    for wrong in (payload + b"\0", payload + payload, payload[:-1], b""):
        with pytest.raises(CorruptDataError):
            codec.decode(wrong, ArraySpec.of(array))
    with pytest.raises(CorruptDataError):
        codec.decode(payload, ArraySpec((0, 6, 5), "uint8"))


@each_codec
@pytest.mark.parametrize(
    ("made", "due"), [((40, 50), (50, 40)), ((300, 300), (2, 2)), ((9, 9, 4), (9, 9, 3)), ((9, 9, 3), (9, 9))]
)
def test_an_image_of_another_size_or_kind_is_refused(codec, made, due):
    image = np.random.Generator(np.random.Philox(1)).integers(0, 256, made, dtype=np.uint8)
    codec = unstored(codec)
    with pytest.raises(CorruptDataError):
        codec.decode(codec.encode(image), ArraySpec(due, "uint8"))


@each_codec
def test_colours_under_full_transparency_are_kept(codec):
    image = np.random.Generator(np.random.Philox(2)).integers(0, 256, (8, 9, 4), dtype=np.uint8)
    image[..., 3] = 0
    assert np.array_equal(codec.decode(codec.encode(image), ArraySpec.of(image)), image)
    image[..., 3] = 255
    assert np.array_equal(codec.decode(codec.encode(image), ArraySpec.of(image)), image)


def test_a_few_bytes_do_not_claim_millions_of_images():
    for codec in CODECS:
        with pytest.raises(CorruptDataError):
            codec.decode(b"\x01\x00", ArraySpec((1 << 20, 2, 2), "uint8"))


@pytest.mark.parametrize(
    ("codec", "shape", "dtype"),
    [
        (Png(), (5,), "uint8"),
        (WebP(), (2, 3, 4, 5), "uint8"),
        (Png(), (4, 4, 3), "int16"),
        (Png(), (4, 4, 3), "uint16"),
        (WebP(), (4, 4), "uint16"),
        (WebP(), (16384, 1), "uint8"),
        (JpegXL(), (4, 4), "float32"),
    ],
)
def test_what_a_format_cannot_hold_is_refused_before_encoding(codec, shape, dtype):
    with pytest.raises(UnsupportedArrayError, match=codec.id):
        codec.encode(np.zeros(shape, dtype))


@pytest.mark.parametrize("cls", [Png, WebP, JpegXL])
def test_settings(cls):
    codec = cls.from_config({"layout": "items"})
    assert codec.config() == {"layout": "items"}
    assert cls().config() == {}
    with pytest.raises(ConfigError, match="layout"):
        cls(layout="row")


@settings(max_examples=200, deadline=None)
@given(
    count=st.integers(1, 3000), height=st.integers(1, SIDE + 9), width=st.integers(1, SIDE + 9), sprite=st.booleans()
)
def test_grids_cover_a_stack_within_bounds(count, height, width, sprite):
    images = Images(count=count, height=height, width=width, channels=1)
    at = 0
    for grid in grids(images, sprite=sprite):
        assert grid.first == at
        assert 1 <= grid.count <= grid.rows * grid.cols < grid.count + grid.cols
        assert grid.rows * height <= max(SIDE, height)
        assert grid.cols * width <= max(SIDE, width)
        at += grid.count
    assert at == count


@given(streams=st.lists(st.binary(max_size=300), min_size=1, max_size=5), measure_last=st.booleans())
def test_framing(streams, measure_last):
    joined = framing.join(streams, measure_last=measure_last)
    assert list(framing.split(joined, len(streams), measure_last=measure_last)) == streams


@pytest.mark.parametrize("payload", [b"\x80", b"\x80\x00", b"\xff" * 6, b"\x05abc", b""])
def test_framing_refuses_lengths_that_are_not(payload):
    with pytest.raises(CorruptDataError):
        list(framing.split(payload, 1, measure_last=True))


@pytest.mark.parametrize("dtype", ["int8", "int16", "float16", "bool"])
def test_values_keep_their_order_as_unsigned_integers(dtype):
    bits = np.arange(1 << 8 * np.dtype(dtype).itemsize).astype(f"u{np.dtype(dtype).itemsize}")
    values = bits.view(dtype) if dtype != "bool" else np.array([False, True])
    words = imagewise.unsigned(values)
    assert np.array_equal(
        imagewise.signed(words, dtype).view(f"u{values.itemsize}"), values.view(f"u{values.itemsize}")
    )
    finite = np.isfinite(values)
    order = np.argsort(words[finite], kind="stable")
    assert (np.diff(values[finite][order].astype(float)) >= 0).all()


def test_payloads_of_version_1_decode():
    array = np.arange(48, dtype=np.uint16).reshape(6, 8)
    for codec in (Png(), JpegXL()):
        assert np.array_equal(codec.decode(codec.encode(array), ArraySpec.of(array), version=1), array)
