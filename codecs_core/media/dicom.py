"""DICOM files of uncompressed pixels, in either order of bytes. pydicom finds the pixels; all other bytes are kept as they are.

Parts 3 (C.7.6.3, the image pixel module) and 5 (section 8) of the standard.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from codecs_core.arrays import ArraySpec
from codecs_core.errors import CodecsError, InexactError, InputError, MissingReaderError, OutputError
from codecs_core.media import span, template
from codecs_core.media.readable import listed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from codecs_core.media.source import Part, Source

#: Transfer syntaxes whose pixels lie in the file as they are, with their order of bytes.
_SYNTAXES = {"1.2.840.10008.1.2": "<", "1.2.840.10008.1.2.1": "<", "1.2.840.10008.1.2.2": ">"}
#: Elements that hold pixels, and what kind of numbers they are.
_PIXELS = {0x7FE00010: "u", 0x7FE00008: "f", 0x7FE00009: "f"}
#: What of the header is put into ``media["header"]``: geometry, and how values are meant.
_HEADER = (
    *("Modality", "SeriesDescription", "PhotometricInterpretation", "BitsStored", "PixelSpacing", "ImagerPixelSpacing"),
    *("SliceThickness", "SpacingBetweenSlices", "SliceLocation", "ImagePositionPatient", "ImageOrientationPatient"),
    *("FrameOfReferenceUID", "InstanceNumber", "FrameTime", "PixelAspectRatio"),
    *("RescaleSlope", "RescaleIntercept", "RescaleType", "WindowCenter", "WindowWidth", "PixelPaddingValue"),
)
#: Elements larger than this are not read to find the pixels.
_DEFER = 1 << 12


@dataclass(frozen=True, kw_only=True)
class _Image:
    """What the image pixel module says."""

    frames: int
    rows: int
    columns: int
    samples: int
    allocated: int
    stored: int
    signed: bool
    planar: bool

    @property
    def shape(self) -> tuple[int, ...]:
        """(frames, rows, columns, samples), without the first and the last where they are 1."""
        shape = (self.rows, self.columns) if self.frames == 1 else (self.frames, self.rows, self.columns)
        return shape if self.samples == 1 else (*shape, self.samples)

    @property
    def values(self) -> int:
        """Number of values."""
        return self.frames * self.rows * self.columns * self.samples


def read(path: Path) -> list[Source]:
    """The pixels of a DICOM file, of shape (frames, rows, columns, samples), the first and last left out where they are 1.

    They are integers of the bits that are allocated, signed where the file says so (with the sign taken from the bits that are
    stored), or floats. Single bits, as of a segmentation, become 0 and 1.

    Raises
    ------
    InexactError
        If the pixels are compressed, subsampled, or there are none.
    InputError
        If the file is damaged, or pydicom is missing.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            order, image, element, kind, header = _parsed(path)
    except CodecsError:
        raise
    except Exception as error:  # pydicom raises nearly anything on damage
        raise InputError(f"{path} is not a DICOM file that can be read: {type(error).__name__}: {error}") from error
    found = _bits(path, image, element) if image.allocated == 1 else _words(path, order, image, element, kind)
    found.media["header"] = header
    return span.sources(path, "DICOM", [found])


def write(path: Path, parts: Sequence[Part]) -> None:
    """Write the DICOM file that pixels came from, identical to the byte."""
    span.write(path, parts, _raw)


def _parsed(path: Path) -> tuple[str, _Image, Any, str, dict[str, Any]]:
    """Order of bytes, what the pixels are, the element that has them, its kind of numbers, and the header for reading."""
    try:
        import pydicom
    except ImportError as error:
        raise MissingReaderError(
            f"{path} is a DICOM file, which takes pydicom: pip install 'codecs-core[medical]'"
        ) from error
    dataset = pydicom.dcmread(path, defer_size=_DEFER)
    syntax = str(dataset.file_meta.get("TransferSyntaxUID", "none"))
    if syntax not in _SYNTAXES:
        known = getattr(pydicom.uid.UID(syntax), "name", syntax)
        raise InexactError(f"{path} has its pixels compressed, or all of it: its transfer syntax is {known}")
    held = [tag for tag in _PIXELS if tag in dataset]
    if len(held) != 1:
        raise InexactError(f"{path} is a DICOM file with {len(held) or 'no'} sets of pixels; one is taken")
    element: Any = dataset.get_item(held[0], keep_deferred=True)
    if not element.is_raw or element.value_tell <= 0 or element.length == 0xFFFFFFFF:
        raise InexactError(f"{path} has pixels that do not lie in it as they are")
    header = listed((name, _value(dataset, name)) for name in _HEADER if name in dataset)
    return _SYNTAXES[syntax], _image(path, dataset), element, _PIXELS[held[0]], header


def _value(dataset: Any, name: str) -> Any:
    try:
        return _plain(dataset[name].value)
    except Exception:  # of a value that is not as it should be; it is kept all the same, with all others
        return None


def _plain(value: Any) -> Any:
    """A value of pydicom: its numbers are of classes of its own, and so are its lists."""
    if isinstance(value, str | int) or value is None:
        return value if isinstance(value, str) else int(value) if value is not None else None
    if isinstance(value, Iterable):
        return [_plain(one) for one in value]
    return float(value)


