"""A piece of an array that was read once and let go, so that a second look at it need not read it again."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Bytes of an image that are kept.
MOST = 1 << 18


class Glimpse:
    """The middle of an image: a crop as square as the image allows, or all of it where it is small.

    Parameters
    ----------
    array
        The pixels, of shape (H, W) or (H, W, C).
    """

    def __init__(self, array: NDArray[Any]) -> None:
        self.shape = array.shape
        height, width = array.shape[:2]
        pixels = max(1, height * width * MOST // max(1, array.nbytes))
        h = min(height, max(math.isqrt(pixels), pixels // max(1, width)))
        # A pixel more on each side, for crops of the middle whose place is rounded the other way.
        w, h = min(width, pixels // max(1, h) + 2), min(height, h + 2)
        self._top, self._left = (height - h) // 2, (width - w) // 2
        self.crop = array[self._top : self._top + h, self._left : self._left + w].copy()

    @property
    def nbytes(self) -> int:
        """Bytes that are kept."""
        return self.crop.nbytes

    def take(self, where: Any) -> NDArray[Any] | None:
        """What slicing the image by `where` gives; None where that is more than is kept."""
        if where is ...:
            return self.crop if self.crop.shape == self.shape else None
        rows, columns = where if isinstance(where, tuple) and len(where) == 2 else (where, slice(None))
        if not (isinstance(rows, slice) and isinstance(columns, slice)):
            return None
        moved = [
            _within(one, length, start, kept)
            for one, length, start, kept in zip(
                (rows, columns), self.shape, (self._top, self._left), self.crop.shape, strict=False
            )
        ]
        return None if None in moved else self.crop[tuple(moved)]


def _within(where: slice, length: int, start: int, kept: int) -> slice | None:
    """A slice of an axis as one of the `kept` elements from `start` on; None where it goes beyond them."""
    first, last, step = where.indices(length)
    if step != 1 or first < start or last > start + kept:
        return None
    return slice(first - start, max(first, last) - start)
