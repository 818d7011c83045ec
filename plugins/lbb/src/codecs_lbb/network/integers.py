"""From weights in floating point to integers: what the layers share as they are frozen."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from codecs_core.entropy import QFormat
from codecs_core.learn import Predictor
from codecs_lbb.conditioner import INPUT_BITS, LOG_BITS, SHIFT_BITS, SHIFT_LIMIT, WINDOW

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


def conditioner(name: str, p: Predictor, given: Tensor, scales: QFormat | None) -> Tensors:
    """The tensors of a `codecs_lbb.conditioner.conditioner`: it predicts shifts, or shifts and log-scales."""
    x, size = inputs(given), p.linear.out_channels
    targets = [SHIFT] * size + ([scales] * size if scales else [])
    gain = np.repeat([2.0**SHIFT_BITS] + [2.0**LOG_BITS] * (scales is not None), size)
    return p.freeze(name, x, SOURCE, targets, SHIFT, gain=gain, scale=2.0**SHIFT_BITS)
