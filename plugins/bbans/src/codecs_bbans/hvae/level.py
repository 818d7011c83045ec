"""One level of latents: its networks in integers, and the posterior that they give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_bbans.hvae.phases import FEATURE
from codecs_core.entropy import BucketedGaussian, centres
from codecs_core.exact import evaluate_images, net_of, squeeze

#: Buckets of a latent, and the precision of its posterior.
BUCKET_BITS, PRECISION = 8, 26
#: What stands for each bucket, as networks are given it.
REPRESENTATIVES = (centres(BUCKET_BITS) >> (24 - FEATURE.bits)).astype(np.int64)


class Level:
    """The networks of one level of latents z: what is seen of the image, q(z | seen, h), and h given z.

    Parameters
    ----------
    tensors, name
        Those of a model, and what the names of these start with: ``NAME.up``, ``NAME.posterior``, ``NAME.down``.
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
        self.posterior = net_of(tensors, f"{name}.posterior", inputs=above + features, span=span, low=low, high=high)
        self.down = net_of(tensors, f"{name}.down", inputs=above + latents, span=span, low=ends[0], high=ends[1])

    def see(self, below: NDArray[Any]) -> NDArray[np.int32]:
        """Features of the image, given those of the level below, at twice the size."""
        return evaluate_images(self.up, np.concatenate(squeeze(below), -1))

    def infer(self, above: Sequence[NDArray[Any]], seen: NDArray[Any]) -> BucketedGaussian:
        """q(z | seen, h)."""
        mean, log_scale = np.split(evaluate_images(self.posterior, np.concatenate([*above, seen], -1)), 2, -1)
        return BucketedGaussian(mean, log_scale, bucket_bits=BUCKET_BITS, precision=PRECISION)

    def give(self, above: Sequence[NDArray[Any]], z: NDArray[Any]) -> NDArray[np.int32]:
        """Compute h of this level, given z as networks are given it."""
        return evaluate_images(self.down, np.concatenate([*above, z], -1))
