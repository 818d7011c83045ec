"""The variational autoencoder in integers: its posterior, its likelihood, and how its latents are sent."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from codecs_core import FrozenAutoencoder
from codecs_core.entropy import Autoregressive, Bijection, CategoricalMixture, DiscretizedLogistic, StackCodec, table
from codecs_core.errors import ConfigError
from codecs_core.exact import ExactNet
from codecs_rec.index import PRECISION
from codecs_rec.latents import Blocks
from codecs_rec.quantile import grid

if TYPE_CHECKING:
    from codecs_core import Model

#: Fractional bits of the posterior's mean and of its log-scale (to base 2), of pixel means, and of colour coefficients.
MEAN_BITS, SCALE_BITS, VALUE_BITS, COEFFICIENT_BITS = 12, 6, 8, 8
#: Octaves of an index at the most: 2^22 candidates are a second's search.
MOST_OCTAVES = 22


class VAE(FrozenAutoencoder):
    """A frozen variational autoencoder with a standard normal prior.

    Parameters
    ----------
    model
        As `FrozenAutoencoder` has it; the likelihood of colours is "colour", of two outputs for each pixel. Tensors are also ``blocks`` and
        ``octaves`` as `Blocks` has them, and the ``coefficients`` of colours.
    levels
        How many of the blocks are sent; 0: all.

    Raises
    ------
    ConfigError
        For more levels than there are.
    """

    LIKELIHOODS: ClassVar[tuple[str, ...]] = ("bernoulli", "mixture", "colour")

    def __init__(self, model: Model, levels: int = 0) -> None:
        super().__init__(model)
        parts, colour = self.parts, self.kind == "colour"
        parts.require(not colour or self.item_shape != (), "colours of items without axes")
        self.channels = self.item_shape[-1] if colour else 1
        parts.require(self.channels <= 4, "more than four channels")
        pairs = self.channels * (self.channels - 1) // 2
        limit = 1 << (COEFFICIENT_BITS + 4)
        self.coefficients = parts.integers("coefficients", (pairs,), -limit, limit) if colour else np.zeros(0, np.int64)
        self.blocks = blocks = self._blocks()
        if levels > blocks.count:
            raise ConfigError(f"model {model.label} has {blocks.count} blocks of latents, not {levels}")
        if levels:
            self.blocks = blocks.first(levels)
        reach = int(grid()[-1]) >> (32 - Blocks.BITS)
        parts.require(self.decoder.low < -reach and reach < self.decoder.high, "a decoder of fewer latent values")
        low, high = _ends(self.encoder, self.latents)
        parts.require(low >= -(64 << SCALE_BITS) and high < 0, f"log-scales from {low} to {high}")
        if colour:
            low, high = _ends(self.decoder, self.pixels)
            scale = DiscretizedLogistic.LOG_SCALE
            parts.require(scale.low <= low and high <= scale.high, f"colour scales from {low} to {high}")

    def _blocks(self) -> Blocks:
        """How the latents are sent."""
        block = self.parts.integers("blocks", (self.latents,))
        octaves = self.parts.counts("octaves", (-1, -1), PRECISION)
        count, size = octaves.shape
        self.parts.require(size <= MOST_OCTAVES, f"indices of {size} octaves")
        named = set(range(count)) <= {*block.tolist()} <= set(range(-1, count))
        self.parts.require(named, f"blocks that are not 0 to {count - 1}")
        return Blocks(block, octaves)

    @property
    def outputs(self) -> int:
        """Of the decoder, for each pixel."""
        return 2 if self.kind == "colour" else super().outputs

    def posterior(self, x: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean and scale of q(z | x): shape (n, latents). For encoders: floats."""
        mean, log_scale = np.split(self.encoder(x), 2, axis=1)
        return mean / (1 << MEAN_BITS), scales(log_scale)

    def likelihood(self, z: NDArray[np.int64]) -> StackCodec[NDArray[Any]]:
        """p(x | z), codec of pixels of shape (n, pixels), for latents of shape (n, latents), as `Blocks.latents` gives them."""
        out = self.decoder(z)
        if self.kind != "colour":
            return self.pixel_codec(out)
        means, log_scales = out.reshape(len(z), 2, self.pixels // self.channels, self.channels).swapaxes(0, 1)
        return colours(means, log_scales, self.coefficients)

    def shown(self, z: NDArray[np.int64]) -> NDArray[np.uint8]:
        """The pixels that are expected given latents, shape (n, pixels): means, of bits the likelier ones, of colours the centres."""
        out = self.decoder(z)
        if self.kind == "bernoulli":
            return (out > 0).astype(np.uint8)
        if self.kind == "mixture":
            return (
                CategoricalMixture(out.reshape(len(z), self.pixels, self.outputs), self.tables).means().astype(np.uint8)
            )
        means = out[:, : self.pixels].reshape(len(z), self.pixels // self.channels, self.channels)
        return centres(means, self.coefficients).reshape(len(z), self.pixels)

    def information(self, z: NDArray[np.int64], x: NDArray[Any]) -> NDArray[np.float64]:
        """Bits of each item given its latents, shape (n,)."""
        bits: Any = self.likelihood(z).information(x)
        return np.asarray(np.sum(np.stack(bits), axis=(0, 2)) if self.kind == "colour" else bits.sum(1))

    def ones(self, z: NDArray[np.int64]) -> NDArray[np.int64]:
        """Of 2^22 counts those of a 1, as `Bernoulli.from_log_odds` has them, of a binary model: shape (n, pixels)."""
        log_odds = self.decoder(z).astype(np.int64)
        small = table("exp2_negative")[np.minimum(np.abs(log_odds), 1023)]
        whole = 1 << self.PIXEL_PRECISION
        rare = (small * (whole - 2)) // (small + (1 << 16)) + 1
        return np.asarray(np.where(log_odds < 0, rare, whole - rare))


def _ends(network: ExactNet, first: int) -> tuple[int, int]:
    """The lowest and the highest that outputs from one on can be."""
    last = network.layers[-1]
    return int(last.low[first:].min()), int(last.high[first:].max())


def scales(log_scale: NDArray[Any]) -> NDArray[np.float64]:
    """2^(log_scale / 64) to 16 bits, by a table: the same floats on every machine, hence the same files."""
    octaves, rest = np.divmod(-log_scale, 1 << SCALE_BITS)
    return np.asarray(np.ldexp(table("exp2_negative")[rest] * 2.0**-16, -octaves))


def colours(
    means: NDArray[Any], log_scales: NDArray[Any], coefficients: NDArray[np.int64]
) -> Bijection[NDArray[Any], tuple[NDArray[Any], ...]]:
    """Codec of colours by logistics, one channel after the other: each shifts the means of those that follow.

    Parameters
    ----------
    means, log_scales
        As `DiscretizedLogistic` has them, shape (n, pixels / channels, channels).
    coefficients
        In units of 2^-8, in the order of `codecs_core.entropy.ChannelMixture`.
    """
    n, _, channels = means.shape

    def model() -> Generator[DiscretizedLogistic, NDArray[Any], None]:
        before: list[NDArray[np.int64]] = []
        for c in range(channels):
            first = c * (c - 1) // 2
            shift = sum((coefficients[first + j] * (x - 128) for j, x in enumerate(before)), start=np.int64(0))
            x = yield DiscretizedLogistic(means[:, :, c] + shift, log_scales[:, :, c])
            before.append(x.astype(np.int64))

    return Bijection(
        lambda x: tuple(np.moveaxis(x.reshape(means.shape), 2, 0)),
        lambda parts: np.stack(parts, 2).reshape(n, means.shape[1] * channels),
        Autoregressive(model),
    )


def centres(means: NDArray[Any], coefficients: NDArray[np.int64]) -> NDArray[np.uint8]:
    """The values that `colours` has at the centres of its logistics, each given those of the channels before: the shape of `means`."""
    found = np.empty(means.shape, np.int64)
    for c in range(means.shape[-1]):
        first, half = c * (c - 1) // 2, 1 << VALUE_BITS >> 1
        shift = ((found[..., :c] - 128) * coefficients[first : first + c]).sum(-1)
        found[..., c] = (means[..., c] + shift + half >> VALUE_BITS).clip(0, 255)
    return found.astype(np.uint8)
