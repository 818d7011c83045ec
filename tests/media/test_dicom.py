"""DICOM: pixels as pydicom sees them, and the same file back."""

import subprocess
import sys

import numpy as np
import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    CTImageStorage,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
)

from codecs_core import media

from .conftest import check_identical, check_kept, same

rng = np.random.Generator(np.random.Philox(10))
PLAIN = [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian]


def write_dicom(path, raw, syntax=ExplicitVRLittleEndian, vr="OW", **elements):
    """A file of pixels whose bytes are given, with private elements and sequences in front of and behind them."""
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = syntax
    data.file_meta.MediaStorageSOPClassUID = CTImageStorage
    data.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    defaults = {
        "SOPClassUID": CTImageStorage,
        "SOPInstanceUID": "1.2.3",
        "PatientName": "Doe^Jane",
        "Modality": "CT",
        "PixelSpacing": [0.5, 0.25],
        "RescaleSlope": "2.5",
        "ImagePositionPatient": [1, -2.5, 3],
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "BitsAllocated": 16,
        "BitsStored": 16,
        "PixelRepresentation": 0,
    }
    for name, value in {**defaults, **elements}.items():
        setattr(data, name, value)
    icon = Dataset()
    icon.Rows, icon.Columns, icon.PixelData = 1, 2, b"ab"
    icon["PixelData"].VR = "OB"
    data.IconImageSequence = Sequence([icon])
    data.add_new(0x00091010, "UN", rng.bytes(700))
    data.add_new(0xFFFCFFFC, "OB", b"padding behind the pixels ")
    if raw is not None:
        data.PixelData = raw + b"\0" * (len(raw) % 2)
        data["PixelData"].VR = vr
    data.save_as(path, enforce_file_format=True)


def seen(path):
    """As pydicom sees the pixels, without turning colours into others."""
    return pydicom.pixels.pixel_array(path, raw=True)


def bytes_of(array, syntax):
    return array.astype(array.dtype.newbyteorder(">" if syntax == ExplicitVRBigEndian else "<")).tobytes()


@pytest.mark.parametrize("syntax", PLAIN)
@pytest.mark.parametrize("frames", [1, 3])
@pytest.mark.parametrize(("bits", "signed"), [(16, False), (16, True), (12, True), (10, False), (32, False)])
def test_words(tmp_path, syntax, frames, bits, signed):
    allocated = 32 if bits > 16 else 16
    low = -(1 << (bits - 1)) if signed else 0
    array = rng.integers(low, low + (1 << bits), (frames, 5, 7)).astype(f"{'i' if signed else 'u'}{allocated // 8}")
    more = {"NumberOfFrames": frames} if frames > 1 else {}
    write_dicom(
        tmp_path / "a.dcm",
        bytes_of(array, syntax),
        syntax,
        Rows=5,
        Columns=7,
        BitsAllocated=allocated,
        BitsStored=bits,
        HighBit=bits - 1,
        PixelRepresentation=int(signed),
        **more,
    )
    returned = check_identical(tmp_path / "a.dcm", tmp_path / "there")
    assert same(returned.array, array[0] if frames == 1 else array)
    assert np.array_equal(returned.array, seen(tmp_path / "a.dcm"))


@pytest.mark.parametrize("syntax", PLAIN)
def test_a_sign_that_is_not_spread_over_the_bits_above(tmp_path, syntax):
    array = rng.integers(-2048, 2048, (6, 4)).astype("i2")
    raw = bytes_of(array.view("u2") & 0xFFF, syntax)
    write_dicom(tmp_path / "a.dcm", raw, syntax, Rows=6, Columns=4, BitsStored=12, HighBit=11, PixelRepresentation=1)
    returned = check_identical(tmp_path / "a.dcm", tmp_path / "there")
    assert same(returned.array, array)
    assert np.array_equal(returned.array, seen(tmp_path / "a.dcm"))


def test_something_else_in_the_bits_above(tmp_path):
    raw = rng.bytes(2 * 24)
    write_dicom(tmp_path / "a.dcm", raw, Rows=6, Columns=4, BitsStored=12, HighBit=11, PixelRepresentation=1)
    assert same(check_identical(tmp_path / "a.dcm", tmp_path / "there").array, np.frombuffer(raw, "<i2").reshape(6, 4))


