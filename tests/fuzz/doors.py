"""Files of other formats, mutated: each is refused in the tree of errors, or given back equal to what another reader sees.

``python tests/fuzz/doors.py tiff 100000 [SEED]`` gives one door this number of inputs, and writes each finding to ``findings/``.
"""

from __future__ import annotations

import gzip
import io
import logging
import struct
import sys
import tempfile
import time
import warnings
import wave
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import tifffile
from PIL import Image

from codecs_core.arrays import normalise
from codecs_core.errors import InputError
from codecs_core.media import kinds
from codecs_core.media.source import Part

logging.getLogger("tifffile").setLevel(logging.CRITICAL)
#: Bytes of values: what claims more is not decoded.
MOST = 1 << 24
RNG = np.random.Generator(np.random.Philox(21))


@dataclass(frozen=True)
class Door:
    """A kind of file: how inputs begin, how they are mended, what another reader sees, and whether its bytes come back."""

    suffix: str
    seeds: Callable[[], list[bytes]]
    oracle: Callable[[Path, list[Part]], bool]
    mend: Callable[[bytes], bytes] = bytes
    identical: bool = False


def check(name: str, data: bytes, folder: Path) -> bool:
    """Give one input to a door, by way of a folder. Whether it was read; whatever is raised is a finding."""
    door = DOORS[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = folder / f"a{door.suffix}"
        path.write_bytes(data)
        kind = kinds.kind_of(data[: kinds.HEAD], path)
        if kind is None:
            return False
        try:
            sources = kinds.load(kind.read)(path)
            if sum(source.spec.nbytes for source in sources) > MOST:
                return False
            parts = [Part(name=source.name, array=source.read(), attrs=source.attrs) for source in sources]
        except InputError:
            return False
        if not door.oracle(path, parts):
            raise AssertionError("another reader sees other values")
        again = folder / f"b{door.suffix}"
        kinds.load(kind.write)(again, parts)
        if again.read_bytes() != data:
            if door.identical:
                raise AssertionError("other bytes come back")
            back = kinds.load(kind.read)(again)
            if [source.read().tobytes() for source in back] != [part.array.tobytes() for part in parts]:
                raise AssertionError("other values come back")
        return True


def mutated(data: bytes, rng: np.random.Generator) -> bytes:
    """One to four places with other bytes, fewer or more; half of them near the start or the end, where headers are."""
    for _ in range(rng.integers(1, 5)):
        n = max(len(data), 1)
        at = int(rng.choice([rng.integers(n), rng.integers(min(n, 300)), n - 1 - rng.integers(min(n, 300))]))
        match rng.integers(5):
            case 0:
                data = data[:at] + bytes([data[at] ^ 1 << rng.integers(8)] if data else [0]) + data[at + 1 :]
            case 1:
                data = data[:at] + rng.bytes(int(rng.integers(1, 5))) + data[at + 4 :]
            case 2:
                word = int(rng.choice([0, 1, 2, 3, 4, 5, 6, 8, 16, 32, 255, 256, 65535, 1 << 16, 1 << 31]))
                data = data[:at] + word.to_bytes(4, "little" if rng.integers(2) else "big") + data[at + 4 :]
            case 3:
                data = data[:at] + data[at + int(rng.integers(1, 9)) :]
            case _:
                data = data[:at] + data[at : at + int(rng.integers(1, 13))] + data[at:]
    return data


# --- TIFF -----------------------------------------------------------------------------------------


def tiff_seeds() -> list[bytes]:
    """Small files of every layout."""
    ramp = np.arange(24 * 20 * 3, dtype=np.uint16).reshape(24, 20, 3)
    found = []
    for order in "<>":
        for big in (False, True):
            for options in (
                {},
                {"compression": "zlib", "predictor": True},
                {"compression": "lzw", "tile": (16, 16)},
                {"compression": "packbits", "planarconfig": "separate"},
                {"compression": "zstd", "rowsperstrip": 5},
                {"tile": (16, 16)},
            ):
                image = np.moveaxis(ramp, 2, 0) if "planarconfig" in options else ramp
                held = io.BytesIO()
                tifffile.imwrite(held, image, photometric="rgb", byteorder=order, bigtiff=big, **options)
                found.append(held.getvalue())
    for array, options in [
        (ramp[..., 0].astype("f4"), {"compression": "zlib", "predictor": 3}),
        (np.stack([ramp[..., 0]] * 3), {"imagej": True, "photometric": "minisblack"}),
        (np.stack([ramp[..., 0]] * 3), {"compression": "lzma", "photometric": "minisblack"}),
        (ramp[..., 0], {"photometric": "miniswhite", "metadata": None}),
        (ramp[..., 0] > 99, {"photometric": "minisblack"}),
    ]:
        held = io.BytesIO()
        tifffile.imwrite(held, array, **options)
        found.append(held.getvalue())
    return [*found, *_pillow_tiffs()]


def _pillow_tiffs() -> list[bytes]:
    image, found = Image.fromarray(np.arange(600, dtype=np.uint8).reshape(20, 10, 3)), []
    for one in (image, image.convert("1"), image.quantize(9), image.convert("CMYK")):
        held = io.BytesIO()
        one.save(held, "TIFF", compression="tiff_lzw")
        found.append(held.getvalue())
    return found


def as_tifffile(path: Path, parts: list[Part]) -> bool:
    """Whether tifffile, where it reads the file, has the same values."""
    held = b"".join(part.array.tobytes() for part in parts)
    try:
        with tifffile.TiffFile(path) as file:
            pages = [_native(page.asarray()) for page in file.pages]
            if b"".join(pages) == held:
                return True
            return len(pages) == 1 and _native(file.series[0].asarray()) == held
    except Exception:  # another reader is stricter
        return True


def _native(array: np.ndarray[Any, Any]) -> bytes:
    return array.astype("u1" if array.dtype == bool else array.dtype.newbyteorder("<")).tobytes()


# --- PNG and others that Pillow reads ----------------------------------------------------------------


def png_seeds() -> list[bytes]:
    """Small files of every kind of pixels."""
    array = np.arange(3 * 4 * 3, dtype=np.uint16).reshape(3, 4, 3)
    image = Image.fromarray(array.astype(np.uint8))
    found = [bytes(imagecodecs.png_encode(array * 77)), bytes(imagecodecs.png_encode(array[..., :2] * 77))]
    for one, options in [
        (image, {"dpi": (72, 72), "icc_profile": bytes(50)}),
        (image, {"transparency": (1, 2, 3)}),
        (image.convert("RGBA"), {}),
        (image.convert("LA"), {}),
        (image.convert("1"), {}),
        (image.quantize(3), {"transparency": bytes([0, 9, 255]), "bits": 2}),
        (image.convert("I;16"), {}),
    ]:
        held = io.BytesIO()
        one.save(held, "PNG", **options)
        more = [(b"gAMA", bytes(4)), (b"bKGD", bytes(6)), (b"tEXt", b"a\0b"), (b"eXIf", b"MM\0*")]
        found += [held.getvalue(), held.getvalue()[:33] + b"".join(_chunk(*one) for one in more) + held.getvalue()[33:]]
    grey = struct.pack(">IIBBBBB", 8, 3, 2, 0, 0, 0, 0)
    parts = [(b"IHDR", grey), (b"tEXt", b"a\0b"), (b"IDAT", zlib.compress(b"\0\x1b\xe4" * 3)), (b"IEND", b"")]
    return [*found, found[0][:8] + b"".join(_chunk(*part) for part in parts)]


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def with_checksums(data: bytes) -> bytes:
    """The chunks of a PNG file with checksums that hold, so that mutations get behind them."""
    found, at = [data[:8]], 8
    while at + 12 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        if at + 12 + size > len(data):
            break
        found.append(_chunk(data[at + 4 : at + 8], data[at + 8 : at + 8 + size]))
        at += size + 12
    return b"".join([*found, data[at:]])


def as_pillow(path: Path, parts: list[Part]) -> bool:
    """Whether Pillow, where it reads the file, has the same values, or what it makes of them in 8 bits."""
    (part,) = parts
    try:
        with Image.open(path) as image:
            arguments = image.tile[0][3] if image.tile else ""
            seen = np.asarray(image)
    except Exception:  # another reader is stricter
        return True
    array, bits = part.array, part.media.get("bits")
    if part.media["format"] == "PPM" and part.media["template"][0].split()[-1] not in (b"255", b"65535"):
        most = int(part.media["template"][0].split()[-1]) if part.media["mode"] != "1" else 255
        return seen.shape == array.shape and (most == 255 or int(array.max()) > most or not seen[array == 0].any())
    if part.media["format"] == "PPM" and part.media["mode"] == "RGB" and array.dtype == np.uint16:
        return seen.shape == array.shape  # which it divides by 257 and rounds
    if array.shape[2:] == (4,) and seen.shape[2:] == (3,):
        array = array[..., :3]  # the fourth byte of a BMP, which Pillow ignores
    if array.shape[2:] == (2,) and seen.shape[2:] == (4,):
        seen = seen[..., 2:]  # grey and alpha of 16 bits, which it makes colours of
    if isinstance(arguments, tuple) and arguments[0] == "1" and part.media["format"] == "BMP" and bits_of(path) == 8:
        return True  # Pillow takes a palette of black and white for bits
    if arguments in ("L;2", "L;4"):
        array = array * np.uint8(85 if bits == 2 else 17)
    elif array.dtype == np.uint16 and seen.dtype == np.uint8:
        array = (array >> 8).astype(np.uint8)
    return seen.shape == array.shape and bool((seen == array).all())


def bits_of(path: Path) -> int:
    """Bits a pixel of a BMP file."""
    return int.from_bytes(path.read_bytes()[28:30], "little")


def bmp_seeds() -> list[bytes]:
    """Small files of every number of bits."""
    image, found = Image.fromarray(np.arange(9 * 11 * 4, dtype=np.uint8).reshape(9, 11, 4)), []
    for one, options in [
        (image.convert("RGB"), {}),
        (image, {}),
        (image.convert("L"), {}),
        (image.convert("1"), {}),
        (image.convert("RGB").quantize(9), {"bits": 4}),
    ]:
        held = io.BytesIO()
        one.save(held, "BMP", **options)
        found.append(held.getvalue())
    return found


def netpbm_seeds() -> list[bytes]:
    """Small files of bits, grey and colours."""
    values = bytes(range(48))
    return [
        b"P6 4 4 255\n" + values,
        b"P5\n# of\n4 12 255\n" + values,
        b"P5 4 6 65535 " + values,
        b"P4 16 24\n" + values,
    ]


# --- DICOM, NIfTI, sound, tensors, NetCDF, HDF5 -------------------------------------------------------


def dicom_seeds() -> list[bytes]:
    """Each syntax and kind of pixels."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import CTImageStorage, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

    found = []
    for syntax in (ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian):
        for allocated, stored, signed, samples, planar in ((16, 12, 1, 1, 0), (8, 8, 0, 3, 1), (1, 1, 0, 1, 0)):
            data = Dataset()
            data.file_meta = FileMetaDataset()
            data.file_meta.TransferSyntaxUID = syntax
            data.file_meta.MediaStorageSOPClassUID = CTImageStorage
            data.file_meta.MediaStorageSOPInstanceUID = "1.2"
            data.PatientName, data.PixelSpacing, data.NumberOfFrames = "Doe", [0.5, 0.25], 2
            data.Rows, data.Columns, data.SamplesPerPixel, data.PlanarConfiguration = 4, 6, samples, planar
            data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = (
                allocated,
                stored,
                stored - 1,
                signed,
            )
            data.PhotometricInterpretation = "RGB" if samples == 3 else "MONOCHROME2"
            data.PixelData = RNG.bytes(4 * 6 * 2 * samples * allocated // 8)
            data["PixelData"].VR = "OW" if allocated == 16 else "OB"
            held = io.BytesIO()
            data.save_as(held, enforce_file_format=True)
            found.append(held.getvalue())
    return found


def same_dicom(path: Path, parts: list[Part]) -> bool:
    import pydicom

    data = pydicom.dcmread(path)
    seen, array = pydicom.pixels.pixel_array(data, raw=True), parts[0].array
    if seen.dtype.kind == "f":
        return np.array_equal(seen, array, equal_nan=True)
    # pydicom leaves out what is above the bits that are stored.
    different = seen.astype(np.int64) ^ array.astype(np.int64)
    return seen.shape == array.shape and not (different & ((1 << int(data.BitsStored)) - 1)).any()


def nifti_seeds() -> list[bytes]:
    """Both versions, in both orders of bytes."""
    import nibabel

    found = []
    for kind in (nibabel.Nifti1Image, nibabel.Nifti2Image):
        for dtype in ("u1", "<i2", ">f4"):
            header = kind.header_class(endianness=">" if dtype[0] == ">" else "<")
            header.set_data_dtype(np.dtype(dtype))
            made = kind(RNG.integers(0, 9, (4, 3, 2)).astype(dtype), np.eye(4), header)
            held = io.BytesIO()
            made.to_file_map({"image": nibabel.fileholders.FileHolder(fileobj=held)})
            found.append(held.getvalue())
    return found


def same_nifti(path: Path, parts: list[Part]) -> bool:
    import nibabel

    seen = np.asanyarray(nibabel.load(path).dataobj.get_unscaled())
    if seen.dtype.fields:
        seen = np.stack([seen[name] for name in seen.dtype.names], 0)
    return normalise(np.ascontiguousarray(seen.T)).tobytes() == normalise(parts[0].array).tobytes()


def zipped(data: bytes) -> bytes:
    """A gzip file, so that mutations get behind its checksum."""
    return gzip.compress(data, 1 + len(data) % 9, mtime=0)


def wav_seeds() -> list[bytes]:
    """Each width."""
    from scipy.io import wavfile

    found = []
    for width, channels in ((1, 1), (2, 2), (3, 1), (4, 2)):
        held = io.BytesIO()
        with wave.open(held, "wb") as file:
            file.setparams((channels, width, 8000, 0, "NONE", ""))
            file.writeframes(RNG.bytes(12 * width * channels))
        found.append(held.getvalue() + b"LIST\4\0\0\0INFO")
    held = io.BytesIO()
    wavfile.write(held, 8000, RNG.normal(size=(10, 2)).astype("f4"))
    return [*found, held.getvalue()]


def same_wav(path: Path, parts: list[Part]) -> bool:
    from scipy.io import wavfile

    seen = wavfile.read(path)[1]
    if parts[0].media["bits"] in range(17, 25):
        seen = seen >> 8
    return seen.tobytes() == parts[0].array.tobytes()


def safetensors_seeds() -> list[bytes]:
    """Several tensors, none, booleans."""
    from safetensors.numpy import save

    return [
        save({"a": np.arange(6, dtype="i2"), "b": np.ones((2, 2), "f4"), "c": np.zeros((0, 3))}, metadata={"x": "y"}),
        save({"flags": np.array([True, False]), "n": np.array(5, "u8")}),
    ]


def same_safetensors(path: Path, parts: list[Part]) -> bool:
    from safetensors.numpy import load_file

    seen = load_file(path)
    return {part.media["member"]: part.array.tobytes() for part in parts} == {k: v.tobytes() for k, v in seen.items()}


def with_length(data: bytes) -> bytes:
    """The header of a safetensors file with the length that it has, so that mutations do not end there."""
    end = data.rfind(b"}}") + 2
    return struct.pack("<Q", end - 8) + data[8:] if end > 9 else data


def netcdf_seeds() -> list[bytes]:
    """With records and without."""
    from scipy.io import netcdf_file

    found = []
    for version, records in ((1, 0), (1, 3), (2, 2)):
        held = io.BytesIO()
        held.close = lambda: None  # type: ignore[method-assign]
        file = netcdf_file(held, "w", version=version)
        file.title = b"made"
        file.createDimension("t", None)
        file.createDimension("x", 3)
        for name, code, axes in (("a", "i1", ("t", "x")), ("b", ">f4", ("t",)), ("c", ">i2", ("x",))):
            made = file.createVariable(name, np.dtype(code), axes)
            made.units = b"K"
            made[:] = np.ones((records, 3) if len(axes) == 2 else (records,) if axes == ("t",) else (3,))
        file.flush()
        found.append(held.getvalue())
    return found


def same_netcdf(path: Path, parts: list[Part]) -> bool:
    from scipy.io import netcdf_file

    with netcdf_file(path, mmap=False) as file:
        seen = {name: np.ascontiguousarray(one.data) for name, one in file.variables.items()}
    plain = {name: one.astype(one.dtype.newbyteorder("=")).tobytes() for name, one in seen.items()}
    return plain == {part.media["member"]: normalise(part.array).tobytes() for part in parts}


def hdf5_seeds() -> list[bytes]:
    """Old and new, in chunks and in one piece."""
    import h5py

    found = []
    for libver in ("earliest", "latest"):
        held = io.BytesIO()
        with h5py.File(held, "w", libver=libver) as file:
            file.create_dataset("a", data=np.arange(12, dtype="i2").reshape(3, 4), chunks=(2, 2), compression="gzip")
            file.create_dataset("g/b", data=np.arange(5.0)).attrs["units"] = "K"
            file.create_dataset("text", data=["x"], dtype=h5py.string_dtype())
        found.append(held.getvalue())
    return found


def same_hdf5(path: Path, parts: list[Part]) -> bool:
    import h5py

    with h5py.File(path) as file:
        return all(
            np.array_equal(file[part.media["member"]][...], part.array, equal_nan=part.array.dtype.kind == "f")
            for part in parts
        )


# --- .npy, .npz, idx -------------------------------------------------------------------------------


def npy_seeds() -> list[bytes]:
    """Each order of bytes and axes, times, flags; with more behind it, and with an older header."""
    found = []
    for array in (
        np.arange(12, dtype="<i4").reshape(3, 4),
        np.arange(6, dtype=">f8").reshape(1, 2, 3),
        np.asfortranarray(np.arange(12, dtype=">u2").reshape(3, 4)),
        np.array(["2001-02-03", "NaT"], "M8[D]"),
        np.array([[True], [False]]),
        np.complex64(1j),
        np.zeros((0, 3), "f2"),
    ):
        held = io.BytesIO()
        np.save(held, array)
        found.append(held.getvalue())
    return [*found, found[0] + found[1], found[0][:6] + b"\2\0" + (118).to_bytes(4, "little") + found[0][10:]]


def same_npy(path: Path, parts: list[Part]) -> bool:
    seen = np.load(path, allow_pickle=False)
    return seen.shape == parts[0].array.shape and _native(seen) == _native(parts[0].array)


def npz_seeds() -> list[bytes]:
    """Compressed and not."""
    found = []
    for save in (np.savez, np.savez_compressed):
        held = io.BytesIO()
        save(held, np.arange(5), a=np.arange(12, dtype=">f4").reshape(3, 4), t=np.array(["2001-02-03"], "M8[s]"))
        found.append(held.getvalue())
    return found


def same_npz(path: Path, parts: list[Part]) -> bool:
    with np.load(path, allow_pickle=False) as file:
        seen = {name: _native(file[name]) for name in file.files}
    return seen == {part.media["member"]: _native(part.array) for part in parts}


def with_checksums_of_members(data: bytes) -> bytes:
    """A zip archive whose first member has a checksum that holds, where it is not compressed."""
    try:
        method, _, _, _, size, _, name, extra = struct.unpack_from("<HHHIIIHH", data, 8)
        more = struct.unpack_from("<Q", data, 30 + name + 4)[0] if size == 0xFFFFFFFF else size
        start = 30 + name + extra
        entry = data.index(b"PK\1\2")
    except (struct.error, ValueError):
        return data
    if method or start + more > entry:
        return data
    crc = zlib.crc32(data[start : start + more]).to_bytes(4, "little")
    return data[:14] + crc + data[18 : entry + 16] + crc + data[entry + 20 :]


def idx_seeds() -> list[bytes]:
    """Bytes, integers, floats."""
    return [
        struct.pack(">BBBB3I", 0, 0, 8, 3, 2, 3, 4) + bytes(range(24)),
        struct.pack(">BBBBI", 0, 0, 12, 1, 5) + np.arange(5, dtype=">i4").tobytes(),
        struct.pack(">BBBB2I", 0, 0, 14, 2, 2, 2) + np.arange(4, dtype=">f8").tobytes(),
    ]


def same_idx(path: Path, parts: list[Part]) -> bool:
    data, array = path.read_bytes(), parts[0].array
    shape = struct.unpack_from(f">{data[3]}I", data, 4)
    dtype = {8: ">u1", 9: ">i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}[data[2]]
    return shape == array.shape and array.astype(dtype).tobytes() == data[4 + 4 * data[3] :]


def where_read(same: Callable[[Path, list[Part]], bool]) -> Callable[[Path, list[Part]], bool]:
    """Whether another reader has the same values, or does not read the file at all."""

    def oracle(path: Path, parts: list[Part]) -> bool:
        try:
            return same(path, parts)
        except Exception:  # another reader is stricter
            return True

    return oracle


DOORS = {
    "npy": Door(".npy", npy_seeds, where_read(same_npy), identical=True),
    "npz": Door(".npz", npz_seeds, where_read(same_npz), with_checksums_of_members),
    "idx": Door("", idx_seeds, same_idx, identical=True),
    "tiff": Door(".tif", tiff_seeds, as_tifffile),
    "png": Door(".png", png_seeds, as_pillow, with_checksums),
    "bmp": Door(".bmp", bmp_seeds, as_pillow),
    "netpbm": Door(".ppm", netpbm_seeds, as_pillow),
    "dicom": Door(".dcm", dicom_seeds, where_read(same_dicom), identical=True),
    "nifti": Door(".nii", nifti_seeds, where_read(same_nifti), identical=True),
    "nifti-gz": Door(".nii.gz", nifti_seeds, where_read(same_nifti), zipped),
    "wav": Door(".wav", wav_seeds, where_read(same_wav), identical=True),
    "safetensors": Door(".safetensors", safetensors_seeds, where_read(same_safetensors), with_length, identical=True),
    "netcdf": Door(".nc", netcdf_seeds, where_read(same_netcdf), identical=True),
    "hdf5": Door(".h5", hdf5_seeds, where_read(same_hdf5)),
}


def inputs(name: str, seed: int) -> Iterator[bytes]:
    """Mutated inputs without end."""
    rng, seeds = np.random.Generator(np.random.Philox(seed)), DOORS[name].seeds()
    while True:
        yield DOORS[name].mend(mutated(seeds[rng.integers(len(seeds))], rng))


def run(name: str, n: int, seed: int, folder: Path) -> None:
    """Give a door `n` inputs, and write down the results."""
    read = findings = 0
    for number, data in zip(range(n), inputs(name, seed), strict=False):
        began = time.monotonic()
        try:
            read += check(name, data, folder)
            if time.monotonic() - began > 10:
                raise AssertionError("took more than 10 s")
        except Exception as error:  # a finding, whatever it is
            findings += 1
            Path("findings").mkdir(exist_ok=True)
            Path("findings", f"{name}-{number}").write_bytes(data)
            print(f"{name}-{number}: {type(error).__name__}: {error}", flush=True)
    print(f"{name}: {n} inputs, {read} read, {n - read - findings} refused, {findings} findings")


if __name__ == "__main__":
    with suppress(KeyboardInterrupt), tempfile.TemporaryDirectory(prefix="door-") as made:
        run(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 0, Path(made))
