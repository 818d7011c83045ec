"""The Leech lattice, of all lattices in 24 dimensions the densest packing of balls: its points, and the one nearest to a vector.

Where its cells have the volume 1, we take 1 / sqrt(8) as the unit. Points then have integer coordinates, of two kinds (Conway, Sloane 1999,
"Sphere packings, lattices and groups", chapter 4, section 11): 2 c + 4 m, where m has an even sum, and 1 + 2 c + 4 m, where m has an
odd sum. Here c is a word of the binary Golay code, as a vector of zeros and ones, and m is a vector of integers. The shortest
vectors have the squared length 32.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_core.jit import inline

SIZE = 24
#: Vectors are in units of 2^-24: ONE of these are a unit of the lattice.
UNIT_BITS = 24
ONE = np.int64(1 << UNIT_BITS)
_STEP_BITS = UNIT_BITS + 2
_STEP, _HALF = np.int64(1 << _STEP_BITS), np.int64(1 << (_STEP_BITS - 1))
_MOST = np.int64((1 << 63) - 1)


def golay() -> NDArray[np.int64]:
    """The 2^12 words of 24 bits: multiples of x^11 + x^9 + x^7 + x^6 + x^5 + x + 1 modulo x^23 - 1, and a bit that makes them even."""
    k, n = np.arange(12), np.arange(1 << 12)[:, None]
    words = np.bitwise_xor.reduce((n >> k & 1) * (0b101011100011 << k), axis=1)
    odd = (words[:, None] >> np.arange(23)).sum(1) & 1
    return np.asarray(words | odd << 23)


WORDS = np.sort(golay())
#: The three bytes of each word.
_BYTES = np.stack([WORDS & 255, WORDS >> 8 & 255, WORDS >> 16], 1)


@inline
def _closest(x, offset):
    """The m for which offset + 4 m is nearest to x, and what is left."""
    m = (x - offset + _HALF) >> _STEP_BITS
    return m, x - offset - (m << _STEP_BITS)


@inline
def _search(x, kind, squares, sums, steps):
    """The number of the word that has the point of this kind nearest to x, and the squared distance. Arrays of shape (3, 256) are scratch.

    Were any sum allowed, each m would be rounded, and squares would add up over the bits of a word: they are summed for the 256 values of
    each of its three bytes. Where the sum is wrong, the coordinate for which this costs least is rounded the other way.
    """
    for part in range(3):
        squares[part, 0], sums[part, 0], steps[part, 0] = 0, 0, _MOST
        for k in range(8):
            value = x[8 * part + k]
            m, rest = _closest(value, kind * ONE)
            n, left = _closest(value, (kind + 2) * ONE)
            for low in range(1 << k):
                high = low | 1 << k
                squares[part, high] = squares[part, low] + left * left
                sums[part, high] = sums[part, low] ^ (n & 1)
                steps[part, high] = min(steps[part, low], _STEP * (_STEP - 2 * abs(left)))
                squares[part, low] += rest * rest
                sums[part, low] ^= m & 1
                steps[part, low] = min(steps[part, low], _STEP * (_STEP - 2 * abs(rest)))
    word, best = 0, _MOST
    for w in range(len(_BYTES)):
        a, b, c = _BYTES[w]
        square = squares[0, a] + squares[1, b] + squares[2, c]
        if square < best:
            if (sums[0, a] ^ sums[1, b] ^ sums[2, c]) != kind:
                square += min(steps[0, a], steps[1, b], steps[2, c])
            if square < best:
                word, best = w, square
    return word, best


@inline
def nearest(x, point, squares, sums, steps):
    """Fill in the point nearest to x, which is in units of 2^-24, as integers, and return the squared distance, in units of 2^-48."""
    kind, word, best = 0, 0, _MOST
    for other in range(2):
        w, square = _search(x, other, squares, sums, steps)
        if square < best:
            kind, word, best = other, w, square
    total, worst, far = kind, 0, np.int64(-1)
    for k in range(SIZE):
        offset = kind + 2 * (WORDS[word] >> k & 1)
        m, rest = _closest(x[k], offset * ONE)
        point[k] = offset + 4 * m
        total += m
        if abs(rest) > far:
            worst, far = k, abs(rest)
    if total & 1:
        point[worst] += 4 if x[worst] >= point[worst] * ONE else -4
    return best


def contains(points: NDArray[Any]) -> NDArray[np.bool_]:
    """Which vectors of integers, of shape (..., 24), are points of the lattice."""
    kind = points[..., :1] & 1
    bits = points - kind >> 1 & 1
    words = (bits << np.arange(SIZE)).sum(-1)
    m = points - kind - 2 * bits >> 2
    alike = (points & 1 == kind).all(-1)
    return np.asarray(alike & np.isin(words, WORDS) & (m.sum(-1) - kind[..., 0] & 1 == 0))