@pytest.mark.parametrize("syntax", PLAIN)
@pytest.mark.parametrize("planar", [0, 1])
@pytest.mark.parametrize("frames", [1, 2])
def test_colours(tmp_path, syntax, planar, frames):
    array = rng.integers(0, 256, (frames, 4, 5, 3), dtype=np.uint8)
    raw = (np.moveaxis(array, -1, 1) if planar else array).tobytes()
    big = syntax == ExplicitVRBigEndian
    if big:  # words of two bytes
        raw = np.frombuffer(raw, "<u2").astype(">u2").tobytes()
    write_dicom(
        tmp_path / "a.dcm",
        raw,
        syntax,
        Rows=4,
        Columns=5,
        NumberOfFrames=frames,
        SamplesPerPixel=3,
        PlanarConfiguration=planar,
        PhotometricInterpretation="RGB",
        BitsAllocated=8,
        BitsStored=8,
        HighBit=7,
    )
    returned = check_identical(tmp_path / "a.dcm", tmp_path / "there")
    assert same(returned.array, array[0] if frames == 1 else array)
    assert np.array_equal(returned.array, seen(tmp_path / "a.dcm"))


@pytest.mark.parametrize("odd", [0, 1])
def test_bytes(tmp_path, odd):
    array = rng.integers(0, 256, (3, 4 + odd), dtype=np.uint8)
    write_dicom(
        tmp_path / "a.dcm", array.tobytes(), Rows=3, Columns=4 + odd, BitsAllocated=8, BitsStored=8, HighBit=7, vr="OB"
    )
    assert same(check_identical(tmp_path / "a.dcm", tmp_path / "there").array, array)


@pytest.mark.parametrize("syntax", PLAIN)
def test_bits(tmp_path, syntax):
    mask = rng.integers(0, 2, (3, 5, 5), dtype=np.uint8)
    raw = np.packbits(mask.reshape(-1), bitorder="little").tobytes()
    more = {"Rows": 5, "Columns": 5, "NumberOfFrames": 3, "BitsAllocated": 1, "BitsStored": 1, "HighBit": 0, "vr": "OB"}
    write_dicom(tmp_path / "a.dcm", raw, syntax, **more)
    returned = check_identical(tmp_path / "a.dcm", tmp_path / "there")
    assert same(returned.array, mask)
    write_dicom(tmp_path / "b.dcm", raw[:-1] + b"\xff", syntax, **more)
    check_kept(tmp_path / "b.dcm", tmp_path / "other", "bits behind its last pixel")


@pytest.mark.parametrize(("keyword", "dtype"), [("FloatPixelData", "f4"), ("DoubleFloatPixelData", "f8")])
@pytest.mark.parametrize("syntax", PLAIN)
def test_floats(tmp_path, keyword, dtype, syntax):
    array = rng.normal(size=(4, 3)).astype(dtype)
    bits = 8 * array.itemsize
    write_dicom(
        tmp_path / "a.dcm", None, syntax, Rows=4, Columns=3, BitsAllocated=bits, **{keyword: bytes_of(array, syntax)}
    )
    assert same(check_identical(tmp_path / "a.dcm", tmp_path / "there").array, array)


def test_the_header_can_be_read(tmp_path):
    write_dicom(tmp_path / "a.dcm", bytes(40), Rows=4, Columns=5)
    header = check_identical(tmp_path / "a.dcm", tmp_path / "there").media["header"]
    assert header["Modality"] == "CT"
    assert header["PixelSpacing"] == [0.5, 0.25]
    assert header["RescaleSlope"] == 2.5
    assert header["ImagePositionPatient"] == [1, -2.5, 3]
    assert header["BitsStored"] == 16


def test_a_header_with_values_that_are_none(tmp_path):
    write_dicom(tmp_path / "a.dcm", bytes(40), Rows=4, Columns=5)
    data = (tmp_path / "a.dcm").read_bytes()
    (tmp_path / "a.dcm").write_bytes(data.replace(b"0.5\\0.25", b"a.b\\c.de"))
    header = check_identical(tmp_path / "a.dcm", tmp_path / "there").media["header"]
    assert header["PixelSpacing"] == ["a.b", "c.de"]
    assert header["Modality"] == "CT"


