"""From a flow in floating point to one as it codes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from codecs_core import Model
from codecs_core.entropy import QFormat
from codecs_core.errors import ModelError
from codecs_lbb import network as floats
from codecs_lbb.conditioner import LOG_BITS
from codecs_lbb.grid import Grid
from codecs_lbb.layers import KINDS
from codecs_lbb.model import FlowModel
from codecs_lbb.network.integers import Tensors, conditioner

#: Kinds of layers by the names of their classes, here and in `codecs_lbb.network`.
NAMES = {layer.__name__: kind for kind, layer in KINDS.items()}


def frozen(network: floats.Network, examples: Tensor, *, grid: Grid, attrs: Mapping[str, Any], name: str = "") -> Model:
    """Freeze a trained network.

    Parameters
    ----------
    network
        As `codecs_lbb.train` makes it.
    examples
        Images as floats, shape (n, channels, h, w): they tell how large activations grow.
    grid
        That images will be coded on.
    attrs, name
        Of the model.

    Raises
    ------
    ModelError
        For weights or activations that are too large, or a layer of another kind.
    """
    network.eval()
    tensors: Tensors = {}
    layers: list[list[Any]] = []
    modules: list[Any] = [*network.layers]
    with torch.random.fork_rng(), torch.inference_mode():
        torch.manual_seed(0)  # the noise of the examples
        x = (examples - network.centre) / 32
        channels = x.shape[1]
        if network.dequantiser is not None:
            given = floats.Squeeze()(x)[0]
            noise = QFormat(bits=0, low=-3 << LOG_BITS, high=1 << LOG_BITS)
            tensors |= conditioner("noise", network.dequantiser.p, given, noise)
            x = x + network.dequantiser(x)[0] / 32
        else:
            x = x + torch.rand_like(x) / 32
        for number, layer in enumerate(modules):
            kind = NAMES.get(type(layer).__name__)
            if kind is None:
                raise ModelError(f"a layer of a flow is a {type(layer).__name__}, which cannot be frozen")
            rest, its = layer.freeze(f"layer{number}", x)
            layers.append([kind, *rest])
            tensors |= its
            x = x[:, : layer.keep] if kind == "factor" else layer(x)[0]
    mixtures = [layer for layer in modules if isinstance(layer, floats.Mixture)]
    config = {
        "channels": channels,
        "centre": network.centre,
        "components": mixtures[-1].components if mixtures else 1,
        "grid": [grid.bits, grid.noise],
        "learned": network.dequantiser is not None,
        "layers": layers,
    }
    model = Model.create(codec="lbb.flow", config=config, tensors=tensors, attrs=dict(attrs), name=name)
    FlowModel(model.config, model.tensors())
    return model
