"""NIfTI: values as nibabel sees them, and the same file back."""

import gzip
import io
import struct
import zlib

import nibabel
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .conftest import check_identical, check_kept, same, there_and_back

rng = np.random.Generator(np.random.Philox(11))
DTYPES = ["u1", "i1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8", "c8", "c16"]
AFFINE = np.array([[-2.0, 0.1, 0, 10], [0, 3, 0, -20.5], [0.2, 0, 4, 30], [0, 0, 0, 1]])


def image(shape, dtype, kind=nibabel.Nifti1Image, order="<"):
    data = rng.integers(0, 100, shape).astype(np.dtype(dtype))
    header = kind.header_class(endianness=order)
    header.set_data_dtype(np.dtype(dtype))
    header.set_data_shape(shape)
    made = kind(data, AFFINE, header)
    made.header.set_slope_inter(2.5, -1)
    made.header["descrip"] = b"made in a test"
    extension = nibabel.nifti1.Nifti1Extension("comment", b"an extension of the header")
    made.header.extensions.append(extension)
    return made, data


def file_of(shape=(4, 3, 2), dtype="i2", **options):
    made, data = image(shape, dtype, **options)
    held = io.BytesIO()
    made.to_file_map({"image": nibabel.fileholders.FileHolder(fileobj=held)})
    return held.getvalue(), data


def seen(path):
    return np.asanyarray(nibabel.load(path).dataobj.get_unscaled())


@pytest.mark.parametrize("kind", [nibabel.Nifti1Image, nibabel.Nifti2Image])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("order", "<>")
def test_every_dtype(tmp_path, kind, dtype, order):
    data, values = file_of((4, 3, 2), dtype, kind=kind, order=order)
    (tmp_path / "a.nii").write_bytes(data)
    returned = check_identical(tmp_path / "a.nii", tmp_path / "there")
    assert np.array_equal(returned.array.T, seen(tmp_path / "a.nii"))
    assert same(returned.array, np.ascontiguousarray(values.T))
    header = returned.media["header"]
    assert np.allclose(header["affine"], AFFINE)
    assert header["slope"] == 2.5
    assert header["intercept"] == -1
    assert header["description"] == "made in a test"


@pytest.mark.parametrize("shape", [(5,), (1, 1), (3, 4, 5, 2), (2, 2, 2, 1, 3), (7, 1, 1)])
def test_shapes(tmp_path, shape):
    data, _ = file_of(shape)
    (tmp_path / "a.nii").write_bytes(data)
    returned = check_identical(tmp_path / "a.nii", tmp_path / "there")
    assert np.array_equal(returned.array.T, seen(tmp_path / "a.nii"))


def test_colours(tmp_path):
    dtype = np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")])
    data = rng.integers(0, 256, (4, 5, 2, 3), dtype=np.uint8)
    made = nibabel.Nifti1Image(data.copy().view(dtype)[..., 0], np.eye(4))
    nibabel.save(made, tmp_path / "a.nii")
    returned = check_identical(tmp_path / "a.nii", tmp_path / "there")
    assert same(returned.array, np.ascontiguousarray(data.transpose(2, 1, 0, 3)))


@pytest.mark.parametrize("level", [1, 6, 9])
def test_zipped_to_the_byte(tmp_path, level):
    data, _ = file_of((40, 30, 20), "f4")
    with open(tmp_path / "a.nii.gz", "wb") as out, gzip.GzipFile("a.nii", "wb", level, out, mtime=12345) as file:
        file.write(data)
    returned = check_identical(tmp_path / "a.nii.gz", tmp_path / "there")
    assert np.array_equal(returned.array.T, seen(tmp_path / "a.nii.gz"))


def test_what_nibabel_writes_zipped(tmp_path):
    made, _ = image((40, 30, 20), "i2")
    nibabel.save(made, tmp_path / "a.nii.gz")
    check_identical(tmp_path / "a.nii.gz", tmp_path / "there")


def test_zipped_by_something_else(tmp_path):
    """Other bytes, and the same contents."""
    data, _ = file_of((30, 20, 10))
    deflater = zlib.compressobj(6, zlib.DEFLATED, -15, 2, zlib.Z_RLE)
    body = deflater.compress(data) + deflater.flush()
    header = b"\x1f\x8b\x08\x1e\0\0\0\0\0\3" + b"\3\0abc" + b"name\0" + b"comment\0" + b"\0\0"
    head = header[:-2] + struct.pack("<H", zlib.crc32(header[:-2]) & 0xFFFF)
    (tmp_path / "a.nii.gz").write_bytes(head + body + struct.pack("<II", zlib.crc32(data), len(data)))
    returned = there_and_back(tmp_path / "a.nii.gz", tmp_path / "there")
    assert not returned.kept
    assert returned.path.read_bytes() != (tmp_path / "a.nii.gz").read_bytes()
    assert gzip.decompress(returned.path.read_bytes()) == data
    assert returned.path.read_bytes().startswith(head)


def changed(at, what, **options):
    data = bytearray(file_of(**options)[0])
    data[at : at + len(what)] = what
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (file_of()[0][:-2], "damaged|lie outside"),
        (changed(70, struct.pack("<h", 1536)), "float128|longdouble|values of type"),
        (changed(70, struct.pack("<h", 777)), "cannot be read|that can be read"),
        (changed(40, struct.pack("<8h", 3, -4, 3, 2, 1, 1, 1, 1)), "shape|can be read"),
        (changed(40, struct.pack("<8h", 7, *[32767] * 7)), "which no array has"),
        (changed(108, struct.pack("<f", 352.5)), "begin at byte"),
        (changed(108, struct.pack("<f", 2)), "begin at byte 2"),
        (changed(108, struct.pack("<f", 2.0**90)), "begin at byte 1"),
        (changed(40, struct.pack("<8h", 7, 0, *[32767] * 6)), "which no array has"),
        (file_of()[0] + bytes(5_000_000), "beside its values"),
    ],
)
@pytest.mark.parametrize("zipped", [False, True])
def test_what_is_kept_whole(tmp_path, data, match, zipped):
    path = tmp_path / ("a.nii.gz" if zipped else "a.nii")
    path.write_bytes(gzip.compress(data) if zipped else data)
    check_kept(path, tmp_path / "there", match + "|cut short|more than the")


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda data: data + b"more", "4 bytes behind its first member"),
        (lambda data: data + data, "behind its first member"),
        (lambda data: data[:-1], "cut short"),
        (lambda data: data[:-8] + b"12345678", "damaged gzip file"),
    ],
)
def test_a_gzip_file_that_is_not_as_it_should_be(tmp_path, change, match):
    (tmp_path / "a.nii.gz").write_bytes(change(gzip.compress(file_of()[0])))
    check_kept(tmp_path / "a.nii.gz", tmp_path / "there", match)


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(st.integers(1, 4), min_size=1, max_size=5),
    st.sampled_from(DTYPES),
    st.sampled_from("<>"),
    st.booleans(),
)
def test_any_values(tmp_path_factory, shape, dtype, order, zipped):
    folder = tmp_path_factory.mktemp("nifti")
    data, _ = file_of(tuple(shape), dtype, order=order)
    path = folder / ("a.nii.gz" if zipped else "a.nii")
    path.write_bytes(gzip.compress(data, mtime=0) if zipped else data)
    returned = check_identical(path, folder / "there")
    assert np.array_equal(returned.array.T, seen(path))
