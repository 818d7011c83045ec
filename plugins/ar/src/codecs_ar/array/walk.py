"""A value as a sequence of decisions, as in `tree`, with the decisions of a `panel`."""

from __future__ import annotations

import numpy as np

from codecs_ar.array.further import VIEWS, steps
from codecs_ar.array.grid import code_of
from codecs_ar.array.panel import DIRECT, HASHED, SAID, SETS, WIDE, answer_all, ask_all
from codecs_ar.array.predictors import TRACKED, bucket
from codecs_ar.array.predictors import VIEWS as FIRST
from codecs_ar.array.real import LN2, log2, logistic, top_bit
from codecs_ar.array.repeats import hashed
from codecs_ar.array.scene import CELL, CENTRE, SCALE, TEXTURE, TREND, VOLATILITY
from codecs_ar.array.tree import (
    INNER,
    NODES,
    SCALES,
    STEPS,
    code_bit,
    edge,
    is_round,
    outside,
    outwards,
    raw_bits,
    roundest,
)
from codecs_core.jit import borrowing

#: Nodes of both sides; counters of one kind of context.
BOTH = 2 * NODES
KIND = BOTH * WIDE
#: Sets of weights: one for each node, and in each phase for each scale, texture, mark and place of a guess, and place of the neighbour.
BY_SCALE = BOTH
BY_TEXTURE = BY_SCALE + 3 * SCALES
BY_MARK = BY_TEXTURE + 3 * 32
BY_PLACE = BY_MARK + 3 * 25
ALL_SETS = BY_PLACE + 3 * 48
#: What distributions say is no larger in magnitude; added to their masses.
SURE, TINY = 12.0, 1e-9


@borrowing
def listen(at, spread, scene, learners, now, further, panel):
    """Fill in the distributions around single guesses: of the stacks, of all least squares, and one of the centre."""
    cell, volatility = now.reals[CELL], now.reals[VOLATILITY]
    for k in range(SAID - 1):
        if k < 2:
            mean, error = further.guesses[VIEWS + k], further.local[VIEWS + k]
        elif k < 2 + VIEWS:
            mean, error = further.guesses[k - 2], further.local[k - 2]
        elif k < SAID - 2:
            mean, error = now.guesses[k - 2 - VIEWS], now.lanes[k - 2 - VIEWS]
        else:
            last = learners.errors[np.uint64((at + scene.near[0] & scene.recent) * TRACKED + TRACKED - 1)]
            other = learners.errors[np.uint64((at + scene.near[1] & scene.recent) * TRACKED + TRACKED - 1)]
            mean, error = now.reals[CENTRE], 0.35 * (last + other) + 0.3 * spread
        panel.means[k] = mean
        panel.inverses[k] = 1.0 / max(0.5 * (0.9 * error + 0.1 * volatility), 0.08 * cell)
        panel.inside[k], panel.beyond[k] = 1.0, 0.0


@borrowing
def consider(at, spread, scale, fine, scene, now, further, panel):
    """Fill in the contexts of counters and the sets of weights, as far as they are the same for all decisions of a value."""
    spots, centre, marks, contexts, sets = scene.spots, now.reals[CENTRE], further.marks, panel.contexts, panel.sets
    texture, trend, before = now.wholes[TEXTURE], now.wholes[TREND], further.before[0]
    size = bucket(spread / now.reals[VOLATILITY] * 8.0, panel.mantissas, 1.0, 7)
    near, north = np.int64(marks[np.uint64(at + spots[0])]), np.int64(marks[np.uint64(at + spots[5])])
    east, behind = np.int64(marks[np.uint64(at + spots[3])]), np.int64(marks[np.uint64(at + before)])
    far, corner = np.int64(marks[np.uint64(at + spots[4])]), np.int64(marks[np.uint64(at + spots[2])])
    by_texture = steps((further.guesses[0] - centre) / spread, 0.15, 0.5)
    by_class = steps((now.guesses[1] - centre) / spread, 0.15, 0.5)
    by_columns = steps((further.guesses[2] - centre) / spread, 0.15, 0.5)
    by_stack = steps((further.guesses[VIEWS] - centre) / spread, 0.1, 0.4)
    place = (now.guesses[FIRST] - centre) / spread
    by_place = steps(place, 0.7, 2.0) + np.int64(place > 0.0)
    contexts[0], contexts[1] = scale, texture
    contexts[2], contexts[3] = near * 5 + north, east * 5 + behind
    contexts[4], contexts[5] = by_texture * 5 + by_class, by_place * 8 + size
    contexts[6], contexts[7] = by_texture * 12 + fine * 3 + trend, (scale >> 1) * 4 + fine
    contexts[8], contexts[9] = by_stack * 5 + by_columns, far * 5 + corner
    contexts[10], contexts[11] = by_columns * 8 + size, 0
    sets[1], sets[2] = BY_SCALE + 3 * scale, BY_TEXTURE + 3 * texture
    sets[3], sets[4] = BY_MARK + 3 * (near * 5 + by_texture), BY_PLACE + 3 * contexts[5]


