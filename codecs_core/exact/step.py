"""One layer as it is evaluated: matrix products of blocks that stay in the cache.

A convolution is a matrix product of windows and weights. A library's convolution may form other sums than that (Winograd, FFT), so the
windows are written out here, some hundred at a time, whatever images they belong to, and numpy multiplies them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_core.exact.blas import small_terms
from codecs_core.exact.kernels import rescale, windows
from codecs_core.exact.layer import EXACT32, Layer

#: Rows of a matrix product.
ROWS = 256
#: Windows are written out for several products at a time, up to this number of bytes.
BYTES = 1 << 20
#: A sum is cut into at most this number of parts, to be evaluated in float32.
PARTS = 8


def view(buffer: NDArray[np.uint8], dtype: Any, *shape: int) -> NDArray[Any]:
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

    @cached_property
    def dtype(self) -> np.dtype[Any]:
        """Of the products."""
        return self.weight[0].dtype

    @cached_property
    def terms(self) -> int:
        """Size of a window."""
        return sum(map(len, self.weight))

    @cached_property
    def inputs(self) -> int:
        """Width of the inputs."""
        return self.terms // math.prod(self.taps)

    @cached_property
    def outputs(self) -> int:
        """Width of the outputs."""
        return self.bias.size

    @cached_property
    def rows(self) -> int:
        """Rows of a product."""
        # what kernels take at a time is a divisor of 12
        return small_terms() // max(w.size for w in self.weight) // 12 * 12 or ROWS

    @cached_property
    def block(self) -> int:
        """The most pixels of a block: those of a few products."""
        return max(1, BYTES // (self.rows * self.terms * self.dtype.itemsize)) * self.rows

    def scratch(self, pixels: int) -> tuple[int, int]:
        """Bytes of the windows of a block and of its sums, for at most this number of pixels."""
        size = min(pixels, self.block) * self.dtype.itemsize
        return 0 if self.taps == (1, 1) else size * max(map(len, self.weight)), size * self.outputs * len(self.weight)

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
            products = view(sums, self.dtype, len(self.weight), n, self.outputs)
            self.multiply(x, size, start, columns, products)
            rescale(products, self.bias, self.scale, self.low, self.high, skip[block], out[block])

    def multiply(
        self, x: NDArray[Any], size: tuple[int, int], start: int, columns: NDArray[np.uint8], products: NDArray[Any]
    ) -> None:
        """Sum the products of the windows around pixels, from `start` on: `products` has the shape (parts, pixels, outputs)."""
        n, first = products.shape[1], 0
        for weight, product in zip(self.weight, products, strict=True):
            if self.taps == (1, 1):
                part = np.ascontiguousarray(x[start : start + n, first : first + len(weight)], self.dtype)
            else:
                part = view(columns, self.dtype, n, len(weight))
                windows(x.reshape(-1), *size, self.taps, self.inputs, start, first, part)
            _multiply(part, weight, product, self.rows)
            first += len(weight)


def _multiply(factor: NDArray[Any], weight: NDArray[Any], product: NDArray[Any], rows: int) -> None:
    """A fixed number of rows at a time, and then those that are left.

    All three are contiguous. Whatever else a BLAS may be given is tried less than that: kernels of OpenBLAS for SME, up to 0.3.31, take
    rows that lie apart for neighbours where there are as many of them as their distance (its issue 5794).
    """
    whole = len(factor) // rows * rows
    if whole:
        parts = factor[:whole].reshape(-1, rows, len(weight)), product[:whole].reshape(-1, rows, weight.shape[1])
        np.matmul(parts[0], weight, out=parts[1])
    if whole < len(factor):
        np.matmul(factor[whole:], weight, out=product[whole:])


def _share(n: int, most: int) -> int:
    """Size of the parts when `n` is cut into as few as possible, none of them larger than `most`, all about equal."""
    return -(-n // -(-n // most))


def parts(layer: Layer, low: NDArray[np.int64], high: NDArray[np.int64]) -> list[slice]:
    """The terms of a sum, all of them or cut so that each part adds up in float32; empty if that takes too many."""
    terms = layer.weight[0].size
    for count in range(1, min(PARTS, terms) + 1):
        cuts = [slice(terms * i // count, terms * (i + 1) // count) for i in range(count)]
        if all(layer.products(low, high, cut).max() < EXACT32 for cut in cuts):
            return cuts
    return []
