"""N(m, s^2) and N(0, 1)."""

from __future__ import annotations

import math

from codecs_core.jit import inline
from codecs_core.jit.elementary import erf, erfc, log

_HALF = math.sqrt(0.5)


@inline
def log_ratio(x, m, s):
    """Ln r(x)."""
    d = (x - m) / s
    return 0.5 * (x * x - d * d) - log(s)


@inline
def peak(m, s):
    """Where r is largest."""
    return m / ((1.0 - s) * (1.0 + s)) if s < 1.0 else m


@inline
def log_top(m, s):
    """Ln sup r, in one piece, since the peak may be far out."""
    return (0.5 * m * m / ((1.0 - s) * (1.0 + s)) if s < 1.0 else 0.0) - log(s)


@inline
def level_set(log_h, drop, m, s, c):
    """{r >= h}: r is a Gaussian itself."""
    w = s * math.sqrt(2.0 * drop / ((1.0 - s) * (1.0 + s))) if s < 1.0 else math.inf
    return c - w, c + w


@inline
def proposal_mass(a, b):
    """P([a, b]), by the tail that does not cancel."""
    if a > 0.0:
        return 0.5 * (erfc(a * _HALF) - erfc(b * _HALF))
    if b < 0.0:
        return 0.5 * (erfc(-b * _HALF) - erfc(-a * _HALF))
    return 0.5 * (erf(b * _HALF) - erf(a * _HALF))


standard_mass = proposal_mass
