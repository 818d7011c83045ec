"""Least squares with weights that fade: sums of products, and the weights that solve them.

What is to be predicted, t, comes before the regressors in a vector (t, r1, ..., rn), padded with zeros to a multiple of eight. The
sums of state s are n + 1 rows of n + 1 numbers; row i holds those of r_i with t, r1, ..., r_i.
"""

from __future__ import annotations

import numpy as np

from codecs_core.jit import borrowing
from codecs_core.jit.lanes import folded, load8, store

LANES = 8
#: Added to every sum, so that none fades to a subnormal number.
LEAST = 1e-100


def stride(n: int) -> int:
    """Numbers in a vector of n regressors."""
    return LANES * (n // LANES + 1)


@borrowing
def predict(weights, first, v, n):
    """What the weights make of the regressors."""
    total = load8(weights, first) * load8(v, 0)
    for j in range(LANES, n + 1, LANES):
        total = total + load8(weights, first + j) * load8(v, j)
    return folded(total)


@borrowing
def remember(sums, first, v, n, wide, trust, fade):
    """Take in a value, of a weight `trust`; what was taken in before fades."""
    row = first
    for i in range(1, n + 1):
        row += wide
        factor = trust * v[np.uint64(i)]
        for j in range(0, i + 1, LANES):
            store(sums, row + j, load8(sums, row + j) * fade + (load8(v, j) * factor + LEAST))


@borrowing
def solve(sums, first, n, wide, ridge, floor, towards, from_, rows, weights, to):
    """Weights w that minimise the squares, and `ridge` times the mean energy times |w - towards|^2, by elimination.

    They are left as they are where the sums are not positive definite.
    """
    trace = 0.0
    for i in range(1, n + 1):
        trace += sums[np.uint64(first + i * wide + i)]
    extra = ridge * (trace / n) + floor
    for i in range(1, n + 1):
        row = i * wide
        for j in range(0, i + 1, LANES):
            store(rows, row + j, load8(sums, first + row + j))
        rows[np.uint64(row)] += extra * towards[np.uint64(from_ + i)]
        rows[np.uint64(row + i)] += extra
    sound = True
    for p in range(n, 0, -1):
        pivot = p * wide
        if not rows[np.uint64(pivot + p)] > 1e-30:
            sound = False
            break
        inverse = 1.0 / rows[np.uint64(pivot + p)]
        rows[np.uint64(p)] = inverse
        for i in range(p - 1, 0, -1):
            row = i * wide
            factor = rows[np.uint64(pivot + i)] * inverse
            for j in range(0, i + 1, LANES):
                store(rows, row + j, load8(rows, row + j) - load8(rows, pivot + j) * factor)
    for i in range(1, n + 1 if sound else 1):
        weight = rows[np.uint64(i * wide)] * rows[np.uint64(i)]
        weight = weight if abs(weight) < 1e3 else 0.0
        weight = weight if abs(weight) > 1e-12 else 0.0
        weights[np.uint64(to + i)] = weight
        for m in range(i + 1, n + 1):
            rows[np.uint64(m * wide)] -= rows[np.uint64(m * wide + i)] * weight
