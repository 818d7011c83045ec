"""What comes back of a folder: each row of the table in docs/how-to/archives.md, and the sentences around it.

A case makes the files of a row in a folder. A row that says "identical" is compared byte by byte; any other has a function that
compares what went in with what came out.
"""

import gzip
import io
import os
import re
import socket
import stat
import struct
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import h5py
import imagecodecs
import nibabel
import numpy as np
import pydicom
import pytest
import tifffile
import xarray as xr
import zarr
from numcodecs import Quantize
from PIL import Image
from pydicom.uid import ExplicitVRBigEndian
from safetensors.numpy import save_file
from scipy.io import wavfile
from typer.testing import CliRunner

import codecs_core as cc
from codecs_core.cli.app import app
from codecs_core.errors import InputError
from codecs_core.media import Source, reading

from .test_dicom import write_dicom
from .test_hdf5 import everything as everything_in_hdf5
from .test_hdf5 import odd_chunks
from .test_wav import wav

PAGE = Path(__file__).parents[2] / "docs/how-to/archives.md"
ROWS = dict(re.findall(r"^\| (.+?) \| (.+?) \|$", PAGE.read_text("utf-8"), re.MULTILINE)[1:])
CASES = {}
rng = np.random.Generator(np.random.Philox(14))
posix = pytest.mark.skipif(os.name != "posix", reason="there are no such files there")


def codecs(*args):
    """Run the verbs in this process."""
    return CliRunner().invoke(app, [str(a) for a in args], prog_name="codecs")


def case(row, check=None):
    """A function that makes the files of a row; `check(before, after)` compares two folders."""

    def register(make):
        CASES[row] = make, check
        return make

    return register


def pixels(*shape):
    return (rng.integers(0, 4, shape) * 60).astype(np.uint8)


