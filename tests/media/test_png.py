"""PNG files: pixels of every kind, and every chunk that says something."""

import io
import struct
import warnings
import zlib

import imagecodecs
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from codecs_core.errors import InexactError, InputError, OutputError
from codecs_core.media import read, write
from codecs_core.media.png import SIGNATURE, read_png

rng = np.random.Generator(np.random.Philox(15))


def pixels(*shape, dtype=np.uint8, most=None):
    return rng.integers(0, np.iinfo(dtype).max if most is None else most, shape, dtype=dtype, endpoint=True)


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def encoded(image, **options):
    held = io.BytesIO()
    image.save(held, "PNG", **options)
    return held.getvalue()


def with_chunks(data, *chunks, behind=False):
    """A PNG file with more chunks behind its header, or behind its pixels."""
    at = len(data) - 12 if behind else 33
    return data[:at] + b"".join(chunk(kind, held) for kind, held in chunks) + data[at:]


def chunks_of(data):
    found, at = [], 8
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        found.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + size]))
        at += size + 12
    return found


def check_round_trip(tmp_path, data):
    """The array of a file; written again, it has the same header, chunks and attributes, and Pillow sees the same."""
    (tmp_path / "a.png").write_bytes(data)
    (source,) = read([tmp_path / "a.png"]).values()
    array = source.read()
    assert (array.shape, array.dtype.name) == (source.spec.shape, source.spec.dtype)
    write(tmp_path / "b.png", {"": array}, {"": source.attrs})
    again = (tmp_path / "b.png").read_bytes()
    (other,) = read([tmp_path / "b.png"]).values()
    assert np.array_equal(other.read(), array)
    assert {**other.attrs["media"], "name": ""} == {**source.attrs["media"], "name": ""}

    def said(data):
        return sorted(one for one in chunks_of(data) if one[0] not in (b"IDAT", b"iCCP", b"iDOT"))

    assert said(again) == said(data)
    return array


@pytest.mark.parametrize("channels", [2, 3, 4])
def test_16_bits_in_colour_and_with_alpha(tmp_path, channels):
    array = pixels(5, 7, channels, dtype=np.uint16)
    data = with_chunks(bytes(imagecodecs.png_encode(array)), (b"gAMA", bytes(4)), (b"tEXt", b"Title\0x"))
    assert np.array_equal(check_round_trip(tmp_path, data), array)
    write(tmp_path / "c.tif", {"": array})
    assert np.array_equal(next(iter(read([tmp_path / "c.tif"]).values())).read(), array)


def test_16_bits_and_a_colour_that_is_transparent(tmp_path):
    array = pixels(5, 7, 3, dtype=np.uint16)
    data = with_chunks(bytes(imagecodecs.png_encode(array)), (b"tRNS", struct.pack(">HHH", 1, 2, 60000)))
    assert np.array_equal(check_round_trip(tmp_path, data), array)


@pytest.mark.parametrize("bits", [1, 2, 4])
@pytest.mark.parametrize("width", [1, 7, 8, 9])
def test_grey_of_few_bits(tmp_path, bits, width):
    """What is stored, and not what it would be in 8 bits."""
    array = pixels(5, width, most=(1 << bits) - 1)
    rows = [b"\0" + np.packbits(np.unpackbits(row[:, None], axis=1)[:, -bits:].ravel()).tobytes() for row in array]
    header = struct.pack(">IIBBBBB", width, 5, bits, 0, 0, 0, 0)
    data = SIGNATURE + chunk(b"IHDR", header) + chunk(b"tRNS", b"\0\1") + chunk(b"IDAT", zlib.compress(b"".join(rows)))
    assert np.array_equal(check_round_trip(tmp_path, data + chunk(b"IEND", b"")), array)


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_palettes_of_every_depth(tmp_path, bits):
    image = Image.fromarray(pixels(5, 9, 3)).quantize(2)
    check_round_trip(tmp_path, encoded(image, bits=bits))


