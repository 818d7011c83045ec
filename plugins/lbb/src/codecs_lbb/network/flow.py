"""A whole flow: its layers, what they factor out, and its dequantisation."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from codecs_core.learn import BITS_PER_NAT
from codecs_lbb.network.dequantiser import Dequantiser
from codecs_lbb.network.multiscale import FactorOut


class Network(nn.Module):
    """A flow from images to standard logistic variables, and its dequantisation.

    Parameters
    ----------
    layers
        From the data on; `FactorOut` among them.
    dequantiser
        None: noise is uniform.
    centre
        The value that stands for zero, as it is beyond the border of an image.
    """

    def __init__(self, layers: Sequence[nn.Module], dequantiser: Dequantiser | None, centre: int) -> None:
        super().__init__()
        self.centre = centre
        self.layers = nn.ModuleList(layers)
        self.dequantiser = dequantiser

    def bits(self, x: Tensor) -> Tensor:
        """Bits of images (integers as floats), with one sample of noise: -log2 p(x + u) + log2 q(u | x)."""
        centred = (x - self.centre) / 32
        if self.dequantiser is None:
            u, nats = torch.rand_like(x), torch.zeros(())
        else:
            u, nats = self.dequantiser(centred)
        x = centred + u / 32
        nats = nats + x.numel() * math.log(32)
        for layer in self.layers:
            if isinstance(layer, FactorOut):
                nats = nats + base(x[:, layer.keep :])
                x = x[:, : layer.keep]
            else:
                x, log_det = layer(x)
                nats = nats - log_det
        return (nats + base(x)) * BITS_PER_NAT


def base(z: Tensor) -> Tensor:
    """Information of standard logistic variables in nats."""
    return -(functional.logsigmoid(z) + functional.logsigmoid(-z)).sum()
