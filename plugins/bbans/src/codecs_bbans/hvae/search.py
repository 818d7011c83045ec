"""Search for latents that show more of an image at no more bits: bucket by bucket, and by what the decoder makes of them.

The means of posteriors were trained for pixels that are coded given them, and not for pixels that are shown in their place. A latent
tells of pixels near it, so those of one channel that lie apart are moved by a bucket together, and each stays where it helped.
Everything is in integers: the same latents on every machine.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from codecs_core.entropy import log2

#: Latents that are moved together are this number of places apart.
APART = 4
#: What a bit is worth, in squared errors of pixels.
BIT = 8000
#: Fractional bits of prices.
UNIT_BITS = 16

Buckets = Sequence[NDArray[np.int64]]


def searched(
    buckets: Buckets, squares: Sequence[int], errors: Callable[[Buckets], NDArray[np.int64]], middle: int
) -> list[NDArray[np.int64]]:
    """Buckets that are shorter, or show more, or both.

    Parameters
    ----------
    buckets
        Of the levels, the coarsest first: shape (n, h, w, channels), from 0 to 2 `middle`.
    squares
        Rows and columns of pixels that a latent of each level stands over.
    errors
        Function of buckets: squared errors of the pixels that they show, shape (n, rows, columns).
    middle
        The bucket that tells nothing. A channel that is in it everywhere is left alone.
    """
    found = [level.copy() for level in buckets]
    least = errors(found)
    for level, square in zip(found, squares, strict=True):
        for c in range(level.shape[-1]):
            if (level[..., c] == middle).all():
                continue
            for y, x in np.ndindex(*(min(APART, side) for side in level.shape[1:3])):
                for step in (1, -1):
                    price = prices(level[..., c], 2 * middle + 1)
                    here = level[:, y::APART, x::APART, c]
                    old, new = here.copy(), (here + step).clip(0, 2 * middle)
                    paid = BIT * (price[new] - price[old])
                    here[:] = new
                    change = summed(errors(found) - least, (y, x), square, here.shape[1:])
                    here[:] = np.where((change << UNIT_BITS) + paid < 0, new, old)
                    if (here == old).all():
                        continue
                    tried = errors(found)
                    if ((tried - least).sum() << UNIT_BITS) + paid[here != old].sum() < 0:
                        least = tried
                    else:
                        here[:] = old
    return found


def prices(buckets: NDArray[np.int64], symbols: int) -> NDArray[np.int64]:
    """What each bucket costs where they are as frequent as these, in units of 2^-16 bits."""
    seen = 3 * np.bincount(buckets.ravel(), minlength=symbols) + 1
    return log2(seen.sum()) - log2(seen)


def summed(change: NDArray[np.int64], first: tuple[int, int], square: int, shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Sums of what changed around latents of this shape that are APART places from each other, from the place `first` on."""
    for axis, (start, count) in enumerate(zip(first, shape, strict=True), 1):
        ends = (start + APART * np.arange(count) - APART // 2) * square
        ends[0] = 0
        change = np.add.reduceat(change, ends, axis)
    return change
