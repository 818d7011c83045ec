"""Predictions of a value, what they come to, and the mixture of logistic distributions around them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from codecs_ar.array.cascade import Cascade, adjust, extrapolate
from codecs_ar.array.grid import HUGE, code_of, value_of
from codecs_ar.array.real import log2, logistic
from codecs_ar.array.scene import BASE, BIAS, BLEND, CELL, CENTRE, COUNT, MIX, SCALE, TEXTURE, TREND, VOLATILITY
from codecs_ar.array.squares import predict, remember, solve
from codecs_core.jit import borrowing
from codecs_core.jit.lanes import load8, store

#: Predictions: by least squares, and simple ones.
VIEWS, SIMPLE = 3, 4
EXPERTS = VIEWS + SIMPLE
#: Of the mixture: one an expert, two around the blend, and two narrow ones where a line through two neighbours goes on.
BLENDED, NARROW = EXPERTS, EXPERTS + 2
COMPONENTS = EXPERTS + 4
#: Errors that are kept of each value: of the experts and of the blend; no mean of them is smaller than this.
TRACKED, LEAST = EXPERTS + 1, 1e-9
#: Components of less weight do not take part in decisions.
SLIGHT = 0.003
RATIOS = 8
#: The least squares of a kind are solved once for this number of values of a channel: in payload version 1, and since.
PERIODS = {1: 12, 2: 24}
CLASSES, BLOCK = 8, 32


class Learners(NamedTuple):
    """State of the predictors and of the mixture."""

    sums: NDArray[np.float64]
    weights: NDArray[np.float64]
    errors: NDArray[np.float64]
    biases: NDArray[np.float64]
    blends: NDArray[np.float64]
    ridges: NDArray[np.float64]
    fades: NDArray[np.float64]
    mantissas: NDArray[np.float64]
    cdf: NDArray[np.float64]
    cascade: Cascade
    period: int


@borrowing
def bucket(x, mantissas, per, top):
    """log2(x) in steps of 1 / per, from 0 to top."""
    return min(max(np.int64(np.floor(log2(max(x, 1e-12), mantissas) * per)), 0), top)


@borrowing
def local_errors(errors, at, pattern, scene, local):
    """Weighted means of the errors nearby, of all experts and of the blend."""
    near, weights, recent = scene.near, scene.near_weights, scene.recent
    count = near.size
    total = load8(errors, (at + near[0] & recent) * TRACKED) * weights[np.uint64(pattern * count)] + LEAST
    for j in range(1, count):
        weight = weights[np.uint64(pattern * count + j)]
        if weight > 0.0:
            total = total + load8(errors, (at + near[j] & recent) * TRACKED) * weight
    store(local, 0, total)


@borrowing
def blocks_of(scene):
    """How many blocks of columns have a state each; one for all, where there is one row, which never comes back to a column."""
    if scene.channels > 1:
        return scene.channels
    return 1 if scene.outer * scene.height == 1 else (scene.width + BLOCK - 1) // BLOCK


@borrowing
def forget(state, learners, now):
    """Let a state begin."""
    terms, wide = now.rows.size, now.v.size
    for i in range(state * terms, (state + 1) * terms):
        learners.sums[np.uint64(i)] = 0.0
    for i in range(state * wide, (state + 1) * wide):
        learners.weights[np.uint64(i)] = 0.0


@borrowing
def look(at, pattern, column, scene, learners, now):
    """Fill in the regressors, and choose the least-squares states."""
    x, own = scene.values, scene.own
    base = x[np.uint64(at + scene.spots[0])]
    now.v[0] = 0.0
    for j in range(own.size):
        now.v[j + 1] = x[np.uint64(at + own[j])] - base if scene.masks[pattern, j] else 0.0
    now.reals[BASE] = base
    kind = np.int64(0)
    level = 0.5 * (base + x[np.uint64(at + scene.spots[1])])
    for j in range(scene.levels.size):
        kind += np.int64(level > scene.levels[j])
    channels = scene.channels
    channel = column % channels
    blocks = blocks_of(scene)
    now.states[0] = channel
    now.states[1] = channels + (channel if channels > 1 else column // BLOCK % blocks)
    if channels * scene.outer * scene.height == 1 and column % BLOCK == 0:
        forget(now.states[1], learners, now)
    now.states[2] = channels + blocks + kind * channels + channel


@borrowing
def guess(at, index, scene, learners, now):
    """Let all experts predict."""
    n = scene.own.size
    wide = now.v.size
    terms = now.rows.size
    zero = learners.weights.size // wide - 1
    base = now.reals[BASE]
    for k in range(VIEWS):
        state = now.states[k]
        if index // scene.channels % learners.period == 4 * k:
            towards = now.states[0] if k > 0 else zero
            solve(
                learners.sums,
                state * terms,
                n,
                wide,
                learners.ridges[k],
                1e-9,
                learners.weights,
                towards * wide,
                now.rows,
                learners.weights,
                state * wide,
            )
        now.guesses[k] = base + predict(learners.weights, state * wide, now.v, n)
    x, spots = scene.values, scene.spots
    north, corner = x[np.uint64(at + spots[1])], x[np.uint64(at + spots[2])]
    now.guesses[VIEWS] = base
    now.guesses[VIEWS + 1] = min(max(base + north - corner, min(base, north)), max(base, north))
    now.guesses[VIEWS + 2] = base + north - corner
    now.guesses[VIEWS + 3] = 2.0 * base - x[np.uint64(at + spots[4])]
    if learners.cascade.ends.size > 0:  # in a series, the median and the plane are nothing of their own
        left = learners.cascade.guesses
        extrapolate(now.states[0], learners.cascade)
        now.guesses[VIEWS + 1] = now.guesses[0] + left[0]
        now.guesses[VIEWS + 2] = now.guesses[0] + ((left[0] + left[1]) + left[2])


@borrowing
def foresee(at, pattern, scene, learners, now):
    """From the experts' guesses and errors to a mixture."""
    errors, local, parts, reals = learners.errors, now.lanes, now.parts, now.reals
    local_errors(errors, at, pattern, scene, local)
    before = (at + scene.near[0] & scene.recent) * TRACKED
    total, blend, best, least = 0.0, 0.0, 0, HUGE
    for k in range(EXPERTS):
        last = errors[np.uint64(before + k)]
        if last < least:
            best, least = k, last
        square = 1.0 / (local[k] * local[k])
        square = square * square
        total += square
        blend += square * now.guesses[k]
    blend = blend / total
    scale = local[EXPERTS]
    x, spots, base = scene.values, scene.spots, reals[BASE]
    north, corner, east, far = (
        x[np.uint64(at + spots[1])],
        x[np.uint64(at + spots[2])],
        x[np.uint64(at + spots[3])],
        x[np.uint64(at + spots[4])],
    )
    texture = np.int64(base > blend) + 2 * np.int64(north > blend) + 4 * np.int64(east > blend)
    texture += 8 * np.int64(far > base) + 16 * np.int64(corner > blend)
    volatility = reals[VOLATILITY]
    ratio = bucket(scale / volatility * 8.0, learners.mantissas, 1.0, 7)
    bias = texture * 8 + ratio
    centre = blend + learners.biases[np.uint64(bias)] * scale
    grid = scene.grid
    centre = min(max(centre, value_of(scene.least, grid)), value_of(scene.most, grid))
    middle = min(max(code_of(centre, grid), scene.least), scene.most - 1)
    cell = max(value_of(middle + 1, grid) - value_of(middle, grid), 1e-12)
    for k in range(EXPERTS):
        parts[COMPONENTS + k] = now.guesses[k]
        parts[2 * COMPONENTS + k] = 1.0 / max(0.6 * (0.85 * local[k] + 0.15 * volatility), 0.08 * cell)
    for k in range(BLENDED, COMPONENTS):
        parts[COMPONENTS + k] = centre
    parts[2 * COMPONENTS + BLENDED] = 1.0 / max(0.6 * scale, 0.08 * cell)
    parts[2 * COMPONENTS + BLENDED + 1] = 1.0 / max(3.0 * scale + 0.3 * volatility, 0.5 * cell)
    parts[COMPONENTS + NARROW] = now.guesses[VIEWS + 3]
    parts[COMPONENTS + NARROW + 1] = 2.0 * north - x[np.uint64(at + spots[7])]
    parts[2 * COMPONENTS + NARROW] = 1.0 / (0.3 * cell)
    parts[2 * COMPONENTS + NARROW + 1] = 1.0 / (0.3 * cell)
    mix = (best * RATIOS + ratio) * COMPONENTS
    for k in range(COMPONENTS):
        parts[k] = learners.blends[np.uint64(mix + k)]
    shorten(now)
    last = errors[np.uint64(before + EXPERTS)]
    reals[CENTRE], reals[BLEND], reals[SCALE], reals[CELL] = centre, blend, scale, cell
    wholes = now.wholes
    wholes[BIAS], wholes[MIX], wholes[TEXTURE] = bias, mix, texture
    wholes[TREND] = np.int64(last > scale * 1.5) + np.int64(last > 0.6 * scale)


