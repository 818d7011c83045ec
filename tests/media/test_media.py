"""Arrays from and to files: round trips of every format, and nothing written unless all of it is."""

import gzip
import io
import os
import struct
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from codecs_core.container.canonical import pack
from codecs_core.errors import InexactError, InputError, OutputError, TargetError, UnknownKindError
from codecs_core.media import read, safe_path, write

rng = np.random.Generator(np.random.Philox(5))


def pixels(*shape, dtype=np.uint8):
    return rng.integers(0, np.iinfo(dtype).max, shape, dtype=dtype, endpoint=True)


def only(path, **options):
    (source,) = read([path], **options).values()
    return source


def idx(array, code):
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, code, array.ndim, *array.shape) + array.tobytes()


# --- numpy -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "array",
    [np.arange(12).reshape(3, 4), np.float32(3.5) * np.ones(()), np.zeros((0, 3), ">i2"), np.array([True, False])],
)
def test_npy(tmp_path, array):
    np.save(tmp_path / "a.npy", array)
    source = only(tmp_path / "a.npy")
    assert source.name == ""
    assert source.spec.shape == array.shape
    assert source.spec.dtype == array.dtype.name
    write(tmp_path / "b.npy", {"": source.read()})
    assert np.array_equal(np.load(tmp_path / "b.npy"), array)


def test_npy_is_memory_mapped(tmp_path):
    np.save(tmp_path / "a.npy", np.arange(12))
    assert isinstance(only(tmp_path / "a.npy").read(), np.memmap)


def test_npz(tmp_path):
    arrays = {"images": pixels(2, 3, 4), "file": np.arange(3.0), "in/side": np.int16(7) * np.ones((), np.int16)}
    write(tmp_path / "a.npz", arrays)
    sources = read([tmp_path / "a.npz"])
    assert list(sources) == list(arrays)
    with np.load(tmp_path / "a.npz") as held:
        for name, array in arrays.items():
            assert sources[name].spec.shape == array.shape
            assert np.array_equal(sources[name].read(), array)
            assert np.array_equal(held[name], array)
    first = (tmp_path / "a.npz").read_bytes()
    write(tmp_path / "a.npz", arrays)
    assert (tmp_path / "a.npz").read_bytes() == first


def test_compressed_npz_and_older_headers(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", pixels(5, 5))
    assert list(read([tmp_path / "a.npz"])) == ["arr_0"]


@pytest.mark.parametrize("array", [np.array(["a"]), np.array([{}], dtype=object), np.zeros(2, [("a", "u1")])])
@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_what_no_container_holds_is_refused_by_name(tmp_path, array, suffix):
    path = tmp_path / f"a{suffix}"
    (np.save if suffix == ".npy" else np.savez)(path, array)
    with pytest.raises(InputError, match=r"a\.np"):
        read([path])


# --- idx ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize(
    ("code", "dtype"), [(8, ">u1"), (9, ">i1"), (11, ">i2"), (12, ">i4"), (13, ">f4"), (14, ">f8")]
)
def test_idx(tmp_path, zipped, code, dtype):
    array = np.arange(24).reshape(2, 3, 4).astype(dtype)
    path = tmp_path / "images-idx3-ubyte"
    path.write_bytes(gzip.compress(idx(array, code)) if zipped else idx(array, code))
    source = only(path)
    assert source.spec.shape == (2, 3, 4)
    assert source.spec.dtype == array.dtype.name
    assert np.array_equal(source.read(), array)


@pytest.mark.parametrize("change", [lambda b: b[:-1], lambda b: b + b"\0", lambda b: b[:6]])
@pytest.mark.parametrize("zipped", [False, True])
def test_idx_of_a_wrong_length_is_refused(tmp_path, change, zipped):
    data = change(idx(pixels(2, 3), 8))
    path = tmp_path / "a.idx"
    path.write_bytes(gzip.compress(data) if zipped else data)
    with pytest.raises(InputError, match="idx"):
        only(path).read()


def test_a_damaged_gzip_is_refused(tmp_path):
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(idx(pixels(20, 30), 8))[:-12])
    with pytest.raises(InputError):
        only(path).read()


