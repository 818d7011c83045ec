"""What a model file holds, ready for use: for each plane a prior of the predictor, and a network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_ar import kernels, neighbours, passes, pipeline
from codecs_ar.learner import Network
from codecs_ar.passes import Messages
from codecs_ar.planes import Expert, Planes
from codecs_ar.regression import packed
from codecs_ar.smallest import places
from codecs_ar.smallest.panel import LENGTH, Beginning
from codecs_ar.workspace import PRECISION, Coded, Predictors
from codecs_core import ModelParts
from codecs_core.entropy import Message

#: Layers and widths a model may have.
LAYERS, WIDEST = 8, 1024
#: Periods a model may have, and negative exponents of its rates.
LONGEST, SLOWEST = 1 << 16, 24


@dataclass(frozen=True, eq=False)
class Plane:
    """How the values of a plane are coded: the predictor's prior, as `regression.solve` takes it, and the network to begin with."""

    prior: NDArray[np.float32]
    weights: list[NDArray[np.int32]]
    biases: list[NDArray[np.int32]]
    rates: tuple[int, ...]

    @property
    def network(self) -> Network:
        """A new one, which will learn."""
        return Network.of(self.weights, self.biases, self.weights[0].shape[1], self.rates)


class Opinion:
    """One description of values, by its predictors and its networks: those of all planes.

    Parameters
    ----------
    parts
        Its config, `components`, `decays`, `periods` and `rates`, and the tensors.
    name
        What names of tensors begin with.
    channels
        How many planes there are.
    view
        The module that says which neighbours are looked at.
    """

    def __init__(self, parts: ModelParts, name: str, channels: int, view: ModuleType) -> None:
        self.components = parts.number("components", range(1, 17))
        decays, periods, self.rates = (
            parts.numbers(key, allowed, (2,))
            for key, allowed in (
                ("decays", range(256)),
                ("periods", range(1, LONGEST + 1)),
                ("rates", range(SLOWEST + 1)),
            )
        )
        self.predictors = Predictors.of(decays, periods)
        self.planes = [self._plane(f"{name}{i}", i, parts, view) for i in range(channels)]

    def _plane(self, name: str, plane: int, parts: ModelParts, view: ModuleType) -> Plane:
        n = view.regressors(plane)
        prior = parts.tensor(f"{name}.prior", "float64", (n * (n + 1) // 2 + n,))
        parts.require(bool((np.abs(prior) < 1e12).all()), f"a {name}.prior of numbers of 1e12 and more, or none")
        weights: list[NDArray[np.int32]] = []
        biases: list[NDArray[np.int32]] = []
        while (where := f"{name}.{len(weights)}") + ".weight" in parts.tensors:
            inputs = len(weights[-1]) if weights else view.features(plane)
            weights.append(parts.tensor(f"{where}.weight", "int32", (-1, inputs)))
            parts.require(len(weights[-1]) <= WIDEST, f"{len(weights[-1])} outputs in {where}; expected up to {WIDEST}")
            biases.append(parts.tensor(f"{where}.bias", "int32", (len(weights[-1]),)))
        said, outputs = len(weights[-1]) if weights else 0, 3 * self.components
        parts.require(
            1 <= len(weights) <= LAYERS and said == outputs,
            f"{len(weights)} layers in {name}, the last one of {said} outputs; expected up to {LAYERS}, and {outputs} outputs",
        )
        return Plane(packed(prior, n), weights, biases, self.rates)

    def expert(self, role: int, second: Expert | None = None) -> Expert:
        """A new one for a plane that sees this number of planes, which knows what the model says."""
        plane = self.planes[role]
        return Expert(plane.prior, self.predictors, plane.network, self.components, second)


class Second(Opinion):
    """A second opinion, for the level smallest: it looks further; and what panels that hear both begin with.

    Of each plane there is a tensor ``wideI.panel``, `int32` in units of 2^-16: `Beginning`, its finals last.
    """

    def __init__(self, parts: ModelParts, channels: int) -> None:
        config = parts.config["wide"]
        parts.require(isinstance(config, Mapping), "wide that is no mapping")
        super().__init__(ModelParts(config, parts.tensors, "ar.image"), "wide", channels, places)
        self.beginnings = [Beginning.of(parts.tensor(f"wide{i}.panel", "int32", (LENGTH,))) for i in range(channels)]


class Autoregression:
    """A model as it codes.

    Parameters
    ----------
    config
        `channels`: 1, or 3; `components` of a mixture; and of two each: `decays` of the predictors, in 256ths; `periods`, for this many
        values each is solved once; `rates` at which the weights, and the biases, of the networks learn, as negative exponents of 2,
        0 standing for not at all. `wide` may hold the same, but for the channels, for a second opinion.
    tensors
        For each plane ``planeI.prior`` and, layer after layer, ``planeI.J.weight`` and ``planeI.J.bias``; of a second opinion so
        ``wideI`` in place of ``planeI``, and ``wideI.panel``.

    Raises
    ------
    ModelError
        For anything missing, out of range or unfit.
    """

    def __init__(self, config: Mapping[str, Any], tensors: Mapping[str, NDArray[Any]]) -> None:
        parts = ModelParts(config, tensors, "ar.image")
        self.channels = parts.number("channels", (1, 3))
        self.first = Opinion(parts, "plane", self.channels, neighbours)
        self.second = Second(parts, self.channels) if "wide" in config else None

    @property
    def components(self) -> int:
        """Logistics of a mixture."""
        return self.first.components

    @property
    def planes(self) -> list[Plane]:
        """How the values of each plane are coded."""
        return self.first.planes

    def push(self, message: Messages, images: NDArray[Any]) -> None:
        """Push images of shape (n, height, width, channels), uint8 or uint16: the last plane first, in each the last value first."""
        self._push(message, Planes.of(images))

    def pop(self, message: Messages, shape: tuple[int, int, int, int], dtype: str) -> NDArray[Any]:
        """Pop images of this shape."""
        n, h, w, channels = shape
        planes = Planes((channels, n, h, w), int(np.iinfo(dtype).max))
        return self._popped(message, planes).images_of(dtype)

    def push_planes(self, message: Messages, codes: NDArray[np.uint16], top: int) -> None:
        """Push planes of shape (planes, n, height, width), of values up to `top`; each plane sees those before it."""
        planes = self.planes_of(codes.shape, top)
        planes.values[:] = codes
        self._push(message, planes)

    def pop_planes(self, message: Messages, shape: tuple[int, int, int, int], top: int) -> NDArray[np.uint16]:
        """Inverse of `push_planes`."""
        return self._popped(message, self.planes_of(shape, top)).values.astype(np.uint16)

    def planes_of(self, shape: tuple[int, int, int, int], top: int) -> Planes:
        """Room for planes of shape (planes, n, height, width). Each plane sees those before it, as far as the model knows how."""
        return Planes(shape, top, [min(i, self.channels - 1) for i in range(shape[0])])

    def _push(self, message: Messages, planes: Planes) -> None:
        coded = [Coded.empty(planes.values[0].size) for _ in range(planes.count)]
        pipeline.run(passes.over(planes, self.expert, coded=coded))
        for one, (starts, freqs) in reversed(list(zip(passes.each(message, planes.count), coded, strict=True))):
            one.push_symbols(kernels.push, starts, PRECISION, (freqs,), thin=True)

    def _popped(self, message: Messages, planes: Planes) -> Planes:
        found = passes.over(planes, self.expert, message=message)
        pipeline.run(found, together=not isinstance(message, Message))
        return planes

    def expert(self, role: int) -> Expert:
        """A new one for a plane that sees this number of planes, which knows what the model says."""
        return self.first.expert(role)

    def experts(self, role: int) -> Expert:
        """The same with a second opinion, where the model has one."""
        return self.first.expert(role, self.second.expert(role) if self.second else None)
