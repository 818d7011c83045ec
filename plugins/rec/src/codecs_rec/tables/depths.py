"""Derive the depth tables of branch and bound: ``python -m codecs_rec.tables.depths``. Statistics, of 40,000 samples each.

Row q is for the Gaussian channel X = N(m, s^2), m ~ N(0, 1 - s^2), P = N(0, 1), of q / 4 bits: s = 2^-(q / 4).
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from codecs_core.entropy import npy
from codecs_rec.families import Gaussian
from codecs_rec.index import calibrate
from codecs_rec.quantile import NORMAL, quantiles
from codecs_rec.samplers.branch import BranchAndBound

SAMPLES, ROWS = 40_000, 65


def channel(information: float, samples: int, seed: int) -> Gaussian:
    """Targets of a one-dimensional Gaussian channel, by raw bits of Philox."""
    s = 2.0**-information
    bits = np.asarray(np.random.Philox(seed).random_raw(samples))
    return Gaussian(quantiles(NORMAL, bits) * np.sqrt(1 - s * s), s)


def depths(split: Literal["dyadic", "sample"], samples: int = SAMPLES, rows: int = ROWS) -> NDArray[np.int64]:
    """Counts of the depths, one row a quarter of a bit."""
    sampler = BranchAndBound(split)
    return np.stack([calibrate(sampler.encode(channel(q / 4, samples, q), Gaussian(), q)) for q in range(rows)])


def main() -> None:
    """Write the tables beside this script."""
    splits: tuple[Literal["dyadic"], Literal["sample"]] = ("dyadic", "sample")
    for split in splits:
        Path(__file__).with_name(f"depths_{split}.npy").write_bytes(npy(depths(split)))


if __name__ == "__main__":
    main()
