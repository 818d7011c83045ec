"""One level of latents: its networks in integers, and the posterior that they give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_bbans.hvae.phases import FEATURE
from codecs_core.entropy import BucketedGaussian, exp2
from codecs_core.exact import evaluate_images, net_of, squeeze

#: Bits that name a latent where there is no lack of them, and the precision of its posterior.
BUCKET_BITS, PRECISION = 8, 26
#: Mean and log-scale of the prior, or of the posterior, of some latents, as `BucketedGaussian` has them.
Prior = tuple[NDArray[Any], NDArray[Any]]


class Level:
    """The networks of one level of latents z: what is seen of the image, p(z | h), q(z | seen, h), and the next h given z.

    A latent is coded as the number of a bucket. All buckets of p(z | h) are equally likely: HiLLoC, section 3.1, dynamic discretisation.

    Parameters
    ----------
    tensors, name
        Those of a model, and what the names of these start with: ``NAME.up``, ``NAME.prior`` (not at the top, where p(z) is
        standard normal), ``NAME.posterior``, ``NAME.down``.
    inputs, above
        Channels of what the level below has seen; of h of the level above, 0 at the top.
    latents, features
        Channels of z, and of what passes between networks.
    """

    def __init__(
        self,
        tensors: Mapping[str, NDArray[Any]],
        name: str,
        *,
        inputs: int,
        above: int,
        latents: int,
        features: int,
    ) -> None:
        self.latents = latents
        ends = np.full(features, FEATURE.low), np.full(features, FEATURE.high)
        mean, scale = BucketedGaussian.MEAN, BucketedGaussian.LOG_SCALE
        low, high = (np.repeat(pair, latents) for pair in ((mean.low, scale.low), (mean.high, scale.high)))
        span = FEATURE.low, FEATURE.high
        self.up = net_of(tensors, f"{name}.up", inputs=4 * inputs, span=span, low=ends[0], high=ends[1])
        self.prior = net_of(tensors, f"{name}.prior", inputs=above, span=span, low=low, high=high) if above else None
        self.posterior = net_of(tensors, f"{name}.posterior", inputs=above + features, span=span, low=low, high=high)
        self.down = net_of(tensors, f"{name}.down", inputs=above + latents, span=span, low=ends[0], high=ends[1])

    def see(self, below: NDArray[Any]) -> NDArray[np.int32]:
        """Features of the image, given those of the level below, at twice the size."""
        return evaluate_images(self.up, np.concatenate(squeeze(below), -1))

    def expect(self, above: Sequence[NDArray[Any]], shape: tuple[int, ...]) -> Prior:
        """p(z | h), for latents of this shape."""
        if self.prior is None:
            return np.zeros(shape, np.int32), np.zeros(shape, np.int32)
        mean, log_scale = np.split(evaluate_images(self.prior, above[0]), 2, -1)
        return mean, log_scale

    def look(self, above: Sequence[NDArray[Any]], seen: NDArray[Any]) -> Prior:
        """Mean and log-scale of q(z | seen, h)."""
        mean, log_scale = np.split(evaluate_images(self.posterior, np.concatenate([*above, seen], -1)), 2, -1)
        return mean, log_scale

    def infer(self, above: Sequence[NDArray[Any]], seen: NDArray[Any], prior: Prior, bits: int) -> BucketedGaussian:
        """q(z | seen, h), over 2^bits buckets of the prior."""
        mean, log_scale = self.look(above, seen)
        return BucketedGaussian(
            mean,
            log_scale,
            bucket_bits=bits,
            precision=PRECISION,
            prior_mean=prior[0],
            prior_log_scale=prior[1],
        )

    def give(self, above: Sequence[NDArray[Any]], prior: Prior, deviation: NDArray[Any] | None) -> NDArray[np.int32]:
        """Compute h of this level, given how far z is from the means of the prior, in 2^-24 of its scales; None: not at all."""
        value = prior[0].astype(np.int64) << (24 - BucketedGaussian.MEAN.bits)
        if deviation is not None:
            value = value + ((deviation * exp2(prior[1], 16)) >> 16)
        given = (value >> (24 - FEATURE.bits)).clip(FEATURE.low, FEATURE.high)
        return evaluate_images(self.down, np.concatenate([*above, given], -1))
