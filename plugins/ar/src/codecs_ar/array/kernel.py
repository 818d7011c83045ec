"""The one compiled loop over an array: predict, decide, learn. Encoder and decoder run the same function."""

from __future__ import annotations

import numpy as np

from codecs_ar.array.decisions import ONE, PRECISION
from codecs_ar.array.further import foresee_further, forget_further, learn_further, repeat_further
from codecs_ar.array.grid import AROUND, HUGE, value_of
from codecs_ar.array.predictors import TRACKED, foresee, guess, learn, look, weigh
from codecs_ar.array.repeats import note
from codecs_ar.array.scene import CENTRE
from codecs_ar.array.tree import descend, edge, outlier, repeat
from codecs_ar.array.walk import walk
from codecs_core.entropy import EXHAUSTED, GUARD, OK, inverse, make_room, push_one, push_quick
from codecs_core.jit import borrowing, kernel

MARGIN_ROWS, MARGIN = 3, 4
#: Parts of a step that predictions are rounded to.
PARTS = 1048576.0
#: Records that one value may take.
LONGEST = 400


@borrowing
def copied(to, from_, scene, errors, more):
    """Repeat a value, and the errors there, in a margin."""
    scene.values[np.uint64(to)] = scene.values[np.uint64(from_)]
    if more is not None:
        repeat_further(to, from_, scene, more.further)
    place, source = (to & scene.recent) * TRACKED, (from_ & scene.recent) * TRACKED
    for k in range(TRACKED):
        errors[np.uint64(place + k)] = errors[np.uint64(source + k)]


@borrowing
def begin(row, scene, errors, more):
    """Before a slice: in the margins to the left of its first row and above it, errors are unknown."""
    for at in range(row - MARGIN - (MARGIN_ROWS * scene.stride if scene.height > 1 else 0), row):
        if more is not None:
            forget_further(at, scene, more.further)
        for k in range(TRACKED):
            errors[np.uint64((at & scene.recent) * TRACKED + k)] = 1.0


@borrowing
def widen(row, scene, errors, more):
    """Continue the row before to the right with its last value, and this one to the left with the first value above."""
    above = row - scene.stride
    for i in range(1, MARGIN + 1):
        copied(above + scene.width - 1 + i, above + scene.width - 1, scene, errors, more)
        copied(row - i, above, scene, errors, more)


@borrowing
def heighten(at, column, scene, errors, more):
    """In the first row, what is above is as what is to the left."""
    for i in range(1, MARGIN_ROWS + 1):
        for d in range(-MARGIN if column == 0 else 1, MARGIN + 2):
            copied(at - i * scene.stride + d, at, scene, errors, more)


@borrowing
def bottom(last, scene):
    """Below the last row, it is repeated."""
    x = scene.values
    for i in range(-MARGIN, scene.width + MARGIN):
        x[last + scene.stride + i] = x[last + min(max(i, 0), scene.width - 1)]


@borrowing
def settle(at, scene, coder, now):
    """Let codes count from the prediction; an encoder takes the code nearest to the value that is wanted.

    The prediction is rounded, since it may become a value, from which the next one is predicted, and so on: it must not fade to a
    subnormal number.
    """
    table = scene.grid.table
    centre = np.floor(min(max(now.reals[CENTRE], table[1]), table[2]) * PARTS + 0.5) / PARTS
    now.reals[CENTRE] = table[0] = centre
    if not coder.decoding and scene.codes[np.uint64(at)] <= scene.most:
        scene.codes[np.uint64(at)] = np.int64(np.rint(scene.values[np.uint64(at)] - centre))


