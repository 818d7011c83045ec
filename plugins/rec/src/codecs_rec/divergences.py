"""What a sample costs, in theory: the Kullback-Leibler divergence, and the channel simulation divergence, of a target from its proposal.

Both are integrals over heights h of w_P(h) = P[dQ/dP >= h] (Goc, Flamich 2024, "On channel simulation conjectures"):

    D_KL = log2 e + integral of w_P(h) log2 h dh,        D_CS = - integral of w_P(h) log2 w_P(h) dh.

The index of a sampler that rejects until it accepts has an entropy H with D_KL <= D_CS <= H, and greedy ones have H <= D_CS + log2(1 + e).
They are for people and for encoders, in floats.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from codecs_core.jit import kernel
from codecs_core.jit.elementary import exp, log
from codecs_rec.families import Family, relate
from codecs_rec.ratios import level_set, proposal_mass, ratio_of

#: Intervals of Simpson's rule, an even number; and nats below 1 of the least height.
_INTERVALS, _DEPTH = 4000, 40.0


def kullback_leibler(target: Family, proposal: Family) -> NDArray[np.float64]:
    """D_KL[Q || P] in bits, of the shape that the parameters broadcast to; raises `EntropyError` as samplers do."""
    return _integrals(target, proposal)[0]


def channel_simulation(target: Family, proposal: Family) -> NDArray[np.float64]:
    """D_CS[Q || P] in bits, of the shape that the parameters broadcast to; raises `EntropyError` as samplers do."""
    return _integrals(target, proposal)[1]


def _integrals(target: Family, proposal: Family) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    pair = relate(target, proposal)
    kl, cs = np.empty((2, pair.m.size))
    _integrate(pair.kind, pair.m.reshape(-1), pair.s.reshape(-1), kl, cs)
    return kl.reshape(pair.m.shape), cs.reshape(pair.m.shape)


@kernel
def _integrate(pair, m, s, kl, cs):
    """By Simpson's rule in v, with h = sup dQ/dP e^(-v^2): near the top w_P is as the root of what is missing, which is smooth in v."""
    for i in range(m.size):
        r = ratio_of(pair, m[i], s[i])
        step = math.sqrt(r.log_top + _DEPTH) / _INTERVALS
        first, second = 0.0, 0.0
        for k in range(1, _INTERVALS + 1):
            v = k * step
            log_h = r.log_top - v * v
            a, b = level_set(r, log_h)
            w = proposal_mass(r, a, b)
            if w > 0.0:
                share = (4.0 if k % 2 else 2.0 if k < _INTERVALS else 1.0) * 2.0 * v * exp(log_h) * w
                first += share * log_h
                second -= share * log(w)
        scale = step / 3.0 / math.log(2.0)
        kl[i] = max(1.0 / math.log(2.0) + first * scale, 0.0)
        cs[i] = second * scale
