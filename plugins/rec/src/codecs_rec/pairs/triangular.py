"""The triangle with its peak at m, on m - s to m + s, and that on -1 to 1."""

from __future__ import annotations

import math

from codecs_core.jit import inline
from codecs_core.jit.elementary import exp, log


@inline
def log_ratio(x, m, s):
    """Ln r(x)."""
    d = (x - m) / s
    if abs(d) >= 1.0:
        return -math.inf
    return log((1.0 - abs(d)) / (s * (1.0 - abs(x))))


@inline
def level_set(log_h, drop, m, s, c):
    """{r >= h}."""
    if m < 0.0:
        a, b = _right(log_h, -m, s)
        return -b, -a
    return _right(log_h, m, s)


@inline
def _right(log_h, m, s):
    """For a centre m >= 0; the proposal has a corner at 0."""
    g = exp(log_h) * s * s
    right = (s + m - g) / (1.0 - g)
    left = (g - s + m) / (1.0 + g)
    return (left if left >= 0.0 else (g - s + m) / (1.0 - g)), right


@inline
def proposal_mass(a, b):
    """P([a, b])."""
    a, b = min(max(a, -1.0), 1.0), min(max(b, -1.0), 1.0)
    return (b - 0.5 * b * abs(b)) - (a - 0.5 * a * abs(a))


standard_mass = proposal_mass
