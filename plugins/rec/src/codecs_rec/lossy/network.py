"""The lossy autoencoder in floating point, as it is trained."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from codecs_core.learn import hidden, residual
from codecs_rec.transform import MATRIX_BITS, Transform

#: Inputs and outputs of the network are in units of this number of 8-bit values.
UNIT = 64.0


class Decoder(nn.Module):
    """A residual network over squares of pixels, given an image by the linear decoder and the level of its noise."""

    def __init__(self, channels: int, squeeze: int, *, width: int, depth: int) -> None:
        super().__init__()
        self.squeeze = squeeze
        inputs = channels * squeeze**2
        network = residual(inputs + 1, inputs, width=width, blocks=depth, last=3)
        self.network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, base: Tensor, noise: Tensor) -> Tensor:
        """Refine images of shape (n, h, w, c), in 8-bit values less grey; `noise` (n,) as the model has it."""
        seen = functional.pixel_unshuffle(base.permute(0, 3, 1, 2) / UNIT, self.squeeze)
        level = (noise / 256)[:, None, None, None].expand(-1, 1, *seen.shape[2:])
        out = self.network[-1](hidden(self.network, torch.cat([seen, level], 1)))
        out = functional.pixel_shuffle(out, self.squeeze)
        return base + UNIT * out.permute(0, 2, 3, 1)


class Channel:
    """The latents in floating point: transform, classes, and samples of the posterior."""

    def __init__(self, transform: Transform, deviations: NDArray[np.int64], shares: NDArray[np.float64]) -> None:
        matrices = (transform.rows, transform.columns, transform.colours)
        self.rows, self.columns, self.colours = (torch.tensor(m / (1 << MATRIX_BITS)).float() for m in matrices)
        self.shape, self.places = transform.shape, torch.from_numpy(transform.places)
        self.variances = torch.tensor(2.0 ** (deviations / 32)).float()
        self.log_shares = torch.tensor(np.log(shares)).float()

    def analyse(self, x: Tensor) -> Tensor:
        """Coefficients of images of shape (n, h, w, c), in 8-bit values less grey."""
        y = _along(self.rows, self.columns, self.colours, x)
        return y.reshape(len(x), math.prod(self.shape))[:, self.places]

    def synthesise(self, z: Tensor) -> Tensor:
        """Images of coefficients."""
        whole = torch.zeros(len(z), math.prod(self.shape))
        whole[:, self.places] = z
        whole = whole.view(len(z), *self.shape)
        return _along(self.rows.t(), self.columns.t(), self.colours.t(), whole)

    def sample(self, y: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Samples of q(z | x), and the bits they tell, of the class among them; `noise` (n,) as the model has it."""
        t = torch.exp2(noise / 32)[:, None]
        squares = y * y / t
        costs = [(squares / v + v.log()).sum(1) for v in ((v / t).clamp_min(1) for v in self.variances)]
        k = (torch.stack(costs, 1) - 2 * self.log_shares).argmin(1)
        v = self.variances[k]
        sent, kept = v > t, 1 - t / v
        mean, square = torch.where(sent, y * kept, 0), torch.where(sent, t * kept, 0)
        prior = (v - t).clamp_min(1e-6)
        nats = 0.5 * ((mean * mean + square) / prior - 1 - (square / prior).clamp_min(1e-12).log())
        bits = (torch.where(sent, nats, 0).sum(1) - self.log_shares[k]) / math.log(2)
        return mean + square.sqrt() * torch.randn_like(mean), bits


def _along(rows: Tensor, columns: Tensor, colours: Tensor, x: Tensor) -> Tensor:
    """A matrix product along each axis of images in turn."""
    x = torch.einsum("ui,nijc->nujc", rows, x)
    return torch.einsum("vj,nujc->nuvc", columns, x) @ colours.t()
