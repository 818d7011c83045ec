"""The compiled part of two linear predictors: least squares over all that was decoded, fading from cell to cell and from row to row.

Meyer, Tischer: GLICBAWLS, DCC 2001, with cells of columns in place of single ones. What is to be predicted, t, comes before the regressors
in a vector v = (t, r1, ..., rn), padded with zeros to sixteen numbers. Sums of products are n rows of sixteen: row i holds those of r_i and
v. All is in binary32.
"""

from __future__ import annotations

import numpy as np

from codecs_core.jit import borrowing
from codecs_core.jit.lanes import cleared, folded, load16, store

#: Numbers in a vector, columns of a cell, and predictors.
LANES, CELL, MEMORIES = 16, 16, 2
#: Up to this magnitude sums are zero: what machines make of subnormal numbers is never seen.
TINY = np.float32(1e-20)
#: What each sum of squares has from the beginning.
RIDGE = np.float32(0.01)
_0, _1 = np.array([0, 1], np.float32)


@borrowing
def predict(fit, memory):
    """What a predictor makes of the regressors; the weight of the first number is 0."""
    return folded(load16(fit.weights, memory * LANES) * load16(fit.vector, 0))


@borrowing
def observe(fit, cell, n, trust):
    """Add the vector to the sums of a cell."""
    v, first = load16(fit.vector, 0), cell * n * LANES
    for i in range(n):
        at = first + i * LANES
        store(fit.sums, at, load16(fit.sums, at) + v * (trust * fit.vector[np.uint64(i + 1)]))


@borrowing
def forget(sums, first, size):
    """Set sums to zero."""
    for k in range(first, first + size):
        sums[np.uint64(k)] = _0


@borrowing
def forward(fit, cell, n, memory, fade):
    """Once a cell is done: hand its sums, and those to the left of it, on to the cell below, and to the right."""
    size = n * LANES
    own, above, run = cell * size, (memory * fit.cells + cell) * size, memory * size
    for k in range(0, size, LANES):
        total = load16(fit.run, run + k) + load16(fit.sums, own + k)
        store(fit.above, above + k, load16(fit.above, above + k) + total)
        store(fit.run, run + k, cleared(total * fade, TINY))


@borrowing
def backward(fit, cell, n, memory, fade, fade_down):
    """Once a row is done: hand what is to the right of a cell on to the cell below, which then fades."""
    size = n * LANES
    own, above, run = cell * size, (memory * fit.cells + cell) * size, memory * size
    for k in range(0, size, LANES):
        total = load16(fit.run, run + k)
        store(fit.above, above + k, cleared((load16(fit.above, above + k) + total) * fade_down, TINY))
        store(fit.run, run + k, cleared((total + load16(fit.sums, own + k)) * fade, TINY))


@borrowing
def solve(fit, cell, n, memory):
    """Find weights by elimination without pivoting, the last row first; they stay as they are where that fails."""
    size, rows = n * LANES, fit.rows
    above, run = (memory * fit.cells + cell) * size, memory * size
    for k in range(0, size, LANES):
        store(rows, k, load16(fit.above, above + k) + load16(fit.run, run + k))
    for i in range(n):
        rows[np.uint64(i * LANES + i + 1)] += RIDGE
    for p in range(n - 1, -1, -1):
        pivot = p * LANES
        if not rows[np.uint64(pivot + p + 1)] > TINY:
            return
        inverse, line = _1 / rows[np.uint64(pivot + p + 1)], load16(rows, pivot)
        fit.inverses[np.uint64(p)] = inverse
        for k in range(pivot - LANES, -1, -LANES):
            factor = rows[np.uint64(pivot + k // LANES + 1)] * inverse
            store(rows, k, cleared(load16(rows, k) - line * factor, TINY))
    for i in range(n):
        weight = rows[np.uint64(i * LANES)] * fit.inverses[np.uint64(i)]
        weight = weight if abs(weight) > TINY else _0
        fit.weights[np.uint64(memory * LANES + i + 1)] = weight
        for m in range(i + 1, n):
            rows[np.uint64(m * LANES)] -= rows[np.uint64(m * LANES + i + 1)] * weight
