"""`classic.jpeg`: JPEG files become smaller and come back to the byte; whatever else it is given comes back too."""

import io

import imagecodecs
import numpy as np
import pytest
from codecs_classic.jpeg import PIXELS, PIXELS_A_BYTE, Jpeg, size
from PIL import Image

from codecs_core.arrays import ArraySpec
from codecs_core.errors import CorruptDataError, UnsupportedArrayError

CODEC = Jpeg()


def picture(height=120, width=160, mode="RGB"):
    y, x = np.mgrid[:height, :width]
    colours = np.stack([128 + 90 * np.sin(x / 9 + y / 17), 128 + 80 * np.cos(y / 7), (x * y // 19) % 256], 2)
    return Image.fromarray(colours.astype(np.uint8)).convert(mode)


def jpeg(image=None, **options):
    file = io.BytesIO()
    (image or picture()).save(file, "JPEG", **options)
    return file.getvalue()


def there_and_back(data):
    array = np.frombuffer(data, np.uint8)
    payload = CODEC.encode(array)
    assert CODEC.decode(payload, ArraySpec.of(array)).tobytes() == data
    return payload


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"quality": 30},
        {"progressive": True},
        {"subsampling": 0, "optimize": True},
        {"exif": b"Exif\0\0" + bytes(99)},
    ],
)
def test_a_jpeg_file_becomes_smaller(options):
    data = jpeg(**options)
    payload = there_and_back(data)
    assert payload[0] == 1
    assert len(payload) < 0.97 * len(data)


def test_grey_and_bytes_after_the_image():
    assert there_and_back(jpeg(picture(mode="L")))[0] == 1
    assert there_and_back(jpeg() + b"more" * 50)[0] == 1


@pytest.mark.parametrize(
    "data",
    [
        b"\xff",
        b"words",
        b"\xff\xd8\xff\xe0" + bytes(300),
        jpeg()[:-900],
        jpeg(picture(mode="CMYK")),
        bytes(range(256)) * 9,
    ],
)
def test_what_is_refused_is_stored(data):
    assert there_and_back(data) == b"\0" + data


def test_a_file_that_the_library_would_change_is_stored(monkeypatch):
    """The encoder decodes what it made, and does not trust it."""
    other = jpeg(quality=20)
    monkeypatch.setattr(imagecodecs, "jpegxl_decode_jpeg", lambda *args, **options: other)
    data = jpeg()
    assert CODEC.encode(np.frombuffer(data, np.uint8)) == b"\0" + data


def test_an_image_of_very_few_bytes_is_stored():
    """More pixels than a byte may have would let a small file take much memory."""
    data = jpeg(Image.new("L", (3000, 3000)), quality=1)
    assert PIXELS_A_BYTE * len(data) + PIXELS < 3000 * 3000
    assert there_and_back(data)[0] == 0


@pytest.mark.parametrize("sides", [(8, 8), (1, 1), (256, 256), (300, 400), (257, 9), (9, 5000), (480, 640), (100, 200)])
def test_the_size_is_read_as_the_library_reads_it(sides):
    stream = bytes(imagecodecs.jpegxl_encode_jpeg(jpeg(picture(*sides))))
    assert size(stream) == sides


def test_a_file_is_one_chunk():
    assert CODEC.default_chunk(ArraySpec((1 << 28,), "uint8")) == 1 << 28
    for array in (np.zeros((3, 3), np.uint8), np.zeros(3, np.uint16)):
        with pytest.raises(UnsupportedArrayError):
            CODEC.encode(array)


def test_damage():
    data = np.frombuffer(jpeg(), np.uint8)
    payload, spec = CODEC.encode(data), ArraySpec.of(data)
    at = payload.index(b"\xff\x0a") + 2
    huge = payload[:at] + b"\xfe\xff\xff\xff\x01" + payload[at + 5 :]
    more = CODEC.encode(np.frombuffer(jpeg(quality=95), np.uint8))
    for wrong in (b"", b"\2" + payload[1:], payload[:-50], b"\1words", b"\1", huge, more, payload[1:]):
        with pytest.raises(CorruptDataError):
            CODEC.decode(wrong, spec)