# --- images ------------------------------------------------------------------------------------

IMAGES = [
    ((5, 7), np.uint8, ".png"),
    ((5, 7), np.uint16, ".png"),
    ((5, 7, 2), np.uint8, ".png"),
    ((5, 7, 3), np.uint8, ".png"),
    ((5, 7, 4), np.uint8, ".png"),
    ((5, 7, 3), np.uint8, ".webp"),
    ((5, 7, 4), np.uint8, ".webp"),
    ((5, 7), np.uint8, ".tiff"),
    ((5, 7), np.uint16, ".tif"),
    ((5, 7), np.int32, ".tiff"),
    ((5, 7, 4), np.uint8, ".tiff"),
    ((5, 7, 3), np.uint8, ".bmp"),
    ((5, 7), np.uint8, ".bmp"),
    ((5, 7, 3), np.uint8, ".ppm"),
    ((5, 7), np.uint8, ".pgm"),
    ((5, 7), np.uint16, ".pgm"),
    ((1, 1), np.uint8, ".png"),
]


@pytest.mark.parametrize(("shape", "dtype", "suffix"), IMAGES)
def test_image(tmp_path, shape, dtype, suffix):
    array = pixels(*shape, dtype=dtype)
    path = tmp_path / f"a{suffix}"
    write(path, {"": array})
    source = only(path)
    assert source.spec.shape == shape
    assert source.spec.dtype == np.dtype(dtype).name
    assert source.attrs["media"]["name"] == path.name
    assert np.array_equal(source.read(), array)
    write(tmp_path / "out", {"": array}, {"": source.attrs})
    assert [p.suffix for p in (tmp_path / "out").iterdir()] == [
        {".tiff": ".tif", ".pgm": ".ppm"}.get(suffix, suffix)
    ] or [p.name for p in (tmp_path / "out").iterdir()] == [path.name]


def test_float_tiff(tmp_path):
    array = np.array([[0.1, np.nan], [np.inf, -0.0]], np.float32)
    write(tmp_path / "a.tiff", {"": array})
    assert np.array_equal(only(tmp_path / "a.tiff").read(), array, equal_nan=True)


def test_one_bit(tmp_path):
    array = pixels(9, 13) & 1
    Image.fromarray(array * 255).convert("1").save(tmp_path / "a.png")
    source = only(tmp_path / "a.png")
    assert source.attrs["media"]["mode"] == "1"
    assert source.read().dtype == np.uint8
    assert np.array_equal(source.read(), array)
    write(tmp_path / "b.png", {"": array}, {"": source.attrs})
    with Image.open(tmp_path / "b.png") as image:
        assert image.mode == "1"
    assert np.array_equal(only(tmp_path / "b.png").read(), array)


def everything():
    """Images of every mode that PNG has, with what may stand beside their pixels."""
    colours = Image.fromarray(pixels(9, 7, 3))
    info = PngInfo()
    info.add_text("Title", "ä")
    info.add_itxt("Description", "ü" * 30, zip=True)
    info.add(b"gAMA", (45455).to_bytes(4, "big"))
    info.add(b"cHRM", bytes(range(32)))
    info.add(b"sBIT", b"\5\6\5")
    info.add(b"tIME", bytes([7, 234, 1, 2, 3, 4, 5]))
    srgb = PngInfo()
    srgb.add(b"sRGB", b"\1")
    exif = Image.Exif()
    exif[0x010E], exif[0x0112] = "a field", 6
    return {
        "palette": (colours.quantize(11), {}),
        "palette, one colour transparent": (colours.quantize(11), {"transparency": 3}),
        "palette, some half transparent": (colours.quantize(3), {"transparency": bytes([0, 9, 255])}),
        "palette of one": (Image.new("P", (3, 3)), {}),
        "colour": (colours, {"icc_profile": b"\0" * 128, "exif": exif, "dpi": (72, 300), "pnginfo": info}),
        "srgb": (colours, {"pnginfo": srgb}),
        "colour, one transparent": (colours, {"transparency": (1, 2, 3)}),
        "alpha": (Image.fromarray(pixels(5, 6, 4)), {"dpi": (96, 96)}),
        "grey and alpha": (Image.fromarray(pixels(5, 6, 2)), {}),
        "grey, one transparent": (Image.fromarray(pixels(5, 6)), {"transparency": 9}),
        "bits": (Image.fromarray(pixels(9, 13)).convert("1"), {"transparency": 1}),
        "16 bits": (Image.fromarray(pixels(5, 6, dtype=np.uint16)), {"transparency": 4000}),
    }


