"""Networks of integers, evaluated in floating point without a rounding error.

Weights and activations are integers held in float32 (or float64). While every partial sum of a product stays below 2^24 (2^53)
in magnitude, each addition is exact, so the order of summation cannot matter, and any BLAS, SIMD level, thread count or batch
size gives the same integers. The bound follows from the weights and the range of the inputs; it is computed when a network is
made, and a network that breaks it is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_core.errors import ModelError
from codecs_core.exact import probe
from codecs_core.exact.evaluate import Plan
from codecs_core.exact.layer import EXACT32, EXACT64, FIELDS, Layer
from codecs_core.exact.pairs import Pairs


class ExactNet:
    """A sequence of `Layer`. Each takes the outputs of the layer before and, if it has a `skip`, those of an earlier one.

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

    def __init__(self, layers: Sequence[Layer], low: int, high: int) -> None:
        if not layers:
            raise ModelError("a network has at least one layer")
        self.layers, self.low, self.high = tuple(layers), int(low), int(high)
        if not -EXACT32 < self.low <= self.high < EXACT32:
            raise ModelError(f"a network takes inputs from {low} to {high}: that is an empty range or reaches 2^24")
        bounds: list[int] = []
        spans: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []  # of the inputs of each layer
        for number, layer in enumerate(self.layers):
            where = f"layer {number} of a network"
            layer.check(where)
            if not spans:
                spans.append((np.full(layer.inputs, self.low, np.int64), np.full(layer.inputs, self.high, np.int64)))
            lows, highs = spans[number]
            if lows.size != layer.inputs:
                raise ModelError(f"{where} has weights of shape {layer.weight.shape} for {lows.size} inputs")
            reach = layer.reach(lows, highs)
            if layer.skip:
                if not 1 <= layer.skip <= number + 1 or spans[number + 1 - layer.skip][0].size != layer.outputs:
                    raise ModelError(
                        f"{where} has a skip of {layer.skip}, where there are no {layer.outputs} numbers to add"
                    )
                reach += np.abs(spans[number + 1 - layer.skip]).max(0)
            bounds.append(int(reach.max()))
            if bounds[-1] >= EXACT64:
                raise ModelError(
                    f"{where} has partial sums of {bounds[-1]} and more, beyond the exact range of 2^53: freeze it with fewer bits"
                )
            spans.append((layer.low.astype(np.int64), layer.high.astype(np.int64)))
        #: Whether a layer is a convolution: inputs then are images.
        self.spatial = any(layer.weight.ndim == 4 for layer in self.layers)
        self._plan = Plan(self.layers, spans, bounds)
        self._pairs = Pairs.of(self.layers, spans, self._plan)

    @property
    def inputs(self) -> int:
        """Width of the inputs."""
        return self.layers[0].inputs

    @property
    def outputs(self) -> int:
        """Width of the outputs."""
        return self.layers[-1].outputs

    @property
    def dtypes(self) -> list[str]:
        """The floating-point type of each layer's matrix products."""
        return [step.dtype.name for step in self._plan.steps]

    def __call__(self, x: NDArray[Any]) -> NDArray[np.int32]:
        """Evaluate the network.

        Parameters
        ----------
        x
            Integers within the range of the network, shape (..., inputs); (batch, height, width, inputs) if a layer is a convolution.

        Returns
        -------
        out
            int32, of the same shape but for the last axis: (..., outputs).

        Raises
        ------
        ModelError
            For anything else.
        """
        shape = f"(batch, height, width, {self.inputs})" if self.spatial else f"(..., {self.inputs})"
        if x.dtype.kind not in "iub" or x.shape[-1:] != (self.inputs,) or (self.spatial and x.ndim != 4):
            raise ModelError(f"a network takes integers of shape {shape}, not {x.dtype} of {x.shape}")
        if x.size and (int(x.min()) < self.low or int(x.max()) > self.high):
            raise ModelError(f"a network takes inputs from {self.low} to {self.high}, not {x.min()} to {x.max()}")
        if self._pairs is not None:
            return self._pairs(x.reshape(-1, self.inputs)).reshape(*x.shape[:-1], self.outputs)
        images = x if self.spatial else x.reshape(-1, 1, 1, self.inputs)
        return self._plan(images).reshape(*x.shape[:-1], self.outputs)

    def tensors(self, prefix: str) -> dict[str, NDArray[Any]]:
        """The integers by name, as a model file holds them, and the probe."""
        tensors = {
            f"{prefix}.{i}.{name}": getattr(layer, name) for i, layer in enumerate(self.layers) for name in FIELDS
        }
        tensors |= {
            f"{prefix}.{i}.skip": np.array([layer.skip], np.int32) for i, layer in enumerate(self.layers) if layer.skip
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
            Whether to compare the probe; only a program that makes a model has a reason not to.

        Raises
        ------
        ModelError
            For anything missing or unfit, and where the network computes other integers here than where it was made.
        """
        layers: list[Layer] = []
        while f"{prefix}.{len(layers)}.weight" in tensors:
            name = f"{prefix}.{len(layers)}"
            skip = tensors.get(f"{name}.skip", np.zeros(1, np.int32))
            if skip.shape != (1,) or skip.dtype.kind not in "iu":
                raise ModelError(
                    f"the skip of layer {len(layers)} is {skip.dtype} of shape {skip.shape}; expected one integer"
                )
            try:
                fields = {field: tensors[f"{name}.{field}"] for field in FIELDS}
            except KeyError as error:
                raise ModelError(f"a model lacks the tensor {error}") from None
            layers.append(Layer(**fields, skip=int(skip[0])))
        span = tensors.get(f"{prefix}.range")
        if not layers or span is None or span.shape != (2,) or span.dtype.kind not in "iu":
            raise ModelError(f"a model lacks the network {prefix!r}")
        net = cls(layers, int(span[0]), int(span[1]))
        if probed:
            probe.check(net, tensors.get(f"{prefix}.probe"), prefix)
        return net
