"""Images of any size as patches of one size, row by row; those at the lower and right border reach beyond the image."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


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


def joined(patches: NDArray[np.uint8], shape: tuple[int, int, int, int]) -> NDArray[np.uint8]:
    """Inverse of `cut`: images of shape (n, h, w, c)."""
    n, h, w, c = shape
    side = patches.shape[1:3]
    rows, columns = counts(h, w, (side[0], side[1]))
    whole = patches.reshape(n, rows, columns, *side, c).swapaxes(2, 3)
    return whole.reshape(n, rows * side[0], columns * side[1], c)[:, :h, :w]
