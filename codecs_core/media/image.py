"""Arrays that become image files: in the format they came in, or in one that holds them exactly."""

from __future__ import annotations

import io
import warnings
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from codecs_core.errors import OutputError, TargetError
from codecs_core.media.metadata import palette, save_options
from codecs_core.media.source import Part

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

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
#: Modes a format takes and gives back as they are: Pillow's, and ``;16`` behind those of colours of 16 bits.
_MODES = {
    "PNG": {"1", "L", "LA", "P", "RGB", "RGBA", "I;16", "LA;16", "RGB;16", "RGBA;16"},
    "WEBP": {"RGB", "RGBA"},
    "TIFF": {"1", "L", "LA", "P", "RGB", "RGBA", "RGBX", "CMYK", "I;16", "I", "F"},
    "BMP": {"1", "L", "P", "RGB"},
    "PPM": {"L", "RGB", "I;16"},
}
_SAVE: dict[str, dict[str, Any]] = {
    "WEBP": {"lossless": True, "exact": True, "quality": 75, "method": 6},
    "TIFF": {"compression": "tiff_adobe_deflate"},
}
#: Rows and columns that WebP has room for.
_WEBP_SIDE = 16383


def is_image_path(path: Path) -> bool:
    """Whether `path` names an image file by its suffix, lossy ones included."""
    return path.suffix.lower() in SUFFIXES or path.suffix.lower() in _LOSSY


def is_lossy(path: Path) -> bool:
    """Whether a file is worth more as its bytes than as its pixels: any of JPEG, GIF, AVIF, JPEG 2000 and JPEG XL."""
    return True


def is_lossy_webp(path: Path) -> bool:
    """Whether a WebP file has an image that is not lossless."""
    from codecs_core.media.pillow import webp_parts

    return b"VP8 " in webp_parts(path)


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
        case ("uint16", (_, _, 2 | 3 | 4 as channels)):
            return {2: "LA;16", 3: "RGB;16", 4: "RGBA;16"}[channels]
    return None


def suffix_of(parts: Sequence[Part]) -> str | None:
    """The suffix of the file that holds the pixels that came from an image file.

    Empty for a file that comes back as it was and may be called as it was, None for what is no image.
    """
    if is_template(parts[0].media):
        return ""
    return suffix_for(parts[0].array, parts[0].media) if len(parts) == 1 else None


def is_template(media: Mapping[str, Any]) -> bool:
    """Whether attributes have all of an image file but its pixels."""
    held = media.get("file", media)
    return media.get("format") in ("TIFF", "BMP", "PPM") and isinstance(held, dict) and "template" in held


def suffix_for(array: NDArray[Any], media: Mapping[str, Any]) -> str | None:
    """The suffix of the format an image came in, or of one that holds it exactly; None for what is no image."""
    mode = mode_of(array, media)
    if mode is None or not array.size:
        return None
    of_format = next((s for s, f in SUFFIXES.items() if f == media.get("format")), ".png")
    return next((suffix for suffix in (of_format, ".png", ".tiff") if _holds(suffix, mode, array)), None)


def _holds(suffix: str, mode: str | None, array: NDArray[Any]) -> bool:
    kind = SUFFIXES[suffix]
    return mode in _MODES[kind] and array.size > 0 and (kind != "WEBP" or max(array.shape) <= _WEBP_SIDE)


def write_image(path: Path, parts: Sequence[Part]) -> None:
    """Write the image file that parts came from, or their pixels as the format that `suffix_of` names."""
    media = parts[0].media
    if is_template(media) and media["format"] == "TIFF":
        from codecs_core.media.tiff_writing import write_tiff

        write_tiff(path, parts)
        return
    (part,) = parts
    with path.open("wb") as file:
        if is_template(media):
            _write_template(file, part)
        else:
            suffix = suffix_for(part.array, media)
            save_image(file, path.with_suffix(suffix) if suffix else path, part.array, media)


def _write_template(file: IO[bytes], part: Part) -> None:
    from codecs_core.media.bmp import write_bmp
    from codecs_core.media.netpbm import write_netpbm

    (write_bmp if part.media["format"] == "BMP" else write_netpbm)(file, part.array, part.media)


