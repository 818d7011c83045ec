"""TIFF files: what tifffile and Pillow write comes back with the same values and the same tags."""

import struct
import warnings

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from PIL import Image

from codecs_core.errors import InexactError, InputError, OutputError
from codecs_core.media import read, write
from codecs_core.media.directories import Directories
from codecs_core.media.source import Part
from codecs_core.media.tiff import read_tiff
from codecs_core.media.tiff_writing import write_tiff

rng = np.random.Generator(np.random.Philox(14))


def values(dtype, *shape):
    dtype = np.dtype(dtype)
    if dtype.kind in "iu":
        return rng.integers(np.iinfo(dtype).min, np.iinfo(dtype).max, shape, dtype=dtype, endpoint=True)
    found = rng.normal(size=shape)
    return (found + 1j * rng.normal(size=shape) if dtype.kind == "c" else found).astype(dtype)


def tags(path):
    """All tags but those that say where the pixels lie."""
    with path.open("rb") as file:
        tree = Directories(file, path.name)
        places = {273, 279, 324, 325}
        return [
            {code: (tag.type, tree.raw(tag)) for code, tag in one.items() if code not in places} for one in tree.chain
        ]


def check_round_trip(path):
    """The sources of a file; it is written again through a folder, and tifffile reads the same of both."""
    folder = path.parent / "out"
    sources = read([path])
    names = {f"{path.name}/{name}" if name else path.name: source for name, source in sources.items()}
    write(folder, ((n, s.read()) for n, s in names.items()), {n: s.attrs for n, s in names.items()})
    (out,) = folder.iterdir()
    assert out.name == path.name
    assert tags(out) == tags(path)
    with tifffile.TiffFile(path) as before, tifffile.TiffFile(out) as after:
        assert len(before.pages) == len(after.pages)
        for one, other in zip(before.pages, after.pages, strict=True):
            assert one.asarray().tobytes() == other.asarray().tobytes()
    same = out.read_bytes() == path.read_bytes()
    out.unlink()
    folder.rmdir()
    return list(sources.values()), same


def check_as_tifffile(source, path):
    array, expected = source.read(), tifffile.imread(path)
    assert source.spec.shape == array.shape == expected.shape
    assert source.spec.dtype == array.dtype.name == expected.dtype.name
    assert array.tobytes() == expected.astype(array.dtype).tobytes()


DTYPES = ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8", "c8", "c16"]


@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from(DTYPES),
    st.integers(1, 5),
    st.booleans(),
    st.booleans(),
    st.sampled_from([None, "zlib", "lzw", "zstd", "packbits", "lzma"]),
    st.sampled_from("<>"),
    st.booleans(),
    st.booleans(),
    st.tuples(st.integers(1, 40), st.integers(1, 40)),
)
def test_every_way_to_lay_pixels(tmp_path, dtype, bands, planar, tiled, compression, order, predictor, big, size):
    assume(not predictor or (compression in ("zlib", "lzw", "zstd", "lzma") and dtype not in ("u8", "i8", "c8", "c16")))
    shape = size if bands == 1 else ((bands, *size) if planar else (*size, bands))
    options = {"planarconfig": "separate" if planar else "contig"} if bands > 1 else {}
    path = tmp_path / "a.tif"
    tifffile.imwrite(
        path,
        values(dtype, *shape),
        photometric="minisblack",
        tile=(16, 32) if tiled else None,
        rowsperstrip=None if tiled else 7,
        compression=compression,
        predictor=predictor,
        byteorder=order,
        bigtiff=big,
        metadata=None,
        **options,
    )
    (source,), same = check_round_trip(path)
    expected = tifffile.imread(path)
    assert source.read().tobytes() == expected.astype(expected.dtype.newbyteorder("=")).tobytes()
    assert source.spec.dtype == expected.dtype.name
    if compression is None:
        assert same


