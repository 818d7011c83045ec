"""The network that makes channels for every place of a grid of latents, in floating point, and its gradient.

It is the same for all signals, a part of the model (He et al. 2024, section 3.2). A layer is a convolution of 3 x 3 cells whose outputs
are the channels of four cells, and then a sine; so each one has twice as many cells along each axis as its input.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_inr.network import Floats

#: Cells that a convolution looks at, and cells that it makes of one.
WINDOW, CHILDREN = 9, 4


def shapes(channels: Sequence[int]) -> list[tuple[int, int]]:
    """Of the matrices of layers between layers of these numbers of channels: the last row is the bias."""
    return [(WINDOW * a + 1, CHILDREN * b) for a, b in pairwise(channels)]


def windows(cells: NDArray[np.floating]) -> NDArray[Any]:
    """Each cell's 3 x 3 cells, zeros beyond the border: shape (n, h, w, 9 c) of (n, h, w, c)."""
    n, h, w, c = cells.shape
    padded = np.zeros((n, h + 2, w + 2, c), cells.dtype)
    padded[:, 1:-1, 1:-1] = cells
    out = np.empty((n, h, w, WINDOW, c), cells.dtype)
    for k in range(WINDOW):
        out[..., k, :] = padded[:, k // 3 : k // 3 + h, k % 3 : k % 3 + w]
    return out.reshape(n, h, w, WINDOW * c)


def children(made: NDArray[np.floating]) -> NDArray[Any]:
    """Channels of four cells each as cells: shape (n, 2 h, 2 w, c) of (n, h, w, 4 c)."""
    n, h, w, c = made.shape
    apart = made.reshape(n, h, w, 2, 2, c // CHILDREN).swapaxes(2, 3)
    return apart.reshape(n, 2 * h, 2 * w, c // CHILDREN)


def parents(cells: NDArray[np.floating]) -> NDArray[Any]:
    """Inverse of `children`."""
    n, h, w, c = cells.shape
    apart = cells.reshape(n, h // 2, 2, w // 2, 2, c).swapaxes(2, 3)
    return apart.reshape(n, h // 2, w // 2, CHILDREN * c)


class Upsampling:
    """Layers of convolutions and sines.

    Parameters
    ----------
    grid
        Cells along both axes of the latents.
    channels
        Of the latents, and of the outputs of each layer.
    """

    def __init__(self, grid: tuple[int, int], channels: Sequence[int]) -> None:
        self.grid, self.channels = grid, tuple(channels)
        self.size = grid[0] * grid[1] * channels[0]
        self.layers: list[Floats] = [np.zeros(shape, np.float32) for shape in shapes(channels)]

    def forward(self, latents: Floats) -> tuple[Floats, list[tuple[Floats, Floats]]]:
        """Channels of all places, shape (n, places, c), of latents of shape (n, size); and what `backward` takes."""
        cells, kept = latents.reshape(len(latents), *self.grid, self.channels[0]), []
        for layer in self.layers:
            seen = windows(cells)
            made = seen.reshape(-1, seen.shape[-1]) @ layer[:-1]
            made += layer[-1]
            made = children(made.reshape(*seen.shape[:3], -1))
            cells = np.sin(made)
            kept.append((seen, np.cos(made, out=made)))
        return cells.reshape(len(latents), -1, self.channels[-1]), kept

    def backward(self, slope: Floats, kept: list[tuple[Floats, Floats]]) -> tuple[Floats, list[Floats]]:
        """The gradient with respect to latents, and to layers, of one with respect to the channels."""
        found: list[Floats] = []
        for layer, (seen, slopes) in zip(reversed(self.layers), reversed(kept), strict=True):
            n, h, w, wide = seen.shape
            made = parents(slope.reshape(slopes.shape) * slopes).reshape(n * h * w, -1)
            turn = np.empty_like(layer)
            np.matmul(seen.reshape(-1, wide).T, made, out=turn[:-1])
            turn[-1] = made.sum(0)
            found.insert(0, turn)
            back = (made @ np.ascontiguousarray(layer[:-1].T)).reshape(n, h, w, WINDOW, wide // WINDOW)
            padded = np.zeros((n, h + 2, w + 2, wide // WINDOW), np.float32)
            for k in range(WINDOW):
                padded[:, k // 3 : k // 3 + h, k % 3 : k % 3 + w] += back[..., k, :]
            slope = np.ascontiguousarray(padded[:, 1:-1, 1:-1])
        return slope.reshape(len(slope), -1), found
