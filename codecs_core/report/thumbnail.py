"""Small pictures of arrays, and PNG without a library."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Longest side of a thumbnail, in pixels.
SIDE = 128


def of_array(array: NDArray[Any]) -> NDArray[np.uint8]:
    """A picture of the first image of an array of at least two axes, none of them empty.

    Returns
    -------
    NDArray[np.uint8]
        Of shape (h, w) or (h, w, 3), at most `SIDE` a side: every k-th pixel. Bytes are taken as they are; other values are
        scaled from the lowest to the highest finite one, complex ones by their magnitude.
    """
    colour = array.ndim > 2 and array.shape[-1] in (3, 4)
    while array.ndim > (3 if colour else 2):
        array = array[0]
    step = max(1, -(-max(array.shape[:2]) // SIDE))
    small = array[::step, ::step, :3] if colour else array[::step, ::step]
    return np.ascontiguousarray(small if small.dtype == np.uint8 and small.max() > 1 else _scaled(small))


def _scaled(values: NDArray[Any]) -> NDArray[np.uint8]:
    with np.errstate(all="ignore"):
        real = (np.abs(values) if values.dtype.kind == "c" else values).astype(np.float64)
        finite = real[np.isfinite(real)]
        low, high = (finite.min(), finite.max()) if finite.size else (0.0, 0.0)
        scaled = (real - low) / (high - low) * 255 if high > low else np.zeros_like(real)
    return np.nan_to_num(scaled, nan=0, posinf=255, neginf=0).clip(0, 255).astype(np.uint8)


def png(pixels: NDArray[np.uint8]) -> bytes:
    """A PNG file of grey (h, w) or RGB (h, w, 3) pixels (PNG, third edition)."""
    height, width = pixels.shape[:2]
    rows = pixels.reshape(height, -1)
    filtered = np.concatenate([np.zeros((height, 1), np.uint8), rows], axis=1).tobytes()
    head = struct.pack(">IIBBBBB", width, height, 8, 2 if pixels.ndim == 3 else 0, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(filtered, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
