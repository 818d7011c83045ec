"""Additive and affine couplings."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from codecs_core.entropy import QFormat
from codecs_core.learn import Predictor
from codecs_lbb.layers.coupling import LOG_LIMIT
from codecs_lbb.network.integers import Tensors, conditioner

#: Range of the log-scale of an affine map, in nats.
AFFINE_RANGE = (-2.0, 2.0)


class Additive(nn.Module):
    """y = x + t(given) for some values: NICE (Dinh et al. 2014).

    Parameters
    ----------
    part
        First and last (excluded) of the channels that change, the network is given all others; or 0 or 1: the pixels that change are those
        whose row plus column is even, or odd, and the network is given all, with zeros for these.
    """

    #: Of log-scales, where the network has them among its outputs.
    scales: ClassVar[QFormat | None] = None

    def __init__(self, channels: int, part: tuple[int, int] | int, *, width: int, blocks: int) -> None:
        super().__init__()
        self.part = part
        self.size = channels if isinstance(part, int) else part[1] - part[0]
        inputs = channels if isinstance(part, int) else channels - self.size
        outputs = self.size if self.scales is None else 2 * self.size
        self.p = Predictor(inputs, outputs, self.size, width=width, blocks=blocks)

    def given(self, x: Tensor) -> Tensor:
        """What the network is given."""
        if isinstance(self.part, int):
            return x * (1 - checkerboard(x, self.part))
        return torch.cat([x[:, : self.part[0]], x[:, self.part[1] :]], 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Shift the values of `part`, and scale them if the network says how."""
        network, linear = self.p(self.given(x))
        shift = network[:, : self.size] + linear
        log_scale = torch.zeros(()) if self.scales is None else network[:, self.size :].clamp(*AFFINE_RANGE)
        if isinstance(self.part, int):
            changed = checkerboard(x, self.part)
            log_scale = log_scale * changed
            return (x + shift * changed) * torch.exp(log_scale), log_scale.sum()
        low, high = self.part
        y = (x[:, low:high] + shift) * torch.exp(log_scale)
        return torch.cat([x[:, :low], y, x[:, high:]], 1), log_scale.sum()

    def freeze(self, name: str, x: Tensor) -> tuple[list[Any], Tensors]:
        """What follows the kind in a model file, and the layer's tensors; `x` are examples of its input."""
        part = self.part if isinstance(self.part, int) else list(self.part)
        return [part], conditioner(name, self.p, self.given(x), self.scales)


class Affine(Additive):
    """y = (x + t(given)) e^s(given) for some values: RealNVP (Dinh et al. 2017), section 3.2."""

    scales: ClassVar[QFormat | None] = QFormat(bits=0, low=-LOG_LIMIT, high=LOG_LIMIT)


def checkerboard(x: Tensor, parity: int) -> Tensor:
    """1 where row plus column is even (0) or odd (1)."""
    rows, columns = torch.arange(x.shape[2])[:, None], torch.arange(x.shape[3])
    return ((rows + columns) % 2 == parity).to(x.dtype)
