"""Philox 4x32-10, a counter-based generator: any 128 bits of the sequence of a key, at once and in any order.

Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3", section 3.3. All words are uint64 below 2^32.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from codecs_core.errors import EntropyError
from codecs_core.jit import inline, kernel

_32 = np.uint64(32)
_W = np.uint64(0xFFFFFFFF)
M0, M1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
W0, W1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
ROUNDS = 10


@inline
def philox(a, b, c, d, key):
    """Four words for the counter (a, b, c, d) and a 64-bit key, whose low half is the first word."""
    k0, k1 = key & _W, key >> _32
    for _ in range(ROUNDS):
        p, q = M0 * a, M1 * c
        a, b, c, d = (q >> _32) ^ b ^ k0, q & _W, (p >> _32) ^ d ^ k1, p & _W
        k0, k1 = (k0 + W0) & _W, (k1 + W1) & _W
    return a, b, c, d


@kernel
def _fill(counters, key, out):
    for i in range(len(counters)):
        c = counters[i]
        out[i, 0], out[i, 1], out[i, 2], out[i, 3] = philox(c[0], c[1], c[2], c[3], key)


def words(counters: ArrayLike, key: int) -> NDArray[np.uint64]:
    """Words of counters, both of shape (n, 4) and below 2^32."""
    c = np.ascontiguousarray(counters, np.uint64).reshape(-1, 4)
    out = np.empty_like(c)
    _fill(c, check_key(key), out)
    return out


def check_key(key: int) -> np.uint64:
    """A key as the kernels take it; raises `EntropyError` for what is no 64-bit integer."""
    if not isinstance(key, int | np.integer) or not 0 <= int(key) < 1 << 64:
        raise EntropyError(f"a key is an integer from 0 to 2^64 - 1, not {key!r}")
    return np.uint64(key)
