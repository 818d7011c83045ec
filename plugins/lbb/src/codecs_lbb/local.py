"""Local bits-back coding of elementwise maps: Ho, Lohn, Abbeel 2019, section 3.4.1."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from codecs_core.entropy import Message
from codecs_core.errors import EntropyError
from codecs_lbb.grid import Grid

#: How exact an inverse is, relative to a value or to 1.
TOLERANCE = 2.0**-6


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
        Where a value leaves the range of the grid, a slope is 0, or the inverse does not invert.
    """
    y = grid.gaussian(*function.forward(grid.values(x))).pop(message)
    encode_x_given_y(message, grid, x, y, function.inverse, lambda v: function.forward(v)[0])
    return y


def encode_x_given_y(
    message: Message,
    grid: Grid,
    x: NDArray[Any],
    y: NDArray[np.int64],
    inverse: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    forward: Callable[[NDArray[np.float64]], NDArray[np.float64]],
) -> None:
    """Push x with N(f^-1(y), noise^2); raises `EntropyError` where it is far from f^-1(y), and f(f^-1(y)) far from y."""
    values = grid.values(y)
    back = inverse(values)
    near = grid.near(back)
    far = near.far(x)
    if far.any():
        again, wanted = forward(back)[far], values[far]
        wrong = ~(np.abs(again - wanted) <= TOLERANCE * (1 + np.abs(wanted)))
        if wrong.any():
            raise EntropyError(
                f"the inverse of a flow does not invert: of {wanted[wrong][0]:.6g} it makes what the flow maps to {again[wrong][0]:.6g}; "
                "mend one of them"
            )
    near.push(message, x)


def pop(message: Message | None, grid: Grid, y: NDArray[Any], function: Map) -> NDArray[np.int64]:
    """Inverse of `push`: returns x. Without a message, f^-1(y) itself."""
    if message is None:
        return grid.units(function.inverse(grid.values(y)))
    x = grid.near(function.inverse(grid.values(y))).pop(message)
    grid.gaussian(*function.forward(grid.values(x))).push(message, y)
    return x


def forward(grid: Grid, x: NDArray[Any], function: Map) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The nearest multiples of the pitch to f(x), and the logarithms of the slopes to base 2."""
    y, log_slope = function.forward(grid.values(x))
    return grid.units(y), log_slope / math.log(2)
