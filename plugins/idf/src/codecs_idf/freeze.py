"""From the flow in floating point to the one in integers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from codecs_core import Model
from codecs_core.entropy import LogisticMixture, QFormat
from codecs_core.exact import ExactNet, thaw
from codecs_core.learn import BITS_PER_NAT, Predictor
from codecs_idf.model import Flow
from codecs_idf.network import UNIT, Level, Network
from codecs_idf.prior import MEAN_BITS, MEAN_LIMIT, WINDOW, limits_of

#: What a mean is multiplied by.
MEANS = UNIT * (1 << MEAN_BITS)


def gains_of(channels: int, components: int) -> NDArray[np.float64]:
    """What each parameter of a prior is multiplied by: logits, means, log-scales, coefficients between the channels."""
    each, pairs = channels * components, channels * (channels - 1) // 2
    logit, scale = LogisticMixture.LOGIT.bits, LogisticMixture.LOG_SCALE.bits
    return np.repeat(
        [BITS_PER_NAT * 2**logit, MEANS, BITS_PER_NAT * 2**scale, 1 << MEAN_BITS],
        [each, each, each, pairs],
    )


def predictors_of(network: Network) -> Iterator[tuple[Predictor, str, Any]]:
    """Each predictor of couplings and priors, what it is called in a model, and what its network's outputs are multiplied by."""
    gains = gains_of(network.channels, network.components)
    for name, module in network.named_modules():
        if isinstance(module, Predictor):
            level, kind, number = name.split(".")[1:4]
            phases = module.linear.out_channels // network.channels
            one, gain = {"couplings": ("coupling", MEANS), "priors": ("prior", np.tile(gains, phases))}[kind]
            yield module, f"level{level}.{one}{number}", gain


def frozen(network: Network, examples: Tensor, *, attrs: Mapping[str, Any], name: str = "") -> Model:
    """Freeze a trained network; `examples` are images, as `Crops.draw` gives them, that tell how large its activations grow."""
    network.eval()
    seen: dict[Predictor, NDArray[np.int64]] = {}

    def look(module: nn.Module, inputs: tuple[Tensor, ...], _: Any) -> None:
        x = np.moveaxis(np.rint(inputs[0].numpy() * UNIT), 1, -1)
        seen[cast(Predictor, module)] = x.clip(-WINDOW, WINDOW - 1).astype(np.int64)

    predictors = [*predictors_of(network)]
    hooks = [module.register_forward_hook(look) for module, _, _ in predictors]
    with torch.inference_mode():
        network.bits(examples)
    for hook in hooks:
        hook.remove()
    c, components = network.channels, network.components
    low, high = limits_of(c, components)
    gains = gains_of(c, components)
    source = QFormat(bits=int(math.log2(UNIT)), low=-WINDOW, high=WINDOW - 1)
    mean = QFormat(bits=0, low=-MEAN_LIMIT, high=MEAN_LIMIT)
    parameters = [QFormat(bits=0, low=int(a), high=int(b)) for a, b in zip(low, high, strict=True)]
    tensors: dict[str, NDArray[Any]] = {}
    for module, prefix, gain in predictors:
        target = mean if gain is MEANS else parameters * (module.linear.out_channels // c)
        tensors |= module.freeze(prefix, seen[module], source, target, mean, gain=gain, scale=MEANS)
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


def load_into(network: Network, tensors: Mapping[str, NDArray[Any]]) -> None:
    """Give a network the weights of a model, as far as there are levels and couplings in both; raises `ModelError` if they do not fit."""
    source, gains = int(math.log2(UNIT)), gains_of(network.channels, network.components)
    for module, prefix, gain in predictors_of(network):
        if any(key.startswith(f"{prefix}.network.") for key in tensors):
            thaw(ExactNet.from_tensors(tensors, f"{prefix}.network"), module.network, source, 0, gain=gain)
            linear = ExactNet.from_tensors(tensors, f"{prefix}.linear")
            thaw(linear, nn.Sequential(module.linear), source, 0, gain=MEANS)
    if tensors["top"].shape == gains.shape:
        with torch.no_grad():
            network.top.copy_(torch.from_numpy(tensors["top"] / gains).view(1, -1, 1, 1))
