"""The compiled part of a decision: what distributions and counters say about it, mixed by their success.

Counters are adaptive probabilities with a count. Sets of weights mix them in the logistic domain, and a last one mixes what the sets
say (Mahoney: *Data Compression Explained*, 2013, section 4.3.2).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from codecs_ar.array.decisions import COUNT_BITS, ONE
from codecs_ar.array.real import LN2, log2, logarithms, logistic, logistics, stretches
from codecs_ar.array.repeats import hashed
from codecs_core.jit import borrowing
from codecs_core.jit.lanes import folded, load8, store

#: Distributions: that of the network, and one around each prediction; counters that are looked up by a context, and by a hash.
SAID, DIRECT, HASHED = 4, 11, 8
#: Inputs of a mixer (the last one is always the same), and sets of weights.
COUNTERS = DIRECT + HASHED
INPUTS, SETS = SAID + COUNTERS + 1, 8
#: Steps outwards from the middle; decisions of one side: the middle, each step, and three levels within each; those of both sides.
STEPS = 15
INNER = 1 + STEPS
SIDE = INNER + 8 * STEPS
NODES = 2 * SIDE
#: Contexts of a counter, and of each kind of set but the first, which is by the decision; kinds of decisions.
WIDE, CHOICES, PHASES = 128, 125, 3
#: Rates at which sets learn, in the end and at the beginning, and the last mixer; what a set says at the most.
SLOW, FAST, LAST, MOST = 0.006, 0.04, 0.002, 14.0
#: Weights to begin with: of the network, of the predictions together, of each counter.
NETWORK, PREDICTIONS, COUNTER = 0.6, 0.4, 0.02
#: What is always said; what a distribution says at the most; what is added to its masses.
ALWAYS, SURE, LEAST = 0.25, 12.0, 1e-9
#: Decisions that a counter remembers.
LIMITS = (400,) * DIRECT + (250,) * HASHED
#: Uses from which on the choice of a set takes a counter for better known.
KNOWN = 1, 3, 8, 30


class Panel(NamedTuple):
    """State of the decisions of a plane.

    `counters` are probabilities of 22 bits and counts of 10, those looked up by a context first; `hashes` is how many are behind them.
    `weights` are the sets, `uses` how often each was used, `finals` the weights of what they say, for each node.

    Of a value: `contexts`, and `keys` and `bases` of the counters by a hash, whose thresholds count from their base; `sets` to choose;
    `means` and `inverses`, in grey levels, of the network's components and behind them of the predictions, `shares` of the components.

    Of a decision: `places` of counters, `inputs`, `chosen` sets, `heard` from each and in the end; and of each distribution the mass
    `inside` and `beyond` what is left, and `reach` beyond the threshold. The others are tables.
    """

    counters: NDArray[np.uint32]
    hashes: int
    weights: NDArray[np.float64]
    uses: NDArray[np.float64]
    finals: NDArray[np.float64]
    contexts: NDArray[np.int64]
    keys: NDArray[np.int64]
    bases: NDArray[np.int64]
    sets: NDArray[np.int64]
    means: NDArray[np.float64]
    inverses: NDArray[np.float64]
    shares: NDArray[np.float64]
    places: NDArray[np.int64]
    inputs: NDArray[np.float64]
    chosen: NDArray[np.int64]
    heard: NDArray[np.float64]
    inside: NDArray[np.float64]
    beyond: NDArray[np.float64]
    reach: NDArray[np.float64]
    rates: NDArray[np.int64]
    limits: NDArray[np.int64]
    trusts: NDArray[np.float64]
    stretches: NDArray[np.float64]
    mantissas: NDArray[np.float64]
    cdf: NDArray[np.float64]

    @classmethod
    def of(cls, components: int, hashes: int) -> Panel:
        """One that knows nothing yet, for mixtures of this number of components."""
        sets = NODES + (SETS - 1) * CHOICES * PHASES
        weights = np.zeros((sets, INPUTS))
        weights[:, 0], weights[:, 1:SAID], weights[:, SAID:-1] = NETWORK, PREDICTIONS / (SAID - 1), COUNTER
        counts, rooms = np.arange(1 << COUNT_BITS), components + SAID - 1
        return cls(
            np.full(DIRECT * NODES * WIDE + hashes, 1 << 31, np.uint32),
            hashes,
            weights.reshape(-1),
            np.zeros(sets),
            np.full(NODES * SETS, 1 / SETS),
            np.zeros(DIRECT, np.int64),
            np.zeros(HASHED, np.int64),
            np.zeros(HASHED, np.int64),
            np.zeros(SETS, np.int64),
            np.zeros(rooms),
            np.zeros(rooms),
            np.zeros(components),
            np.zeros(COUNTERS, np.int64),
            np.zeros(INPUTS),
            np.zeros(SETS, np.int64),
            np.zeros(SETS + 1),
            np.zeros(SAID),
            np.zeros(SAID),
            np.zeros(SAID),
            (65536 / (counts + 1.6)).astype(np.int64),
            np.array(LIMITS),
            counts / (counts + 1.5),
            stretches(),
            logarithms(),
            logistics(),
        )


@borrowing
def weigh_up(border, side, panel):
    """What the distributions say: how likely a value is beyond a border, given what is known of it."""
    means, inverses, components = panel.means, panel.inverses, panel.shares.size
    for k in range(SAID):
        if k == 0:
            mass = 0.0
            for c in range(components):
                mass += panel.shares[c] * logistic((means[c] - border) * inverses[c] * side, panel.cdf)
        else:
            c = components + k - 1
            mass = logistic((means[c] - border) * inverses[c] * side, panel.cdf)
        inside, beyond = panel.inside[k], panel.beyond[k]
        mass = min(max(mass, beyond), inside)
        panel.reach[k] = mass
        odds = log2(mass - beyond + LEAST, panel.mantissas) - log2(inside - mass + LEAST, panel.mantissas)
        panel.inputs[k] = min(max(odds * LN2, -SURE), SURE)


@borrowing
def known(panel, which):
    """How well the counter by a hash of this number is known, from 0 to 4."""
    count = np.int64(panel.counters[np.uint64(panel.places[DIRECT + which])]) & 1023
    level = np.int64(0)
    for i in range(4):
        level += np.int64(count >= KNOWN[i])
    return level


@borrowing
def look_up(node, phase, border, other, panel):
    """Find the counters of a decision about the codes from `border` on, and the sets of weights."""
    places, sets, chosen = panel.places, panel.sets, panel.chosen
    for i in range(DIRECT):
        places[i] = (i * NODES + node) * WIDE + panel.contexts[i]
    for i in range(HASHED):
        base = panel.bases[i]
        key = hashed(hashed(panel.keys[i], border - base), other - base if phase == 2 else -phase - (1 << 20))
        places[DIRECT + i] = DIRECT * NODES * WIDE + (key & (panel.hashes - 1))
    sets[SETS - 2] = (known(panel, 2) * 5 + known(panel, 5)) * 5 + known(panel, 1)
    sets[SETS - 1] = (known(panel, 3) * 5 + known(panel, 4)) * 5 + known(panel, 7)
    chosen[0] = node
    for k in range(1, SETS):
        chosen[k] = NODES + ((k - 1) * CHOICES + sets[k]) * PHASES + phase


@borrowing
def ask(node, panel):
    """Probability of yes, in 2^-22."""
    inputs, weights = panel.inputs, panel.weights
    for i in range(COUNTERS):
        counter = np.int64(panel.counters[np.uint64(panel.places[i])])
        inputs[SAID + i] = panel.stretches[np.uint64(counter >> 20)] * panel.trusts[np.uint64(counter & 1023)]
    inputs[INPUTS - 1] = ALWAYS
    together = 0.0
    for k in range(SETS):
        first = panel.chosen[k] * INPUTS
        total = load8(weights, first) * load8(inputs, 0)
        for j in range(8, INPUTS, 8):
            total = total + load8(weights, first + j) * load8(inputs, j)
        heard = min(max(folded(total), -MOST), MOST)
        panel.heard[k] = heard
        together += panel.finals[np.uint64(node * SETS + k)] * heard
    panel.heard[SETS] = together
    return min(max(np.int64(logistic(together, panel.cdf) * ONE), 16), ONE - 16)


@borrowing
def answer(bit, node, panel):
    """Learn from a decision."""
    counters, inputs, weights, uses = panel.counters, panel.inputs, panel.weights, panel.uses
    miss = (bit - logistic(panel.heard[SETS], panel.cdf)) * LAST
    for k in range(SETS):
        chosen = panel.chosen[k]
        panel.finals[np.uint64(node * SETS + k)] += miss * panel.heard[k]
        uses[np.uint64(chosen)] += 1.0
        rate = SLOW + FAST / (1.0 + uses[np.uint64(chosen)] * 0.02)
        step = (bit - logistic(panel.heard[k], panel.cdf)) * rate
        for j in range(0, INPUTS, 8):
            at = chosen * INPUTS + j
            store(weights, at, load8(weights, at) + load8(inputs, j) * step)
    for i in range(COUNTERS):
        place = np.uint64(panel.places[i])
        counter = np.int64(counters[place])
        count, p = counter & 1023, counter >> 10
        p += ((bit * (ONE - 1) - p) * panel.rates[np.uint64(count)]) >> 16
        counters[place] = np.uint32((p << 10) | (count + (count < panel.limits[i])))
