"""Inference while encoding: steps on the posterior of each item, from what the encoder network says of it.

Kim et al. 2018, "Semi-amortized variational autoencoders", section 3. The decoder knows nothing of it: it is given indices of proposals,
whichever posterior they were chosen for. All is in floating point, so another machine may choose other indices.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from codecs_core.entropy import DiscretizedLogistic
from codecs_rec.latents import Blocks

if TYPE_CHECKING:
    from codecs_rec.model import VAE

Floats = NDArray[np.float64]
#: Steps, pairs of samples a step, and their size in deviations of the posterior; of Adam.
STEPS, PAIRS, RATE = 80, 2, 0.3
#: Log-scales move by this share of a step, and are kept in a range (nats): a posterior is narrower than the prior.
SCALE_RATE, LOG_SCALES = 0.3, (-7.0, -0.01)
#: What a logit, a mean and a log-scale of the decoder network are units of.
LOGIT, MEAN, LOG_SCALE = math.log(2) / 64, 2.0**-DiscretizedLogistic.MEAN.bits, math.log(2) / 64


def refined(vae: VAE, x: NDArray[np.uint8], mean: Floats, scale: Floats) -> tuple[Floats, Floats]:
    """Mean and scale of posteriors after some steps downhill on the negative evidence bound, by samples: shape (n, latents) each.

    Parameters
    ----------
    vae
        The model.
    x
        Items, shape (n, pixels).
    mean, scale
        Where to start.
    """
    rng, sent, slopes = np.random.Generator(np.random.Philox(0)), vae.blocks.block >= 0, Slopes(vae)
    place = np.stack([mean, np.log(scale)])
    first, second = np.zeros_like(place), np.zeros_like(place)
    for t in range(1, STEPS + 1):
        noise = rng.standard_normal((PAIRS, *mean.shape))
        noise = np.concatenate([noise, -noise])
        m, s = place[0], np.exp(place[1])
        z = np.where(sent, m + s * noise, 0.0)
        slope = slopes(z.reshape(-1, z.shape[-1]), np.tile(x, (len(noise), 1))).reshape(z.shape)
        # of E[-log p(x | z)] + D_KL(q || p), in nats
        gradient = np.stack([slope.mean(0) + m, (slope * noise).mean(0) * s + s * s - 1])
        first, second = 0.9 * first + 0.1 * gradient, 0.99 * second + 0.01 * gradient * gradient
        step = first / (1 - 0.9**t) / (np.sqrt(second / (1 - 0.99**t)) + 1e-3) * RATE * (1 - 0.9 * t / STEPS)
        place[0] -= step[0] * s
        place[1] = np.clip(place[1] - SCALE_RATE * step[1], *LOG_SCALES)
    return place[0], np.exp(place[1])


class Slopes:
    """The gradient of -ln p(x | z) with respect to latents, by the decoder network without its rounding."""

    def __init__(self, vae: VAE) -> None:
        self.vae, self.layers = vae, vae.decoder.layers
        units = [np.ldexp(1.0, -layer.shift.astype(np.int64)) for layer in self.layers]
        self.weights = [layer.weight * unit[:, None] for layer, unit in zip(self.layers, units, strict=True)]
        self.biases = [layer.bias * unit for layer, unit in zip(self.layers, units, strict=True)]

    def __call__(self, z: Floats, x: NDArray[np.uint8]) -> Floats:
        """For latents of shape (n, latents) and items of shape (n, pixels): shape (n, latents)."""
        inputs, inside = [z * (1 << Blocks.BITS)], []
        for layer, weight, bias in zip(self.layers, self.weights, self.biases, strict=True):
            y = inputs[-1] @ weight.T + bias
            if layer.skip:
                y = y + inputs[-layer.skip]
            inside.append((y > layer.low) & (y < layer.high))
            inputs.append(np.clip(y, layer.low, layer.high))
        back = [np.zeros_like(a) for a in inputs[:-1]] + [_output_slopes(self.vae, inputs[-1], x)]
        for i in reversed(range(len(inside))):
            through, skip = back[i + 1] * inside[i], self.layers[i].skip
            back[i] = back[i] + through @ self.weights[i]
            if skip:
                back[i + 1 - skip] = back[i + 1 - skip] + through
        return np.asarray(back[0] * (1 << Blocks.BITS))


def _output_slopes(vae: VAE, out: Floats, x: NDArray[np.uint8]) -> Floats:
    """The gradient of -ln p(x | out) with respect to what the decoder network says, shape (n, outputs)."""
    if vae.kind == "bernoulli":
        return (1 / (1 + np.exp(-out * LOGIT)) - x) * LOGIT
    if vae.kind == "mixture":
        logits = out.reshape(*x.shape, -1) * LOGIT
        weights = np.exp(logits - logits.max(-1, keepdims=True))
        weights /= weights.sum(-1, keepdims=True)
        joint = weights * vae.tables.T[x]
        shares = joint / np.maximum(joint.sum(-1, keepdims=True), 1e-12)
        return np.asarray((weights - shares).reshape(len(x), -1) * LOGIT)
    return _colour_slopes(vae, out, x)


def _colour_slopes(vae: VAE, out: Floats, x: NDArray[np.uint8]) -> Floats:
    """The same for logistics, the mean of each channel shifted by the channels before it: `codecs_rec.model.colours`."""
    means, log_scales = out.reshape(len(x), 2, -1, vae.channels).swapaxes(0, 1)
    pixels = x.reshape(means.shape).astype(np.float64)
    shift = np.zeros_like(means)
    for c in range(vae.channels):
        for j in range(c):
            shift[..., c] += vae.coefficients[c * (c - 1) // 2 + j] * (pixels[..., j] - 128)
    precision = np.exp(-log_scales * LOG_SCALE)
    centred = pixels - (means + shift) * MEAN
    ends = [(centred + side) * precision for side in (0.5, -0.5)]
    upper, lower = (0.5 + 0.5 * np.tanh(end / 2) for end in ends)
    steep = [p * (1 - p) for p in (upper, lower)]
    for value, at, flat in ((255, 0, 1.0), (0, 1, 0.0)):  # the outer bins take in the tails
        outer = pixels == value
        steep[at] = np.where(outer, 0.0, steep[at])
        upper, lower = (np.where(outer, flat, upper), lower) if at == 0 else (upper, np.where(outer, flat, lower))
    inside = np.maximum(upper - lower, 1e-12)
    by_mean = precision * (steep[0] - steep[1]) / inside * MEAN
    by_scale = (ends[0] * steep[0] - ends[1] * steep[1]) / inside * LOG_SCALE
    return np.stack([by_mean, by_scale], 1).reshape(len(x), -1)
