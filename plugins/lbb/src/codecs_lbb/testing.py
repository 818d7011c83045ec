"""Networks with random weights: they compress badly and code exactly, so tests need no training and no torch."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from codecs_core.exact import ExactNet, Layer
from codecs_core.models import Model
from codecs_lbb.conditioner import LOG_BITS, SHIFT_BITS, WINDOW
from codecs_lbb.layers.mixture_coupling import COEFFICIENT_BITS


class Source:
    """Integers from raw bits of Philox, which are the same with every numpy, and networks of them."""

    def __init__(self, seed: int) -> None:
        self._bits = np.random.Philox(seed)

    def __call__(self, low: int, high: int, *shape: int) -> NDArray[np.int64]:
        """Integers from `low` to `high`."""
        raw = np.asarray(self._bits.random_raw(math.prod(shape))) >> np.uint64(32)
        return (low + (raw.astype(np.int64) * (high - low + 1) >> 32)).reshape(shape)

    def layer(self, kernel: int, inputs: int, low: ArrayLike, high: ArrayLike, shift: int) -> Layer:
        """A convolution with outputs between bounds."""
        lows, highs = np.asarray(low, np.int32), np.asarray(high, np.int32)
        return Layer(
            weight=self(-20, 20, lows.size, kernel, kernel, inputs).astype(np.int8),
            bias=self(-1000, 1000, lows.size),
            shift=np.full(lows.size, shift, np.int8),
            low=lows,
            high=highs,
        )

    def conditioner(
        self, name: str, inputs: int, low: NDArray[np.int64], high: NDArray[np.int64], shifts: int
    ) -> dict[str, NDArray[Any]]:
        """Tensors of a `codecs_lbb.conditioner.Conditioner`."""
        hidden = [self.layer(3, inputs, np.zeros(6), np.full(6, 1000), 4), self.layer(1, 6, low, high, 1)]
        limit = np.full(shifts, 1 << SHIFT_BITS)
        nets = {"network": hidden, "linear": [self.layer(3, inputs, -limit, limit, 0)]}
        return _tensors(name, nets)

    def mixture(
        self, name: str, *, colours: int, part: tuple[int, int], components: int, width: int = 6
    ) -> dict[str, NDArray[Any]]:
        """Tensors of a `codecs_lbb.layers.MixtureCoupling`."""
        pairs = colours * (colours - 1) // 2
        phases = (part[1] - part[0]) // colours
        ends = np.repeat([1 << LOG_BITS, 2 << SHIFT_BITS, 1 << LOG_BITS], components)
        high = np.concatenate([np.tile(ends, colours), np.full(pairs, 1 << (COEFFICIENT_BITS - 1))])
        # scales from e^-4 to e^-1
        middle = np.concatenate([np.tile(np.repeat([0, 0, -2 << LOG_BITS], components), colours), np.zeros(pairs)])
        if not part[0]:
            draws = np.concatenate([self(-int(m), int(m), phases) for m in high]).reshape(-1, phases).T
            return {f"{name}.constants": (draws + middle).astype(np.int32).reshape(-1)}
        low, top = (np.tile(middle + sign * high, phases).astype(np.int64) for sign in (-1, 1))
        few = np.tile(high[3 * components :] >> 2, phases)
        limit = np.full(part[1] - part[0], 1 << SHIFT_BITS)
        nets = {
            "trunk": [self.layer(3, part[0], np.zeros(width), np.full(width, 1000), 4)],
            "head": [self.layer(1, width, low, top, 1)],
            "linear": [self.layer(3, part[0], -limit, limit, 0)],
        }
        tensors = _tensors(name, nets)
        if few.size:
            others = ExactNet([self.layer(1, width + phases, -few, few, 3)], -WINDOW, WINDOW - 1)
            tensors |= others.tensors(f"{name}.others")
        return tensors


def _tensors(name: str, nets: dict[str, list[Layer]]) -> dict[str, NDArray[Any]]:
    joined: dict[str, NDArray[Any]] = {}
    for key, layers in nets.items():
        reach = (0, 1000) if key == "head" else (-WINDOW, WINDOW - 1)
        joined |= ExactNet(layers, *reach).tensors(f"{name}.{key}")
    return joined


def random_model(channels: int = 3, *, seed: int = 0, name: str = "random") -> Model:
    """Make a model of ``lbb.flow`` that learnt nothing, with a layer of each kind but the logit, for sides that are multiples of 4."""
    draw, wide = Source(seed), 4 * channels
    layers: list[list[Any]] = [
        ["convolution"],
        ["affine", 0],
        ["squeeze"],
        ["actnorm"],
        ["additive", [channels, wide]],
    ]
    layers += [["affine", [0, channels]], ["mixture", [2 * channels, wide]], ["mixture", [channels, 2 * channels]]]
    layers += [["factor", channels], ["squeeze"], ["mixture", [0, channels]]]
    shift, scale = 1 << SHIFT_BITS, 1 << (LOG_BITS - 1)

    def affine(key: str, inputs: int, size: int) -> dict[str, NDArray[Any]]:
        high = np.repeat([shift, scale], size)
        return draw.conditioner(key, inputs, -high, high, size)

    tensors: dict[str, NDArray[Any]] = {
        "layer0.order": np.arange(channels, dtype=np.int32)[::-1].copy(),
        "layer0.lower": draw(-2000, 2000, channels, channels).astype(np.int32),
        "layer0.upper": draw(-2000, 2000, channels, channels).astype(np.int32),
        "layer3.shift": draw(-shift, shift, wide).astype(np.int32),
        "layer3.log_scale": draw(-shift, shift, wide).astype(np.int32) >> 1,
    }
    limit = np.full(wide - channels, shift)
    tensors |= affine("layer1", channels, channels)
    tensors |= draw.conditioner("layer4", channels, -limit, limit, wide - channels)
    tensors |= affine("layer5", wide - channels, channels) | affine("noise", wide, wide)
    for number in (6, 7, 10):
        tensors |= draw.mixture(f"layer{number}", colours=channels, part=tuple(layers[number][1]), components=2)
    config = {
        "channels": channels,
        "centre": 128,
        "components": 2,
        "grid": [24, 12],
        "learned": True,
        "layers": layers,
    }
    return Model.create(codec="lbb.flow", config=config, tensors=tensors, attrs={"seed": seed}, name=name)
