"""The weights of a mixture, from integer logits."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from codecs_core.entropy.tables import table
from codecs_core.jit import kernel


@kernel
def _softmax(logits, exp2, weights):
    n, components = logits.shape
    for at in range(n):
        i = np.uint64(at)
        largest, top = np.uint64(0), np.int64(logits[i, np.uint64(0)])
        for k in range(1, components):
            c = np.uint64(k)
            largest, top = (c, np.int64(logits[i, c])) if logits[i, c] > top else (largest, top)
        total = np.int64(0)
        for k in range(components):
            c = np.uint64(k)
            weight = exp2[np.uint64(min(top - logits[i, c], 1023))]
            weights[i, c] = weight
            total += weight
        # a quotient of doubles is at most one too large
        reciprocal = np.int64(2.0**47 / np.float64(total))
        reciprocal -= np.int64(reciprocal * total > 1 << 47)
        rest = np.int64(1) << 16
        for k in range(components):
            c = np.uint64(k)
            weight = (np.int64(weights[i, c]) * reciprocal) >> 31
            weights[i, c] = weight
            rest -= weight
        weights[i, largest] += rest


def softmax(logits: NDArray[np.int32]) -> NDArray[np.uint32]:
    """Weights 2^(logit / 64), normalised to add up to 2^16; what rounding loses goes to the first of the largest.

    Parameters
    ----------
    logits
        Shape (n, components), in units of 1/64 to base 2; from 16 octaves below the largest on they count as that.
    """
    weights = np.empty(logits.shape, np.uint32)
    _softmax(np.ascontiguousarray(logits), table("exp2_negative"), weights)
    return weights
