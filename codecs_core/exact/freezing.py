"""From a trained torch module to integers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from codecs_core.entropy.fixed import QFormat
from codecs_core.errors import ModelError
from codecs_core.exact.layer import EXACT32, EXACT64, Layer
from codecs_core.exact.modules import Residual
from codecs_core.exact.net import ExactNet
from codecs_core.exact.rounding import round_weights

#: Bits that a weight may lose so that partial sums stay below 2^24.
LOSS = 1
#: The most fractional bits of a weight.
FINEST = 24
#: Headroom of an activation's range over the largest one seen.
HEADROOM = 1.5
#: How many inputs of a layer give the mean products that its weights are rounded by, for each group of pixels that are evaluated together.
WINDOWS = 1 << 13
#: Pixels (items, where there are none) that are evaluated together to see how large activations grow.
PIXELS = 1 << 15


#: The name of `QFormat` up to version 0.2.
Fixed = QFormat


@dataclass(frozen=True, kw_only=True)
class Float:
    """A layer before it is frozen: weight of shape (R, C) or (R, C, kh, kw), bias of shape (R,), and as in `Layer` its skip."""

    weight: NDArray[np.float64]
    bias: NDArray[np.float64]
    relu: bool = False
    skip: int = 0

    def __call__(self, inputs: Sequence[Tensor]) -> Tensor:
        """Evaluate, given the inputs of this layer (the last one) and of all before it."""
        weight, bias = torch.from_numpy(self.weight), torch.from_numpy(self.bias)
        if weight.ndim == 2:
            out = nn.functional.linear(inputs[-1], weight, bias)
        else:
            out = nn.functional.conv2d(inputs[-1], weight, bias, padding=(weight.shape[2] // 2, weight.shape[3] // 2))
        if self.skip:
            out = out + inputs[-self.skip]
        return out.relu() if self.relu else out


def fold(module: nn.Sequential) -> list[Float]:
    """The layers of a module, each normalisation in evaluation mode folded into the layer before it."""
    layers: list[Float] = []
    for part in module:
        last = layers[-1] if layers else None
        plain = last is not None and not last.relu and not last.skip
        if isinstance(part, nn.Linear) or (isinstance(part, nn.Conv2d) and _keeps_size(part)):
            weight = part.weight.detach().double().numpy()
            bias = part.bias.detach().double().numpy() if part.bias is not None else np.zeros(len(weight))
            layers.append(Float(weight=weight, bias=bias))
        elif isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d) and plain and part.running_var is not None:
            layers[-1] = _normalised(layers[-1], part)
        elif isinstance(part, nn.ReLU) and layers:
            layers[-1] = replace(layers[-1], relu=True)
        elif isinstance(part, Residual):
            layers += _residual(part)
        else:
            raise ModelError(
                f"{type(part).__name__}({part.extra_repr()}) cannot be frozen here; a Linear can, or a Conv2d that keeps the size of "
                "its images, then a BatchNorm that tracks its statistics, then a ReLU; or a Residual of these"
            )
    if len({layer.weight.ndim for layer in layers}) > 1:
        raise ModelError("a module of Linear and of Conv2d cannot be frozen; a Conv2d of 1 x 1 does what a Linear does")
    return layers


def _keeps_size(conv: nn.Conv2d) -> bool:
    """Whether a convolution is one that `Layer` knows."""
    kernel = conv.kernel_size
    return (
        conv.stride == conv.dilation == (1, 1)
        and conv.groups == 1
        and conv.padding_mode == "zeros"
        and all(n % 2 == 1 for n in kernel)
        and conv.padding in ("same", tuple(n // 2 for n in kernel))
    )


def _normalised(layer: Float, norm: nn.BatchNorm1d | nn.BatchNorm2d) -> Float:
    gain = 1 / np.sqrt(norm.running_var.double().numpy() + norm.eps)  # type: ignore[union-attr]
    shift = np.zeros(len(gain))
    if norm.affine:
        gain = norm.weight.detach().double().numpy() * gain
        shift = norm.bias.detach().double().numpy()
    mean = norm.running_mean.double().numpy()  # type: ignore[union-attr]
    return replace(layer, weight=_scaled(layer.weight, gain), bias=(layer.bias - mean) * gain + shift)


def _scaled(weight: NDArray[np.float64], gain: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights whose outputs are multiplied by `gain`."""
    return weight * gain.reshape(-1, *[1] * (weight.ndim - 1))