@pytest.mark.parametrize("kind", everything())
def test_a_png_comes_back_as_it_was(tmp_path, kind):
    image, options = everything()[kind]
    image.save(tmp_path / "a.png", **options)
    source = only(tmp_path / "a.png")
    write(tmp_path / "out", {"a.png": source.read()}, {"a.png": source.attrs})
    assert only(tmp_path / "out" / "a.png").attrs == source.attrs
    with Image.open(tmp_path / "a.png") as before, Image.open(tmp_path / "out" / "a.png") as after:
        assert np.array_equal(np.asarray(after), np.asarray(before))
        assert (after.mode, after.getpalette(), after.text) == (before.mode, before.getpalette(), before.text)
        assert after.info == before.info
        assert set(options) - {"pnginfo", "exif"} <= set(after.info)
        assert after.getexif() == before.getexif()
    kept = {kind for kind, _ in source.attrs["media"].get("chunks", [])}
    assert kept == {chunk.decode() for chunk, *_ in options["pnginfo"].chunks} if "pnginfo" in options else not kept


def test_a_palette_in_other_formats(tmp_path):
    image = Image.fromarray(pixels(6, 6, 3)).quantize(8)
    for name in ("p.bmp", "p.tiff", "p.gif"):
        image.save(tmp_path / name)
    sources = read([tmp_path])
    write(tmp_path / "out", {n: s.read() for n, s in sources.items()}, {n: s.attrs for n, s in sources.items()})
    assert sorted(os.listdir(tmp_path / "out")) == ["p.bmp", "p.gif.png", "p.tiff"]
    for path in (tmp_path / "out").iterdir():
        with Image.open(path) as back:
            assert back.mode == "P"
            assert np.array_equal(np.asarray(back.convert("RGB")), np.asarray(image.convert("RGB")))
    with pytest.raises(OutputError, match=r"palette; write \.bmp"):
        write(tmp_path / "p.webp", {"": sources["p.bmp"].read()}, {"": sources["p.bmp"].attrs})


def test_density_and_profile_of_other_formats(tmp_path):
    Image.fromarray(pixels(4, 4, 3)).save(tmp_path / "a.jpg", dpi=(300, 150), icc_profile=b"\0" * 128)
    source = only(tmp_path / "a.jpg")
    for target in ("a.png", "a.tiff"):
        write(tmp_path / target, {"": source.read()}, {"": source.attrs})
        with Image.open(tmp_path / target) as back:
            assert [round(float(one)) for one in back.info["dpi"]] == [300, 150]
            assert back.info["icc_profile"] == b"\0" * 128


HOSTILE = [
    {"palette": b"ab"},
    {"palette": bytes(3)},
    {"palette": bytes(3000)},
    {"transparency": -1},
    {"transparency": [1, 2]},
    {"transparency": "x"},
    {"dpi": [float("inf"), 0]},
    {"dpi": ["a", {}]},
    {"chunks": [["IDAT", b"x"], ["gAMA", 4], 7, ["IEND", b""]]},
    {"chunks": {"gAMA": b""}},
    {"icc": "x", "xmp": 4},
]


@pytest.mark.parametrize("more", HOSTILE)
@pytest.mark.parametrize("mode", ["P", "L", "1"])
def test_hostile_metadata_does_no_harm(tmp_path, more, mode):
    array = pixels(5, 5) % 2
    write(tmp_path / "out", {"a.png": array}, {"a.png": {"media": {"format": "PNG", "mode": mode} | more}})
    assert np.array_equal(only(tmp_path / "out" / "a.png").read(), array)


