"""Derive the integer tables of this folder, with 60 digits of precision: ``python -m codecs_core.entropy.tables.derive``.

They are committed; nothing at run time evaluates a transcendental function. Each is rounded down (floor).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from mpmath import mp
from numpy.typing import NDArray

from codecs_core.entropy.tables import npy


def normal_cdf() -> NDArray[np.int64]:
    """Phi(i / 256 - 8) * 2^32 for i = 0 to 4096."""
    return np.array([int(mp.floor(mp.ncdf(mp.mpf(i) / 256 - 8) * 2**32)) for i in range(4097)], np.int64)


def normal_edges() -> NDArray[np.int64]:
    """Phi^-1(k / 4096) * 2^24 for k = 1 to 4095, between the outer edges -16 * 2^24 and 16 * 2^24."""
    inner = [int(mp.floor(mp.sqrt(2) * mp.erfinv(mp.mpf(2 * k) / 4096 - 1) * 2**24)) for k in range(1, 4096)]
    return np.array([-(2**28), *inner, 2**28], np.int64)


def normal_centres() -> NDArray[np.int64]:
    """Phi^-1((2 i + 1) / 8192) * 2^24 for i = 0 to 4095: medians of 4096 equal-mass buckets."""
    centres = [int(mp.floor(mp.sqrt(2) * mp.erfinv(mp.mpf(2 * i + 1) / 4096 - 1) * 2**24)) for i in range(4096)]
    return np.array(centres, np.int64)


def exp2_negative() -> NDArray[np.int64]:
    """2^(16 - i / 64) for i = 0 to 1023: weights of a softmax to base 2 on a grid of 1/64."""
    return np.array([int(mp.floor(mp.mpf(2) ** (16 - mp.mpf(i) / 64))) for i in range(1024)], np.int64)


def logistic_cdf() -> NDArray[np.int64]:
    """Logistic CDF of i / 64 - 32, times 2^32, for i = 0 to 4096."""
    return np.array([int(mp.floor(2**32 / (1 + mp.exp(32 - mp.mpf(i) / 64)))) for i in range(4097)], np.int64)


def laplace_cdf() -> NDArray[np.int64]:
    """CDF of the Laplace distribution of scale 1 at i / 64 - 32, times 2^32, for i = 0 to 4096."""
    tail = [mp.exp(mp.mpf(min(i, 4096 - i)) / 64 - 32) / 2 for i in range(4097)]
    return np.array([int(mp.floor((t if i <= 2048 else 1 - t) * 2**32)) for i, t in enumerate(tail)], np.int64)


def _quantiles(quantile: Callable[[Any], Any]) -> NDArray[np.int64]:
    """Quantiles of (2 i + 1) / 2048, times 2^24, for i = 0 to 1023: first guesses of a search."""
    return np.array([int(mp.floor(quantile(mp.mpf(2 * i + 1) / 2048) * 2**24)) for i in range(1024)], np.int64)


def normal_quantile() -> NDArray[np.int64]:
    """Quantiles of the standard normal distribution."""
    return _quantiles(lambda u: mp.sqrt(2) * mp.erfinv(2 * u - 1))


def logistic_quantile() -> NDArray[np.int64]:
    """Quantiles of the standard logistic distribution."""
    return _quantiles(lambda u: mp.log(u / (1 - u)))


def laplace_quantile() -> NDArray[np.int64]:
    """Quantiles of the standard Laplace distribution."""
    return _quantiles(lambda u: mp.log(2 * u) if u < 0.5 else -mp.log(2 - 2 * u))


def log2_mantissa() -> NDArray[np.int64]:
    """log2(1 + i / 256) * 2^16 for i = 0 to 256."""
    return np.array([int(mp.floor(mp.log(1 + mp.mpf(i) / 256, 2) * 2**16)) for i in range(257)], np.int64)


TABLES = {
    f.__name__: f
    for f in (
        normal_cdf,
        normal_quantile,
        normal_edges,
        normal_centres,
        logistic_cdf,
        logistic_quantile,
        laplace_cdf,
        laplace_quantile,
        exp2_negative,
        log2_mantissa,
    )
}


def main() -> None:
    """Write every table beside this script."""
    mp.dps = 60
    for name, derive in TABLES.items():
        Path(__file__).with_name(f"{name}.npy").write_bytes(npy(derive()))


if __name__ == "__main__":
    main()
