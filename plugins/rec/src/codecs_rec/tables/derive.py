"""Derive the integer tables of this folder, with 60 digits of precision: ``python -m codecs_rec.tables.derive``.

They are committed; no decoder evaluates a transcendental function. Each is rounded down (floor). The depths of branch and bound
are statistics and have a script of their own, `codecs_rec.tables.depths`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mpmath import mp
from numpy.typing import NDArray

from codecs_core.entropy import npy

#: Octaves of a tail, and cells an octave.
OCTAVES, CELLS = 63, 256


def _normal_tail(u: Any) -> Any:
    """The x >= 0 with 1 - Phi(x) = u, for u down to 2^-64: Newton's method from an asymptotic guess."""
    if u > mp.mpf(1) / 100:
        return mp.sqrt(2) * mp.erfinv(1 - 2 * u)
    t = -2 * mp.log(2 * u)
    x = mp.sqrt(t - mp.log(mp.pi * t / 2))
    for _ in range(60):
        step = (mp.erfc(x / mp.sqrt(2)) / 2 - u) / mp.npdf(x)
        x += step
        if abs(step) < mp.mpf(10) ** -40:
            break
    return x


def normal_tail(octaves: Sequence[int] = range(OCTAVES)) -> NDArray[np.int64]:
    """Row e, cell i: the x >= 0 with 1 - Phi(x) = 2^-(e + 2) (1 + i / 256), times 2^32. Shape (63, 257)."""
    rows = []
    for e in octaves:
        row = [_normal_tail((1 + mp.mpf(i) / CELLS) / mp.mpf(2) ** (e + 2)) for i in range(CELLS + 1)]
        rows.append([int(mp.floor(x * 2**32)) for x in row])
    return np.array(rows, np.int64)


def log_mantissa() -> NDArray[np.int64]:
    """ln(1 + i / 256) * 2^32 for i = 0 to 256; the last is ln 2."""
    return np.array([int(mp.floor(mp.log(1 + mp.mpf(i) / CELLS) * 2**32)) for i in range(CELLS + 1)], np.int64)


def maxwell(cells: Sequence[int] = range(4096)) -> NDArray[np.int64]:
    """Quantiles of the Maxwell distribution (the length of a 3-D standard normal vector) at (2 i + 1) / 8192, times 2^32."""
    values, s = [], mp.mpf(1)
    for i in cells:
        u = mp.mpf(2 * i + 1) / 8192
        for _ in range(100):
            density = mp.sqrt(2 / mp.pi) * s * s * mp.exp(-s * s / 2)
            step = (mp.erf(s / mp.sqrt(2)) - density / s - u) / density
            # the density vanishes at 0: not too far at once
            s = max(s - step, s / 2)
            if abs(step) < mp.mpf(10) ** -30:
                break
        values.append(int(mp.floor(s * 2**32)))
    return np.array(values, np.int64)


def chi10(cells: Sequence[int] = range(4096)) -> NDArray[np.int64]:
    """Quantiles of the length of a 10-D standard normal vector at (2 i + 1) / 8192, times 2^32."""
    values, s = [], mp.mpf(1)
    for i in cells:
        u = mp.mpf(2 * i + 1) / 8192
        for _ in range(200):
            t = s * s / 2
            # the lower incomplete gamma function of 5 is elementary
            terms = [t**k / mp.factorial(k) for k in range(5)]
            step = (1 - mp.exp(-t) * sum(terms) - u) / (s * mp.exp(-t) * t**4 / 24)
            s = min(max(s - step, s / 2), 2 * s)
            if abs(step) < mp.mpf(10) ** -30:
                break
        values.append(int(mp.floor(s * 2**32)))
    return np.array(values, np.int64)


TABLES = {f.__name__: f for f in (normal_tail, log_mantissa, maxwell, chi10)}


def main() -> None:
    """Write every table beside this script."""
    mp.dps = 60
    for name, derive in TABLES.items():
        Path(__file__).with_name(f"{name}.npy").write_bytes(npy(derive()))


if __name__ == "__main__":
    main()
