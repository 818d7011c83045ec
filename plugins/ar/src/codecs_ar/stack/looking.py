"""Choosing what networks see and say, by a look at the data."""

from __future__ import annotations

from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from codecs_ar.stack.mixture import Mixture
from codecs_ar.stack.view import HIGH, ONE, View

#: A value stands out if at least this share of all values have it, and it is this number of times as frequent as the values around it.
OFTEN, TIMES, AROUND = 1 / 256, 3.0, 16
#: Values that stand out, at most.
ATOMS = 8


def taps(reach: int, plane: int) -> NDArray[np.int8]:
    """A disc around the pixel, and around that, twice as far, every second pixel in every second row; all channels.

    Parameters
    ----------
    reach
        Radius of the disc; nothing lies farther to the right.
    plane
        The channel. Those before it are seen in the pixel itself, too.
    """
    found = []
    for down in range(-2 * reach, 1):
        for right in range(-2 * reach, reach + 1):
            square = down * down + right * right
            sparse = square <= 4 * reach * reach and down % 2 == right % 2 == 0
            if (down, right) < (0, 0) and (square <= reach * reach + 1 or sparse):
                found.append((down, right))
    own = [(down, right, plane) for down, right in found]
    return np.array(own, np.int8).reshape(-1, 3)


def atoms(images: NDArray[np.uint8], symbols: int) -> tuple[int, ...]:
    """Values that stand out, at most `ATOMS` of them, in order."""
    share = np.bincount(images.reshape(-1), minlength=symbols) / max(1, images.size)
    usual = np.array([np.median(share[max(0, v - AROUND) : v + AROUND + 1]) for v in range(symbols)])
    out = np.flatnonzero((share > OFTEN) & (share > TIMES * usual))
    best = out[np.argsort(-share[out])][:ATOMS]
    return tuple(sorted(best.tolist()))


def curves(symbols: int, stand_out: tuple[int, ...]) -> NDArray[np.int16]:
    """The value itself, and for each run of atoms where in the run it is; of two symbols, the value alone."""
    value = np.arange(256)
    if symbols == 2:
        return (ONE * value.clip(max=1)).astype(np.int16)[None]
    found = [value * (2 * ONE - 1) // max(1, symbols - 1)]
    for run in runs(stand_out):
        if len(run) == 1:
            # of zeros, all that is not: then most inputs of an image that is mostly zeros are zeros
            found.append(ONE * ((value == run[0]) != (run[0] == 0)))
        else:
            middle = (run[0] + run[-1]) / 2
            found.append(np.where((value >= run[0]) & (value <= run[-1]), ONE * (value - middle), 0))
    return np.stack(found).clip(-HIGH, HIGH).astype(np.int16)


def runs(values: tuple[int, ...]) -> list[list[int]]:
    """Neighbours together."""
    return [[v for _, v in run] for _, run in groupby(enumerate(values), lambda pair: pair[1] - pair[0])]


def counting() -> NDArray[np.int16]:
    """A count, as half its logarithm."""
    return np.rint(ONE * 0.5 * np.log1p(np.arange(256))).astype(np.int16)


def view_of(
    images: NDArray[np.uint8], plane: int, *, symbols: int, reach: int, components: int
) -> tuple[View, Mixture]:
    """What a network sees and says of a channel of images of shape (n, height, width, channels)."""
    _, height, width, channels = images.shape
    if symbols == 2:
        return View((height, width, channels), taps(reach, plane), curves(2, ()), (), counting()), Mixture(2)
    stand_out = atoms(images, symbols)
    counted = tuple(v for run in runs(stand_out) if len(run) > 1 for v in run)
    view = View((height, width, channels), taps(reach, plane), curves(symbols, stand_out), counted, counting())
    return view, Mixture(symbols, stand_out, components)
