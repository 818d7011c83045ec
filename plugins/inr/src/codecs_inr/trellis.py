"""The best path through groups whose proposals a window of bits names: the bits of a group and those before them (Viterbi 1967).

A random code of long blocks comes near to what its rate allows, but takes a search that doubles with every bit. Here each proposal is
named by as many bits as a search can bear, and the window moves on by fewer: what is chosen for one group changes what the next ones
may be, so that all groups are one long code word, and the best one is found by keeping, for each state, the best path that ends there.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from codecs_rec.latents import KEY
from codecs_rec.samplers.blocks import LANES, coarse_points, coefficients, coordinates_of
from numpy.typing import NDArray

from codecs_core.jit import kernel

#: A path that there is not.
_NEVER = np.float32(-1e30)
_ZERO = np.float32(0)


@kernel
def _advance(m, s, g, key, points, window, bits, old, new, top):
    """Fill in, for each state after group g, the largest sum of ln dQ/dP and the bits that leave the window on the way there.

    `m`, `s` have shape (n, d), `old`, `new` and `top` (n, 2^(window - bits)).
    """
    n, size = m.shape
    square, linear = np.zeros((n, size), np.float32), np.zeros((n, size), np.float32)
    words, x, weights = (
        np.empty((4, LANES), np.uint64),
        np.empty((size, LANES), np.float32),
        np.empty(LANES, np.float32),
    )
    states = 1 << (window - bits)
    for i in range(n):
        coefficients(m[i], s[i], square[i], linear[i])
        new[i] = _NEVER
    for first in range(0, 1 << window, LANES):
        coordinates_of(first, g, key, words, points, x)
        for i in range(n):
            for j in range(LANES):
                weights[j] = _ZERO
            for d in range(size):
                p, q = square[i, d], linear[i, d]
                for j in range(LANES):
                    weights[j] += (p * x[d, j] + q) * x[d, j]
            for j in range(min(LANES, (1 << window) - first)):
                proposal = first + j
                score = old[i, proposal >> bits] + weights[j]
                state = proposal & (states - 1)
                if score > new[i, state]:
                    new[i, state], top[i, state] = score, proposal >> (window - bits)


def path(
    targets: Sequence[tuple[NDArray[np.float64], NDArray[np.float64]]],
    first: int,
    state: NDArray[np.int64],
    window: int,
    bits: int,
) -> NDArray[np.int64]:
    """Indices of consecutive groups that have the largest ratio of posterior to prior together, shape (n, groups).

    Parameters
    ----------
    targets
        Of each group, means and deviations in units of the prior, both of shape (n, members).
    first
        Number of the first of them.
    state
        The bits before them, `window` - `bits` of them: shape (n,).
    window, bits
        Of the bits that name a proposal, and by how many the window moves on.
    """
    n = len(state)
    old = np.full((n, 1 << (window - bits)), _NEVER, np.float32)
    old[np.arange(n), state] = 0
    new, tops = np.empty_like(old), []
    for g, (m, s) in enumerate(targets, first):
        top = np.zeros(old.shape, np.uint8)
        _advance(np.ascontiguousarray(m), np.ascontiguousarray(s), g, KEY, coarse_points(), window, bits, old, new, top)
        old, new = new - new.max(1, keepdims=True), old
        tops.append(top)
    at = old.argmax(1)
    index = np.empty((n, len(tops)), np.int64)
    for g in range(len(tops) - 1, -1, -1):
        index[:, g] = at & ((1 << bits) - 1)
        at = (tops[g][np.arange(n), at].astype(np.int64) << (window - 2 * bits)) | (at >> bits)
    return index
