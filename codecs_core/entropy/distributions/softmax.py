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
        top = np.int64(logits[i, 0])
        for c in range(1, components):
            top = max(top, np.int64(logits[i, c]))
        total = np.int64(0)
        for c in range(components):
            weight = exp2[min(top - logits[i, c], 1023)]
            weights[i, c] = weight
            total += weight
        reciprocal = (np.int64(1) << 47) // total
        rest = np.int64(1) << 16
        largest = 0
        for c in range(components - 1, -1, -1):
            weight = (np.int64(weights[i, c]) * reciprocal) >> 31
            weights[i, c] = weight
            rest -= weight
            largest = c if logits[i, c] == top else largest
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