def test_metadata_without_end_is_refused(tmp_path):
    """One file that says too much beside its pixels does not keep the others of a folder from being read."""
    Image.fromarray(pixels(4, 4, 3)).save(tmp_path / "a.tiff", icc_profile=bytes(3_900_000))
    Image.fromarray(pixels(4, 4, 3)).save(tmp_path / "b.tiff", icc_profile=bytes(4_100_000))
    skipped = {}
    kept = read([tmp_path], on_skip=lambda path, e: skipped.setdefault(path.name, str(e)))
    assert list(kept) == ["a.tiff"]
    assert "4100152 bytes beside its values" in skipped["b.tiff"]
    assert len(pack(kept["a.tiff"].attrs)) > 3_900_000


def test_jpeg_and_cmyk_come_back_exactly_in_another_format(tmp_path):
    Image.fromarray(pixels(8, 8, 3)).save(tmp_path / "a.jpg")
    Image.fromarray(pixels(8, 8, 3)).convert("CMYK").save(tmp_path / "c.jpg")
    sources = read([tmp_path])
    write(tmp_path / "out", {n: s.read() for n, s in sources.items()}, {n: s.attrs for n, s in sources.items()})
    back = read([tmp_path / "out"])
    assert list(back) == ["a.jpg.png", "c.jpg.tiff"]
    for one, other in zip(sources.values(), back.values(), strict=True):
        assert np.array_equal(one.read(), other.read())


def test_what_pillow_would_lose_is_refused(tmp_path):
    frames = [Image.fromarray(pixels(4, 4, 3)) for _ in range(2)]
    frames[0].save(tmp_path / "a.webp", save_all=True, append_images=frames[1:], lossless=True)
    with pytest.raises(InexactError, match="2 frames"):
        only(tmp_path / "a.webp")


@pytest.mark.parametrize(
    "content", [b"", b"words, words", b"\x89PNG\r\n\x1a\n", b"PK\x03\x04", b"\x93NUMPY\x01", b"II*\0"]
)
def test_files_that_are_no_arrays(tmp_path, content):
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(InputError, match=r"a\.png"):
        read([tmp_path / "a.png"])


def test_missing_files(tmp_path):
    with pytest.raises(InputError, match="no file"):
        read([tmp_path / "a.png"])


# --- names and folders -------------------------------------------------------------------------


def test_names_of_several_files(tmp_path):
    for folder in ("x", "y"):
        (tmp_path / folder).mkdir()
        np.save(tmp_path / folder / "a.npy", np.arange(3))
    np.savez(tmp_path / "b.npz", u=np.arange(2), v=np.arange(2))
    Image.fromarray(pixels(2, 2)).save(tmp_path / "a.png")
    paths = [tmp_path / "x" / "a.npy", tmp_path / "y" / "a.npy", tmp_path / "a.png", tmp_path / "b.npz", tmp_path / "x"]
    assert list(read(paths)) == ["a.npy", "a-2.npy", "a.png", "b/u", "b/v", "x/a.npy"]


def test_folder(tmp_path):
    (tmp_path / "in" / "deep").mkdir(parents=True)
    for name in ("b.png", "a.png", "deep/c.png"):
        Image.fromarray(pixels(4, 4)).save(tmp_path / "in" / name)
    (tmp_path / "in" / ".hidden").write_text("x")
    sources = read([tmp_path / "in"])
    assert list(sources) == ["a.png", "b.png", "deep/c.png"]
    assert only(tmp_path / "in", stack=True).read().shape == (3, 4, 4)
    write(tmp_path / "out", {n: s.read() for n, s in sources.items()}, {n: s.attrs for n, s in sources.items()})
    again = read([tmp_path / "out"])
    assert list(again) == list(sources)
    assert all(np.array_equal(again[n].read(), sources[n].read()) for n in again)


