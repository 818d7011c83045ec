"""Tables of octaves for a lossy model, from what searching chooses."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from codecs_core import Model
from codecs_rec.index import calibrate
from codecs_rec.lossy.model import SEARCHED, LossyVAE


def calibrated(model: Model, x: NDArray[np.uint8], *, rounds: int = 2) -> Model:
    """The same model with tables that fit the numbers chosen for items `x`, shape (n, pixels), at all qualities."""
    for _ in range(rounds):
        vae, found = LossyVAE(model), []
        y = vae.coefficients(x)
        for quality in range(vae.qualities):
            k = vae.classify(y, quality)
            number = vae.indices(y, k, quality, search=SEARCHED["smallest"])[1][..., 0]
            found.append((vae.rows(k, quality), number[number > 0]))
        rows, number = (np.concatenate(column) for column in zip(*found, strict=True))
        size = vae.octaves.shape[1]
        # where nothing was seen, any octave may come
        some = [number[rows == row] if (rows == row).any() else 1 << np.arange(size) for row in range(len(vae.octaves))]
        tables = np.stack([calibrate(seen, size, smooth=True) for seen in some]).astype(np.int32)
        model = model.replaced(tensors=model.tensors() | {"octaves": tables})
    return model
