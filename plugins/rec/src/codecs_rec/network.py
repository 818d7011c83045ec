"""The variational autoencoder in floating point, as it is trained."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

#: Range of the posterior's log standard deviation, and of that of a colour's scale, in nats.
LOG_SCALE_RANGE = (-6.0, -0.02)
COLOUR_SCALE_RANGE = (-0.6, 4.8)


def stack(*widths: int) -> nn.Sequential:
    """Linear layers of these widths with batch normalisation and ReLU after each except the last."""
    parts: list[nn.Module] = []
    for i, (a, b) in enumerate(pairwise(widths)):
        parts.append(nn.Linear(a, b))
        if i < len(widths) - 2:
            parts += [nn.BatchNorm1d(b), nn.ReLU()]
    return nn.Sequential(*parts)


class Network(nn.Module):
    """Encoder, decoder, and what else a likelihood has.

    Parameters
    ----------
    kind
        As `codecs_rec.model.LIKELIHOODS`.
    pixels, latents, hidden
        Widths.
    components
        Tables of a mixture.
    channels
        Of colours.
    largest
        Pixel value: 1 or 255.
    histogram
        Frequencies of the 256 values, from which tables start.
    """

    def __init__(
        self,
        kind: str,
        pixels: int,
        *,
        latents: int,
        hidden: int,
        components: int,
        channels: int,
        largest: int,
        histogram: NDArray[np.float64],
    ) -> None:
        super().__init__()
        self.kind, self.channels, self.largest = kind, channels, largest
        outputs = {"mixture": components, "colour": 2}.get(kind, 1)
        self.encoder = stack(pixels, hidden, hidden, 2 * latents)
        self.decoder = stack(latents, hidden, hidden, outputs * pixels)
        if kind == "mixture":
            values, centres = np.arange(256.0), np.linspace(0, 255, components)
            bumps = np.exp(-np.abs(values - centres[:, None]) * components / 256) * np.sqrt(histogram + 1e-5) + 1e-6
            self.tables = nn.Parameter(torch.tensor(np.log(bumps), dtype=torch.float32))
        if kind == "colour":
            self.coefficients = nn.Parameter(torch.zeros(channels * (channels - 1) // 2))
        with torch.no_grad():
            # where a scale is at its bound nothing is learnt: start well below
            self.encoder[-1].bias[latents:] -= 1  # type: ignore[index, operator]
            if kind == "colour":  # start from grey
                self.decoder[-1].bias.fill_(0.5)  # type: ignore[operator]

    def posterior(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log standard deviation (nats) of q(z | x), for pixel values."""
        mean, log_scale = self.encoder(x.float() / (1 if self.largest == 1 else 256)).chunk(2, 1)
        return mean, log_scale.clamp(*LOG_SCALE_RANGE)

    def log_likelihood(self, x: Tensor, z: Tensor) -> Tensor:
        """Compute log p(x | z) in nats, shape (n,)."""
        out = self.decoder(z)
        if self.kind == "bernoulli":
            lost: Tensor = functional.binary_cross_entropy_with_logits(out, x.float(), reduction="none")
            return -lost.sum(1)
        if self.kind == "colour":
            means, log_scales = out.view(len(x), 2, -1, self.channels).unbind(1)
            return self._log_colours(x.view(means.shape).float(), 255 * means, 4 * log_scales)
        components = len(self.tables)
        logits = out.view(-1, x.shape[1], components)
        log_tables = functional.log_softmax(self.tables, 1).t()[x.long()]
        mixed: Tensor = torch.logsumexp(logits + log_tables, -1) - torch.logsumexp(logits, -1)
        return mixed.sum(1)

    def _log_colours(self, x: Tensor, means: Tensor, log_scales: Tensor) -> Tensor:
        """Discretised logistics, each channel's mean shifted by those before it."""
        shifted = list(means.unbind(2))
        for c in range(1, self.channels):
            first = c * (c - 1) // 2
            for j in range(c):
                shifted[c] = shifted[c] + self.coefficients[first + j] * (x[:, :, j] - 128)
        inverse = torch.exp(-log_scales.clamp(*COLOUR_SCALE_RANGE))
        centred = x - torch.stack(shifted, 2)
        upper, lower = (centred + 0.5) * inverse, (centred - 0.5) * inverse
        # log(F(a) - F(b)) without cancellation
        inner = functional.logsigmoid(upper) + functional.logsigmoid(-lower) + torch.log1p(-torch.exp(-inverse))
        bits = torch.where(x < 0.5, functional.logsigmoid(upper), inner)
        bits = torch.where(x > 254.5, functional.logsigmoid(-lower), bits)
        return bits.flatten(1).sum(1)

    def elbo(self, x: Tensor, beta: float = 1.0) -> tuple[Tensor, Tensor]:
        """Evidence bound in nats by one sample, shape (n,), and the same with the divergence from the prior weighted by `beta`."""
        mean, log_scale = self.posterior(x)
        z = mean + log_scale.exp() * torch.randn_like(mean)
        fit, divergence = self.log_likelihood(x, z), divergence_of(mean, log_scale.exp())
        return fit - divergence, fit - beta * divergence


def divergence_of(mean: Tensor, scale: Tensor) -> Tensor:
    """D_KL to the prior in nats, shape (n,)."""
    return (0.5 * (mean * mean + scale * scale - 1) - scale.log()).sum(1)
