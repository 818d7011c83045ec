"""PNG files: chunks here, pixels through Pillow, or imagecodecs where they are colours of 16 bits.

W3C, Portable Network Graphics Specification (third edition). Whatever stands beside the pixels is kept; most of it as the
chunks of the file. The libraries are given the pixels alone, so that nothing else in a file can be a reason to refuse it.
"""

from __future__ import annotations

import io
import re
import struct
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from codecs_core.arrays import ArraySpec
from codecs_core.errors import InexactError, InputError, MissingReaderError, OutputError
from codecs_core.media.metadata import LARGEST, density, palette, transparency
from codecs_core.media.source import Source
from codecs_core.media.strips import together

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

SIGNATURE = b"\x89PNG\r\n\x1a\n"
#: The longest side that libpng takes.
LONGEST = 1_000_000
#: Pillow's words for the pixels, by colour type and bits.
_MODES = {(0, 1): "1", (0, 2): "L", (0, 4): "L", (0, 8): "L", (0, 16): "I;16"}
_MODES |= {(3, bits): "P" for bits in (1, 2, 4, 8)}
_MODES |= {(colour, bits): mode for bits in (8, 16) for colour, mode in ((2, "RGB"), (4, "LA"), (6, "RGBA"))}
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
#: Chunks that come in front of the palette.
_COLOUR = ("cHRM", "cICP", "gAMA", "iCCP", "mDCV", "cLLI", "sBIT", "sRGB")
#: Chunks that say something of the pixels and are true of them when these are compressed again.
_KNOWN = {*_COLOUR, "bKGD", "hIST", "tIME", "tRNS", "pHYs", "pCAL", "sCAL", "sTER", "eXIf"}
#: Chunks that are about the bytes of the file they are in, and are left out: where Apple's software begins to read.
_ABOUT_BYTES = {"iDOT"}
_ANIMATED = {"acTL", "fcTL", "fdAT"}
_PROFILE = b"ICC Profile"


@dataclass
class _Png:
    """A file taken apart."""

    width: int
    height: int
    bits: int
    colour: int
    header: bytes
    palette: bytes = b""
    chunks: list[tuple[str, bytes]] = field(default_factory=list)
    #: Where the compressed pixels lie: offset and bytes.
    pixels: list[tuple[int, int]] = field(default_factory=list)

    @property
    def mode(self) -> str:
        return _MODES[self.colour, self.bits]

    @property
    def shape(self) -> tuple[int, ...]:
        channels = _CHANNELS[self.colour]
        return (self.height, self.width, channels) if channels > 1 else (self.height, self.width)

    @property
    def dtype(self) -> str:
        return "uint16" if self.bits == 16 else "uint8"


def read_png(path: Path) -> list[Source]:
    """The pixels of a PNG file, as stored: (H, W), or (H, W, C); uint8, or uint16 where they have 16 bits.

    Grey of 1, 2 or 4 bits stays 0 to 1, 3 or 15; of an image with a palette the values are the indices.

    Raises
    ------
    InexactError
        For animations, and chunks that say something of the file which would not be true of another.
    InputError
        If the file is damaged.
    """
    png = _taken_apart(path)
    media = {"format": "PNG", "mode": png.mode, "name": path.name} | _metadata(png)
    if _size(media) > LARGEST:
        raise InexactError(
            f"{path} has {_size(media)} bytes of metadata (profile, EXIF, text), and {LARGEST} can be kept with an image"
        )
    spec = ArraySpec(png.shape, png.dtype)

    def load() -> NDArray[Any]:
        with path.open("rb") as file:
            found = _chunk(b"IHDR", png.header) + (_chunk(b"PLTE", png.palette) if png.palette else b"")
            parts = [SIGNATURE, found]
            for at, nbytes in png.pixels:
                file.seek(at)
                part = file.read(nbytes)
                if zlib.crc32(part[4:-4]) != int.from_bytes(part[-4:], "big"):
                    raise InputError(f"{path} is damaged: the checksum of the pixels at byte {at} does not hold")
                parts.append(part)
        data = b"".join([*parts, _chunk(b"IEND", b"")])
        parts.clear()
        return _decoded(data, spec, png.bits, str(path))

    return [Source(name="", path=path, spec=spec, load=load, attrs={"media": media})]