@borrowing
def shorten(now):
    """List the components that matter."""
    parts, few, count, kept = now.parts, now.few, 0, 0.0
    for k in range(COMPONENTS):
        if parts[k] > SLIGHT or k == BLENDED + 1:
            for i in range(3):
                few[np.uint64(i * COMPONENTS + count)] = parts[np.uint64(i * COMPONENTS + k)]
            kept += parts[k]
            count += 1
    for k in range(count):
        few[np.uint64(k)] = few[np.uint64(k)] / kept
    now.wholes[COUNT] = count


@borrowing
def weigh(value, lower, upper, learners, now):
    """Move the mixture's weights towards the components that foresaw a value in its cell."""
    parts, blends = now.parts, learners.blends
    side = 1.0 if value >= now.reals[CENTRE] else -1.0
    near, far = (lower, upper) if side > 0 else (upper, lower)
    total = 0.0
    for k in range(COMPONENTS):
        mean, inverse = parts[COMPONENTS + k], parts[2 * COMPONENTS + k] * side
        mass = logistic((mean - near) * inverse, learners.cdf) - logistic((mean - far) * inverse, learners.cdf)
        parts[COMPONENTS + k] = parts[k] * (mass + 1e-12)
        total += parts[COMPONENTS + k]
    for k in range(COMPONENTS):
        place = np.uint64(now.wholes[MIX] + k)
        share = parts[COMPONENTS + k] / total
        blends[place] += 0.015 * (share + 0.0005 - blends[place] * (1.0 + 0.0005 * COMPONENTS))


