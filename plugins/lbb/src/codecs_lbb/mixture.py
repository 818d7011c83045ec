"""Distribution functions of mixtures of logistics, on the logit scale, and their inverses: elementwise maps of Flow++.

y = log(F(x) / (1 - F(x))), where F(x) = sum over k of w_k L((x - m_k) / s_k), L the logistic function, and one of the components has the
weight 2^-12, mean 0 and scale 1 in every mixture (`BROAD`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from codecs_core.entropy.compiled import inline, kernel
from codecs_lbb.elementary import exp, log

#: Weight of the broad component.
BROAD = 2.0**-12
#: Values that are worked on together, so that loops over them become vector instructions.
_BLOCK = 256
#: Halvings of the bracket, at first and in the end; between them, steps of Newton's method within it.
_HALVINGS = 30


def forward(x: NDArray[np.float64], parameters: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Map values.

    Parameters
    ----------
    x
        Any shape.
    parameters
        Shape (*x.shape, 3, components): logits, means, log-scales in nats.

    Returns
    -------
    y, log_slope
        Of the shape of x; natural logarithms of the slopes dy/dx.
    """
    y, log_slope = np.empty((2, *x.shape))
    _forward(*_flat(x, parameters), y.reshape(-1), log_slope.reshape(-1))
    return y, log_slope


def inverse(y: NDArray[np.float64], parameters: NDArray[np.float64]) -> NDArray[np.float64]:
    """Inverse of `forward` by a fixed number of bisections."""
    x = np.empty(y.shape)
    _inverse(*_flat(y, parameters), x.reshape(-1))
    return x


def _flat(x: NDArray[np.float64], parameters: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return np.ascontiguousarray(x).reshape(-1), np.ascontiguousarray(parameters).reshape(x.size, *parameters.shape[-2:])


@inline
def _components(parameters, first, size, weights, means, scales):  # type: ignore[no-untyped-def]
    """Weights, means and inverse scales of a block, one row a component, the broad one last."""
    components = parameters.shape[2]
    for k in range(components):
        for j in range(size):
            weights[k, j] = parameters[first + j, 0, k]
            means[k, j] = parameters[first + j, 1, k]
            scales[k, j] = parameters[first + j, 2, k]
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
            weights[k, j] *= (1.0 - BROAD) / total[j]
    for j in range(size):
        weights[components, j], means[components, j], scales[components, j] = BROAD, 0.0, 1.0


@kernel
def _forward(x, parameters, y, log_slope):  # type: ignore[no-untyped-def]
    components = parameters.shape[2] + 1
    weights, means, scales = (
        np.empty((components, _BLOCK)),
        np.empty((components, _BLOCK)),
        np.empty((components, _BLOCK)),
    )
    below, above, density = np.empty(_BLOCK), np.empty(_BLOCK), np.empty(_BLOCK)
    for first in range(0, x.size, _BLOCK):
        size = min(_BLOCK, x.size - first)
        _components(parameters, first, size, weights, means, scales)
        for j in range(size):
            below[j] = above[j] = density[j] = 0.0
        for k in range(components):
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
            log_slope[first + j] = log(density[j] / (below[j] * above[j]))


@kernel
def _inverse(y, parameters, x):  # type: ignore[no-untyped-def]
    components = parameters.shape[2] + 1
    weights, means, scales = (
        np.empty((components, _BLOCK)),
        np.empty((components, _BLOCK)),
        np.empty((components, _BLOCK)),
    )
    low, high, middle = np.empty(_BLOCK), np.empty(_BLOCK), np.empty(_BLOCK)
    balance, odds = np.empty(_BLOCK), np.empty(_BLOCK)
    for first in range(0, y.size, _BLOCK):
        size = min(_BLOCK, y.size - first)
        _components(parameters, first, size, weights, means, scales)
        # a quantile of a mixture lies between those of its components
        for j in range(size):
            low[j] = high[j] = y[first + j]
            odds[j] = exp(y[first + j])
        for k in range(components - 1):
            for j in range(size):
                quantile = means[k, j] + y[first + j] / scales[k, j]
                low[j], high[j] = min(low[j], quantile), max(high[j], quantile)
        for _ in range(_HALVINGS):
            for j in range(size):
                middle[j] = 0.5 * (low[j] + high[j])
                balance[j] = 0.0
            for k in range(components):
                for j in range(size):
                    at = (middle[j] - means[k, j]) * scales[k, j]
                    e = exp(-np.abs(at))
                    large = weights[k, j] / (1.0 + e)
                    small = e * large
                    balance[j] += (large if at >= 0.0 else small) - odds[j] * (small if at >= 0.0 else large)
            for j in range(size):
                low[j] = middle[j] if balance[j] < 0.0 else low[j]
                high[j] = high[j] if balance[j] < 0.0 else middle[j]
        for j in range(size):
            x[first + j] = 0.5 * (low[j] + high[j])