CHUNKS = [
    (b"gAMA", b"\0\0\xb1\x8f"),
    (b"cHRM", bytes(32)),
    (b"cHRM", b"short"),
    (b"cICP", bytes(4)),
    (b"sRGB", b"\0"),
    (b"sBIT", b"\5\6\5"),
    (b"mDCV", bytes(24)),
    (b"cLLI", bytes(8)),
    (b"pHYs", struct.pack(">IIB", 2835, 5669, 1)),
    (b"pHYs", struct.pack(">IIB", 1, 2, 0)),
    (b"pHYs", struct.pack(">IIB", 0xFFFFFFFF, 0, 1)),
    (b"pHYs", b"short"),
    (b"tIME", bytes([7, 234, 1, 2, 3, 4, 5])),
    (b"bKGD", bytes(6)),
    (b"oFFs", bytes(9)),
    (b"sTER", b"\1"),
    (b"tEXt", b"Title\0x"),
    (b"zTXt", b"Bomb\0\0" + zlib.compress(bytes(1 << 22), 9)),
    (b"zTXt", b"\xff\xff"),
    (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0<x/>"),
    (b"eXIf", b"MM\0*\0\0\0\x08\0\0"),
    (b"tRNS", b"\0\1\0\2\0\3"),
    (b"tRNS", b"short"),
    (b"prVt", b"private"),
    (b"iCCP", b"odd"),
]


@pytest.mark.parametrize(("kind", "data"), CHUNKS, ids=[f"{kind.decode()}-{len(data)}" for kind, data in CHUNKS])
@pytest.mark.parametrize("behind", [False, True])
def test_every_chunk_comes_back(tmp_path, kind, data, behind):
    check_round_trip(tmp_path, with_chunks(encoded(Image.fromarray(pixels(4, 5, 3))), (kind, data), behind=behind))


def test_chunks_of_a_palette_come_back(tmp_path):
    image = Image.fromarray(pixels(5, 9, 3)).quantize(5)
    data = encoded(image, transparency=bytes([0, 9, 255]), dpi=(72, 72))
    check_round_trip(tmp_path, with_chunks(data, (b"gAMA", bytes(4)), (b"tEXt", b"Title\0x")))


def test_a_profile_and_its_name(tmp_path):
    held = b"sRGB IEC61966-2.1\0\0" + zlib.compress(b"profile" * 30)
    check_round_trip(tmp_path, with_chunks(encoded(Image.fromarray(pixels(4, 5, 3))), (b"iCCP", held)))
    (name, _), *_ = [c for c in chunks_of((tmp_path / "b.png").read_bytes()) if c[0] == b"iCCP"]
    assert name == b"iCCP"
    with Image.open(tmp_path / "b.png") as image:
        assert image.info["icc_profile"] == b"profile" * 30
    assert b"sRGB IEC61966-2.1" in (tmp_path / "b.png").read_bytes()


def test_interlaced_pixels(tmp_path):
    array = pixels(9, 9)
    passes = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
    rows = b"".join(b"\0" + row.tobytes() for y, x, dy, dx in passes for row in array[y::dy, x::dx])
    header = struct.pack(">IIBBBBB", 9, 9, 8, 0, 0, 0, 1)
    data = SIGNATURE + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    (tmp_path / "a.png").write_bytes(data)
    assert np.array_equal(read_png(tmp_path / "a.png")[0].read(), array)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda data: with_chunks(data, (b"acTL", bytes(8))), "animation"),
        (lambda data: with_chunks(data, (b"CgBI", bytes(4))), "mean something else"),
        (lambda data: with_chunks(data, (b"caBX", bytes(4))), "only of this very file"),
        (lambda data: with_chunks(data, (b"PLTE", bytes(3))), "PLTE"),
        (lambda data: data + b"more", "behind its end"),
    ],
)
def test_what_cannot_be_given_back_is_named(tmp_path, change, why):
    (tmp_path / "a.png").write_bytes(change(encoded(Image.fromarray(pixels(4, 5, 3)))))
    with pytest.raises(InexactError, match=why):
        read_png(tmp_path / "a.png")


