"""What stands before and after each matrix product of an exact network."""

from __future__ import annotations

import numpy as np

from codecs_core.jit import inline, kernel


@inline
def _fill(to):
    for i in range(to.size):
        to[i] = 0


@inline
def _copy(to, values):
    for i in range(to.size):
        to[i] = values[i]


@kernel
def windows(x, height, width, taps, channels, start, first, columns):
    """Write of the window around each pixel from `start` on the terms from `first` on into a row of `columns`, as many as that holds.

    A convolution becomes a matrix product ("im2col").

    Parameters
    ----------
    x
        Images of `height` x `width` pixels one after the other, flat, channels last.
    taps
        Height and width of a window, odd. Outside of its image it holds zeros.
    """
    rows, across = taps
    size = across * channels
    end = first + columns.shape[1]
    reached = range(first // size, (end - 1) // size + 1)  # rows of the window
    for i in range(columns.shape[0]):
        pixel = start + i
        row, column = pixel // width % height, pixel % width
        # of each row of the window, what lies in the image
        left = max(0, across // 2 - column) * channels
        right = min(across, width - column + across // 2) * channels
        for j in reached:
            begin, stop = max(first - j * size, 0), min(end - j * size, size)
            to = columns[i, j * size + begin - first : j * size + stop - first]
            offset = j - rows // 2
            if not 0 <= row + offset < height:
                _fill(to)
                continue
            a, b = min(max(left, begin), stop), min(max(right, begin), stop)
            source = (pixel + offset * width - across // 2) * channels
            _fill(to[: a - begin])
            _copy(to[a - begin : b - begin], x[source + a : source + b])
            _fill(to[b - begin :])


@kernel
def rescale(sums, bias, scale, low, high, skip, out):
    """Compute out = clamp(floor((sum of sums + bias) * scale) + skip, low, high), column by column; an empty `skip` is none.

    `sums` has the shape (parts, rows, columns). `scale` is a power of two a column, so all of it is exact.
    """
    parts, rows, columns = sums.shape
    total = np.empty(columns, bias.dtype)
    for i in range(rows):
        for j in range(columns):
            total[j] = bias[j] + sums[0, i, j]
        for part in range(1, parts):
            for j in range(columns):
                total[j] += sums[part, i, j]
        for j in range(columns):
            total[j] = np.floor(total[j] * scale[j])
        if skip.size:
            for j in range(columns):
                total[j] += skip[i, j]
        for j in range(columns):
            out[i, j] = min(max(total[j], low[j]), high[j])
