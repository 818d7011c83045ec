"""The density ratio r = dQ/dP of a target to a standard proposal, and the stretch function of greedy Poisson rejection sampling.

All of it is for encoders, in floats. Every r is unimodal, so that {r >= h} is an interval. The notation is that of Flamich 2023, "Greedy
Poisson rejection sampling", section 3:

- w_P(h) = P[r >= h] and w_Q(h) = Q[r >= h], here both on the region that is still searched;
- w_Q(h) - h w_P(h), the probability that a search goes on beyond the height h (`survival`);
- the stretch function sigma with sigma'(h) = 1 / (w_Q(h) - h w_P(h)), and phi(x) = sigma(r(x)): the first point x of a Poisson
  process that arrives at a time t < phi(x) is a sample of Q.

Since sigma increases, t < phi(x) is sigma^-1(t) < r(x): only the heights sigma^-1(t) of the arrivals are needed (`next_arrival`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from codecs_core.jit import inline
from codecs_core.jit.elementary import expm1, log
from codecs_rec.pairs import gaussian, laplace, triangular, triangular_in_uniform
from codecs_rec.pairs import uniform as uniforms

#: Pairs of a target and a standard proposal; `families` knows which classes they belong to.
GAUSSIAN, LAPLACE, UNIFORM, TRIANGULAR_IN_UNIFORM, TRIANGULAR = range(5)
#: Scales from its centre within which all of a target's mass lies that a float can tell.
_REACH = 800.0
#: Points that are drawn in vain before the next one is taken all the same: that is less likely than 2^-16.
_TRIES = 1 << 16


def _by_pair(name: str) -> Callable[..., Any]:
    """The function of this name of whichever pair it is called for, as its first argument."""
    pairs = gaussian, laplace, uniforms, triangular_in_uniform, triangular
    of_gaussian, of_laplace, of_uniform, of_triangular_in_uniform, of_triangular = (getattr(p, name) for p in pairs)

    @inline
    def call(pair, *args):
        if pair == GAUSSIAN:
            return of_gaussian(*args)
        if pair == LAPLACE:
            return of_laplace(*args)
        if pair == UNIFORM:
            return of_uniform(*args)
        if pair == TRIANGULAR_IN_UNIFORM:
            return of_triangular_in_uniform(*args)
        return of_triangular(*args)

    return call  # type: ignore[no-any-return]


_log_ratio, _level_set, _proposal_mass, _standard_mass = (
    _by_pair(name) for name in ("log_ratio", "level_set", "proposal_mass", "standard_mass")
)


class Ratio(NamedTuple):
    """The ratio r of one target, of centre m and scale s: which pair, and where and how large it is at its largest."""

    pair: int
    m: float
    s: float
    peak: float
    log_top: float


@inline
def ratio_of(pair, m, s):
    """The ratio of a target of centre m and scale s."""
    if pair == GAUSSIAN:
        return Ratio(pair, m, s, gaussian.peak(m, s), gaussian.log_top(m, s))
    return Ratio(pair, m, s, m, _log_ratio(pair, m, m, s))


@inline
def log_ratio(r, x):
    """Ln r(x); -inf outside the support of the target."""
    return _log_ratio(r.pair, x, r.m, r.s)


@inline
def level_set(r, log_h):
    """The interval on which ln r >= log_h."""
    return _level_set(r.pair, log_h, max(r.log_top - log_h, 0.0), r.m, r.s, r.peak)


@inline
def proposal_mass(r, a, b):
    """P([a, b]) for a < b."""
    return _proposal_mass(r.pair, a, b)


@inline
def target_mass(r, a, b):
    """Q([a, b]) for a < b."""
    return _standard_mass(r.pair, (a - r.m) / r.s, (b - r.m) / r.s)


@inline
def survival(r, h, low, high):
    """w_Q(h) - h w_P(h), and w_P(h), minus its derivative; both on the region [low, high]."""
    a, b = level_set(r, log(h) if h > 0.0 else -1e300)
    a, b = max(a, low), min(b, high)
    if a >= b:
        return 0.0, 0.0
    w_p, w_q = proposal_mass(r, a, b), target_mass(r, a, b)
    return max(w_q - h * w_p, 0.0), w_p


@inline
def target_point(r, u, a, b):
    """The point of [a, b] that a share u of Q([a, b]) lies below, by bisection: floats reach further than 64 bits."""
    start = (a - r.m) / r.s
    low, high = max(start, -_REACH), min((b - r.m) / r.s, _REACH)
    below = u * _standard_mass(r.pair, start, (b - r.m) / r.s)
    for _ in range(100):
        middle = 0.5 * (low + high)
        if _standard_mass(r.pair, start, middle) < below:
            low = middle
        else:
            high = middle
    return min(max(r.m + r.s * low, a), b)


@inline
def next_arrival(h, rate, alive, w_p, state, r, low, high):
    """The height sigma^-1(t) at the next arrival t of a Poisson process, after the height h: how far the graph of r must reach.

    In time, points arrive at `rate`; in height at rate sigma'(h) = rate / (w_Q(h) - h w_P(h)). Nothing need be integrated: the
    denominator is convex, so its tangent bounds the rate, points that arrive by the bound have a closed form, and each is kept with the
    probability that the bound is too high by (thinning: Lewis, Shedler 1979). `alive` and `w_p` are those of `survival` at h.
    Returns (height, w_Q - h w_P, w_P, state); `state` is that of `uniform`.
    """
    while alive > 0.0:
        e, state = uniform(state)
        # beyond what floats reach the proposal has no mass, and its tangent is level
        k = h - (expm1(log(e) * (w_p / rate)) * alive / w_p if w_p > 0.0 else log(e) * alive / rate)
        tangent = alive - (k - h) * w_p
        h = k
        alive, w_p = survival(r, h, low, high)
        u, state = uniform(state)
        if u * alive <= tangent:
            break
    return h, alive, w_p, state


@inline
def left_over(r, h, low, high, state):
    """A point of (r - h)^+ dP on [low, high], which is what a search has left of its target at the height h; and the next state.

    It is a point of Q from where r exceeds h, kept with the probability 1 - h / r. A search that comes to where this is
    seldom kept does so as seldom.
    """
    log_h = log(h) if h > 0.0 else -1e300
    a, b = level_set(r, log_h)
    a, b = max(a, low), min(b, high)
    x = min(max(r.peak, low), high)
    if not a < b or target_mass(r, a, b) <= 0.0:  # narrower than what floats can tell
        return x, state
    for _ in range(_TRIES):
        u, state = uniform(state)
        x = target_point(r, u, a, b)
        u, state = uniform(state)
        if log(u) > log_h - log_ratio(r, x):
            break
    return x, state


@inline
def first_left(r, time, low, high, state):
    """Of the points of a Poisson process over P and time, on [low, high] and after `time`, that with the least time / r.

    Returns (-ln of this least value, point, state). Those of a value below v are Poisson distributed with the mean
    v S(time / v), S(h) = w_Q(h) - h w_P(h), since a point at x counts from `time` to v r(x): where that mean is an exponential
    variable e, is the least one. Its point is one of Q where r exceeds time / v, and this h solves h e = time S(h).
    """
    whole, _ = survival(r, 0.0, low, high)
    u, state = uniform(state)
    e = -log(u)
    below, above = 0.0, time * whole / e
    if not above > 0.0:
        return -math.inf, r.peak, state
    for _ in range(100):
        h = 0.5 * (below + above)
        alive, _ = survival(r, h, low, high)
        if h * e < time * alive:
            below = h
        else:
            above = h
    h = 0.5 * (below + above)
    a, b = level_set(r, log(h))
    u, state = uniform(state)
    return log(h) - log(time), target_point(r, u, max(a, low), min(b, high)), state


@inline
def word(state):
    """64 random bits and the next state, by SplitMix64 (Steele et al. 2014): what an encoder draws for itself."""
    state = state + np.uint64(0x9E3779B97F4A7C15)
    v = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    v = (v ^ (v >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return v ^ (v >> np.uint64(31)), state


@inline
def uniform(state):
    """A float in (0, 1) and the next state, as `word` has it."""
    bits, state = word(state)
    return (np.float64(bits >> np.uint64(12)) + 0.5) * 2.0**-52, state
