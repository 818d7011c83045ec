"""From networks in floating point to a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from codecs_ar.stack.mixture import MEAN_BITS, Mixture
from codecs_ar.stack.model import Stack
from codecs_ar.stack.network import UNIT, Network
from codecs_ar.stack.packing import WIDE
from codecs_ar.stack.tensors import packed
from codecs_ar.stack.view import HIGH, LOW, ONE, View
from codecs_core import Model
from codecs_core.entropy import QFormat
from codecs_core.exact import freeze
from codecs_core.learn import BITS_PER_NAT

#: Fractional bits of activations, and by how many bits the weights of the last layer are wider: a mean beside an atom has to be right
#: to a part of a value.
ACTIVATION_BITS, MORE_BITS = 8, 7


def gains_of(mixture: Mixture) -> NDArray[np.float64]:
    """What each output is multiplied by."""
    octaves = 64 * BITS_PER_NAT
    if mixture.symbols == 2:
        return np.array([octaves])
    k = mixture.components
    return np.repeat([octaves, UNIT * (1 << MEAN_BITS), octaves], [len(mixture.atoms) + k, k, k])


def frozen(
    networks: Sequence[Network],
    views: Sequence[View],
    examples: Sequence[NDArray[np.int64]],
    *,
    weight_bits: int,
    order: Sequence[int],
    attrs: Mapping[str, Any],
    name: str = "",
) -> Model:
    """Freeze a network a channel; `examples` are inputs that tell how large activations grow, shape (n, inputs) each."""
    mixture = networks[0].mixture
    low, high = mixture.limits()
    target = [QFormat(bits=0, low=int(a), high=int(b)) for a, b in zip(low, high, strict=True)]
    source = QFormat(bits=ONE.bit_length() - 1, low=LOW, high=HIGH)
    tensors: dict[str, NDArray[Any]] = {}
    for i, (network, view, x) in enumerate(zip(networks, views, examples, strict=True)):
        tensors |= {f"plane{i}.{key}": getattr(view, key) for key in ("taps", "curves", "counting")}
        module = network.sequence()
        layers = sum(isinstance(part, nn.Linear) for part in module.modules())
        net = freeze(
            module,
            x,
            source,
            target,
            activation_bits=ACTIVATION_BITS,
            weight_bits=[weight_bits] * (layers - 1) + [min(WIDE, weight_bits + MORE_BITS)],
            gain=gains_of(mixture),
        )
        tensors |= net.tensors(f"plane{i}")
    config = {
        "shape": list(views[0].shape),
        "symbols": mixture.symbols,
        "atoms": list(mixture.atoms),
        "components": mixture.components,
        "tallies": list(views[0].tallies),
        "order": list(order),
        "referred": mixture.referred,
    }
    model = Model.create(
        codec="ar.stack", config=config, tensors=packed(len(networks), tensors), attrs=dict(attrs), name=name
    )
    Stack(model.config, model.tensors())
    return model
