"""Images through Pillow, which is imported here and inside functions only.

Pixels are taken as they are stored; nothing is scaled, rotated or colour-managed, and of an image with a palette it is
the indices that are taken. What stands beside the pixels is kept as attributes (`codecs_core.media.metadata`). Where Pillow
alone would lose something (16 bits in colour, frames after the first) the file is refused.
"""

from __future__ import annotations

import io
import warnings
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from codecs_core.arrays import ArraySpec
from codecs_core.errors import InexactError, InputError, OutputError
from codecs_core.media.metadata import metadata, palette, save_options
from codecs_core.media.source import Source

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from PIL.Image import Image
    from PIL.ImageFile import ImageFile

    from codecs_core.media.source import Part

FORMATS = ("PNG", "WEBP", "JPEG", "TIFF", "BMP", "PPM", "GIF")
#: Formats that hold pixels exactly, by suffix of the file to write.
SUFFIXES = {
    ".png": "PNG",
    ".webp": "WEBP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".bmp": "BMP",
    ".ppm": "PPM",
    ".pgm": "PPM",
}
_LOSSY = {".jpg", ".jpeg", ".gif"}
#: Modes a format takes and gives back as they are.
_MODES = {
    "PNG": {"1", "L", "LA", "P", "RGB", "RGBA", "I;16"},
    "WEBP": {"RGB", "RGBA"},
    "TIFF": {"1", "L", "LA", "P", "RGB", "RGBA", "RGBX", "CMYK", "I;16", "I", "F"},
    "BMP": {"1", "L", "P", "RGB"},
    "PPM": {"L", "RGB", "I;16"},
}
_SAVE: dict[str, dict[str, Any]] = {
    "PNG": {"optimize": True},
    "WEBP": {"lossless": True, "exact": True, "quality": 75, "method": 6},
    "TIFF": {"compression": "tiff_adobe_deflate"},
}
#: Modes whose values an array keeps as they are.
_KEPT = frozenset(
    ["1", "L", "LA", "P", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "LAB", "HSV", "I;16", "I;16L", "I;16B", "I", "F"]
)
_DTYPES = {"I": "int32", "F": "float32", "I;16": "uint16", "I;16L": "uint16", "I;16B": "uint16"}


def is_image_path(path: Path) -> bool:
    """Whether `path` names an image file by its suffix, lossy ones included."""
    return path.suffix.lower() in SUFFIXES or path.suffix.lower() in _LOSSY


@contextmanager
def _opened(path: Path) -> Iterator[ImageFile]:
    try:
        from PIL import Image, UnidentifiedImageError
    except ImportError as error:
        raise InputError(f"{path} may be an image, which takes Pillow: pip install 'codecs-core[images]'") from error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path, formats=FORMATS) as image:
                yield image
    except UnidentifiedImageError as error:
        raise _unidentified(path) from error
    except InputError:
        raise
    except Exception as error:  # Pillow's decoders raise nearly anything on damage
        why = f"{error}" if type(error) is OSError else f"{type(error).__name__}: {error}"
        raise InputError(f"image {path} cannot be read: {why}") from error


def _unidentified(path: Path) -> InputError:
    return InputError(f"image {path} cannot be read: it starts like one, and does not go on like one; it is damaged")


def read_image(path: Path) -> list[Source]:
    """The pixels of an image file.

    Grey is (H, W), colour (H, W, C), all uint8 but for 16-bit grey (uint16) and what only TIFF has (int32, float32).
    One-bit images become 0 and 1; of an image with a palette the array is the indices (H, W), and
    ``attrs["media"]["palette"]`` says which colours they are. Other colour spaces (CMYK, YCbCr) stay as stored;
    ``attrs["media"]["mode"]`` names them.

    Raises
    ------
    InexactError
        If the array would hold less than the file.
    InputError
        If it is damaged.
    """
    with _opened(path) as image:
        _refuse_what_would_be_lost(path, image)
        channels = len(image.getbands())
        shape = (image.height, image.width) if channels == 1 else (image.height, image.width, channels)
        dtype = "uint16" if _is_16_bit(image) else _DTYPES.get(image.mode, "uint8")
        media = metadata(path, image)

    def load() -> NDArray[Any]:
        with _opened(path) as image:
            pixels = np.asarray(image).astype(dtype)
        if pixels.shape != shape:
            raise InputError(f"image {path} changed while it was read: {shape} became {pixels.shape}")
        return pixels

    return [Source(name="", path=path, spec=ArraySpec(shape, dtype), load=load, attrs={"media": media})]


def is_lossy(path: Path) -> bool:
    """Whether a file dropped detail to be small: any JPEG."""
    return True


def is_lossy_webp(path: Path) -> bool:
    """Whether a WebP file has an image that is not lossless."""
    with path.open("rb") as file:
        file.seek(12)
        while len(head := file.read(8)) == 8:
            if head[:4] == b"VP8 ":
                return True
            if head[:4] == b"VP8L":
                return False
            size = int.from_bytes(head[4:], "little")
            file.seek(size + size % 2, 1)
    return False


def _raw(image: ImageFile) -> tuple[str, Any]:
    """How the file stores its pixels, in Pillow's words, and the decoder's last argument."""
    if not image.tile:
        return "", None
    args = image.tile[0][3]
    return (str(args[0]), args[-1]) if isinstance(args, tuple) and args else (str(args), None)


