"""From a flow in floating point to one as it codes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from codecs_core.entropy import QFormat
from codecs_core.errors import ModelError
from codecs_core.exact.freeze import freeze
from codecs_core.exact.modules import Residual
from codecs_core.models import Model
from codecs_lbb import network as floats
from codecs_lbb.conditioner import INPUT_BITS, LOG_BITS, SHIFT_BITS, SHIFT_LIMIT, WINDOW
from codecs_lbb.grid import Grid
from codecs_lbb.layers.actnorm import LOG_LIMIT as NORM_LIMIT
from codecs_lbb.layers.affine import LOG_LIMIT
from codecs_lbb.layers.mixture_coupling import COEFFICIENT_BITS, limits_of
from codecs_lbb.model import FlowModel

#: Bits of the weights of a linear predictor, of the first and the last layer of a network, of the others.
LINEAR_BITS, END_BITS, WEIGHT_BITS = 14, 12, 8
#: Headroom of what a trunk hands on over the largest that is seen.
HEADROOM = 1.5
_SOURCE = QFormat(bits=INPUT_BITS, low=-WINDOW, high=WINDOW - 1)
_SHIFT = QFormat(bits=0, low=-SHIFT_LIMIT, high=SHIFT_LIMIT)
Tensors = dict[str, NDArray[Any]]


def frozen(network: floats.Network, examples: Tensor, *, grid: Grid, attrs: Mapping[str, Any], name: str = "") -> Model:
    """Freeze a trained network.

    Parameters
    ----------
    network
        As `codecs_lbb.training` makes it.
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
    components = 1
    with torch.random.fork_rng(), torch.inference_mode():
        torch.manual_seed(0)  # the noise of the examples
        x = (examples - network.centre) / 32
        channels = x.shape[1]
        if network.dequantiser is not None:
            given = floats.Squeeze()(x)[0]
            noise = QFormat(bits=0, low=-3 << LOG_BITS, high=1 << LOG_BITS)
            tensors |= _conditioner("noise", network.dequantiser.p, given, noise)
            x = x + network.dequantiser(x)[0] / 32
        else:
            x = x + torch.rand_like(x) / 32
        for number, layer in enumerate(network.layers):
            key = f"layer{number}"
            if isinstance(layer, floats.FactorOut):
                layers.append(["factor", layer.keep])
                x = x[:, : layer.keep]
                continue
            if isinstance(layer, floats.Squeeze | floats.Logit):
                layers.append([type(layer).__name__.lower()])
            elif isinstance(layer, floats.ActNorm):
                layers.append(["actnorm"])
                tensors[f"{key}.shift"] = _integers(layer.shift, SHIFT_BITS)
                tensors[f"{key}.log_scale"] = _integers(layer.log_scale, SHIFT_BITS).clip(-NORM_LIMIT, NORM_LIMIT)
            elif isinstance(layer, floats.Convolution):
                layers.append(["convolution"])
                tensors[f"{key}.order"] = layer.order.numpy().astype(np.int32)
                tensors[f"{key}.lower"] = _integers(layer.lower, 12)
                tensors[f"{key}.upper"] = _integers(layer.upper, 12)
            elif isinstance(layer, floats.Mixture):
                layers.append(["mixture", list(layer.part)])
                components = layer.components
                tensors |= _mixture(key, layer, x)
            elif isinstance(layer, floats.Coupling):
                part = layer.part if isinstance(layer.part, int) else list(layer.part)
                layers.append([type(layer).__name__.lower(), part])
                scales = QFormat(bits=0, low=-LOG_LIMIT, high=LOG_LIMIT) if isinstance(layer, floats.Affine) else None
                tensors |= _conditioner(key, layer.p, layer.given(x), scales)
            else:
                raise ModelError(f"a layer of a flow is a {type(layer).__name__}, which cannot be frozen")
            x = layer(x)[0]
    config = {
        "channels": channels,
        "centre": network.centre,
        "components": components,
        "grid": [grid.bits, grid.noise],
        "learned": network.dequantiser is not None,
        "layers": layers,
    }
    model = Model.create(codec="lbb.flow", config=config, tensors=tensors, attrs=dict(attrs), name=name)
    FlowModel(model.config, model.tensors())
    return model