def _taken_apart(path: Path) -> _Png:
    """The chunks of a file, each with its checksum compared."""
    size = path.stat().st_size
    with path.open("rb") as file:
        if file.read(8) != SIGNATURE:
            raise InputError(f"{path} is damaged: it does not start like a PNG file")
        png: _Png | None = None
        while len(head := file.read(8)) == 8:
            nbytes, kind = int.from_bytes(head[:4], "big"), head[4:]
            at = file.tell()
            if at + nbytes + 4 > size:
                break
            if kind == b"IDAT" and png is not None:
                png.pixels.append((at - 8, nbytes + 12))
                file.seek(nbytes + 4, 1)
                continue
            data, checksum = file.read(nbytes), file.read(4)
            if zlib.crc32(kind + data) != int.from_bytes(checksum, "big"):
                raise InputError(f"{path} is damaged: the checksum of chunk {kind!r} at byte {at - 8} does not hold")
            if png is None:
                png = _header(path, kind, data)
            elif kind == b"IEND":
                if file.read(1):
                    raise InexactError(f"{path} has bytes behind its end, which no array keeps")
                return png
            else:
                _take(path, png, kind.decode("latin-1"), data)
    raise InputError(f"{path} is damaged: it is cut short, since its last chunk is not IEND")


def _header(path: Path, kind: bytes, data: bytes) -> _Png:
    if kind != b"IHDR" or len(data) != 13:
        raise InputError(f"{path} is damaged: it does not begin with a header")
    width, height, bits, colour, way, filters, interlace = struct.unpack(">IIBBBBB", data)
    if not 0 < width < 1 << 31 or not 0 < height < 1 << 31 or (colour, bits) not in _MODES:
        raise InputError(f"{path} is damaged: {height} rows, {width} columns, colour type {colour} of {bits} bits")
    if way or filters or interlace > 1:
        raise InexactError(f"{path} is compressed in a way that is not known ({way}, {filters}, {interlace})")
    return _Png(width, height, bits, colour, data)


def _take(path: Path, png: _Png, kind: str, data: bytes) -> None:
    if kind == "PLTE" and png.colour == 3 and not png.palette and 0 < len(data) <= 768 and len(data) % 3 == 0:
        png.palette = data
    elif kind in _ANIMATED:
        raise InexactError(f"{path} is an animation, and an array would hold only its first image")
    elif kind[0].isupper() or not kind.isascii() or not kind.isalpha():
        raise InexactError(f"{path} has a chunk {kind!r}, without which its pixels may mean something else")
    elif kind[3].isupper() and kind not in _KNOWN | _ABOUT_BYTES:
        raise InexactError(f"{path} has a chunk {kind!r}, which is true only of this very file")
    elif kind not in _ABOUT_BYTES:
        png.chunks.append((kind, data))


def _metadata(png: _Png) -> dict[str, Any]:
    """What the chunks say, in the words of `metadata`; the rest of them as they are."""
    found: dict[str, Any] = {"palette": png.palette} if png.colour == 3 else {}
    if png.colour == 3 or png.bits in (2, 4):
        found["bits"] = png.bits
    kept: list[list[Any]] = []
    for kind, data in png.chunks:
        understood = _understood(kind, data, png.mode)
        if understood is None or understood.keys() & found.keys():
            kept.append([kind, data])
        else:
            found |= understood
    return found | ({"chunks": kept} if kept else {})


