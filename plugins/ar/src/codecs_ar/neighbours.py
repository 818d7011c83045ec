"""Which neighbours of a value are looked at. Planes are coded one after the other, so a later plane sees all of an earlier one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

#: Rows and columns around a plane, at least as many as the neighbours below reach.
MARGIN = 4

_W, _N, _NW, _NE = (0, -1), (-1, 0), (-1, -1), (-1, 1)
_NEAR = [_W, _N, _NW, _NE, (0, -2), (-2, 0)]

#: (row, column) of the neighbours in the same plane whose differences from the one to the left are regressors: of plane 0, of others.
OWN = (
    [_N, _NW, _NE, (0, -2), (-2, 0), (-2, 1), (-2, -1), (-1, -2), (-1, 2), (0, -3), (-3, 0), (-2, -2), (-2, 2)],
) + 2 * ([_N, _NW, _NE, (0, -2), (-2, 0), (-2, 1)],)
#: The same in the plane before, and in the one before that; differences are from its own value to the left.
BEFORE = [(0, 0), _N, _NW, _NE, (0, 1), (1, 0), (1, -1), (1, 1)]
EARLIER = [(0, 0), _N, _NE, (0, 1), (1, 0)]
#: Whose errors tell the scale of the next one, and their weights in sixteenths.
NEAR, WEIGHTS = _NEAR, (4, 4, 2, 2, 2, 2)
#: Whose errors, and whose differences from the prediction, the network sees.
ERRORS = [*_NEAR, (-2, 1), (-2, -1), (-1, -2), (-1, 2), (0, -3), (-3, 0)]
VALUES = [*_NEAR, (-2, 1), (-2, -1), (-1, -2), (-1, 2), (-2, -2), (-2, 2)]
#: Whose errors in the plane before, and in the one before that.
AROUND = [(0, 0), _W, (0, 1), _N, (1, 0), _NW, _NE, (1, -1), (1, 1), (0, -2), (0, 2), (-2, 0), (2, 0)]
CROSS = [(0, 0), _W, (0, 1), _N, (1, 0)]


def regressors(plane: int) -> int:
    """How many there are for a plane."""
    return len(OWN[plane]) + (len(BEFORE) if plane > 0 else 0) + (len(EARLIER) if plane > 1 else 0)


def features(plane: int) -> int:
    """Inputs of the network of a plane."""
    return len(ERRORS) + len(VALUES) + 12 + (len(AROUND) + 2 if plane > 0 else 0) + (len(CROSS) + 1 if plane > 1 else 0)


def offsets(places: Sequence[tuple[int, int]], stride: int) -> NDArray[np.int64]:
    """Where they are from a value on, in a plane with rows of `stride` values."""
    return np.array([row * stride + column for row, column in places], np.int64)
