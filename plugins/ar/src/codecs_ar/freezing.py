"""From the networks in floating point to a model in integers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_ar.model import FEATURE_LIMIT, LIMITS, Autoregression, compiled
from codecs_ar.network import FEATURE_BITS, Network
from codecs_core.errors import ModelError
from codecs_core.exact import ExactNet
from codecs_core.exact.freeze import Fixed, freeze
from codecs_core.models import Model

#: Units of logits and log-scales (to base 2), and of means, in a unit of the network.
OCTAVES = 64 * math.log2(math.e)
#: Bits of the weights of the first layer and the last, of those between, and fractional bits of activations: the first with which
#: sums stay below 2^24 are taken.
WIDTHS = ((12, 9, 7), (11, 9, 6), (10, 8, 6), (9, 8, 5), (8, 7, 5), (8, 6, 4), (7, 5, 3))


def frozen_network(network: Network, features: NDArray[np.int8]) -> ExactNet:
    """Freeze one network; `features`, shape (n, F), tell how large its activations grow."""
    components = network.components
    source = Fixed(bits=FEATURE_BITS, low=-FEATURE_LIMIT, high=FEATURE_LIMIT)
    target = [Fixed(bits=0, low=-limit, high=limit) for limit in np.repeat(LIMITS, components).tolist()]
    gain = np.repeat([OCTAVES, 64.0, OCTAVES], components)
    layers = sum(hasattr(layer, "weight") for layer in network.layers)
    for ends, between, activations in WIDTHS:
        bits = [ends, *[between] * (layers - 2), ends][-layers:]
        net = freeze(
            network.layers,
            features.astype(np.int64),
            source,
            target,
            activation_bits=activations,
            weight_bits=bits,
            gain=gain,
        )
        try:
            compiled(net, features.shape[1], components)
        except ModelError:
            continue
        return net
    raise ModelError("the weights of a network are too large to be frozen; train it at a lower rate")


def frozen(
    networks: Sequence[Network],
    priors: Sequence[NDArray[np.float64]],
    examples: Sequence[NDArray[np.int8]],
    *,
    decays: Sequence[int],
    attrs: Mapping[str, Any],
    name: str = "",
) -> Model:
    """Freeze the networks of all planes and join them, with the priors, to a model."""
    tensors: dict[str, NDArray[Any]] = {}
    for i, (network, prior, features) in enumerate(zip(networks, priors, examples, strict=True)):
        tensors[f"plane{i}.prior"] = prior
        tensors |= frozen_network(network, features).tensors(f"plane{i}.network")
    config = {"channels": len(networks), "components": networks[0].components, "decays": list(decays)}
    model = Model.create(codec="ar.image", config=config, tensors=tensors, attrs=dict(attrs), name=name)
    Autoregression(model.config, model.tensors())
    return model
