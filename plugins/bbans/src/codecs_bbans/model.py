"""The variational autoencoder in integers: prior, likelihood and posterior, as BB-ANS codes with them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from codecs_core.entropy import Bernoulli, BitsBack, BucketedGaussian, CategoricalMixture, Uniform, centres
from codecs_core.errors import ModelError
from codecs_core.exact import ExactNet

if TYPE_CHECKING:
    from codecs_core import Model
    from codecs_core.entropy import StackCodec

#: Buckets of a latent, fractional bits of the value that stands for one, precision of its posterior.
#: (At 18 bits, the counts that keep every bucket codable drew a random latent once in a thousand, which cost 0.2 % of the rate.)
BUCKET_BITS, LATENT_BITS, POSTERIOR_PRECISION = 8, 8, 26
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
        self._name = model.label
        config, tensors = model.config, model.tensors()
        kind: Any = config.get("likelihood")
        shape: Any = config.get("item_shape")
        latents: Any = config.get("latents")
        self._require(isinstance(kind, str) and kind in LIKELIHOODS, f"likelihood {kind!r}")
        sizes = [*shape, latents] if isinstance(shape, list) else [None]
        self._require(all(type(n) is int and n > 0 for n in sizes), f"item_shape {shape!r} and latents {latents!r}")
        self.likelihood_kind: str = kind
        self.item_shape = tuple(shape)
        self.latents: int = latents
        self.pixels = math.prod(self.item_shape)
        self.encoder = ExactNet.from_tensors(tensors, "encoder")
        self.decoder = ExactNet.from_tensors(tensors, "decoder")
        self.representatives = (centres(BUCKET_BITS) >> (24 - LATENT_BITS)).astype(np.int32)
        self.tables = np.zeros((1, 0), np.int32)
        if kind == "mixture":
            self.tables = tensors.get("tables", self.tables)
            self._check_tables()
        self._check_networks()

    def _require(self, holds: bool, what: str) -> None:
        if not holds:
            raise ModelError(f"model {self._name} does not fit codec bbans.vae: it has {what}")

    def _check_tables(self) -> None:
        tables = self.tables
        self._require(tables.ndim == 2 and tables.shape[1:] == (256,) and tables.size > 0, f"tables of {tables.shape}")
        self._require(
            tables.dtype.kind in "iu"
            and int(tables.min()) >= 0
            and int(tables.max()) <= 1 << CategoricalMixture.TABLE_BITS
            and bool((tables.sum(1, dtype=np.int64) == 1 << CategoricalMixture.TABLE_BITS).all()),
            f"tables whose rows are not counts that add up to 2^{CategoricalMixture.TABLE_BITS}",
        )

    def _check_networks(self) -> None:
        """Whatever the networks are given and whatever they compute, entropy coding can take it."""
        encoder, decoder = self.encoder, self.decoder
        wide = self.pixels * len(self.tables), 2 * self.latents
        found = encoder.inputs, decoder.outputs, encoder.outputs, decoder.inputs
        self._require(found == (self.pixels, *wide, self.latents), f"networks of other widths: {found}")
        pixels = encoder.low, encoder.high
        self._require(
            pixels == (0, 1 if self.likelihood_kind == "bernoulli" else 255), f"pixels from {pixels[0]} to {pixels[1]}"
        )
        latents = int(self.representatives[0]), int(self.representatives[-1])
        self._require(decoder.low <= latents[0] and latents[1] <= decoder.high, "a decoder of fewer latent values")
        last = encoder.layers[-1]
        for name, kind, part in (
            ("means", BucketedGaussian.MEAN, slice(None, self.latents)),
            ("log-scales", BucketedGaussian.LOG_SCALE, slice(self.latents, None)),
        ):
            least, most = int(last.low[part].min()), int(last.high[part].max())
            self._require(kind.low <= least and most <= kind.high, f"an encoder of {name} from {least} to {most}")

    @property
    def largest(self) -> int:
        """The largest pixel value."""
        return self.encoder.high

    def prior(self, n: int) -> StackCodec[NDArray[Any]]:
        """p(z): every bucket equally likely. Codes integers of shape (n, latents)."""
        return Uniform(1 << BUCKET_BITS, (n, self.latents))

    def likelihood(self, z: NDArray[Any]) -> StackCodec[NDArray[Any]]:
        """p(x | z): codes pixels of shape (n, pixels)."""
        out = self.decoder(self.representatives[z])
        if self.likelihood_kind == "bernoulli":
            return Bernoulli.from_log_odds(out, precision=PIXEL_PRECISION)
        logits = out.reshape(len(z), self.pixels, len(self.tables))
        return CategoricalMixture(logits, self.tables, precision=PIXEL_PRECISION)

    def posterior(self, x: NDArray[Any]) -> StackCodec[NDArray[Any]]:
        """q(z | x): codes integers of shape (n, latents)."""
        mean, log_scale = np.split(self.encoder(x), 2, axis=1)
        return BucketedGaussian(mean, log_scale, bucket_bits=BUCKET_BITS, precision=POSTERIOR_PRECISION)

    def codec(self, n: int) -> BitsBack[NDArray[Any], NDArray[Any]]:
        """Codec of n items, as pixels of shape (n, pixels)."""
        return BitsBack(self.prior(n), self.likelihood, self.posterior)
