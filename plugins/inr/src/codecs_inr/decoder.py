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
from codecs_inr.sine import PHASE_BITS, VALUE_BITS, sine

#: Binary digits of a weight below the point: in turns in front of a sine, in values behind the last one.
WEIGHT_BITS = 20
#: No weight is larger than this: with fewer than `MOST_UNITS` inputs, sums stay below 2^14 2^28 2^10.
REACH, MOST_UNITS = 1 << 28, 1 << 10
#: Places that are evaluated at once.
_PLACES = 1 << 15


def values(
    network: Siren, w: NDArray[np.int64], x: NDArray[np.float64], kind: Kind, exponents: NDArray[np.int64]
) -> NDArray[Any]:
    """Values of n networks.

    Parameters
    ----------
    network
        Of all.
    w
        Weights in units of 2^-20, magnitudes up to `REACH`, shape (n, size).
    x
        Features of the places, as `features.fourier` has them, shape (places, inputs).
    kind
        Of the signals.
    exponents
        Of 2, that the outputs of each network are multiplied by: shape (n,).

    Returns
    -------
    NDArray
        Of the dtype of the kind, shape (n, places, outputs).
    """
    out = np.empty((len(w), len(x), network.widths[-1]), kind.dtype)
    many = max(1, _PLACES // max(1, len(x)))
    for first in range(0, len(w), many):
        some = slice(first, first + many)
        out[some] = _values(network, w[some].astype(np.float64), x, kind, exponents[some])
    return out


def shown(
    network: Siren,
    w: NDArray[np.int64],
    along: Sequence[Coordinates],
    frequencies: NDArray[np.int64],
    kind: Kind,
    exponents: NDArray[np.int64],
) -> NDArray[Any]:
    """Values of n networks at the places that have these coordinates along each axis, shape (n, places along each axis, outputs)."""
    (above, below), *others = along
    lengths = [len(one) for one, _ in others]
    out = np.empty((len(w), len(above), *lengths, network.widths[-1]), kind.dtype)
    step = max(1, _PLACES // max(1, math.prod(lengths)))
    for first in range(0, len(above), step):
        part = out[:, first : first + step]
        x = waves([(above[first : first + step], below), *others], frequencies)
        part[...] = values(network, w, x, kind, exponents).reshape(part.shape)
    return out


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
    """Products with weights, and the bias, whose input is 1, in units of 2^-34."""
    return np.asarray(x @ np.ascontiguousarray(layer[:, :-1]) + layer[:, -1:] * (1 << VALUE_BITS))