def save_image(file: IO[bytes], path: Path, array: NDArray[Any], media: Mapping[str, Any]) -> None:
    """Write an array as the image format that the suffix of `path` names, and check that it reads back the same.

    Raises
    ------
    TargetError
        If that format does not hold the array.
    """
    suffix = path.suffix.lower()
    if suffix in _LOSSY:
        raise TargetError(f"a {suffix} file would lose values; write .png, .tiff or .npy instead of {path}")
    kind = SUFFIXES[suffix]
    if is_template(media) and media["format"] == "TIFF":
        from codecs_core.media.tiff_writing import said_by

        media = {**said_by(Part(name="", array=array, attrs={"media": media})), **media}
    mode = mode_of(array, media)
    if mode is not None and _holds(suffix, mode, array):
        file.write(_encoded(kind, array, mode, media))
    elif kind == "TIFF" and array.ndim > 1 and array.size and array.dtype != bool:
        file.write(_tiff(array))
    else:
        what = "images with a palette" if mode == "P" else f"{array.dtype} of shape {array.shape}"
        room = f", at most {_WEBP_SIDE} rows and columns" if kind == "WEBP" else ""
        raise TargetError(
            f"{suffix} holds {', '.join(sorted(_MODES[kind]))} images{room}, not {what}; "
            f"write {suffix_for(array, media) or '.npy'} instead of {path}"
        )


def _encoded(kind: str, array: NDArray[Any], mode: str, media: Mapping[str, Any]) -> bytes:
    if kind == "PNG":
        from codecs_core.media.png import encode_png

        return encode_png(array, mode, media)
    from codecs_core.media.pillow import pillow_image, pillow_opened

    held = io.BytesIO()
    try:
        image = pillow_image(array, mode, media)
        image.save(held, kind, **_SAVE.get(kind, {}), **save_options(media, kind))
        held.seek(0)
        with warnings.catch_warnings(), pillow_opened(held, kind) as back:
            warnings.simplefilter("ignore")
            again = np.asarray(back.convert("RGBA") if mode == "RGBA" else back)
            colours = bytes(back.getpalette() or b"") if mode == "P" else b""
    except ImportError as error:
        raise OutputError("writing an image takes Pillow: pip install 'codecs-core[images]'") from error
    except Exception as error:  # Pillow raises nearly anything where attributes are damaged
        raise OutputError(
            f"the entry does not make a {kind} file ({type(error).__name__}: {error}); write .npy instead"
        ) from error
    if (
        again.shape != array.shape
        or not np.array_equal(again.astype(array.dtype), array, equal_nan=mode == "F")
        or not colours.startswith(palette(media) or b"")
    ):
        raise OutputError(f"{kind} does not give {array.dtype} of shape {array.shape} back; write .npy instead")
    return held.getvalue()


def _tiff(array: NDArray[Any]) -> bytes:
    """A TIFF file of what Pillow has no word for: samples along a last axis of up to four, else images along the first."""
    try:
        import tifffile
    except ImportError as error:
        raise OutputError("writing such a TIFF file takes tifffile: pip install 'codecs-core[images]'") from error
    samples = array.shape[-1] if array.ndim > 2 and array.shape[-1] <= 4 else 1
    options: dict[str, Any] = {"photometric": "rgb" if samples > 2 else "minisblack"}
    if samples > 1:
        options |= {"planarconfig": "contig"} | ({"extrasamples": ["unassalpha"]} if samples in (2, 4) else {})
    held = io.BytesIO()
    try:
        tifffile.imwrite(held, array, compression="zlib", **options)
        held.seek(0)
        again = tifffile.imread(held)
    except Exception as error:  # tifffile raises nearly anything for what it does not write
        raise OutputError(f"a TIFF file does not hold {array.dtype} of {array.shape}: {error}; write .npy") from error
    if again.dtype.name != array.dtype.name or again.tobytes() != np.ascontiguousarray(array, again.dtype).tobytes():
        raise OutputError(f"a TIFF file does not give {array.dtype} of {array.shape} back; write .npy instead")
    return held.getvalue()