def _understood(kind: str, data: bytes, mode: str) -> dict[str, Any] | None:
    """A chunk in other words, None for one that is kept as it is."""
    if kind == "eXIf" and data:
        return {"exif": b"Exif\0\0" + data}
    if kind == "pHYs" and len(data) == 9 and data[8] == 1:
        dpi = [n * 0.0254 for n in struct.unpack(">II", data[:8])]
        return {"dpi": dpi} if density(dpi) and _density(dpi) == data else None
    if kind == "tRNS":
        return _see_through(data, mode)
    name, _, packed = data.partition(b"\0")
    if kind != "iCCP" or not 0 < len(name) < 80 or packed[:1] != b"\0":
        return None
    try:
        profile = zlib.decompressobj().decompress(packed[1:], LARGEST)
    except zlib.error:
        return None
    called = {} if name == _PROFILE else {"icc_name": name}
    return {"icc": profile} | called if 0 < len(profile) < LARGEST else None


def _see_through(data: bytes, mode: str) -> dict[str, Any] | None:
    if mode == "P":
        simple = re.fullmatch(b"(\xff*)\0\xff*", data)
        return (
            {"transparency": len(simple[1]) if simple and len(simple[1]) == len(data) - 1 else data} if data else None
        )
    if mode == "RGB" and len(data) == 6:
        return {"transparency": list(struct.unpack(">HHH", data))}
    return {"transparency": int.from_bytes(data, "big")} if mode in ("1", "L", "I;16") and len(data) == 2 else None


def _size(media: Mapping[str, Any]) -> int:
    held = [*media.values(), *(data for _, data in media.get("chunks", ()))]
    return sum(len(one) for one in held if type(one) is bytes)


# --- pixels ---------------------------------------------------------------------------------------


def _decoded(data: bytes, spec: ArraySpec, bits: int, name: str) -> NDArray[Any]:
    try:
        if len(spec.shape) == 3 and (bits == 16 or max(spec.shape) <= LONGEST):  # without the copies that Pillow makes
            import imagecodecs

            array: NDArray[Any] = imagecodecs.png_decode(data)
        else:
            from PIL.PngImagePlugin import PngImageFile

            from codecs_core.media.pillow import pixels_of

            with PngImageFile(io.BytesIO(data)) as image:  # not `Image.open`, which refuses large images
                array = pixels_of(image).astype(spec.dtype, copy=False)
    except ImportError as error:
        raise MissingReaderError(f"{name} is an image: pip install 'codecs-core[images]'") from error
    except MemoryError as error:
        raise InputError(f"image {name} claims more pixels than there is memory for") from error
    except Exception as error:  # the decoders raise nearly anything on damage
        raise InputError(f"image {name} cannot be read: {type(error).__name__}: {error}") from error
    if array.shape != spec.shape or array.dtype.name != spec.dtype:
        raise InputError(f"image {name} is damaged: its pixels are {array.dtype} of {array.shape}, not of {spec.shape}")
    grey = data[25] == 0  # the colour type in the header
    return array // np.uint8(255 // ((1 << bits) - 1)) if grey and bits in (2, 4) else array


def encode_png(array: NDArray[Any], mode: str, media: Mapping[str, Any]) -> bytes:
    """A PNG file of an array and of what was kept of the file it came from, which reads back as the same pixels.

    Raises
    ------
    OutputError
        Where it would not, as with attributes that are damaged.
    """
    bits = media.get("bits") if media.get("mode") == mode else None
    bits = bits if type(bits) is int and bits in (1, 2, 4, 8) and not (array >> bits).any() else None
    try:
        data = _pixels(array, mode, media, bits)
        spec, depth = ArraySpec.of(array), data[24]
        again = _decoded(data, spec, depth, "made of the array")
    except ImportError as error:
        raise OutputError("writing an image takes its libraries: pip install 'codecs-core[images]'") from error
    except InputError as error:
        raise OutputError(f"the pixels do not make a PNG file: {error}; write .npy instead") from error
    if not np.array_equal(again, array):
        raise OutputError(f".png does not give {array.dtype} of shape {array.shape} back as it is; write .npy instead")
    return _with_chunks(data, mode, media)