def _image(path: Path, dataset: Any) -> _Image:
    def number(name: str, default: int | None = None) -> int:
        value = dataset.get(name, default)
        value = default if value is None or value == "" else value
        if value is None or int(value) < 0:
            raise InputError(f"{path} is a DICOM file whose {name} is {value}")
        return int(value)

    image = _Image(
        frames=number("NumberOfFrames", 1) or 1,
        rows=number("Rows"),
        columns=number("Columns"),
        samples=number("SamplesPerPixel", 1),
        allocated=number("BitsAllocated"),
        stored=number("BitsStored", number("BitsAllocated")),
        signed=number("PixelRepresentation", 0) == 1,
        planar=number("PlanarConfiguration", 0) == 1,
    )
    photometric = dataset.get("PhotometricInterpretation", "")
    if photometric in ("YBR_FULL_422", "YBR_PARTIAL_422", "YBR_PARTIAL_420"):
        raise InexactError(f"{path} has subsampled colours ({photometric})")
    return image


def _bits(path: Path, image: _Image, element: Any) -> span.Span:
    """Pixels of one bit, eight to a byte, the first one lowest."""
    nbytes = -(-image.values // 8)
    _check_length(path, element.length, nbytes)
    natural, count = ArraySpec(image.shape, "uint8"), image.values

    def load(values: NDArray[Any]) -> NDArray[Any]:
        return np.unpackbits(values, count=count, bitorder="little").reshape(natural.shape)

    found = span.Span(
        offset=element.value_tell,
        dtype=np.dtype("u1"),
        shape=(nbytes,),
        media={"pixels": "bits"},
        natural=natural,
        load=load,
    )
    last = replace(found, offset=found.offset + nbytes - 1, shape=(1,), load=None).read(path) if nbytes else 0
    if image.values % 8 and last >> (image.values % 8):
        raise InexactError(f"{path} has bits behind its last pixel")
    return found


def _words(path: Path, order: str, image: _Image, element: Any, kind: str) -> span.Span:
    """Pixels of whole bytes."""
    if image.allocated not in ((32, 64) if kind == "f" else (8, 16, 32)):
        raise InexactError(f"{path} has pixels of {image.allocated} bits")
    width = image.allocated // 8
    _check_length(path, element.length, image.values * width)
    signed = image.signed and kind == "u"
    dtype = np.dtype(f"{order}{'i' if signed else kind}{width}") if width > 1 else np.dtype("i1" if signed else "u1")
    media: dict[str, Any] = {}
    swapped = order == ">" and width == 1 and element.VR == "OW"
    if swapped:
        # Pixels of a byte in words of two, whose bytes are in the other order.
        if image.values % 2:
            raise InexactError(f"{path} has an odd number of bytes in words of two")
        media["swapped"] = True
    planar = image.planar and image.samples > 1
    shape = image.shape
    if planar:
        media["planar"] = True
        shape = (*shape[:-3], shape[-1], *shape[-3:-1])
    if signed and image.stored < image.allocated and _unextended(path, element.value_tell, dtype, image):
        media["signed_bits"] = image.stored

    def load(values: NDArray[Any]) -> NDArray[Any]:
        if swapped:
            values = _swap(values)
        if "signed_bits" in media:
            values = _extended(values, image.stored)
        return np.moveaxis(values, -3, -1) if planar else values

    return span.Span(
        offset=element.value_tell,
        dtype=dtype,
        shape=shape,
        media=media,
        natural=ArraySpec(image.shape, dtype.name),
        load=load,
    )


def _check_length(path: Path, length: int, expected: int) -> None:
    if length < expected:
        raise InputError(f"{path} has {length} bytes of pixels where its header says {expected}; it is damaged")
    if length > expected + expected % 2:
        raise InexactError(f"{path} has {length} bytes of pixels where its header says {expected}")


def _swap(values: NDArray[Any]) -> NDArray[Any]:
    flat = np.ascontiguousarray(values).reshape(-1, 2)
    return np.ascontiguousarray(flat[:, ::-1]).reshape(values.shape)


def _unextended(path: Path, offset: int, dtype: np.dtype[Any], image: _Image) -> bool:
    """Whether negative values have zeros above the bits that are stored, so that their sign is to be had from these alone."""
    if not image.stored:
        return False
    plain = span.Span(offset=offset, dtype=np.dtype(dtype.str.replace("i", "u")), shape=(image.values,)).read(path)
    return bool(1 << (image.stored - 1) <= plain.max(initial=0) < 1 << image.stored)


def _extended(values: NDArray[Any], bits: int) -> NDArray[Any]:
    """Signed numbers of this number of bits, extended to all bits of their type."""
    up = values.dtype.itemsize * 8 - bits
    native: NDArray[Any] = values.astype(values.dtype.newbyteorder("="))
    return (native << up) >> up


def _raw(part: Part) -> Any:
    media, array = part.media, part.array
    if media.get("pixels") == "bits":
        return np.packbits(array.reshape(-1), bitorder="little").data
    if media.get("planar") is True:
        array = np.moveaxis(array, -1, -3)
    bits = media.get("signed_bits")
    if bits is not None:
        if array.dtype.kind != "i" or type(bits) is not int or not 0 < bits < 8 * array.dtype.itemsize:
            raise OutputError(f"its pixels are no signed numbers of {bits} bits")
        array = array & array.dtype.type((1 << bits) - 1)
    if media.get("swapped") is True:
        array = _swap(array)
    return template.raw(array, ">" if media.get("byteorder") == ">" else "<")
