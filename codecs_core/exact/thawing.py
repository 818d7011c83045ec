"""From integers back to a torch module, to train on from a model that was frozen."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from codecs_core.errors import ModelError
from codecs_core.exact.net import ExactNet

#: Fractional bits that activations are taken to have had. After a ReLU, what they are drops out: the next layer scales them back.
ACTIVATION_BITS = 7


def thaw(
    net: ExactNet, module: nn.Sequential, source_bits: int, target_bits: int, *, gain: float | NDArray[np.float64] = 1.0
) -> None:
    """Give a module the weights of a network that `freeze` made of one like it, as far as rounding left them.

    Parameters
    ----------
    net
        The exact network.
    module
        Linear or Conv2d, ReLU and `Residual`, of the same sizes, without normalisation; its weights are overwritten.
    source_bits, target_bits
        Fractional bits of the inputs and of the outputs.
    gain
        What `freeze` multiplied the outputs by.

    Raises
    ------
    ModelError
        If the module is not of the network's layers.
    """
    parts = [part for part in module.modules() if isinstance(part, nn.Linear | nn.Conv2d)]
    found, wanted = (
        [tuple(np.moveaxis(layer.weight, -1, 1).shape) for layer in net.layers],
        [tuple(p.weight.shape) for p in parts],
    )
    if found != wanted:
        raise ModelError(f"the frozen network has layers of {found}, and this one of {wanted}")
    bits = [source_bits]  # of the inputs of each layer
    for part, layer in zip(parts, net.layers, strict=True):
        end = layer is net.layers[-1]
        out = target_bits if end else bits[-layer.skip] if layer.skip else ACTIVATION_BITS
        shift = layer.shift.astype(np.float64)
        scale = 2.0 ** -(shift + out - bits[-1]) / (np.asarray(gain) if end else 1.0)
        half = np.where(shift > 0, 2.0 ** (shift - 1), 0.0)  # that makes of the floor a rounding
        bias = (layer.bias - half) * 2.0 ** -bits[-1] * scale
        weight = np.moveaxis(layer.weight, -1, 1) * scale.reshape(-1, *[1] * (layer.weight.ndim - 1))
        with torch.no_grad():
            part.weight.copy_(torch.from_numpy(weight))
            if part.bias is not None:
                part.bias.copy_(torch.from_numpy(bias))
        bits.append(out)
