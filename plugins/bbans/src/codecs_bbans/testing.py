"""Models with random weights: they compress badly and code exactly, so tests need no training and no torch."""

from __future__ import annotations

import numpy as np

from codecs_bbans.model import BUCKET_BITS, LATENT_BITS
from codecs_core import Model
from codecs_core.entropy import BucketedGaussian, centres
from codecs_core.testing import Draw, random_autoencoder

#: Range of the log-scale of a posterior, in 1/64 of an octave.
SCALES = (-384, 96)


def random_model(
    likelihood: str = "mixture",
    item_shape: tuple[int, ...] = (4, 3),
    *,
    latents: int = 5,
    hidden: int = 16,
    components: int = 3,
    seed: int = 0,
    name: str = "random",
) -> Model:
    """Make a model of ``bbans.vae`` that learnt nothing: the same arguments give the same file everywhere."""
    mean, spread = BucketedGaussian.MEAN, centres(BUCKET_BITS) >> (24 - LATENT_BITS)
    tensors = random_autoencoder(
        Draw(seed),
        likelihood,
        item_shape,
        hidden=hidden,
        components=components,
        posterior=(np.repeat([mean.low, SCALES[0]], latents), np.repeat([mean.high, SCALES[1]], latents), 2048),
        reach=(int(spread[0]), int(spread[-1])),
    )
    config = {"likelihood": likelihood, "item_shape": list(item_shape), "latents": latents}
    return Model.create(codec="bbans.vae", config=config, tensors=tensors, attrs={"seed": seed}, name=name)
