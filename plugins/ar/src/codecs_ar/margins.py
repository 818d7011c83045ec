"""The compiled part that goes on with a plane beyond its image: its values `x`, and the errors `e` of their predictions."""

from __future__ import annotations

import numpy as np

from codecs_ar.neighbours import MARGIN
from codecs_core.jit import borrowing

_16TH = np.float32(1 / 16)


@borrowing
def extend(x, e, start, width):
    """Go on with a row beyond its end, as its last value, and begin the next one with its first."""
    for j in range(MARGIN):
        beyond, below = start + MARGIN + width + j, start + 2 * MARGIN + width + j
        x[beyond], e[beyond] = x[start + MARGIN + width - 1], e[start + MARGIN + width - 1]
        x[below], e[below] = x[start + MARGIN], e[start + MARGIN]


@borrowing
def begin(x, e, first, plane, back, stride, middle, limit):
    """Before the first value of an image, all neighbours are in the middle of the range."""
    for q in range(plane + 1):
        corner = first - q * back
        for i in range(MARGIN * stride + MARGIN):
            x[corner + i] = middle
            e[corner + i] = limit * _16TH


@borrowing
def spread_up(x, e, at, plane, back, stride):
    """In the first row, what is above is as what is to the left."""
    for q in range(plane + 1):
        there = at - q * back
        for j in range(1, MARGIN + 1):
            for i in range(1, MARGIN + 1):
                x[there + j - i * stride] = x[there]
                e[there + j - i * stride] = e[there]


@borrowing
def spread_down(x, e, last, stride):
    """Below the last row, it is repeated."""
    for i in range(1, MARGIN + 1):
        for j in range(stride):
            x[last + i * stride + j] = x[last + j]
            e[last + i * stride + j] = e[last + j]