def test_a_folder_goes_on_past_files_that_cannot_be_read(tmp_path):
    held = io.BytesIO()
    Image.fromarray(pixels(40, 40, 3)).save(held, "PNG")
    (tmp_path / "cut.png").write_bytes(held.getvalue()[:-2000])
    (tmp_path / "good.png").write_bytes(held.getvalue())
    (tmp_path / "words.txt").write_text("words")
    skipped, seen = {}, []
    found = read(
        [tmp_path],
        on_skip=lambda path, error: skipped.setdefault(path.name, type(error)),
        progress=lambda fraction, name: seen.append((fraction, name)),
    )
    assert list(found) == ["good.png"]
    assert skipped == {"cut.png": InputError, "words.txt": UnknownKindError}
    assert seen == [(0, "cut.png"), (1 / 3, "good.png"), (2 / 3, "words.txt")]
    with pytest.raises(InputError, match="cut short"):
        read([tmp_path])


def test_what_is_passed_over_and_what_is_missing(tmp_path):
    np.save(tmp_path / "a.npy", np.arange(3))
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "up").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "loop.png").symlink_to("loop.png")
    (tmp_path / "nowhere.png").symlink_to("gone")
    (tmp_path / "link.npy").symlink_to("a.npy")
    for name in ("words.txt", "mute.png", "photo.HEIC"):
        (tmp_path / name).write_text("words")
    for name in ("empty", "empty.png"):
        (tmp_path / name).touch()
    (tmp_path / "a.tar.gz").write_bytes(gzip.compress(b"words, words"))
    with zipfile.ZipFile(tmp_path / "a.docx", "w") as archive:
        archive.writestr("words", "words")
    (tmp_path / "a.ccf").write_bytes(b"\x89CCF\r\n\x1a\n")
    skipped = {}
    assert list(read([tmp_path], on_skip=lambda path, e: skipped.setdefault(path.name, type(e)))) == [
        "a.npy",
        "link.npy",
    ]
    passed = {name for name, kind in skipped.items() if kind is UnknownKindError}
    assert passed == {"up", "words.txt", "empty", "a.tar.gz", "a.docx", "a.ccf", "photo.HEIC"}
    assert set(skipped) - passed == {"loop.png", "nowhere.png", "mute.png", "empty.png"}


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="the superuser may read it")
def test_a_folder_that_may_not_be_read_is_told(tmp_path):
    np.save(tmp_path / "a.npy", np.arange(3))
    (tmp_path / "locked").mkdir(mode=0)
    skipped = []
    read([tmp_path], on_skip=lambda path, error: skipped.append(str(error)))
    assert len(skipped) == 1
    assert "locked cannot be read" in skipped[0]


def test_the_name_of_a_file_is_told_once(tmp_path):
    Image.fromarray(pixels(2, 2)).save(tmp_path / "ä b.png")
    assert only(tmp_path / "ä b.png").attrs["media"]["name"] == "ä b.png"
    assert "name" not in read([tmp_path])["ä b.png"].attrs["media"]


# --- writing -----------------------------------------------------------------------------------


UPWARDS = ["..", "../a", "a/../b", "/a", "a//b", "a/", ".", "a\\b", "", "x" * 300]
ODD = ["a\0b", "a\nb", "\x1b[31m", "a\u202eb", "\udc80"]
ON_WINDOWS = ["C:a", "NUL", "com1.png", "x/aux.npy", "a.", "a ", "a?", "10:30.png"]


@pytest.mark.parametrize("name", [*UPWARDS, *ODD])
def test_names_that_would_lead_elsewhere_are_refused(tmp_path, name):
    with pytest.raises(OutputError, match="entry name"):
        safe_path(name)
    if name:
        for target in ("out", "out.npz"):
            with pytest.raises(OutputError, match="entry name"):
                write(tmp_path / target, {name: np.arange(3), "b": np.arange(3)})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the names of files are text")
def test_names_that_are_no_text_are_refused(tmp_path):
    file, folder = tmp_path / os.fsdecode(b"a\xff.npy"), tmp_path / os.fsdecode(b"b\xff")
    folder.mkdir()
    np.save(tmp_path / "c.npy", np.arange(3))
    np.save(file, np.arange(3))
    np.save(folder / "d.npy", np.arange(3))
    for paths in ([file], [file, tmp_path / "c.npy"], [folder, tmp_path / "c.npy"]):
        with pytest.raises(InputError, match=r"is no text in UTF-8; rename it"):
            read(paths)
    assert list(read([folder])) == ["d.npy"]