def _residual(part: Residual) -> list[Float]:
    layers = fold(part.body)
    if not layers or layers[-1].relu or layers[-1].skip:
        raise ModelError(
            "the body of a Residual cannot be frozen unless it ends with a Linear or Conv2d, or its BatchNorm"
        )
    return [*layers[:-1], replace(layers[-1], relu=True, skip=len(layers))]


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What examples tell of a layer: its largest output, and the mean products of its inputs and the constant 1, shape (K + 1, K + 1)."""

    peak: float
    moments: NDArray[np.float64]


def observe(layers: Sequence[Float], x: NDArray[np.float64]) -> list[Seen]:
    """Evaluate a network on inputs of shape (n, ..., C)."""
    peaks, moments = [0.0] * len(layers), [np.zeros(())] * len(layers)
    step = max(1, PIXELS // max(1, x[:1, ..., 0].size))
    with torch.inference_mode():
        for start in range(0, len(x), step):
            activations = [torch.from_numpy(np.moveaxis(x[start : start + step], -1, 1))]
            for i, layer in enumerate(layers):
                window = windows(activations[-1], layer.weight)
                moments[i] = moments[i] + (window.T @ window).double().numpy()
                activations.append(layer(activations))
                peaks[i] = max(peaks[i], float(activations[-1].abs().max()))
    return [Seen(peak=p, moments=m / m[-1, -1]) for p, m in zip(peaks, moments, strict=True)]


def windows(x: Tensor, weight: NDArray[np.float64]) -> Tensor:
    """What a row of weights is multiplied with, in the order of `Layer`, and a constant 1: shape (at most WINDOWS or so, K + 1)."""
    if weight.ndim == 4:
        x = nn.functional.unfold(x, weight.shape[2:], padding=(weight.shape[2] // 2, weight.shape[3] // 2))
        # from (n, C * taps, pixels) to (n * pixels, taps * C)
        x = x.reshape(len(x), weight.shape[1], -1, x.shape[2]).permute(0, 3, 2, 1).flatten(0, 1).flatten(1)
    x = x[:: -(-len(x) // WINDOWS)].float()
    return torch.cat([x, torch.ones(len(x), 1)], 1)


def freeze(
    module: nn.Sequential,
    examples: NDArray[Any],
    source: QFormat,
    target: QFormat | list[QFormat],
    *,
    activation_bits: int = 7,
    weight_bits: int | Sequence[int] = 8,
    gain: float | NDArray[np.float64] = 1.0,
) -> ExactNet:
    """Freeze a stack of Linear or Conv2d, BatchNorm, ReLU and `Residual` into integers.

    Weights are stored in `weight_bits` where possible. Where partial sums stay below 2^24 if the weights of a row lose one bit, they
    do; where more would be lost, the layer gets the bound of 2^53 instead. It is then summed in parts, or in float64, and slower.

    Parameters
    ----------
    module
        Trained, in evaluation mode. Convolutions have odd kernels, stride 1 and zero padding that keeps height and width.
    examples
        Integer inputs in the format of `source`, shape (n, inputs), or (n, height, width, inputs) for convolutions: they tell how
        large activations grow.
    source, target
        Formats of the inputs and of the outputs; a list gives each output its own.
    activation_bits
        Fractional bits in between. What a `Residual` adds to its input gets the bits of that.
    weight_bits
        Of a stored weight, the sign among them: one number, or one for each layer. The first layer and the last one, which are small
        as a rule, are those that rounding hurts most.
    gain
        Multiplies the outputs, for example log2(e) to leave in octaves what was trained in nats. An array gives each output its own.

    Raises
    ------
    ModelError
        For a module of other parts, weights or activations too large, and formats that do not fit.
    """
    layers = fold(module)
    if not layers or not all(
        np.isfinite(w).all() and np.isfinite(b).all() for w, b in ((f.weight, f.bias) for f in layers)
    ):
        raise ModelError("a network without layers, or with weights that are not finite, cannot be frozen")
    last = layers[-1]
    if examples.ndim != last.weight.ndim or examples.shape[-1] != layers[0].weight.shape[1] or not examples.size:
        shape = "(n, inputs)" if last.weight.ndim == 2 else "(n, height, width, inputs)"
        raise ModelError(f"examples for this module have the shape {shape}, not {examples.shape}")
    targets = target if isinstance(target, list) else [target] * len(last.bias)
    if last.skip and not np.all(np.asarray(gain) == 1):
        raise ModelError("the outputs of a Residual cannot have a gain; end the module with a Linear or Conv2d")
    gains = np.broadcast_to(np.asarray(gain, np.float64), last.bias.shape)
    layers[-1] = replace(last, weight=_scaled(last.weight, gains), bias=last.bias * gains)
    widths = iter([weight_bits] * len(layers) if isinstance(weight_bits, int) else weight_bits)
    if not isinstance(weight_bits, int) and len(weight_bits) != len(layers):
        raise ModelError(f"{len(weight_bits)} numbers of bits for {len(layers)} layers")
    formats = [[source] * layers[0].weight.shape[1]]  # of the inputs of each layer
    frozen: list[Layer] = []
    for layer, seen in zip(layers, observe(layers, examples / 2.0**source.bits), strict=True):
        skip = formats[-layer.skip] if layer.skip else []
        bits = skip[0].bits if skip else activation_bits
        if layer is layers[-1]:
            out = targets
            if skip and any(f.bits != bits for f in out):
                raise ModelError(f"a Residual at the end has outputs of as many fractional bits as its inputs, {bits}")
        else:
            # one format for a whole layer: its largest activation decides
            top = int(np.ceil(seen.peak * HEADROOM * 2**bits))
            if top >= EXACT32:
                raise ModelError(f"activations up to {seen.peak:.3g} are too large for {bits} fractional bits")
            out = [QFormat(bits=bits, low=0 if layer.relu else -top, high=top)] * len(layer.bias)
        frozen.append(_freeze_layer(layer, formats[-1], skip, out, next(widths), seen.moments))
        formats.append(out)
    return ExactNet(frozen, source.low, source.high)


def _freeze_layer(
    layer: Float,
    inputs: list[QFormat],
    skip: list[QFormat],
    out: list[QFormat],
    weight_bits: int,
    moments: NDArray[np.float64],
) -> Layer:
    """Give each row as many fractional bits as the stored width and the bound allow."""
    weight, bias = np.moveaxis(layer.weight, 1, -1), layer.bias
    flat = weight.reshape(len(weight), -1)
    in_bits, out_bits = inputs[0].bits, np.array([f.bits for f in out])
    largest = np.maximum(np.abs(flat).max(1), 1e-12)
    stored = np.minimum(np.floor(np.log2((2.0 ** (weight_bits - 1) - 0.51) / largest)), FINEST)
    # rounding a weight adds up to half an input, and half a unit of the output is added to the bias: `half` below
    lows, highs = (
        np.tile(v, flat.shape[1] // len(inputs)) for v in zip(*((f.low, f.high) for f in inputs), strict=True)
    )
    corners = flat * lows, flat * highs
    most, least = np.maximum(*corners).clip(min=0).sum(1), np.minimum(*corners).clip(max=0).sum(1)
    reach = np.maximum(most, -least) + np.abs(bias) * 2.0**in_bits + 2.0 ** (in_bits - out_bits - 1)
    added = 0.5 * np.maximum(np.abs(lows), np.abs(highs)).sum() + max(
        (max(abs(f.low), abs(f.high)) for f in skip), default=0
    )
    for exact in (EXACT32, EXACT64):
        spare = max(exact - 2 - added, 1.0)
        room = np.minimum(stored, np.floor(np.log2(spare / reach)))
        if (room >= stored - LOSS)[stored < FINEST].all():
            break
    room = np.maximum(room, out_bits - in_bits).astype(np.int64)  # a shift is never negative
    shift = room + in_bits - out_bits
    half = np.where(shift > 0, 2.0 ** (shift - 1.0), 0)  # floor then rounds to the nearest
    limit = np.maximum(2.0 ** (weight_bits - 1) - 1, np.floor(largest * 2.0**room + 0.5))
    scaled, extra = round_weights(flat * 2.0 ** room[:, None], moments, limit)
    offset = np.floor((bias * 2.0**room + extra) * 2.0**in_bits + half + 0.5)
    if np.abs(scaled).max() >= 1 << 31 or np.abs(offset).max() >= 1 << 53:
        raise ModelError(
            f"weights up to {np.abs(weight).max():.3g} and biases up to {np.abs(bias).max():.3g} are too large to be frozen"
        )
    return Layer(
        # where a shift of 0 left no choice, weights may be wider than asked for
        weight=np.ascontiguousarray(scaled.reshape(weight.shape), np.min_scalar_type(-int(np.abs(scaled).max()) - 1)),
        bias=offset.astype(np.int64),
        shift=shift.astype(np.int8),
        low=np.array([0 if layer.relu and f.low < 0 else f.low for f in out], np.int32),
        high=np.array([f.high for f in out], np.int32),
        skip=layer.skip,
    )
