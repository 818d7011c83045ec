"""Networks of integers, evaluated in floating point without a rounding error.

Weights and activations are integers held in float32 (or float64). While every partial sum of a product stays below 2^24 (2^53)
in magnitude, each addition is exact, so the order of summation cannot matter, and any BLAS, SIMD level, thread count or batch
size gives the same integers. The bound follows from the weights and the range of the inputs; it is computed when a network is
made, and a network that breaks it is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_core.errors import ModelError
from codecs_core.exact.rescale import rescale

#: Largest magnitude below which every integer is a float of this type.
EXACT: dict[np.dtype[Any], int] = {np.dtype(np.float32): 1 << 24, np.dtype(np.float64): 1 << 53}


@dataclass(frozen=True, eq=False)
class Linear:
    """y = clamp(floor((W x + b) / 2^shift), low, high), row by row; a ReLU is a `low` of 0.

    Parameters
    ----------
    weight
        Integers, shape (outputs, inputs).
    bias, shift, low, high
        Integers, shape (outputs,).
    """

    weight: NDArray[Any]
    bias: NDArray[Any]
    shift: NDArray[Any]
    low: NDArray[Any]
    high: NDArray[Any]

    def bound(self, low: NDArray[np.int64], high: NDArray[np.int64]) -> int:
        """The largest magnitude a partial sum can have, in any order, for inputs within [low, high]."""
        weight = self.weight.astype(np.int64)
        corners = weight * low, weight * high
        most = np.maximum(np.maximum(*corners), 0).sum(1)
        least = np.minimum(np.minimum(*corners), 0).sum(1)
        return int((np.maximum(most, -least) + np.abs(self.bias.astype(np.int64))).max(initial=0))


FIELDS = ("weight", "bias", "shift", "low", "high")


class ExactNet:
    """A stack of `Linear` layers.

    Parameters
    ----------
    layers
        In the order of evaluation.
    low, high
        Range of the integer inputs, both included.

    Raises
    ------
    ModelError
        If the shapes do not chain, or a partial sum could leave the exact range of float64.
    """

    def __init__(self, layers: Sequence[Linear], low: int, high: int) -> None:
        self.layers, self.low, self.high = tuple(layers), int(low), int(high)
        self._prepared: list[tuple[NDArray[Any], ...]] = []
        lows = np.full(layers[0].weight.shape[1], low, np.int64)
        highs = np.full(layers[0].weight.shape[1], high, np.int64)
        for number, layer in enumerate(layers):
            self._check_layer(number, layer, lows.size)
            bound = layer.bound(lows, highs)
            dtype = next((t for t, exact in EXACT.items() if bound < exact), None)
            if dtype is None:
                raise ModelError(
                    f"layer {number} of a network has partial sums up to {bound}, beyond the exact range of 2^53: "
                    "freeze it with fewer bits"
                )
            self._prepared.append(
                (
                    np.ascontiguousarray(layer.weight.T.astype(dtype)),
                    layer.bias.astype(dtype),
                    np.ldexp(np.ones(layer.shift.size, dtype), -layer.shift.astype(np.int32)),
                    layer.low.astype(dtype),
                    layer.high.astype(dtype),
                )
            )
            lows, highs = layer.low.astype(np.int64), layer.high.astype(np.int64)

    @staticmethod
    def _check_layer(number: int, layer: Linear, inputs: int) -> None:
        outputs = len(layer.weight)
        if layer.weight.ndim != 2 or layer.weight.shape[1] != inputs:
            raise ModelError(
                f"layer {number} of a network has weights of shape {layer.weight.shape} for {inputs} inputs"
            )
        for name in FIELDS[1:]:
            if getattr(layer, name).shape != (outputs,):
                raise ModelError(f"{name} of layer {number} of a network has a shape other than ({outputs},)")
        if any(getattr(layer, name).dtype.kind not in "iu" for name in FIELDS):
            raise ModelError(f"layer {number} of a network holds numbers that are not integers")
        if (layer.shift < 0).any() or (layer.shift > 52).any() or (layer.low > layer.high).any():
            raise ModelError(f"layer {number} of a network has a shift outside 0 to 52 or an empty range")
        if max(np.abs(layer.low.astype(np.int64)).max(), np.abs(layer.high.astype(np.int64)).max()) >= 1 << 24:
            raise ModelError(f"layer {number} of a network has outputs beyond 2^24")

    @property
    def inputs(self) -> int:
        """Width of the inputs."""
        return int(self.layers[0].weight.shape[1])

    @property
    def outputs(self) -> int:
        """Width of the outputs."""
        return int(self.layers[-1].weight.shape[0])

    @property
    def dtypes(self) -> list[str]:
        """The floating-point type each layer is evaluated in: ``"float32"`` where the bound allows."""
        return [p[0].dtype.name for p in self._prepared]

    def __call__(self, x: NDArray[Any]) -> NDArray[np.int32]:
        """Evaluate integers of shape (batch, inputs) to integers of shape (batch, outputs)."""
        if x.ndim != 2 or x.shape[1] != self.inputs:
            raise ModelError(f"a network takes inputs of shape (batch, {self.inputs}), not {x.shape}")
        if x.size and (int(x.min()) < self.low or int(x.max()) > self.high):
            raise ModelError(f"a network takes inputs from {self.low} to {self.high}, not {x.min()} to {x.max()}")
        y = x
        for weight, bias, scale, low, high in self._prepared:
            y = np.asarray(y, weight.dtype) @ weight
            rescale(y, bias, scale, low, high)
        return y.astype(np.int32)

    def tensors(self, prefix: str) -> dict[str, NDArray[Any]]:
        """The integers by name, as a model file holds them."""
        tensors = {
            f"{prefix}.{i}.{name}": getattr(layer, name) for i, layer in enumerate(self.layers) for name in FIELDS
        }
        return tensors | {f"{prefix}.range": np.array([self.low, self.high], np.int32)}

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, NDArray[Any]], prefix: str) -> ExactNet:
        """Inverse of `tensors`; raises `ModelError` for anything missing or unfit."""
        layers: list[Linear] = []
        while f"{prefix}.{len(layers)}.weight" in tensors:
            try:
                layers.append(Linear(*(tensors[f"{prefix}.{len(layers)}.{name}"] for name in FIELDS)))
            except KeyError as error:
                raise ModelError(f"a model lacks the tensor {error}") from None
        span = tensors.get(f"{prefix}.range")
        if not layers or span is None or span.shape != (2,) or layers[0].weight.ndim != 2:
            raise ModelError(f"a model lacks the network {prefix!r}")
        return cls(layers, int(span[0]), int(span[1]))