BANDS = {
    "rgb and near infrared": ((5, 7, 4), {"photometric": "rgb", "extrasamples": ["unspecified"]}),
    "grey and one more": ((5, 7, 2), {"photometric": "minisblack", "planarconfig": "contig"}),
    "cmyk and a spot colour": ((5, 7, 5), {"photometric": "separated", "extrasamples": ["unspecified"]}),
    "rgba, alpha multiplied in": ((5, 7, 4), {"photometric": "rgb", "extrasamples": ["assocalpha"]}),
    "planes": ((3, 5, 7), {"photometric": "rgb", "planarconfig": "separate"}),
    "five": ((5, 7, 5), {"photometric": "minisblack", "planarconfig": "contig"}),
}


@pytest.mark.parametrize("kind", BANDS)
@pytest.mark.parametrize("dtype", ["u1", "u2", "f4"])
def test_every_band(tmp_path, kind, dtype):
    shape, options = BANDS[kind]
    tifffile.imwrite(tmp_path / "a.tif", values(dtype, *shape), **options)
    (source,), same = check_round_trip(tmp_path / "a.tif")
    check_as_tifffile(source, tmp_path / "a.tif")
    assert same


@pytest.mark.parametrize("dtype", ["u1", "u2"])
def test_white_is_zero_stays_as_it_is_stored(tmp_path, dtype):
    array = values(dtype, 5, 7)
    tifffile.imwrite(tmp_path / "a.tif", array, photometric="miniswhite")
    (source,), _ = check_round_trip(tmp_path / "a.tif")
    assert np.array_equal(source.read(), array)
    assert tags(tmp_path / "a.tif")[0][262] == (3, struct.pack("<H", 0))


STACKS = {
    "plain": {"metadata": None},
    "tifffile": {},
    "ImageJ": {"imagej": True},
    "one directory": {"truncate": True},
    "OME": {"ome": True, "metadata": {"axes": "TZCYX"}},
    "compressed": {"compression": "zlib", "predictor": True},
}


@pytest.mark.parametrize("kind", STACKS)
def test_a_stack_is_one_array(tmp_path, kind):
    array = values("u2", 2, 3, 4, 6, 5)
    tifffile.imwrite(tmp_path / "a.tif", array, photometric="minisblack", **STACKS[kind])
    (source,), same = check_round_trip(tmp_path / "a.tif")
    assert source.spec.shape == ((24, 6, 5) if kind == "plain" else array.shape)
    assert source.read().tobytes() == array.tobytes()
    assert same or kind == "compressed"


@pytest.mark.parametrize("truncate", [False, True])
def test_two_descriptions_are_kept(tmp_path, truncate):
    """tifffile adds its own to the one it is given."""
    array = values("u2", 2, 3, 6, 5)
    options = {"photometric": "minisblack", "truncate": truncate}
    tifffile.imwrite(tmp_path / "a.tif", array, description="a cell, seen twice", **options)
    (source,), same = check_round_trip(tmp_path / "a.tif")
    assert source.read().tobytes() == array.tobytes()
    assert source.spec.shape == array.shape
    assert same