def test_what_is_kept_whole(tmp_path):
    raw = rng.integers(0, 4096, (4, 5)).astype("<u2").tobytes()
    size = {"Rows": 4, "Columns": 5}
    whole = tmp_path / "whole.dcm"
    write_dicom(whole, raw, **size)
    rle = pydicom.dcmread(whole)
    rle.compress(RLELossless)
    rle.save_as(tmp_path / "rle.dcm")
    check_kept(tmp_path / "rle.dcm", tmp_path / "1", "its transfer syntax is RLE Lossless")
    write_dicom(tmp_path / "deflated.dcm", raw, DeflatedExplicitVRLittleEndian, **size)
    check_kept(tmp_path / "deflated.dcm", tmp_path / "2", "Deflated Explicit VR Little Endian")
    write_dicom(tmp_path / "none.dcm", None, **size)
    check_kept(tmp_path / "none.dcm", tmp_path / "3", "no sets of pixels")
    write_dicom(tmp_path / "short.dcm", raw[:-2], **size)
    check_kept(tmp_path / "short.dcm", tmp_path / "4", "38 bytes of pixels where its header says 40")
    write_dicom(tmp_path / "long.dcm", raw * 2, **size)
    check_kept(tmp_path / "long.dcm", tmp_path / "5", "80 bytes of pixels where its header says 40")
    write_dicom(tmp_path / "422.dcm", raw, **size, PhotometricInterpretation="YBR_FULL_422", SamplesPerPixel=3)
    check_kept(tmp_path / "422.dcm", tmp_path / "6", "subsampled colours")
    (tmp_path / "cut.dcm").write_bytes(whole.read_bytes()[:1000])
    check_kept(tmp_path / "cut.dcm", tmp_path / "7", "cut.dcm")
    write_dicom(tmp_path / "odd.dcm", raw, **size, BitsAllocated=12)
    check_kept(tmp_path / "odd.dcm", tmp_path / "8", "pixels of 12 bits")


def test_it_is_written_without_pydicom_and_named_where_it_is_missing(tmp_path):
    write_dicom(tmp_path / "a.dcm", bytes(40), Rows=4, Columns=5)
    returned = check_identical(tmp_path / "a.dcm", tmp_path / "there")
    assert returned.path.exists()
    script = f"""
import sys
sys.modules["pydicom"] = None
from pathlib import Path
import codecs_core as cc
from codecs_core import media
try:
    media.read([Path({str(tmp_path / "a.dcm")!r})])
except cc.CodecsError as error:
    print(error)
with cc.open({str(tmp_path / "there/archive.ccf")!r}) as file:
    media.write(Path({str(tmp_path / "again")!r}), dict(file.arrays()), {{name: file[name].attrs for name in file}})
"""
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "is a DICOM file, which takes pydicom: pip install 'codecs-core[medical]'" in run.stdout
    assert (tmp_path / "again/a.dcm").read_bytes() == (tmp_path / "a.dcm").read_bytes()


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from(PLAIN),
    st.integers(1, 3),
    st.integers(1, 5),
    st.integers(1, 5),
    st.sampled_from([(8, 8), (16, 12), (16, 16), (32, 32)]),
    st.booleans(),
    st.data(),
)
def test_any_pixels(tmp_path_factory, syntax, frames, rows, columns, bits, signed, data):
    folder = tmp_path_factory.mktemp("dicom")
    raw = data.draw(st.binary(min_size=(n := frames * rows * columns * bits[0] // 8), max_size=n))
    write_dicom(
        folder / "a.dcm",
        raw,
        syntax,
        Rows=rows,
        Columns=columns,
        NumberOfFrames=frames,
        BitsAllocated=bits[0],
        BitsStored=bits[1],
        HighBit=bits[1] - 1,
        PixelRepresentation=int(signed),
        vr="OB" if bits[0] == 8 else "OW",
    )
    check_identical(folder / "a.dcm", folder / "there")


def test_the_same_is_read_from_a_folder(tmp_path):
    for k in range(3):
        write_dicom(tmp_path / f"{k}.dcm", rng.bytes(40), Rows=4, Columns=5, InstanceNumber=k)
    assert list(media.read([tmp_path])) == ["0.dcm", "1.dcm", "2.dcm"]
