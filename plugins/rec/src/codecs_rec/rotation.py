"""Random rotations, alike at both ends: Stewart 1980, "The efficient generation of random orthogonal matrices", section 3."""

from __future__ import annotations

import numpy as np

from codecs_core.jit import inline


@inline
def mirrors(normals, out):
    """Fill in the mirrors of a rotation of n dimensions, one a row, from n (n + 1) / 2 - 1 normal numbers.

    Mirror k changes dimensions k, k + 1, ... alone, and takes the first of these axes to a direction that is uniform among them. The
    product of all takes any vector to one that is uniform on its sphere. The squared length of a row is 2.
    """
    start, size = 0, out.shape[1]
    for k in range(size - 1):
        square = 0.0
        for j in range(k, size):
            out[k, j] = normals[start + j - k]
            square += out[k, j] * out[k, j]
        length, first = np.sqrt(square), out[k, k]
        out[k, k] -= length
        # half of the squared length of the difference; it is 0 where there is nothing to turn
        half = length * (length - first)
        shrink = 1.0 / np.sqrt(half) if half > 0.0 else 0.0
        for j in range(k, size):
            out[k, j] *= shrink
        start += size - k


@inline
def _reflect(mirror, k, z):
    product = 0.0
    for j in range(k, z.size):
        product += mirror[j] * z[j]
    for j in range(k, z.size):
        z[j] -= product * mirror[j]


@inline
def rotate(rows, z):
    """Rotate a vector in place."""
    for k in range(len(rows) - 1, -1, -1):
        _reflect(rows[k], k, z)


@inline
def rotate_back(rows, z):
    """Undo `rotate`, but for rounding."""
    for k in range(len(rows)):
        _reflect(rows[k], k, z)
