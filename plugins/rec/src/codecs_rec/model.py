"""The variational autoencoder in integers: its posterior, its likelihood, and how its latents are sent."""

from __future__ import annotations

import math
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from codecs_core.entropy import (
    Autoregressive,
    Bernoulli,
    Bijection,
    CategoricalMixture,
    DiscretizedLogistic,
    Message,
    StackCodec,
    table,
)
from codecs_core.errors import ModelError
from codecs_core.exact import ExactNet
from codecs_rec.index import PRECISION
from codecs_rec.latents import Blocks
from codecs_rec.quantile import grid

if TYPE_CHECKING:
    from codecs_core import Model

#: Fractional bits of the posterior's mean and of its log-scale (to base 2), of pixel means, and of colour coefficients.
MEAN_BITS, SCALE_BITS, VALUE_BITS, COEFFICIENT_BITS = 12, 6, 8, 8
PIXEL_PRECISION = 22
#: Octaves of an index at the most: 2^22 candidates are a second's search.
MOST_OCTAVES = 22

#: Bits, 8-bit values that repeat, colours.
LIKELIHOODS = ("bernoulli", "mixture", "colour")


class VAE:
    """A frozen variational autoencoder with a standard normal prior.

    Parameters
    ----------
    model
        Config: ``likelihood``, ``item_shape``, ``latents``. Tensors: networks ``encoder`` and ``decoder``; ``blocks`` and ``octaves`` as
        `Blocks` has them; ``tables`` of a mixture, ``coefficients`` of colours.

    Raises
    ------
    ModelError
        If anything is missing or does not fit, or the probe gives other integers than when the model was made.
    """

    def __init__(self, model: Model) -> None:
        self._name = model.label
        self._codec = model.codec
        config, tensors = model.config, model.tensors()
        kind: Any = config.get("likelihood")
        shape: Any = config.get("item_shape")
        latents: Any = config.get("latents")
        self._require(isinstance(kind, str) and kind in LIKELIHOODS, f"likelihood {kind!r}")
        sizes = [*shape, latents] if isinstance(shape, list) else [None]
        self._require(all(type(n) is int and n > 0 for n in sizes), f"item_shape {shape!r} and latents {latents!r}")
        self._require(kind != "colour" or sizes[:-1] != [], "colours of items without axes")
        self.kind: str = kind
        self.item_shape = tuple(shape)
        self.latents: int = latents
        self.pixels = math.prod(self.item_shape)
        self.channels = self.item_shape[-1] if kind == "colour" else 1
        self.encoder = ExactNet.from_tensors(tensors, "encoder")
        self.decoder = ExactNet.from_tensors(tensors, "decoder")
        self.tables = self._array(tensors, "tables", (-1, 256)) if kind == "mixture" else np.zeros((1, 0), np.int64)
        pairs = self.channels * (self.channels - 1) // 2
        self.coefficients = (
            self._array(tensors, "coefficients", (pairs,)) if kind == "colour" else np.zeros(0, np.int64)
        )
        self.blocks = self._blocks(tensors)
        self._check()

    def _require(self, holds: bool, what: str) -> None:
        if not holds:
            raise ModelError(f"model {self._name} does not fit codec {self._codec}: it has {what}")

    def _array(self, tensors: dict[str, NDArray[Any]], name: str, shape: tuple[int, ...]) -> NDArray[np.int64]:
        """An integer tensor of this shape, where -1 stands for any size but 0."""
        array = tensors.get(name)
        if array is None or array.dtype.kind not in "iu":
            raise ModelError(f"model {self._name} lacks the integer tensor {name!r}")
        fits = array.ndim == len(shape) and all(n == m or (n < 0 < m) for n, m in zip(shape, array.shape, strict=True))
        self._require(fits, f"{name} of shape {array.shape}")
        integers = array.astype(np.int64)
        self._require(bool((integers == array).all()), f"numbers of 2^63 and more in {name}")
        return integers

    def _blocks(self, tensors: dict[str, NDArray[Any]]) -> Blocks:
        """How the latents are sent."""
        block = self._array(tensors, "blocks", (self.latents,))
        octaves = self._array(tensors, "octaves", (-1, -1))
        count, size = octaves.shape
        self._require(size <= MOST_OCTAVES, f"indices of {size} octaves")
        self._require(
            set(range(count)) <= {*block.tolist()} <= set(range(-1, count)), f"blocks that are not 0 to {count - 1}"
        )
        counts = int(octaves.min()) > 0 and int(octaves.max()) <= 1 << PRECISION
        self._require(counts and bool((octaves.sum(1) == 1 << PRECISION).all()), "octaves that are no counts")
        return Blocks(block, octaves)

    def _check(self) -> None:
        """Whatever the networks are given and whatever they compute, the codecs can take it."""
        encoder, decoder, kind = self.encoder, self.decoder, self.kind
        layers = [*encoder.layers, *decoder.layers]
        self._require(all(layer.weight.ndim == 2 for layer in layers), "convolutions")
        outputs = {"mixture": len(self.tables), "colour": 2}.get(kind, 1) * self.pixels
        wide = encoder.inputs, encoder.outputs, decoder.inputs, decoder.outputs
        self._require(
            wide == (self.pixels, 2 * self.latents, self.latents, outputs), f"networks of other widths: {wide}"
        )
        largest = encoder.low, encoder.high
        self._require(
            largest == ((0, 1) if kind == "bernoulli" else (0, 255)), f"pixels from {largest[0]} to {largest[1]}"
        )
        reach = int(grid()[-1]) >> (32 - Blocks.BITS)
        self._require(decoder.low < -reach and reach < decoder.high, "a decoder of fewer latent values")
        last = encoder.layers[-1]
        low, high = int(last.low[self.latents :].min()), int(last.high[self.latents :].max())
        self._require(low >= -(64 << SCALE_BITS) and high < 0, f"log-scales from {low} to {high}")
        if kind == "mixture":
            rows = int(self.tables.min()) >= 0 and int(self.tables.max()) <= 1 << CategoricalMixture.TABLE_BITS
            self._require(
                rows and bool((self.tables.sum(1) == 1 << CategoricalMixture.TABLE_BITS).all()),
                "tables that are no counts",
            )
        if kind == "colour":
            last, half = decoder.layers[-1], self.pixels
            low, high = int(last.low[half:].min()), int(last.high[half:].max())
            scale = DiscretizedLogistic.LOG_SCALE
            self._require(scale.low <= low and high <= scale.high, f"colour scales from {low} to {high}")
            near = int(np.abs(self.coefficients).max(initial=0)) <= 1 << 12 and self.channels <= 4
            self._require(near, "coefficients beyond 16, or more than four channels")

    @property
    def largest(self) -> int:
        """The largest pixel value."""
        return self.encoder.high

    def posterior(self, x: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean and scale of q(z | x): shape (n, latents). For encoders: floats."""
        mean, log_scale = np.split(self.encoder(x), 2, axis=1)
        return mean / (1 << MEAN_BITS), scales(log_scale)

    def likelihood(self, z: NDArray[np.int64]) -> Pixels:
        """p(x | z) for latents of shape (n, latents), as `Blocks.latents` gives them."""
        out = self.decoder(z)
        if self.kind == "bernoulli":
            return Pixels(Bernoulli.from_log_odds(out, precision=PIXEL_PRECISION))
        if self.kind == "mixture":
            logits = out.reshape(len(z), self.pixels, len(self.tables))
            return Pixels(CategoricalMixture(logits, self.tables, precision=PIXEL_PRECISION))
        means, log_scales = out.reshape(len(z), 2, self.pixels // self.channels, self.channels).swapaxes(0, 1)
        return Pixels(colours(means, log_scales, self.coefficients))

    def ones(self, z: NDArray[np.int64]) -> NDArray[np.int64]:
        """Of 2^22 counts those of a 1, as `Bernoulli.from_log_odds` has them, of a binary model: shape (n, pixels)."""
        log_odds = self.decoder(z).astype(np.int64)
        small = table("exp2_negative")[np.minimum(np.abs(log_odds), 1023)]
        rare = (small * ((1 << PIXEL_PRECISION) - 2)) // (small + (1 << 16)) + 1
        return np.asarray(np.where(log_odds < 0, rare, (1 << PIXEL_PRECISION) - rare))


def scales(log_scale: NDArray[Any]) -> NDArray[np.float64]:
    """2^(log_scale / 64) to 16 bits, by a table: the same floats on every machine, hence the same files."""
    octaves, rest = np.divmod(-log_scale, 1 << SCALE_BITS)
    return np.asarray(np.ldexp(table("exp2_negative")[rest] * 2.0**-16, -octaves))


class Pixels(StackCodec[NDArray[Any]]):
    """Pixels of n items, shape (n, pixels).

    Parameters
    ----------
    codec
        Of such arrays; its information is an array of that shape, or a tuple of arrays whose first axis is that of the items.
    """

    def __init__(self, codec: StackCodec[NDArray[Any]]) -> None:
        self._codec = codec

    def push(self, message: Message, x: NDArray[Any]) -> None:
        """Push pixels."""
        self._codec.push(message, x)

    def pop(self, message: Message) -> NDArray[Any]:
        """Pop pixels."""
        return np.asarray(self._codec.pop(message))

    def information(self, x: NDArray[Any]) -> NDArray[np.float64]:
        """Bits of each item, shape (n,)."""
        bits = self._codec.information(x)
        return np.asarray(np.sum(np.stack(bits), axis=(0, 2)) if isinstance(bits, tuple) else bits.sum(1))


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
