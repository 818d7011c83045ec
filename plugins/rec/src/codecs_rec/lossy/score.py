"""The energy score of images: a score that is smallest, on average, for samples of the right distribution.

S = E |y - x| - E |y - y'| / 2 for an item x and samples y and y' of what is said of it (Gneiting, Raftery 2007, "Strictly proper scoring
rules, prediction, and estimation", section 4.3). A norm of all values at once hardly sees how these go together, so it is one of patches
of what an `Eye` sees.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

#: Sides of the patches of values, of slopes, and of each layer of features.
SIDES = ((2, 4, 8), (2,), (2,), (1, 2), (1, 2))
#: Values, in 8-bit units, are divided by this for the features, and features multiplied by it twice, so that they differ as much as values.
UNIT = 32.0


class Eye(nn.Module):
    """What images are compared by: their values, slopes, and two layers of features, whose weights are random and stay so."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.near = nn.Conv2d(channels, 32, 5, stride=2, padding=2)
        self.far = nn.Conv2d(32, 64, 3, stride=2, padding=1)
        for parameter in self.parameters():
            inputs = parameter[0].numel()  # of a bias one
            nn.init.normal_(parameter, 0, 1 / math.sqrt(inputs) if inputs > 1 else 0.3)
        # what is even is seen a fifth as much as what is not
        self.near.weight.data -= 0.8 * self.near.weight.data.mean((2, 3), keepdim=True)
        self.requires_grad_(False)

    def forward(self, x: Tensor) -> list[Tensor]:
        """See images of shape (n, c, h, w), in 8-bit values."""
        near = torch.relu(self.near(x / UNIT))
        far = torch.relu(self.far(near))
        return [x, x[..., 1:] - x[..., :-1], x[..., 1:, :] - x[..., :-1, :], 2 * UNIT * near, 2 * UNIT * far]


def energy_score(eye: Eye, first: Tensor, second: Tensor, x: Tensor) -> Tensor:
    """The score of two samples for each of n images, all of shape (n, c, h, w): shape (n,)."""
    y, z, seen = eye(first), eye(second), eye(x)
    return (distance(y, seen) + distance(z, seen) - distance(y, z)) / 2


def distance(a: list[Tensor], b: list[Tensor]) -> Tensor:
    """The root mean square over patches of all that is seen of two times n images, on average: shape (n,)."""
    parts = [patches(x - y, side) for x, y, sides in zip(a, b, SIDES, strict=True) for side in sides]
    return torch.stack(parts).mean(0)


def patches(d: Tensor, side: int) -> Tensor:
    """The root mean square over patches of this side, on average over an image: shape (n,)."""
    side = min(side, *d.shape[2:])
    squares = functional.avg_pool2d(d.square().mean(1, keepdim=True), side, max(1, side // 2))
    # a quarter keeps slopes finite
    return (squares + 0.25).sqrt().mean((1, 2, 3))
