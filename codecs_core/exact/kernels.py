"""What stands before and after each matrix product of an exact network."""

from __future__ import annotations

import numpy as np

from codecs_core.entropy.compiled import inline, kernel


@inline
def _fill(to):  # type: ignore[no-untyped-def]
    for i in range(to.size):
        to[i] = 0


@inline
def _copy(to, values):  # type: ignore[no-untyped-def]
    for i in range(to.size):
        to[i] = values[i]


@kernel
def windows(x, height, width, taps, start, columns):  # type: ignore[no-untyped-def]
    """Write the window around each pixel from `start` on into a row of `columns`: convolution becomes a matrix product ("im2col").

    Parameters
    ----------
    x
        Images of `height` x `width` pixels one after the other, flat, channels last.
    taps
        Height and width of a window, odd. Outside of its image it holds zeros.
    """
    rows, across = taps
    size = columns.shape[1] // rows
    channels = size // across
    for i in range(columns.shape[0]):
        pixel = start + i
        row, column = pixel // width % height, pixel % width
        # of each row of the window, what lies in the image
        first = max(0, across // 2 - column) * channels
        last = min(across, width - column + across // 2) * channels
        for j in range(rows):
            to = columns[i, j * size : (j + 1) * size]
            offset = j - rows // 2
            if not 0 <= row + offset < height:
                _fill(to)
                continue
            begin = (pixel + offset * width - across // 2) * channels
            _fill(to[:first])
            _copy(to[first:last], x[begin + first : begin + last])
            _fill(to[last:])


@kernel
def rescale(sums, bias, scale, low, high, skip, out):  # type: ignore[no-untyped-def]
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
