"""How an array is seen as images, and how a stack of images is laid out as one or a few sprites."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

#: A sprite is no larger than this a side, unless a single image is.
SIDE = 8192


@dataclass(frozen=True, kw_only=True)
class Images:
    """An array seen as `count` images of `height` x `width` with `channels` values a pixel."""

    count: int
    height: int
    width: int
    channels: int

    @classmethod
    def of(cls, shape: tuple[int, ...]) -> Images | None:
        """The images in an array of this shape, or None.

        (..., H, W, C) is a stack of images of C channels if C is 1, 3 or 4; any other shape of two or more axes is a
        stack (..., H, W) of grey images. Whichever way an array is seen, it comes back the same: the rule decides
        about size alone.
        """
        match shape:
            case (*n, h, w, (1 | 3 | 4) as c):
                return cls(count=math.prod(n), height=h, width=w, channels=c)
            case (*n, h, w):
                return cls(count=math.prod(n), height=h, width=w, channels=1)
            case _:
                return None

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """As a stack with all four axes."""
        return self.count, self.height, self.width, self.channels


@dataclass(frozen=True, kw_only=True)
class Grid:
    """Images `first` to ``first + count`` as one sprite of `rows` x `cols` cells, row by row, zeros at the end."""

    first: int
    count: int
    rows: int
    cols: int

    def lay(self, stack: NDArray[Any]) -> NDArray[Any]:
        """The sprite of a (N, H, W, C) stack."""
        items = stack[self.first : self.first + self.count]
        _, h, w, c = items.shape
        cells = np.zeros((self.rows * self.cols, h, w, c), items.dtype)
        cells[: self.count] = items
        laid = cells.reshape(self.rows, self.cols, h, w, c).swapaxes(1, 2)
        return laid.reshape(self.rows * h, self.cols * w, c)

    def lift(self, sprite: NDArray[Any], stack: NDArray[Any]) -> None:
        """Inverse of `lay`: write the images of `sprite` to their places in `stack`."""
        _, h, w, c = stack.shape
        cells = sprite.reshape(self.rows, h, self.cols, w, c).swapaxes(1, 2).reshape(-1, h, w, c)
        stack[self.first : self.first + self.count] = cells[: self.count]


def room(images: Images, *, sprite: bool) -> int:
    """Images a sprite: as many as fit, or one."""
    return max(1, SIDE // images.height) * max(1, SIDE // images.width) if sprite else 1


def grids(images: Images, *, sprite: bool) -> Iterator[Grid]:
    """Cut a stack into near-square sprites of `room` images, or into single images."""
    down, across = max(1, SIDE // images.height), max(1, SIDE // images.width)
    step = room(images, sprite=sprite)
    for first in range(0, images.count, step):
        count = min(step, images.count - first)
        cols = min(across, max(1, math.isqrt(count * images.height // images.width)), count)
        cols = max(cols, -(-count // down))
        rows = -(-count // cols)
        cols = -(-count // rows)  # as many columns as these rows need: fewer empty cells
        yield Grid(first=first, count=count, rows=rows, cols=cols)
