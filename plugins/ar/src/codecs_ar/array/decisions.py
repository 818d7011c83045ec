"""Yes or no: the probability of a decision from what counters say about it, mixed by their success, and its place in a message.

Counters are adaptive probabilities with a count; a mixer is a logistic regression that learns as it goes (Mahoney 2005, PAQ).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from codecs_ar.array.real import logistic
from codecs_core.jit import borrowing
from codecs_core.jit.lanes import load8, store

#: Bits of a probability, and of the count beside it in a counter.
PRECISION, COUNT_BITS = 22, 10
ONE = 1 << PRECISION
#: Counters of a decision, and inputs of a mixer: what the distribution says, the counters, and one that is always on.
COUNTERS, INPUTS = 6, 8
#: Rates at which a mixer learns at the beginning and after a while.
FAST, SLOW = 0.02, 0.002
#: Marks a record of raw bits.
RAW = 1 << 30


class Decider(NamedTuple):
    """State of all decisions.

    `counters` are probabilities of 22 bits and counts of 10; `places` are those that the decision at hand asks, `inputs` what they say;
    `mixers` are sets of weights, one after the other, and `uses` counts how often each was used; `rates` are 1 / (n + 1.6) in 65536ths for
    each count, which grows to one of `limits`; `trusts` are how much of what a counter says counts; the others are tables of `real`, and
    `found` is to work in.
    """

    counters: NDArray[np.uint32]
    places: NDArray[np.int64]
    inputs: NDArray[np.float64]
    mixers: NDArray[np.float64]
    uses: NDArray[np.float64]
    rates: NDArray[np.int64]
    limits: NDArray[np.int64]
    trusts: NDArray[np.float64]
    stretches: NDArray[np.float64]
    cdf: NDArray[np.float64]
    mantissas: NDArray[np.float64]
    found: NDArray[np.float64]


@borrowing
def weighed(mixers, first, inputs):
    """The sum of weight times input, in eight lanes, written out: the first input, which is known last, has the fewest steps to go.

    A vector would also wait until all inputs, written one by one, are in memory.
    """
    _1, _2, _3, _4 = np.uint64(1), np.uint64(2), np.uint64(3), np.uint64(4)
    _5, _6, _7 = np.uint64(5), np.uint64(6), np.uint64(7)
    even = mixers[first + _2] * inputs[2] + mixers[first + _6] * inputs[6]
    odd = (mixers[first + _1] * inputs[1] + mixers[first + _5] * inputs[5]) + (
        mixers[first + _3] * inputs[3] + mixers[first + _7] * inputs[7]
    )
    return ((mixers[first] * inputs[0] + mixers[first + _4] * inputs[4]) + even) + odd


@borrowing
def ask(said, first, second, version, decider):
    """Probability of yes, in 2^-22, by the mixers `first` and `second`; `said` is what the distribution says, stretched."""
    counters, places, inputs, mixers, found = (
        decider.counters,
        decider.places,
        decider.inputs,
        decider.mixers,
        decider.found,
    )
    trusts, stretches, cdf = decider.trusts, decider.stretches, decider.cdf
    inputs[0] = said
    for i in range(COUNTERS):
        counter = np.int64(counters[np.uint64(places[i])])
        inputs[i + 1] = stretches[np.uint64(counter >> 20)] * trusts[np.uint64(counter & 1023)]
    inputs[7] = 0.25
    a, b = np.uint64(first * INPUTS), np.uint64(second * INPUTS)
    if version > 1:
        x = weighed(mixers, a, inputs)
        y = weighed(mixers, b, inputs)
    else:
        x, y = 0.0, 0.0
        for i in range(INPUTS):
            x += mixers[a + np.uint64(i)] * inputs[i]
            y += mixers[b + np.uint64(i)] * inputs[i]
    found[0] = logistic(x, cdf)
    found[1] = logistic(y, cdf)
    p = logistic(0.5 * (x + y), cdf)
    return min(max(np.int64(p * ONE), 16), ONE - 16)


@borrowing
def answer(bit, first, second, decider):
    """Learn from a decision."""
    counters, places, inputs, mixers, found = (
        decider.counters,
        decider.places,
        decider.inputs,
        decider.mixers,
        decider.found,
    )
    uses, rates, limits = decider.uses, decider.rates, decider.limits
    a, b = np.uint64(first * INPUTS), np.uint64(second * INPUTS)
    uses[np.uint64(first)] += 1.0
    uses[np.uint64(second)] += 1.0
    x = (bit - found[0]) * (SLOW + FAST / (1.0 + uses[np.uint64(first)] * 0.02))
    y = (bit - found[1]) * (SLOW + FAST / (1.0 + uses[np.uint64(second)] * 0.02))
    store(mixers, a, load8(mixers, a) + load8(inputs, 0) * x)
    store(mixers, b, load8(mixers, b) + load8(inputs, 0) * y)
    for i in range(COUNTERS):
        place = np.uint64(places[i])
        counter = np.int64(counters[place])
        count, p = counter & 1023, counter >> 10
        p += ((bit * (ONE - 1) - p) * rates[np.uint64(count)]) >> 16
        counters[place] = np.uint32((p << 10) | (count + (count < limits[i])))
