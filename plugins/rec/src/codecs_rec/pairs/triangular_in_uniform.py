"""The triangle with its peak at m, on m - s to m + s, and the uniform distribution on [0, 1)."""

from __future__ import annotations

import math

from codecs_core.jit import inline
from codecs_core.jit.elementary import exp, log
from codecs_rec.pairs import triangular, uniform


@inline
def log_ratio(x, m, s):
    """Ln r(x)."""
    d = (x - m) / s
    if abs(d) >= 1.0:
        return -math.inf
    return log((1.0 - abs(d)) / s)


@inline
def level_set(log_h, drop, m, s, c):
    """{r >= h}."""
    w = s * (1.0 - exp(-drop))
    return m - w, m + w


proposal_mass = uniform.proposal_mass
standard_mass = triangular.proposal_mass
