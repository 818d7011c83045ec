"""The transform is orthonormal up to rounding, and the same integers everywhere."""

from __future__ import annotations

import numpy as np
import pytest
from codecs_rec.lossy.model import squeezed, unsqueezed
from codecs_rec.transform import MATRIX_BITS, Transform, cosines


def make_transform(h: int, w: int, c: int) -> Transform:
    q, _ = np.linalg.qr(np.arange(1.0, 1 + c * c).reshape(c, c) + 3 * np.eye(c))
    return Transform(cosines(h), cosines(w), np.rint(q * (1 << MATRIX_BITS)).astype(np.int64), np.arange(h * w * c))


@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 5, 1), (8, 4, 3), (32, 32, 3)])
def test_inverse(shape: tuple[int, int, int]) -> None:
    t = make_transform(*shape)
    assert t.shape == shape
    x = np.random.default_rng(0).integers(-2048, 2048, (3, *shape))
    y = t.forward(x)
    assert np.abs(t.inverse(y) - x).max() <= 16  # of units of 2^-4
    energy = float((y.astype(float) ** 2).sum() / (x.astype(float) ** 2).sum())
    assert abs(energy - 1) < 0.01


def test_places() -> None:
    whole = make_transform(4, 4, 1)
    some = Transform(whole.rows, whole.columns, whole.colours, np.array([0, 3, 7]))
    x = np.random.default_rng(1).integers(-2048, 2048, (2, 4, 4, 1))
    np.testing.assert_array_equal(some.forward(x), whole.forward(x)[:, [0, 3, 7]])
    y = np.zeros((2, 16), np.int64)
    y[:, [0, 3, 7]] = some.forward(x)
    np.testing.assert_array_equal(some.inverse(some.forward(x)), whole.inverse(y))


@pytest.mark.parametrize("side", [1, 2, 4])
def test_squares_of_pixels(side: int) -> None:
    x = np.arange(2 * 8 * 4 * 3).reshape(2, 8, 4, 3)
    y = squeezed(x, side)
    assert y.shape == (2, 8 // side, 4 // side, 3 * side * side)
    assert list(y[0, 0, 0, : side * side]) == list(x[0, :side, :side, 0].reshape(-1))
    np.testing.assert_array_equal(unsqueezed(y, side), x)
