"""What least squares leave of a series, foretold by filters with long memories: each learns what the one before it leaves.

Normalised least mean squares, in a cascade as lossless audio has it (Huang, Shu, Yu: *Lossless audio compression in the new IEEE standard
for advanced audio coding*, ICASSP 2014; OptimFROG and Monkey's Audio are of this kind).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from codecs_ar.array.squares import LEAST
from codecs_core.jit import borrowing
from codecs_core.jit.lanes import folded, load16, store

#: Values that the filters look back at, multiples of `WIDTH`, and how fast they learn.
TAPS = (256, 32, 16)
RATES = (0.03, 0.05, 0.08)
WIDTH, FILTERS = 16, len(TAPS)
#: Places in a row of what was left; once it is full, its end is moved to the beginning.
ROOM = 2048


class Cascade(NamedTuple):
    """State of the filters of all channels.

    `taps` are weights, `past` what was left before each filter (a row of `ROOM` for each channel and filter, filled up to `ends` of the
    channel), `guesses` and `energies` those of the value at hand; `sizes` and `rates` are `TAPS` and `RATES`.
    """

    taps: NDArray[np.float64]
    past: NDArray[np.float64]
    ends: NDArray[np.int64]
    guesses: NDArray[np.float64]
    energies: NDArray[np.float64]
    sizes: NDArray[np.int64]
    rates: NDArray[np.float64]


def cascade(channels: int) -> Cascade:
    """Filters that know nothing yet; of no channels, none."""
    rows = channels * FILTERS
    return Cascade(
        np.zeros(rows * TAPS[0]),
        np.zeros(rows * ROOM),
        np.full(channels, TAPS[0]),
        np.zeros(FILTERS),
        np.zeros(FILTERS),
        np.array(TAPS),
        np.array(RATES),
    )


@borrowing
def extrapolate(channel, filters):
    """Let the filters foretell what will be left."""
    taps, past = filters.taps, filters.past
    for k in range(FILTERS):
        row = channel * FILTERS + k
        size = filters.sizes[k]
        weights, before = row * TAPS[0], row * ROOM + filters.ends[np.uint64(channel)] - size
        x = load16(past, before)
        total, energy = load16(taps, weights) * x + LEAST, x * x
        for j in range(WIDTH, size, WIDTH):
            x = load16(past, before + j)
            total = total + load16(taps, weights + j) * x
            energy = energy + x * x
        filters.guesses[k] = folded(total)
        filters.energies[k] = folded(energy)


@borrowing
def adjust(channel, left, filters):
    """Learn from what was left."""
    taps, past = filters.taps, filters.past
    end = filters.ends[np.uint64(channel)]
    for k in range(FILTERS):
        row = channel * FILTERS + k
        size = filters.sizes[k]
        weights, before = row * TAPS[0], row * ROOM + end - size
        further = left - filters.guesses[k]
        step = filters.rates[k] * further / (filters.energies[k] + 1e-3)
        for j in range(0, size, WIDTH):
            store(taps, weights + j, load16(taps, weights + j) + (load16(past, before + j) * step + LEAST))
        past[np.uint64(row * ROOM + end)] = left
        left = further
    end += 1
    if end == ROOM:
        for k in range(FILTERS):
            row = (channel * FILTERS + k) * ROOM
            for j in range(0, TAPS[0], WIDTH):
                store(past, row + j, load16(past, row + ROOM - TAPS[0] + j))
        end = np.int64(TAPS[0])
    filters.ends[np.uint64(channel)] = end
