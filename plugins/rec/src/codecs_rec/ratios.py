"""The density ratio r = dQ/dP of a target to a standard proposal: its logarithm, peak, superlevel sets and their masses.

All of it is for encoders, in floats. Every r is unimodal, so that {r >= h} is an interval.
"""

from __future__ import annotations

import math

import numpy as np

from codecs_core.jit import inline

#: Pairs of a target and a standard proposal; `families` knows which classes they belong to.
GAUSSIAN, LAPLACE, UNIFORM, TRIANGULAR_IN_UNIFORM, TRIANGULAR = range(5)
_HALF = math.sqrt(0.5)
#: Scales from its centre within which all of a target's mass lies that a float can tell.
_REACH = 800.0
#: Points that are drawn in vain before the next one is taken all the same: that is less likely than 2^-16.
_TRIES = 1 << 16


@inline
def log_ratio(pair, x, m, s):
    """Ln r(x) for a target of centre m and scale s; -inf outside its support."""
    d = (x - m) / s
    if pair == GAUSSIAN:
        return 0.5 * (x * x - d * d) - math.log(s)
    if pair == LAPLACE:
        return abs(x) - abs(d) - math.log(s)
    if abs(d) >= 1.0:
        return -math.inf
    if pair == UNIFORM:
        return -math.log(2.0 * s)
    if pair == TRIANGULAR_IN_UNIFORM:
        return math.log((1.0 - abs(d)) / s)
    return math.log((1.0 - abs(d)) / (s * (1.0 - abs(x))))


@inline
def peak(pair, m, s):
    """Where r is largest."""
    return m / ((1.0 - s) * (1.0 + s)) if pair == GAUSSIAN and s < 1.0 else m


@inline
def level_set(pair, log_h, m, s, c, log_top):
    """The interval on which ln r >= log_h, given the peak and its height."""
    drop = max(log_top - log_h, 0.0)
    if pair == GAUSSIAN:
        w = s * math.sqrt(2.0 * drop / ((1.0 - s) * (1.0 + s))) if s < 1.0 else math.inf
        return c - w, c + w
    if pair == UNIFORM:
        return m - s, m + s
    if pair == TRIANGULAR_IN_UNIFORM:
        w = s * (1.0 - math.exp(-drop))
        return m - w, m + w
    if m < 0.0:
        a, b = _level_set_right(pair, log_h, drop, -m, s)
        return -b, -a
    return _level_set_right(pair, log_h, drop, m, s)


@inline
def _level_set_right(pair, log_h, drop, m, s):
    """For a centre m >= 0 and a proposal with a corner at 0."""
    if pair == LAPLACE:
        falling, rising = 1.0 / s - 1.0, 1.0 / s + 1.0
        left = m - drop / rising if drop <= m * rising else -(drop - m * rising) / falling
        return left, m + drop / falling
    g = math.exp(log_h) * s * s
    right = (s + m - g) / (1.0 - g)
    left = (g - s + m) / (1.0 + g)
    return (left if left >= 0.0 else (g - s + m) / (1.0 - g)), right


@inline
def _normal_mass(a, b):
    # by the tail that does not cancel
    if a > 0.0:
        return 0.5 * (math.erfc(a * _HALF) - math.erfc(b * _HALF))
    if b < 0.0:
        return 0.5 * (math.erfc(-b * _HALF) - math.erfc(-a * _HALF))
    return 0.5 * (math.erf(b * _HALF) - math.erf(a * _HALF))


@inline
def _laplace_mass(a, b):
    if a > 0.0:
        return 0.5 * (math.exp(-a) - math.exp(-b))
    if b < 0.0:
        return 0.5 * (math.exp(b) - math.exp(a))
    return 1.0 - 0.5 * (math.exp(a) + math.exp(-b))


@inline
def _triangular_mass(a, b):
    a, b = min(max(a, -1.0), 1.0), min(max(b, -1.0), 1.0)
    return (b - 0.5 * b * abs(b)) - (a - 0.5 * a * abs(a))


@inline
def proposal_mass(pair, a, b):
    """P([a, b]) for a < b."""
    if pair == GAUSSIAN:
        return _normal_mass(a, b)
    if pair == LAPLACE:
        return _laplace_mass(a, b)
    if pair == TRIANGULAR:
        return _triangular_mass(a, b)
    return min(b, 1.0) - max(a, 0.0)


@inline
def target_mass(pair, a, b, m, s):
    """Q([a, b]) for a < b."""
    return _standard_mass(pair, (a - m) / s, (b - m) / s)


@inline
def _standard_mass(pair, a, b):
    if pair == GAUSSIAN:
        return _normal_mass(a, b)
    if pair == LAPLACE:
        return _laplace_mass(a, b)
    if pair == UNIFORM:
        return 0.5 * (min(b, 1.0) - max(a, -1.0))
    return _triangular_mass(a, b)


