"""The beta-binomial distribution, from its parameters by nothing but multiplication and division."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from codecs_core.entropy.distribution import common_shape, flat, integers
from codecs_core.entropy.distributions.categorical import Categorical
from codecs_core.entropy.message import check_precision
from codecs_core.jit import kernel

#: One in the fixed-point format of alpha and beta.
ONE = 1 << 16


@kernel
def _tables(alphas, betas, n, precision, counts):
    """Counts of each row by the ratio of neighbours, p(k + 1) / p(k) = (n - k)(alpha + k) / ((k + 1)(beta + n - k - 1))."""
    w = np.empty(n + 1)
    scale = np.float64((1 << precision) - (n + 1))
    for row in range(alphas.size):
        alpha, beta = alphas[row] / 65536.0, betas[row] / 65536.0
        w[0] = 1.0
        for k in range(n):
            w[k + 1] = w[k] * (((n - k) * (alpha + k)) / ((k + 1) * (beta + (n - k - 1))))
            if w[k + 1] > 1e200:  # keep clear of overflow, and of subnormals, which a machine may flush
                for j in range(k + 2):
                    w[j] = w[j] * 2.0**-600 if w[j] > 1e-100 else 0.0
            elif w[k + 1] < 1e-280:
                w[k + 1] = 0.0
        total = 0.0
        for k in range(n + 1):
            total += w[k]
        below, start = 0.0, np.int64(0)
        for k in range(n + 1):
            below += w[k]
            stop = np.int64(np.floor(min(below / total, 1.0) * scale)) + k + 1
            if k == n:
                stop = np.int64(1) << precision
            counts[row, k] = stop - start
            start = stop


class BetaBinomial(Categorical):
    """Binomial over 0 to `n` with a beta-distributed probability: the likelihood of BB-ANS (Townsend et al. 2019) for grey values.

    Parameters
    ----------
    n
        The largest symbol, up to 65535.
    alpha, beta
        In units of 2^-16, from 1 to 2^40; they broadcast.
    precision
        Bits, at most 28.

    Notes
    -----
    The counts are computed in IEEE double precision by ``+ - * /`` in a fixed order, hence alike everywhere.
    """

    def __init__(
        self,
        n: int,
        alpha: ArrayLike,
        beta: ArrayLike,
        *,
        precision: int = 20,
        shape: int | tuple[int, ...] | None = None,
    ) -> None:
        check_precision(precision, n + 1)
        a, b = integers(alpha, "alpha", 1, 1 << 40), integers(beta, "beta", 1, 1 << 40)
        shape = common_shape(shape, a, b)
        pairs, index = np.unique(np.stack([flat(a, shape), flat(b, shape)]), axis=1, return_inverse=True)
        counts = np.empty((pairs.shape[1], n + 1), np.int64)
        _tables(pairs[0].copy(), pairs[1].copy(), n, precision, counts)
        if not counts.size:
            counts = np.array([[1 << precision] + [0] * n])
        super().__init__(counts, index=index.reshape(shape), precision=precision)