def test_only_text_may_be_there_twice(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", values("u1", 6, 5), description="one", software="two")
    data = bytearray((tmp_path / "a.tif").read_bytes())
    with (tmp_path / "a.tif").open("rb") as file:
        tags = Directories(file, "a").chain[0]
    data[tags[257].entry : tags[257].entry + 2] = data[tags[256].entry : tags[256].entry + 2]
    (tmp_path / "a.tif").write_bytes(data)
    with pytest.raises(InputError, match="tag 256 twice"):
        read_tiff(tmp_path / "a.tif")


def test_tags_of_geography_and_microscopy(tmp_path):
    """They are there because every byte that is not a pixel is."""
    geo = [
        (33550, 12, 3, (0.5, 0.5, 0.0), True),
        (33922, 12, 6, (0.0, 0.0, 0.0, 440720.0, 3751320.0, 0.0), True),
        (34735, 3, 8, (1, 1, 0, 1, 1024, 0, 1, 1), True),
        (42113, 2, 0, "-9999", True),
        (65000, 7, 5, b"\0\1\2\3\4", True),
    ]
    tifffile.imwrite(
        tmp_path / "a.tif", values("f4", 50, 40), compression="zlib", tile=(16, 16), extratags=geo, software="x y"
    )
    check_round_trip(tmp_path / "a.tif")


def test_exif_of_a_compressed_file(tmp_path):
    """A directory of its own, which nothing but a number points to."""
    path = tmp_path / "a.tif"
    more = [(271, 2, 0, "Maker", True), (274, 3, 1, 6, True), (65000, 4, 1, 0, True)]
    tifffile.imwrite(path, values("u1", 19, 18, 3), compression="lzw", photometric="rgb", extratags=more)
    at, when = path.stat().st_size, b"2026:01:02 03:04:05\0"
    with path.open("ab") as file:
        file.write(struct.pack("<HHHIII", 1, 0x9003, 2, 20, at + 18, 0) + when)
    change(path, 65000, struct.pack("<I", at))
    rename(path, 65000, 34665)
    (source,), _ = check_round_trip(path)
    assert source.spec.shape == (19, 18, 3)
    write(tmp_path / "again.tif", {"": source.read()}, {"": source.attrs})
    with Image.open(tmp_path / "again.tif") as image:
        assert image.getexif()[0x0112] == 6
        assert image.getexif().get_ifd(0x8769)[0x9003] == when[:-1].decode()


def test_profile_and_density_in_another_format(tmp_path):
    image = Image.fromarray(values("u1", 6, 7, 3))
    image.save(tmp_path / "a.tif", icc_profile=b"profile" * 20, dpi=(300, 150), compression="tiff_lzw")
    (source,) = read([tmp_path / "a.tif"]).values()
    write(tmp_path / "a.png", {"": source.read()}, {"": source.attrs})
    with Image.open(tmp_path / "a.png") as held:
        assert held.info["icc_profile"] == b"profile" * 20
        assert [round(one) for one in held.info["dpi"]] == [300, 150]


def test_counts_that_are_missing(tmp_path):
    """One uncompressed strip needs no count; where there are several, nothing says how long they are."""
    for name, options in (("a.tif", {}), ("b.tif", {"tile": (16, 16)}), ("c.tif", {"rowsperstrip": 5})):
        tifffile.imwrite(tmp_path / name, values("u1", 20, 20), metadata=None, **options)
        rename(tmp_path / name, 325 if "tile" in options else 279, 65000)
    check_round_trip(tmp_path / "a.tif")
    for name in ("b.tif", "c.tif"):
        with pytest.raises(InexactError, match="how many bytes"):
            read_tiff(tmp_path / name)


def test_overviews_and_masks_are_members(tmp_path):
    path = tmp_path / "cog.tif"
    with tifffile.TiffWriter(path) as out:
        options = {"tile": (16, 16), "compression": "zlib", "photometric": "rgb"}
        out.write(values("u1", 64, 64, 3), **options)
        out.write(values("u1", 32, 32, 3), subfiletype=1, **options)
        out.write(values("u1", 16, 16, 3), subfiletype=1, **options)
        out.write(values("u1", 64, 64) > 99, tile=(16, 16), compression="zlib", subfiletype=4, photometric=4)
    sources, _ = check_round_trip(path)
    assert [source.attrs["media"]["member"] for source in sources] == ["image", "overview-1", "overview-2", "mask"]
    assert [source.spec.shape for source in sources] == [(64, 64, 3), (32, 32, 3), (16, 16, 3), (64, 64)]
    names = {source.name: source for source in sources}
    write(tmp_path / "again.tif", {n: s.read() for n, s in names.items()}, {n: s.attrs for n, s in names.items()})
    assert tags(tmp_path / "again.tif") == tags(path)


def test_images_of_several_sizes_are_members(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as out:
        out.write(values("u1", 8, 9), metadata=None)
        out.write(values("u2", 8, 9), metadata=None)
    sources, same = check_round_trip(tmp_path / "a.tif")
    assert [(source.name, source.spec.dtype) for source in sources] == [("image-1", "uint8"), ("image-2", "uint16")]
    assert same


def test_compressed_images_beside_others(tmp_path):
    """They lie one behind the other, and none takes the place of another when it is packed again."""
    with tifffile.TiffWriter(tmp_path / "a.tif") as out:
        for compression in (None, "zlib", None, "lzw"):
            out.write(values("u2", 9, 8), compression=compression, metadata=None)
        out.write(values("u1", 9, 8) > 99, metadata=None)
        out.write(values("u2", 9, 8), metadata=None)
    sources, _ = check_round_trip(tmp_path / "a.tif")
    assert len(sources) == 6


@pytest.mark.parametrize("mode", ["1", "P", "CMYK", "LA", "RGBA", "F", "I"])
@pytest.mark.parametrize("compression", [None, "tiff_lzw", "tiff_adobe_deflate", "packbits"])
def test_what_pillow_writes(tmp_path, mode, compression):
    colours = Image.fromarray(values("u1", 13, 11, 3))
    image = colours.quantize(9) if mode == "P" else colours.convert(mode)
    image.save(tmp_path / "a.tif", compression=compression)
    (source,), _ = check_round_trip(tmp_path / "a.tif")
    with Image.open(tmp_path / "a.tif") as held:
        assert np.array_equal(source.read(), np.asarray(held))
    if mode == "P":
        write(tmp_path / "a.png", {"": source.read()}, {"": source.attrs})
        with Image.open(tmp_path / "a.png") as held:
            assert np.array_equal(np.asarray(held.convert("RGB")), np.asarray(image.convert("RGB")))


def write_inexact(path, kind):
    image = Image.fromarray(values("u1", 16, 16, 3))
    match kind:
        case "JPEG":
            image.save(path, compression="jpeg")
        case "CCITT":
            image.convert("1").save(path, compression="group4")
        case "SubIFDs":
            with tifffile.TiffWriter(path) as out:
                out.write(values("u1", 16, 16), subifds=1)
                out.write(values("u1", 8, 8), subfiletype=1)
        case "smaller version":
            tifffile.imwrite(path, values("u1", 16, 16), subfiletype=1)
        case "FillOrder":
            tifffile.imwrite(path, values("u1", 16, 16), extratags=[(65000, 3, 1, 2, True)])
            rename(path, 65000, 266)
        case "leaves out":
            tifffile.imwrite(path, np.zeros((16, 16), "u1"))
            change(path, 279, struct.pack("<I", 0))


def change(path, code, packed):
    """Other bytes for the value of a tag of a little-endian file."""
    with path.open("r+b") as file:
        tag = Directories(file, path.name).chain[0][code]
        file.seek(tag.at)
        file.write(packed)


def rename(path, code, other):
    """Another number for a tag of a little-endian file."""
    with path.open("r+b") as file:
        file.seek(Directories(file, path.name).chain[0][code].entry)
        file.write(struct.pack("<H", other))


@pytest.mark.parametrize("kind", ["JPEG", "CCITT", "SubIFDs", "smaller version", "FillOrder", "leaves out"])
def test_what_cannot_be_given_back_is_named(tmp_path, kind):
    write_inexact(tmp_path / "a.tif", kind)
    with pytest.raises(InexactError, match=kind):
        read_tiff(tmp_path / "a.tif")


def test_pixels_that_share_bytes_are_refused(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", values("u1", 16, 16), rowsperstrip=8)
    with (tmp_path / "a.tif").open("rb") as file:
        tree = Directories(file, "a")
        at = tree.values(tree.chain[0], 273)[0]
    change(tmp_path / "a.tif", 273, struct.pack("<II", at, at))
    with pytest.raises(InexactError, match="share"):
        read_tiff(tmp_path / "a.tif")
    change(tmp_path / "a.tif", 273, struct.pack("<II", at, 8))
    with pytest.raises(InexactError, match="share"):
        read_tiff(tmp_path / "a.tif")


def test_tags_that_share_bytes_with_places_are_refused(tmp_path):
    """Where pixels lie may change, and nothing else may change with it."""
    tifffile.imwrite(tmp_path / "a.tif", values("u1", 16, 16), rowsperstrip=8, compression="zlib")
    with (tmp_path / "a.tif").open("r+b") as file:
        tags = Directories(file, "a").chain[0]
        file.seek(tags[282].entry + 8)
        file.write(struct.pack("<I", tags[273].at))
    with pytest.raises(InexactError, match="share"):
        read_tiff(tmp_path / "a.tif")


@pytest.mark.parametrize("what", ["cut", "circle", "claim", "strip"])
def test_damage(tmp_path, what):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, values("u1", 64, 64), compression="zlib", metadata=None)
    data = bytearray(path.read_bytes())
    with path.open("rb") as file:
        tree = Directories(file, "a")
    start = int.from_bytes(data[4:8], "little")
    end = start + 2 + 12 * len(tree.chain[0])
    if what == "cut":
        del data[-500:]
    elif what == "circle":
        data[end : end + 4] = struct.pack("<I", start)
    elif what == "claim":
        tag = tree.chain[0][257]
        data[tag.at : tag.at + 4] = struct.pack("<I", 1 << 30)
    else:
        data[-900:] = bytes(900)
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"damaged|no memory"):
        parts_of(path)


def parts_of(path):
    return [Part(name=s.name, array=s.read(), attrs=s.attrs) for s in read_tiff(path)]


def test_pixels_that_no_longer_fit_go_to_the_end(tmp_path):
    """Noise written into the file of something that was easy to compress."""
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((64, 64), "u2"), compression="zlib", rowsperstrip=16)
    (part,) = parts_of(tmp_path / "a.tif")
    noise = values("u2", 64, 64)
    attrs = {"media": {**part.media, "gaps": [1 << 40]}}
    with pytest.raises(OutputError):  # so much more that it is no such file any more
        write_tiff(tmp_path / "b.tif", [Part(name="", array=noise, attrs=attrs)])
    write_tiff(tmp_path / "b.tif", [Part(name="", array=noise, attrs=part.attrs)])
    assert np.array_equal(tifffile.imread(tmp_path / "b.tif"), noise)
    assert tags(tmp_path / "b.tif") == tags(tmp_path / "a.tif")


