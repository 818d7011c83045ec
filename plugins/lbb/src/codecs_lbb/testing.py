"""Networks with random weights: they compress badly and code exactly, so tests need no training and no torch; and a smooth flow."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_core import Model
from codecs_core.entropy import Message
from codecs_core.exact import ExactNet, Layer
from codecs_core.jit import kernel
from codecs_core.testing import Draw
from codecs_lbb import elementary, local
from codecs_lbb.conditioner import LOG_BITS, SHIFT_BITS, WINDOW
from codecs_lbb.elementwise import Scale
from codecs_lbb.grid import Grid
from codecs_lbb.layers.mixture import COEFFICIENT_BITS


class Source(Draw):
    """Integers, and networks of the layers of a flow."""

    def conditioner(
        self, name: str, inputs: int, low: NDArray[np.int64], high: NDArray[np.int64], shifts: int
    ) -> dict[str, NDArray[Any]]:
        """Tensors of a `codecs_lbb.conditioner.Conditioner`."""
        hidden = [
            self.layer((3, 3, inputs), np.zeros(6), np.full(6, 1000), shift=4),
            self.layer((1, 1, 6), low, high, shift=1),
        ]
        limit = np.full(shifts, 1 << SHIFT_BITS)
        nets = {"network": hidden, "linear": [self.layer((3, 3, inputs), -limit, limit, shift=0)]}
        return _tensors(name, nets)

    def mixture(
        self, name: str, *, colours: int, part: tuple[int, int], components: int, width: int = 6
    ) -> dict[str, NDArray[Any]]:
        """Tensors of a `codecs_lbb.layers.Mixture`."""
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
            "trunk": [self.layer((3, 3, part[0]), np.zeros(width), np.full(width, 1000), shift=4)],
            "head": [self.layer((1, 1, width), low, top, shift=1)],
            "linear": [self.layer((3, 3, part[0]), -limit, limit, shift=0)],
        }
        tensors = _tensors(name, nets)
        if few.size:
            others = ExactNet([self.layer((1, 1, width + phases), -few, few, shift=3)], -WINDOW, WINDOW - 1)
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


def steep_model() -> Model:
    """Make a model of ``lbb.flow`` whose grey levels come to a mixture as values up to 720: far from all that a trained one meets."""
    tensors = {
        "layer0.shift": np.zeros(1, np.int32),
        "layer0.log_scale": np.full(1, 340_000, np.int32),
        "layer1.constants": np.array([-32768, 32768, 0, 0, -7168, 4096], np.int32),
    }
    config = {"channels": 1, "centre": 128, "components": 2, "grid": [24, 12], "learned": False}
    return Model.create(
        codec="lbb.flow", config=config | {"layers": [["actnorm"], ["mixture", [0, 1]]]}, tensors=tensors
    )


@dataclass(frozen=True, eq=False)
class Couplings:
    """A smooth flow of vectors, which can be coded layer by layer and as a black box: affine couplings, whose halves take turns.

    Parameters
    ----------
    weights
        Shape (layers, half, half): shifts t = weights x of the second half by the first, log-scales logistic(t) - 1/2.
    """

    weights: NDArray[np.float64]

    @classmethod
    def random(cls, seed: int, d: int, layers: int = 3) -> Couplings:
        """Of vectors of an even length d."""
        unit = Source(seed)(-1000, 1000, layers, d // 2, d // 2) / 1000.0
        return cls(unit / math.sqrt(d / 2))

    def forward(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Z = f(x), shape (n, d)."""
        for weights in self.weights:
            first, second = np.split(x, 2, -1)
            shift, log_scale = _conditions(first, weights)
            x = np.concatenate([Scale(log_scale).forward(second + shift)[0], first], -1)
        return x

    def inverse(self, z: NDArray[np.float64]) -> NDArray[np.float64]:
        """Inverse of `forward`."""
        for weights in self.weights[::-1]:
            second, first = np.split(z, 2, -1)
            shift, log_scale = _conditions(first, weights)
            z = np.concatenate([first, Scale(log_scale).inverse(second) - shift], -1)
        return z

    def log_determinant(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """In nats, shape (n,)."""
        total = np.zeros(len(x))
        for i, weights in enumerate(self.weights):
            total += _conditions(np.split(Couplings(self.weights[:i]).forward(x), 2, -1)[0], weights)[1].sum(-1)
        return total

    def push(self, message: Message, grid: Grid, x: NDArray[np.int64]) -> NDArray[np.int64]:
        """Local bits-back coding layer by layer; returns z."""
        for weights in self.weights:
            first, second = np.split(x, 2, -1)
            shift, log_scale = _conditions(grid.values(first), weights)
            x = np.concatenate([local.push(message, grid, second + grid.units(shift), Scale(log_scale)), first], -1)
        return x

    def pop(self, message: Message, grid: Grid, z: NDArray[np.int64]) -> NDArray[np.int64]:
        """Inverse of `push`."""
        for weights in self.weights[::-1]:
            second, first = np.split(z, 2, -1)
            shift, log_scale = _conditions(grid.values(first), weights)
            z = np.concatenate([first, local.pop(message, grid, second, Scale(log_scale)) - grid.units(shift)], -1)
        return z


def _conditions(
    first: NDArray[np.float64], weights: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Shifts and log-scales."""
    shift, log_scale = np.empty((2, *first.shape))
    _sums(np.ascontiguousarray(first), weights, shift, log_scale)
    return shift, log_scale


@kernel
def _sums(first, weights, shift, log_scale):
    for item in range(len(first)):
        shift[item] = 0.0
        for j in range(len(weights)):
            for i in range(len(weights)):
                shift[item, i] += weights[j, i] * first[item, j]
        for i in range(len(weights)):
            log_scale[item, i] = elementary.logistic(shift[item, i]) - 0.5
