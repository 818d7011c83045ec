"""The variational autoencoder in integers: prior, likelihood and posterior, as BB-ANS codes with them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from codecs_core.entropy import Bernoulli, BitsBack, BucketedGaussian, CategoricalMixture, Uniform
from codecs_core.entropy.distributions.bucketed_gaussian import centres
from codecs_core.errors import ModelError
from codecs_core.exact import ExactNet

if TYPE_CHECKING:
    from codecs_core.entropy import StackCodec
    from codecs_core.models import Model

#: Buckets of a latent, fractional bits of the value that stands for one, precision of its posterior.
BUCKET_BITS, LATENT_BITS, POSTERIOR_PRECISION = 8, 8, 18
#: Precision of a pixel: at 14 bits, as published, it cost 0.015 bits per pixel.
PIXEL_PRECISION = 22

LIKELIHOODS = ("bernoulli", "mixture")


class VAE:
    """A frozen variational autoencoder.

    Parameters
    ----------
    model
        Config: ``likelihood`` ("bernoulli" for 0/1 data, "mixture" for 8-bit data), ``item_shape``, ``latents``. Tensors: the
        networks ``encoder`` (pixels to mean and log-scale of each latent) and ``decoder`` (latents to the log-odds of each pixel, or to
        the logits of its mixture), and for a mixture its ``tables``.

    Raises
    ------
    ModelError
        If anything is missing or does not fit, or the probe gives other integers than when the model was made.
    """

    def __init__(self, model: Model) -> None:
        config, tensors = model.config, model.tensors()
        try:
            self.likelihood_kind = str(config["likelihood"])
            self.item_shape = tuple(int(n) for n in config["item_shape"])
            self.latents = int(config["latents"])
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(
                f"model {model.name or model.sha256} is no model of bbans.vae: its config lacks {error}"
            ) from None
        self.pixels = math.prod(self.item_shape)
        self.encoder = ExactNet.from_tensors(tensors, "encoder")
        self.decoder = ExactNet.from_tensors(tensors, "decoder")
        self.representatives = (centres(BUCKET_BITS) >> (24 - LATENT_BITS)).astype(np.int32)
        self.tables = tensors.get("tables", np.zeros((1, 256), np.int32))
        expected = {
            "the encoder's inputs": (self.encoder.inputs, self.pixels),
            "the encoder's outputs": (self.encoder.outputs, 2 * self.latents),
            "the decoder's inputs": (self.decoder.inputs, self.latents),
            "the decoder's outputs": (self.decoder.outputs, self.pixels * len(self.tables)),
            "the largest pixel": (self.encoder.high, 1 if self.likelihood_kind == "bernoulli" else 255),
            "the largest latent": (min(self.decoder.high, self.representatives[-1]), self.representatives[-1]),
        }
        for what, (found, due) in expected.items():
            if found != due or self.likelihood_kind not in LIKELIHOODS:
                raise ModelError(f"model {model.name or model.sha256} does not fit: {what} are {found}, not {due}")

    @property
    def largest(self) -> int:
        """The largest pixel value."""
        return self.encoder.high

    def prior(self, n: int) -> StackCodec:
        """p(z): every bucket equally likely. Codes integers of shape (n, latents)."""
        return Uniform(1 << BUCKET_BITS, (n, self.latents))

    def likelihood(self, z: NDArray[Any]) -> StackCodec:
        """p(x | z): codes pixels of shape (n, pixels)."""
        out = self.decoder(self.representatives[z])
        if self.likelihood_kind == "bernoulli":
            return Bernoulli.from_log_odds(out, precision=PIXEL_PRECISION)
        logits = out.reshape(len(z), self.pixels, len(self.tables))
        return CategoricalMixture(logits, self.tables, precision=PIXEL_PRECISION)

    def posterior(self, x: NDArray[Any]) -> StackCodec:
        """q(z | x): codes integers of shape (n, latents)."""
        mean, log_scale = np.split(self.encoder(x), 2, axis=1)
        return BucketedGaussian(mean, log_scale, bucket_bits=BUCKET_BITS, precision=POSTERIOR_PRECISION)

    def codec(self, n: int) -> BitsBack:
        """Codec of n items, as pixels of shape (n, pixels)."""
        return BitsBack(self.prior(n), self.likelihood, self.posterior)


def with_probes(model: Model) -> Model:
    """The model with the probes of its networks, for one that was made without; its hash is another then."""
    tensors = model.tensors()
    for name in ("encoder", "decoder"):
        tensors |= ExactNet.from_tensors(tensors, name, probed=False).tensors(name)
    return type(model).create(
        codec=model.codec, config=model.config, tensors=tensors, attrs=model.attrs, name=model.name
    )
