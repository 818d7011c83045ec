"""Decisions of the level smallest: what several distributions and many counters say, mixed twice.

As in `decisions`, with more inputs, more sets of weights, and a last mixer that weighs what all sets say (Mahoney: *Data Compression
Explained*, 2013, section 4.3.2).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from codecs_ar.array.decisions import COUNT_BITS, ONE
from codecs_ar.array.real import logarithms, logistic, logistics, stretches
from codecs_core.jit import borrowing
from codecs_core.jit.lanes import folded, load8, store

#: Inputs: of distributions, of counters that are looked up and of those that are found by a hash, and one that is always on.
SAID, DIRECT, HASHED = 12, 12, 7
COUNTERS = DIRECT + HASHED
INPUTS = SAID + COUNTERS + 1
#: Sets of weights for a decision; contexts of a counter.
SETS, WIDE = 5, 64
#: Rates at which sets learn, as in `decisions`, and the last mixer; what a set says at the most.
FAST, SLOW, LAST, MOST = 0.02, 0.004, 0.002, 14.0
#: Decisions that a counter remembers.
LIMITS = (400,) * DIRECT + (250,) * HASHED


class Panel(NamedTuple):
    """State of these decisions; as in `decisions.Decider` where names are the same.

    `contexts` are those of the counters that are looked up, `keys` those of the others, for the value at hand; `sets` are the first sets
    for it, of three each, and `chosen` those for the decision at hand. `heard` is what these say, and at last what comes of it; `finals`
    are eight weights of the last mixer for each node. `means` and `inverses` are those of the distributions but the first one, `inside`,
    `beyond` and `reach` their masses as in `tree.descend`.
    """

    counters: NDArray[np.uint32]
    places: NDArray[np.int64]
    inputs: NDArray[np.float64]
    mixers: NDArray[np.float64]
    uses: NDArray[np.float64]
    contexts: NDArray[np.int64]
    keys: NDArray[np.int64]
    sets: NDArray[np.int64]
    chosen: NDArray[np.int64]
    heard: NDArray[np.float64]
    finals: NDArray[np.float64]
    means: NDArray[np.float64]
    inverses: NDArray[np.float64]
    inside: NDArray[np.float64]
    beyond: NDArray[np.float64]
    reach: NDArray[np.float64]
    rates: NDArray[np.int64]
    limits: NDArray[np.int64]
    trusts: NDArray[np.float64]
    stretches: NDArray[np.float64]
    mantissas: NDArray[np.float64]
    cdf: NDArray[np.float64]


def panel(nodes: int, sets: int, hashes: int) -> Panel:
    """A panel that knows nothing yet, for this number of nodes, sets of weights, and counters that are found by a hash."""
    weights = np.zeros((sets, INPUTS))
    weights[:, 0], weights[:, 1:SAID], weights[:, SAID : SAID + 2] = 0.45, 0.08, 0.05
    finals = np.zeros((nodes, 8))
    finals[:, :SETS] = 1 / SETS
    counts = np.arange(1 << COUNT_BITS)
    return Panel(
        np.full(DIRECT * nodes * WIDE + hashes, 1 << 31, np.uint32),
        np.zeros(COUNTERS, np.int64),
        np.zeros(INPUTS),
        weights.reshape(-1),
        np.zeros(sets),
        np.zeros(DIRECT, np.int64),
        np.zeros(HASHED, np.int64),
        np.zeros(SETS, np.int64),
        np.zeros(SETS, np.int64),
        np.zeros(SETS + 1),
        finals.reshape(-1),
        np.zeros(SAID - 1),
        np.zeros(SAID - 1),
        np.zeros(SAID - 1),
        np.zeros(SAID - 1),
        np.zeros(SAID - 1),
        (65536 / (counts + 1.6)).astype(np.int64),
        np.array(LIMITS),
        counts / (counts + 1.5),
        stretches(),
        logarithms(),
        logistics(),
    )


@borrowing
def ask_all(node, panel):
    """Probability of yes, in 2^-22."""
    counters, places, inputs, mixers = panel.counters, panel.places, panel.inputs, panel.mixers
    for i in range(COUNTERS):
        counter = np.int64(counters[np.uint64(places[i])])
        inputs[SAID + i] = panel.stretches[np.uint64(counter >> 20)] * panel.trusts[np.uint64(counter & 1023)]
    inputs[SAID + COUNTERS] = 0.25
    x = 0.0
    for k in range(SETS):
        first = panel.chosen[k] * INPUTS
        total = load8(mixers, first) * load8(inputs, 0)
        for j in range(8, INPUTS, 8):
            total = total + load8(mixers, first + j) * load8(inputs, j)
        heard = min(max(folded(total), -MOST), MOST)
        panel.heard[k] = heard
        x += panel.finals[np.uint64(node * 8 + k)] * heard
    panel.heard[SETS] = x
    return min(max(np.int64(logistic(x, panel.cdf) * ONE), 16), ONE - 16)


@borrowing
def answer_all(bit, node, panel):
    """Learn from a decision."""
    counters, places, inputs, mixers, uses = panel.counters, panel.places, panel.inputs, panel.mixers, panel.uses
    miss = (bit - logistic(panel.heard[SETS], panel.cdf)) * LAST
    for k in range(SETS):
        chosen = panel.chosen[k]
        panel.finals[np.uint64(node * 8 + k)] += miss * panel.heard[k]
        uses[np.uint64(chosen)] += 1.0
        rate = SLOW + FAST / (1.0 + uses[np.uint64(chosen)] * 0.02)
        step = (bit - logistic(panel.heard[k], panel.cdf)) * rate
        for j in range(0, INPUTS, 8):
            place = chosen * INPUTS + j
            store(mixers, place, load8(mixers, place) + load8(inputs, j) * step)
    for i in range(COUNTERS):
        place = np.uint64(places[i])
        counter = np.int64(counters[place])
        count, p = counter & 1023, counter >> 10
        p += ((bit * (ONE - 1) - p) * panel.rates[np.uint64(count)]) >> 16
        counters[place] = np.uint32((p << 10) | (count + (count < panel.limits[i])))
