"""Laplace(m, s) and Laplace(0, 1)."""

from __future__ import annotations

from codecs_core.jit import inline
from codecs_core.jit.elementary import exp, log


@inline
def log_ratio(x, m, s):
    """Ln r(x)."""
    d = (x - m) / s
    return abs(x) - abs(d) - log(s)


@inline
def level_set(log_h, drop, m, s, c):
    """{r >= h}: ln r is made of three lines, which meet at 0 and m."""
    if m < 0.0:
        a, b = _right(drop, -m, s)
        return -b, -a
    return _right(drop, m, s)


@inline
def _right(drop, m, s):
    """For a centre m >= 0."""
    falling, rising = 1.0 / s - 1.0, 1.0 / s + 1.0
    left = m - drop / rising if drop <= m * rising else -(drop - m * rising) / falling
    return left, m + drop / falling


@inline
def proposal_mass(a, b):
    """P([a, b])."""
    if a > 0.0:
        return 0.5 * (exp(-a) - exp(-b))
    if b < 0.0:
        return 0.5 * (exp(b) - exp(a))
    return 1.0 - 0.5 * (exp(a) + exp(-b))


standard_mass = proposal_mass
