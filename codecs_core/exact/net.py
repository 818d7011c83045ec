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
from codecs_core.exact import probe
from codecs_core.exact.blas import one_thread
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
        """The largest magnitude a partial sum can have, in any order, for inputs within [low, high]; a lower bound of it beyond 2^53.

        The sums below have no negative term. In float64 such a sum is exact as long as it is below 2^53, and rounding, being
        monotone, never brings a larger one below.
        """
        up, down = np.maximum(high, 0).astype(np.float64), -np.minimum(low, 0).astype(np.float64)
        weight = self.weight.astype(np.float64)
        bias = np.abs(self.bias.astype(np.float64))
        negative = -np.minimum(weight, 0)
        positive = np.maximum(weight, 0, out=weight)
        most = positive @ up + negative @ down + bias
        least = positive @ down + negative @ up + bias
        return int(max(most.max(initial=0), least.max(initial=0)))


FIELDS = ("weight", "bias", "shift", "low", "high")
#: Inputs and outputs are smaller in magnitude: float32 holds each of them.
OUTPUTS = 1 << 24


def _check_layer(number: int, layer: Linear, inputs: int | None) -> None:
    """Raise `ModelError` unless a layer is made of integers in range whose shapes fit the layer before."""
    where = f"layer {number} of a network"
    weight = layer.weight
    if weight.ndim != 2 or 0 in weight.shape or (inputs is not None and weight.shape[1] != inputs):
        raise ModelError(f"{where} has weights of shape {weight.shape} for {inputs or 'some'} inputs")
    limits = {"weight": 1 << 53, "bias": 1 << 53, "shift": 53, "low": OUTPUTS, "high": OUTPUTS}
    for name, limit in limits.items():
        field = getattr(layer, name)
        if name != "weight" and field.shape != (len(weight),):
            raise ModelError(f"{name} of {where} has shape {field.shape}, not ({len(weight)},)")
        if field.dtype.kind not in "iu":
            raise ModelError(f"{name} of {where} holds {field.dtype}; expected integers")
        least, most = int(field.min()), int(field.max())
        if not (-limit if name != "shift" else -1) < least <= most < limit:
            raise ModelError(f"{name} of {where} holds {least} to {most}; expected magnitudes below {limit}")
    if (layer.low > layer.high).any():
        raise ModelError(f"{where} has an empty range of outputs")


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
        if not layers:
            raise ModelError("a network has at least one layer")
        self.layers, self.low, self.high = tuple(layers), int(low), int(high)
        if not -OUTPUTS < self.low <= self.high < OUTPUTS:
            raise ModelError(f"a network takes inputs from {low} to {high}: that is an empty range or reaches 2^24")
        self._prepared: list[tuple[NDArray[Any], ...]] = []
        lows = highs = None
        for number, layer in enumerate(self.layers):
            _check_layer(number, layer, None if lows is None else lows.size)
            if lows is None or highs is None:
                lows = np.full(layer.weight.shape[1], self.low, np.int64)
                highs = np.full(layer.weight.shape[1], self.high, np.int64)
            bound = layer.bound(lows, highs)
            dtype = next((t for t, exact in EXACT.items() if bound < exact), None)
            if dtype is None:
                raise ModelError(
                    f"layer {number} of a network has partial sums of {bound} and more, beyond the exact range of 2^53: "
                    "freeze it with fewer bits"
                )
            self._prepared.append(
                (
                    layer.weight.astype(dtype).T,
                    layer.bias.astype(dtype),
                    np.ldexp(np.ones(layer.shift.size, dtype), -layer.shift.astype(np.int32)),
                    layer.low.astype(dtype),
                    layer.high.astype(dtype),
                )
            )
            lows, highs = layer.low.astype(np.int64), layer.high.astype(np.int64)

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
        if x.ndim != 2 or x.shape[1] != self.inputs or x.dtype.kind not in "iub":
            raise ModelError(f"a network takes integers of shape (batch, {self.inputs}), not {x.dtype} of {x.shape}")
        if x.size and (int(x.min()) < self.low or int(x.max()) > self.high):
            raise ModelError(f"a network takes inputs from {self.low} to {self.high}, not {x.min()} to {x.max()}")
        y = x
        with one_thread():
            for weight, bias, scale, low, high in self._prepared:
                y = np.asarray(y, weight.dtype) @ weight
                rescale(y, bias, scale, low, high)
        return y.astype(np.int32)

    def tensors(self, prefix: str) -> dict[str, NDArray[Any]]:
        """The integers by name, as a model file holds them, and the probe."""
        tensors = {
            f"{prefix}.{i}.{name}": getattr(layer, name) for i, layer in enumerate(self.layers) for name in FIELDS
        }
        return tensors | {
            f"{prefix}.range": np.array([self.low, self.high], np.int32),
            f"{prefix}.probe": np.frombuffer(probe.digest(self), np.uint8),
        }

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, NDArray[Any]], prefix: str, *, probed: bool = True) -> ExactNet:
        """Inverse of `tensors`.

        Parameters
        ----------
        tensors
            Of a model file, others among them.
        prefix
            Name of the network.
        probed
            Whether to compare the probe; only who makes a model has a reason not to.

        Raises
        ------
        ModelError
            For anything missing or unfit, and where the network computes other integers here than where it was made.
        """
        layers: list[Linear] = []
        while f"{prefix}.{len(layers)}.weight" in tensors:
            try:
                layers.append(Linear(*(tensors[f"{prefix}.{len(layers)}.{name}"] for name in FIELDS)))
            except KeyError as error:
                raise ModelError(f"a model lacks the tensor {error}") from None
        span = tensors.get(f"{prefix}.range")
        if not layers or span is None or span.shape != (2,) or span.dtype.kind not in "iu":
            raise ModelError(f"a model lacks the network {prefix!r}")
        net = cls(layers, int(span[0]), int(span[1]))
        if probed:
            probe.check(net, tensors.get(f"{prefix}.probe"), prefix)
        return net
