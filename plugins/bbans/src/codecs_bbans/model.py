"""The variational autoencoder in integers: prior, likelihood and posterior, as BB-ANS codes with them."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from codecs_core import FrozenAutoencoder
from codecs_core.entropy import BitsBack, BucketedGaussian, Uniform, centres

if TYPE_CHECKING:
    from codecs_bbans.inference import Inference
    from codecs_core import Model
    from codecs_core.entropy import StackCodec

#: Buckets of a latent, fractional bits of the value that stands for one, precision of its posterior.
#: (At 18 bits, the counts that keep every bucket codable drew a random latent once in a thousand, which cost 0.2 % of the rate.)
BUCKET_BITS, LATENT_BITS, POSTERIOR_PRECISION = 8, 8, 26


class VAE(FrozenAutoencoder):
    """A frozen variational autoencoder, with latents in buckets of equal probability."""

    def __init__(self, model: Model) -> None:
        super().__init__(model)
        self.representatives = (centres(BUCKET_BITS) >> (24 - LATENT_BITS)).astype(np.int32)
        ends = int(self.representatives[0]), int(self.representatives[-1])
        fits = self.decoder.low <= ends[0] and ends[1] <= self.decoder.high
        self.parts.require(fits, "a decoder of fewer latent values")
        last = self.encoder.layers[-1]
        for name, kind, part in (
            ("means", BucketedGaussian.MEAN, slice(None, self.latents)),
            ("log-scales", BucketedGaussian.LOG_SCALE, slice(self.latents, None)),
        ):
            least, most = int(last.low[part].min()), int(last.high[part].max())
            self.parts.require(kind.low <= least and most <= kind.high, f"an encoder of {name} from {least} to {most}")

    def prior(self, n: int) -> StackCodec[NDArray[Any]]:
        """p(z): every bucket equally likely. Codes integers of shape (n, latents)."""
        return Uniform(1 << BUCKET_BITS, (n, self.latents))

    def likelihood(self, z: NDArray[Any]) -> StackCodec[NDArray[Any]]:
        """p(x | z): codes pixels of shape (n, pixels)."""
        return self.pixel_codec(self.decoder(self.representatives[z]))

    @cached_property
    def inference(self) -> Inference:
        """Steps that make a posterior a better one; raises `ModelError` where the model does not allow them."""
        from codecs_bbans.inference import Inference

        return Inference(self)

    def posterior(self, x: NDArray[Any]) -> StackCodec[NDArray[Any]]:
        """q(z | x): codes integers of shape (n, latents)."""
        return _gaussian(*np.split(self.encoder(x), 2, axis=1))

    def refined_posterior(self, x: NDArray[Any]) -> StackCodec[NDArray[Any]]:
        """q(z | x) after some steps towards the best one of each item: codes the same."""
        return _gaussian(*self.inference(x, *np.split(self.encoder(x), 2, axis=1)))

    def codec(self, n: int, *, refined: bool = False) -> BitsBack[NDArray[Any], NDArray[Any]]:
        """Codec of n items, as pixels of shape (n, pixels)."""
        return BitsBack(self.prior(n), self.likelihood, self.refined_posterior if refined else self.posterior)


def _gaussian(mean: NDArray[Any], log_scale: NDArray[Any]) -> BucketedGaussian:
    return BucketedGaussian(mean, log_scale, bucket_bits=BUCKET_BITS, precision=POSTERIOR_PRECISION)
