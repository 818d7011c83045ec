"""Whether a model pays: how large it should be for the images to come, and at how many of them it is worth its bytes."""

from __future__ import annotations

import bz2
import lzma
import math
from dataclasses import replace
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_ar.stack.settings import Settings

#: Widths of the first layer. The others have two thirds of it.
WIDTHS = (16, 24, 32, 48, 64, 96, 128, 160)
#: The share of a file that its model may have, and about how many bits a weight takes.
SHARE, BITS = 0.04, 6
#: Width where nothing is known of the images to come.
USUAL = 128
#: Values that other codecs are tried on.
TRIED = 1 << 22


def sized(settings: Settings, images: NDArray[np.uint8], inputs: int) -> Settings:
    """Settings with a width: as large as pays for the images to come.

    Parameters
    ----------
    settings
        Whose `width` and `narrow` may be 0.
    images
        To learn from.
    inputs
        Of a network.
    """
    width = settings.width or (_width(settings, images, inputs) if settings.items else USUAL)
    return replace(settings, width=width, narrow=settings.narrow or max(8, width * 2 // 3))


def _width(settings: Settings, images: NDArray[np.uint8], inputs: int) -> int:
    few = images[: max(1, TRIED // 4 // images[0].size)]
    expected = len(bz2.compress(few.tobytes())) / len(few) * settings.items
    weights = 8 * SHARE * expected / BITS / images.shape[3]

    def count(width: int) -> float:
        narrow = width * 2 / 3
        return width * (inputs + narrow) + 2 * settings.blocks * narrow * narrow

    return max((w for w in WIDTHS if count(w) <= weights), default=WIDTHS[0])


def others(images: NDArray[np.uint8]) -> dict[str, float]:
    """Bits per value of solid xz, and of JPEG XL of all images side by side where it is installed; on the first million values or so."""
    few = images[: max(1, TRIED // images[0].size)]
    found = {"xz": 8 * len(lzma.compress(few.tobytes(), preset=9 | lzma.PRESET_EXTREME)) / few.size}
    if find_spec("imagecodecs") and few.shape[3] != 2:
        import imagecodecs

        found["JPEG XL, one sprite"] = (
            8 * len(imagecodecs.jpegxl_encode(sprite(few), lossless=True, effort=7)) / few.size
        )
    return found


def sprite(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Images side by side in a square of about as many rows as columns, the last ones black."""
    n, height, width, channels = images.shape
    across = math.ceil(math.sqrt(n))
    down = -(-n // across)
    padded = np.zeros((down * across, height, width, channels), np.uint8)
    padded[:n] = images
    whole = padded.reshape(down, across, height, width, channels).swapaxes(1, 2)
    whole = np.ascontiguousarray(whole).reshape(down * height, across * width, channels)
    return whole[..., 0] if channels == 1 else whole


def report(model_bytes: int, bits: float, images: NDArray[np.uint8]) -> dict[str, Any]:
    """For each other codec its bits per value, and from how many images on file and model are smaller; None: never.

    Parameters
    ----------
    model_bytes
        Of the model file.
    bits
        Per value, with the model.
    images
        Such as it was made for.
    """
    table = {}
    for name, theirs in others(images).items():
        saved = (theirs - bits) * images[0].size / 8  # bytes an image
        table[name] = {
            "bits_per_value": round(theirs, 4),
            "from": math.ceil(model_bytes / saved) if saved > 0 else None,
        }
    return table
