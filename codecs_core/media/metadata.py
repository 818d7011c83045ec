"""What an image file says beside its pixels: kept as attributes, and put back where the format has room for it.

``attrs["media"]`` of an image has ``format`` and ``mode``, both in Pillow's words, and where the file has them: ``name``,
``icc``, ``exif`` and ``xmp`` (bytes), ``dpi`` (two numbers), ``palette`` (bytes, R G B an index) and ``transparency`` (an
index, a grey value, a colour, or bytes with an alpha for each index). Of a PNG file it has ``bits`` of an index or a grey value
below 8, ``icc_name``, and ``chunks``: all the others that say something, as ``[type, bytes]``. Of BMP, PPM and TIFF files it has
``template``: all bytes of the file that are not pixels (`codecs_core.media.template`).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from codecs_core.errors import InexactError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from PIL.ImageFile import ImageFile

#: Bytes of all of it: a container takes 4 MiB of attributes with an array.
LARGEST = 4_000_000
#: What Pillow calls the bytes that many formats have.
_BYTES = {"icc": "icc_profile", "exif": "exif", "xmp": "xmp"}
#: Which of them a format takes, but for PNG (`codecs_core.media.png`).
_TAKES = {
    "WEBP": {"icc", "exif", "xmp"},
    "TIFF": {"icc", "dpi", "palette"},
    "BMP": {"dpi", "palette"},
}


def metadata(path: Path, image: ImageFile) -> dict[str, Any]:
    """What the file of an image says beside the pixels; reads none of them.

    Raises
    ------
    InexactError
        If it has more than `LARGEST` bytes.
    """
    found: dict[str, Any] = {"format": image.format, "mode": image.mode, "name": path.name}
    for key, info in _BYTES.items():
        if isinstance(image.info.get(info), bytes) and image.info[info]:
            found[key] = image.info[info]
    if dpi := density(image.info.get("dpi")):
        found["dpi"] = dpi
    if image.mode == "P":
        found["palette"] = bytes(image.getpalette() or b"")
    see_through = image.info.get("transparency")
    if isinstance(see_through, int | bytes):
        found["transparency"] = see_through
    elif isinstance(see_through, tuple):
        found["transparency"] = list(see_through)
    size = sum(len(data) for data in found.values() if type(data) is bytes)
    if size > LARGEST:
        raise InexactError(
            f"{path} has {size} bytes of metadata (profile, EXIF, XMP, text), and {LARGEST} can be kept with an image; "
            "take some out of the file, or decode it to an array"
        )
    return found


def save_options(media: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """Arguments of Pillow's `save` that put metadata into a file of format `kind`; what is malformed is left out."""
    takes, options = _TAKES.get(kind, set()), {}
    for key, info in _BYTES.items():
        if key in takes and isinstance(media.get(key), bytes):
            options[info] = media[key]
    if "dpi" in takes and (dpi := density(media.get("dpi"))):
        options["dpi"] = tuple(dpi)
    return options


def palette(media: Mapping[str, Any]) -> bytes | None:
    """The palette that an array of indices has, R G B an index; None where it has none."""
    held = media.get("palette")
    good = isinstance(held, bytes) and 0 < len(held) <= 768 and len(held) % 3 == 0
    return held if media.get("mode") == "P" and good else None


def transparency(media: Mapping[str, Any], mode: str) -> Any:
    """The transparent colour or the alphas of a palette, if an image of `mode` can have such."""
    held = media.get("transparency")
    if mode.replace("RGB;16", "RGB") != media.get("mode"):
        return None
    if mode == "P":
        return held if isinstance(held, bytes) or _is_value(held, 0xFF) else None
    if mode in ("RGB", "RGB;16"):
        colour = isinstance(held, list) and len(held) == 3 and all(_is_value(value, 0xFFFF) for value in held)
        return tuple(held) if colour and held is not None else None
    return held if mode in ("1", "L", "I;16") and _is_value(held, 0xFFFF) else None


def _is_value(value: Any, most: int) -> bool:
    return type(value) is int and 0 <= value <= most


def density(value: Any) -> list[float] | None:
    """Two densities in dots an inch, of what a file or an attribute says."""
    if not isinstance(value, tuple | list) or len(value) != 2:
        return None
    try:
        dpi = [float(one) for one in value]
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return dpi if all(math.isfinite(one) and 0 < one < 1e6 for one in dpi) else None
