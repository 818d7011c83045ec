"""Predictors of eight images at once are those of one image after the other, to the bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from codecs_ar import neighbours, regression
from codecs_ar.stack import regression as together
from codecs_ar.stack.fitting import Desk, Group
from codecs_ar.stack.regression import IMAGES
from codecs_ar.workspace import Fit

from codecs_core.jit import kernel

RATES, COLUMNS, SPOILT = (np.float32(184 / 256), np.float32(243 / 256)), 4, 5


@kernel
def _alone(prior: Any, fit: Any, n: Any, rates: Any, said: Any) -> None:
    wide, terms = regression.LANES * (n // regression.LANES + 1), prior.size
    columns = fit.trust.size
    for column in range(columns):
        for which in range(2):
            regression.solve(prior, fit, (which * columns + column) * terms, which * terms, n, which * wide)
            said[column, which] = regression.predict(fit, which * wide, column * wide, n)
        regression.forward(fit, column * wide, n, fit.trust[column], column * terms, rates)
    fit.run[:] = np.float32(0)
    for column in range(columns - 1, 0, -1):
        regression.backward(fit, column * wide, n, fit.trust[column], (column - 1) * terms, rates)


@kernel
def _together(prior: Any, group: Any, desk: Any, n: Any, rates: Any, said: Any) -> None:
    wide, half = IMAGES * regression.LANES * (n // regression.LANES + 1), group.run.size // 2
    for column in range(group.trust.size // IMAGES):
        for which in range(2):
            together.solve(prior, group, (2 * column + which) * half, which * half, n, which * wide)
            together.predict(group, which * wide, column * wide, wide // IMAGES, desk.predictions, 0)
            for k in range(IMAGES):
                said[k, column, which] = desk.predictions[k]
        together.forward(group, column * wide, n, IMAGES * column, 2 * column * half, rates)
    group.run[:] = np.float32(0)
    for column in range(group.trust.size // IMAGES - 1, 0, -1):
        together.backward(group, column * wide, n, IMAGES * column, 2 * (column - 1) * half, rates)


@pytest.mark.parametrize("plane", range(3))
@pytest.mark.parametrize("rows", [1, 6])
def test_images_side_by_side(plane: int, rows: int) -> None:
    """Also where the matrix of an image, number `SPOILT`, is not positive definite, so that its weights stay."""
    n, rng = neighbours.regressors(plane), np.random.default_rng(plane)
    a = rng.normal(size=(n, 3 * n))
    lower = (a @ a.T)[np.tril_indices(n)]
    prior = np.concatenate([lower, rng.normal(size=n)])
    group = Group._make(x[0] for x in Group.empty(1, n, 1, COLUMNS))
    fits = [Fit.empty(n, 1, COLUMNS) for _ in range(IMAGES)]
    wide, terms = regression.width(n), regression.terms(n)
    desk, said = Desk.empty(0, 0, n), np.zeros((IMAGES, COLUMNS, 2), np.float32)
    for row in range(rows):
        vectors = np.zeros((IMAGES, COLUMNS, wide), np.float32)
        vectors[..., : n + 1] = 20 * rng.normal(size=(IMAGES, COLUMNS, n + 1))
        trust = rng.random((IMAGES, COLUMNS), np.float32)
        trust[SPOILT] *= -1 if row else 1
        alone = np.zeros_like(said)
        for fit, vector, trusted, saying in zip(fits, vectors, trust, alone, strict=True):
            fit.vectors[:], fit.trust[:], fit.run[:] = vector.reshape(-1), trusted, 0
            _alone(regression.packed(prior, n), fit, n, RATES, saying)
        group.vectors[:], group.trust[:] = (np.moveaxis(x, 0, -1).reshape(-1) for x in (vectors, trust))
        group.run[:] = 0
        _together(together.packed(prior, n), group, desk, n, RATES, said)
        np.testing.assert_array_equal(said, alone)
    assert np.abs(said).min() > 0
    kept = np.concatenate(
        [np.arange(regression.terms(i - 1), regression.terms(i - 1) + i + 1) for i in range(1, n + 1)]
    )
    for name, shape in (("above", (2, COLUMNS, terms)), ("run", (2, terms))):
        ours = getattr(group, name).reshape(COLUMNS if name == "above" else 1, 2, -1, IMAGES)
        theirs = np.stack([getattr(fit, name).reshape(shape)[..., kept] for fit in fits], -1)
        theirs = theirs.swapaxes(0, 1) if name == "above" else theirs[None]
        np.testing.assert_array_equal(ours, theirs)
