"""What a model file holds, ready for use: for each plane a prior of the predictor, and a network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_ar import kernels, neighbours
from codecs_ar.learner import Network
from codecs_ar.planes import ROLES, Expert, Planes
from codecs_ar.regression import packed
from codecs_ar.workspace import PRECISION, Predictors
from codecs_core.entropy import Message
from codecs_core.errors import ModelError

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
    rates: tuple[int, int]

    @property
    def network(self) -> Network:
        """A new one, which will learn."""
        return Network.of(self.weights, self.biases, self.weights[0].shape[1], self.rates)


class Autoregression:
    """A model as it codes.

    Parameters
    ----------
    config
        `channels`: 1, or 3; `components` of a mixture; and of two each: `decays` of the predictors, in 256ths; `periods`, for this many
        values each is solved once; `rates` at which the weights, and the biases, of the networks learn, as negative exponents of 2,
        0 standing for not at all.
    tensors
        For each plane ``planeI.prior`` and, layer after layer, ``planeI.J.weight`` and ``planeI.J.bias``.

    Raises
    ------
    ModelError
        For anything missing, out of range or unfit.
    """

    def __init__(self, config: Mapping[str, Any], tensors: Mapping[str, NDArray[Any]]) -> None:
        channels, components = config.get("channels"), config.get("components")
        if (
            type(channels) is not int
            or channels not in (1, 3)
            or type(components) is not int
            or not 1 <= components <= 16
        ):
            raise ModelError(
                f"a model of ar.image has 1 or 3 channels and 1 to 16 components, not {channels!r} and {components!r}"
            )
        self.channels, self.components = int(channels), components
        self.predictors = Predictors.of(_two(config, "decays", 0, 255), _two(config, "periods", 1, LONGEST))
        self.rates = _two(config, "rates", 0, SLOWEST)
        self.planes = [self._plane(i, tensors) for i in range(self.channels)]

    def _plane(self, plane: int, tensors: Mapping[str, NDArray[Any]]) -> Plane:
        n = neighbours.regressors(plane)
        prior = tensors.get(f"plane{plane}.prior")
        if prior is None or prior.dtype != np.float64 or prior.shape != (n * (n + 1) // 2 + n,):
            raise ModelError(f"a model of ar.image lacks plane{plane}.prior, {n * (n + 1) // 2 + n} doubles")
        if not (np.abs(prior) < 1e12).all():
            raise ModelError(f"plane{plane}.prior of a model holds numbers of 1e12 and more, or none")
        weights: list[NDArray[np.int32]] = []
        biases: list[NDArray[np.int32]] = []
        while (weight := tensors.get(f"plane{plane}.{len(weights)}.weight")) is not None:
            where, wanted = f"plane{plane}.{len(weights)}", len(weights[-1]) if weights else neighbours.features(plane)
            bias = tensors.get(f"{where}.bias")
            if (
                weight.dtype != np.int32
                or weight.ndim != 2
                or not 1 <= len(weight) <= WIDEST
                or weight.shape[1] != wanted
            ):
                raise ModelError(
                    f"{where}.weight of a model of ar.image has the shape (1 to {WIDEST} outputs, {wanted}) and int32, "
                    f"not {weight.shape} and {weight.dtype}"
                )
            if bias is None or bias.dtype != np.int32 or bias.shape != (len(weight),):
                raise ModelError(f"a model of ar.image lacks {where}.bias, {len(weight)} int32")
            weights.append(weight)
            biases.append(bias)
        if not 1 <= len(weights) <= LAYERS or len(weights[-1]) != 3 * self.components:
            raise ModelError(
                f"a network of ar.image has 1 to {LAYERS} layers, the last one of {3 * self.components} outputs; that of plane "
                f"{plane} has {len(weights)}" + (f", the last one of {len(weights[-1])}" if weights else "")
            )
        return Plane(packed(prior, n), weights, biases, self.rates)

    def push(self, message: Message, images: NDArray[Any]) -> None:
        """Push images of shape (n, height, width, channels), uint8 or uint16: the last plane first, in each the last value first."""
        planes = Planes.of(images)
        coded = [planes.follow(i, self.expert(i)) for i in range(planes.count)]
        for starts, freqs in reversed(coded):
            message.push_symbols(kernels.push, starts, PRECISION, (freqs,), thin=True)

    def pop(self, message: Message, shape: tuple[int, int, int, int], dtype: str) -> NDArray[Any]:
        """Pop images of this shape."""
        n, h, w, channels = shape
        planes = Planes((channels, n, h, w), int(np.iinfo(dtype).max))
        for i in range(channels):
            planes.pop(message, i, self.expert(i))
        return planes.images_of(dtype)

    def expert(self, i: int) -> Expert:
        """A new one for a plane, which knows what the model says."""
        plane = self.planes[ROLES[i]]
        return Expert(plane.prior, self.predictors, plane.network, self.components)


def _two(config: Mapping[str, Any], key: str, least: int, most: int) -> tuple[int, int]:
    """A config's entry of two integers."""
    value = config.get(key)
    if not isinstance(value, list) or len(value) != 2 or not all(type(v) is int and least <= v <= most for v in value):
        raise ModelError(f"the {key} of a model of ar.image are two integers from {least} to {most}, not {value!r}")
    return value[0], value[1]
