"""Reversible colour transform: YCoCg-R of Malvar and Sullivan 2003 (JVT-I014), three lifting steps on integers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_core.errors import CorruptDataError


def colour_forward(x: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Images of shape (..., channels) as integers around zero; with three channels or more, the first three as Y, Co, Cg."""
    z = x.astype(np.int32)
    if x.shape[-1] >= 3:
        r, g, b = (z[..., c].copy() for c in range(3))
        co = r - b
        t = b + (co >> 1)
        cg = g - t
        z[..., 0], z[..., 1], z[..., 2] = t + (cg >> 1), co, cg
    z[..., 0] -= 128
    z[..., 3:] -= 128
    return z


def colour_inverse(z: NDArray[Any]) -> NDArray[np.int32]:
    """Inverse of `colour_forward`; what is not the transform of an image leaves the range 0 to 255."""
    x = np.array(z, np.int32)
    x[..., 0] += 128
    x[..., 3:] += 128
    if z.shape[-1] >= 3:
        y, co, cg = (x[..., c].copy() for c in range(3))
        t = y - (cg >> 1)
        g = cg + t
        b = t - (co >> 1)
        x[..., 0], x[..., 1], x[..., 2] = b + co, g, b
    return x


def grey_levels(x: NDArray[Any]) -> NDArray[np.uint8]:
    """Integers as 8-bit values; raises `CorruptDataError` for others, which only a damaged message decodes to."""
    if x.size and (int(x.min()) < 0 or int(x.max()) > 255):
        raise CorruptDataError(
            f"values from {x.min()} to {x.max()} were decoded, not from 0 to 255: the message is damaged"
        )
    return x.astype(np.uint8)
