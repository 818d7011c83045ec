"""One layer of an exact network: its integers, and how large its sums can be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_core.errors import ModelError

FIELDS = ("weight", "bias", "shift", "low", "high")
#: Below this magnitude, every integer is a float of the type.
EXACT32, EXACT64 = 1 << 24, 1 << 53


@dataclass(frozen=True, eq=False)
class Layer:
    """y = clamp(floor((W x + b) / 2^shift) + v, low, high), channel by channel; a ReLU is a `low` of 0.

    Parameters
    ----------
    weight
        Integers. Of shape (outputs, inputs), W acts on the last axis of x. Of shape (outputs, kh, kw, inputs), kh and kw odd, it is
        a convolution (a cross-correlation, as in torch) over images of shape (batch, height, width, inputs), with stride 1 and as much
        zero padding as keeps height and width.
    bias, shift, low, high
        Integers, shape (outputs,).
    skip
        0: v is 0. Else v is the input of the layer `skip` - 1 layers before this one, so that a layer with `skip=1` adds its own input, and
        the second of two layers with `skip=2` that of the first: a residual connection.
    """

    weight: NDArray[Any]
    bias: NDArray[Any]
    shift: NDArray[Any]
    low: NDArray[Any]
    high: NDArray[Any]
    skip: int = 0

    @property
    def inputs(self) -> int:
        """Width of the inputs."""
        return int(self.weight.shape[-1])

    @property
    def outputs(self) -> int:
        """Width of the outputs."""
        return int(self.weight.shape[0])

    def reach(self, low: NDArray[np.int64], high: NDArray[np.int64]) -> NDArray[np.float64]:
        """For each output, the largest magnitude a partial sum can have, in any order, for inputs within [low, high].

        Where that is 2^53 or more, the value returned is 2^53 or more too: the sums below have no negative term, in float64 such a
        sum is exact as long as it is below 2^53, and rounding, being monotone, never brings a larger one below.
        """
        return self.products(low, high, slice(None)) + np.abs(self.bias.astype(np.float64))

    def products(self, low: NDArray[np.int64], high: NDArray[np.int64], part: slice) -> NDArray[np.float64]:
        """As `reach`, but without the bias, and for `part` of the terms that are summed.

        Zero padding makes a product 0, which is within its bounds: what holds inside an image holds at its border.
        """
        flat = self.weight.reshape(self.outputs, -1)
        taps = flat.shape[1] // self.inputs
        weight = flat[:, part].astype(np.float64)
        up = np.tile(np.maximum(high, 0).astype(np.float64), taps)[part]
        down = np.tile(-np.minimum(low, 0).astype(np.float64), taps)[part]
        negative = -np.minimum(weight, 0)
        positive = np.maximum(weight, 0, out=weight)
        largest: NDArray[np.float64] = np.maximum(positive @ up + negative @ down, positive @ down + negative @ up)
        return largest

    def check(self, where: str) -> None:
        """Raise `ModelError` unless the layer is made of integers in range whose shapes fit each other."""
        weight = self.weight
        if weight.ndim not in (2, 4) or 0 in weight.shape or any(n % 2 == 0 for n in weight.shape[1:-1]):
            raise ModelError(
                f"{where} has weights of shape {weight.shape}; expected (outputs, inputs) or (outputs, odd, odd, inputs)"
            )
        limits = {"weight": EXACT64, "bias": EXACT64, "shift": 53, "low": EXACT32, "high": EXACT32}
        for name, limit in limits.items():
            field = getattr(self, name)
            if name != "weight" and field.shape != (self.outputs,):
                raise ModelError(f"{name} of {where} has shape {field.shape}, not ({self.outputs},)")
            if field.dtype.kind not in "iu":
                raise ModelError(f"{name} of {where} holds {field.dtype}; expected integers")
            least, most = int(field.min()), int(field.max())
            if not (-limit if name != "shift" else -1) < least <= most < limit:
                raise ModelError(f"{name} of {where} holds {least} to {most}; expected magnitudes below {limit}")
        if (self.low > self.high).any():
            raise ModelError(f"{where} has an empty range of outputs")