@inline
def excess(pair, h, low, high, m, s, c, log_top):
    """Mass of (r - h)^+ dP on [low, high], and P of where it is positive: Z(h) and -Z'(h)."""
    a, b = level_set(pair, math.log(h), m, s, c, log_top) if h > 0.0 else level_set(pair, -1e300, m, s, c, log_top)
    a, b = max(a, low), min(b, high)
    if a >= b:
        return 0.0, 0.0
    p = proposal_mass(pair, a, b)
    return max(target_mass(pair, a, b, m, s) - h * p, 0.0), p


@inline
def target_point(pair, u, a, b, m, s):
    """The point of [a, b] that a share u of Q([a, b]) lies below, by bisection: floats reach further than 64 bits."""
    start = (a - m) / s
    low, high = max(start, -_REACH), min((b - m) / s, _REACH)
    below = u * _standard_mass(pair, start, (b - m) / s)
    for _ in range(100):
        middle = 0.5 * (low + high)
        if _standard_mass(pair, start, middle) < below:
            low = middle
        else:
            high = middle
    return min(max(m + s * low, a), b)


@inline
def next_level(h, rate, z, p, state, pair, low, high, m, s, c, log_top):
    """The level of the graph when the next point arrives: from h on, points arrive at the rate `rate` / Z(level) per unit of level.

    That is the stretched time of a greedy Poisson sampler (Flamich 2023, section 3), of which nothing need be integrated: Z is convex, so
    its tangent bounds the rate, points that arrive by the bound have a closed form, and each is kept with the probability that the bound
    is too high by (thinning: Lewis, Shedler 1979). Returns (level, Z, -Z', state); `state` is that of `uniform`.
    """
    while z > 0.0:
        e, state = uniform(state)
        # beyond what floats reach the proposal has no mass, and its tangent is level
        k = h - (math.expm1(math.log(e) * (p / rate)) * z / p if p > 0.0 else math.log(e) * z / rate)
        tangent = z - (k - h) * p
        h = k
        z, p = excess(pair, h, low, high, m, s, c, log_top)
        u, state = uniform(state)
        if u * z <= tangent:
            break
    return h, z, p, state


@inline
def left_over(pair, h, low, high, m, s, c, log_top, state):
    """A point of (r - h)^+ dP on [low, high], which is what a search has left of its target at the level h; and the next state.

    It is a point of Q from where r exceeds h, kept with the probability 1 - h / r. A search that comes to where this is
    seldom kept does so as seldom.
    """
    log_h = math.log(h) if h > 0.0 else -1e300
    a, b = level_set(pair, log_h, m, s, c, log_top)
    a, b = max(a, low), min(b, high)
    x = min(max(c, low), high)
    if not a < b or target_mass(pair, a, b, m, s) <= 0.0:  # narrower than what floats can tell
        return x, state
    for _ in range(_TRIES):
        u, state = uniform(state)
        x = target_point(pair, u, a, b, m, s)
        u, state = uniform(state)
        if math.log(u) > log_h - log_ratio(pair, x, m, s):
            break
    return x, state


@inline
def first_left(pair, time, low, high, m, s, c, log_top, state):
    """Of the points of a Poisson process over P and time, on [low, high] and after `time`, that with the least time / r.

    Returns (-ln of this least value, point, state). Those of a value below v are Poisson distributed with the mean
    v Z(time / v), Z the mass of (r - h)^+ dP, since a point at x counts from `time` to v r(x): where that mean is an exponential
    variable e, is the least one. Its point is one of Q where r exceeds time / v, and this h solves h e = time Z(h).
    """
    whole, _ = excess(pair, 0.0, low, high, m, s, c, log_top)
    u, state = uniform(state)
    e = -math.log(u)
    below, above = 0.0, time * whole / e
    if not above > 0.0:
        return -math.inf, c, state
    for _ in range(100):
        h = 0.5 * (below + above)
        z, _ = excess(pair, h, low, high, m, s, c, log_top)
        if h * e < time * z:
            below = h
        else:
            above = h
    h = 0.5 * (below + above)
    a, b = level_set(pair, math.log(h), m, s, c, log_top)
    u, state = uniform(state)
    return math.log(h) - math.log(time), target_point(pair, u, max(a, low), min(b, high), m, s), state


@inline
def uniform(state):
    """A float in (0, 1) and the next state, by SplitMix64 (Steele et al. 2014): what an encoder draws for itself."""
    state = state + np.uint64(0x9E3779B97F4A7C15)
    v = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    v = (v ^ (v >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return (np.float64((v ^ (v >> np.uint64(31))) >> np.uint64(12)) + 0.5) * 2.0**-52, state


@inline
def log_top_of(pair, m, s):
    """Ln sup r."""
    if pair == GAUSSIAN:
        # in one piece, where the peak is far out
        return (0.5 * m * m / ((1.0 - s) * (1.0 + s)) if s < 1.0 else 0.0) - math.log(s)
    return log_ratio(pair, peak(pair, m, s), m, s)
