"""The compiled part of a decision: what distributions and counters say about it, mixed by their success.

Counters are adaptive probabilities with a count. Sets of weights mix them in the logistic domain, and a last one mixes what the sets
say (Mahoney: *Data Compression Explained*, 2013, section 4.3.2).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from codecs_ar.array.decisions import COUNT_BITS, ONE
from codecs_ar.array.further import steps
from codecs_ar.array.real import LN2, log2, logarithms, logistic, logistics, stretches
from codecs_ar.array.repeats import hashed
from codecs_core.jit import borrowing
from codecs_core.jit.lanes import folded, load8, store

#: Predictions of a description, each a distribution; counters that are looked up by a context, and by a hash.
PREDICTIONS, DIRECT, HASHED = 3, 11, 8
#: More counters of a context where there are two opinions: of what these say.
AGREED = 4
#: Sets of weights.
SETS = 8
#: Distributions and counters where there are two opinions.
SAID, HEARD = 2 + 2 * PREDICTIONS, DIRECT + AGREED + HASHED
#: Steps outwards from the middle; decisions of one side: the middle, each step, and three levels within each; those of both sides.
STEPS = 15
INNER = 1 + STEPS
SIDE = INNER + 8 * STEPS
NODES = 2 * SIDE
#: Contexts of a counter, and of each kind of set but the first, which is by the decision; kinds of decisions.
WIDE, CHOICES, PHASES = 128, 125, 3
#: Rates at which sets learn, in the end and at the beginning, and the last mixer; those of two opinions, which begin with trained weights.
PACE, SECOND_PACE = (0.006, 0.04, 0.002), (0.002, 0.02, 0.0005)
#: What a set says at the most.
MOST = 14.0
#: Weights to begin with where a model has none: of the network, of the predictions together, of each counter.
NETWORK, PREDICTED, COUNTER = 0.6, 0.4, 0.02
#: What is always said; what a distribution says at the most; what is added to its masses.
ALWAYS, SURE, LEAST = 0.25, 12.0, 1e-9
#: Decisions that a counter remembers.
LIMIT, HASHED_LIMIT = 400, 250
#: Fractional bits of the weights that a model holds, and how many there are.
BEGINNING_BITS, LENGTH = 16, PHASES * SETS * (SAID + HEARD + 2)
#: Uses from which on the choice of a set takes a counter for better known.
KNOWN = 1, 3, 8, 30


class Panel(NamedTuple):
    """State of the decisions of a plane.

    `counters` are probabilities of 22 bits and counts of 10, those looked up by a context first; `hashes` is how many are behind them.
    `weights` are the sets, `uses` how often each was used, `finals` the weights of what they say, for each node.

    Of a value: `contexts`, and `keys` and `bases` of the counters by a hash, whose thresholds count from their base; `sets` to choose.
    Distributions are those of `mixtures`, by one network or two, and then of the predictions: all their logistics have `means` and
    `inverses`, in grey levels, and `shares`; `firsts` says where each begins, and where the last one ends.

    `pace` are the rates at which sets learn, in the end and at the beginning, and the last mixer.
    Of a decision: `places` of counters, `inputs`, `chosen` sets, `heard` from each and in the end; and of each distribution the mass
    `inside` and `beyond` what is left, and `reach` beyond the threshold. The others are tables.
    """

    mixtures: int
    firsts: NDArray[np.int64]
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
    pace: NDArray[np.float64]
    rates: NDArray[np.int64]
    limits: NDArray[np.int64]
    trusts: NDArray[np.float64]
    stretches: NDArray[np.float64]
    mantissas: NDArray[np.float64]
    cdf: NDArray[np.float64]

    @classmethod
    def of(cls, components: Sequence[int], hashes: int, begin: Beginning | None = None) -> Panel:
        """One that knows nothing yet, for the mixtures of one or two networks, of these numbers of components."""
        mixtures, direct = len(components), DIRECT + (AGREED if len(components) > 1 else 0)
        firsts = np.cumsum([0, *components, *[1] * (PREDICTIONS * mixtures)])
        said, counters, rooms = len(firsts) - 1, direct + HASHED, int(firsts[-1])
        begin = begin or Beginning.usual(said, counters)
        counts = np.arange(1 << COUNT_BITS)
        return cls(
            mixtures,
            firsts,
            np.full(direct * NODES * WIDE + hashes, 1 << 31, np.uint32),
            hashes,
            begin.sets(),
            np.zeros(NODES + (SETS - 1) * CHOICES * PHASES),
            begin.last(),
            np.zeros(direct, np.int64),
            np.zeros(HASHED, np.int64),
            np.zeros(HASHED, np.int64),
            np.zeros(SETS, np.int64),
            np.zeros(rooms),
            np.zeros(rooms),
            np.ones(rooms),
            np.zeros(counters, np.int64),
            np.zeros(begin.weights.shape[2]),
            np.zeros(SETS, np.int64),
            np.zeros(SETS + 1),
            np.zeros(said),
            np.zeros(said),
            np.zeros(said),
            np.array(PACE if mixtures == 1 else SECOND_PACE),
            (65536 / (counts + 1.6)).astype(np.int64),
            np.array((LIMIT,) * direct + (HASHED_LIMIT,) * HASHED),
            counts / (counts + 1.5),
            stretches(),
            logarithms(),
            logistics(),
        )


class Beginning(NamedTuple):
    """Weights that a panel begins with: of each set and kind of decision those of the inputs, (8, 3, inputs), and of the sets, (3, 8)."""

    weights: NDArray[np.float64]
    finals: NDArray[np.float64]

    @classmethod
    def of(cls, units: NDArray[np.int32]) -> Beginning:
        """As a model has it for two opinions: weights and then finals, in units of 2^-16."""
        real = units / float(1 << BEGINNING_BITS)
        weights = np.zeros((SETS, PHASES, inputs(SAID, HEARD)))
        weights[..., : SAID + HEARD + 1] = real[: -PHASES * SETS].reshape(SETS, PHASES, -1)
        return cls(weights, real[-PHASES * SETS :].reshape(PHASES, SETS))

    @property
    def units(self) -> NDArray[np.int32]:
        """Inverse of `of`."""
        flat = np.concatenate([self.weights[..., : SAID + HEARD + 1].reshape(-1), self.finals.reshape(-1)])
        return np.asarray(np.rint(flat * (1 << BEGINNING_BITS)), np.int32)

    @classmethod
    def usual(cls, said: int, counters: int) -> Beginning:
        """Of a model without any: the network, the predictions, and a little of each counter."""
        weights = np.zeros((SETS, PHASES, inputs(said, counters)))
        weights[..., 0], weights[..., 1:said] = NETWORK, PREDICTED / (said - 1)
        weights[..., said : said + counters] = COUNTER
        return cls(weights, np.full((PHASES, SETS), 1 / SETS))

    def sets(self) -> NDArray[np.float64]:
        """Those of all sets, one after the other."""
        others = np.broadcast_to(self.weights[1:, None], (SETS - 1, CHOICES, PHASES, self.weights.shape[2]))
        return np.concatenate([self.weights[0, phases_of_nodes()].reshape(-1), others.reshape(-1)])

    def last(self) -> NDArray[np.float64]:
        """Those of the sets, for each node."""
        return self.finals[phases_of_nodes()].reshape(-1)


def inputs(said: int, counters: int) -> int:
    """Inputs of a mixer: what distributions and counters say, and one that is always the same; made divisible by 8 with zeros."""
    return -(-(said + counters + 1) // 8) * 8


def phases_of_nodes() -> NDArray[np.int64]:
    """The kind of decision that each node is."""
    return np.tile(np.repeat([0, 1, 2], [1, STEPS, 8 * STEPS]), 2)


@borrowing
def weigh_up(border, side, panel):
    """What the distributions say: how likely a value is beyond a border, given what is known of it."""
    for k in range(panel.inside.size):
        mass = 0.0
        for c in range(panel.firsts[k], panel.firsts[k + 1]):
            mass += panel.shares[c] * logistic((panel.means[c] - border) * panel.inverses[c] * side, panel.cdf)
        inside, beyond = panel.inside[k], panel.beyond[k]
        mass = min(max(mass, beyond), inside)
        panel.reach[k] = mass
        odds = log2(mass - beyond + LEAST, panel.mantissas) - log2(inside - mass + LEAST, panel.mantissas)
        panel.inputs[k] = min(max(odds * LN2, -SURE), SURE)


@borrowing
def known(panel, which):
    """How well the counter by a hash of this number is known, from 0 to 4."""
    count = np.int64(panel.counters[np.uint64(panel.places[panel.contexts.size + which])]) & 1023
    level = np.int64(0)
    for i in range(4):
        level += np.int64(count >= KNOWN[i])
    return level


@borrowing
def bucket(odds):
    """One of 25 classes of what is said of a decision."""
    return np.int64(min(max(np.floor(odds * 2.5 + 12.5), 0.0), 24.0))


@borrowing
def agree(panel):
    """Fill in the contexts of what two opinions say."""
    if panel.mixtures > 1:
        contexts, one, two = panel.contexts, panel.inputs[0], panel.inputs[1]
        contexts[DIRECT] = bucket(one) * 5 + steps(two - one, 0.15, 0.5)
        contexts[DIRECT + 1] = bucket(two) * 5 + contexts[9] % 5
        contexts[DIRECT + 2] = bucket(two) * 5 + contexts[3] % 5
        contexts[DIRECT + 3] = bucket(0.5 * (one + two)) * 5 + contexts[7] // 25


@borrowing
def look_up(node, phase, border, other, panel):
    """Find the counters of a decision about the codes from `border` on, and the sets of weights."""
    places, sets, chosen = panel.places, panel.sets, panel.chosen
    agree(panel)
    direct = panel.contexts.size
    for i in range(direct):
        places[i] = (i * NODES + node) * WIDE + panel.contexts[i]
    for i in range(HASHED):
        base = panel.bases[i]
        key = hashed(hashed(panel.keys[i], border - base), other - base if phase == 2 else -phase - (1 << 20))
        places[direct + i] = direct * NODES * WIDE + (key & (panel.hashes - 1))
    sets[6] = (known(panel, 2) * 5 + known(panel, 5)) * 5 + known(panel, 1)
    sets[7] = (known(panel, 3) * 5 + known(panel, 4)) * 5 + known(panel, 7)
    chosen[0] = node
    for k in range(1, SETS):
        chosen[k] = NODES + ((k - 1) * CHOICES + sets[k]) * PHASES + phase


@borrowing
def ask(node, panel):
    """Probability of yes, in 2^-22."""
    inputs, weights, said, counters = panel.inputs, panel.weights, panel.inside.size, panel.places.size
    for i in range(counters):
        counter = np.int64(panel.counters[np.uint64(panel.places[i])])
        inputs[said + i] = panel.stretches[np.uint64(counter >> 20)] * panel.trusts[np.uint64(counter & 1023)]
    inputs[said + counters] = ALWAYS
    together = 0.0
    for k in range(SETS):
        first = panel.chosen[k] * inputs.size
        total = load8(weights, first) * load8(inputs, 0)
        for j in range(8, inputs.size, 8):
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
    slow, fast, last = panel.pace[0], panel.pace[1], panel.pace[2]
    miss = (bit - logistic(panel.heard[SETS], panel.cdf)) * last
    for k in range(SETS):
        chosen = panel.chosen[k]
        panel.finals[np.uint64(node * SETS + k)] += miss * panel.heard[k]
        uses[np.uint64(chosen)] += 1.0
        rate = slow + fast / (1.0 + uses[np.uint64(chosen)] * 0.02)
        step = (bit - logistic(panel.heard[k], panel.cdf)) * rate
        for j in range(0, inputs.size, 8):
            at = chosen * inputs.size + j
            store(weights, at, load8(weights, at) + load8(inputs, j) * step)
    for i in range(panel.places.size):
        place = np.uint64(panel.places[i])
        counter = np.int64(counters[place])
        count, p = counter & 1023, counter >> 10
        p += ((bit * (ONE - 1) - p) * panel.rates[np.uint64(count)]) >> 16
        counters[place] = np.uint32((p << 10) | (count + (count < panel.limits[i])))
