"""A frozen variational autoencoder of items of one shape: what codecs that have one share. `codecs_core.learn.Autoencoder` trains it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from codecs_core.models.parts import ModelParts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from codecs_core.entropy import Bernoulli, CategoricalMixture
    from codecs_core.models import Model


class FrozenAutoencoder:
    """The networks of q(z | x) and p(x | z) in integers.

    Parameters
    ----------
    model
        Config: ``likelihood``, one of `LIKELIHOODS` ("bernoulli" for 0/1 data, "mixture" for 8-bit data); ``item_shape``; ``latents``.
        Tensors: the networks ``encoder`` (pixels to mean and log-scale of each latent) and ``decoder`` (latents to `outputs` numbers for
        each pixel: its log-odds, or the logits of its mixture), and for a mixture its ``tables``.

    Raises
    ------
    ModelError
        If anything is missing or does not fit, or the probe gives other integers than when the model was made.
    """

    LIKELIHOODS: ClassVar[tuple[str, ...]] = ("bernoulli", "mixture")
    #: Precision of a pixel: at 14 bits, as published, it cost 0.015 bits per pixel.
    PIXEL_PRECISION: ClassVar[int] = 22

    def __init__(self, model: Model) -> None:
        from codecs_core.entropy import CategoricalMixture
        from codecs_core.exact import ExactNet

        self.parts = parts = ModelParts.of(model)
        kind, shape, latents = (parts.config.get(key) for key in ("likelihood", "item_shape", "latents"))
        parts.require(isinstance(kind, str) and kind in self.LIKELIHOODS, f"likelihood {kind!r}")
        sizes: list[Any] = [*shape, latents] if isinstance(shape, list) else [None]
        parts.require(all(type(n) is int and n > 0 for n in sizes), f"item_shape {shape!r} and latents {latents!r}")
        self.kind, self.latents = str(kind), int(sizes[-1])
        self.item_shape: tuple[int, ...] = tuple(sizes[:-1])
        self.pixels = math.prod(self.item_shape)
        self.encoder, self.decoder = (ExactNet.from_tensors(parts.tensors, name) for name in ("encoder", "decoder"))
        self.tables = np.zeros((1, 0), np.int64)
        if kind == "mixture":
            self.tables = parts.counts("tables", (-1, 256), CategoricalMixture.TABLE_BITS, least=0)
        layers = [*self.encoder.layers, *self.decoder.layers]
        parts.require(all(layer.weight.ndim == 2 for layer in layers), "convolutions")
        wide = self.encoder.inputs, self.encoder.outputs, self.decoder.inputs, self.decoder.outputs
        fits = wide == (self.pixels, 2 * self.latents, self.latents, self.pixels * self.outputs)
        parts.require(fits, f"networks of other widths: {wide}")
        ends = self.encoder.low, self.encoder.high
        parts.require(ends == (0, 1 if kind == "bernoulli" else 255), f"pixels from {ends[0]} to {ends[1]}")

    @property
    def outputs(self) -> int:
        """Of the decoder, for each pixel."""
        return len(self.tables)

    @property
    def largest(self) -> int:
        """The largest pixel value."""
        return self.encoder.high

    def pixel_codec(self, out: NDArray[Any]) -> Bernoulli | CategoricalMixture:
        """Codec of pixels of shape (n, pixels) by what the decoder says."""
        from codecs_core.entropy import Bernoulli, CategoricalMixture

        if self.kind == "bernoulli":
            return Bernoulli.from_log_odds(out, precision=self.PIXEL_PRECISION)
        logits = out.reshape(len(out), self.pixels, self.outputs)
        return CategoricalMixture(logits, self.tables, precision=self.PIXEL_PRECISION)
