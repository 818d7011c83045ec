"""From the variational autoencoder in floating point to a model in integers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from codecs_bbans.model import BUCKET_BITS, LATENT_BITS, VAE
from codecs_bbans.network import LOG_SCALE_RANGE, Network
from codecs_core import Model
from codecs_core.entropy import BucketedGaussian, CategoricalMixture, QFormat, centres, quantise
from codecs_core.exact import freeze
from codecs_core.learn import BITS_PER_NAT


def frozen(
    network: Network,
    examples: NDArray[np.uint8],
    *,
    item_shape: tuple[int, ...],
    latents: int,
    attrs: dict[str, Any],
    name: str = "",
) -> Model:
    """Freeze a trained network; `examples` are items that tell how large its activations grow."""
    network.eval()
    binary = network.components == 0
    pixels = QFormat(bits=0, low=0, high=1) if binary else QFormat(bits=8, low=0, high=255)
    mean = BucketedGaussian.MEAN
    low, high = (math.floor(limit * BITS_PER_NAT * 2**BucketedGaussian.LOG_SCALE.bits) for limit in LOG_SCALE_RANGE)
    scale = BucketedGaussian.LOG_SCALE.within(low, high)
    logit = CategoricalMixture.LOGIT.within(-(1 << 12), 1 << 12)
    representatives = centres(BUCKET_BITS) >> (24 - LATENT_BITS)
    latent = QFormat(bits=LATENT_BITS, low=int(representatives[0]), high=int(representatives[-1]))
    gain = np.repeat([1.0, BITS_PER_NAT], latents)
    encoder = freeze(network.encoder, examples, pixels, [mean] * latents + [scale] * latents, gain=gain)
    rng = np.random.default_rng(0)
    z = encoder(examples)[:, :latents] / 2**mean.bits + 0.3 * rng.standard_normal((len(examples), latents))
    z = np.clip(np.floor(z * (1 << LATENT_BITS)), latent.low, latent.high).astype(np.int64)
    tensors = encoder.tensors("encoder")
    tensors |= freeze(network.decoder, z, latent, logit, gain=BITS_PER_NAT).tensors("decoder")
    if not binary:
        with torch.inference_mode():
            tables = torch.softmax(network.tables.double(), 1).numpy()
        tensors["tables"] = quantise(tables, CategoricalMixture.TABLE_BITS, zeros=True).astype(np.int32)
    config = {
        "likelihood": "bernoulli" if binary else "mixture",
        "item_shape": [int(n) for n in item_shape],
        "latents": latents,
    }
    model = Model.create(codec="bbans.vae", config=config, tensors=tensors, attrs=attrs, name=name)
    VAE(model)
    return model
