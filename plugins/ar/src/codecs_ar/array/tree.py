"""A value as a sequence of decisions: which side of the prediction, how far out, and where in what is left."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from codecs_ar.array.decisions import ONE, PRECISION, RAW, answer, ask
from codecs_ar.array.grid import AROUND, HUGE, code_of, value_of
from codecs_ar.array.predictors import COMPONENTS, bucket
from codecs_ar.array.real import logistic, stretch, top_bit
from codecs_ar.array.repeats import KINDS, hashed, recall
from codecs_ar.array.scene import CELL, CENTRE, COUNT, SCALE, TEXTURE, TREND
from codecs_core.entropy import GUARD, pop_one
from codecs_core.jit import borrowing, kernel

#: Nodes of one side of the tree: the middle, steps outwards, and three levels within each step.
STEPS = 15
INNER = 1 + STEPS
NODES = INNER + 8 * STEPS
#: Special decisions: an outlier, the same outlier, and whether a value is one that came before.
SPECIAL = 2 * NODES
REPEAT = SPECIAL + 4
ALL = REPEAT + KINDS
SCALES, CONTEXTS = 24, 48
SECOND = ALL
SETS = ALL + 3 * SCALES
#: Counters that are looked up directly; behind them those that are hashed, and at last those of place and trend.
DIRECT = 2 * ALL * CONTEXTS
FINE = 12 * ALL


class Coder(NamedTuple):
    """Where decisions come from, or go to.

    `state` holds the message's head, its words in use, and the records that were written.
    """

    version: int
    decoding: bool
    discrete: bool
    repeats: bool
    hashes: int
    state: NDArray[np.uint64]
    records: NDArray[np.uint32]
    growth: NDArray[np.float64]


@borrowing
def outside(border, side, now, cdf):
    """Mass of the mixture beyond a border, as seen from the middle."""
    total, few = 0.0, now.few
    for k in range(now.wholes[COUNT]):
        z = (few[np.uint64(COMPONENTS + k)] - border) * few[np.uint64(2 * COMPONENTS + k)]
        total += few[np.uint64(k)] * logistic(z * side, cdf)
    return total


@borrowing
def edge(t, grid):
    """The border between a code and the one before it."""
    return 0.5 * (value_of(t, grid) + value_of(t - 1, grid))


@kernel
def value(code, grid):
    """`value_of`, for Python."""
    return value_of(code, grid)


@borrowing
def decide(said, bit, first, second, words, decider, coder):
    """Code a decision (or find out what it was), and learn from it."""
    p = ask(said, first, second, coder.version, decider)
    bit = code_bit(p, bit, words, coder)
    answer(bit, first, second, decider)
    return bit


@borrowing
def code_bit(p, bit, words, coder):
    """Code a decision whose answer is yes with a probability of p / 2^22, or find out what it was."""
    state = coder.state
    if coder.decoding:
        head = state[0]
        low = np.int64(head & np.uint64(ONE - 1))
        bit = np.int64(low < p)
        begin, freq = (np.int64(0), p) if bit else (p, ONE - p)
        state[0], n = pop_one(head, words, np.int64(state[1]), np.uint64(begin), np.uint64(freq), np.uint64(PRECISION))
        state[1] = np.uint64(max(n, GUARD - 1))
    else:
        coder.records[state[2]] = np.uint32((bit << 31) | p)
        state[2] += np.uint64(1)
    return bit


@borrowing
def raw_bits(value, bits, words, coder):
    """Code this number of bits, all values equally likely."""
    state = coder.state
    left, found = bits, np.int64(0)
    while left > 0:
        some = min(left, 16)
        left -= some
        if coder.decoding:
            low = np.int64(state[0] & ((np.uint64(1) << np.uint64(some)) - np.uint64(1)))
            state[0], n = pop_one(state[0], words, np.int64(state[1]), np.uint64(low), np.uint64(1), np.uint64(some))
            state[1] = np.uint64(max(n, GUARD - 1))
        else:
            low = (value >> left) & ((np.int64(1) << some) - 1)
            coder.records[state[2]] = np.uint32(RAW | (some << 16) | low)
            state[2] += np.uint64(1)
        found = (found << some) | low
    return found


@borrowing
def outlier(at, truth, words, scene, decider, coder):
    """Code whether a value is an outlier, and which; returns it, or `most` + 1 for none."""
    codes, spots, least, most = scene.codes, scene.spots, scene.least, scene.most
    around, previous = np.int64(0), codes[np.uint64(at + spots[0])]
    for i in range(4):
        code = codes[np.uint64(at + spots[i])]
        around = 2 * around + np.int64(code < least or code > most)
        if code < least or code > most:
            previous = code
    far = np.int64(codes[np.uint64(at + spots[4])] < least or codes[np.uint64(at + spots[4])] > most)
    places = decider.places
    for i in range(6):
        places[i] = (SPECIAL + (i & 1) * ALL) * CONTEXTS + 2 * around + far
    bit = decide(0.0, np.int64(truth < least or truth > most), SPECIAL, SECOND + (around & 3), words, decider, coder)
    if bit == 0:
        return most + 1, False
    if scene.grid.kind == AROUND:
        return most + 1, True
    if previous < least or previous > most:
        for i in range(6):
            places[i] = (SPECIAL + 1 + (i & 1) * ALL) * CONTEXTS + around
        if decide(0.0, np.int64(truth == previous), SPECIAL + 1, SECOND + (around & 3), words, decider, coder):
            return previous, True
    kind = scene.grid
    bits = top_bit(kind.most - kind.least) + 1
    return min(raw_bits(truth - kind.least, bits, words, coder) + kind.least, kind.most), True


@borrowing
def mass_of(code, now, scene, cdf):
    """Mass of the mixture on one code."""
    lower = edge(code, scene.grid) if code > scene.least else -2.0 * HUGE
    upper = edge(code + 1, scene.grid) if code < scene.most else 2.0 * HUGE
    side = 1.0 if lower > now.reals[CENTRE] else -1.0
    return abs(outside(lower, side, now, cdf) - outside(upper, side, now, cdf))


@borrowing
def repeat(at, channel, index, truth, words, scene, now, repeats, decider, coder):
    """Code whether a value is one that came before, of up to `KINDS`; returns the kind, or -1, and the value."""
    recall(at, channel, scene, repeats)
    codes, kinds, history, places = repeats.codes, repeats.kinds, repeats.history, decider.places
    both = np.int64(codes[0] == codes[1]) + 2 * np.int64(codes[0] == codes[2]) + 4 * np.int64(codes[2] == codes[3])
    found, value = -1, truth
    for kind in range(KINDS):
        code = codes[kind]
        if code < scene.least or code > scene.most:
            continue
        known = False
        for other in range(kind):
            known = known or codes[other] == code
        if known:
            continue
        context = kinds[kind] * 4 + (history[kind] & 3)
        node = REPEAT + kind
        places[0] = node * CONTEXTS + context
        counter = np.int64(decider.counters[np.uint64(places[0])])
        if counter >> 10 < ONE // 100 and (counter & 1023) > 20 and index % 32 != 0:
            continue
        places[1] = (ALL + node) * CONTEXTS + both * 4 + (history[kind] >> 2 & 3)
        key = hashed(code, np.int64(kind))
        hashes = np.int64(coder.hashes - 1)
        places[2] = DIRECT + (key & hashes)
        places[3] = DIRECT + (hashed(key, repeats.keys[0]) & hashes)
        places[4] = DIRECT + (hashed(key, repeats.keys[1]) & hashes)
        places[5] = DIRECT + coder.hashes + (node * 4 + (history[kind] & 3)) * 3
        said = stretch(min(max(mass_of(code, now, scene, decider.cdf), 1e-6), 1.0 - 1e-6), decider.mantissas)
        bit = decide(said, np.int64(code == truth), node, SECOND + min(kinds[kind], 3), words, decider, coder)
        history[kind] = (history[kind] << 1 | bit) & 15
        if bit:
            found, value = kind, code
            break
    return found, value


@borrowing
def outwards(c, j, side, spread, lo, hi, scene, now, coder):
    """The code that is asked for in step j from c outwards, which leaves some of lo ... hi - 1 inside."""
    reach = now.reals[CENTRE] + side * coder.growth[min(j, STEPS - 1)] * spread
    t = code_of(reach, scene.grid) + (1 if side > 0 else 0)
    far, most = max(abs(t - c), 1), scene.most - scene.least
    if far > 16:
        low_bits = top_bit(far) - 3
        t = (t >> low_bits) << low_bits
    if j >= STEPS:
        doublings = min(j - STEPS, 61)
        further = far << doublings if doublings < 61 and far <= most >> doublings else most + 1
        t = c + further if side > 0 else c - further
    return max(t, lo + 1) if side > 0 else min(t, hi - 1)


@borrowing
def is_round(lo, hi):
    """Whether the codes lo ... hi - 1 are all that begin with some bits, four or more."""
    gap = hi - lo
    return (lo & (gap - 1)) == 0 and (gap & (gap - 1)) == 0 and gap >= 4


@borrowing
def roundest(lo, hi):
    """Of the codes lo + 1 ... hi - 1 the one with the most zeros at its end."""
    differing = lo ^ (hi - 1)
    low_bits = top_bit(differing) if differing > 0 else np.int64(63)
    return ((hi - 1) >> low_bits) << low_bits


@borrowing
def descend(at, truth, words, scene, now, decider, coder):
    """Code a value that is none, and return it."""
    grid, least, most, mantissas, cdf = scene.grid, scene.least, scene.most, decider.mantissas, decider.cdf
    centre, scale, cell = now.reals[CENTRE], now.reals[SCALE], now.reals[CELL]
    texture, trend = now.wholes[TEXTURE], now.wholes[TREND]
    c = min(max(code_of(centre + 0.5 * cell, grid), least + 1), most)
    spread = max(scale, 0.25 * cell)
    scale_context = bucket(spread / cell * 4.0, mantissas, 2.0, SCALES - 1)
    fine = np.int64(0)
    if spread < 2.0 * cell:
        fine = min(max(np.int64((centre - edge(c, grid)) / cell * 4.0 + 2.0), fine), fine + 3)
    hash_w = hashed(scene.codes[np.uint64(at + scene.spots[0])], 1)
    hash_wn = hashed(hash_w, scene.codes[np.uint64(at + scene.spots[5])])
    phase, side, j, path, depth = 0, 1.0, 0, 1, 0
    lo, hi, t = least, most + 1, c
    inside, beyond = 1.0, 0.0
    places, hashes = decider.places, np.int64(coder.hashes - 1)
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
        reach = outside(edge(t, grid), side, now, cdf)
        if phase == 0:
            p_yes = reach
        else:
            reach = min(max(reach, beyond), inside)
            p_yes = (reach - beyond + 1e-12) / (inside - beyond + 2e-12)
        said = stretch(min(max(p_yes, 1e-6), 1.0 - 1e-6), mantissas)
        sided = node + (NODES if side < 0 else 0)
        places[0] = sided * CONTEXTS + scale_context
        places[1] = (ALL + sided) * CONTEXTS + (texture if node > 0 else fine * 8 + trend)
        if coder.discrete:
            key = hashed(t, lo if phase == 2 else phase)
            places[2] = DIRECT + (key & hashes)
            places[3] = DIRECT + (hashed(key, hash_w) & hashes)
            places[4] = DIRECT + (hashed(key, hash_wn) & hashes)
        else:
            for i in range(3):
                places[2 + i] = DIRECT + i * ALL + sided
        places[5] = DIRECT + coder.hashes + (sided * 4 + fine) * 3 + trend
        wanted = np.int64(truth >= t if side > 0 else truth < t)
        bit = decide(said, wanted, sided, SECOND + scale_context * 3 + phase, words, decider, coder)
        if phase == 0 and bit == 0:
            side, inside = -1.0, 1.0 - reach
            hi = t
        else:
            if bit:
                inside = reach
            else:
                beyond = reach
            if (bit == 1) == (side > 0):
                lo = t
            else:
                hi = t
        if phase == 0:
            phase = 1
        elif phase == 2:
            path, depth = 2 * path + bit, depth + 1
        elif bit:
            j += 1
        else:
            phase = 2
    return lo
