"""Weights that share variables: the hashing of Chen et al. (2015, "Compressing neural networks with the hashing trick"), in equal parts."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from codecs_rec.philox import words

#: Stream of the words that say which variable a weight is.
_STREAM = 6


class Shared(nn.Module):
    """The weights of a parameter, given its variables: each weight is a variable or its negative, drawn once, the same everywhere.

    Parameters
    ----------
    size
        Weights.
    count
        Variables: all are the same number of weights, but for the last one's that may be missing.
    number
        Of the parameter in its module: each has draws of its own.
    """

    index: Tensor
    sign: Tensor
    members: Tensor

    def __init__(self, size: int, count: int, number: int) -> None:
        super().__init__()
        places = np.arange(size)
        counters = np.stack([places, np.full(size, number), 0 * places, np.full(size, _STREAM)], 1).astype(np.uint64)
        order, sign = words(counters, 0)[:, :2].T
        # members of a variable, and `size` in place of one that is missing
        members = np.full((-(-size // count), count), size, np.int64)
        members.reshape(-1)[:size] = np.argsort(order, kind="stable")
        index = np.empty(size, np.int64)
        index[members.reshape(-1)[:size]] = places % count
        self.register_buffer("index", torch.from_numpy(index))
        self.register_buffer("sign", torch.from_numpy(np.where(sign & np.uint64(1), -1.0, 1.0)).float())
        self.register_buffer("members", torch.from_numpy(members))

    def forward(self, values: Tensor) -> Tensor:
        """Weights, shape (size,), of variables of shape (count,)."""
        out: Tensor = _Spread.apply(values, self.index, self.sign, self.members)  # type: ignore[no-untyped-call]
        return out


class _Spread(torch.autograd.Function):
    """Variables at their places. The gradient of a variable is gathered from them, which is faster than to add each to its variable."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, index: Tensor, sign: Tensor, members: Tensor) -> Tensor:
        """Each place has its variable, or the negative."""
        ctx.save_for_backward(sign, members)
        return values[index] * sign

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None, None]:
        """The sum over the places of each variable."""
        sign, members = ctx.saved_tensors
        at_places = torch.cat([grads[0] * sign, grads[0].new_zeros(1)])
        return at_places[members].sum(0), None, None, None