@borrowing
def step(at, pattern, column, index, words, scene, learners, repeats, decider, coder, now, more):
    """Code one value; `more` is what the level smallest has, or None."""
    grid, least, most = scene.grid, scene.least, scene.most
    look(at, pattern, column, scene, learners, now)
    guess(at, index, scene, learners, now)
    foresee(at, pattern, scene, learners, now)
    if more is not None:
        foresee_further(at, pattern, column, index, scene, learners, now, more.further)
    if grid.kind == AROUND:
        settle(at, scene, coder, now)
    truth, special = scene.codes[np.uint64(at)], False
    if grid.least < least or grid.most > most:
        found, special = outlier(at, truth, words, scene, decider, coder)
        truth = found if special else truth
    if not special:
        kind = -1
        if coder.repeats:
            kind, truth = repeat(at, column % scene.channels, index, truth, words, scene, now, repeats, decider, coder)
        if kind < 0:
            if more is not None:
                truth = walk(at, truth, words, scene, learners, now, more.further, more.panel, coder)
            else:
                truth = descend(at, truth, words, scene, now, decider, coder)
        if coder.repeats:
            note(truth, index, repeats)
    scene.codes[np.uint64(at)] = truth
    value = min(max(now.reals[CENTRE], -1e15), 1e15)
    if not special:
        value = value_of(truth, grid)
        weigh(
            value,
            edge(truth, grid) if truth > least else -2.0 * HUGE,
            edge(truth + 1, grid) if truth < most else 2.0 * HUGE,
            learners,
            now,
        )
    scene.values[np.uint64(at)] = value
    if grid.kind == AROUND:
        grid.table[0] = 0.0
    if more is not None:
        learn_further(at, value, not special, scene, now, more.further)
    learn(at, value, not special, scene, learners, now)


@borrowing
def code(state, words, scene, learners, repeats, decider, coder, now, more, first, last):
    """Code the values of an array from one on, up to another or until no more records fit; returns a status and where it ended."""
    own = coder.state
    own[0], own[1], own[2] = state[0], state[1], np.uint64(0)
    slice_size = scene.height * scene.width
    z, y, column = first // slice_size, first // scene.width % scene.height, first % scene.width
    status, index = OK, first
    while index < last:
        row = scene.start + z * scene.area + y * scene.stride
        if column == 0 and y > 0:
            widen(row, scene, learners.errors, more)
        elif column == 0:
            begin(row, scene, learners.errors, more)
        step(row + column, scene.patterns[z], column, index, words, scene, learners, repeats, decider, coder, now, more)
        if coder.decoding and own[1] < GUARD:
            status = EXHAUSTED
            break
        if y == 0 and scene.height > 1:
            heighten(row + column, column, scene, learners.errors, more)
        index, column = index + 1, column + 1
        if column == scene.width:
            if y == scene.height - 1:
                if scene.outer > 1:
                    bottom(row, scene)
                z, y = z + 1, -1
            column, y = 0, y + 1
        if not coder.decoding and np.int64(own[2]) > coder.records.size - LONGEST:
            break
    state[0], state[1] = own[0], own[1]
    return status, index


@kernel
def follow(state, words, out, wide, precision, params):
    """`code` as `Message.pop_symbols` calls it; `out` receives where it ended."""
    scene, learners, repeats, decider, coder, now, more, first, last = params
    status, out[0] = code(state, words, scene, learners, repeats, decider, coder, now, more, first, last)
    if coder.decoding:
        state[2] = min(state[2], state[1])
    return status, out[0]


@kernel
def push_records(state, words, records, wide, precision, params):
    """Push decisions, the last one first."""
    head, n, one = state[0], np.int64(state[1]), np.uint64(ONE)
    for i in range(records.size - 1, -1, -1):
        record = np.uint64(records[i])
        if (record >> np.uint64(30)) == np.uint64(1):
            head, n = push_one(
                head, words, n, record & np.uint64(0xFFFF), np.uint64(1), (record >> np.uint64(16)) & np.uint64(31)
            )
        else:
            p = record & np.uint64(ONE - 1)
            yes = record >> np.uint64(31)
            start, freq = (np.uint64(0), p) if yes else (p, one - p)
            head, n = make_room(head, words, n, freq, np.uint64(PRECISION))
            head = push_quick(head, start, freq, inverse(freq), np.uint64(PRECISION), False)
    state[0], state[1] = head, np.uint64(n)
    return OK, -1
