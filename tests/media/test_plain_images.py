"""BMP, PBM, PGM and PPM come back identical to the byte; animations and the like are told; names stay."""

import io
import struct

import imagecodecs
import numpy as np
import pytest
from PIL import Image

from codecs_core.errors import InexactError, InputError, OutputError
from codecs_core.media import read, write
from codecs_core.media.bmp import read_bmp
from codecs_core.media.coded import read_coded
from codecs_core.media.netpbm import read_netpbm
from codecs_core.media.pillow import read_image

rng = np.random.Generator(np.random.Philox(16))


def pixels(*shape, dtype=np.uint8):
    return rng.integers(0, np.iinfo(dtype).max, shape, dtype=dtype, endpoint=True)


def check_identical(path):
    """The array of a file, which comes back as the same bytes, from a folder and by itself."""
    (source,) = read([path]).values()
    array = source.read()
    assert (array.shape, array.dtype.name) == (source.spec.shape, source.spec.dtype)
    write(path.parent / "out", {path.name: array}, {path.name: source.attrs})
    write(path.parent / f"again{path.suffix}", {"": array}, {"": source.attrs})
    assert (path.parent / "out" / path.name).read_bytes() == path.read_bytes()
    assert (path.parent / f"again{path.suffix}").read_bytes() == path.read_bytes()
    return array


@pytest.mark.parametrize("width", [1, 5, 8, 33])
@pytest.mark.parametrize("mode", ["1", "L", "RGB", "P", "P4"])
def test_bmp(tmp_path, mode, width):
    image = Image.fromarray(pixels(9, width, 3))
    image = image.quantize(11) if mode[0] == "P" else image.convert(mode)
    image.save(tmp_path / "a.bmp", **({"bits": 4} if mode == "P4" else {}))
    assert np.array_equal(check_identical(tmp_path / "a.bmp"), np.asarray(Image.open(tmp_path / "a.bmp")))


def test_bmp_of_four_bytes_and_from_the_top(tmp_path):
    array = pixels(3, 5, 4)
    head = struct.pack("<2sIHHIIiiHHIIiiII", b"BM", 0, 7, 8, 60, 40, 5, -3, 1, 32, 0, 0, 1, 2, 0, 0) + b"beside"
    (tmp_path / "a.bmp").write_bytes(head + array[..., [2, 1, 0, 3]].tobytes() + b"behind")
    assert np.array_equal(check_identical(tmp_path / "a.bmp"), array)


def test_bmp_that_cannot_be_given_back(tmp_path):
    Image.fromarray(pixels(3, 5, 3)).save(tmp_path / "a.bmp")
    data = bytearray((tmp_path / "a.bmp").read_bytes())
    data[-1] = 7
    (tmp_path / "a.bmp").write_bytes(data)
    with pytest.raises(InexactError, match="between its rows"):
        read_bmp(tmp_path / "a.bmp")
    data[28] = 16
    (tmp_path / "a.bmp").write_bytes(data)
    with pytest.raises(InexactError, match="16 bits"):
        read_bmp(tmp_path / "a.bmp")
    (tmp_path / "a.bmp").write_bytes(data[:70])
    data[28] = 24
    (tmp_path / "a.bmp").write_bytes(data[:70])
    with pytest.raises(InputError, match="damaged"):
        read_bmp(tmp_path / "a.bmp")


NETPBM = {
    "pgm": (b"P5\n3 2\n255\n", pixels(2, 3)),
    "comments": (b"P5 # of\n#a\n 3\t2 # more\n255\n", pixels(2, 3)),
    "a thousand": (b"P5 3 2 1000\n", pixels(2, 3).astype(">u2")),
    "16 bits": (b"P5 3 2 65535\n", pixels(2, 3, dtype=np.uint16).astype(">u2")),
    "ppm": (b"P6 3 2 255\n", pixels(2, 3, 3)),
    "ppm of 16 bits": (b"P6 3 2 65535\n", pixels(2, 3, 3, dtype=np.uint16).astype(">u2")),
}


@pytest.mark.parametrize("kind", NETPBM)
def test_netpbm(tmp_path, kind):
    head, array = NETPBM[kind]
    (tmp_path / "a.ppm").write_bytes(head + array.tobytes() + b"behind")
    assert np.array_equal(check_identical(tmp_path / "a.ppm"), array)


@pytest.mark.parametrize("width", [1, 7, 8, 9])
def test_pbm(tmp_path, width):
    Image.fromarray(pixels(5, width)).convert("1").save(tmp_path / "a.pbm")
    assert np.array_equal(check_identical(tmp_path / "a.pbm"), np.asarray(Image.open(tmp_path / "a.pbm")))


