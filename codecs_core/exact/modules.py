"""Parts of networks in floating point that torch does not have and that can be frozen."""

from __future__ import annotations

from torch import Tensor, nn


class Residual(nn.Module):
    """relu(x + body(x)): the block of a residual network (He et al. 2016, arXiv 1512.03385, section 3.2).

    Parameters
    ----------
    body
        Gives outputs of the shape of its inputs. What `codecs_core.exact.freeze` takes, without a ReLU at its end.
    """

    def __init__(self, body: nn.Sequential) -> None:
        super().__init__()
        self.body = body

    def forward(self, x: Tensor) -> Tensor:
        """Evaluate on inputs of any shape that the body takes."""
        return nn.functional.relu(x + self.body(x))
