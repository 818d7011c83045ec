"""The compiled part that makes a value a sequence of decisions: which side of the middle, how far out, and where in what is left."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from codecs_ar.array.further import steps
from codecs_ar.array.tree import code_bit
from codecs_ar.learner import FINEST
from codecs_ar.smallest.contexts import consider, recognise
from codecs_ar.smallest.panel import INNER, PREDICTIONS, SIDE, STEPS, Panel, answer, ask, look_up, weigh_up
from codecs_core.jit import borrowing

#: How far the steps go, in spreads; the last one goes by powers of 2.
GROWTH = (0.4, 0.8, 1.2, 1.6, 2.2, 3.0, 4.0, 5.6, 8.0, 11.2, 16.0, 22.4, 32.0, 44.8)
#: The variance of a logistic of scale 1, and its root; the least spread, in grey levels.
VARIANCE, DEVIATION, NARROWEST = 3.29, 1.814, 0.15
#: How near the scale of a prediction is to its errors nearby, and to the spread of the mixture; the least such scale.
ERRORS, SPREAD, FINE = 0.35, 0.35, 0.08
#: Decisions of a value at the most.
LONGEST = 128
#: From where on, in spreads, a value is on a side of the middle, and far out.
ASIDE, OUTSIDE = 0.6, 1.8


class Walker(NamedTuple):
    """What the level smallest has beside the rest.

    `state` holds the message's head, its words in use, and how many `records` there are, as in `array.tree.Coder`; `marks`, of the planes
    at hand, tell where values were, as `contexts.consider` says.
    """

    decoding: bool
    state: NDArray[np.uint64]
    records: NDArray[np.uint32]
    marks: NDArray[np.uint8]
    growth: NDArray[np.float64]
    panel: Panel


@borrowing
def hear_mixture(room, first, inverses, panel):
    """Fill in the logistics that a network says, from `first` on; returns their mean."""
    middle = 0.0
    for k in range(room.weights.size):
        c = first + k
        panel.shares[c] = np.float64(room.weights[0, k]) / 65536.0
        panel.means[c] = np.float64(room.means[0, k]) / 256.0
        panel.inverses[c] = inverses[np.uint64(np.int64(room.log_scales[0, k]) - FINEST)]
        middle += panel.shares[c] * panel.means[c]
    return middle


@borrowing
def hear_predictions(guess, first, spread, panel):
    """Fill in a logistic around each prediction of a guess."""
    for k in range(PREDICTIONS):
        error = guess[1] if k == 2 else guess[4 + k]
        panel.means[first + k] = np.float64(guess[0] if k == 2 else guess[2 + k])
        panel.inverses[first + k] = 1.0 / max(ERRORS * np.float64(error) + SPREAD * spread, FINE)


@borrowing
def hear_other(wide, inverses, middle, panel):
    """Fill in the mixture of the second opinion, if there is one; returns the mean of both."""
    if wide is None:
        return middle
    return 0.5 * (middle + hear_mixture(wide.room, panel.firsts[1], inverses, panel))


@borrowing
def hear_other_predictions(wide, second, spread, panel):
    """Fill in the predictions of the second opinion."""
    if wide is not None:
        hear_predictions(second, panel.firsts[2 + PREDICTIONS], spread, panel)


@borrowing
def listen(room, wide, guess, second, inverses, panel):
    """Fill in the distributions; returns the mean of the networks', and how far they spread, as the scale of a logistic."""
    middle = hear_other(wide, inverses, hear_mixture(room, 0, inverses, panel), panel)
    square, logistics = 0.0, panel.firsts[panel.mixtures]
    for c in range(logistics):
        scale, off = 1.0 / panel.inverses[c], panel.means[c] - middle
        square += panel.shares[c] * (VARIANCE * (scale * scale) + off * off)
    spread = max(np.sqrt(square / panel.mixtures) / DEVIATION, NARROWEST)
    hear_predictions(guess, logistics, spread, panel)
    hear_other_predictions(wide, second, spread, panel)
    for k in range(panel.inside.size):
        panel.inside[k], panel.beyond[k] = 1.0, 0.0
    return middle, spread


@borrowing
def outwards(j, side, middle, spread, lo, hi, growth):
    """The code that step j asks for, which leaves some of lo ... hi - 1 inside; not below `hi`, or above `lo`, if there is none."""
    if j < STEPS - 1:
        t = np.int64(np.floor(middle + side * (growth[j] * spread) + 0.5))
        return max(t + 1, lo + 1) if side > 0 else min(t, hi - 1)
    far = (np.int64(spread) + 8) << min(j - (STEPS - 1), 16)
    return min(lo + far, hi - 1) if side > 0 else max(hi - far, lo + 1)


@borrowing
def narrow(bit, turned, panel):
    """Take in where the value is; `turned` says that it is on the left side of all."""
    for k in range(panel.inside.size):
        if turned:
            panel.inside[k] = 1.0 - panel.reach[k]
        elif bit:
            panel.inside[k] = panel.reach[k]
        else:
            panel.beyond[k] = panel.reach[k]


@borrowing
def descend(value, code, top, middle, spread, words, walker):
    """Code a value by decisions, or find out what it was."""
    panel, lo, hi, t = walker.panel, np.int64(0), top + 1, code
    phase, side, j, path, depth = 0, 1.0, 0, 1, 0
    while hi - lo > 1:
        node = 0
        if phase == 1:
            t = outwards(j, side, middle, spread, lo, hi, walker.growth)
            if t >= hi or t <= lo:
                phase = 2
                continue
            node = 1 + min(j, STEPS - 1)
        elif phase == 2:
            t = (lo + hi) >> 1
            node = INNER + min(j, STEPS - 1) * 8 + (path if depth < 3 else 0)
        node += SIDE if side < 0 else 0
        weigh_up(np.float64(t) - 0.5, side, panel)
        look_up(node, phase, t, lo, panel)
        bit = np.int64(value >= t if side > 0 else value < t)
        bit = code_bit(ask(node, panel), bit, words, walker)
        answer(bit, node, panel)
        turned = phase == 0 and bit == 0
        narrow(bit, turned, panel)
        if (bit == 1) == (side > 0):
            lo = t
        else:
            hi = t
        if phase == 0:
            phase, side = 1, -1.0 if turned else 1.0
        elif phase == 2:
            path, depth = 2 * path + bit, depth + 1
        elif bit:
            j += 1
        else:
            phase = 2
    return lo


@borrowing
def walk(at, where, seen, top, x, e, guess, second, room, wide, family, words, walker):
    """Code the value at a place, or find out what it was. `where` is as for `features.describe`."""
    _, back, stride, (row, column) = where
    middle, spread = listen(room, wide, guess, second, family.inverses, walker.panel)
    code = min(max(np.int64(np.floor(middle + 0.5)), 1), top)
    recognise(at, back, stride, seen, x, walker.panel)
    cell = row, column, code, seen
    consider(at, back, stride, cell, middle, spread, guess, x, e, walker.marks, walker.panel)
    value = descend(np.int64(x[np.uint64(at)]), code, top, middle, spread, words, walker)
    walker.marks[np.uint64(at)] = np.uint8(steps((np.float64(value) - middle) / spread, ASIDE, OUTSIDE))
    return value
