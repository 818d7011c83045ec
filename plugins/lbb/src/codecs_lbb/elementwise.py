"""Elementwise maps of flows, as `codecs_lbb.local` takes them: IEEE doubles in a fixed order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_core.jit import kernel
from codecs_lbb import elementary, mixture


@dataclass(frozen=True, eq=False)
class Scale:
    """y = x e^log_scale.

    Parameters
    ----------
    log_scale
        In nats; broadcasts to x.
    """

    log_scale: NDArray[np.float64]

    def forward(self, x: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Of the shape of x both."""
        log_scale = np.ascontiguousarray(np.broadcast_to(self.log_scale, x.shape))
        return self._scaled(x, log_scale), log_scale

    def inverse(self, y: NDArray[np.float64]) -> NDArray[np.float64]:
        """Inverse of `forward`."""
        return self._scaled(y, -np.ascontiguousarray(np.broadcast_to(self.log_scale, y.shape)))

    def _scaled(self, x: NDArray[np.float64], log_scale: NDArray[np.float64]) -> NDArray[np.float64]:
        out = np.empty(x.shape)
        _scale(np.ascontiguousarray(x).reshape(-1), log_scale.reshape(-1), out.reshape(-1))
        return out


@dataclass(frozen=True)
class Logit:
    """y = logit(offset + slope x).

    Parameters
    ----------
    offset, slope
        So that what is in the logit is between 0 and 1 for all x that occur.
    """

    offset: float
    slope: float

    def forward(self, x: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Of the shape of x both; NaN beyond the range."""
        y, log_slope = np.empty(x.shape), np.empty(x.shape)
        flat = np.ascontiguousarray(x).reshape(-1)
        _logit(flat, self.offset, self.slope, y.reshape(-1), log_slope.reshape(-1))
        return y, log_slope

    def inverse(self, y: NDArray[np.float64]) -> NDArray[np.float64]:
        """Inverse of `forward`."""
        out = np.empty(y.shape)
        _logistic(np.ascontiguousarray(y).reshape(-1), out.reshape(-1))
        return (out - self.offset) / self.slope


@dataclass(frozen=True, eq=False)
class LogitMixture:
    """The logit of a mixture's distribution function: see `codecs_lbb.mixture`.

    Parameters
    ----------
    parameters
        Integers, shape (*x.shape, k): those that count from `first` on.
    components
        Of each mixture.
    """

    parameters: NDArray[Any]
    first: int
    components: int

    def forward(self, x: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Of the shape of x both."""
        return mixture.forward(x, self.parameters, self.first, self.components)

    def inverse(self, y: NDArray[np.float64]) -> NDArray[np.float64]:
        """Inverse of `forward`."""
        return mixture.inverse(y, self.parameters, self.first, self.components)


@kernel
def _scale(x, log_scale, out):
    for i in range(x.size):
        out[i] = x[i] * elementary.exp(log_scale[i])


@kernel
def _logit(x, offset, slope, y, log_slope):
    for i in range(x.size):
        p = offset + slope * x[i]
        inside = 0.0 < p < 1.0
        q = p if inside else 0.5
        y[i] = elementary.logit(q) if inside else np.nan
        log_slope[i] = elementary.log(slope / (q * (1.0 - q)))


@kernel
def _logistic(y, out):
    for i in range(y.size):
        out[i] = elementary.logistic(y[i])
