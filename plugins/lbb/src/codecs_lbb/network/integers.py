"""From weights in floating point to integers: what the layers share as they are frozen."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from codecs_core.entropy import QFormat
from codecs_core.exact import Residual, freeze
from codecs_lbb.conditioner import INPUT_BITS, LOG_BITS, SHIFT_BITS, SHIFT_LIMIT, WINDOW
from codecs_lbb.network.predictor import Predictor

#: Bits of the weights of a linear predictor, of the first and the last layer of a network, of the others.
LINEAR_BITS, END_BITS, WEIGHT_BITS = 14, 12, 8
#: Of what a network is given, and of what is added to values.
SOURCE = QFormat(bits=INPUT_BITS, low=-WINDOW, high=WINDOW - 1)
SHIFT = QFormat(bits=0, low=-SHIFT_LIMIT, high=SHIFT_LIMIT)
Tensors = dict[str, NDArray[Any]]


def integers(x: Tensor, bits: int) -> NDArray[np.int32]:
    """The nearest multiples of 2^-bits, in units of it."""
    return np.rint(x.detach().double().numpy() * 2.0**bits).astype(np.int32)


def inputs(x: Tensor) -> NDArray[np.int64]:
    """Values as a network of integers is given them: shape (n, channels, h, w) to (n, h, w, channels)."""
    fixed = np.floor(np.moveaxis(x.double().numpy(), 1, -1) * 2.0**INPUT_BITS + 0.5)
    return fixed.clip(-WINDOW, WINDOW - 1).astype(np.int64)


def trunk_bits(module: nn.Module) -> list[int]:
    """Bits of the weights of a trunk: more for its first layer."""
    blocks = sum(isinstance(part, Residual) for part in module.children())
    return [END_BITS, *[WEIGHT_BITS] * (2 * blocks)]


def conditioner(name: str, p: Predictor, given: Tensor, scales: QFormat | None) -> Tensors:
    """The tensors of a `codecs_lbb.conditioner.Conditioner`: it predicts shifts, or shifts and log-scales."""
    x, size = inputs(given), p.linear.out_channels
    targets = [SHIFT] * size + ([scales] * size if scales else [])
    gain = np.repeat([2.0**SHIFT_BITS] + [2.0**LOG_BITS] * (scales is not None), size)
    bits = [*trunk_bits(p.network[:-1]), END_BITS]
    network = freeze(p.network, x, SOURCE, targets, weight_bits=bits, gain=gain)
    return network.tensors(f"{name}.network") | linear(name, p, x)


def linear(name: str, p: Predictor, x: NDArray[np.int64]) -> Tensors:
    """The tensors of the linear predictor ``NAME.linear``."""
    net = freeze(nn.Sequential(p.linear), x, SOURCE, SHIFT, weight_bits=LINEAR_BITS, gain=2.0**SHIFT_BITS)
    return net.tensors(f"{name}.linear")
