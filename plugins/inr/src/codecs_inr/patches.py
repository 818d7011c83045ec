"""Images of any size as patches of one size, row by row; those at the lower and right border reach beyond the image."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from codecs_core import Places


def axes(shape: tuple[int, ...], channels: int) -> tuple[int, int]:
    """Which axes of an array of images are rows and columns."""
    last = len(shape) - (1 if len(shape) > 2 and shape[-1] == channels else 0)
    return last - 2, last - 1


def counts(height: int, width: int, side: tuple[int, int]) -> tuple[int, int]:
    """Rows and columns of patches that cover an image."""
    return -(-height // side[0]), -(-width // side[1])


def cut(images: NDArray[np.uint8], side: tuple[int, int]) -> NDArray[np.uint8]:
    """Patches, shape (n rows columns, *side, c), of images of shape (n, h, w, c); beyond a border its pixels are repeated."""
    n, h, w, c = images.shape
    rows, columns = counts(h, w, side)
    if not images.size:
        return np.zeros((0, *side, c), np.uint8)
    margins = ((0, 0), (0, rows * side[0] - h), (0, columns * side[1] - w), (0, 0))
    whole = np.pad(images, margins, mode="edge").reshape(n, rows, side[0], columns, side[1], c)
    return whole.swapaxes(2, 3).reshape(-1, *side, c)


def strips(places: Places, length: int) -> Iterator[tuple[slice, Places]]:
    """The places of an axis patch by patch: which they are, and where."""
    for start in range(0, places.stop - places.start, length):
        one = places.part(start, start + length)
        yield one.within(places), one


def joined(patches: NDArray[np.uint8], shape: tuple[int, int, int, int]) -> NDArray[np.uint8]:
    """Inverse of `cut`: images of shape (n, h, w, c)."""
    n, h, w, c = shape
    side = patches.shape[1:3]
    rows, columns = counts(h, w, (side[0], side[1]))
    whole = patches.reshape(n, rows, columns, *side, c).swapaxes(2, 3)
    return whole.reshape(n, rows * side[0], columns * side[1], c)[:, :h, :w]
