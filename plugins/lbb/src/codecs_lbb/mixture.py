"""Distribution functions of mixtures of logistics, on the logit scale, and their inverses: elementwise maps of Flow++.

y = log(F(x) / (1 - F(x))), where F(x) = sum over k of w_k L((x - m_k) / s_k), L the logistic function, and one of the components has the
weight 2^-12, mean 0 and scale 1 in every mixture (`BROAD`).

Parameters are integers as networks give them, an array of the shape of x and one more axis, in which these of each component stand from
`first` on: logits, means, log-scales.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_core.jit import inline, kernel
from codecs_lbb.conditioner import LOG_BITS, SHIFT_BITS
from codecs_lbb.elementary import decay, exp, log

#: Weight of the broad component.
BROAD = 2.0**-12
#: Weights are held times this, a power of two: it changes no digit, and without it products of small ones would be subnormal numbers.
_WEIGHT_UNIT = 2.0**160
#: Halvings of the bracket of a quantile.
HALVINGS = 24
#: Values that are worked on together, so that loops over them become vector instructions.
_BLOCK = 256
_LOG_UNIT, _SHIFT_UNIT = 2.0**-LOG_BITS, 2.0**-SHIFT_BITS


def forward(
    x: NDArray[np.float64], parameters: NDArray[Any], first: int, components: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Map values; also gives the natural logarithms of the slopes dy/dx, of the shape of x."""
    y, log_slope = np.empty((2, *x.shape))
    _forward(*_flat(x, parameters), first, components, y.reshape(-1), log_slope.reshape(-1))
    return y, log_slope


def inverse(y: NDArray[np.float64], parameters: NDArray[Any], first: int, components: int) -> NDArray[np.float64]:
    """Inverse of `forward` by a fixed number of bisections."""
    x = np.empty(y.shape)
    with np.errstate(over="ignore"):  # a balance may be minus infinity, which plain Python warns of
        _inverse(*_flat(y, parameters), first, components, x.reshape(-1))
    return x


def _flat(x: NDArray[np.float64], parameters: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[Any]]:
    return np.ascontiguousarray(x).reshape(-1), np.ascontiguousarray(parameters).reshape(x.size, parameters.shape[-1])


@inline
def _components(rows, at, size, column, components, weights, means, scales):
    """Weights (times `_WEIGHT_UNIT`), means and inverse scales of a block, one row a component, the broad one last."""
    for k in range(components):
        for j in range(size):
            weights[k, j] = rows[at + j, column + k] * _LOG_UNIT
            means[k, j] = rows[at + j, column + components + k] * _SHIFT_UNIT
            scales[k, j] = rows[at + j, column + 2 * components + k] * _LOG_UNIT
    total = weights[components]
    for j in range(size):
        total[j] = weights[0, j]
    for k in range(1, components):
        for j in range(size):
            total[j] = max(total[j], weights[k, j])
    for k in range(components):
        for j in range(size):
            weights[k, j] = exp(weights[k, j] - total[j])
            scales[k, j] = exp(-scales[k, j])
    for j in range(size):
        total[j] = 0.0
    for k in range(components):
        for j in range(size):
            total[j] += weights[k, j]
    for k in range(components):
        for j in range(size):
            weights[k, j] *= (1.0 - BROAD) * _WEIGHT_UNIT / total[j]
    for j in range(size):
        weights[components, j], means[components, j], scales[components, j] = BROAD * _WEIGHT_UNIT, 0.0, 1.0


@kernel
def _forward(x, rows, column, components, y, log_slope):
    weights, means, scales = (
        np.empty((components + 1, _BLOCK)),
        np.empty((components + 1, _BLOCK)),
        np.empty((components + 1, _BLOCK)),
    )
    below, above, density = np.empty(_BLOCK), np.empty(_BLOCK), np.empty(_BLOCK)
    for first in range(0, x.size, _BLOCK):
        size = min(_BLOCK, x.size - first)
        _components(rows, first, size, column, components, weights, means, scales)
        for j in range(size):
            below[j] = above[j] = density[j] = 0.0
        for k in range(components + 1):
            for j in range(size):
                at = (x[first + j] - means[k, j]) * scales[k, j]
                e = exp(-np.abs(at))
                large = weights[k, j] / (1.0 + e)
                small = e * large
                below[j] += large if at >= 0.0 else small
                above[j] += small if at >= 0.0 else large
                density[j] += small / (1.0 + e) * scales[k, j]
        for j in range(size):
            y[first + j] = log(below[j] / above[j])
            log_slope[first + j] = log(density[j] / (below[j] * above[j]) * _WEIGHT_UNIT)


@kernel
def _inverse(y, rows, column, components, x):
    weights, means, scales = (
        np.empty((components + 1, _BLOCK)),
        np.empty((components + 1, _BLOCK)),
        np.empty((components + 1, _BLOCK)),
    )
    low, high, middle, odds = np.empty(_BLOCK), np.empty(_BLOCK), np.empty(_BLOCK), np.empty(_BLOCK)
    # F - odds (1 - F), as a fraction
    balance, denominator = np.empty(_BLOCK), np.empty(_BLOCK)
    for first in range(0, y.size, _BLOCK):
        size = min(_BLOCK, y.size - first)
        _components(rows, first, size, column, components, weights, means, scales)
        # a quantile of a mixture lies between those of its components
        for j in range(size):
            low[j] = high[j] = y[first + j]
            odds[j] = exp(y[first + j])
        for k in range(components):
            for j in range(size):
                quantile = means[k, j] + y[first + j] / scales[k, j]
                low[j], high[j] = min(low[j], quantile), max(high[j], quantile)
        for _ in range(HALVINGS):
            for j in range(size):
                middle[j] = 0.5 * (low[j] + high[j])
                balance[j], denominator[j] = 0.0, 1.0
            for k in range(components + 1):
                for j in range(size):
                    at = (middle[j] - means[k, j]) * scales[k, j]
                    e = decay(np.abs(at))
                    part = weights[k, j] * (1.0 - odds[j] * e if at >= 0.0 else e - odds[j])
                    balance[j] = balance[j] * (1.0 + e) + part * denominator[j]
                    denominator[j] *= 1.0 + e
            for j in range(size):
                low[j] = middle[j] if balance[j] < 0.0 else low[j]
                high[j] = high[j] if balance[j] < 0.0 else middle[j]
        for j in range(size):
            x[first + j] = 0.5 * (low[j] + high[j])
