"""`codecs_ar.regression` of several images at once: of each image the same numbers, by the same operations in the same order.

Numbers of `IMAGES` images lie side by side, so that a vector has one of each. No lane is lost at the end of a row of sums, and what
takes long, such as an inverse, is waited for once. Sums of products are flat: for i = 1 ... n those of v[i] and v[0] ... v[i].
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from codecs_ar import regression
from codecs_ar.regression import LANES, TINY, width
from codecs_core.jit import borrowing
from codecs_core.jit.lanes import cleared, load8, store

#: Images that are fitted together.
IMAGES = 8
_ZERO, _ONE = np.array([0, 1], np.float32)


def terms(n: int) -> int:
    """Sums of n regressors."""
    return n * (n + 3) // 2


def packed(prior: NDArray[np.float64], n: int) -> NDArray[np.float32]:
    """Sums of one image as `solve` takes them, from those that `codecs_ar.regression.packed` takes."""
    single = regression.packed(prior, n)
    starts = np.cumsum([0, *(width(i) for i in range(1, n))])
    return np.concatenate([single[start : start + i + 2] for i, start in enumerate(starts)])


@borrowing
def row_of(i):
    """Where the sums of v[i] begin."""
    return IMAGES * ((i - 1) * (i + 2) // 2)


@borrowing
def predict(group, first, at, wide, out, to):
    """Write to `out` what the weights from `first` on make of the regressors in a vector; the first weight is 0.

    As `codecs_ar.regression.predict` adds them up: in each of its lanes, and then one half of the lanes to the other. There has to be
    room for all lanes.
    """
    w, v = group.weights, group.vectors
    for k in range(LANES):
        total = load8(w, first + IMAGES * k) * load8(v, at + IMAGES * k)
        for j in range(k + LANES, wide, LANES):
            total = total + load8(w, first + IMAGES * j) * load8(v, at + IMAGES * j)
        store(out, to + IMAGES * k, total)
    half = LANES // 2
    while half:
        for k in range(half):
            at_k = to + IMAGES * k
            store(out, at_k, load8(out, at_k) + load8(out, at_k + IMAGES * half))
        half //= 2


@borrowing
def solve(prior, group, above_at, run_at, n, first):
    """Solve A w = b of each image by elimination without pivoting, the last row first; leaves w where A is not positive definite."""
    above, run, rows, inverses, w = group.above, group.run, group.rows, group.inverses, group.weights
    definite = inverses.size - IMAGES
    for k in range(prior.size):
        at = IMAGES * k
        store(rows, at, prior[np.uint64(k)] + (load8(above, above_at + at) + load8(run, run_at + at)))
    for m in range(IMAGES):
        inverses[np.uint64(definite + m)] = _ONE
    for p in range(n, 0, -1):
        pivot = row_of(p)
        diagonal = pivot + IMAGES * p
        for m in range(IMAGES):
            if not rows[np.uint64(diagonal + m)] > TINY:
                inverses[np.uint64(definite + m)] = _ZERO
        inverse = _ONE / load8(rows, diagonal)
        store(inverses, IMAGES * p, inverse)
        for i in range(p - 1, 0, -1):
            row = row_of(i)
            factor = load8(rows, pivot + IMAGES * i) * inverse
            for j in range(0, IMAGES * (i + 1), IMAGES):
                left = load8(rows, row + j) - factor * load8(rows, pivot + j)
                store(rows, row + j, cleared(left, TINY))
    for i in range(1, n + 1):
        weight = cleared(load8(rows, row_of(i)) * load8(inverses, IMAGES * i), TINY)
        store(inverses, IMAGES * i, weight)
        for m in range(i + 1, n + 1):
            row = row_of(m)
            store(rows, row, load8(rows, row) - load8(rows, row + IMAGES * i) * weight)
    for i in range(1, n + 1):
        for m in range(IMAGES):
            if inverses[np.uint64(definite + m)] > _ZERO:
                w[np.uint64(first + IMAGES * i + m)] = inverses[np.uint64(IMAGES * i + m)]


@borrowing
def forward(group, at, n, trust_at, first, rates):
    """Take in a value of each image in both sets of sums along its row, and in those that its column hands on to the next row."""
    v, above, run, trust = group.vectors, group.above, group.run, load8(group.trust, trust_at)
    half, k = run.size // 2, 0
    second = first + half
    for i in range(1, n + 1):
        factor = trust * load8(v, at + IMAGES * i)
        for j in range(0, IMAGES * (i + 1), IMAGES):
            product = factor * load8(v, at + j)
            total1, total2 = load8(run, k) + product, load8(run, half + k) + product
            below1, below2 = load8(above, first + k) + total1, load8(above, second + k) + total2
            store(above, first + k, cleared(rates[0] * below1, TINY))
            store(above, second + k, cleared(rates[1] * below2, TINY))
            store(run, k, cleared(rates[0] * total1, TINY))
            store(run, half + k, cleared(rates[1] * total2, TINY))
            k += IMAGES


@borrowing
def backward(group, at, n, trust_at, first, rates):
    """Take in a value of each image in both sets of sums along its row, from the right, and hand them on in the column before."""
    v, above, run, trust = group.vectors, group.above, group.run, load8(group.trust, trust_at)
    half, k = run.size // 2, 0
    second = first + half
    for i in range(1, n + 1):
        factor = trust * load8(v, at + IMAGES * i)
        for j in range(0, IMAGES * (i + 1), IMAGES):
            product = factor * load8(v, at + j)
            total1 = cleared(rates[0] * (load8(run, k) + product), TINY)
            total2 = cleared(rates[1] * (load8(run, half + k) + product), TINY)
            store(above, first + k, load8(above, first + k) + rates[0] * total1)
            store(above, second + k, load8(above, second + k) + rates[1] * total2)
            store(run, k, total1)
            store(run, half + k, total2)
            k += IMAGES
