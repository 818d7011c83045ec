"""Choosing what networks see and say, by a look at the data."""

from __future__ import annotations

from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from codecs_ar.stack.mixture import Mixture
from codecs_ar.stack.view import HIGH, ONE, View

#: A value stands out if at least this share of all values have it, and it is this number of times as frequent as the values around it.
OFTEN, TIMES, AROUND = 1 / 256, 3.0, 16
#: Of natural images, fewer pixels than this share are as the one to the left.
SAME = 0.25
#: Values that stand out, at most.
ATOMS = 8


def taps(reach: int, plane: int, channels: int) -> NDArray[np.int8]:
    """A disc around the pixel, and around that, twice as far, every second pixel in every second row; of other channels, half the disc.

    Parameters
    ----------
    reach
        Radius of the disc; nothing lies farther to the right.
    plane, channels
        The channel, and how many there are. Those before it are seen in the pixel itself, too.
    """
    found = []
    for down in range(-2 * reach, 1):
        for right in range(-2 * reach, reach + 1):
            square = down * down + right * right
            sparse = square <= 4 * reach * reach and down % 2 == right % 2 == 0
            if (down, right) < (0, 0) and (square <= reach * reach + 1 or sparse):
                found.append((down, right))
    near = [(down, right) for down, right in found if down * down + right * right <= max(2, reach * reach // 4)]
    own = [(down, right, plane) for down, right in found]
    others = [(*place, other) for other in range(channels) if other != plane for place in near]
    here = [(0, 0, other) for other in range(plane)]
    return np.array(own + others + here, np.int8).reshape(-1, 3)


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


def differences() -> NDArray[np.int16]:
    """A difference as it is, up to 15 in magnitude 8 times as large, and companded: t / (1 + |t| / 24) 16 times as large."""
    d = np.arange(-255, 256)
    companded = np.rint(16 * d / (1 + np.abs(d) / 24))
    return np.stack([companded, 8 * d.clip(-15, 15)]).astype(np.int16)


def is_natural(images: NDArray[np.uint8], symbols: int) -> bool:
    """Whether neighbours are alike rather than the same: then differences say more than values."""
    same = (images[:, :, 1:] == images[:, :, :-1]).mean() if images.shape[2] > 1 else 1.0
    return symbols > 2 and bool(same < SAME)


def order_of(channels: int) -> tuple[int, ...]:
    """The channels as they are coded: green first, since it says most of the others."""
    return {3: (1, 0, 2), 4: (1, 0, 2, 3)}.get(channels, tuple(range(channels)))


def view_of(
    images: NDArray[np.uint8], plane: int, *, symbols: int, reach: int, components: int
) -> tuple[View, Mixture]:
    """What a network sees and says of a channel of images of shape (n, height, width, channels), these in the order of coding."""
    _, height, width, channels = images.shape
    shape = height, width, channels
    if symbols == 2:
        return View(shape, taps(reach, plane, channels), curves(2, ()), (), counting(), plane), Mixture(2)
    stand_out = atoms(images, symbols)
    if is_natural(images, symbols):
        view = View(shape, taps(reach, plane, channels), differences(), (), counting(), plane, True)
        return view, Mixture(symbols, stand_out, components, True)
    counted = tuple(v for run in runs(stand_out) if len(run) > 1 for v in run)
    view = View(shape, taps(reach, plane, channels), curves(symbols, stand_out), counted, counting(), plane)
    return view, Mixture(symbols, stand_out, components)