@pytest.mark.parametrize("strips", [1, 4])
def test_counts_that_outgrow_their_type(tmp_path, strips):
    """Short counts of bytes become long ones."""
    tifffile.imwrite(
        tmp_path / "a.tif", np.zeros((256, 512), "u2"), compression="zlib", rowsperstrip=256 // strips, metadata=None
    )
    with (tmp_path / "a.tif").open("r+b") as file:
        tag = Directories(file, "a").chain[0][279]
        counts = struct.unpack(f"<{strips}I", Directories(file, "a").raw(tag)) if tag.type == 4 else None
        if counts:
            file.seek(tag.entry + 2)
            file.write(struct.pack("<H", 3))
            file.seek(tag.at)
            file.write(struct.pack(f"<{strips}H", *counts).ljust(4 * strips, b"\0"))
    (part,) = parts_of(tmp_path / "a.tif")
    noise = values("u2", 256, 512)
    write_tiff(tmp_path / "b.tif", [Part(name="", array=noise, attrs=part.attrs)])
    assert np.array_equal(tifffile.imread(tmp_path / "b.tif"), noise)


def test_an_edited_geotiff_says_so(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((64, 64), "u1"), compression="lzw", tile=(16, 16), metadata=None)
    data = (tmp_path / "a.tif").read_bytes()
    ghost = b"GDAL_STRUCTURAL_METADATA_SIZE=000140 bytes\nLAYOUT=IFDS_BEFORE_DATA\nKNOWN_INCOMPATIBLE_EDITION=NO\n "
    start = int.from_bytes(data[4:8], "little")
    with (tmp_path / "a.tif").open("rb") as file:
        tree = Directories(file, "a")
    # The directory goes to the end, and the ghost area to where it was: behind the header.
    moved = bytearray(data + data[start : start + 6 + 12 * len(tree.chain[0])])
    moved[4:8] = struct.pack("<I", len(data))
    assert start == 8
    assert 6 + 12 * len(tree.chain[0]) >= len(ghost)
    moved[8 : 8 + len(ghost)] = ghost
    (tmp_path / "a.tif").write_bytes(moved)
    (part,) = parts_of(tmp_path / "a.tif")
    write_tiff(tmp_path / "b.tif", [Part(name="", array=values("u1", 64, 64), attrs=part.attrs)])
    assert b"KNOWN_INCOMPATIBLE_EDITION=YES\n" in (tmp_path / "b.tif").read_bytes()[:200]


