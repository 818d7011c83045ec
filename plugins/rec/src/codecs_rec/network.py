"""The variational autoencoder in floating point, as it is trained."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from codecs_core.learn import Autoencoder, Items

#: Range of the log of a colour's scale, in nats.
COLOUR_SCALE_RANGE = (-0.6, 4.8)


class Network(Autoencoder):
    """An autoencoder whose likelihood may be one of colours.

    Parameters
    ----------
    kind
        As `codecs_rec.model.LIKELIHOODS`.
    items
        What it will learn from.
    channels
        Of colours.
    **sizes
        Of an `Autoencoder`.
    """

    LOG_SCALES: ClassVar[tuple[float, float]] = (-6.0, -0.02)

    def __init__(self, kind: str, items: Items, *, channels: int, **sizes: Any) -> None:
        super().__init__(items, outputs=2 if kind == "colour" else None, **sizes)
        self.kind, self.channels = kind, channels
        if kind == "colour":
            self.coefficients = nn.Parameter(torch.zeros(channels * (channels - 1) // 2))
        with torch.no_grad():
            # where a scale is at its bound nothing is learnt: start well below
            self.encoder[-1].bias[self.latents :] -= 1  # type: ignore[index, operator]
            if kind == "colour":  # start from grey
                self.decoder[-1].bias.fill_(0.5)  # type: ignore[operator]

    def log_likelihood(self, x: Tensor, z: Tensor) -> Tensor:
        """Compute log p(x | z) in nats, shape (n,)."""
        if self.kind != "colour":
            return super().log_likelihood(x, z)
        means, log_scales = self.decoder(z).view(len(x), 2, -1, self.channels).unbind(1)
        return self._log_colours(x.view(means.shape).float(), 255 * means, 4 * log_scales)

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