def test_netpbm_that_cannot_be_given_back(tmp_path):
    for content, why, error in [
        (b"P3 1 1 255\n1 2 3\n", "decimal", InexactError),
        (b"P4 1 1\n\xff", "behind its last column", InexactError),
        (b"P5 0 1 255\n", "damaged", InputError),
        (b"P5 9 9 255\nshort", "damaged", InputError),
        (b"P5 words", "damaged", InputError),
        (b"P5 1# is this 1 or 14?\n4 255\n" + bytes(4), "damaged", InputError),
    ]:
        (tmp_path / "a.ppm").write_bytes(content)
        with pytest.raises(error, match=why):
            read_netpbm(tmp_path / "a.ppm")


@pytest.mark.parametrize("suffix", [".bmp", ".ppm"])
@pytest.mark.parametrize("more", [{"template": 3}, {"template": [b"", b""]}, {"template": [b"x" * 99]}])
def test_hostile_templates(tmp_path, suffix, more):
    Image.fromarray(pixels(4, 4, 3)).save(tmp_path / f"a{suffix}")
    (source,) = read([tmp_path / f"a{suffix}"]).values()
    media = source.attrs["media"] | more
    with pytest.raises(OutputError):
        write(tmp_path / "out", {"a": source.read()}, {"a": {"media": media}})
    for wrong in (pixels(4, 5, 3), pixels(4, 4), pixels(4, 4, 3, dtype=np.uint16)):
        with pytest.raises(OutputError):
            write(tmp_path / "out", {"a": wrong}, {"a": source.attrs})


def test_animations_and_two_pictures(tmp_path):
    frames = [Image.fromarray(pixels(4, 4, 3)) for _ in range(3)]
    for name in ("a.gif", "a.webp", "a.png", "a.mpo"):
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:])
        with pytest.raises(InexactError, match=r"frames|animation"):
            read([tmp_path / name])


def test_a_webp_with_something_else_in_it(tmp_path):
    held = io.BytesIO()
    Image.fromarray(pixels(4, 4, 3)).save(held, "WEBP", lossless=True, exact=True, exif=b"Exif\0\0MM")
    data = held.getvalue() + b"odd \2\0\0\0xy"
    (tmp_path / "a.webp").write_bytes(data[:4] + struct.pack("<I", len(data) - 8) + data[8:])
    with pytest.raises(InexactError, match="odd"):
        read_image(tmp_path / "a.webp")
    (tmp_path / "a.webp").write_bytes(held.getvalue() + b"more")
    with pytest.raises(InexactError, match="behind its end"):
        read_image(tmp_path / "a.webp")


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("suffix", [".jp2", ".jxl"])
def test_pixels_of_jpeg_2000_and_jpeg_xl(tmp_path, suffix, dtype):
    array = pixels(9, 8, 3, dtype=dtype)
    if suffix == ".jp2":
        data = imagecodecs.jpeg2k_encode(array, reversible=True, level=0)
    else:
        data = imagecodecs.jpegxl_encode(array, lossless=True)
    (tmp_path / f"a{suffix}").write_bytes(data)
    (source,) = read([tmp_path / f"a{suffix}"]).values()
    assert np.array_equal(source.read(), array)
    write(tmp_path / "out", {f"a{suffix}": array}, {f"a{suffix}": source.attrs})
    (out,) = (tmp_path / "out").iterdir()
    assert out.name == f"a{suffix}.png"
    assert np.array_equal(next(iter(read([out]).values())).read(), array)


def test_pixels_of_avif(tmp_path):
    Image.fromarray(pixels(9, 8, 3)).save(tmp_path / "a.avif")
    assert read_coded(tmp_path / "a.avif")[0].read().shape == (9, 8, 3)
    (tmp_path / "a.avif").write_bytes((tmp_path / "a.avif").read_bytes()[:60])
    with pytest.raises(InputError, match="cannot be read"):
        read_coded(tmp_path / "a.avif")


@pytest.mark.parametrize("name", ["photo", "photo.jpg", "photo.png", "photo.backup"])
def test_a_file_comes_back_under_its_name(tmp_path, name):
    (tmp_path / "in").mkdir()
    Image.fromarray(pixels(4, 4, 3)).save(tmp_path / "in" / name, "PNG")
    sources = read([tmp_path / "in"])
    write(tmp_path / "out", {n: s.read() for n, s in sources.items()}, {n: s.attrs for n, s in sources.items()})
    assert [path.name for path in (tmp_path / "out").iterdir()] == [name]


@pytest.mark.parametrize("suffix", [".png", ".webp", ".tif", ".jxl"])
def test_a_missing_library_is_named(tmp_path, suffix, monkeypatch):
    content = {".png": b"", ".webp": b"", ".tif": b"", ".jxl": b"\xff\x0a"}[suffix]
    if not content:
        Image.fromarray(pixels(4, 4, 3)).save(tmp_path / f"a{suffix}", lossless=True, compression="tiff_lzw")
    else:
        (tmp_path / f"a{suffix}").write_bytes(content)
    for library in ("PIL", "imagecodecs", "tifffile"):
        monkeypatch.setitem(__import__("sys").modules, library, None)
    with pytest.raises(InputError, match=r"pip install 'codecs-core\[images\]'"):
        next(iter(read([tmp_path / f"a{suffix}"]).values())).read()
