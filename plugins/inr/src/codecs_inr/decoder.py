"""Networks in integers, as every decoder evaluates them: float64 holds each number below exactly, whatever the order of a sum."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_inr.features import Coordinates, waves
from codecs_inr.kinds import Kind
from codecs_inr.network import Siren
from codecs_inr.positional import Positional
from codecs_inr.sine import PHASE_BITS, VALUE_BITS, sine
from codecs_inr.upsampling import children, windows

#: Binary digits of a weight below the point: in turns in front of a sine, in values behind the last one.
WEIGHT_BITS = 20
#: The same of the weights of an upsampling network, in turns.
UP_BITS = 16
#: Outputs of a network with latents are multiplied by this power of two: channels are small, so that sines of them are nearly linear.
LOUDER = 4
#: Binary digits of a place between two cells.
BETWEEN_BITS = 12
#: No weight is larger than this: with fewer than `MOST_UNITS` inputs, sums stay below 2^14 2^28 2^10.
REACH, MOST_UNITS = 1 << 28, 1 << 10
#: Places that are evaluated at once.
_PLACES = 1 << 15


def values(
    network: Siren,
    w: NDArray[np.int64],
    x: NDArray[np.float64],
    kind: Kind,
    exponents: NDArray[np.int64],
    beside: NDArray[np.float64] | None = None,
) -> NDArray[Any]:
    """Values of n networks.

    Parameters
    ----------
    network
        Of all.
    w
        Weights and latents in units of 2^-20, magnitudes up to `REACH`, shape (n, size).
    x
        Features of the places, as `features.fourier` has them, shape (places, features).
    kind
        Of the signals.
    exponents
        Of 2, that the outputs of each network are multiplied by: shape (n,).
    beside
        If there are latents, what `channels` makes of them at the places, shape (n, places, c); outputs then are 2^`LOUDER` times as large.

    Returns
    -------
    NDArray
        Of the dtype of the kind, shape (n, places, outputs).
    """
    out = np.empty((len(w), len(x), network.widths[-1]), kind.dtype)
    many = max(1, _PLACES // max(1, len(x)))
    for first in range(0, len(w), many):
        some = slice(first, first + many)
        given, larger = x, exponents[some]
        if beside is not None:
            given = np.concatenate([np.broadcast_to(x, (len(w[some]), *x.shape)), beside[some]], axis=2)
            larger = larger + LOUDER
        out[some] = _values(network, w[some].astype(np.float64), given, kind, larger)
    return out


def shown(
    network: Siren,
    w: NDArray[np.int64],
    along: Sequence[Coordinates],
    frequencies: NDArray[np.int64],
    kind: Kind,
    exponents: NDArray[np.int64],
    up: Sequence[NDArray[np.int64]] = (),
) -> NDArray[Any]:
    """Values of n networks at the places that have these coordinates along each axis, shape (n, places along each axis, outputs)."""
    (above, below), *others = along
    lengths = [len(one) for one, _ in others]
    out = np.empty((len(w), len(above), *lengths, network.widths[-1]), kind.dtype)
    cells = channels(network, w, up) if isinstance(network, Positional) else None
    step = max(1, _PLACES // max(1, math.prod(lengths)))
    for first in range(0, len(above), step):
        part = out[:, first : first + step]
        some = [(above[first : first + step], below), *others]
        x = waves(some, frequencies)
        beside = None if cells is None else between(cells, some).reshape(len(w), len(x), cells.shape[-1])
        part[...] = values(network, w, x, kind, exponents, beside).reshape(part.shape)
    return out


def channels(network: Positional, w: NDArray[np.int64], up: Sequence[NDArray[np.int64]]) -> NDArray[np.float64]:
    """What the upsampling network makes of latents, in units of 2^-14: shape (n, rows, columns, channels)."""
    upsampling = network.upsampling
    latents = (w[:, network.weights :] >> (WEIGHT_BITS - VALUE_BITS)).astype(np.float64)
    cells = latents.reshape(len(w), *upsampling.grid, upsampling.channels[0])
    for layer in up:  # sums below 2^22 2^15 2^10
        turns = np.floor(_sums(windows(cells), layer.astype(np.float64)) * 2.0 ** (PHASE_BITS - VALUE_BITS - UP_BITS))
        cells = sine(children(turns).astype(np.int64))
    return cells


def between(cells: NDArray[np.float64], along: Sequence[Coordinates]) -> NDArray[np.float64]:
    """Channels, shape (n, rows, columns, c), at places between the centres of cells, on a line between those of two: axis by axis."""
    for axis, (above, below) in enumerate(along, 1):
        n = cells.shape[axis]
        at = ((above + below) * n << (BETWEEN_BITS - 1)) // below - (1 << (BETWEEN_BITS - 1))
        at = np.clip(at, 0, (n - 1) << BETWEEN_BITS)
        first, part = at >> BETWEEN_BITS, at & ((1 << BETWEEN_BITS) - 1)
        share = part.reshape(-1, *[1] * (cells.ndim - axis - 1)).astype(np.float64)
        low, high = cells.take(first, axis), cells.take(np.minimum(first + 1, n - 1), axis)
        cells = low + np.floor((high - low) * share * 2.0**-BETWEEN_BITS)
    return cells


def _values(
    network: Siren, w: NDArray[np.float64], x: NDArray[np.float64], kind: Kind, exponents: NDArray[np.int64]
) -> NDArray[np.float64]:
    *hidden, last = network.layers(w)
    for layer in hidden:
        turns = np.floor(_sums(x, layer) * 2.0 ** (PHASE_BITS - VALUE_BITS - WEIGHT_BITS))
        x = sine(turns.astype(np.int64))
    scale = np.ldexp(1.0, exponents - VALUE_BITS - WEIGHT_BITS)[:, None, None]
    found = np.floor(_sums(x, last) * scale) + kind.zero
    return np.asarray(np.clip(found, *kind.range))


def _sums(x: NDArray[np.float64], layer: NDArray[np.floating]) -> NDArray[np.float64]:
    """Products with weights, and the bias, whose input is 1, in units of 2^-34, or 2^-30 of an upsampling network."""
    return np.asarray(x @ np.ascontiguousarray(layer[..., :-1, :]) + layer[..., -1:, :] * (1 << VALUE_BITS))
