"""Black-box local bits-back coding: Ho, Lohn, Abbeel 2019, algorithm 1."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from codecs_core.entropy import Message
from codecs_core.errors import ConfigError, EntropyError
from codecs_core.jit import kernel
from codecs_lbb import elementary, local
from codecs_lbb.grid import Grid

#: The most dimensions: time grows with their cube, and memory with their square.
MOST = 1024
#: log2 of the steps of the central differences.
_STEP_BITS = 10


class VectorMap(Protocol):
    """An invertible, differentiable map of vectors, shape (n, d), of doubles: the same bits on every machine, and for any n."""

    def forward(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Z = f(x)."""
        ...

    def inverse(self, z: NDArray[np.float64]) -> NDArray[np.float64]:
        """f^-1(z)."""
        ...


def push(message: Message, grid: Grid, x: NDArray[Any], function: VectorMap) -> NDArray[np.int64]:
    """Pop z from N(f(x), noise^2 J J^T), then push x with N(f^-1(z), noise^2); returns z. All in units of the grid.

    Parameters
    ----------
    message
        Whose bits become z.
    grid
        Of all values.
    x
        Integers, shape (n, d).
    function
        With its inverse.

    Raises
    ------
    ConfigError
        For more than `MOST` dimensions.
    EntropyError
        Where the Jacobian is singular, a value leaves the range of the grid, or the inverse does not invert.
    """
    means, lower = _local(grid, x, function)
    z = np.empty(x.shape, np.int64)
    innovations = np.zeros(x.shape)
    for i in range(x.shape[1]):
        mean, log_slope = _conditional(means, lower, innovations, i)
        z[:, i] = grid.gaussian(mean, log_slope).pop(message)
        innovations[:, i] = (grid.values(z[:, i]) - mean) / lower[:, i, i]
    local.encode_x_given_y(message, grid, x, z, function.inverse, function.forward)
    return z


def pop(message: Message, grid: Grid, z: NDArray[Any], function: VectorMap) -> NDArray[np.int64]:
    """Inverse of `push`: returns x."""
    x = grid.near(function.inverse(grid.values(z))).pop(message)
    means, lower = _local(grid, x, function)
    innovations = np.zeros(z.shape)
    conditionals = []
    for i in range(z.shape[1]):
        mean, log_slope = _conditional(means, lower, innovations, i)
        conditionals.append(grid.gaussian(mean, log_slope))
        innovations[:, i] = (grid.values(z[:, i]) - mean) / lower[:, i, i]
    for i in reversed(range(z.shape[1])):
        conditionals[i].push(message, z[:, i])
    return x


def log_determinant(grid: Grid, x: NDArray[Any], function: VectorMap) -> NDArray[np.float64]:
    """Natural logarithms of |det J|, shape (n,)."""
    _, lower = _local(grid, x, function)
    result: NDArray[np.float64] = np.log(np.abs(np.einsum("nii->ni", lower))).sum(1)
    return result


def _local(grid: Grid, x: NDArray[Any], function: VectorMap) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """f(x), shape (n, d), and L with J J^T = L L^T, shape (n, d, d), lower triangular."""
    n, d = x.shape
    if d > MOST:
        raise ConfigError(
            f"black-box coding of {d} dimensions; it takes {MOST} at most, so code such a flow layer by layer"
        )
    values, step = grid.values(x), 2.0**-_STEP_BITS
    transposed = np.empty((n, d, d))  # row j: the derivatives with respect to x_j
    for j in range(d):
        up, down = values.copy(), values.copy()
        up[:, j] += step
        down[:, j] -= step
        transposed[:, j] = (function.forward(up) - function.forward(down)) * 2.0 ** (_STEP_BITS - 1)
    if not _triangular(transposed):
        raise EntropyError("the Jacobian of a flow is singular, or not finite: such a map cannot be coded")
    return function.forward(values), np.ascontiguousarray(transposed.transpose(0, 2, 1))


def _conditional(
    means: NDArray[np.float64], lower: NDArray[np.float64], innovations: NDArray[np.float64], i: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and log-slope of z_i given those before: z = f(x) + L e, and e_1 to e_{i-1} are known."""
    mean, log_slope = np.empty(len(means)), np.empty(len(means))
    _row(means, lower, innovations, i, mean, log_slope)
    return mean, log_slope


@kernel
def _row(means, lower, innovations, i, mean, log_slope):
    for item in range(len(means)):
        total = means[item, i]
        for j in range(i):
            total += lower[item, i, j] * innovations[item, j]
        mean[item] = total
        log_slope[item] = elementary.log(np.abs(lower[item, i, i]))


@kernel
def _triangular(matrices):
    """R of the QR decomposition of each matrix, in place, by Householder reflections; whether all are finite and regular."""
    n, d, _ = matrices.shape
    v = np.empty(d)
    for item in range(n):
        a = matrices[item]
        for k in range(d):
            square = 0.0
            for i in range(k, d):
                square += a[i, k] * a[i, k]
            if not 1e-200 < square < 1e200:
                return False
            norm = np.sqrt(square)
            pivot = -norm if a[k, k] > 0.0 else norm
            for i in range(k, d):
                v[i] = a[i, k]
            v[k] -= pivot
            # |v|^2 / 2
            half = square - a[k, k] * pivot
            for j in range(k + 1, d):
                product = 0.0
                for i in range(k, d):
                    product += v[i] * a[i, j]
                factor = product / half
                for i in range(k, d):
                    a[i, j] -= factor * v[i]
            a[k, k] = pivot
            for i in range(k + 1, d):
                a[i, k] = 0.0
    return True
