"""The compiled part that finds what a decision is compared with: earlier ones in the same contexts."""

from __future__ import annotations

import numpy as np

from codecs_ar.array.further import steps
from codecs_ar.array.real import log2
from codecs_ar.array.repeats import hashed
from codecs_core.jit import borrowing

#: Classes of the spread of a distribution, two an octave from an eighth of a grey level on.
SPREADS = 24


@borrowing
def surroundings(at, stride, middle, spread, x):
    """Which values nearby are above the middle, and where those to the left and above are."""
    west, north = np.float64(x[np.uint64(at - 1)]), np.float64(x[np.uint64(at - stride)])
    texture = np.int64(west > middle) + 2 * np.int64(north > middle)
    texture += 4 * np.int64(x[np.uint64(at - stride + 1)] > middle) + 8 * np.int64(
        x[np.uint64(at - stride - 1)] > middle
    )
    texture += 16 * np.int64(x[np.uint64(at - 2)] > middle)
    return texture, steps((west - middle) / spread, 0.7, 2.0) * 5 + steps((north - middle) / spread, 0.7, 2.0)


@borrowing
def consider(at, back, stride, cell, middle, spread, guess, x, e, marks, panel):
    """Fill in the contexts and the sets of weights of a value.

    `cell` is (row, column, the code in the middle, how many planes are seen), `middle` and `spread` those of the distribution, `guess`
    as `kernels.blend` makes it; `marks` tell on which side of the middle values were, and how far.
    """
    row, column, code, seen = cell
    size = np.int64(min(max(np.floor(log2(spread * 8.0, panel.mantissas) * 2.0), 0.0), SPREADS - 1.0))
    fine = np.int64(0)
    if spread < 2.0:
        fine = np.int64(min(max(np.floor((middle - (np.float64(code) - 0.5)) * 4.0), 0.0), 3.0))
    last = 0.5 * (abs(np.float64(e[np.uint64(at - 1)])) + abs(np.float64(e[np.uint64(at - stride)])))
    trend = np.int64(last > 0.8 * spread) + np.int64(last > 2.0 * spread)
    west, north = np.int64(marks[np.uint64(at - 1)]), np.int64(marks[np.uint64(at - stride)])
    east, corner = np.int64(marks[np.uint64(at - stride + 1)]), np.int64(marks[np.uint64(at - stride - 1)])
    far, parity = np.int64(marks[np.uint64(at - 2)]), 2 * (row & 1) + (column & 1)
    here, right, below, earlier, large = np.int64(2), np.int64(2), np.int64(2), np.int64(2), np.int64(2)
    if seen > 0:
        there = at - back
        here, right = np.int64(marks[np.uint64(there)]), np.int64(marks[np.uint64(there + 1)])
        below = np.int64(marks[np.uint64(there + stride)])
        miss = abs(np.float64(e[np.uint64(there)])) / spread
        large = np.int64(miss > 0.5) + np.int64(miss > 1.0) + np.int64(miss > 2.0) + np.int64(miss > 4.0)
    if seen > 1:
        earlier = np.int64(marks[np.uint64(at - 2 * back)])
    short = steps((np.float64(guess[2]) - middle) / spread, 0.15, 0.5)
    long = steps((np.float64(guess[3]) - middle) / spread, 0.15, 0.5)
    texture, place = surroundings(at, stride, middle, spread, x)
    contexts, sets = panel.contexts, panel.sets
    contexts[0], contexts[1] = size * 4 + fine, texture * 4 + fine
    contexts[2], contexts[3] = (trend * 5 + west) * 5 + north, east * 5 + here
    contexts[4], contexts[5] = short * 5 + long, (size >> 1) * 4 + parity
    contexts[6], contexts[7] = (here * 5 + right) * 5 + below, trend * 25 + place
    contexts[8], contexts[9] = (large * 5 + here) * 5 + earlier, size * 5 + short
    contexts[10] = (fine * 5 + corner) * 5 + far
    sets[1], sets[2], sets[5] = contexts[0], texture, place
    sets[3], sets[4] = (west * 5 + north) * 5 + short, (here * 5 + right) * 5 + large


@borrowing
def recognise(at, back, stride, seen, x, panel):
    """Fill in the keys and the bases of the counters by a hash: of values nearby, and in the planes before."""
    west, north = np.int64(x[np.uint64(at - 1)]), np.int64(x[np.uint64(at - stride)])
    corner, east = np.int64(x[np.uint64(at - stride - 1)]), np.int64(x[np.uint64(at - stride + 1)])
    far, top = np.int64(x[np.uint64(at - 2)]), np.int64(x[np.uint64(at - 2 * stride)])
    keys, bases, zero = panel.keys, panel.bases, np.int64(0)
    around = hashed(hashed(hashed(west, north), corner), east)
    keys[0], bases[0] = zero, zero
    if seen == 0:
        keys[1], bases[1] = hashed(west, 1), zero
        keys[2], bases[2] = hashed(hashed(west, north), 2), zero
        keys[3], bases[3] = hashed(west - north, 3), west
        keys[4], bases[4] = hashed(hashed(hashed(west, north), corner), 4), zero
        keys[5], bases[5] = hashed(hashed(hashed(around, far), top), 5), zero
        keys[6], bases[6] = hashed(north, 6), zero
        keys[7], bases[7] = hashed(hashed(north - corner, east - north), 7), west
    else:
        there = at - back
        here, left, up = (
            np.int64(x[np.uint64(there)]),
            np.int64(x[np.uint64(there - 1)]),
            np.int64(x[np.uint64(there - stride)]),
        )
        other = np.int64(x[np.uint64(there - back)]) if seen > 1 else here
        step = other - np.int64(x[np.uint64(there - back - 1)]) if seen > 1 else zero
        keys[1], bases[1] = hashed(other - here, 1), here
        keys[2], bases[2] = hashed(hashed(here, other), 2), zero
        keys[3], bases[3] = hashed(hashed(here - left, step), 3), west
        keys[4], bases[4] = hashed(hashed(west - left, north - up), 4), here
        keys[5], bases[5] = hashed(hashed(west - left, other - here), 5), here
        keys[6], bases[6] = hashed(here, 6), zero
        keys[7], bases[7] = hashed(hashed(around, here), 7), zero
