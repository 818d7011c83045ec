"""Derive what share of the noise of `LeechDithered` is kept, by its length: ``python -m codecs_rec.tables.leech``. Statistics.

The cell of the Leech lattice of volume 1, turned at random and scaled by S / `RATIO`, where S is the length of a normal vector in 26
dimensions, has uniform points whose density depends on their length alone. It is within some percent of that of a normal vector in 24
dimensions, and the second over the first, divided by its maximum, is what an encoder keeps. To know the first, we count points in the
cell by their length. The ball that fits into the cell has the radius 1, and within it volumes are known.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_core.entropy import npy
from codecs_core.jit import kernel
from codecs_rec.leech import ONE, SIZE, nearest
from codecs_rec.philox import philox

#: The mean radius of a cell, about: of all numbers, the one for which the largest share is kept.
RATIO = 1.307
#: Rows of the table: one for each length that is a multiple of 1 / 64.
ROWS, UNIT, BITS = 1024, 64, 30
POINTS, BINS = 20_000_000, 2048


@kernel
def _count(points, seed, counts):
    """Count uniform points of the cell by their length, in equal bins up to sqrt(2), the covering radius."""
    x, point = np.empty((2, SIZE), np.int64)
    squares, sums, steps = np.empty((3, 3, 256), np.int64)
    for i in range(points):
        for g in range(SIZE // 4):
            words = philox(np.uint64(i), np.uint64(g), np.uint64(0), np.uint64(0), seed)
            for k in range(4):
                x[4 * g + k] = np.int64(words[k] >> np.uint64(5))
        square = np.float64(nearest(x, point, squares, sums, steps)) / (np.float64(ONE) * ONE * 16)
        counts[min(np.int64(np.sqrt(square) * len(counts)), len(counts) - 1)] += 1


def radii(points: int, seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lengths of points in the cell, and the share of its volume at each."""
    counts = np.zeros(BINS, np.int64)
    _count(points, np.uint64(seed), counts)
    ends = math.sqrt(2) * np.arange(BINS + 1) / BINS
    share = math.pi**12 / math.factorial(12) * np.diff(ends**SIZE)
    outside = ends[1:] > 1
    share[outside] = (1 - share[~outside].sum()) * counts[outside] / counts[outside].sum()
    return np.asarray((ends[1:] + ends[:-1]) / 2), share


def kept(points: int = POINTS, seed: int = 1) -> NDArray[np.int64]:
    """The share that is kept at each length, times 2^30."""
    r, share = radii(points, seed)
    # at 0 the quotient has a limit
    t = np.maximum(np.arange(ROWS), 1)[:, None] / UNIT
    density = (_chi(t * (RATIO / r), SIZE + 2) * (RATIO / r)) @ share
    quotient = _chi(t[:, 0], SIZE) / density
    return np.asarray(np.floor(quotient / quotient.max() * (1 << BITS)).astype(np.int64))


def _chi(x: NDArray[Any], n: int) -> NDArray[Any]:
    """The density of the length of a normal vector."""
    return np.asarray(np.exp((n - 1) * np.log(x) - x * x / 2 - (n / 2 - 1) * math.log(2) - math.lgamma(n / 2)))


def main() -> None:
    """Write the table beside this script."""
    Path(__file__).with_name("leech_kept.npy").write_bytes(npy(kept()))


if __name__ == "__main__":
    main()
