"""Local bits-back coding of elementwise maps: Ho, Lohn, Abbeel 2019, section 3.4.1."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from codecs_core.entropy import Message
from codecs_lbb.grid import Grid


class Map(Protocol):
    """An increasing function of each element of an array of doubles. Its values are the same bits on every machine."""

    def forward(self, x: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Its values, and the natural logarithms of its slopes."""
        ...

    def inverse(self, y: NDArray[np.float64]) -> NDArray[np.float64]:
        """What has these values."""
        ...


def push(message: Message, grid: Grid, x: NDArray[Any], function: Map) -> NDArray[np.int64]:
    """Pop y from N(f(x), (noise f'(x))^2), then push x with N(f^-1(y), noise^2); returns y. All in units of the grid.

    Raises
    ------
    EntropyError
        Where a value leaves the range of the grid, or the inverse is more than 16 standard deviations off.
    """
    y = grid.gaussian(*function.forward(grid.values(x))).pop(message)
    grid.gaussian(function.inverse(grid.values(y))).push(message, x)
    return y


def pop(message: Message, grid: Grid, y: NDArray[Any], function: Map) -> NDArray[np.int64]:
    """Inverse of `push`: returns x."""
    x = grid.gaussian(function.inverse(grid.values(y))).pop(message)
    grid.gaussian(*function.forward(grid.values(x))).push(message, y)
    return x


def forward(grid: Grid, x: NDArray[Any], function: Map) -> tuple[NDArray[np.int64], float]:
    """The nearest multiple of the pitch to f(x), and the sum of the logarithms of the slopes."""
    y, log_slope = function.forward(grid.values(x))
    return grid.units(y), float(log_slope.sum())
