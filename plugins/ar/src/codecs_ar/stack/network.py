"""The network of a channel in floating point, and what values cost by it."""

from __future__ import annotations

import math
from typing import cast

import torch
from torch import Tensor, nn

from codecs_ar.stack.mixture import SCALE_RANGE, Mixture
from codecs_ar.stack.view import View
from codecs_core.exact import Residual
from codecs_core.learn import BITS_PER_NAT

#: Units of a mean in the network, and of a log-scale in a `Mixture`, in nats.
UNIT, SCALE_UNIT = 128.0, 1 / (64 * BITS_PER_NAT)
#: Steps that the largest weight of a row is taken to have.
STEPS = 32
#: No value is less likely than the coder makes it.
FLOOR = 2.0**-24


class Network(nn.Module):
    """A layer on the window, one that narrows, and residual blocks; where a pixel lies is added to the first.

    Parameters
    ----------
    view
        What it sees.
    mixture
        What it says.
    width, narrow
        Of the first layer, and of the others.
    blocks
        Residual blocks.
    """

    def __init__(self, view: View, mixture: Mixture, *, width: int, narrow: int, blocks: int) -> None:
        super().__init__()
        self.mixture = mixture
        height, columns, _ = view.shape
        self.first = nn.Linear(view.inputs - height - columns, width)
        self.rows, self.columns = (nn.Parameter(torch.zeros(n, width)) for n in (height, columns))
        body = [nn.ReLU(), nn.Linear(width, narrow), nn.ReLU()]
        for _ in range(blocks):
            body += [Residual(nn.Sequential(nn.Linear(narrow, narrow), nn.ReLU(), nn.Linear(narrow, narrow)))]
        self.body = nn.Sequential(*body, nn.Linear(narrow, mixture.outputs))
        self._begin()

    def _begin(self) -> None:
        for part in self.modules():
            if isinstance(part, nn.Linear):
                nn.init.normal_(part.weight, std=math.sqrt(2 / part.in_features))
                nn.init.zeros_(part.bias)
            if isinstance(part, Residual):
                end = cast(nn.Linear, part.body[-1])
                nn.init.normal_(end.weight, std=0.3 / math.sqrt(end.in_features))
        last = cast(nn.Linear, self.body[-1])
        nn.init.normal_(last.weight, std=0.02)
        k, top = self.mixture.components, (self.mixture.symbols - 1) / UNIT
        if k:
            means = (-0.1 * top, 0.1 * top) if self.mixture.referred else (0.1 * top, 0.9 * top)
            with torch.no_grad():
                last.bias[-2 * k : -k] = torch.linspace(*means, k)
                last.bias[-k:] = math.log((0.03 if self.mixture.referred else 0.1) * self.mixture.symbols)

    def matrices(self) -> list[nn.Parameter]:
        """The weights that an optimiser may take for matrices: all but the last layer's."""
        linear = [part for part in self.modules() if isinstance(part, nn.Linear) and part is not self.body[-1]]
        return [cast(nn.Parameter, part.weight) for part in linear]

    def size(self) -> Tensor:
        """About how many bits the weights take in a model file: the logarithm of each, in units of the step of its row."""
        bits = torch.zeros(())
        first = torch.cat([self.first.weight, self.rows.T, self.columns.T], 1)
        for weight in (first, *self.matrices()[1:], cast(nn.Linear, self.body[-1]).weight):
            step = weight.detach().abs().amax(1, keepdim=True) / STEPS + 1e-9
            bits = bits + torch.log2(1 + weight.abs() / step).sum()
        return bits

    def sequence(self) -> nn.Sequential:
        """The network as it is frozen: rows and columns are inputs of the first layer."""
        first = nn.Linear(self.first.in_features + len(self.rows) + len(self.columns), self.first.out_features)
        with torch.no_grad():
            first.weight.copy_(torch.cat([self.first.weight, self.rows.T, self.columns.T], 1))
            first.bias.copy_(self.first.bias)
        return nn.Sequential(first, *self.body)

    def forward(self, x: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
        """Evaluate on inputs of shape (n, inputs) without those of the places, which are given as rows and columns."""
        out: Tensor = self.body(self.first(x) + self.rows[rows] + self.columns[columns])
        return out

    def bits(self, x: Tensor, rows: Tensor, columns: Tensor, values: Tensor, expectations: Tensor) -> Tensor:
        """Information content of each value, shape (n,).

        Of two symbols, a value between 0 and 1 is the share of ones, and what it costs is the mean.
        """
        outputs, y = self(x, rows, columns).float(), values.float()
        if self.mixture.symbols == 2:
            return BITS_PER_NAT * nn.functional.binary_cross_entropy_with_logits(outputs[:, 0], y, reduction="none")
        return -torch.log2(self._probability(outputs, y[:, None], expectations.float()[:, None]) + FLOOR)

    def _probability(self, outputs: Tensor, y: Tensor, expectations: Tensor) -> Tensor:
        atoms, k = len(self.mixture.atoms), self.mixture.components
        logits, means, log_scales = torch.split(outputs, [atoms + k, k, k], 1)
        weights = torch.softmax(logits, 1)
        low, high = (s * SCALE_UNIT for s in SCALE_RANGE)
        inverse = torch.exp(-log_scales.clamp(low, high))
        z, half = (y - expectations - UNIT * means) * inverse, 0.5 * inverse
        upper = torch.where(y == self.mixture.symbols - 1, 1.0, torch.sigmoid(z + half))
        lower = torch.where(y == 0, 0.0, torch.sigmoid(z - half))
        hit = y == y.new_tensor(self.mixture.atoms)
        return (weights[:, atoms:] * (upper - lower)).sum(1) + (weights[:, :atoms] * hit).sum(1)
