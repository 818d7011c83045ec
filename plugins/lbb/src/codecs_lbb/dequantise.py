"""Dequantisation by bits-back: an integer and noise in [0, 1), whose density a flow gives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from codecs_core.entropy import Binned, Bits, Distribution, StackCodec, flat, from_cdf
from codecs_core.errors import ModelError
from codecs_core.jit import inline
from codecs_lbb import elementary
from codecs_lbb.conditioner import LOG_BITS, SHIFT_BITS, SHIFT_LIMIT, conditioner, fixed
from codecs_lbb.grid import Grid
from codecs_lbb.layers.multiscale import Squeeze

#: log2 of the grey levels of a unit of the grid's values.
GREY_BITS = 5
#: log2 of the parts of [0, 1) that learned noise is told apart in.
NOISE_BITS = 12
PARTS = 1 << NOISE_BITS
_PRECISION = 28
_COUNTS = float((1 << _PRECISION) - PARTS)
_SHIFT_UNIT, _LOG_UNIT = 2.0**-SHIFT_BITS, 2.0**-LOG_BITS
#: Range of the log-scale of noise, in nats.
_SCALES = -3 << LOG_BITS, 1 << LOG_BITS


Noise: TypeAlias = StackCodec[NDArray[np.int64]]
"""Noise in units of the grid, from 0 to less than a grey level: it cannot leave it, whatever its density."""


class Uniform:
    """Uniform noise."""

    def __init__(self, grid: Grid) -> None:
        self.grid = grid

    def __call__(self, x: NDArray[np.int64]) -> Noise:
        """Noise of the shape of images."""
        return Bits(np.full(x.shape, self.grid.bits - GREY_BITS))


class Learned:
    """u = logistic((e + shift) scale) of logistic noise e: variational dequantisation (Ho et al. 2019, section 3.1).

    That is one elementwise map, so that u is coded with its distribution function, F(u) = logistic(logit(u) / scale - shift), and e not
    at all.

    Parameters
    ----------
    tensors, name
        Of the network of the squeezed images: shifts and log-scales.
    channels
        Of an image.
    """

    def __init__(self, grid: Grid, tensors: Mapping[str, NDArray[Any]], name: str, *, channels: int) -> None:
        if grid.bits < GREY_BITS + NOISE_BITS:
            raise ModelError(f"learned noise on a grid of {grid.bits} bits; expected {GREY_BITS + NOISE_BITS} or more")
        self.grid = grid
        low, high = (
            np.repeat([sign * SHIFT_LIMIT, scale], 4 * channels) for sign, scale in zip((-1, 1), _SCALES, strict=True)
        )
        self.network = conditioner(tensors, name, inputs=4 * channels, shifts=4 * channels, low=low, high=high)

    def __call__(self, x: NDArray[np.int64]) -> Noise:
        """Noise given images, on the grid, of shape (n, h, w, channels)."""
        squeeze = Squeeze()
        network, linear = self.network(fixed(self.grid, squeeze.to(x)))
        shift, log_scale = np.split(network.astype(np.int64), 2, -1)
        parts = Parts(squeeze.back(shift + linear), squeeze.back(log_scale))
        return Binned(parts, self.grid.bits - GREY_BITS - NOISE_BITS)


class Parts(Distribution):
    """Part k of [0, 1), floor(F(k / n) (2^28 - n)) + k counts of 2^28 below it, F(v) = logistic(logit(v) e^-log_scale - shift).

    Parameters
    ----------
    shift, log_scale
        Integers in units of 2^-16, and of 2^-10 nats.
    """

    symbols, precision = PARTS, _PRECISION

    def __init__(self, shift: NDArray[np.int64], log_scale: NDArray[np.int64]) -> None:
        self.shape = shift.shape
        self._params = (np.int64(PARTS), flat(shift, self.shape), flat(log_scale, self.shape))


@inline
def _below(k, shift, scale):
    """The counts below part k."""
    if k <= 0:
        return np.uint64(0)
    if k >= PARTS:
        return np.uint64(1 << _PRECISION)
    share = elementary.logistic(elementary.logit(k / PARTS) * scale - shift)
    return np.uint64(np.int64(np.floor(share * _COUNTS)) + k)


@inline
def _pair(k, i, params):
    shift, scale = params[1][i] * _SHIFT_UNIT, elementary.exp(-params[2][i] * _LOG_UNIT)
    return _below(k, shift, scale), _below(k + 1, shift, scale)


@inline
def _cdf(k, i, params):
    return _below(k, params[1][i] * _SHIFT_UNIT, elementary.exp(-params[2][i] * _LOG_UNIT))


@inline
def _guess(count, i, params):
    """The part in which F is the share of this count."""
    share = (np.int64(count) + 0.5) / float(1 << _PRECISION)
    at = (elementary.logit(share) + params[1][i] * _SHIFT_UNIT) * elementary.exp(params[2][i] * _LOG_UNIT)
    return np.int64(elementary.logistic(at) * PARTS)


Parts._kernels = from_cdf(_cdf, _guess, _pair)
