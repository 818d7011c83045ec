"""Noise that makes grey levels real numbers."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from codecs_core.learn import Predictor
from codecs_lbb.network.multiscale import Squeeze, unsqueeze

#: Range of the log-scale of noise, in nats.
NOISE_RANGE = (-3.0, 1.0)


class Dequantiser(nn.Module):
    """q(u | x): u = sigmoid((e + shift) scale) of logistic noise e: variational dequantisation (Flow++, section 3.1).

    One coupling layer on noise, all of whose parameters a network makes of the images, squeezed.
    """

    def __init__(self, channels: int, *, width: int) -> None:
        super().__init__()
        self.p = Predictor(4 * channels, 8 * channels, 4 * channels, width=width, blocks=1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Noise in [0, 1) and the sum of its log-densities in nats, for images as (x - centre) / 32."""
        network, linear = self.p(Squeeze()(x)[0])
        shift, log_scale = network.chunk(2, 1)
        shift, log_scale = shift + linear, log_scale.clamp(*NOISE_RANGE)
        p = torch.rand_like(shift).clamp(1e-6, 1 - 1e-6)
        e = torch.log(p) - torch.log1p(-p)
        v = (e + shift) * torch.exp(log_scale)
        densities = torch.log(p) + torch.log1p(-p) - log_scale - functional.logsigmoid(v) - functional.logsigmoid(-v)
        return unsqueeze(torch.sigmoid(v)), densities.sum()
