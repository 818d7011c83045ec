"""Residual networks of images in floating point, and a linear predictor beside one, as flows are trained with them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from codecs_core.entropy import QFormat
from codecs_core.exact.freezing import freeze
from codecs_core.exact.modules import Residual
from codecs_core.learn.machine import half

#: Bits of the weights of a linear predictor, of the first and the last layer of a network, of the others. On CIFAR-10, eight for all of a
#: network cost 0.09 % of rate, and this 0.05 %.
LINEAR_BITS, END_BITS, WEIGHT_BITS = 14, 12, 8
#: The four nearest neighbours of a phase among those before it: (phase, row, column) in a 3 x 3 kernel.
NEIGHBOURS = {
    1: [(0, 1, 1), (0, 1, 2), (0, 2, 1), (0, 2, 2)],
    2: [(0, 1, 1), (0, 1, 2), (1, 0, 1), (1, 1, 1)],
    3: [(0, 1, 1), (0, 2, 1), (1, 1, 0), (1, 1, 1)],
}


def residual(inputs: int, outputs: int, *, width: int, blocks: int, last: int = 1) -> nn.Sequential:
    """A residual network of convolutions of 3 x 3, which starts from zero outputs; the last one has windows of `last`."""
    parts: list[nn.Module] = [nn.Conv2d(inputs, width, 3, padding=1), nn.ReLU()]
    for _ in range(blocks):
        second = nn.Conv2d(width, width, 3, padding=1)
        nn.init.normal_(second.weight, std=0.3 * math.sqrt(2 / (9 * width)))
        parts.append(Residual(nn.Sequential(nn.Conv2d(width, width, 3, padding=1), nn.ReLU(), second)))
    out = nn.Conv2d(width, outputs, last, padding=last // 2)
    nn.init.zeros_(out.weight)
    nn.init.zeros_(out.bias)  # type: ignore[arg-type]
    return nn.Sequential(*parts, out)


def hidden(network: nn.Sequential, x: Tensor) -> Tensor:
    """What the last layer of a network is given. In training, half the bits are enough for it, and twice as fast."""
    with half(network.training, x.device):
        found: Tensor = network[:-1](x.contiguous(memory_format=torch.channels_last))
    return found.to(x.dtype)


def inner_weights(network: nn.Module) -> list[nn.Parameter]:
    """Weights of the residual networks within a network, but for those of their last layers: what Muon is for."""
    residuals = [m for m in network.modules() if isinstance(m, nn.Sequential) and isinstance(m[-1], nn.Conv2d)]
    layers = [m for r in residuals for m in r[:-1].modules() if isinstance(m, nn.Conv2d)]
    # those of a block are in two residual networks, the outer one and its own
    return list(dict.fromkeys(cast(nn.Parameter, layer.weight) for layer in layers))


class Predictor(nn.Module):
    """A residual network, and beside it a linear predictor of the outputs that are means.

    Parameters
    ----------
    inputs, outputs
        Channels.
    means
        Channels of the linear predictor.
    width, blocks
        Channels and residual blocks of the network.
    """

    def __init__(self, inputs: int, outputs: int, means: int, *, width: int, blocks: int) -> None:
        super().__init__()
        self.network = residual(inputs, outputs, width=width, blocks=blocks)
        self.linear = nn.Conv2d(inputs, means, 3, padding=1, bias=False)
        nn.init.zeros_(self.linear.weight)
        #: Bits of the weights of each layer of the network.
        self.bits = [END_BITS, *[WEIGHT_BITS] * (2 * blocks), END_BITS]

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Outputs of the network, and of the linear predictor."""
        return self.network[-1](self.hidden(x)), self.linear(x)

    def hidden(self, x: Tensor) -> Tensor:
        """What the last layer of the network is given."""
        return hidden(self.network, x)

    def interpolate(self, phases: Iterable[int], channels: int) -> None:
        """Let the linear predictor of phases start as the average of their four nearest neighbours in the phases before."""
        with torch.no_grad():
            for number, phase in enumerate(phases):
                for known, row, column in NEIGHBOURS[phase]:
                    for c in range(channels):
                        self.linear.weight[number * channels + c, known * channels + c, row, column] = 0.25

    def freeze(
        self, name: str, x: NDArray[np.int64], source: QFormat, target: Any, mean: QFormat, *, gain: Any, scale: float
    ) -> dict[str, NDArray[Any]]:
        """The tensors of a `codecs_core.exact.Predictor`; `gain` and `scale` multiply the outputs of the network, and the means."""
        network = freeze(self.network, x, source, target, weight_bits=self.bits, gain=gain)
        return network.tensors(f"{name}.network") | self.freeze_linear(name, x, source, mean, scale=scale)

    def freeze_linear(
        self, name: str, x: NDArray[np.int64], source: QFormat, mean: QFormat, *, scale: float
    ) -> dict[str, NDArray[Any]]:
        """Those of the linear predictor alone."""
        linear = freeze(nn.Sequential(self.linear), x, source, mean, weight_bits=LINEAR_BITS, gain=scale)
        return linear.tensors(f"{name}.linear")