def _pixels(array: NDArray[Any], mode: str, media: Mapping[str, Any], bits: int | None) -> bytes:
    """A PNG file with nothing but pixels, and their palette."""
    if mode == "L" and bits in (2, 4):
        rows = np.frombuffer(together(array[..., None], bits), np.uint8).reshape(array.shape[0], -1)
        data = zlib.compress(np.pad(rows, ((0, 0), (1, 0))).tobytes(), 9)
        header = struct.pack(">IIBBBBB", array.shape[1], array.shape[0], bits, 0, 0, 0, 0)
        return SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")
    if array.dtype == np.uint16 and array.ndim == 3:
        import imagecodecs

        return bytes(imagecodecs.png_encode(np.ascontiguousarray(array), level=9))
    from codecs_core.media.pillow import pillow_image

    held = io.BytesIO()
    pillow_image(array, mode, media).save(
        held, "PNG", optimize=True, **({"bits": bits} if bits and mode == "P" else {})
    )
    return held.getvalue()


# --- chunks ---------------------------------------------------------------------------------------


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _with_chunks(data: bytes, mode: str, media: Mapping[str, Any]) -> bytes:
    """A file with what was kept put where it belongs: behind the palette, where there is one, all but what is of colour."""
    kept = [*_said(mode, media), *_kept(media)]
    front = b"".join(_chunk(kind.encode(), held) for kind, held in kept if mode != "P" or kind in _COLOUR)
    rest = b"".join(_chunk(kind.encode(), held) for kind, held in kept if mode == "P" and kind not in _COLOUR)
    header, at = 33, 33
    while data[at + 4 : at + 8] != b"IDAT":
        at += int.from_bytes(data[at : at + 4], "big") + 12
    return data[:header] + front + data[header:at] + rest + data[at:]


def _said(mode: str, media: Mapping[str, Any]) -> list[tuple[str, bytes]]:
    """Chunks for what `_understood` put into other words; what is malformed is left out."""
    found: list[tuple[str, bytes]] = []
    icc, exif, name = media.get("icc"), media.get("exif"), media.get("icc_name", _PROFILE)
    if isinstance(icc, bytes) and icc:
        name = name if isinstance(name, bytes) and 0 < len(name) < 80 and b"\0" not in name else _PROFILE
        found.append(("iCCP", name + b"\0\0" + zlib.compress(icc, 9)))
    see_through = transparency(media, mode)
    if isinstance(see_through, bytes):
        found.append(("tRNS", see_through[: len(palette(media) or b"") // 3]))
    elif isinstance(see_through, tuple):
        found.append(("tRNS", struct.pack(">HHH", *see_through)))
    elif see_through is not None:
        found.append(("tRNS", b"\xff" * see_through + b"\0" if mode == "P" else struct.pack(">H", see_through)))
    if dpi := density(media.get("dpi")):
        found.append(("pHYs", _density(dpi)))
    if isinstance(exif, bytes) and exif.removeprefix(b"Exif\0\0"):
        found.append(("eXIf", exif.removeprefix(b"Exif\0\0")))
    return found


def _density(dpi: list[float]) -> bytes:
    return struct.pack(">IIB", *(min(int(one / 0.0254 + 0.5), 0xFFFFFFFF) for one in dpi), 1)


def _kept(media: Mapping[str, Any]) -> list[tuple[str, bytes]]:
    """The chunks that were kept as they are, without those that no reader of this package keeps."""
    found, chunks = [], media.get("chunks")
    for one in chunks if isinstance(chunks, list) else ():
        match one:
            case [str(kind), bytes(data)] if re.fullmatch("[a-z][A-Za-z]{3}", kind) and kind not in _ANIMATED:
                if kind[3].islower() or kind in _KNOWN:
                    found.append((kind, data))
    return found
