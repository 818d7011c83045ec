"""How an exact network of small integers is evaluated where a processor multiplies pairs of them: all layers for some rows at a time.

A number of more than 16 bits is cut in two: its lower bits, and what is above them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_core.exact.evaluate import Plan
from codecs_core.exact.layer import EXACT32, Layer
from codecs_core.jit import kernel
from codecs_core.jit.pairs import COLUMNS, ROWS, halves, packed, supported, tile

#: Rows that go through a network together, a multiple of those of a tile: what passes between layers stays in the cache.
BLOCK = 8 * ROWS
#: Lower bits of a number at the most, and what sums stay below.
MOST, LIMIT = 15, 1 << 31
_SHORT = np.iinfo(np.int16)

Span = tuple[NDArray[np.int64], NDArray[np.int64]]


@kernel
def evaluate(x, layers, weights, scales, buffers, wide, out):
    """Evaluate a network on rows.

    Parameters
    ----------
    x, out
        Inputs, shape (rows, inputs), int16, and outputs, int32.
    layers
        Of each the pairs of its inputs, the panels of `COLUMNS` outputs, the buffers of its inputs, of what is added and of its outputs,
        where its weights and its scales begin, and of how many lower bits of each of the three are apart.
    weights, scales
        As `tile` takes them.
    buffers
        To work in, flat, int16: blocks of `BLOCK` rows of `wide` numbers, the last of them of the result, and a row of zeros, which
        counts as a buffer too.
    """
    size = BLOCK * wide
    zeros = buffers.size // size
    result = (zeros - 1) * size
    for k in range(zeros * size, buffers.size):
        buffers[k] = 0
    for first in range(0, x.shape[0], BLOCK):
        rows = min(BLOCK, x.shape[0] - first)
        for i in range(rows):
            for j in range(x.shape[1]):
                buffers[i * wide + j] = x[first + i, j]
        for number in range(layers.shape[0]):
            pairs, panels, source, skip, target, weight, scale, _, _, _ = layers[number]
            apart = wide if skip < zeros else 0
            for panel in range(panels):
                column = panel * COLUMNS
                for row in range(0, rows, ROWS):
                    tile(
                        buffers,
                        (source * size + row * wide, wide),
                        weights,
                        weight + panel * pairs * 2 * COLUMNS,
                        pairs,
                        scales,
                        scale + 5 * column,
                        (skip * size + row * apart + column * (apart > 0), apart),
                        (target * size + row * wide + column, wide),
                    )
        for i in range(rows):
            for j in range(out.shape[1]):
                out[first + i, j] = buffers[result + i * wide + j]


@kernel
def evaluate_halves(x, layers, weights, scales, buffers, wide, out):
    """`evaluate` where lower bits are apart: they are in the second half of `buffers`, as what is above them is in the first."""
    size, room = BLOCK * wide, buffers.size // 2
    zeros = room // size
    result, below = (zeros - 1) * size, layers[layers.shape[0] - 1, 9]
    for k in range(zeros * size, room):
        buffers[k], buffers[room + k] = 0, 0
    for first in range(0, x.shape[0], BLOCK):
        rows = min(BLOCK, x.shape[0] - first)
        for i in range(rows):
            for j in range(x.shape[1]):
                buffers[i * wide + j] = x[first + i, j]
        for number in range(layers.shape[0]):
            pairs, panels, source, skip, target, weight, scale, source_bits, skip_bits, target_bits = layers[number]
            apart = wide if skip < zeros else 0
            for panel in range(panels):
                column = panel * COLUMNS
                for row in range(0, rows, ROWS):
                    halves(
                        buffers,
                        (source * size + row * wide, wide),
                        weights,
                        weight + panel * pairs * 2 * COLUMNS,
                        pairs,
                        scales,
                        scale + 5 * column,
                        (skip * size + row * apart + column * (apart > 0), apart),
                        (target * size + row * wide + column, wide),
                        (room, source_bits, skip_bits, target_bits),
                    )
        for i in range(rows):
            for j in range(out.shape[1]):
                at = result + i * wide + j
                out[first + i, j] = np.int32(buffers[at]) * (1 << below) + buffers[room + at]


class Pairs:
    """The tables of a network without convolutions.

    Parameters
    ----------
    layers
        As `_plain` leaves them, chained.
    bits
        How many lower bits are apart, of the inputs and of the outputs of each layer.
    plan
        Says which buffers they share.
    """

    def __init__(self, layers: Sequence[Layer], bits: Sequence[int], plan: Plan) -> None:
        count = len(plan.widths)
        self.outputs = layers[-1].outputs
        sizes = [layers[0].inputs, *(layer.outputs for layer in layers)]
        self.wide = -(-max(sizes) // COLUMNS) * COLUMNS
        self.cut = any(bits)
        self.room = ((count + 1) * BLOCK * self.wide + self.wide) * (1 + self.cut)
        # what all weights of the last inputs are zero for need not be multiplied
        used = [1 + int(np.flatnonzero(np.any(layer.weight != 0, axis=0)).max(initial=0)) for layer in layers]
        weights = [packed(layer.weight[:, :n]) for layer, n in zip(layers, used, strict=True)]
        scales = [_scales(layer, below) for layer, below in zip(layers, bits, strict=False)]
        self.weights, self.scales = (np.concatenate([a.reshape(-1) for a in arrays]) for arrays in (weights, scales))
        starts = [np.cumsum([0, *(a.size for a in arrays)])[:-1] for arrays in (weights, scales)]
        rows = [
            (w.shape[1], w.shape[0], step.source, count + 1 if step.skip < 0 else step.skip, step.target % (count + 1))
            for w, step in zip(weights, plan.steps, strict=True)
        ]
        cuts = [(bits[i], bits[i + 1 - layer.skip] if layer.skip else 0, bits[i + 1]) for i, layer in enumerate(layers)]
        self.layers = np.concatenate([np.array(rows), np.stack(starts, 1), np.array(cuts)], 1).astype(np.int64)

    @classmethod
    def of(cls, layers: Sequence[Layer], spans: Sequence[Span], plan: Plan) -> Pairs | None:
        """Those of a network, or None where it has convolutions, numbers of too many bits, or another processor.

        `spans` are the lowest and highest inputs of each layer, and the outputs of the last one.
        """
        if any(layer.weight.ndim != 2 for layer in layers) or not supported():
            return None
        plain = [_plain(layer, *span) for layer, span in zip(layers, spans, strict=False)]
        if not all(_small(layer.weight, layer.weight) for layer in plain):
            return None
        bits: list[int] = []
        for i, span in enumerate(spans):
            layer = plain[i] if i < len(plain) else None
            fitting = (b for b in range(MOST + 1 if i else 1) if _fits(layer, span, b))
            found = next(fitting, None)
            if found is None:
                return None
            bits.append(found)
        return cls(plain, bits, plan)

    def __call__(self, x: NDArray[Any]) -> NDArray[np.int32]:
        """Evaluate rows of shape (rows, inputs) to (rows, outputs)."""
        out = np.empty((len(x), self.outputs), np.int32)
        rows, buffers = np.ascontiguousarray(x, np.int16), np.empty(self.room, np.int16)
        (evaluate_halves if self.cut else evaluate)(
            rows, self.layers, self.weights, self.scales, buffers, self.wide, out
        )
        return out


def _plain(layer: Layer, low: NDArray[np.int64], high: NDArray[np.int64]) -> Layer:
    """A layer without what does not matter: weights of inputs that are always zero, and those of outputs that are always the same."""
    same = layer.low == layer.high
    weight, bias = layer.weight.copy(), layer.bias.copy()
    weight[:, (low == 0) & (high == 0)] = 0
    weight[same], bias[same] = 0, 0
    return replace(layer, weight=weight, bias=bias, shift=np.where(same, MOST, layer.shift))


def _fits(layer: Layer | None, span: Span, bits: int) -> bool:
    """Whether numbers within a span can be cut at `bits` lower bits and, if there is one, be the inputs of a layer."""
    low, high = span
    if not _small(low >> bits, high >> bits):
        return False
    if layer is None:
        return True
    lower = np.abs(layer.weight.astype(np.int64)).sum(1).max() * ((1 << bits) - 1) + (1 << bits)
    sums = int(layer.reach(low, high).max()) >> bits
    return bool(bits <= layer.shift.min() and lower < LIMIT and sums + EXACT32 < LIMIT)


def _small(low: NDArray[Any], high: NDArray[Any]) -> bool:
    """Whether all is within 16 bits."""
    return int(low.min()) >= _SHORT.min and int(high.max()) <= _SHORT.max


def _scales(layer: Layer, bits: int) -> NDArray[np.int32]:
    """As `tile` and `halves` take them, of the outputs of each tile; of those that only fill it up, zeros."""
    table = np.zeros((5, -(-layer.outputs // COLUMNS) * COLUMNS), np.int32)
    bias = layer.bias.astype(np.int64)
    # without lower bits, the bias is whole; sums of less than 31 bits are all sign beyond
    lower, upper = (bias & ((1 << bits) - 1), bias >> bits) if bits else (bias, np.zeros_like(bias))
    fields = lower, (layer.shift - bits).clip(max=31), layer.low, layer.high, upper
    for row, field in zip(table, fields, strict=True):
        row[: layer.outputs] = field
    return np.ascontiguousarray(table.reshape(5, -1, COLUMNS).swapaxes(0, 1))
