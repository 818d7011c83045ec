"""How an exact network is evaluated: matrix products of blocks that stay in the cache.

A convolution is a matrix product of windows and weights. A library's convolution may form other sums than that (Winograd, FFT), so the
windows are written out here, some hundred at a time, whatever images they belong to, and numpy multiplies them. Images go through the
whole network a few at a time, so that what passes between layers stays in the cache as well.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_core.exact.blas import one_thread, small_terms
from codecs_core.exact.kernels import rescale, windows
from codecs_core.exact.layer import EXACT32, Layer

#: Pixels that go through a network together, rounded up to whole images; an item without height and width is one pixel.
PIXELS = 1024
#: Rows of a matrix product.
ROWS = 256
#: Windows are written out for several products at a time, up to so many bytes.
BYTES = 1 << 19
#: Into so many parts a sum is cut to be evaluated in float32; about as many make it as slow as float64.
PARTS = 8

_NOTHING = np.empty((0, 0), np.float32)


def _view(buffer: NDArray[np.uint8], dtype: Any, *shape: int) -> NDArray[Any]:
    """The beginning of a buffer as an array."""
    array: NDArray[Any] = buffer[: math.prod(shape) * np.dtype(dtype).itemsize].view(dtype)
    return array.reshape(shape)


@dataclass(frozen=True, eq=False)
class Step:
    """A layer as it is evaluated, and its buffers: `source` and `skip` (-1: none) are read, `target` (-1: the result) is written.

    The products of a window are summed in as many parts as there are in `weight`, and those sums, and the bias, in the type of `bias`.
    """

    weight: list[NDArray[Any]]
    taps: tuple[int, int]
    bias: NDArray[Any]
    scale: NDArray[Any]
    low: NDArray[Any]
    high: NDArray[Any]
    source: int
    skip: int
    target: int

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the products."""
        return self.weight[0].dtype

    @property
    def terms(self) -> int:
        """Size of a window."""
        return sum(map(len, self.weight))

    @property
    def outputs(self) -> int:
        """Width of the outputs."""
        return self.bias.size

    @property
    def rows(self) -> int:
        """Rows of a product."""
        small = (
            small_terms() // max(w.size for w in self.weight) // 12 * 12
        )  # what kernels take at a time is a divisor of 12
        return small or ROWS

    @property
    def block(self) -> int:
        """The most pixels of a block: those of a few products."""
        return max(1, BYTES // (self.rows * self.terms * self.dtype.itemsize)) * self.rows

    def scratch(self, pixels: int) -> tuple[int, int]:
        """Bytes of the windows of a block and of its sums, for so many pixels or fewer."""
        size = min(pixels, self.block) * self.dtype.itemsize
        return 0 if self.taps == (1, 1) else size * self.terms, size * self.outputs * len(self.weight)

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
        step = _share(len(x), self.block)
        for start in range(0, len(x), step):
            block = slice(start, min(start + step, len(x)))
            n = block.stop - start
            if self.taps == (1, 1):
                factor = x[block].astype(self.dtype, copy=False)
            else:
                factor = _view(columns, self.dtype, n, self.terms)
                windows(x.reshape(-1), *size, self.taps, start, factor)
            products = _view(sums, self.dtype, len(self.weight), n, self.outputs)
            first = 0
            for weight, product in zip(self.weight, products, strict=True):
                _multiply(factor[:, first : first + len(weight)], weight, product, self.rows)
                first += len(weight)
            rescale(products, self.bias, self.scale, self.low, self.high, skip[block], out[block])


def _multiply(factor: NDArray[Any], weight: NDArray[Any], product: NDArray[Any], rows: int) -> None:
    """So many rows at a time, and then those that are left."""
    whole = len(factor) // rows * rows
    parts = factor[:whole].reshape(-1, rows, len(weight)), product[:whole].reshape(-1, rows, weight.shape[1])
    np.matmul(parts[0], weight, out=parts[1])
    if whole < len(factor):
        np.matmul(factor[whole:], weight, out=product[whole:])


def _share(n: int, most: int) -> int:
    """Size of the parts when `n` is cut into as few as possible, none of them larger than `most`, all about equal."""
    return -(-n // -(-n // most))


def parts(layer: Layer, low: NDArray[np.int64], high: NDArray[np.int64]) -> list[int]:
    """Where a window begins and ends, and where to cut it so that the products of each part add up in float32; empty if nowhere."""
    most, least = layer.magnitudes(low, high)
    terms = most.shape[1]
    for count in range(1, min(PARTS, terms) + 1):
        edges = [terms * i // count for i in range(count + 1)]
        if max(np.add.reduceat(a, edges[:-1], axis=1).max() for a in (most, least)) < EXACT32:
            return edges
    return []


class Plan:
    """The steps of a network and the buffers between them.

    Parameters
    ----------
    layers
        Checked, and chained.
    spans
        The lowest and highest inputs of each layer.
    bounds
        The bound of each layer, with its bias and its skip, below 2^53.
    """

    def __init__(
        self,
        layers: Sequence[Layer],
        spans: Sequence[tuple[NDArray[np.int64], NDArray[np.int64]]],
        bounds: Sequence[int],
    ) -> None:
        self.widths = [layers[0].inputs]  # of the buffers
        self.steps: list[Step] = []
        # activation 0 is the input of the network, activation i + 1 the output of layer i
        last_use = {i: i for i in range(len(layers))}
        last_use |= {i + 1 - layer.skip: i for i, layer in enumerate(layers) if layer.skip}
        held = {0: 0}
        for i, layer in enumerate(layers):
            target = -1
            if i < len(layers) - 1:
                target = next(b for b in range(len(held) + 1) if b not in held.values())
                self.widths += [0] * (target == len(self.widths))
                self.widths[target] = max(self.widths[target], layer.outputs)
            dtype = np.dtype(np.float32 if bounds[i] < EXACT32 else np.float64)
            edges = parts(layer, *spans[i])
            weight = layer.weight.reshape(layer.outputs, -1).T.astype(np.float32 if edges else np.float64)
            self.steps.append(
                Step(
                    weight=[np.ascontiguousarray(weight[a:b]) for a, b in pairwise(edges or [0, len(weight)])],
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
        (batch, height, width, inputs), outputs = x.shape, self.steps[-1].outputs
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
                _view(buffers[0], np.float32, *rows.shape)[:] = rows
                for step in self.steps:
                    taps, outputs = step.taps[0] * step.taps[1], step.outputs
                    step(
                        _view(buffers[step.source], np.float32, len(rows), step.terms // taps),
                        _view(buffers[step.skip], np.float32, len(rows), outputs) if step.skip >= 0 else _NOTHING,
                        _view(buffers[step.target], np.float32, len(rows), outputs)
                        if step.target >= 0
                        else result[chunk].reshape(-1, outputs),
                        (height, width),
                        columns,
                        sums,
                    )
        return result