@pytest.mark.parametrize("name", ON_WINDOWS)
def test_names_that_are_none_on_windows(name):
    with pytest.raises(OutputError, match="entry name"):
        safe_path(name, windows=True)
    assert str(safe_path(name, windows=False)) == name


@pytest.mark.parametrize("name", ["a", "a.b.png", "deep/er/ä", "con2", "...a"])
def test_names_that_are_fine(name):
    assert str(safe_path(name)) == name


def test_a_hostile_media_name_leads_nowhere(tmp_path):
    attrs = {"": {"media": {"format": "PNG", "mode": "L", "name": "../../evil.png"}}}
    with pytest.raises(OutputError):
        write(tmp_path / "out", {"": pixels(3, 3)}, attrs)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("media", [3, {"format": 7, "mode": [], "name": {}}, {"format": "PNG", "icc": 5, "exif": "x"}])
def test_attributes_of_other_shapes_are_harmless(tmp_path, media):
    write(tmp_path / "out", {"": pixels(3, 3)}, {"": {"media": media}})
    assert len(list((tmp_path / "out").iterdir())) == 1


@pytest.mark.parametrize(
    ("target", "array"),
    [
        ("a.png", np.zeros((3, 3), np.float32)),
        ("a.png", np.zeros((3, 3, 5), np.uint8)),
        ("a.png", np.zeros((0, 3), np.uint8)),
        ("a.webp", np.zeros((3, 3), np.uint8)),
        ("a.jpg", np.zeros((3, 3, 3), np.uint8)),
        ("a.xyz", np.zeros((3, 3, 3), np.uint8)),
    ],
)
def test_what_a_target_cannot_hold_is_refused(tmp_path, target, array):
    with pytest.raises(TargetError):
        write(tmp_path / target, {"": array})
    assert list(tmp_path.iterdir()) == []


def test_one_array_a_file(tmp_path):
    with pytest.raises(TargetError, match="--entry"):
        write(tmp_path / "a.npy", {"a": np.arange(3), "b": np.arange(3)})


def test_folders_are_new_or_empty(tmp_path):
    (tmp_path / "out").mkdir()
    write(tmp_path / "out", {"a": np.arange(3)})
    with pytest.raises(OutputError, match="not an empty folder"):
        write(tmp_path / "out", {"a": np.arange(4)})
    assert len(np.load(tmp_path / "out" / "a.npy")) == 3
    with pytest.raises(OutputError):
        write(tmp_path / "missing" / "out", {"a": np.arange(4)})


def test_nothing_is_left_of_a_folder_that_failed(tmp_path):
    attrs = {"b": {"media": {"format": "PNG", "mode": "L"}}}
    with pytest.raises(OutputError, match="another entry"):
        write(tmp_path / "out", {"b": pixels(3, 3), "b/c": np.arange(3)}, attrs)
    assert os.listdir(tmp_path) == []


def test_names_that_get_a_suffix_stay_apart(tmp_path):
    Image.fromarray(pixels(3, 3, 3)).save(tmp_path / "a.jpg")
    Image.fromarray(pixels(3, 3, 3)).save(tmp_path / "a.jpg.png")
    np.save(tmp_path / "a.jpg.npy", np.arange(3))
    sources = read([tmp_path])
    attrs = {name: source.attrs for name, source in sources.items()}
    write(tmp_path / "out", ((name, source.read()) for name, source in sources.items()), attrs)
    assert sorted(os.listdir(tmp_path / "out")) == ["a.jpg-2.png", "a.jpg.npy", "a.jpg.png"]


def test_names_that_are_one_where_case_does_not_count(tmp_path, monkeypatch):
    write(tmp_path / "out", {"A.npy": np.arange(3), "a.npy": np.arange(4)})
    assert len(list((tmp_path / "out").iterdir())) == 2
    spelled = Path.open
    monkeypatch.setattr(Path, "open", lambda path, *a: spelled(path.with_name(path.name.lower()), *a))
    with pytest.raises(OutputError, match=r"'a\.npy', which another entry has"):
        write(tmp_path / "other", {"A.npy": np.arange(3), "a.npy": np.arange(4)})
