"""The network of a model with predictors in floating point, and its freezing."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from codecs_ar.stack.fitted import Fitted, limits
from codecs_ar.stack.tensors import packed
from codecs_ar.stack.view import HIGH, LOW
from codecs_core import Model
from codecs_core.entropy import QFormat
from codecs_core.exact import Residual, freeze
from codecs_core.learn import BITS_PER_NAT

#: Fractional bits of features and of activations, and bits of weights.
FEATURE_BITS, ACTIVATION_BITS, WEIGHT_BITS = 5, 4, 10
#: Scales of a mixture, as natural logarithms in units of the local scale, beyond which there is nothing to learn.
NARROWEST, WIDEST = -5.0, 5.0
#: No value is less likely than the coder makes it.
FLOOR = 2.0**-24


class Network(nn.Module):
    """A layer, one that narrows, a residual block, and what is said of a value.

    Parameters
    ----------
    inputs
        Features.
    width, narrow
        Of the first layer, and of the others.
    components
        Logistics in a mixture.
    """

    def __init__(self, inputs: int, *, width: int, narrow: int, components: int) -> None:
        super().__init__()
        self.components = components
        block = nn.Sequential(nn.Linear(narrow, narrow), nn.ReLU(), nn.Linear(narrow, narrow))
        layers = nn.Linear(inputs, width), nn.ReLU(), nn.Linear(width, narrow), nn.ReLU()
        self.body = nn.Sequential(*layers, Residual(block))
        self.last = nn.Linear(narrow, 3 * components)
        for part in self.modules():
            if isinstance(part, nn.Linear):
                nn.init.normal_(part.weight, std=math.sqrt(2 / part.in_features))
                nn.init.zeros_(part.bias)
        nn.init.normal_(cast(nn.Linear, block[-1]).weight, std=0.3 / math.sqrt(narrow))
        nn.init.normal_(self.last.weight, std=0.02)
        with torch.no_grad():
            self.last.bias[2 * components :] = torch.linspace(-1.2, 0.3, components)

    def matrices(self) -> list[nn.Parameter]:
        """The weights that an optimiser may take for matrices: all but the last layer's."""
        return [cast(nn.Parameter, part.weight) for part in self.body.modules() if isinstance(part, nn.Linear)]

    def bits(self, features: Tensor, values: Tensor, told: Tensor) -> Tensor:
        """Information content of each value.

        Parameters
        ----------
        features
            Shape (n, inputs), in units of 1.
        values
            Shape (n,), 0 to 255.
        told
            What is expected of each, and its scale: shape (n, 2).
        """
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.training):
            hidden = self.body(features)
        logits, means, log_scales = self.last(hidden.float()).split(self.components, 1)
        centre, scale, y = told[:, :1], told[:, 1:], values[:, None]
        inverse = torch.exp(-log_scales.clamp(NARROWEST, WIDEST)) / scale
        z, half = (y - centre - means * scale) * inverse, 0.5 * inverse
        upper = torch.where(y == 255, 1.0, torch.sigmoid(z + half))
        lower = torch.where(y == 0, 0.0, torch.sigmoid(z - half))
        return -torch.log2((torch.softmax(logits, 1) * (upper - lower)).sum(1).clamp(min=0) + FLOOR)


def frozen(
    networks: Sequence[Network],
    windows: Sequence[NDArray[np.int8]],
    priors: Sequence[NDArray[np.float64]],
    examples: Sequence[NDArray[np.int8]],
    *,
    config: Mapping[str, Any],
    attrs: Mapping[str, Any],
    name: str = "",
) -> Model:
    """Freeze a network a channel; `examples` are features that tell how large activations grow, shape (n, inputs) each."""
    components = networks[0].components
    low, high = limits(components)
    target = [QFormat(bits=0, low=int(a), high=int(b)) for a, b in zip(low, high, strict=True)]
    gain = np.repeat([64 * BITS_PER_NAT, 64.0, 64 * BITS_PER_NAT], components)
    tensors: dict[str, NDArray[Any]] = {}
    for i, (network, window, x) in enumerate(zip(networks, windows, examples, strict=True)):
        net = freeze(
            nn.Sequential(*network.eval().body, network.last),
            x.astype(np.int64),
            QFormat(bits=FEATURE_BITS, low=LOW, high=HIGH),
            target,
            activation_bits=ACTIVATION_BITS,
            weight_bits=WEIGHT_BITS,
            gain=gain,
        )
        tensors |= net.tensors(f"plane{i}") | {f"plane{i}.taps": window}
    known = {f"plane{i}.prior": prior for i, prior in enumerate(priors)}
    model = Model.create(
        codec="ar.stack",
        config=dict(config) | {"components": components},
        tensors=packed(len(networks), tensors) | known,
        attrs=dict(attrs),
        name=name,
    )
    Fitted(model.config, model.tensors())
    return model
