"""Stacks of small items: the rate along them, and the bits of each."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from codecs_core.errors import ConfigError, UnsupportedArrayError
from codecs_core.report.plots.drawing import blank

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from codecs_core.codec import Codec

#: Items whose bitstreams are shown, as in figure 1 of BB-ANS.
DIGITS = 30
#: The points that are measured along a stack.
_POINTS = 10


def rate_along(items: NDArray[Any], codecs: Mapping[str, Codec], *, window: int | None = None) -> Figure:
    """The moving average of the rate along a stack: figure 3 of Townsend, Bird, Barber 2019.

    A point at n is what the last `window` of the first n items add to a payload, per value; of fewer items, what all do.

    Parameters
    ----------
    items
        Shape (n, ...).
    codecs
        By what they are called; those that do not take the items are left out.
    window
        By default a fifth of the items.
    """
    count = len(items)
    window = window or max(1, count // 5)
    ends = sorted({max(1, round(count * k / _POINTS)) for k in range(1, _POINTS + 1)} | {1, 5, 20})
    ends = [end for end in ends if end <= count]
    value = max(1, items[0].size)
    figure, (axes,) = blank(7.5, 4.6)
    last = []
    for name, codec in codecs.items():
        try:
            sizes = {end: len(codec.encode(items[:end])) for end in {*ends, *(max(0, e - window) for e in ends)} if end}
        except UnsupportedArrayError:
            continue
        rates = [8 * (sizes[e] - sizes.get(e - window, 0)) / (min(e, window) * value) for e in ends]
        axes.plot(ends, rates, marker=".", ms=4, label=name, lw=2 if codec.model is not None else 1)
        last.append(rates[-1])
    if not last:
        raise ConfigError(f"none of the codecs takes {items.dtype} of shape {items.shape}")
    # The first items pay for a codec's start: they run out of the picture rather than press the rest together.
    axes.set_ylim(0, 2 * max(last))
    axes.set_xlabel("items")
    axes.set_ylabel(f"bits per value, mean of the last {window:,} items")
    axes.legend(fontsize="small", frameon=False)
    axes.set_title("What the next items of a chunk cost")
    return figure


def bitstreams(items: NDArray[Any], codecs: Mapping[str, Codec], *, count: int = DIGITS) -> Figure:
    """Small images and the bits that codecs make of them, each bit as large as a pixel: figure 1 of BB-ANS.

    Parameters
    ----------
    items
        Shape (n, h, w), of uint8 or bool; the first `count` are taken.
    codecs
        By what they are called; those that do not take the images are left out.
    count
        How many images.
    """
    items = items[:count]
    sheet = _rows_of(_as_bits(items), 3)
    streams: dict[str, NDArray[np.uint8]] = {}
    for name, codec in codecs.items():
        try:
            streams[name] = np.unpackbits(np.frombuffer(codec.encode(items), np.uint8))
        except UnsupportedArrayError:
            continue
    held = items.size * (1 if items.max(initial=0) <= 1 else 8)
    drawn = {f"the images: {held:,} bits": sheet}
    drawn |= {f"{name}: {bits.size:,} bits": _column(bits, len(sheet)) for name, bits in streams.items()}
    columns = 2 if len(drawn) <= 4 else 3
    lines, wide = math.ceil(len(drawn) / columns), max(picture.shape[1] for picture in drawn.values())
    figure, panes = blank(4.4 * columns, (4.4 * len(sheet) / wide + 0.35) * lines, rows=lines, columns=columns)
    for axes in panes:
        axes.set_axis_off()
    for axes, (name, picture) in zip(panes, drawn.items(), strict=False):
        axes.imshow(picture, cmap="gray_r", vmin=0, vmax=1, interpolation="nearest")
        axes.set_xlim(0, wide)
        axes.set_title(name, fontsize="small", loc="left")
    return figure


def _column(bits: NDArray[np.uint8], high: int) -> NDArray[np.float64]:
    """Bits as a block of `high` rows, column by column; the end is white."""
    wide = -(-bits.size // high)
    return np.pad(bits.astype(np.float64), (0, wide * high - bits.size)).reshape(wide, high).T


def _as_bits(items: NDArray[Any]) -> NDArray[np.float64]:
    """Images with values from 0 to 1; one that takes eight bits a pixel is shown eight times as wide as one of one bit."""
    if items.max(initial=0) <= 1:
        return items.astype(np.float64)
    return np.repeat(items / 255.0, 8, axis=2)


def _rows_of(items: NDArray[np.float64], rows: int) -> NDArray[np.float64]:
    """A sheet of images in `rows` rows."""
    n, h, w = items.shape
    columns = -(-n // rows)
    sheet = np.zeros((rows * columns, h, w))
    sheet[:n] = items
    return sheet.reshape(rows, columns, h, w).swapaxes(1, 2).reshape(rows * h, columns * w)
