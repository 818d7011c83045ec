"""The compiled part of a linear predictor: weighted least squares over all that was decoded, fading in two dimensions.

Meyer, Tischer: GLICBAWLS, DCC 2001. Doubles, of which ``+ - * /`` are taken in a fixed order.
"""

from __future__ import annotations

import numpy as np

from codecs_core.entropy.compiled import inline

#: Below this magnitude, sums over the past are zero.
TINY = 1e-100


@inline
def solve(sums, n, rows, pivot, w):  # type: ignore[no-untyped-def]
    """Solve A w = b by elimination without pivoting; leaves w as it is where A is not positive definite.

    `sums` holds the lower triangle of A, row after row, and b. Rows are worked on in blocks of eight, whose first numbers may be below the
    diagonal, and mean nothing then.
    """
    k = 0
    for i in range(n):
        for j in range(i + 1):
            rows[np.uint64(j), np.uint64(i)] = sums[np.uint64(k + j)]
        k += i + 1
    for j in range(n):
        rows[np.uint64(j), np.uint64(n)] = sums[np.uint64(k + j)]
    blocks = (n + 8) >> 3
    for j in range(n):
        row = np.uint64(j)
        if not rows[row, row] > TINY:
            return
        inverse = 1.0 / rows[row, row]
        for i in range(8 * blocks):
            pivot[np.uint64(i)] = rows[row, np.uint64(i)]
        for i in range(j + 1, n):
            factor = pivot[np.uint64(i)] * inverse
            for block in range(i >> 3, blocks):
                for lane in range(8):
                    at = np.uint64(8 * block + lane)
                    rows[np.uint64(i), at] -= factor * pivot[at]
    for i in range(n):
        w[i] = rows[i, n]
    for j in range(n - 1, -1, -1):
        w[j] = w[j] / rows[j, j]
        for i in range(j):
            w[i] -= rows[i, j] * w[j]


@inline
def multiply(products, r, n, target, weight):  # type: ignore[no-untyped-def]
    """The products of the regressors with each other, and with what they are to predict, as `solve` takes their sums."""
    k = 0
    for i in range(n):
        factor = weight * r[i]
        for j in range(i + 1):
            products[np.uint64(k + j)] = factor * r[np.uint64(j)]
        k += i + 1
    factor = weight * target
    for j in range(n):
        products[np.uint64(k + j)] = factor * r[np.uint64(j)]


@inline
def faded(value):  # type: ignore[no-untyped-def]
    """Zero for what is all but zero: there is never a subnormal number."""
    return value if abs(value) > TINY else 0.0


@inline
def forward(products, run, above, rate):  # type: ignore[no-untyped-def]
    """Take in a value: in the sums along its row, and in those that its column hands on to the next row."""
    for k in range(products.size):
        total = run[k] + products[k]
        above[k] = faded(rate * (above[k] + total))
        run[k] = faded(rate * total)


@inline
def backward(products, run, above, rate):  # type: ignore[no-untyped-def]
    """Take in a value in the sums along its row, from the right, and hand them on in the column before."""
    for k in range(products.size):
        run[k] = faded(rate * (run[k] + products[k]))
        above[k] += rate * run[k]
