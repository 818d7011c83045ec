"""Which neighbours the wide description looks at: the nearest ones, wherever values are known."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from codecs_ar import neighbours
from codecs_ar.neighbours import MARGIN
from codecs_ar.workspace import Places

_W = (0, -1)


def _nearest(reach: int, *, past: bool) -> list[tuple[int, int]]:
    """Places within `reach` rows and columns by their distance, those alike from above and from the left.

    Only those that are past, or all, with the place itself.
    """
    every = [(r, c) for r in range(-reach, reach + 1) for c in range(-reach, reach + 1)]
    return sorted((p for p in every if not past or p < (0, 0)), key=lambda p: (p[0] ** 2 + p[1] ** 2, p))


#: Places of the same plane, and of planes before it.
PAST, AROUND = _nearest(MARGIN, past=True), _nearest(2, past=False)
#: The same without the value to the left, from which differences are taken.
_STEPS, _STEPS_AROUND = ([p for p in places if p != _W] for places in (PAST, AROUND))
#: Regressors by how many planes are seen: of the same plane, the one before, and the one before that.
OWN, BEFORE, EARLIER = (_STEPS[:31], _STEPS[:19], _STEPS[:19]), _STEPS_AROUND[:12], _STEPS_AROUND[:8]
#: Whose errors and values the network sees; whose errors, and values, in the plane before, and in the one before that.
ERRORS, VALUES = PAST[:20], PAST[:36]
MISSES, CROSS, BESIDE, BEYOND = AROUND[:13], AROUND[:13], AROUND[1:13], AROUND[1:9]
#: Predictions, and features of no place: four of values, eight of scales and places, and one of each prediction and of each kind of phase.
PREDICTIONS, PHASES = 4, 2


def regressors(plane: int) -> int:
    """How many there are for a plane."""
    return len(OWN[plane]) + (len(BEFORE) if plane > 0 else 0) + (len(EARLIER) if plane > 1 else 0)


def features(plane: int) -> int:
    """Inputs of the network of a plane."""
    alone = len(ERRORS) + len(VALUES) + 2 * PREDICTIONS + 10 + PHASES
    seen = (1 + len(BESIDE) + len(MISSES) + 1) if plane > 0 else 0
    return alone + seen + ((len(BEYOND) + len(CROSS) + 1) if plane > 1 else 0)


class WidePlaces(NamedTuple):
    """Offsets: `places`, as of the other description, and those of values in the plane before, and in the one before that."""

    places: Places
    beside: NDArray[np.int64]
    beyond: NDArray[np.int64]


def wide_places(role: int, stride: int) -> WidePlaces:
    """Neighbours of the values of a plane that sees `role` planes before it."""

    def at(where: list[tuple[int, int]], least: int = 0) -> NDArray[np.int64]:
        return neighbours.offsets(where if role >= least else [], stride)

    places = Places(
        at(OWN[role]),
        at(BEFORE, 1),
        at(EARLIER, 2),
        at(neighbours.NEAR),
        np.array(neighbours.WEIGHTS, np.float32) / np.float32(16),
        at(ERRORS),
        at(VALUES),
        at(MISSES, 1),
        at(CROSS, 2),
    )
    return WidePlaces(places, at(BESIDE, 1), at(BEYOND, 2))