@borrowing
def learn(at, value, usual, scene, learners, now):
    """Take a value in."""
    reals, errors, place = now.reals, learners.errors, (at & scene.recent) * TRACKED
    centre, blend, scale, cell, volatility = reals[CENTRE], reals[BLEND], reals[SCALE], reals[CELL], reals[VOLATILITY]
    most = 64.0 * volatility + 4.0 * cell
    if usual:
        bias = np.uint64(now.wholes[BIAS])
        learners.biases[bias] += 0.01 * (min(max((value - blend) / scale, -3.0), 3.0) - learners.biases[bias])
    for k in range(EXPERTS):
        errors[np.uint64(place + k)] = min(abs(value - now.guesses[k]), most) + 0.12 * cell
    error = min(abs(value - centre), most) + 0.12 * cell
    errors[np.uint64(place + EXPERTS)] = error
    if learners.cascade.ends.size > 0:
        adjust(now.states[0], value - now.guesses[0], learners.cascade)
    if usual:
        volatility = max(volatility + 0.002 * (error - volatility), 0.1 * cell)
        reals[VOLATILITY] = volatility
        trust = 1.0 / (scale * scale + 0.01 * volatility * volatility + 0.1 * cell * cell)
        n, wide, terms = scene.own.size, now.v.size, now.rows.size
        now.v[0] = value - reals[BASE]
        for k in range(VIEWS):
            remember(learners.sums, now.states[k] * terms, now.v, n, wide, trust, learners.fades[k])
