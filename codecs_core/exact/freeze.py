"""From a trained torch module to integers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from codecs_core.errors import ModelError
from codecs_core.exact.net import ExactNet, Linear

#: Largest magnitude of a stored weight.
WEIGHT_MAX = 127
#: Partial sums stay below 2^24: evaluation in float32.
BOUND = 1 << 24
#: Headroom of an activation's range over the largest one seen.
HEADROOM = 1.5


@dataclass(frozen=True, kw_only=True)
class Fixed:
    """Fixed-point format of a vector: `bits` fractional bits, integers from `low` to `high`."""

    bits: int
    low: int
    high: int


def fold(module: nn.Sequential) -> list[tuple[NDArray[np.float64], NDArray[np.float64], bool]]:
    """Linear layers as (weight, bias, followed by ReLU), with each BatchNorm1d in evaluation mode folded in."""
    layers: list[tuple[NDArray[np.float64], NDArray[np.float64], bool]] = []
    for part in module:
        if isinstance(part, nn.Linear):
            weight = part.weight.detach().double().numpy()
            bias = part.bias.detach().double().numpy() if part.bias is not None else np.zeros(len(weight))
            layers.append((weight, bias, False))
        elif isinstance(part, nn.BatchNorm1d) and layers and part.running_var is not None and not layers[-1][2]:
            weight, bias, _ = layers[-1]
            gain = 1 / np.sqrt(part.running_var.double().numpy() + part.eps)
            shift = np.zeros(len(bias))
            if part.affine:
                gain = part.weight.detach().double().numpy() * gain
                shift = part.bias.detach().double().numpy()
            mean = part.running_mean.double().numpy()  # type: ignore[union-attr]
            layers[-1] = (weight * gain[:, None], (bias - mean) * gain + shift, False)
        elif isinstance(part, nn.ReLU) and layers:
            layers[-1] = (*layers[-1][:2], True)
        else:
            raise ModelError(
                f"a module of type {type(part).__name__} cannot be frozen here; a Linear can, then a BatchNorm1d that "
                "tracks its statistics, then a ReLU"
            )
    return layers


def freeze(
    module: nn.Sequential,
    examples: NDArray[Any],
    source: Fixed,
    target: Fixed | list[Fixed],
    *,
    activation_bits: int = 7,
    gain: float | NDArray[np.float64] = 1.0,
) -> ExactNet:
    """Freeze a stack of Linear, BatchNorm1d and ReLU into integers.

    Parameters
    ----------
    module
        Trained, in evaluation mode.
    examples
        Integer inputs of shape (n, inputs) in the format of `source`: they tell how large activations grow.
    source, target
        Formats of the inputs and of the outputs; a list gives each output its own.
    activation_bits
        Fractional bits in between.
    gain
        Multiplies the outputs, for example log2(e) to leave in octaves what was trained in nats.
    """
    layers = fold(module)
    if not layers or not all(np.isfinite(w).all() and np.isfinite(b).all() for w, b, _ in layers):
        raise ModelError("a network without layers, or with weights that are not finite, cannot be frozen")
    targets = target if isinstance(target, list) else [target] * len(layers[-1][0])
    x = examples.astype(np.float64) / 2.0**source.bits
    lows, highs, bits = (np.full(x.shape[1], v, np.int64) for v in (source.low, source.high, source.bits))
    frozen = []
    for number, (weight, bias, relu) in enumerate(layers):
        last = number == len(layers) - 1
        if last:
            weight, bias = weight * np.reshape(gain, (-1, 1)), bias * np.reshape(gain, -1)
        x = x @ weight.T + bias
        if relu:
            x = np.maximum(x, 0)
        if last:
            out = targets
        else:
            # one format for a whole layer: its largest activation decides
            top = int(np.ceil(np.abs(x).max() * HEADROOM * 2**activation_bits))
            if top >= BOUND:
                raise ModelError(
                    f"activations up to {np.abs(x).max():.3g} are too large for {activation_bits} fractional bits"
                )
            out = [Fixed(bits=activation_bits, low=0 if relu else -top, high=top)] * len(weight)
        frozen.append(_freeze_layer(weight, bias, lows, highs, int(bits[0]), out, relu))
        lows, highs = frozen[-1].low.astype(np.int64), frozen[-1].high.astype(np.int64)
        bits = np.array([f.bits for f in out])
    return ExactNet(frozen, source.low, source.high)


def _freeze_layer(
    weight: NDArray[np.float64],
    bias: NDArray[np.float64],
    lows: NDArray[np.int64],
    highs: NDArray[np.int64],
    in_bits: int,
    out: list[Fixed],
    relu: bool,
) -> Linear:
    """Give each row as many fractional bits as the stored width and the bound allow."""
    rows = len(weight)
    largest = np.maximum(np.abs(weight).max(1), 1e-12)
    room = np.minimum(np.floor(np.log2((WEIGHT_MAX + 0.49) / largest)), 24)
    extent = np.maximum(np.abs(lows), np.abs(highs)).astype(np.float64)
    out_bits = np.array([f.bits for f in out])
    # rounding a weight adds up to half an input, and half a unit of the output is added to the bias: `half` below
    corners = weight * lows, weight * highs
    most, least = np.maximum(*corners).clip(min=0).sum(1), np.minimum(*corners).clip(max=0).sum(1)
    reach = np.maximum(most, -least) + np.abs(bias) * 2.0**in_bits + 2.0 ** (in_bits - out_bits - 1)
    spare = max(BOUND - 2 - 0.5 * extent.sum(), 1.0)
    room = np.minimum(room, np.floor(np.log2(spare / reach))).astype(np.int64)
    room = np.maximum(room, out_bits - in_bits)  # a shift is never negative
    shift = room + in_bits - out_bits
    half = np.where(shift > 0, 2.0 ** (shift - 1.0), 0)  # floor then rounds to the nearest
    scaled = np.floor(weight * 2.0 ** room[:, None] + 0.5)
    offset = np.floor(bias * 2.0 ** (room + in_bits) + half + 0.5)
    if np.abs(scaled).max() >= 1 << 31 or np.abs(offset).max() >= 1 << 53:
        raise ModelError(
            f"weights up to {np.abs(weight).max():.3g} and biases up to {np.abs(bias).max():.3g} are too large to be frozen"
        )
    return Linear(
        # where a shift of 0 left no choice, weights may be wider than asked for
        weight=scaled.astype(np.min_scalar_type(-int(np.abs(scaled).max()) - 1)),
        bias=offset.astype(np.int64),
        shift=shift.astype(np.int8),
        low=np.array([0 if relu and f.low < 0 else f.low for f in out], np.int32).reshape(rows),
        high=np.array([f.high for f in out], np.int32).reshape(rows),
    )
