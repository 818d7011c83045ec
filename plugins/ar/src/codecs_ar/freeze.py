"""From the networks in floating point to a model in integers, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from codecs_ar import probe
from codecs_ar.coarse import coarse
from codecs_ar.learner import BIAS_BITS, WEIGHT_BITS
from codecs_ar.model import Autoregression
from codecs_ar.network import Network
from codecs_core import Model
from codecs_core.errors import ModelError

#: Weights are below this magnitude.
WEIGHT_LIMIT = 1 << (31 - WEIGHT_BITS)


def integers(network: Network) -> tuple[list[NDArray[np.int32]], list[NDArray[np.int32]]]:
    """Weights and biases, layer after layer, as a model holds them; raises `ModelError` if they are too large."""
    weights, biases = [], []
    for layer in network.linear:
        weight, bias = (p.detach().cpu().double().numpy() for p in (layer.weight, layer.bias))
        if (
            not (np.abs(weight) < WEIGHT_LIMIT - 2.0**-WEIGHT_BITS).all()
            or not (np.abs(bias) < 1 << (31 - BIAS_BITS)).all()
        ):
            raise ModelError("the weights of a network are too large to be frozen; train it at a lower rate")
        weights.append(np.rint(weight * (1 << WEIGHT_BITS)).astype(np.int32))
        biases.append(np.rint(bias * (1 << BIAS_BITS)).astype(np.int32))
    return weights, biases


def frozen(
    networks: Sequence[Network],
    priors: Sequence[NDArray[np.float64]],
    *,
    decays: Sequence[int],
    periods: Sequence[int],
    rates: Sequence[int],
    weight_bits: int,
    attrs: Mapping[str, Any],
    name: str = "",
) -> Model:
    """Round the networks of all planes, to this number of fractional bits, and join them, with the priors, to a model."""
    tensors: dict[str, NDArray[Any]] = {}
    for i, (network, prior) in enumerate(zip(networks, priors, strict=True)):
        tensors[f"plane{i}.prior"] = prior
        for j, (weight, bias) in enumerate(zip(*integers(network), strict=True)):
            tensors[f"plane{i}.{j}.weight"], tensors[f"plane{i}.{j}.bias"] = weight, bias
    config = {
        "channels": len(networks),
        "components": networks[0].components,
        "decays": list(decays),
        "periods": list(periods),
        "rates": list(rates),
    }
    tensors = coarse(tensors, weight_bits)
    tensors["probe"] = probe.tensor(Autoregression(config, tensors))
    return Model.create(codec="ar.image", config=config, tensors=tensors, attrs=dict(attrs), name=name)


def load_into(networks: Sequence[Network], tensors: Mapping[str, NDArray[Any]]) -> None:
    """Give networks the weights of a model, plane by plane; raises `ModelError` if they do not fit."""
    for i, network in enumerate(networks):
        for j, layer in enumerate(network.linear):
            for parameter, kind, bits in ((layer.weight, "weight", WEIGHT_BITS), (layer.bias, "bias", BIAS_BITS)):
                tensor = tensors.get(f"plane{i}.{j}.{kind}", np.zeros(0))
                if tensor.shape != parameter.shape:
                    raise ModelError(
                        f"plane {i} of the model has no layer of shape {tuple(parameter.shape)} as number {j}"
                    )
                with torch.no_grad():
                    parameter.copy_(torch.from_numpy(tensor / float(1 << bits)))
