"""Uniform on [m - s, m + s] and on [0, 1)."""

from __future__ import annotations

import math

from codecs_core.jit import inline
from codecs_core.jit.elementary import log


@inline
def log_ratio(x, m, s):
    """Ln r(x)."""
    if abs((x - m) / s) >= 1.0:
        return -math.inf
    return -log(2.0 * s)


@inline
def level_set(log_h, drop, m, s, c):
    """The support."""
    return m - s, m + s


@inline
def proposal_mass(a, b):
    """P([a, b])."""
    return min(b, 1.0) - max(a, 0.0)


@inline
def standard_mass(a, b):
    """Q([a, b]) for the target on [-1, 1]."""
    return 0.5 * (min(b, 1.0) - max(a, -1.0))