def _is_16_bit(image: ImageFile) -> bool:
    """Whether an image that Pillow reads as 32-bit integers has unsigned 16 bits in the file."""
    raw, last = _raw(image)
    return image.mode == "I" and (raw in ("I;16", "I;16B") or (image.format == "PPM" and last == 65535))


def _refuse_what_would_be_lost(path: Path, image: ImageFile) -> None:
    frames = getattr(image, "n_frames", 1)
    if frames > 1:
        raise InexactError(
            f"{path} has {frames} frames, and one array is due; save them as a .npy stack or as single images"
        )
    if image.mode not in _KEPT:
        raise InexactError(
            f"{path} has pixels of mode {image.mode}, which no array keeps as they are; save it as PNG first"
        )
    raw, last = _raw(image)
    if raw.startswith("RGBa"):
        raise InexactError(
            f"{path} stores colours multiplied by their alpha, which Pillow would divide and round; save it as PNG first"
        )
    if (";16" in raw and not raw.startswith(("I", "BGR"))) or raw.startswith("F;64"):
        raise InexactError(
            f"{path} stores {raw} values, of which Pillow would keep half the bits; save it as .npy instead"
        )
    if image.format == "PPM" and type(last) is int and last not in (255, -1) and (last, image.mode) != (65535, "I"):
        raise InexactError(f"{path} has {last} as its maximum, to which Pillow would scale its values; save it as .npy")


def mode_of(array: NDArray[Any], media: Mapping[str, Any]) -> str | None:
    """Pillow's mode for an array that came from (or may become) an image, or None."""
    of_file = media.get("mode")
    if of_file in ("YCbCr", "LAB", "HSV"):
        return None
    match (array.dtype.name, array.shape):
        case ("uint8", (_, _)) if of_file == "1" and not (array > 1).any():
            return "1"
        case ("uint8", (_, _)):
            return "P" if palette(media) else "L"
        case ("uint16", (_, _)):
            return "I;16"
        case ("int32", (_, _)):
            return "I"
        case ("float32", (_, _)):
            return "F"
        case ("uint8", (_, _, 2)):
            return "LA"
        case ("uint8", (_, _, 3)):
            return "RGB"
        case ("uint8", (_, _, 4)):
            return of_file if of_file in ("CMYK", "RGBX") else "RGBA"
    return None


def suffix_of(parts: Sequence[Part]) -> str | None:
    """The suffix of the file that holds the pixels that came from an image file; None for what is no image."""
    return suffix_for(parts[0].array, parts[0].media) if len(parts) == 1 else None


def suffix_for(array: NDArray[Any], media: Mapping[str, Any]) -> str | None:
    """The suffix of the format an image came in, or of one that holds it exactly; None for what is no image."""
    mode = mode_of(array, media)
    if mode is None or not array.size:
        return None
    of_format = next((s for s, f in SUFFIXES.items() if f == media.get("format")), ".png")
    for suffix in (of_format, ".png", ".tiff"):
        if mode in _MODES[SUFFIXES[suffix]]:
            return suffix
    return None


def write_image(path: Path, parts: Sequence[Part]) -> None:
    """Write the pixels that came from an image file as the format that the suffix of `path` names."""
    (part,) = parts
    with path.open("wb") as file:
        save_image(file, path, part.array, part.media)


def save_image(file: IO[bytes], path: Path, array: NDArray[Any], media: Mapping[str, Any]) -> None:
    """Write an array as the image format that the suffix of `path` names, and check that it reads back the same."""
    suffix = path.suffix.lower()
    if suffix in _LOSSY:
        raise OutputError(f"a {suffix} file would lose values; write .png, .tiff or .npy instead of {path}")
    kind = SUFFIXES[suffix]
    mode = mode_of(array, media)
    if mode not in _MODES[kind] or not array.size:
        what = "images with a palette" if mode == "P" else f"{array.dtype} of shape {array.shape}"
        raise OutputError(
            f"{suffix} holds {', '.join(sorted(_MODES[kind]))} images, not {what}; "
            f"write {suffix_for(array, media) or '.npy'} instead of {path}"
        )
    try:
        from PIL import Image
    except ImportError as error:
        raise OutputError(f"writing {path} takes Pillow: pip install 'codecs-core[images]'") from error
    image = _image(array, mode, media)
    held = io.BytesIO()
    image.save(held, kind, **_SAVE.get(kind, {}), **save_options(media, kind, mode))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it is large is known
        with Image.open(held, formats=[kind]) as back:
            again = np.asarray(back.convert("RGBA") if mode == "RGBA" else back)
            colours = bytes(back.getpalette() or b"") if mode == "P" else b""
    if (
        again.shape != array.shape
        or not np.array_equal(again.astype(array.dtype), array, equal_nan=mode == "F")
        or not colours.startswith(palette(media) or b"")
    ):
        raise OutputError(
            f"{suffix} does not give {array.dtype} of shape {array.shape} back as it is; write .npy instead"
        )
    file.write(held.getbuffer())


def _image(array: NDArray[Any], mode: str, media: Mapping[str, Any]) -> Image:
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
