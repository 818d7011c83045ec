"""Images through Pillow, which is imported here and inside functions only.

Pixels are taken as they are stored; nothing is scaled, rotated or colour-managed. Where Pillow alone would lose
something (16 bits in colour, frames after the first) the file is refused.
"""

from __future__ import annotations

import io
import warnings
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from codecs_core.arrays import ArraySpec
from codecs_core.errors import InputError, OutputError
from codecs_core.media.source import Source

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray
    from PIL.Image import Image
    from PIL.ImageFile import ImageFile

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
    "PNG": {"1", "L", "LA", "RGB", "RGBA", "I;16"},
    "WEBP": {"RGB", "RGBA"},
    "TIFF": {"1", "L", "LA", "RGB", "RGBA", "CMYK", "I;16", "I", "F"},
    "BMP": {"1", "L", "RGB"},
    "PPM": {"L", "RGB", "I;16"},
}
_SAVE: dict[str, dict[str, Any]] = {
    "PNG": {"optimize": True},
    "WEBP": {"lossless": True, "exact": True, "quality": 75, "method": 6},
    "TIFF": {"compression": "tiff_adobe_deflate"},
}
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
        raise InputError(
            f"{path} is no .npy, .npz, idx, PNG, WebP, JPEG, TIFF, BMP, PPM or GIF file, going by its first bytes"
        ) from error
    except InputError:
        raise
    except Exception as error:  # Pillow's decoders raise nearly anything on damage
        raise InputError(f"image {path} cannot be read: {type(error).__name__}: {error}") from error


def read_image(path: Path, name: str) -> Source:
    """The pixels of an image file.

    Grey is (H, W), colour (H, W, C), all uint8 but for 16-bit grey (uint16) and what only TIFF has (int32, float32).
    One-bit images become 0 and 1. Palettes and transparent colours become RGB, RGBA or LA, noted in
    ``attrs["media"]["converted"]``. Other colour spaces (CMYK, YCbCr) stay as stored; ``attrs["media"]["mode"]``
    names them.
    """
    with _opened(path) as image:
        _refuse_what_would_be_lost(path, image)
        mode = _target_mode(image)
        channels = len(image.getbands()) if mode == image.mode else {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4}[mode]
        shape = (image.height, image.width) if channels == 1 else (image.height, image.width, channels)
        dtype = "uint16" if _is_16_bit(image) else _DTYPES.get(mode, "uint8")
        media: dict[str, Any] = {"format": image.format, "mode": image.mode, "name": path.name}
        if mode != image.mode:
            media["converted"] = mode
        for key, info in (("icc", "icc_profile"), ("exif", "exif")):
            if isinstance(image.info.get(info), bytes) and image.info[info]:
                media[key] = image.info[info]

    def load() -> NDArray[Any]:
        with _opened(path) as image:
            pixels = np.asarray(image if mode == image.mode else image.convert(mode)).astype(dtype)
        if pixels.shape != shape:
            raise InputError(f"image {path} changed while it was read: {shape} became {pixels.shape}")
        return pixels

    return Source(name=name, path=path, spec=ArraySpec(shape, dtype), load=load, attrs={"media": media})


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
        raise InputError(
            f"{path} has {frames} frames, and one array is due; save them as a .npy stack or as single images"
        )
    raw, last = _raw(image)
    if (";16" in raw and not raw.startswith(("I", "BGR"))) or raw.startswith("F;64"):
        raise InputError(
            f"{path} stores {raw} values, of which Pillow would keep half the bits; save it as .npy instead"
        )
    if image.format == "PPM" and type(last) is int and last not in (255, -1) and (last, image.mode) != (65535, "I"):
        raise InputError(f"{path} has {last} as its maximum, to which Pillow would scale its values; save it as .npy")


def _target_mode(image: ImageFile) -> str:
    """The mode to read in: the image's own, unless it has a palette or a transparent colour."""
    see_through = "transparency" in image.info
    match image.mode:
        case "P":
            return "RGBA" if see_through or (image.palette is not None and image.palette.mode == "RGBA") else "RGB"
        case "PA":
            return "RGBA"
        case "L" if see_through:
            return "LA"
        case "RGB" if see_through:
            return "RGBA"
        case mode:
            return mode


def mode_of(array: NDArray[Any], media: Mapping[str, Any]) -> str | None:
    """Pillow's mode for an array that came from (or may become) an image, or None."""
    match (array.dtype.name, array.shape):
        case ("uint8", (_, _)) if media.get("mode") == "1" and not (array > 1).any():
            return "1"
        case ("uint8", (_, _)):
            return "L"
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
            return "CMYK" if media.get("mode") == "CMYK" else "RGBA"
    return None


def suffix_for(array: NDArray[Any], media: Mapping[str, Any]) -> str | None:
    """The suffix of the format an image came in, or of one that holds it exactly; None for what is no image."""
    mode = mode_of(array, media)
    if mode is None or not array.size or media.get("mode") in ("YCbCr", "LAB", "HSV"):
        return None
    of_format = next((s for s, f in SUFFIXES.items() if f == media.get("format")), ".png")
    for suffix in (of_format, ".png", ".tiff"):
        if mode in _MODES[SUFFIXES[suffix]]:
            return suffix
    return None


def write_image(file: IO[bytes], path: Path, array: NDArray[Any], media: Mapping[str, Any]) -> None:
    """Write an array as the image format that the suffix of `path` names, and check that it reads back the same."""
    suffix = path.suffix.lower()
    if suffix in _LOSSY:
        raise OutputError(f"a {suffix} file would lose values; write .png, .tiff or .npy instead of {path}")
    kind = SUFFIXES[suffix]
    mode = mode_of(array, media)
    if mode not in _MODES[kind] or not array.size:
        raise OutputError(
            f"{suffix} holds {', '.join(sorted(_MODES[kind]))} images, not {array.dtype} of shape {array.shape}; "
            f"write .npy instead of {path}"
        )
    try:
        from PIL import Image
    except ImportError as error:
        raise OutputError(f"writing {path} takes Pillow: pip install 'codecs-core[images]'") from error
    extra = dict(_SAVE.get(kind, {}))
    for key, option in (("icc", "icc_profile"), ("exif", "exif")):
        if isinstance(media.get(key), bytes) and kind in ("PNG", "WEBP", "TIFF") and (key == "icc" or kind != "TIFF"):
            extra[option] = media[key]
    image = _image(array, mode)
    held = io.BytesIO()
    image.save(held, kind, **extra)
    with Image.open(held, formats=[kind]) as back:
        again = np.asarray(back.convert("RGBA") if mode == "RGBA" else back)
    if again.shape != array.shape or not np.array_equal(again.astype(array.dtype), array, equal_nan=mode == "F"):
        raise OutputError(
            f"{suffix} does not give {array.dtype} of shape {array.shape} back as it is; write .npy instead"
        )
    file.write(held.getvalue())


def _image(array: NDArray[Any], mode: str) -> Image:
    from PIL import Image

    array = np.ascontiguousarray(array.astype(array.dtype.newbyteorder("<"), copy=False))
    if mode == "1":
        return Image.fromarray(array * np.uint8(255)).convert("1", dither=Image.Dither.NONE)
    if mode == "CMYK":
        return Image.frombytes("CMYK", (array.shape[1], array.shape[0]), array.tobytes())
    return Image.fromarray(array)