HOSTILE = [
    {"template": []},
    {"template": "x", "gaps": []},
    {"template": [b"II*\0", b""], "gaps": [5]},
    {"template": [b"", b""], "gaps": [-1]},
    {"template": [b"II*\0\x08\0\0\0\0\0\0\0\0\0", b""], "gaps": [4]},
    {"template": [b"words", b""], "gaps": [1 << 62]},
    {"file": 3},
    {"gaps": None},
]


@pytest.mark.parametrize("more", HOSTILE)
def test_hostile_attributes(tmp_path, more):
    tifffile.imwrite(tmp_path / "a.tif", values("u1", 6, 7), compression="zlib")
    (part,) = parts_of(tmp_path / "a.tif")
    with pytest.raises(OutputError):
        write_tiff(tmp_path / "b.tif", [Part(name="", array=part.array, attrs={"media": {**part.media, **more}})])


@pytest.mark.parametrize("array", [values("u1", 5, 7), values("u1", 6, 8), values("u2", 6, 7), values("u1", 2, 6, 7)])
def test_an_array_of_another_file(tmp_path, array):
    tifffile.imwrite(tmp_path / "a.tif", values("u1", 6, 7))
    (part,) = parts_of(tmp_path / "a.tif")
    with pytest.raises(OutputError, match=r"write \.npy"):
        write_tiff(tmp_path / "b.tif", [Part(name="", array=array, attrs=part.attrs)])


ARRAYS = [("u2", (5, 7, 3)), ("u2", (5, 7, 4)), ("f8", (5, 7)), ("f4", (5, 7, 3)), ("i1", (3, 5, 7)), ("u1", (9, 5, 7))]


@pytest.mark.parametrize(("dtype", "shape"), ARRAYS)
def test_arrays_that_came_from_elsewhere(tmp_path, dtype, shape):
    array = values(dtype, *shape)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        write(tmp_path / "a.tif", {"": array})
    assert np.array_equal(tifffile.imread(tmp_path / "a.tif"), array)
    (source,) = read([tmp_path / "a.tif"]).values()
    assert np.array_equal(source.read(), array)


@pytest.mark.parametrize("way", ["lzw", "zstd", "packbits"])
def test_a_missing_library_is_named(tmp_path, way, monkeypatch):
    tifffile.imwrite(tmp_path / "a.tif", values("u1", 6, 7), compression=way)
    monkeypatch.setitem(__import__("sys").modules, "imagecodecs", None)
    with pytest.raises(InputError, match=r"pip install 'codecs-core\[images\]'"):
        read_tiff(tmp_path / "a.tif")[0].read()
