"""What a network sees of an image when a value is coded, and the order in which the values of an image are."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

#: What a curve gives for 1.0, and the input that says in which row, and in which column, a pixel lies.
ONE = 128
#: Bounds of the inputs of a network.
LOW, HIGH = -512, 511


@dataclass(frozen=True, eq=False)
class View:
    """The inputs of a network.

    They are, in this order: for each tap the value there, seen through each curve; if there are references, the reference of each
    channel less 128, and for each channel that is known in the pixel how far it is from what was expected; for each tally, how often its
    value was coded in this image before, seen through `counting`; its share among all tallies; 1 for the row of the pixel and 0 for the
    others; the same for its column. All are integers in units of 1 / `ONE`.

    Parameters
    ----------
    shape
        Height, width and channels of an image.
    taps
        Shape (t, 3): rows below, columns to the right and channel of a value that is known when this one is coded.
    curves
        Shape (k, 256): what a value is seen as. With references, shape (k, 511): what a value less its reference, plus 255, is seen as.
    plane
        The channel, in the order of coding.
    referred
        Whether there are references: of a channel that is known in the pixel, its value; of the others, what is expected (see
        `kernels.expected`).
    tallies
        Values that are counted.
    counting
        Shape (256,): what a count is seen as; more than 255 are seen as 255.
    """

    shape: tuple[int, int, int]
    taps: NDArray[np.int8]
    curves: NDArray[np.int16]
    tallies: tuple[int, ...]
    counting: NDArray[np.int16]
    plane: int = 0
    referred: bool = False

    @property
    def inputs(self) -> int:
        """How many there are."""
        height, width, channels = self.shape
        references = channels + self.plane if self.referred else 0
        return len(self.taps) * len(self.curves) + references + 2 * len(self.tallies) + height + width

    def marks(self, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> NDArray[np.int64]:
        """Which inputs say in which row and column pixels lie: shape (pixels, 2)."""
        height, width, _ = self.shape
        first = self.inputs - height - width
        return np.stack([first + rows, first + height + columns], 1)


@dataclass(frozen=True)
class Canvas:
    """Images with a margin of zeros, so that every tap of every pixel is there.

    Parameters
    ----------
    shape
        Height, width and channels of an image.
    above, left, right
        Rows and columns of the margin.
    """

    shape: tuple[int, int, int]
    above: int
    left: int
    right: int

    @classmethod
    def of(cls, shape: tuple[int, int, int], *taps: NDArray[np.int8]) -> Canvas:
        """The smallest canvas for these lists of taps."""
        every = np.concatenate(taps).astype(int)
        rows, columns = (every[:, i] if len(every) else np.zeros(1, int) for i in (0, 1))
        return cls(shape, max(0, -int(rows.min())), max(0, -int(columns.min())), max(0, int(columns.max())))

    @property
    def whole(self) -> tuple[int, int, int]:
        """Shape of an image with its margin."""
        height, width, channels = self.shape
        return height + self.above, width + self.left + self.right, channels

    def new(self, images: int) -> NDArray[np.uint8]:
        """Images of zeros, `images` of them, with their margins."""
        return np.zeros((images, *self.whole), np.uint8)

    def inside(self, canvas: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The images without their margins, a view."""
        return canvas[:, self.above :, self.left : self.left + self.shape[1]]

    def offsets(self, taps: NDArray[np.int8]) -> NDArray[np.int64]:
        """How far taps lie from a pixel's first channel, in values."""
        _, width, channels = self.whole
        rows, columns, channel = taps.astype(np.int64).T
        offsets: NDArray[np.int64] = (rows * width + columns) * channels + channel
        return offsets

    def places(self) -> NDArray[np.int64]:
        """Where the first channel of each pixel lies in its image, in values: shape (height, width)."""
        height, width, channels = self.shape
        rows = np.arange(height)[:, None] + self.above
        places: NDArray[np.int64] = (rows * self.whole[1] + np.arange(width) + self.left) * channels
        return places


@dataclass(frozen=True)
class Order:
    """The order of the pixels: fronts, one after the other. The pixels of a front do not see each other.

    Parameters
    ----------
    height, width
        Of an image.
    slope
        Pixel (row, column) is in front column + `slope` * row.
    """

    height: int
    width: int
    slope: int

    @classmethod
    def of(cls, shape: tuple[int, int, int], *taps: NDArray[np.int8]) -> Order:
        """The fewest fronts in which these lists of taps see earlier fronts alone, and channels before in the same pixel."""
        every = np.concatenate(taps).astype(int)
        above = every[every[:, 0] < 0]
        slopes = above[:, 1] // -above[:, 0] + 1
        return cls(shape[0], shape[1], max(1, int(slopes.max(initial=1))))

    @cached_property
    def front(self) -> NDArray[np.int64]:
        """Which front each pixel is in: shape (height, width)."""
        front: NDArray[np.int64] = np.arange(self.width) + self.slope * np.arange(self.height)[:, None]
        return front

    @cached_property
    def fronts(self) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """Rows and columns of the pixels of each front, from the top; fronts without a pixel are left out."""
        rows, columns = np.divmod(np.argsort(self.front, axis=None, kind="stable"), self.width)
        cuts = np.flatnonzero(np.diff(self.front[rows, columns])) + 1
        return list(zip(np.split(rows, cuts), np.split(columns, cuts), strict=True))
