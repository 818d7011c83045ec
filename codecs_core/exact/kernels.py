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
    """Compute out = clamp(floor((sums + bias) * scale) + skip, low, high), column by column; an empty `skip` is none.

    `scale` is a power of two a column, so all of it is exact.
    """
    rows, columns = sums.shape
    if skip.size == 0:
        for i in range(rows):
            for j in range(columns):
                value = np.floor((sums[i, j] + bias[j]) * scale[j])
                out[i, j] = min(max(value, low[j]), high[j])
    else:
        for i in range(rows):
            for j in range(columns):
                value = np.floor((sums[i, j] + bias[j]) * scale[j]) + skip[i, j]
                out[i, j] = min(max(value, low[j]), high[j])
