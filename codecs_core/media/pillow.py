"""JPEG, WebP and GIF images through Pillow, which is imported here and inside functions only.

Pixels are taken as they are stored; nothing is scaled, rotated or colour-managed, and of an image with a palette it is
the indices that are taken. What stands beside the pixels is kept as attributes (`codecs_core.media.metadata`).
"""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from importlib import import_module
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from codecs_core.arrays import ArraySpec
from codecs_core.errors import InexactError, InputError, MissingReaderError
from codecs_core.media.metadata import metadata, palette
from codecs_core.media.source import Source

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray
    from PIL.Image import Image
    from PIL.ImageFile import ImageFile

#: What opens a format. Not `Image.open`, which takes a large image for an attack.
_OPENERS = {
    "JPEG": "JpegImagePlugin:jpeg_factory",
    "WEBP": "WebPImagePlugin:WebPImageFile",
    "GIF": "GifImagePlugin:GifImageFile",
    "TIFF": "TiffImagePlugin:TiffImageFile",
    "BMP": "BmpImagePlugin:BmpImageFile",
    "PPM": "PpmImagePlugin:PpmImageFile",
}
_MAGIC = {b"\xff\xd8": "JPEG", b"RI": "WEBP", b"GI": "GIF"}
#: Bytes of pixels that are copied at a time.
PART = 1 << 24
#: Modes whose values an array keeps as they are.
_KEPT = frozenset(["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr"])
#: Parts of a WebP file that are understood.
_WEBP = (b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ICCP", b"EXIF", b"XMP ")


def pillow_opened(file: IO[bytes], format: str) -> ImageFile:
    """An image of a known format; Pillow raises nearly anything where it is damaged."""
    module, _, name = _OPENERS[format].partition(":")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        image: ImageFile = getattr(import_module(f"PIL.{module}"), name)(file)
    return image


@contextmanager
def _opened(path: Path) -> Iterator[ImageFile]:
    try:
        import PIL  # noqa: F401
    except ImportError as error:
        raise MissingReaderError(
            f"{path} is an image, which takes Pillow: pip install 'codecs-core[images]'"
        ) from error
    try:
        with path.open("rb") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            format = _MAGIC[file.read(2)]
            file.seek(0)
            with pillow_opened(file, format) as image:
                yield image
    except InputError:
        raise
    except Exception as error:  # Pillow's decoders raise nearly anything on damage
        why = f"{error}" if type(error) is OSError else f"{type(error).__name__}: {error}"
        raise InputError(f"image {path} cannot be read: {why}") from error


def pixels_of(image: Image) -> NDArray[Any]:
    """The pixels as they are stored, (H, W) or (H, W, C), copied by parts: all at once Pillow would hold them three times."""
    image.load()
    width, height = image.size
    first = np.asarray(image.crop((0, 0, width, 1)))
    pixels = np.empty((height, *first.shape[1:]), first.dtype)
    rows = max(1, PART // max(1, first.nbytes))
    for y in range(0, height, rows):
        pixels[y : y + rows] = np.asarray(image.crop((0, y, width, min(y + rows, height))))
    return pixels


def read_image(path: Path) -> list[Source]:
    """The pixels of a JPEG, WebP or GIF file: (H, W) or (H, W, C) of uint8.

    Of an image with a palette the array is the indices (H, W), and ``attrs["media"]["palette"]`` says which colours they are.
    Other colour spaces (CMYK, YCbCr) stay as stored; ``attrs["media"]["mode"]`` names them.

    Raises
    ------
    InexactError
        If the array would hold less than the file: one frame of several.
    InputError
        If it is damaged.
    """
    with _opened(path) as image:
        _refuse(path, image)
        channels = len(image.getbands())
        shape = (image.height, image.width) if channels == 1 else (image.height, image.width, channels)
        media = metadata(path, image)

    def load() -> NDArray[Any]:
        with _opened(path) as image:
            pixels = pixels_of(image).astype(np.uint8, copy=False)
        if pixels.shape != shape:
            raise InputError(f"image {path} changed while it was read: {shape} became {pixels.shape}")
        return pixels

    return [Source(name="", path=path, spec=ArraySpec(shape, "uint8"), load=load, attrs={"media": media})]


def _refuse(path: Path, image: ImageFile) -> None:
    frames = getattr(image, "n_frames", 1)
    if frames > 1:
        raise InexactError(f"{path} has {frames} frames, and an array would hold only the first")
    if image.mode not in _KEPT:
        raise InexactError(f"{path} has pixels of mode {image.mode}, which no array keeps as they are")
    if image.format == "WEBP":
        strange = [kind for kind in webp_parts(path) if kind not in _WEBP]
        if strange:
            raise InexactError(f"{path} has a part {strange[0].decode('latin-1')!r}, which is not understood")


def webp_parts(path: Path) -> list[bytes]:
    """The names of the parts of a WebP file."""
    found = []
    with path.open("rb") as file:
        size = int.from_bytes(file.read(8)[4:], "little")
        file.seek(12)
        while file.tell() < size + 8 and len(head := file.read(8)) == 8:
            found.append(head[:4])
            nbytes = int.from_bytes(head[4:], "little")
            file.seek(nbytes + nbytes % 2, 1)
        if file.seek(0, 2) > size + 8 + size % 2:
            found.append(b"bytes behind its end")
    return found


def pillow_image(array: NDArray[Any], mode: str, media: Mapping[str, Any]) -> Image:
    """Pillow's image of an array that has the pixels of `mode`."""
    from PIL import Image

    array = np.ascontiguousarray(array.astype(array.dtype.newbyteorder("<"), copy=False))
    if mode == "1":
        return Image.fromarray(array * np.uint8(255)).convert("1", dither=Image.Dither.NONE)
    if mode in ("CMYK", "RGBX", "P"):
        image = Image.frombytes(mode, (array.shape[1], array.shape[0]), array.tobytes())
        if mode == "P":
            # Indices may lie outside of the palette: nothing says which colour they are, but they are kept.
            image.putpalette((palette(media) or b"").ljust(3 * (int(array.max()) + 1), b"\0"))
        return image
    return Image.fromarray(array)
