"""The network of a plane in floating point: from features to a mixture of logistics around the prediction."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from codecs_ar.learner import FEATURE_BITS

#: No value is less likely than the coder makes it.
FLOOR = 2.0**-24


class Network(nn.Module):
    """A few pointwise layers.

    Parameters
    ----------
    inputs
        Features of a value.
    hidden
        Widths of the layers between.
    components
        Logistics of the mixture.
    """

    def __init__(self, inputs: int, *, hidden: Sequence[int], components: int) -> None:
        super().__init__()
        self.components = components
        widths = [inputs, *hidden]
        layers: list[nn.Module] = []
        for a, b in pairwise(widths):
            layers += [nn.Linear(a, b), nn.ReLU()]
        last = nn.Linear(widths[-1], 3 * components)
        with torch.no_grad():
            last.weight.mul_(0.1)
            last.bias.zero_()
            last.bias[2 * components :] = torch.linspace(-1.2, 0.3, components)
        self.layers = nn.Sequential(*layers, last)

    @property
    def linear(self) -> list[nn.Linear]:
        """The linear layers, in their order."""
        return [layer for layer in self.layers if isinstance(layer, nn.Linear)]

    @torch.no_grad()
    def balance(self) -> None:
        """Make the weights of all layers equally large, by their root mean square; the network says what it said before.

        A hidden layer of outputs that are c times as large, and weights that read them 1 / c times, are the same function, but a step down
        a gradient moves the one 1 / c and the other c times as far. Trained networks have large weights in their first layer and small
        ones in their last one: at one rate for all, the first one would hardly learn.
        """
        sizes = [max(float(layer.weight.square().mean().sqrt()), 1e-6) for layer in self.linear]
        mean, outputs = math.prod(sizes) ** (1 / len(sizes)), 1.0
        for layer, size in zip(self.linear, sizes, strict=True):
            layer.weight.mul_(mean / size)
            outputs *= mean / size
            layer.bias.mul_(outputs)

    def bits(self, features: Tensor, misses: Tensor, spreads: Tensor, low: Tensor, high: Tensor) -> Tensor:
        """Information content of each value.

        Parameters
        ----------
        features
            Shape (n, inputs), int8.
        misses
            Value less prediction, in grey levels, shape (n,).
        spreads
            Scales, likewise.
        low, high
            Whether it is the lowest, or the highest value there is.
        """
        out = self.layers(features.float() * 2.0**-FEATURE_BITS)
        logits, means, log_scales = out.split(self.components, 1)
        inverse = torch.exp(-log_scales) / spreads[:, None]
        z = (misses[:, None] - means * spreads[:, None]) * inverse
        half = 0.5 * inverse
        upper = torch.where(high[:, None], 1.0, torch.sigmoid(z + half))
        lower = torch.where(low[:, None], 0.0, torch.sigmoid(z - half))
        p = (torch.softmax(logits, 1) * (upper - lower)).sum(1)
        return -torch.log2(p.clamp(min=0) + FLOOR)