def everything(folder):
    """Whatever is below a folder: paths, with the bytes of files and None for folders."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


# --- cases ---------------------------------------------------------------------------------------


@case("`.npy` of numbers or times, whatever their byte order and the order of their axes")
def npy(folder):
    np.save(folder / "a.npy", np.arange(12).reshape(3, 4))
    np.save(folder / "big.npy", np.arange(12, dtype=">f4").reshape(3, 4))
    np.save(folder / "fortran.npy", np.asfortranarray(np.arange(24.0).reshape(2, 3, 4)))
    np.save(folder / "both.npy", np.asfortranarray(np.arange(6, dtype=">i2").reshape(2, 3)))
    np.save(folder / "none.npy", np.zeros((0, 3), ">i2"))
    np.save(folder / "one.npy", np.complex64(1 + 2j))
    np.save(folder / "flags.npy", np.array([True, False]))
    np.save(folder / "times.npy", np.array(["2001-02-03", "NaT"], "M8[D]"))
    np.save(folder / "spans.npy", np.arange(4).astype(">m8[ns]"))
    np.save(folder / "noted.npy", np.arange(4.0))
    with (folder / "two.npy").open("wb") as file:  # one after the other, as np.load reads them
        np.save(file, np.arange(3))
        np.save(file, np.arange(4))
    old = (folder / "a.npy").read_bytes()
    (folder / "old.npy").write_bytes(
        old[:8] + b"\x46\0" + old[10:79] + b"\n" + old[128:]
    )  # padded to 16, as before 1.14
    (folder / "called otherwise.dat").write_bytes(old)
    (folder / "second.npy").write_bytes(b"\x93NUMPY\2\0" + struct.pack("<I", 116) + old[10:125] + b"\n" + old[128:])


@case("`.npy` of text, objects or records")
def npy_of_others(folder):
    np.save(folder / "text.npy", np.array(["a", "bc"]))
    np.save(folder / "objects.npy", np.array([{}, None], object))
    np.save(folder / "records.npy", np.zeros(3, [("a", "u1"), ("b", "f4")]))
    flags = io.BytesIO()
    np.save(flags, np.array([True, False]))
    (folder / "flags.npy").write_bytes(flags.getvalue()[:-2] + b"\x02\x00")


def same_npz(before, after):
    for path in before.iterdir():
        with np.load(path) as a, np.load(after / path.name) as b:
            assert a.files == b.files
            for name in a.files:
                assert a[name].dtype.newbyteorder("<") == b[name].dtype
                assert np.array_equal(a[name], b[name])
        with zipfile.ZipFile(path) as a, zipfile.ZipFile(after / path.name) as b:
            assert [m.compress_type for m in a.infolist()] == [m.compress_type for m in b.infolist()]


@case("`.npz` of arrays of numbers or times", same_npz)
def npz(folder):
    arrays = {"b": pixels(3, 4), "a": np.arange(5, dtype=">f8"), "in/side": np.array(["2001-02-03"], "M8[s]")}
    np.savez(folder / "a.npz", np.float32(3), **arrays)
    np.savez_compressed(folder / "packed.npz", **arrays)


@case("`.npz` with something else in it")
def npz_of_others(folder):
    np.savez(folder / "text.npz", numbers=np.arange(3), text=np.array(["a"]))
    np.savez(folder / "none.npz")
    with zipfile.ZipFile(folder / "notes.npz", "w") as archive:
        archive.writestr("a.npy", (b"", npy_bytes(np.arange(3)))[1])
        archive.writestr("notes.txt", "words")
    with zipfile.ZipFile(folder / "more.npz", "w") as archive:
        archive.writestr("a.npy", npy_bytes(np.arange(3)) + b"more")


def npy_bytes(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def idx_bytes(array, code):
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, code, array.ndim, *array.shape) + array.tobytes()


@case("idx, the files of MNIST")
def idx(folder):
    for code, dtype in [(8, ">u1"), (9, ">i1"), (11, ">i2"), (12, ">i4"), (13, ">f4"), (14, ">f8")]:
        (folder / f"images-{code}.idx").write_bytes(idx_bytes(np.arange(24).reshape(2, 3, 4).astype(dtype), code))
    (folder / "labels-idx1-ubyte").write_bytes(idx_bytes(np.arange(5, dtype=np.uint8), 8))


def same_unzipped(before, after):
    for path in before.iterdir():
        assert gzip.decompress(path.read_bytes()) == gzip.decompress((after / path.name).read_bytes())


@case("idx, gzipped", same_unzipped)
def idx_gz(folder):
    data = idx_bytes(pixels(4, 5, 6), 8)
    (folder / "images-idx3-ubyte.gz").write_bytes(gzip.compress(data, 3))


@case("JPEG")
def jpeg(folder):
    y, x = np.mgrid[:72, :96]
    image = Image.fromarray(np.stack([128 + 90 * np.sin(x / 9), 2 * y, (x * y) % 256], 2).astype(np.uint8))
    image.save(folder / "a.jpg", exif=b"Exif\0\0" + bytes(50))
    image.save(folder / "b.JPEG", quality=90, progressive=True)
    image.convert("CMYK").save(folder / "c.jpg")
    image.convert("L").save(folder / "no suffix", "JPEG")
    (folder / "d.jpg").write_bytes((folder / "a.jpg").read_bytes() + b"a film, say")


@case("WebP with loss")
def webp(folder):
    Image.fromarray(pixels(20, 30, 3)).save(folder / "a.webp", quality=50)
    Image.fromarray(pixels(20, 30, 4)).save(folder / "b.webp", quality=50, exif=b"Exif\0\0" + bytes(50))


def same_images(before, after):
    for path in before.iterdir():
        with Image.open(path) as a, Image.open(after / path.name) as b:
            assert a.mode == b.mode
            assert np.array_equal(np.asarray(a), np.asarray(b))
            assert a.info.get("icc_profile") == b.info.get("icc_profile")


@case("PNG, WebP without loss", same_images)
def images(folder):
    for suffix in ("png", "webp"):
        Image.fromarray(pixels(6, 7, 3)).save(folder / f"a.{suffix}", lossless=True)
    Image.fromarray(pixels(6, 7, 4)).save(folder / "alpha.png", icc_profile=bytes(128))
    Image.fromarray(pixels(6, 7)).save(folder / "called by another name.jpg", "PNG")


@case("BMP without compression, PBM, PGM, PPM")
def plain_images(folder):
    for suffix in ("bmp", "ppm"):
        Image.fromarray(pixels(6, 7, 3)).save(folder / f"a.{suffix}")
    Image.fromarray(pixels(6, 7)).save(folder / "grey.pgm")
    Image.fromarray(pixels(6, 7)).convert("1").save(folder / "bits.pbm")


@case("TIFF without compression: bands, planes, pages, BigTIFF")
def tiff(folder):
    near_infrared = {"photometric": "rgb", "extrasamples": ["unspecified"]}
    tifffile.imwrite(folder / "near infrared.tif", pixels(6, 7, 4), **near_infrared)
    tifffile.imwrite(folder / "planes.tif", pixels(3, 6, 7), photometric="rgb", planarconfig="separate")
    tifffile.imwrite(folder / "stack.tif", pixels(2, 3, 6, 7), imagej=True, photometric="minisblack")
    tifffile.imwrite(folder / "big.tif", pixels(6, 7).astype(">f8"), bigtiff=True, photometric="minisblack")
    tifffile.imwrite(folder / "white is zero.tif", pixels(6, 7).astype(np.uint16), photometric="miniswhite")
    Image.fromarray(pixels(6, 7, 3)).save(folder / "photo.tiff", icc_profile=bytes(128))


def same_tiff(before, after):
    """The values that tifffile sees, and every tag but those that say where pixels lie."""
    for path in before.iterdir():
        with tifffile.TiffFile(path) as a, tifffile.TiffFile(after / path.name) as b:
            assert len(a.pages) == len(b.pages)
            for one, other in zip(a.pages, b.pages, strict=True):
                assert np.array_equal(one.asarray(), other.asarray())
                codes = {tag.code for tag in one.tags} - {273, 279, 324, 325}
                assert all(one.tags[code].value == other.tags[code].value for code in codes)
                assert len(other.tags) == len(one.tags)


@case("TIFF compressed by LZW, deflate, PackBits, LZMA or Zstandard", same_tiff)
def compressed_tiff(folder):
    for way in ("lzw", "zlib", "packbits", "lzma", "zstd"):
        tifffile.imwrite(folder / f"{way}.tif", pixels(40, 50, 3), compression=way, photometric="rgb", software="it")
    with tifffile.TiffWriter(folder / "overviews.tif") as out:
        options = {"tile": (16, 16), "compression": "zlib", "photometric": "rgb"}
        out.write(pixels(64, 64, 3), **options)
        out.write(pixels(32, 32, 3), subfiletype=1, **options)


@case("TIFF compressed by JPEG or CCITT, or with SubIFDs, as DNG and NEF")
def other_tiff(folder):
    Image.fromarray(pixels(16, 16, 3)).save(folder / "jpeg.tif", compression="jpeg")
    Image.fromarray(pixels(16, 16)).convert("1").save(folder / "fax.tif", compression="group4")
    with tifffile.TiffWriter(folder / "photo.dng") as out:
        out.write(pixels(8, 8), subifds=1, subfiletype=1)
        out.write(pixels(16, 16))


@case("GIF, AVIF, JPEG 2000, JPEG XL, animations, several photographs in one file")
def coded_images(folder):
    frames = [Image.fromarray(pixels(8, 8, 3)) for _ in range(3)]
    for name in ("a.gif", "a.avif", "a.jp2"):
        frames[0].save(folder / name)
    (folder / "a.jxl").write_bytes(imagecodecs.jpegxl_encode(pixels(8, 8, 3), lossless=True))
    for name in ("several.gif", "several.webp", "several.png", "several.mpo"):
        frames[0].save(folder / name, save_all=True, append_images=frames[1:])


@case("text, programs, documents, archives, videos, and whatever else there is")
def others(folder):
    (folder / "words.txt").write_text("words, words\n" * 100)
    (folder / "no suffix").write_text("words")
    (folder / "noise.mp4").write_bytes(rng.bytes(70_000))
    (folder / "a.tar.gz").write_bytes(gzip.compress(b"words, words"))
    with zipfile.ZipFile(folder / "a.docx", "w") as archive:
        archive.writestr("words", "words")
    cc.save(folder / "an archive.ccf", np.arange(3), codec="classic.raw")
    (folder / "deep").mkdir()
    (folder / "deep" / "ä b.txt").write_text("words")
    (folder / "large").write_bytes(b"a line\n" * 400_000)
    (folder / "BMP").write_bytes(b"BM is no picture")
    (folder / "P5").write_bytes(b"P5 is a letter and a number")


@case("a file of any kind that is damaged, or is not what its name says and of no kind above")
def damaged(folder):
    held = io.BytesIO()
    Image.fromarray(rng.integers(0, 255, (40, 40, 3), np.uint8)).save(held, "PNG")
    (folder / "cut.png").write_bytes(held.getvalue()[:-2000])
    (folder / "changed.png").write_bytes(held.getvalue()[:99] + b"!!" + held.getvalue()[101:])
    (folder / "words.png").write_text("words")
    (folder / "empty.png").touch()
    whole = npy_bytes(np.arange(100))
    (folder / "cut.npy").write_bytes(whole[:-9])
    for name, shape in (("true", "(True,)"), ("vast", f"({1 << 70},)"), ("negative", "(-1,)"), ("odd", "(0, 1 << 70)")):
        header = f"{{'descr': '<i8', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
        (folder / f"{name}.npy").write_bytes(b"\x93NUMPY\1\0\x76\0" + header.encode() + bytes(8))
    np.savez(folder / "cut.npz", a=np.arange(100))
    data = (folder / "cut.npz").read_bytes()
    (folder / "cut.npz").write_bytes(data[:-30])
    (folder / "flipped.npz").write_bytes(data[:300] + b"\xff" + data[301:])
    encrypted = bytearray(data)  # the bit that says so, in both places
    encrypted[6] |= 1
    encrypted[data.index(b"PK\1\2") + 8] |= 1
    (folder / "encrypted.npz").write_bytes(encrypted)
    (folder / "cut.idx").write_bytes(idx_bytes(pixels(3, 4), 8)[:-1])
    (folder / "cut.idx.gz").write_bytes(gzip.compress(idx_bytes(pixels(20, 30), 8))[:-12])
    (folder / "vast.idx").write_bytes(b"\0\0\x0e\x03" + b"\xff" * 12)


def test_an_image_may_be_called_anything(tmp_path):
    """The kind goes by the first bytes, and so it comes back as an image, whatever its name."""
    folder = tmp_path / "in"
    folder.mkdir()
    array = rng.integers(0, 255, (5, 6, 3), np.uint8)
    for name, form in (("a.npy", "PNG"), ("b.txt", "PNG"), ("c.npy", "BMP"), ("d.npy", "TIFF"), ("e.npy", "WEBP")):
        Image.fromarray(array).save(folder / name, form, lossless=True)
    assert codecs("encode", folder, tmp_path / "a.ccf", "--codec", "classic.zlib").exit_code == 0
    assert codecs("decode", tmp_path / "a.ccf", tmp_path / "out").exit_code == 0
    for path in folder.iterdir():
        with Image.open(path) as before, Image.open(tmp_path / "out" / path.name) as after:
            assert before.format == after.format
            assert np.array_equal(np.asarray(before), np.asarray(after))


def same_modes(before, after):
    assert everything(before) == everything(after)
    for path in before.iterdir():
        modes = [bool((folder / path.name).stat().st_mode & stat.S_IXUSR) for folder in (before, after)]
        assert modes[0] == modes[1]


@case("a file that may be executed", same_modes)
def executable(folder):
    (folder / "run.sh").write_text("#!/bin/sh\n")
    (folder / "run.sh").chmod(0o755)
    (folder / "plain.sh").write_text("#!/bin/sh\n")


@case("an empty file, an empty folder")
def empty(folder):
    (folder / "nothing").touch()
    (folder / "nothing.txt").touch()
    (folder / "hollow" / "inner").mkdir(parents=True)


@case("hidden files and folders, such as `.gitignore`")
def hidden(folder):
    (folder / ".gitignore").write_text("*.tmp\n")
    (folder / ".hidden" / ".deeper").mkdir(parents=True)
    (folder / ".hidden" / "words.txt").write_text("words")
    np.save(folder / ".a.npy", np.arange(3))


def same_content(before, after):
    assert everything(before) == everything(after)
    assert not any(path.is_symlink() for path in after.iterdir())


@case("a link to a file", same_content)
def link(folder):
    (folder / "words.txt").write_text("words")
    (folder / "link.txt").symlink_to("words.txt")


@case("a link to a folder, or to nothing")
def link_to_folder(folder):
    (folder / "loop").symlink_to(".", target_is_directory=True)
    (folder / "gone").symlink_to("nowhere")


@case("a pipe, a socket, a device")
def pipe(folder):
    os.mkfifo(folder / "pipe.npy")
    here = os.getcwd()
    os.chdir(folder)  # the path of a socket is short
    with socket.socket(socket.AF_UNIX) as held:
        held.bind("socket")
    os.chdir(here)


@case("a file whose name does not print, or has a backslash in it")
def odd_names(folder):
    for name in ("a\nb.txt", "a\\b.txt", "a\x1b.npy"):
        (folder / name).write_text("words")


@case("DICOM of uncompressed pixels, NIfTI (`.nii`), NetCDF 3, WAV of PCM or floats, safetensors")
def science(folder):
    write_dicom(folder / "a.dcm", rng.bytes(40), Rows=4, Columns=5)
    write_dicom(folder / "no suffix", rng.bytes(40), ExplicitVRBigEndian, Rows=4, Columns=5)
    nibabel.save(nibabel.Nifti1Image(pixels(4, 3, 2), np.eye(4)), folder / "a.nii")
    xr.Dataset({"a": ("x", np.arange(5.0))}).to_netcdf(folder / "a.nc", engine="scipy")
    for suffix, samples in (("pcm", np.arange(-9, 9, dtype="i2")), ("float", np.arange(9, dtype="f4"))):
        wavfile.write(folder / f"{suffix}.wav", 8000, samples)
    save_file({"a": np.arange(5), "b": np.ones((2, 2), "f2")}, folder / "a.safetensors")


def zipped_by_zlib(path, data):
    deflater = zlib.compressobj(6, zlib.DEFLATED, 31, 8, zlib.Z_FILTERED)
    path.write_bytes(deflater.compress(data) + deflater.flush())


def same_nifti(before, after):
    assert (before / "a.nii.gz").read_bytes() == (after / "a.nii.gz").read_bytes()
    same_unzipped(before, after)


@case("NIfTI, zipped (`.nii.gz`)", same_nifti)
def nifti_gz(folder):
    image = nibabel.Nifti1Image(rng.normal(size=(30, 20, 10)), np.eye(4))
    nibabel.save(image, folder / "a.nii.gz")
    zipped_by_zlib(folder / "other.nii.gz", gzip.decompress((folder / "a.nii.gz").read_bytes()))


def same_hdf5(before, after):
    for name in ("a.h5", "a.nc"):
        assert (before / name).read_bytes() == (after / name).read_bytes()
    assert (before / "other.h5").read_bytes() != (after / "other.h5").read_bytes()
    with h5py.File(before / "other.h5") as a, h5py.File(after / "other.h5") as b:
        for name in ("fixed", "growing", "behind"):
            assert np.array_equal(a[name][...], b[name][...])
        assert a["text"].asstr()[...].tolist() == b["text"].asstr()[...].tolist()


@case("HDF5, NetCDF 4", same_hdf5)
def hdf5(folder):
    everything_in_hdf5(folder / "a.h5")
    odd_chunks(folder / "other.h5", "latest")
    xr.Dataset({"a": ("x", np.arange(5.0))}, {"x": list("abcde")}).to_netcdf(folder / "a.nc", engine="h5netcdf")


def same_zarr(before, after):
    for name in ("zarr.json", "a/zarr.json"):
        assert (before / "a.zarr" / name).read_bytes() == (after / "a.zarr" / name).read_bytes()
    a, b = (zarr.open_group(folder / "a.zarr", mode="r") for folder in (before, after))
    assert np.array_equal(a["a"][...], b["a"][...])
    assert dict(a.attrs) == dict(b.attrs)


@case("zarr stores", same_zarr)
def zarr_stores(folder):
    group = zarr.open_group(folder / "a.zarr", mode="w", attributes={"title": "made"})
    group.create_array("a", data=pixels(20, 30), chunks=(7, 8))


@case(
    "DICOM of compressed pixels or of none, WAV of compressed samples, HDF5 and zarr without numbers or with codecs that lose "
    "something"
)
def science_kept(folder):
    write_dicom(folder / "none.dcm", None)
    write_dicom(folder / "plain.dcm", rng.bytes(40), Rows=4, Columns=5)
    packed = pydicom.dcmread(folder / "plain.dcm")
    packed.compress(pydicom.uid.RLELossless)
    packed.save_as(folder / "rle.dcm")
    (folder / "a-law.wav").write_bytes(wav(rng.bytes(8), tag=6, bits=8))
    with h5py.File(folder / "text.h5", "w") as file:
        file.create_dataset("a", data=["x"], dtype=h5py.string_dtype())
    with h5py.File(folder / "lossy.h5", "w") as file:
        file.create_dataset("a", data=np.arange(99.0), chunks=(99,), scaleoffset=2)
    zarr.create_array(folder / "text.zarr", data=np.array(["a"]), zarr_format=2)
    zarr.create_array(folder / "lossy.zarr", data=np.arange(99.0), zarr_format=2, filters=[Quantize(2, "f8")])


# --- the table -----------------------------------------------------------------------------------


def test_every_row_has_a_case():
    assert set(ROWS) == set(CASES)


@posix
@pytest.mark.parametrize("row", ROWS)
def test_row(tmp_path, row):
    before, after = tmp_path / "in" / "row", tmp_path / "out" / "row"
    before.mkdir(parents=True)
    (before.parent / "other.txt").write_text("words")
    make, check = CASES[row]
    make(before)
    result = codecs("encode", before.parent, tmp_path / "a.ccf")
    left_out = "left out" in ROWS[row]
    assert result.exit_code == left_out, result.stderr
    assert codecs("verify", "--decode", tmp_path / "a.ccf").exit_code == 0
    result = codecs("decode", tmp_path / "a.ccf", after.parent)
    assert result.exit_code == 0, result.stderr
    assert (after.parent / "other.txt").read_text() == "words"
    if left_out:
        assert not after.exists()
    elif check is not None:
        assert everything(before).keys() == everything(after).keys()
        check(before, after)
    else:
        assert "identical" in ROWS[row] or "the same" in ROWS[row] or "not hidden" in ROWS[row]
        assert everything(before) == everything(after)


@posix
def test_whole_keeps_everything_as_it_is(tmp_path):
    folder = tmp_path / "in"
    for number, row in enumerate(ROWS):
        if "left out" not in ROWS[row]:
            (folder / f"{number}").mkdir(parents=True)
            CASES[row][0](folder / f"{number}")
    result = codecs("encode", folder, tmp_path / "a.ccf", "--whole", "--codec", "classic.zlib")
    assert result.exit_code == 0, result.stderr
    assert "damaged" not in result.stderr
    assert codecs("decode", tmp_path / "a.ccf", tmp_path / "out").exit_code == 0
    assert everything(folder) == everything(tmp_path / "out")


# --- what is said --------------------------------------------------------------------------------


def test_one_line_says_how_many_and_why(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    others(folder)
    damaged(folder)
    npy_of_others(folder)
    result = codecs("encode", folder, tmp_path / "a.ccf")
    assert result.exit_code == 0
    lines = result.stderr.splitlines()
    (line,) = [line for line in lines if line.startswith("kept whole, byte for byte: ")]
    kept = len(cc.load(tmp_path / "a.ccf"))
    assert f"{kept} files" in line
    assert sum("  damaged: " in line for line in lines) == len(list(folder.glob("*.*"))) - 4 - 4 - 1
    for name in ("cut.png", "words.png", "empty.png", "true.npy", "vast.npy", "encrypted.npz", "cut.idx.gz"):
        assert any(line.startswith("  damaged: ") and name in line for line in lines), name
    assert any("  not as values: " in line and "objects.npy" in line for line in lines)


def test_codecs_of_files_that_are_kept_whole(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    jpeg(folder)
    (folder / "words.txt").write_text("words, words\n" * 1000)
    (folder / "noise.mp4").write_bytes(rng.bytes(70_000))
    assert codecs("encode", folder, tmp_path / "a.ccf").exit_code == 0
    with cc.open(tmp_path / "a.ccf") as file:
        used = {name: entry.codec for name, entry in file.items()}
        assert file["a.jpg"].n_chunks == 1
    assert used["a.jpg"] == used["c.jpg"] == used["no suffix"] == "classic.jpeg"
    assert used["noise.mp4"] == "classic.raw"
    assert used["words.txt"] in ("classic.lzma", "classic.bz2", "classic.zstd")


def test_pixels_are_taken_when_they_are_asked_for(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    jpeg(folder)
    webp(folder)
    for options in (["--pixels", "--codec", "classic.zlib"], ["--codec", "classic.png"]):
        assert codecs("encode", folder, tmp_path / "a.ccf", *options).exit_code == 0
        held = cc.load(tmp_path / "a.ccf")
        assert held["a.jpg"].shape == (72, 96, 3)
        assert held["a.webp"].shape == (20, 30, 3)


def test_a_file_is_cut_by_its_codec_not_by_items(tmp_path):
    (tmp_path / "words.txt").write_text("words, words\n" * 1000)
    assert codecs("encode", tmp_path / "words.txt", tmp_path / "a.ccf", "--chunk", 7).exit_code == 0
    with cc.open(tmp_path / "a.ccf") as file:
        assert file[""].n_chunks == 1


def test_a_folder_that_says_more_than_a_header_holds(tmp_path, monkeypatch):
    """What stands beside the values of all files together must fit into the header of one archive."""
    monkeypatch.setattr(reading, "ROOM", 5000)
    (tmp_path / "in").mkdir()
    for number in range(4):
        Image.fromarray(pixels(4, 4, 3)).save(tmp_path / "in" / f"{number}.png", icc_profile=bytes(2000))
    result = codecs("encode", tmp_path / "in", tmp_path / "a.ccf", "--codec", "classic.png")
    assert result.exit_code == 0
    assert "kept whole, byte for byte: 2 files" in result.stderr
    assert "the header of an archive has no more room" in result.stderr
    assert [array.ndim for array in cc.load(tmp_path / "a.ccf").values()] == [3, 3, 1, 1]


def test_each_image_is_read_twice(tmp_path, monkeypatch):
    """Once to see whether it is damaged, and once to be encoded, however many there are; a few more for the sample."""
    (tmp_path / "in").mkdir()
    for number in range(40):
        np.save(tmp_path / "in" / f"{number}.npy", pixels(4, 4, 3))
    seen = []
    read = Source.read
    monkeypatch.setattr(Source, "read", lambda self: seen.append(self.path.name) or read(self))
    assert codecs("encode", tmp_path / "in", tmp_path / "a.ccf", "--codec", "classic.zlib").exit_code == 0
    assert sorted(seen) == sorted(2 * os.listdir(tmp_path / "in"))


def test_a_file_that_grows_while_it_is_read_is_an_error(tmp_path):
    (tmp_path / "words.txt").write_text("words")
    (source,) = reading.read([tmp_path / "words.txt"], on_keep=lambda path, why: None).values()
    (tmp_path / "words.txt").write_text("more words")
    with pytest.raises(InputError, match="changed since it was looked at"):
        source.read()


# --- a codec that one file does not suit ---------------------------------------------------------


def test_a_file_that_the_codec_does_not_take_is_left_to_auto(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    Image.fromarray(pixels(6, 7, 3)).save(folder / "a.png")
    np.save(folder / "b.npy", np.arange(5.0))
    (folder / "c.mp4").write_bytes(rng.bytes(7000))
    (folder / "d.txt").write_text("words")
    result = codecs("encode", folder, tmp_path / "a.ccf", "--codec", "classic.png")
    assert result.exit_code == 0, result.stderr
    assert "not by classic.png, but as auto chooses: 3 entries, the first 'b.npy': " in result.stderr
    with cc.open(tmp_path / "a.ccf") as file:
        assert file["a.png"].codec == "classic.png"
        assert file["b.npy"].codec != "classic.png"
        assert np.array_equal(file["b.npy"], np.arange(5.0))
    result = codecs("encode", folder, tmp_path / "b.ccf", "--codec", "classic.png", "--strict")
    assert (result.exit_code, "b.npy" in result.stderr) == (2, True)
    (folder / "a.png").unlink()
    assert codecs("encode", folder, tmp_path / "b.ccf", "--codec", "classic.png").exit_code == 2
    assert not (tmp_path / "b.ccf").exists()


def test_so_is_one_whose_values_it_does_not_take(tmp_path):
    """That is found out only when it is encoded, behind others that are written already."""
    testing = pytest.importorskip("codecs_bbans.testing")
    testing.random_model("bernoulli", (4, 3)).save(tmp_path / "m.safetensors")
    folder = tmp_path / "in"
    folder.mkdir()
    for number, high in enumerate((2, 256, 2, 256)):
        np.save(folder / f"{number}.npy", rng.integers(0, high, (5, 4, 3)).astype(np.uint8))
    args = ["encode", folder, tmp_path / "a.ccf", "--codec", "bbans.vae", "--model", tmp_path / "m.safetensors"]
    result = codecs(*args)
    assert result.exit_code == 0, result.stderr
    assert "2 entries, the first '1.npy'" in result.stderr
    with cc.open(tmp_path / "a.ccf") as file:
        assert [entry.codec == "bbans.vae" for entry in file.values()] == [True, False, True, False]
    assert codecs(*args, "--strict").exit_code == 2


# --- files that are named themselves -------------------------------------------------------------


@pytest.mark.parametrize("name", ["words.txt", "no suffix", "cut.png", "empty"])
def test_a_sole_file_of_any_kind(tmp_path, name):
    content = {"cut.png": b"\x89PNG\r\n\x1a\n", "empty": b""}.get(name, b"words")
    (tmp_path / name).write_bytes(content)
    assert codecs("encode", tmp_path / name, tmp_path / "a.ccf").exit_code == 0
    assert codecs("decode", tmp_path / "a.ccf", tmp_path / "out").exit_code == 0
    assert everything(tmp_path / "out") == {name: content}
    assert codecs("decode", tmp_path / "a.ccf", tmp_path / "back.any").exit_code == 0
    assert (tmp_path / "back.any").read_bytes() == content
    assert codecs("encode", tmp_path / name, tmp_path / "b.ccf", "--strict").exit_code == (
        2 if name == "cut.png" else 0
    )


def test_a_sole_npz_gives_its_arrays_and_names_the_rest(tmp_path):
    np.savez(tmp_path / "a.npz", numbers=np.arange(3), text=np.array(["a"]), objects=np.array([{}], object))
    result = codecs("encode", tmp_path / "a.npz", tmp_path / "a.ccf")
    assert result.exit_code == 1
    assert "'text.npy'" in result.stderr
    assert "'objects.npy'" in result.stderr
    assert list(cc.load(tmp_path / "a.ccf")) == ["numbers"]
    assert codecs("encode", tmp_path / "a.npz", tmp_path / "b.ccf", "--strict").exit_code == 2
    assert not (tmp_path / "b.ccf").exists()


def test_a_sole_npz_becomes_one_again(tmp_path):
    arrays = {"b": pixels(3, 4), "a": np.arange(5.0)}
    np.savez(tmp_path / "a.npz", **arrays)
    assert codecs("encode", tmp_path / "a.npz", tmp_path / "a.ccf").exit_code == 0
    for target, options, made in (("out", [], "a.npz"), ("all.npz", [], ""), ("arrays", ["--npy"], "b.npy")):
        assert codecs("decode", tmp_path / "a.ccf", tmp_path / target, *options).exit_code == 0
        loaded = np.load(tmp_path / target / made if made else tmp_path / target)
        assert np.array_equal(loaded if made == "b.npy" else loaded["b"], arrays["b"])
    assert codecs("decode", tmp_path / "a.ccf", tmp_path / "b.npy", "--entry", "b").exit_code == 0
    assert codecs("decode", tmp_path / "a.ccf", tmp_path / "part", "--items", "1:2").exit_code == 0
    assert sorted(os.listdir(tmp_path / "part")) == ["a.npy", "b.npy"]


def test_sources_of_one_name_are_told(tmp_path):
    for folder in ("x", "y"):
        (tmp_path / folder).mkdir()
        np.save(tmp_path / folder / "a.npy", np.arange(3))
    result = codecs("encode", tmp_path / "x/a.npy", tmp_path / "y/a.npy", tmp_path / "a.ccf", "--codec", "classic.raw")
    assert result.exit_code == 0
    assert result.stderr.startswith(f"{tmp_path / 'y/a.npy'} is stored as a-2.npy, since")
    assert list(cc.load(tmp_path / "a.ccf")) == ["a.npy", "a-2.npy"]
    for folder in ("x", "y"):
        (tmp_path / folder / "a.npy").rename(tmp_path / folder / "a.txt")
    sources = [tmp_path / "x/a.txt", tmp_path / "y/a.txt", tmp_path / "x"]
    assert codecs("encode", *sources, tmp_path / "b.ccf", "--codec", "classic.raw").exit_code == 0
    assert codecs("decode", tmp_path / "b.ccf", tmp_path / "out").exit_code == 0
    assert sorted(everything(tmp_path / "out")) == ["a-2.txt", "a.txt", "x", "x/a.txt"]


@posix
def test_nothing_waits_for_a_pipe(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    command = [sys.executable, "-m", "codecs_core.cli", "encode", tmp_path / "pipe", tmp_path / "a.ccf"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "no regular file" in done.stderr


# --- targets -------------------------------------------------------------------------------------


@pytest.fixture
def held(tmp_path):
    cc.save(tmp_path / "held.ccf", np.arange(6, dtype=np.uint8).reshape(2, 3), codec="classic.raw")
    return tmp_path / "held.ccf"


@pytest.mark.parametrize("name", ["out.npy", "out.png", "out.npz"])
def test_decode_replaces_no_file_unless_told(tmp_path, held, name):
    (tmp_path / name).write_text("words")
    result = codecs("decode", held, tmp_path / name)
    assert (result.exit_code, "--force" in result.stderr) == (1, True)
    assert (tmp_path / name).read_text() == "words"
    assert codecs("decode", held, tmp_path / name, "--force").exit_code == 0
    assert (tmp_path / name).read_bytes() != b"words"


def test_encode_replaces_its_target_and_says_so(tmp_path, held):
    np.save(tmp_path / "a.npy", np.arange(3))
    result = codecs("encode", tmp_path / "a.npy", held, "--codec", "classic.raw")
    assert (result.exit_code, result.stderr) == (0, f"{held} was there, and is replaced\n")


@pytest.mark.parametrize("name", ["x" * 300, "x" * 300 + ".npy", "a\0b", "a\0b.npy", "a/" * 3000 + "b"])
def test_targets_that_are_no_names(tmp_path, held, name):
    result = codecs("decode", held, f"{tmp_path}/{name}")
    assert result.exit_code in (1, 2)
    assert "error: " in result.stderr.lower()
    np.save(tmp_path / "a.npy", np.arange(3))
    result = codecs("encode", tmp_path / "a.npy", f"{tmp_path}/{name}.ccf")
    assert result.exit_code in (1, 2)
    assert "error: " in result.stderr.lower()


def test_an_empty_folder_is_filled_whatever_it_is_called(tmp_path, held, monkeypatch):
    (tmp_path / "here").mkdir()
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to("there", target_is_directory=True)
    monkeypatch.chdir(tmp_path / "here")
    assert codecs("decode", held, ".").exit_code == 0
    assert codecs("decode", held, "../link").exit_code == 0
    assert os.listdir(tmp_path / "here") == os.listdir(tmp_path / "there") == ["array.npy"]
    assert (tmp_path / "link").is_symlink()


def test_targets_that_will_not_do_are_refused_before_the_work(tmp_path, held, monkeypatch):
    def work(*args, **options):
        raise AssertionError("it was begun")

    monkeypatch.setattr("codecs_core.api.opening.file.File.arrays", work)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "a").touch()
    (tmp_path / "link").symlink_to("full", target_is_directory=True)
    (tmp_path / "gone").symlink_to("nowhere")
    for name in ("full", "link", "gone", "full/a", "missing/out"):
        result = codecs("decode", held, tmp_path / name)
        assert result.exit_code == 1, result
        assert result.stderr.startswith("error: ")


# --- what a container may say --------------------------------------------------------------------


@pytest.mark.parametrize(
    "media",
    [
        {"format": "file", "name": "../evil"},
        {"format": "NPZ", "member": "../evil"},
        {"format": "NPY", "template": [b"a"]},
        {"format": "NPY", "template": 7},
        {"format": "IDX"},
        {"format": "folder", "name": "/evil"},
        {"format": ["NPZ"], "member": {}},
    ],
)
def test_hostile_attributes_lead_nowhere(tmp_path, media):
    cc.save(tmp_path / "a.ccf", {"a": np.arange(4.0)}, codec="classic.raw", attrs={"a": {"media": media}})
    result = codecs("decode", tmp_path / "a.ccf", tmp_path / "out")
    assert result.exit_code in (0, 1)
    assert sorted(os.listdir(tmp_path)) == (["a.ccf", "out"] if result.exit_code == 0 else ["a.ccf"])
    if result.exit_code:
        assert result.stderr.startswith("error: entry ")
        assert "'a'" in result.stderr or "evil" in result.stderr
