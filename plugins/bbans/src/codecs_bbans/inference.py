"""Inference while coding: integer steps on the posterior of each item, from what the encoder network says of it.

Kim et al. 2018, "Semi-amortized variational autoencoders", section 3. The decoder repeats the posterior, and can: it gives the bits of the
latents back when it has decoded the item, which is all that the steps start from. So they are in integers, backward pass and all.
``spec/codecs/bbans.md`` has every shift; the steps are of natural gradients, without a state beside mean and scale.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from codecs_core.entropy import BucketedGaussian, table
from codecs_core.exact import ExactNet, Layer

if TYPE_CHECKING:
    from codecs_bbans.model import VAE

Integers = NDArray[np.int64]
#: Steps. The rate of step t is (52 - 3 t) / 128 for means, and about a quarter of that for log-scales, which single pairs tell less well.
STEPS, RATE, DECAY = 16, 52, 3
#: A gradient is of 16 bits, in units of 2^-16 bits for each unit of what it is by.
GRADIENT = (1 << 15) - 1
#: Largest steps, of a mean in deviations and of a log-scale in nats, before the rate; ln 2. All in units of 2^-16.
FARTHEST, WIDEST, LN2 = 2 << 16, 3 << 16, 45426
#: Range of a mean in units of 2^-16, and of a log-scale in 2^-14 octaves: no posterior is wider than the prior.
MEANS, LOG_SCALES = 16 << 16, BucketedGaussian.LOG_SCALE.low << 8


class Inference:
    """The steps, with the networks of a model.

    Parameters
    ----------
    vae
        The model.

    Raises
    ------
    ModelError
        For a decoder with residual connections, or with sums that, backwards, could leave the exact range.
    """

    def __init__(self, vae: VAE) -> None:
        layers = vae.decoder.layers
        plain = not any(layer.skip for layer in layers)
        vae.parts.require(plain, "a decoder with residual connections, which knows only effort=standard")
        self.vae, self.layers = vae, layers
        ends = [(vae.decoder.low, vae.decoder.high), *((int(a.low.min()), int(a.high.max())) for a in layers)]
        # layer by layer, since what is within the range of each is needed
        self.nets = [ExactNet([layer], *span) for layer, span in zip(layers, ends, strict=False)]
        self.finest = [int(layer.shift.min()) for layer in layers]
        # what the pixels say has 13 bits, and units of 2^-18
        *shifts, last = self.finest
        self.back = [_transposed(layer, shift, GRADIENT) for layer, shift in zip(layers, shifts, strict=False)]
        self.back.append(_transposed(layers[-1], last + 2, 1 << 12))
        self.edges = int(vae.representatives[0]), int(vae.representatives[-1])

    def __call__(self, x: NDArray[np.uint8], mean: NDArray[Any], log_scale: NDArray[Any]) -> tuple[Integers, Integers]:
        """Better means and log-scales, from those of the encoder network.

        Parameters
        ----------
        x
            Items, shape (n, pixels).
        mean, log_scale
            In the units of `BucketedGaussian`, shape (n, latents), as those that are returned.
        """
        pair = np.concatenate([x, x])
        m, s = mean.astype(np.int64) << 4, np.minimum(log_scale.astype(np.int64), 0) << 8
        for t in range(STEPS):
            rate, sign = RATE - DECAY * t, signs(t, self.vae.latents)
            scale = table("exp2_negative")[-(s >> 8)]
            z = np.concatenate([m + sign * scale, m - sign * scale]) >> 8
            above, below = np.split(self.slope(z.clip(*self.edges), pair), 2)
            # of -log2 p(x | z) in bits, to nats; then of the divergence from the prior
            by_mean = ((above + below) * LN2 >> 9) + m
            by_scale = (scale * (sign * (above - below) * LN2 >> 9) >> 16) + (scale * scale >> 16) - (1 << 16)
            m -= rate * (scale * by_mean >> 16).clip(-FARTHEST, FARTHEST) * scale >> 23
            s -= 3 * rate * by_scale.clip(-WIDEST, WIDEST) >> 12
            m, s = m.clip(-MEANS, MEANS), s.clip(LOG_SCALES, 0)
        return m >> 4, s >> 8

    def slope(self, z: Integers, x: NDArray[np.uint8]) -> Integers:
        """The gradient of -log2 p(x | z) by latents, in units of 2^-8 bits: for z in units of 2^-8 and pixels, shape (n, latents)."""
        y: NDArray[Any] = z
        within = []
        for layer, net in zip(self.layers, self.nets, strict=True):
            y = net(y)
            within.append((layer.low < y) & (y < layer.high))
        gradient = self.vae.pixel_codec(y).slopes(x).reshape(len(x), -1)
        for i in reversed(range(len(self.layers))):
            finer = self.layers[i].shift.astype(np.int32) - self.finest[i]
            gradient = self.back[i](gradient * within[i] + (1 << finer >> 1) >> finer)
        return gradient.astype(np.int64)


def signs(t: int, latents: int) -> Integers:
    """+1 or -1 for each latent: row 37 t + 1 of a Hadamard matrix, as noise.

    Of any two latents, signs are equal as often as not, so that what the curvature between them adds to the slope of a scale cancels.
    With Gaussian noise as many steps gained a third less.
    """
    row = (37 * t + 1) % (1 << (latents - 1).bit_length())
    parity = np.arange(latents, dtype=np.int64) & row
    for shift in (32, 16, 8, 4, 2, 1):
        parity ^= parity >> shift
    return 1 - 2 * (parity & 1)


def _transposed(layer: Layer, shift: int, most: int) -> ExactNet:
    """From the gradient by a layer's sums, of magnitudes up to `most`, to that by its inputs."""
    ends = np.full(layer.inputs, GRADIENT, np.int32)
    weight = np.ascontiguousarray(layer.weight.T)
    half = np.full(layer.inputs, 1 << shift >> 1, np.int64)
    back = Layer(weight=weight, bias=half, shift=np.full(layer.inputs, shift, np.int8), low=-ends, high=ends)
    return ExactNet([back], -most, most)
