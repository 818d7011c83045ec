"""Layers whose map depends on nothing but the channel."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from codecs_lbb.conditioner import SHIFT_BITS
from codecs_lbb.layers.pointwise import LOG_LIMIT
from codecs_lbb.network.integers import Tensors, integers


class Logit(nn.Module):
    """y = logit(margin + (1 - 2 margin) p) of a value p in [0, 1): RealNVP, section 4.1 of Dinh et al. 2017.

    Values come as (x - centre) / 32.
    """

    def __init__(self, margin: float, centre: int) -> None:
        super().__init__()
        self.margin, self.centre = margin, centre

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Elementwise."""
        p = self.margin + (1 - 2 * self.margin) * (x / 8 + self.centre / 256)
        slope = (1 - 2 * self.margin) / 8 / (p * (1 - p))
        return torch.log(p) - torch.log1p(-p), torch.log(slope).sum()

    def freeze(self, name: str, x: Tensor) -> tuple[list[Any], Tensors]:
        """Nothing."""
        return [], {}


class ActNorm(nn.Module):
    """y = (x + shift) e^scale, channel by channel: Glow, section 3.1 of Kingma and Dhariwal 2018. The first batch sets both."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.shift = nn.Parameter(torch.zeros(channels))
        self.log_scale = nn.Parameter(torch.zeros(channels))
        self.register_buffer("ready", torch.zeros((), dtype=torch.bool))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Elementwise."""
        if self.training and not self.ready:
            with torch.no_grad():
                self.shift.copy_(-x.mean((0, 2, 3)))
                self.log_scale.copy_(-torch.log(x.std((0, 2, 3)) + 1e-3))
                self.ready.fill_(True)  # type: ignore[operator]
        y = (x + self.shift.view(1, -1, 1, 1)) * torch.exp(self.log_scale).view(1, -1, 1, 1)
        return y, self.log_scale.sum() * (x.numel() // x.shape[1])

    def freeze(self, name: str, x: Tensor) -> tuple[list[Any], Tensors]:
        """What follows the kind in a model file, and the layer's tensors; `x` are examples of its input."""
        return [], {
            f"{name}.shift": integers(self.shift, SHIFT_BITS),
            f"{name}.log_scale": integers(self.log_scale, SHIFT_BITS).clip(-LOG_LIMIT, LOG_LIMIT),
        }
