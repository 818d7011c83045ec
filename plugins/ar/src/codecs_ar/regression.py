"""The compiled part of a linear predictor: weighted least squares over all that was decoded, fading in two dimensions.

Meyer, Tischer: GLICBAWLS, DCC 2001. What is to be predicted, t, comes before the regressors in a vector v = (t, r1, ..., rn), padded
with zeros to a multiple of eight. Sums of products are flat: for i = 1 ... n those of v[i] and v[0] ... v[i], a row of lanes; those
beyond v[i] mean nothing. All is in binary32.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from codecs_core.jit import borrowing
from codecs_core.jit.lanes import cleared, folded, load8, store

LANES = 8
#: Up to this magnitude, sums and weights are zero: what machines make of subnormal numbers is never seen.
TINY = np.float32(1e-20)
_ZERO, _ONE = np.array([0, 1], np.float32)


def width(n: int) -> int:
    """Numbers in a vector of n regressors."""
    return LANES * (n // LANES + 1)


def terms(n: int) -> int:
    """Numbers in the sums of n regressors."""
    return sum(width(i) for i in range(1, n + 1))


def packed(prior: NDArray[np.float64], n: int) -> NDArray[np.float32]:
    """Sums as `solve` takes them from the lower triangle of A, row after row, and b."""
    single = prior.astype(np.float32)
    single[np.abs(single) <= TINY] = 0
    triangle, result = single[:-n], single[-n:]
    rows = [np.zeros(width(i), np.float32) for i in range(1, n + 1)]
    for i, row in enumerate(rows):
        row[0], row[1 : i + 2] = result[i], triangle[i * (i + 1) // 2 : (i + 1) * (i + 2) // 2]
    return np.concatenate(rows)


@borrowing
def faded(value):
    """Zero for what is all but zero."""
    return value if abs(value) > TINY else _ZERO


@borrowing
def predict(fit, first, at, n):
    """What the weights from one on make of the regressors in a vector; the first weight is 0."""
    w, v = fit.weights, fit.vectors
    total = load8(w, first) * load8(v, at)
    for j in range(LANES, n + 1, LANES):
        total = total + load8(w, first + j) * load8(v, at + j)
    return folded(total)


@borrowing
def solve(prior, fit, above_at, run_at, n, first):
    """Solve A w = b by elimination without pivoting, the last row first; leaves w as it is where A is not positive definite."""
    above, run, rows, inverses, w = fit.above, fit.run, fit.rows, fit.inverses, fit.weights
    stride, k = LANES * (n // LANES + 1), 0
    for i in range(1, n + 1):
        for j in range(0, i + 1, LANES):
            store(rows, i * stride + j, load8(prior, k) + (load8(above, above_at + k) + load8(run, run_at + k)))
            k += LANES
    for p in range(n, 0, -1):
        pivot = p * stride
        if not rows[np.uint64(pivot + p)] > TINY:
            return
        inverse = _ONE / rows[np.uint64(pivot + p)]
        inverses[np.uint64(p)] = inverse
        # the next pivot first: it is waited for
        for i in range(p - 1, 0, -1):
            row = i * stride
            factor = rows[np.uint64(pivot + i)] * inverse
            for j in range(0, i + 1, LANES):
                left = load8(rows, row + j) - factor * load8(rows, pivot + j)
                store(rows, row + j, cleared(left, TINY))
    for i in range(1, n + 1):
        weight = faded(rows[np.uint64(i * stride)] * inverses[np.uint64(i)])
        w[np.uint64(first + i)] = weight
        for m in range(i + 1, n + 1):
            rows[np.uint64(m * stride)] -= rows[np.uint64(m * stride + i)] * weight


@borrowing
def forward(fit, at, n, trust, first, rates):
    """Take in a value in both sets of sums along its row, and in those that its column hands on to the next row."""
    v, above, run = fit.vectors, fit.above, fit.run
    second, half, k = first + above.size // 2, run.size // 2, 0
    for i in range(1, n + 1):
        factor = trust * v[np.uint64(at + i)]
        for j in range(0, i + 1, LANES):
            product = factor * load8(v, at + j)
            total1, total2 = load8(run, k) + product, load8(run, half + k) + product
            below1, below2 = load8(above, first + k) + total1, load8(above, second + k) + total2
            store(above, first + k, cleared(rates[0] * below1, TINY))
            store(above, second + k, cleared(rates[1] * below2, TINY))
            store(run, k, cleared(rates[0] * total1, TINY))
            store(run, half + k, cleared(rates[1] * total2, TINY))
            k += LANES


@borrowing
def backward(fit, at, n, trust, first, rates):
    """Take in a value in both sets of sums along its row, from the right, and hand them on in the column before."""
    v, above, run = fit.vectors, fit.above, fit.run
    second, half, k = first + above.size // 2, run.size // 2, 0
    for i in range(1, n + 1):
        factor = trust * v[np.uint64(at + i)]
        for j in range(0, i + 1, LANES):
            product = factor * load8(v, at + j)
            total1 = cleared(rates[0] * (load8(run, k) + product), TINY)
            total2 = cleared(rates[1] * (load8(run, half + k) + product), TINY)
            store(above, first + k, load8(above, first + k) + rates[0] * total1)
            store(above, second + k, load8(above, second + k) + rates[1] * total2)
            store(run, k, total1)
            store(run, half + k, total2)
            k += LANES