def test_where_apple_begins_to_read_is_left_out(tmp_path):
    array = check_round_trip(tmp_path, with_chunks(encoded(Image.fromarray(pixels(4, 5))), (b"iDOT", bytes(28))))
    assert array.shape == (4, 5)
    assert b"iDOT" not in (tmp_path / "b.png").read_bytes()


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 400), st.integers(0, 255))
def test_damage_is_an_input_error_or_nothing(tmp_path, at, byte):
    data = bytearray(encoded(Image.fromarray(np.arange(60, dtype=np.uint8).reshape(4, 5, 3)), dpi=(72, 72)))
    data[at % len(data)] = byte
    (tmp_path / "a.png").write_bytes(data)
    try:
        array = read_png(tmp_path / "a.png")[0].read()
    except InputError:
        return
    with Image.open(io.BytesIO(data)) as image:
        assert np.array_equal(array, np.asarray(image))


def test_pixels_whose_checksum_does_not_hold(tmp_path):
    data = bytearray(encoded(Image.fromarray(pixels(4, 5, 3))))
    data[data.index(b"IDAT") + 4 + int.from_bytes(data[33:37], "big")] ^= 1
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(InputError, match="checksum of the pixels"):
        read_png(tmp_path / "a.png")[0].read()


@pytest.mark.parametrize("cut", [8, 20, 40, -13, -1])
def test_a_file_that_is_cut_short(tmp_path, cut):
    (tmp_path / "a.png").write_bytes(encoded(Image.fromarray(pixels(4, 5, 3)))[:cut])
    with pytest.raises(InputError, match="damaged"):
        read_png(tmp_path / "a.png")


@pytest.mark.parametrize(
    "media",
    [
        {"mode": "RGB", "chunks": [["cHRM", b"x"], ["zTXt", b"a\0\0" + zlib.compress(bytes(1 << 22))]]},
        {"mode": "RGB", "bits": 2, "icc": b"x", "icc_name": b"\0" * 99, "dpi": [1e5, 1e-9]},
        {"mode": "RGB", "transparency": [1, 2, 3], "exif": b"Exif\0\0"},
        {"mode": "P", "bits": 1, "palette": bytes(3), "transparency": 255},
    ],
)
def test_hostile_attributes_do_no_harm(tmp_path, media):
    array = pixels(5, 6) if media["mode"] == "P" else pixels(5, 6, 3)
    write(tmp_path / "a.png", {"": array}, {"": {"media": {"format": "PNG", **media}}})
    assert np.array_equal(read_png(tmp_path / "a.png")[0].read(), array)


def test_large_images(tmp_path, monkeypatch):
    """Above twice this number of pixels, 179 million by default, Pillow would take an image for an attack."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1_000)
    array = np.zeros((40, 60), np.uint8)
    array[7, 9] = 5
    Image.fromarray(array).save(tmp_path / "b.png")
    with pytest.raises(Image.DecompressionBombError):
        Image.open(tmp_path / "b.png")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        write(tmp_path / "a.png", {"": array})
        assert np.array_equal(read_png(tmp_path / "a.png")[0].read(), array)


def test_webp_has_room_for_16383_rows(tmp_path):
    array = np.zeros((16_384, 2, 3), np.uint8)
    with pytest.raises(OutputError, match=r"at most 16383 rows.*write \.png"):
        write(tmp_path / "a.webp", {"": array})
    write(tmp_path / "out", {"a.webp": array}, {"a.webp": {"media": {"format": "WEBP", "mode": "RGB"}}})
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.webp.png"]


def test_a_vast_claim_is_told_in_words(tmp_path):
    header = struct.pack(">IIBBBBB", 2**31 - 1, 2**31 - 1, 8, 2, 0, 0, 0)
    claim = SIGNATURE + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(9))) + chunk(b"IEND", b"")
    (tmp_path / "a.png").write_bytes(claim)
    (source,) = read([tmp_path / "a.png"]).values()
    with pytest.raises(InputError, match="claims more pixels than there is memory for"):
        source.read()
