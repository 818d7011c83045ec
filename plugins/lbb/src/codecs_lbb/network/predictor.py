"""What says how a layer maps some values, given others."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from codecs_core.exact import Residual
from codecs_core.learn import half


class Predictor(nn.Module):
    """A residual network, and beside it a linear predictor of what is added to values.

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
        body: list[nn.Module] = [nn.Conv2d(inputs, width, 3, padding=1), nn.ReLU()]
        for _ in range(blocks):
            second = nn.Conv2d(width, width, 3, padding=1)
            with torch.no_grad():
                second.weight.mul_(0.3)
            body.append(Residual(nn.Sequential(nn.Conv2d(width, width, 3, padding=1), nn.ReLU(), second)))
        out = nn.Conv2d(width, outputs, 1)
        self.network = nn.Sequential(*body, out)
        self.linear = nn.Conv2d(inputs, means, 3, padding=1, bias=False)
        for zero in (out.weight, out.bias, self.linear.weight):
            nn.init.zeros_(zero)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Outputs of the network, and of the linear predictor."""
        return self.network[-1](self.hidden(x)), self.linear(x)

    def hidden(self, x: Tensor) -> Tensor:
        """What the last layer of the network is given."""
        # in training, half the bits are enough for what is hidden, and twice as fast
        with half(self.training, x.device):
            hidden: Tensor = self.network[:-1](x.contiguous(memory_format=torch.channels_last))
        return hidden.to(x.dtype)
