"""The weights of a mixture, from integer logits."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from codecs_core.entropy.compiled import kernel
from codecs_core.entropy.tables import table


@kernel
def _softmax(logits, exp2, weights):  # type: ignore[no-untyped-def]
    n, components = logits.shape
    for i in range(n):
        largest = 0
        for c in range(1, components):
            if logits[i, c] > logits[i, largest]:
                largest = c
        top = np.int64(logits[i, largest])
        total = np.int64(0)
        for c in range(components):
            below = top - logits[i, c]
            weights[i, c] = exp2[below if below < 1023 else 1023]
            total += weights[i, c]
        reciprocal = (np.int64(1) << 47) // total
        rest = np.int64(1) << 16
        for c in range(components):
            weights[i, c] = (weights[i, c] * reciprocal) >> 31
            rest -= weights[i, c]
        weights[i, largest] += rest


def softmax(logits: NDArray[np.int32]) -> NDArray[np.int64]:
    """Weights 2^(logit / 64), normalised to add up to 2^16; what rounding loses goes to the first of the largest.

    Parameters
    ----------
    logits
        Shape (n, components), in units of 1/64 to base 2; from 16 octaves below the largest on they count as that.
    """
    weights = np.empty(logits.shape, np.int64)
    _softmax(np.ascontiguousarray(logits), table("exp2_negative"), weights)
    return weights
