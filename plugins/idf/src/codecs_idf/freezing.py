"""From the flow in floating point to the one in integers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from codecs_core.entropy.distributions.categorical_mixture import LOGIT_BITS
from codecs_core.entropy.distributions.location_scale import SCALE_BITS
from codecs_core.exact.freeze import Fixed, freeze
from codecs_core.models import Model
from codecs_idf.flow import Flow
from codecs_idf.network import UNIT, Level, Network, Predictor
from codecs_idf.prior import MEAN_BITS, MEAN_LIMIT, WINDOW, limits_of

OCTAVES = math.log2(math.e)
#: Bits of the weights of a linear predictor, of the first and the last layer of a network, of the others. On CIFAR-10, eight for all of a
#: network cost 0.09 % of rate, and this 0.05 %.
LINEAR_BITS, END_BITS, WEIGHT_BITS = 14, 12, 8


def frozen(network: Network, examples: Tensor, *, attrs: Mapping[str, Any], name: str = "") -> Model:
    """Freeze a trained network; `examples` are images, as `Images.draw` gives them, that tell how large its activations grow."""
    network.eval()
    seen: dict[Predictor, NDArray[np.int64]] = {}

    def look(module: nn.Module, inputs: tuple[Tensor, ...], _: Any) -> None:
        x = np.moveaxis(np.rint(inputs[0].numpy() * UNIT), 1, -1)
        seen[cast(Predictor, module)] = x.clip(-WINDOW, WINDOW - 1).astype(np.int64)

    names = {module: name for name, module in network.named_modules() if isinstance(module, Predictor)}
    hooks = [module.register_forward_hook(look) for module in names]
    with torch.inference_mode():
        network.bits(examples)
    for hook in hooks:
        hook.remove()
    c, components = network.channels, network.components
    low, high = limits_of(c, components)
    each, pairs = c * components, c * (c - 1) // 2
    gains = np.repeat(
        [OCTAVES * (1 << LOGIT_BITS), UNIT * (1 << MEAN_BITS), OCTAVES * (1 << SCALE_BITS), 1 << MEAN_BITS],
        [each, each, each, pairs],
    )
    source = Fixed(bits=int(math.log2(UNIT)), low=-WINDOW, high=WINDOW - 1)
    mean = Fixed(bits=0, low=-MEAN_LIMIT, high=MEAN_LIMIT)
    parameters = [Fixed(bits=0, low=int(a), high=int(b)) for a, b in zip(low, high, strict=True)]
    tensors: dict[str, NDArray[Any]] = {}
    for module, where in names.items():
        # levelI.couplingJ or levelI.priorG
        level, kind, number = where.split(".")[1:4]
        prefix = f"level{level}.{ {'couplings': 'coupling', 'priors': 'prior'}[kind] }{number}"
        phases = module.linear.out_channels // c
        prior = kind == "priors"
        target = parameters * phases if prior else mean
        gain = np.tile(gains, phases) if prior else UNIT * (1 << MEAN_BITS)
        x = seen[module]
        bits = [END_BITS, *[WEIGHT_BITS] * (2 * module.blocks), END_BITS]
        frozen_network = freeze(module.network, x, source, target, weight_bits=bits, gain=gain)
        tensors |= frozen_network.tensors(f"{prefix}.network")
        linear = nn.Sequential(module.linear)
        tensors |= freeze(linear, x, source, mean, weight_bits=LINEAR_BITS, gain=UNIT * (1 << MEAN_BITS)).tensors(
            f"{prefix}.linear"
        )
    top = np.floor(network.top.detach().double().numpy().ravel() * gains + 0.5)
    tensors["top"] = top.clip(low, high).astype(np.int32)
    config = {
        "channels": c,
        "couplings": [len(cast(Level, level).couplings) for level in network.levels],
        "components": components,
    }
    model = Model.create(codec="idf.image", config=config, tensors=tensors, attrs=dict(attrs), name=name)
    Flow(model.config, model.tensors())
    return model
