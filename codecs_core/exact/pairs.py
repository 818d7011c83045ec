"""How an exact network of small integers is evaluated where a processor multiplies pairs of them: all layers for some rows at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_core.exact.evaluate import Plan
from codecs_core.exact.layer import Layer
from codecs_core.jit import kernel
from codecs_core.jit.pairs import COLUMNS, ROWS, packed, supported, tile

#: Rows that go through a network together, a multiple of those of a tile: what passes between layers stays in the cache.
BLOCK = 8 * ROWS


@kernel
def evaluate(x, layers, weights, scales, buffers, wide, out):
    """Evaluate a network on rows.

    Parameters
    ----------
    x, out
        Inputs, shape (rows, inputs), int16, and outputs, int32.
    layers
        Of each the pairs of its inputs, the panels of `COLUMNS` outputs, the buffers of its inputs, of what is added and of its outputs,
        and where its weights and its scales begin.
    weights, scales
        As `tile` takes them.
    buffers
        Zeros, flat, int16: blocks of `BLOCK` rows of `wide` numbers, the last of them of the result, and a row that stays zero, which
        counts as a buffer too.
    """
    size = BLOCK * wide
    zeros = buffers.size // size
    result = (zeros - 1) * size
    for first in range(0, x.shape[0], BLOCK):
        rows = min(BLOCK, x.shape[0] - first)
        for i in range(rows):
            for j in range(x.shape[1]):
                buffers[i * wide + j] = x[first + i, j]
        for number in range(layers.shape[0]):
            pairs, panels, source, skip, target, weight, scale = layers[number]
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
                        scale + 4 * column,
                        (skip * size + row * apart + column * (apart > 0), apart),
                        (target * size + row * wide + column, wide),
                    )
        for i in range(rows):
            for j in range(out.shape[1]):
                out[first + i, j] = buffers[result + i * wide + j]


class Pairs:
    """The tables of a network without convolutions.

    Parameters
    ----------
    layers
        Checked, and chained.
    plan
        Says which buffers they share.
    """

    def __init__(self, layers: Sequence[Layer], plan: Plan) -> None:
        count = len(plan.widths)
        self.outputs = layers[-1].outputs
        sizes = [layers[0].inputs, *(layer.outputs for layer in layers)]
        self.wide = -(-max(sizes) // COLUMNS) * COLUMNS
        self.room = (count + 1) * BLOCK * self.wide + self.wide
        weights = [packed(layer.weight) for layer in layers]
        scales = [_scales(layer) for layer in layers]
        self.weights, self.scales = (np.concatenate([a.reshape(-1) for a in arrays]) for arrays in (weights, scales))
        starts = [np.cumsum([0, *(a.size for a in arrays)])[:-1] for arrays in (weights, scales)]
        rows = [
            (w.shape[1], w.shape[0], step.source, count + 1 if step.skip < 0 else step.skip, step.target % (count + 1))
            for w, step in zip(weights, plan.steps, strict=True)
        ]
        self.layers = np.concatenate([np.array(rows), np.stack(starts, 1)], 1).astype(np.int64)

    @classmethod
    def of(
        cls,
        layers: Sequence[Layer],
        spans: Sequence[tuple[NDArray[np.int64], NDArray[np.int64]]],
        bounds: Sequence[int],
        plan: Plan,
    ) -> Pairs | None:
        """Those of a network, or None where it has convolutions, numbers of more bits, or another processor.

        `spans` are the lowest and highest inputs of each layer, and the outputs of the last one; `bounds` those of the sums of each layer.
        """
        if any(layer.weight.ndim != 2 for layer in layers) or max(bounds) >= 1 << 31 or not supported():
            return None
        limits = np.iinfo(np.int16)
        numbers = [a for span in spans for a in span] + [layer.weight for layer in layers]
        small = all(limits.min <= int(a.min()) and int(a.max()) <= limits.max for a in numbers)
        return cls(layers, plan) if small else None

    def __call__(self, x: NDArray[Any]) -> NDArray[np.int32]:
        """Evaluate rows of shape (rows, inputs) to (rows, outputs)."""
        out = np.empty((len(x), self.outputs), np.int32)
        rows = np.ascontiguousarray(x, np.int16)
        evaluate(rows, self.layers, self.weights, self.scales, np.zeros(self.room, np.int16), self.wide, out)
        return out


def _scales(layer: Layer) -> NDArray[np.int32]:
    """Bias, shift, low and high of the outputs of each tile; of those that only fill it up, zeros."""
    table = np.zeros((4, -(-layer.outputs // COLUMNS) * COLUMNS), np.int32)
    # sums of less than 31 bits are all sign beyond
    for row, field in zip(table, (layer.bias, layer.shift.clip(max=31), layer.low, layer.high), strict=True):
        row[: layer.outputs] = field
    return np.ascontiguousarray(table.reshape(4, -1, COLUMNS).swapaxes(0, 1))
