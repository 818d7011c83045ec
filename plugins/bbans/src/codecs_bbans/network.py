"""The variational autoencoder in floating point, as it is trained."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

#: Range of the posterior's log standard deviation, in nats.
LOG_SCALE_RANGE = (-6.0, 1.3)


def stack(*widths: int, last: bool = False) -> nn.Sequential:
    """Linear layers of these widths with batch normalisation and ReLU after each, except after the last if `last`."""
    parts: list[nn.Module] = []
    for i, (a, b) in enumerate(pairwise(widths)):
        parts.append(nn.Linear(a, b))
        if not (last and i == len(widths) - 2):
            parts += [nn.BatchNorm1d(b), nn.ReLU()]
    return nn.Sequential(*parts)


class Network(nn.Module):
    """Encoder, decoder, and for 8-bit data a mixture of learned tables.

    Parameters
    ----------
    pixels, latents, hidden
        Widths.
    components
        Tables in the mixture; 0: Bernoulli.
    histogram
        Frequencies of the 256 values, from which the tables start.
    """

    def __init__(
        self,
        pixels: int,
        *,
        latents: int,
        hidden: int,
        components: int,
        histogram: NDArray[np.float64],
    ) -> None:
        super().__init__()
        self.components = components
        self.encoder = stack(pixels, hidden, hidden, 2 * latents, last=True)
        self.decoder = stack(latents, hidden, hidden, pixels * max(1, components), last=True)
        if components == 0:
            return
        values, centres = np.arange(256.0), np.linspace(0, 255, components)
        bumps = np.exp(-np.abs(values - centres[:, None]) * components / 256) * np.sqrt(histogram + 1e-5) + 1e-6
        self.tables = nn.Parameter(torch.tensor(np.log(bumps), dtype=torch.float32))

    def posterior(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log standard deviation (nats) of q(z | x), for pixels scaled to [0, 1)."""
        mean, log_scale = self.encoder(x).chunk(2, 1)
        return mean, log_scale.clamp(*LOG_SCALE_RANGE)

    def log_likelihood(self, x: Tensor, z: Tensor) -> Tensor:
        """Compute log p(x | z) in nats, for pixels in 0 to 255 (or 0 and 1), shape (n,)."""
        out = self.decoder(z)
        if self.components == 0:
            return -functional.binary_cross_entropy_with_logits(out, x.float(), reduction="none").sum(1)
        logits = out.view(-1, x.shape[1], self.components)
        log_tables = functional.log_softmax(self.tables, 1).t()[x.long()]
        return (torch.logsumexp(logits + log_tables, -1) - torch.logsumexp(logits, -1)).sum(1)

    def elbo(self, x: Tensor, beta: float = 1.0) -> tuple[Tensor, Tensor]:
        """Evidence bound in nats by one sample, shape (n,), and the same with the divergence from the prior weighted by `beta`."""
        mean, log_scale = self.posterior(x.float() / (1 if self.components == 0 else 256))
        z = mean + log_scale.exp() * torch.randn_like(mean)
        divergence = (0.5 * (mean * mean + (2 * log_scale).exp() - 1) - log_scale).sum(1)
        fit = self.log_likelihood(x, z)
        return fit - divergence, fit - beta * divergence
