"""What follows each product of an exact network."""

from __future__ import annotations

import numpy as np

from codecs_core.entropy.compiled import kernel


@kernel
def rescale(y, bias, scale, low, high):  # type: ignore[no-untyped-def]
    """Compute y = clamp(floor((y + bias) * scale), low, high) in place; `scale` is a power of two a column, so all of it is exact."""
    rows, columns = y.shape
    for i in range(rows):
        for j in range(columns):
            value = np.floor((y[i, j] + bias[j]) * scale[j])
            y[i, j] = min(max(value, low[j]), high[j])
