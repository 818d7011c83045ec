"""Models with random weights: they compress badly and code exactly, so tests need no training and no torch."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_bbans.model import BUCKET_BITS, LATENT_BITS
from codecs_core import Model
from codecs_core.entropy import BucketedGaussian, CategoricalMixture, centres
from codecs_core.exact import ExactNet, Layer
from codecs_core.testing import Draw

#: Range of the log-scale of a posterior, in 1/64 of an octave, and of a logit.
SCALES, LOGITS = (-384, 96), (-4096, 4096)


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
    draw = Draw(seed)
    pixels = math.prod(item_shape)
    binary = likelihood == "bernoulli"

    def layer(inputs: int, size: int, low: Any, high: Any, gain: int) -> Layer:
        """Outputs spread about as wide as `gain` where inputs spread as wide as `size`."""
        weight = draw(-127, 127, (len(high), inputs))
        spread = 64 * size * math.isqrt(inputs)
        shift = max(0, (spread // max(1, gain)).bit_length() - 1)
        bias = draw(-spread, spread, len(high))
        return Layer(
            weight=weight.astype(np.int8),
            bias=bias,
            shift=np.full(len(high), shift, np.int8),
            low=np.asarray(low, np.int32),
            high=np.asarray(high, np.int32),
        )

    def full(n: int, value: int) -> NDArray[np.int64]:
        return np.full(n, value, np.int64)

    relu = full(hidden, 0), full(hidden, 4095)
    posterior = (
        np.concatenate([full(latents, BucketedGaussian.MEAN.low), full(latents, SCALES[0])]),
        np.concatenate([full(latents, BucketedGaussian.MEAN.high), full(latents, SCALES[1])]),
    )
    largest = 1 if binary else 255
    outputs = pixels * (1 if binary else components)
    spread = centres(BUCKET_BITS) >> (24 - LATENT_BITS)
    encoder = ExactNet([layer(pixels, largest, *relu, 512), layer(hidden, 512, *posterior, 2048)], 0, largest)
    decoder = ExactNet(
        [layer(latents, 256, *relu, 512), layer(hidden, 512, full(outputs, LOGITS[0]), full(outputs, LOGITS[1]), 128)],
        int(spread[0]),
        int(spread[-1]),
    )
    tensors = encoder.tensors("encoder") | decoder.tensors("decoder")
    if not binary:
        counts = draw(1, (1 << CategoricalMixture.TABLE_BITS) // 512, (components, 256))
        counts[:, 0] += (1 << CategoricalMixture.TABLE_BITS) - counts.sum(1)
        tensors["tables"] = counts.astype(np.int32)
    config = {"likelihood": likelihood, "item_shape": list(item_shape), "latents": latents}
    return Model.create(codec="bbans.vae", config=config, tensors=tensors, attrs={"seed": seed}, name=name)
