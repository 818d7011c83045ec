"""Invertible 1 x 1 convolutions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from codecs_lbb.layers.convolution import MATRIX_BITS
from codecs_lbb.network.integers import Tensors, integers


class Convolution(nn.Module):
    """Invertible 1 x 1 convolution by a matrix P L U: Glow, section 3.2. L and U are triangular with ones on their diagonals.

    The magnitude of its determinant is 1, and each factor is a sequence of shears, which need no noise to be coded. Scales are
    left to `ActNorm`.

    Parameters
    ----------
    order
        Of the outputs.
    lower, upper
        Matrices that are used below the diagonal, and above it.
    """

    order: Tensor

    def __init__(self, order: Sequence[int], lower: Tensor, upper: Tensor) -> None:
        super().__init__()
        self.lower, self.upper = nn.Parameter(lower.tril(-1)), nn.Parameter(upper.triu(1))
        self.register_buffer("order", torch.tensor(order))

    @classmethod
    def colour(cls) -> Convolution:
        """Red, green, blue to (Y, Co, Cg) (Malvar and Sullivan 2003). It does not learn: all else would have to follow its every step."""
        lower = torch.tensor([[0.0, 0.0, 0.0], [-0.5, 0.0, 0.0], [0.25, 0.5, 0.0]])
        fixed = cls([2, 0, 1], lower, torch.tensor([[0.0, 0.0, -1.0], [0.0, 0.0, -1.0], [0.0, 0.0, 0.0]]))
        return fixed.requires_grad_(False)

    @classmethod
    def random(cls, channels: int) -> Convolution:
        """A random rotation but for the scales of its rows, which are left to `ActNorm`."""
        order, lower, upper = torch.linalg.lu(torch.linalg.qr(torch.randn(channels, channels))[0])
        return cls(order.argmax(1).tolist(), lower, upper / upper.diagonal()[:, None])

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Pixel by pixel."""
        eye = torch.eye(x.shape[1])
        matrix = (self.lower.tril(-1) + eye) @ (self.upper.triu(1) + eye)
        return functional.conv2d(x, matrix[self.order][:, :, None, None]), torch.zeros(())

    def freeze(self, name: str, x: Tensor) -> tuple[list[Any], Tensors]:
        """What follows the kind in a model file, and the layer's tensors; `x` are examples of its input."""
        return [], {
            f"{name}.order": self.order.numpy().astype(np.int32),
            f"{name}.lower": integers(self.lower, MATRIX_BITS),
            f"{name}.upper": integers(self.upper, MATRIX_BITS),
        }
