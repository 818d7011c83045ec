"""Buckets of a latent: where a prior has its quantiles, and what a posterior makes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from codecs_core.errors import ConfigError
from codecs_core.report.plots.drawing import blank

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def buckets(bits: int = 4, *, mean: float = 0.8, scale: float = 0.4) -> Figure:
    """The buckets that a standard normal prior holds equally likely: figure 4 of Townsend, Bird, Barber 2019; and a posterior over them.

    Both are drawn as they are coded: edges and the values that stand for buckets come from the committed tables, and the counts of the
    posterior from `BucketedGaussian`.

    Parameters
    ----------
    bits
        There are 2^bits buckets, from 2 to 64.
    mean, scale
        Of the posterior, a Gaussian.

    Raises
    ------
    ConfigError
        For another number of bits, and a posterior that is out of range.
    """
    from codecs_core.entropy import BucketedGaussian, centres, table

    if type(bits) is not int or not 1 <= bits <= 6:
        raise ConfigError(f"bits must be an integer from 1 to 6, got {bits!r}")
    if not abs(mean) <= 4 or not 2**-6 <= scale <= 4:
        raise ConfigError(f"mean must be from -4 to 4 and scale from 2^-6 to 4, got {mean!r} and {scale!r}")
    count = 1 << bits
    edges = np.asarray(table("normal_edges")[:: 4096 >> bits], np.float64)[1:count] / 2**24
    values = centres(bits) / 2**24
    parameters = (
        f.units(v) for f, v in ((BucketedGaussian.MEAN, mean), (BucketedGaussian.LOG_SCALE, float(np.log2(scale))))
    )
    chances = 2.0 ** -BucketedGaussian(*parameters, bucket_bits=bits, shape=count).information(np.arange(count))
    figure, (density, masses) = blank(7.5, 4.6, rows=2)
    z = np.linspace(-3.2, 3.2, 400)
    density.plot(z, np.exp(-z * z / 2) / np.sqrt(2 * np.pi), color="#1a237e")
    density.vlines(edges, 0, np.exp(-edges * edges / 2) / np.sqrt(2 * np.pi), color="#9fa8da", lw=1)
    density.plot(values, np.zeros(count), "o", ms=4, color="#1a237e")
    density.set_xlim(-3.2, 3.2)
    density.set_ylim(bottom=0)
    density.set_title(
        f"{count} buckets, equally likely under N(0, 1), and what stands for them", fontsize="small", loc="left"
    )
    masses.bar(np.arange(count), chances, color="#3949ab")
    masses.axhline(1 / count, color="#616161", lw=1, ls="--")
    masses.set_xlabel("bucket")
    masses.set_title(
        f"chances under N({mean:g}, {scale:g}²), and under the prior (dashed)", fontsize="small", loc="left"
    )
    return figure