def _integers(x: Tensor, bits: int) -> NDArray[np.int32]:
    return np.rint(x.detach().double().numpy() * 2.0**bits).astype(np.int32)


def _inputs(x: Tensor) -> NDArray[np.int64]:
    """As a network of integers is given them, shape (n, h, w, channels)."""
    fixed = np.floor(np.moveaxis(x.double().numpy(), 1, -1) * 2.0**INPUT_BITS + 0.5)
    return fixed.clip(-WINDOW, WINDOW - 1).astype(np.int64)


def _bits(module: nn.Module) -> list[int]:
    """Of the weights of a trunk: wide ones for its first layer."""
    blocks = sum(isinstance(part, Residual) for part in module.children())
    return [END_BITS, *[WEIGHT_BITS] * (2 * blocks)]


def _conditioner(name: str, p: floats.Predictor, given: Tensor, scales: QFormat | None) -> Tensors:
    """A predictor of shifts, or of shifts and log-scales."""
    x, size = _inputs(given), p.linear.out_channels
    targets = [_SHIFT] * size + ([scales] * size if scales else [])
    gain = np.repeat([2.0**SHIFT_BITS] + [2.0**LOG_BITS] * (scales is not None), size)
    bits = [*_bits(p.network[:-1]), END_BITS]
    network = freeze(p.network, x, _SOURCE, targets, weight_bits=bits, gain=gain)
    return network.tensors(f"{name}.network") | _linear(name, p, x)


def _linear(name: str, p: floats.Predictor, x: NDArray[np.int64]) -> Tensors:
    net = freeze(nn.Sequential(p.linear), x, _SOURCE, _SHIFT, weight_bits=LINEAR_BITS, gain=2.0**SHIFT_BITS)
    return net.tensors(f"{name}.linear")


def _mixture(name: str, layer: floats.Mixture, x: Tensor) -> Tensors:
    """Constants, or trunk, head, linear predictor and what the other colours add."""
    colours, components = layer.colours, layer.components
    low, high = limits_of(colours, components)
    gain = np.concatenate(
        [
            np.tile(np.repeat([2.0**LOG_BITS, 2.0**SHIFT_BITS, 2.0**LOG_BITS], components), colours),
            np.full(colours * (colours - 1) // 2, 2.0**COEFFICIENT_BITS),
        ]
    )
    targets = [QFormat(bits=0, low=int(a), high=int(b)) for a, b in zip(low, high, strict=True)]
    if not layer.part[0]:
        constants = np.rint(layer.constants.detach().double().numpy().reshape(layer.phases, -1) * gain)
        return {f"{name}.constants": constants.clip(low, high).astype(np.int32).reshape(-1)}
    given = x[:, : layer.part[0]]
    inputs, seen = _inputs(given), layer.p.hidden(given)
    top = int(np.ceil(float(seen.max()) * HEADROOM * 2**INPUT_BITS))
    hidden = np.moveaxis(np.rint(seen.double().numpy() * 2**INPUT_BITS), 1, -1).clip(0, top).astype(np.int64)
    trunk = freeze(
        nn.Sequential(*layer.p.network[:-1].children()),
        inputs,
        _SOURCE,
        QFormat(bits=INPUT_BITS, low=0, high=top),
        weight_bits=_bits(layer.p.network[:-1]),
    )
    source = QFormat(bits=INPUT_BITS, low=0, high=top)
    head = freeze(
        nn.Sequential(layer.p.network[-1]),
        hidden,
        source,
        targets * layer.phases,
        weight_bits=END_BITS,
        gain=np.tile(gain, layer.phases),
    )
    tensors = trunk.tensors(f"{name}.trunk") | head.tensors(f"{name}.head") | _linear(name, layer.p, inputs)
    if layer.others is not None:
        values = x[:, slice(*layer.part)] - layer.p.linear(given)
        joined = np.concatenate([hidden, _inputs(4 * values[:, ::colours])], -1)
        source = QFormat(bits=INPUT_BITS, low=-WINDOW, high=max(top, WINDOW - 1))
        first = 3 * components
        others = freeze(
            layer.others,
            joined,
            source,
            targets[first:] * layer.phases,
            weight_bits=END_BITS,
            gain=np.tile(gain[first:], layer.phases),
        )
        tensors |= others.tensors(f"{name}.others")
    return tensors
