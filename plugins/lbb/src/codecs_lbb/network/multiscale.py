"""Squeezing, and factoring out variables that are done."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from codecs_core.exact import PHASES
from codecs_lbb.network.integers import Tensors


class Squeeze(nn.Module):
    """Space to depth: the four phases of an image, one after the other as channels."""

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Shape (n, c, h, w) to (n, 4 c, h / 2, w / 2)."""
        return torch.cat([x[:, :, r::2, c::2] for r, c in PHASES], 1), torch.zeros(())

    def freeze(self, name: str, x: Tensor) -> tuple[list[Any], Tensors]:
        """Nothing."""
        return [], {}


class FactorOut(nn.Module):
    """All channels but the first `keep` are done: section 3.6 of Dinh et al. 2017."""

    def __init__(self, keep: int) -> None:
        super().__init__()
        self.keep = keep

    def freeze(self, name: str, x: Tensor) -> tuple[list[Any], Tensors]:
        """How many channels are kept."""
        return [self.keep], {}


def unsqueeze(x: Tensor) -> Tensor:
    """Inverse of `Squeeze`."""
    n, channels, h, w = x.shape
    out = torch.empty(n, channels // 4, 2 * h, 2 * w)
    for (r, c), phase in zip(PHASES, x.chunk(4, 1), strict=True):
        out[:, :, r::2, c::2] = phase
    return out
