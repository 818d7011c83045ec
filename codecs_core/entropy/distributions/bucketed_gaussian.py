"""A Gaussian over buckets to which a standard normal prior gives equal mass: the posterior of BB-ANS."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from codecs_core.entropy.distribution import Distribution, common_shape, flat
from codecs_core.entropy.fixed import QFormat
from codecs_core.entropy.kernels import from_cdf
from codecs_core.entropy.message import check_precision
from codecs_core.entropy.tables import table
from codecs_core.errors import EntropyError
from codecs_core.jit import inline

#: Fractional bits of the mean, and of the log-scale (to base 2).
MEAN_BITS, SCALE_BITS = 12, 6
MEAN_LIMIT = 16 << MEAN_BITS
SCALE_RANGE = (-10 << SCALE_BITS, 2 << SCALE_BITS)


@inline
def _cdf(k, i, params):
    buckets, edges, mean, log_scale, prior_mean, prior_log_scale, normal, exp2, precision = params
    if k == 0:
        return np.uint64(0)
    if k == buckets:
        return np.uint64(1) << precision
    # all in units of 2^-24; 2^(s/64) is 2^octave * 2^(rest/64), and exp2[64 - rest] = 2^15 * 2^(rest/64)
    octave, rest = prior_log_scale[i] >> 6, prior_log_scale[i] & 63
    edge = ((edges[k] * exp2[64 - rest]) >> (15 - octave)) + (prior_mean[i] << 12)
    octave, rest = (-log_scale[i]) >> 6, (-log_scale[i]) & 63
    z = ((edge - (mean[i] << 12)) * exp2[64 - rest]) >> (15 - octave)
    z = min(max(z + (8 << 24), 0), (16 << 24) - 1)
    j, part = z >> 16, z & 0xFFFF
    below = normal[j] + (((normal[j + 1] - normal[j]) * part) >> 16)
    return ((np.uint64(below) * ((np.uint64(1) << precision) - np.uint64(buckets))) >> np.uint64(32)) + np.uint64(k)


class BucketedGaussian(Distribution):
    """N(mean, scale^2) over 2^bucket_bits buckets that are equally likely under a prior N(prior_mean, prior_scale^2).

    With the standard normal prior it is the posterior of BB-ANS (Townsend et al. 2019, appendix B), with a prior that a network
    computes that of HiLLoC (Townsend et al. 2020, section 3.1, dynamic discretisation).

    Parameters
    ----------
    mean
        In units of 2^-12, from -16 to 16.
    log_scale
        Logarithm to base 2 of the standard deviation, in units of 1/64, from -10 to 2.
    bucket_bits
        At most 12. Under the prior itself a bucket is ``Uniform(2**bucket_bits)``.
    prior_mean, prior_log_scale
        Of the prior, in the units of `mean` and `log_scale`.
    precision
        Bits, at most 28.
    shape
        Of the arrays that are pushed and popped; by default what the parameters broadcast to.

    See Also
    --------
    centres : the value that stands for a bucket.
    """

    #: Formats of the parameters, and of `centres`.
    MEAN = QFormat(bits=MEAN_BITS, low=-MEAN_LIMIT, high=MEAN_LIMIT)
    LOG_SCALE = QFormat(bits=SCALE_BITS, low=SCALE_RANGE[0], high=SCALE_RANGE[1])
    CENTRE = QFormat(bits=24, low=-(1 << 28), high=1 << 28)
    _kernels = from_cdf(_cdf)

    def __init__(
        self,
        mean: ArrayLike,
        log_scale: ArrayLike,
        *,
        bucket_bits: int = 8,
        precision: int = 26,
        prior_mean: ArrayLike = 0,
        prior_log_scale: ArrayLike = 0,
        shape: int | tuple[int, ...] | None = None,
    ) -> None:
        if not 1 <= bucket_bits <= 12:
            raise EntropyError(f"bucket_bits is 1 to 12, not {bucket_bits!r}")
        self.symbols = 1 << bucket_bits
        self.precision = check_precision(precision, self.symbols)
        m = self.MEAN.check(mean, "mean")
        s = self.LOG_SCALE.check(log_scale, "log_scale")
        pm = self.MEAN.check(prior_mean, "prior_mean")
        ps = self.LOG_SCALE.check(prior_log_scale, "prior_log_scale")
        self.shape = common_shape(shape, m, s, pm, ps)
        self._params = (
            np.int64(self.symbols),
            table("normal_edges")[:: 4096 >> bucket_bits],
            flat(m, self.shape),
            flat(s, self.shape),
            flat(pm, self.shape),
            flat(ps, self.shape),
            table("normal_cdf"),
            table("exp2_negative"),
            np.uint64(precision),
        )


def centres(bucket_bits: int) -> NDArray[np.int64]:
    """Medians of the buckets under the prior, in units of 2^-24: shape (2^bucket_bits,)."""
    # the centre of one coarse bucket is the edge between the middle fine ones
    if bucket_bits == 12:
        return table("normal_centres")
    step = 4096 >> bucket_bits
    return table("normal_edges")[step // 2 :: step]
