"""From the networks of photographs in floating point to a model in integers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from codecs_core import Model
from codecs_core.entropy import QFormat
from codecs_core.exact import freeze
from codecs_rec.lossy.model import CORRECTION, GREY, REACH
from codecs_rec.photograph.codec import WORTH
from codecs_rec.photograph.lapped import lapped, opponent
from codecs_rec.photograph.model import LOGITS, MEANS, SCALES, SPAN
from codecs_rec.photograph.network import COMPONENTS, UNIT, Network, scaling
from codecs_rec.photograph.prior import GRID_BITS
from codecs_rec.transform import MATRIX_BITS, VALUE_BITS

#: Bits of a weight of the networks of priors, and of the one that refines.
WIDE, NARROW = 12, 10
SEEN = QFormat(bits=GRID_BITS, low=-SPAN, high=SPAN)


def frozen(network: Network, images: Sequence[NDArray[np.uint8]], attrs: dict[str, Any], name: str) -> Model:
    """Freeze the networks by what they see of images of one shape (h, w, 3), at every third quality."""
    network.eval()
    x = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float() - GREY
    tensors: dict[str, NDArray[Any]] = {
        "basis": np.rint(lapped() * (1 << MATRIX_BITS)).astype(np.int16),
        "colours": np.rint(opponent() * (1 << MATRIX_BITS)).astype(np.int16),
        "places": network.places.astype(np.int8),
        "spacings": np.rint(network.spacings.numpy() * (1 << VALUE_BITS)).astype(np.int16),
        "levels": np.rint(network.levels.numpy() * (1 << GRID_BITS)).astype(np.int16),
    }
    seen = _seen(network, x)

    def net(part: nn.Module, label: str, source: QFormat, target: Any, bits: int, **more: Any) -> None:
        layers = cast(nn.Sequential, part)
        given = np.floor(np.moveaxis(seen[layers[0]], 1, -1) * 2.0**source.bits)
        examples = np.clip(given, source.low, source.high).astype(np.int64)
        tensors.update(freeze(layers, examples, source, target, weight_bits=bits, **more).tensors(label))

    for step, first in enumerate(network.first):
        net(_scaled(first), f"first.{step}", SEEN, _targets(first), WIDE, activation_bits=8)
    between = QFormat(bits=GRID_BITS, low=0, high=SPAN)
    for group, (trunk, heads) in enumerate(zip(network.trunk, network.heads, strict=True), 1):
        net(trunk, f"trunk.{group}", SEEN, between, WIDE)
        for step, head in enumerate(cast(nn.ModuleList, heads)):
            net(_scaled(head), f"prior.{group}.{step}", SEEN, _targets(head), WIDE, activation_bits=8)
    squares = QFormat(bits=10, low=-REACH, high=REACH)
    added = QFormat(bits=VALUE_BITS, low=-CORRECTION, high=CORRECTION)
    net(network.refine, "refine", squares, added, NARROW, activation_bits=9, gain=UNIT)
    config = {"kind": "photograph", "groups": network.edges[1:], "components": COMPONENTS}
    return Model.create(codec="rec.vae", config=config, tensors=tensors, attrs=attrs, name=name)


def _scaled(head: nn.Module) -> nn.Sequential:
    """A network of priors whose outputs are logits and log-scales to base 2, and means in spacings."""
    inner, last = list(cast(nn.Sequential, head))[:-1], _last(head)
    gains, offsets = scaling(last.out_channels)
    octaves = torch.tensor([1 / math.log(2), 1.0, 1 / math.log(2)]).repeat_interleave(last.out_channels // 3)
    out = nn.Conv2d(last.in_channels, last.out_channels, 1)
    with torch.no_grad():
        out.weight.copy_(last.weight * (gains * octaves)[:, None, None, None])
        cast(Tensor, out.bias).copy_((cast(Tensor, last.bias) * gains + offsets) * octaves)
    return nn.Sequential(*inner, out)


def _last(head: nn.Module) -> nn.Conv2d:
    return cast(nn.Conv2d, cast(nn.Sequential, head)[-1])


def _targets(head: nn.Module) -> list[QFormat]:
    count = _last(head).out_channels // 3
    logits, scales = (QFormat(bits=6, low=low, high=high) for low, high in ((-LOGITS, LOGITS), SCALES))
    return [logits] * count + [QFormat(bits=GRID_BITS, low=-MEANS, high=MEANS)] * count + [scales] * count


def _seen(network: Network, x: Tensor) -> dict[nn.Module, NDArray[np.float32]]:
    """What the first layer of each network is given for images at every third quality."""
    found: dict[nn.Module, list[Tensor]] = {}
    heads = [head for pair in network.heads for head in cast(nn.ModuleList, pair)]
    hooks = [
        cast(nn.Sequential, part)[0].register_forward_pre_hook(
            lambda layer, given: found.setdefault(layer, []).append(given[0])
        )
        for part in (*network.first, *network.trunk, *heads, network.refine)
    ]
    with torch.inference_mode():
        y = network.analyse(x)
        for spacing, level in zip(network.spacings[::3], network.levels[::3], strict=True):
            means = network.coded(y / spacing, level.expand(len(x)), WORTH)[1]
            network.refined(network.synthesise(means * spacing), level.expand(len(x)))
    for hook in hooks:
        hook.remove()
    return {layer: torch.cat(given).float().numpy() for layer, given in found.items()}
