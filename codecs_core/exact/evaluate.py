"""How an exact network is evaluated: matrix products of blocks that stay in the cache.

A convolution is a matrix product of windows and weights. A library's convolution may form other sums than that (Winograd, FFT), so the
windows are written out here, some hundred at a time, whatever images they belong to, and numpy multiplies them. Images go through the
whole network a few at a time, so that what passes between layers stays in the cache as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_core.exact.blas import one_thread
from codecs_core.exact.kernels import rescale, windows
from codecs_core.exact.layer import Layer

#: Pixels that go through a network together, rounded up to whole images; an item without height and width is one pixel.
PIXELS = 1024
#: Windows that are multiplied together: as many as have `BYTES`, and no more than `ROWS`.
ROWS, BYTES = 256, 1 << 20

_NOTHING = np.empty((0, 0), np.float32)


def _matrix(buffer: NDArray[np.uint8], rows: int, columns: int, dtype: Any = np.float32) -> NDArray[Any]:
    """The beginning of a buffer as a matrix."""
    matrix: NDArray[Any] = buffer[: rows * columns * np.dtype(dtype).itemsize].view(dtype)
    return matrix.reshape(rows, columns)


@dataclass(frozen=True, eq=False)
class Step:
    """A layer as it is evaluated, and its buffers: `source` and `skip` (-1: none) are read, `target` (-1: the result) is written."""

    weight: NDArray[Any]
    taps: tuple[int, int]
    bias: NDArray[Any]
    scale: NDArray[Any]
    low: NDArray[Any]
    high: NDArray[Any]
    source: int
    skip: int
    target: int

    def most(self, pixels: int) -> int:
        """The largest block of so many pixels or fewer."""
        if self.taps == (1, 1):
            return pixels
        return min(pixels, ROWS, max(16, BYTES // (len(self.weight) * self.weight.itemsize)))

    def scratch(self, pixels: int) -> tuple[int, int]:
        """Bytes of the windows of the largest block, and of its sums."""
        count = self.most(pixels) * self.weight.itemsize
        return 0 if self.taps == (1, 1) else count * self.weight.shape[0], count * self.weight.shape[1]

    def __call__(
        self,
        x: NDArray[Any],
        skip: NDArray[Any],
        out: NDArray[Any],
        size: tuple[int, int],
        columns: NDArray[np.uint8],
        sums: NDArray[np.uint8],
    ) -> None:
        """Evaluate whole images of height and width `size`, whose pixels are the rows of `x`, `skip` and `out`."""
        dtype, (inputs, outputs) = self.weight.dtype, self.weight.shape
        blocks = -(-len(x) // self.most(len(x)))
        rows = -(-len(x) // blocks)  # all about equal
        for start in range(0, len(x), rows):
            block = slice(start, start + rows)
            n = len(out[block])
            if self.taps == (1, 1):
                factor = x[block].astype(dtype, copy=False)
            else:
                factor = _matrix(columns, n, inputs, dtype)
                windows(x.reshape(-1), *size, self.taps, start, factor)
            product = np.matmul(factor, self.weight, out=_matrix(sums, n, outputs, dtype))
            rescale(product, self.bias, self.scale, self.low, self.high, skip[block], out[block])


class Plan:
    """The steps of a network and the buffers between them.

    Parameters
    ----------
    layers
        Checked, and chained.
    dtypes
        The floating-point type in which the sums of each layer are exact.
    """

    def __init__(self, layers: Sequence[Layer], dtypes: Sequence[np.dtype[Any]]) -> None:
        self.widths = [layers[0].inputs]  # of the buffers
        self.steps: list[Step] = []
        # activation 0 is the input of the network, activation i + 1 the output of layer i
        last_use = {i: i for i in range(len(layers))}
        last_use |= {i + 1 - layer.skip: i for i, layer in enumerate(layers) if layer.skip}
        held = {0: 0}
        for i, (layer, dtype) in enumerate(zip(layers, dtypes, strict=True)):
            target = -1
            if i < len(layers) - 1:
                target = next(b for b in range(len(held) + 1) if b not in held.values())
                self.widths += [0] * (target == len(self.widths))
                self.widths[target] = max(self.widths[target], layer.outputs)
            self.steps.append(
                Step(
                    weight=np.ascontiguousarray(layer.weight.reshape(layer.outputs, -1).T, dtype),
                    taps=(1, 1) if layer.weight.ndim == 2 else layer.weight.shape[1:3],
                    bias=layer.bias.astype(dtype),
                    scale=np.ldexp(np.ones(layer.outputs, dtype), -layer.shift.astype(np.int32)),
                    low=layer.low.astype(dtype),
                    high=layer.high.astype(dtype),
                    source=held[i],
                    skip=held[i + 1 - layer.skip] if layer.skip else -1,
                    target=target,
                )
            )
            held[i + 1] = target
            held = {a: b for a, b in held.items() if last_use.get(a, 0) > i}

    def __call__(self, x: NDArray[Any]) -> NDArray[np.int32]:
        """Evaluate images of shape (batch, height, width, inputs) to (batch, height, width, outputs)."""
        (batch, height, width, inputs), outputs = x.shape, self.steps[-1].weight.shape[1]
        result = np.empty((batch, height, width, outputs), np.int32)
        if result.size == 0:
            return result
        images = min(-(-PIXELS // (height * width)), batch)
        pixels = images * height * width
        # inputs and outputs of a layer are below 2^24: float32 holds them whatever the layer is evaluated in
        buffers = [np.empty(pixels * n * 4, np.uint8) for n in self.widths]
        sizes = zip(*(step.scratch(pixels) for step in self.steps), strict=True)
        columns, sums = (np.empty(max(n), np.uint8) for n in sizes)
        with one_thread():
            for first in range(0, batch, images):
                chunk = slice(first, first + images)
                rows = x[chunk].reshape(-1, inputs)
                _matrix(buffers[0], *rows.shape)[:] = rows
                for step in self.steps:
                    taps, outputs = step.taps[0] * step.taps[1], step.weight.shape[1]
                    step(
                        _matrix(buffers[step.source], len(rows), len(step.weight) // taps),
                        _matrix(buffers[step.skip], len(rows), outputs) if step.skip >= 0 else _NOTHING,
                        _matrix(buffers[step.target], len(rows), outputs)
                        if step.target >= 0
                        else result[chunk].reshape(-1, outputs),
                        (height, width),
                        columns,
                        sums,
                    )
        return result
