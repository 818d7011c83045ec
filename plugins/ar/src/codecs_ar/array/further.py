"""More predictions of a value, for the level smallest: least squares in other contexts, and what to make of all predictions together.

The least squares of `predictors` are for the whole array, for some columns, and for a class of values. These are for a texture, for a size
of the errors nearby, for a few columns, and for the whole array with a shorter and with a longer memory. Two stacks predict from all
predictions: least squares again (Wolpert: *Stacked generalization*, Neural Networks 5, 1992).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from codecs_ar.array.grid import code_of, value_of
from codecs_ar.array.layout import NEAR, NEAR_ROW, Geometry
from codecs_ar.array.predictors import BLENDED, COMPONENTS, EXPERTS, LEAST, bucket, shorten
from codecs_ar.array.scene import BASE, BIAS, BLEND, CELL, CENTRE, SCALE, TEXTURE, VOLATILITY
from codecs_ar.array.squares import predict, remember, solve, stride
from codecs_core.jit import borrowing
from codecs_core.jit.lanes import load8, store

#: Least squares; stacks, and what they predict from; errors that are kept of each value.
VIEWS, STACKS = 5, 2
EXTRA, TERMS, TRACKED = VIEWS + STACKS, EXPERTS + VIEWS, 8
#: The least squares of a texture, of a size of errors, and of a few columns; how many there are of each.
TEXTURES, SIZES, COLUMNS = 16, 8, 8
BY_COLUMNS = 2
#: Each is solved once for this number of values of a channel, and the stacks.
PERIOD, STACK_PERIOD = 6, 4
RIDGES = (0.003, 0.003, 0.01, 0.003, 0.00001)
FADES = (0.9995, 0.9995, 0.96, 0.99, 0.99998)
STACK_RIDGE, STACK_FADES = 0.003, (0.99, 0.9998)
#: The mark of a value whose error is not known.
NONE = 2


class Further(NamedTuple):
    """State of these predictions.

    `sums`, `weights` and `errors` are as in `predictors.Learners`, `first` the place of the first state of each; `marks` tell what was
    left of each value. `states`, `guesses`, `local` (errors nearby) and `before` (where the same place in the slice before is, which is
    number `slice` of `Scene.near`, or else the neighbour) are those of the value at hand. `stack` is what the stacks predict from, less
    their `base`; `room` is to work in.
    """

    sums: NDArray[np.float64]
    weights: NDArray[np.float64]
    errors: NDArray[np.float64]
    marks: NDArray[np.uint8]
    first: NDArray[np.int64]
    states: NDArray[np.int64]
    guesses: NDArray[np.float64]
    local: NDArray[np.float64]
    slice: int
    before: NDArray[np.int64]
    stack: NDArray[np.float64]
    base: NDArray[np.float64]
    stack_sums: NDArray[np.float64]
    stack_weights: NDArray[np.float64]
    room: NDArray[np.float64]
    stack_room: NDArray[np.float64]
    ridges: NDArray[np.float64]
    fades: NDArray[np.float64]


def further(geometry: Geometry) -> Further:
    """Predictions that know nothing yet."""
    n, channels = geometry.own.size, geometry.channels
    wide, wide_stack = stride(n), stride(TERMS)
    blocks = (-(-geometry.width // COLUMNS) if geometry.height > 1 else channels) + 2
    first = np.cumsum([0, TEXTURES * channels, SIZES * channels, blocks, channels, channels])
    return Further(
        np.zeros(first[-1] * (n + 1) * wide),
        np.zeros(first[-1] * wide),
        np.ones(TRACKED * min(geometry.kept, geometry.size)),
        np.full(geometry.size, NONE, np.uint8),
        first[:-1],
        np.zeros(VIEWS, np.int64),
        np.zeros(TRACKED),
        np.zeros(TRACKED),
        (len(NEAR) if geometry.height > 1 else len(NEAR_ROW)) if geometry.outer > 1 else 0,
        np.zeros(1, np.int64),
        np.zeros(wide_stack),
        np.zeros(1),
        np.zeros(STACKS * (TERMS + 1) * wide_stack),
        np.zeros((STACKS + 1) * wide_stack),
        np.zeros((n + 1) * wide),
        np.zeros((TERMS + 1) * wide_stack),
        np.array(RIDGES),
        np.array((*FADES, *STACK_FADES)),
    )


@borrowing
def steps(x, small, large):
    """From 0 to 4: how many of -large, -small, small and large are below."""
    return np.int64(x > -large) + np.int64(x > -small) + np.int64(x > small) + np.int64(x > large)


@borrowing
def contexts(pattern, column, scene, learners, now, further):
    """Choose the states of the least squares, and the value before."""
    channels, first, states = scene.channels, further.first, further.states
    channel = column % channels
    size = bucket(now.reals[SCALE] / now.reals[VOLATILITY] * 8.0, learners.mantissas, 1.0, SIZES - 1)
    states[0] = first[0] + (now.wholes[TEXTURE] & (TEXTURES - 1)) * channels + channel
    states[1] = first[1] + size * channels + channel
    states[2] = first[2] + 1 + (column // COLUMNS if scene.height > 1 else channel)
    states[3] = first[3] + channel
    states[4] = first[4] + channel
    exists = scene.near_weights[np.uint64(pattern * scene.near.size + further.slice)] > 0.0
    further.before[0] = scene.near[further.slice if exists else 0]


@borrowing
def gather(state, terms, further):
    """The sums of some columns, twice, and of those on both sides."""
    sums = further.sums
    for j in range(0, terms, 8):
        total = load8(sums, state * terms + j) * 2.0 + load8(sums, (state - 1) * terms + j)
        store(further.room, j, total + load8(sums, (state + 1) * terms + j))


@borrowing
def guess_further(index, scene, learners, now, further):
    """Let the least squares predict, and then the stacks."""
    n, wide, terms = scene.own.size, now.v.size, now.rows.size
    guesses, weights, stack, turn = further.guesses, further.weights, further.stack, index // scene.channels
    base = now.reals[BLEND]
    further.base[0], stack[0] = base, 0.0
    for k in range(EXPERTS):
        stack[k + 1] = now.guesses[k] - base
    for k in range(VIEWS):
        state = further.states[k]
        if (turn + k) % PERIOD == 0:
            sums, begin = further.sums, state * terms
            if k == BY_COLUMNS and scene.height > 1:
                gather(state, terms, further)
                sums, begin = further.room, np.int64(0)
            towards, ridge = now.states[0] * wide, further.ridges[k]
            solve(sums, begin, n, wide, ridge, 1e-9, learners.weights, towards, now.rows, weights, state * wide)
        guesses[k] = now.reals[BASE] + predict(weights, state * wide, now.v, n)
        stack[EXPERTS + 1 + k] = guesses[k] - base
    wide, weights, room = stack.size, further.stack_weights, further.stack_room
    for k in range(STACKS):
        begin, zero = k * room.size, STACKS * wide
        if (turn + 2 * k) % STACK_PERIOD == 0:
            solve(further.stack_sums, begin, TERMS, wide, STACK_RIDGE, 1e-9, weights, zero, room, weights, k * wide)
        guesses[VIEWS + k] = base + predict(weights, k * wide, stack, TERMS)


@borrowing
def local_further(at, pattern, scene, further):
    """Weighted means of the errors nearby."""
    near, weights, errors, recent = scene.near, scene.near_weights, further.errors, scene.recent
    count = near.size
    total = load8(errors, (at + near[0] & recent) * TRACKED) * weights[np.uint64(pattern * count)] + LEAST
    for j in range(1, count):
        weight = weights[np.uint64(pattern * count + j)]
        if weight > 0.0:
            total = total + load8(errors, (at + near[j] & recent) * TRACKED) * weight
    store(further.local, 0, total)


@borrowing
def conclude(scene, learners, now, further):
    """A centre of the distribution from all predictions, in the place of the one from some."""
    reals, parts, grid = now.reals, now.parts, scene.grid
    total, blend = 0.0, 0.0
    for k in range(EXPERTS):
        square = 1.0 / (now.lanes[k] * now.lanes[k])
        total += square * square
        blend += square * square * now.guesses[k]
    for k in range(EXTRA):
        square = 1.0 / (further.local[k] * further.local[k])
        total += square * square
        blend += square * square * further.guesses[k]
    blend, scale = blend / total, reals[SCALE]
    centre = blend + learners.biases[np.uint64(now.wholes[BIAS])] * scale
    centre = min(max(centre, value_of(scene.least, grid)), value_of(scene.most, grid))
    middle = min(max(code_of(centre, grid), scene.least), scene.most - 1)
    cell = max(value_of(middle + 1, grid) - value_of(middle, grid), 1e-12)
    reals[CENTRE], reals[BLEND], reals[CELL] = centre, blend, cell
    parts[COMPONENTS + BLENDED], parts[COMPONENTS + BLENDED + 1] = centre, centre
    parts[2 * COMPONENTS + BLENDED] = 1.0 / max(0.6 * scale, 0.08 * cell)
    parts[2 * COMPONENTS + BLENDED + 1] = 1.0 / max(3.0 * scale + 0.3 * reals[VOLATILITY], 0.5 * cell)
    shorten(now)


@borrowing
def foresee_further(at, pattern, column, index, scene, learners, now, further):
    """All of these predictions, after `predictors.foresee`."""
    contexts(pattern, column, scene, learners, now, further)
    guess_further(index, scene, learners, now, further)
    local_further(at, pattern, scene, further)
    conclude(scene, learners, now, further)


@borrowing
def forget_further(at, scene, further):
    """Take the errors in a margin as unknown."""
    for k in range(TRACKED):
        further.errors[np.uint64((at & scene.recent) * TRACKED + k)] = 1.0


@borrowing
def repeat_further(to, from_, scene, further):
    """Repeat the errors of a value, and its mark, in a margin."""
    place, source = (to & scene.recent) * TRACKED, (from_ & scene.recent) * TRACKED
    for k in range(TRACKED):
        further.errors[np.uint64(place + k)] = further.errors[np.uint64(source + k)]
    further.marks[np.uint64(to)] = further.marks[np.uint64(from_)]


@borrowing
def learn_further(at, value, usual, scene, now, further):
    """Take a value in, before `predictors.learn` does."""
    scale, cell, volatility = now.reals[SCALE], now.reals[CELL], now.reals[VOLATILITY]
    most, place = 64.0 * volatility + 4.0 * cell, (at & scene.recent) * TRACKED
    for k in range(EXTRA):
        further.errors[np.uint64(place + k)] = min(abs(value - further.guesses[k]), most) + 0.12 * cell
    left = (value - now.reals[CENTRE]) / max(scale, 0.25 * cell)
    further.marks[np.uint64(at)] = np.uint8(steps(left, 0.4, 1.2))
    if usual:
        trust = 1.0 / (scale * scale + 0.01 * volatility * volatility + 0.1 * cell * cell)
        n, wide, terms, stack = scene.own.size, now.v.size, now.rows.size, further.stack
        now.v[0] = value - now.reals[BASE]
        for k in range(VIEWS):
            remember(further.sums, further.states[k] * terms, now.v, n, wide, trust, further.fades[k])
        stack[0] = value - further.base[0]
        for k in range(STACKS):
            begin, fade = k * further.stack_room.size, further.fades[VIEWS + k]
            remember(further.stack_sums, begin, stack, TERMS, stack.size, trust, fade)
