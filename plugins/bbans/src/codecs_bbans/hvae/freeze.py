"""From the hierarchical autoencoder in floating point to the one in integers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from codecs_bbans.hvae.model import Hierarchy
from codecs_bbans.hvae.network import LOG_SCALES, MEANS, Level, Network, Phases
from codecs_bbans.hvae.phases import FEATURE, MEAN_BITS, MEAN_LIMIT, UNIT, limits_of, repeats_of
from codecs_core import Model
from codecs_core.entropy import BucketedGaussian, LogisticMixture, QFormat
from codecs_core.exact import freeze
from codecs_core.learn import BITS_PER_NAT

#: What the mean of a pixel is multiplied by.
PIXELS = UNIT * (1 << MEAN_BITS)


def frozen(network: Network, examples: Tensor, *, attrs: Mapping[str, Any], name: str = "") -> Model:
    """Freeze a trained network; `examples` are images, as `Crops.draw` gives them, that tell how large its activations grow."""
    network.eval()
    seen = inputs_of(network, examples)
    tensors: dict[str, NDArray[Any]] = {}
    for i, level in enumerate(network.levels):
        tensors |= _level(cast(Level, level), f"level{i}", seen)
    for prefix, phases in (("inner", network.inner), ("rest", network.rest)):
        tensors |= _phases(phases, prefix, network, seen)
    config = {
        "channels": network.channels,
        "latents": [cast(Level, level).latents for level in network.levels],
        "features": network.features,
        "components": network.components,
    }
    model = Model.create(codec="bbans.hvae", config=config, tensors=tensors, attrs=dict(attrs), name=name)
    Hierarchy(model.config, model.tensors())
    return model


def inputs_of(network: Network, examples: Tensor) -> dict[nn.Module, NDArray[np.int64]]:
    """What the first layer of each network is given for these images, as integers of shape (n, h, w, channels)."""
    seen: dict[nn.Module, NDArray[np.int64]] = {}

    def look(module: nn.Module, inputs: tuple[Tensor, ...], _: Any) -> None:
        seen[module] = FEATURE.units(np.moveaxis(inputs[0].numpy(), 1, -1))

    firsts = [module[0] for module in network.modules() if isinstance(module, nn.Sequential) and len(module) > 3]
    hooks = [first.register_forward_hook(look) for first in firsts]
    with torch.inference_mode():
        network.bits(examples)
    for hook in hooks:
        hook.remove()
    return seen


def _level(level: Level, name: str, seen: Mapping[nn.Module, NDArray[np.int64]]) -> dict[str, NDArray[Any]]:
    n, mean, scale = level.latents, BucketedGaussian.MEAN, BucketedGaussian.LOG_SCALE
    means = mean.within(*(int(end * 2**mean.bits) for end in MEANS))
    scales = scale.within(*(int(end * BITS_PER_NAT * 2**scale.bits) for end in LOG_SCALES))
    normal = [means] * n + [scales] * n, np.repeat([1.0, BITS_PER_NAT], n)
    targets: dict[str, tuple[QFormat | list[QFormat], Any]] = {
        "up": (FEATURE, 1.0),
        "prior": normal,
        "posterior": normal,
        "down": (FEATURE, 1.0),
    }
    tensors: dict[str, NDArray[Any]] = {}
    for part, (target, gain) in targets.items():
        module: nn.Sequential | None = getattr(level, part)
        if module is None:
            continue
        net = freeze(module, seen[module[0]], FEATURE, target, gain=gain)
        tensors |= net.tensors(f"{name}.{part}")
    return tensors


def _phases(
    phases: Phases, name: str, network: Network, seen: Mapping[nn.Module, NDArray[np.int64]]
) -> dict[str, NDArray[Any]]:
    low, high = limits_of(network.channels, network.components)
    logit, scale = LogisticMixture.LOGIT.bits, LogisticMixture.LOG_SCALE.bits
    units = [BITS_PER_NAT * 2**logit, PIXELS, BITS_PER_NAT * 2**scale, 1 << MEAN_BITS]
    gain = np.repeat(units, repeats_of(network.channels, network.components))
    each = [QFormat(bits=0, low=int(a), high=int(b)) for a, b in zip(low, high, strict=True)]
    mean = QFormat(bits=0, low=-MEAN_LIMIT, high=MEAN_LIMIT)
    tensors: dict[str, NDArray[Any]] = {}
    for g, (group, prior) in enumerate(zip(phases.groups, phases.priors, strict=True)):
        many, x = len(group), seen[prior.network[0]]  # type: ignore[index]
        tensors |= prior.freeze(  # type: ignore[operator]
            f"{name}.prior{g}", x, FEATURE, each * many, mean, gain=np.tile(gain, many), scale=PIXELS
        )
    return tensors
