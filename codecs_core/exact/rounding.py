"""Rounding weights so that the outputs change little, rather than each weight."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: Of the mean square of an input, added to each: keeps a matrix of moments away from singular.
DAMPING = 1e-3


def round_weights(
    weight: NDArray[np.float64], moments: NDArray[np.float64], limit: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Round rows of weights, passing the error of each weight on to those that are not rounded yet.

    A weight after the other is rounded, and the others are moved to where they make up for it best on the inputs seen: optimal
    brain quantisation in a fixed order, Frantar et al. 2023 (GPTQ, arXiv 2210.17323), section 3. What is left in the mean goes to the bias.

    Parameters
    ----------
    weight
        Shape (R, K).
    moments
        Mean products of the inputs, and of the constant 1 as the last of them: shape (K + 1, K + 1).
    limit
        Largest magnitude of a rounded weight of each row, shape (R,).

    Returns
    -------
    rounded, bias
        Integers of shape (R, K); what to add to the bias, shape (R,).
    """
    rows, terms = weight.shape
    w = np.concatenate([weight, np.zeros((rows, 1))], 1)
    damped = moments + DAMPING * np.diag(moments).mean() * np.eye(terms + 1)
    # row j of this factor says how those after weight j make up for its error
    factor = np.linalg.cholesky(np.linalg.inv(damped)).T
    rounded = np.empty_like(weight)
    for j in range(terms):
        rounded[:, j] = np.floor(w[:, j] + 0.5).clip(-limit, limit)
        error = (w[:, j] - rounded[:, j]) / factor[j, j]
        w[:, j:] -= error[:, None] * factor[j, j:]
    return rounded, w[:, terms]
