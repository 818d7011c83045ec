"""From the variational autoencoder in floating point to a model in integers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from codecs_bbans.model import BUCKET_BITS, LATENT_BITS, VAE
from codecs_core import Model
from codecs_core.entropy import BucketedGaussian, CategoricalMixture, QFormat, centres
from codecs_core.exact import freeze
from codecs_core.learn import BITS_PER_NAT, Autoencoder


def frozen(network: Autoencoder, examples: NDArray[np.uint8], *, item_shape: tuple[int, ...]) -> Model:
    """Freeze a trained network; `examples` are items that tell how large its activations grow."""
    encoder, latents, mean = network.freeze_encoder(examples), network.latents, BucketedGaussian.MEAN
    representatives = centres(BUCKET_BITS) >> (24 - LATENT_BITS)
    latent = QFormat(bits=LATENT_BITS, low=int(representatives[0]), high=int(representatives[-1]))
    rng = np.random.default_rng(0)
    z = encoder(examples)[:, :latents] / 2**mean.bits + 0.3 * rng.standard_normal((len(examples), latents))
    z = np.clip(np.floor(z * (1 << LATENT_BITS)), latent.low, latent.high).astype(np.int64)
    logit = CategoricalMixture.LOGIT.within(-(1 << 12), 1 << 12)
    decoder = freeze(network.decoder, z, latent, logit, gain=BITS_PER_NAT)
    model = network.frozen("bbans.vae", item_shape, {"encoder": encoder, "decoder": decoder})
    VAE(model)
    return model