@borrowing
def recognise(at, scene, coder, further, panel):
    """Fill in the keys of counters that are found by a hash: of codes nearby, or where these say little, of two contexts each."""
    codes, spots, keys, contexts = scene.codes, scene.spots, panel.keys, panel.contexts
    if coder.discrete:
        near, north = codes[np.uint64(at + spots[0])], codes[np.uint64(at + spots[5])]
        keys[0] = 0
        keys[1] = hashed(near, 1)
        keys[2] = hashed(keys[1], north)
        keys[3] = hashed(north, 2)
        keys[4] = hashed(keys[2], codes[np.uint64(at + spots[2])])
        keys[5] = hashed(codes[np.uint64(at + further.before[0])], 3)
        keys[6] = hashed(hashed(keys[1], codes[np.uint64(at + spots[4])]), 4)
    else:
        for i in range(HASHED):
            keys[i] = hashed(contexts[i], contexts[i + 4]) + i


@borrowing
def weigh_up(border, side, inside, beyond, reach, panel):
    """What all distributions say of a border: how likely the value is beyond it."""
    inputs, mantissas = panel.inputs, panel.mantissas
    for k in range(SAID - 1):
        r = logistic((panel.means[k] - border) * panel.inverses[k] * side, panel.cdf)
        r = min(max(r, panel.beyond[k]), panel.inside[k])
        panel.reach[k] = r
        odds = log2(r - panel.beyond[k] + TINY, mantissas) - log2(panel.inside[k] - r + TINY, mantissas)
        inputs[1 + k] = min(max(odds * LN2, -SURE), SURE)
    odds = log2(reach - beyond + TINY, mantissas) - log2(inside - reach + TINY, mantissas)
    inputs[0] = min(max(odds * LN2, -SURE), SURE)


@borrowing
def narrow(bit, turned, panel):
    """Take in where the value is; `turned` says that it is on the left side of all."""
    for k in range(SAID - 1):
        if turned:
            panel.inside[k] = 1.0 - panel.reach[k]
        elif bit:
            panel.inside[k] = panel.reach[k]
        else:
            panel.beyond[k] = panel.reach[k]


@borrowing
def ask_around(t, lo, sided, phase, coder, panel):
    """Fill in the counters and the sets of weights of a decision."""
    panel.chosen[0] = sided
    for k in range(1, SETS):
        panel.chosen[k] = panel.sets[k] + phase
    places, hashes = panel.places, np.int64(coder.hashes - 1)
    for i in range(DIRECT):
        places[i] = i * KIND + sided * WIDE + panel.contexts[i]
    first = hashed(t, lo if phase == 2 else phase) if coder.discrete else np.int64(sided)
    for i in range(HASHED):
        places[DIRECT + i] = DIRECT * KIND + (hashed(first, panel.keys[i]) & hashes)


@borrowing
def walk(at, truth, words, scene, learners, now, further, panel, coder):
    """Code a value that is none of those that came before, and return it."""
    grid, least, most = scene.grid, scene.least, scene.most
    centre, cell = now.reals[CENTRE], now.reals[CELL]
    c = min(max(code_of(centre + 0.5 * cell, grid), least + 1), most)
    spread = max(now.reals[SCALE], 0.25 * cell)
    scale = bucket(spread / cell * 4.0, panel.mantissas, 2.0, SCALES - 1)
    fine = np.int64(0)
    if spread < 2.0 * cell:
        fine = min(max(np.int64((centre - edge(c, grid)) / cell * 4.0 + 2.0), fine), fine + 3)
    listen(at, spread, scene, learners, now, further, panel)
    consider(at, spread, scale, fine, scene, now, further, panel)
    recognise(at, scene, coder, further, panel)
    phase, side, j, path, depth = 0, 1.0, 0, 1, 0
    lo, hi, t, inside, beyond = least, most + 1, c, 1.0, 0.0
    panel.contexts[1], texture = fine * 8 + now.wholes[TREND], now.wholes[TEXTURE]
    while hi - lo > 1:
        node = 0
        if phase == 1:
            t = outwards(c, j, side, spread, lo, hi, scene, now, coder)
            if t >= hi or t <= lo:
                phase = 2
                continue
            node = 1 + min(j, STEPS - 1)
        elif phase == 2:
            if depth >= 3 and is_round(lo, hi):
                lo += raw_bits(truth - lo, top_bit(hi - lo), words, coder)
                break
            t = roundest(lo, hi)
            node = INNER + min(j, STEPS - 1) * 8 + (path if depth < 3 else 0)
        sided = node + (NODES if side < 0 else 0)
        border = edge(t, grid)
        reach = min(max(outside(border, side, now, panel.cdf), beyond), inside)
        weigh_up(border, side, inside, beyond, reach, panel)
        ask_around(t, lo, sided, phase, coder, panel)
        bit = np.int64(truth >= t if side > 0 else truth < t)
        bit = code_bit(ask_all(sided, panel), bit, words, coder)
        answer_all(bit, sided, panel)
        turned = phase == 0 and bit == 0
        narrow(bit, turned, panel)
        if turned:
            side, inside, hi = -1.0, 1.0 - reach, t
        else:
            inside, beyond = (reach, beyond) if bit else (inside, reach)
            lo, hi = (t, hi) if (bit == 1) == (side > 0) else (lo, t)
        if phase == 0:
            phase, panel.contexts[1] = 1, texture
        elif phase == 2:
            path, depth = 2 * path + bit, depth + 1
        elif bit:
            j += 1
        else:
            phase = 2
    return lo
