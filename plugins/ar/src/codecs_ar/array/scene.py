"""What encoder and decoder see of an array: its numbers with margins around each slice, and where neighbours are."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from codecs_ar.array.grid import Grid


class Scene(NamedTuple):
    """An array as it is coded.

    `codes` and `values` have margins; a slice takes `area` of them, a row `stride`; the first value is at `start`. Regressors are at the
    offsets `own`; those with a zero in row `patterns[z]` of `masks` do not exist in slice z. Errors that tell the scale are at `near`, with
    weights in the same row of `near_weights`; they are kept of the last `recent` + 1 places. `spots` are W, N, NW, NE, WW, those whose
    codes count as second and third neighbours, and NN. Codes from `least` to `most` are usual, others are outliers.
    `levels` divide values into classes.
    """

    outer: int
    height: int
    width: int
    channels: int
    stride: int
    area: int
    start: int
    least: int
    most: int
    grid: Grid
    codes: NDArray[np.int64]
    values: NDArray[np.float64]
    patterns: NDArray[np.uint8]
    own: NDArray[np.int64]
    masks: NDArray[np.uint8]
    near: NDArray[np.int64]
    near_weights: NDArray[np.float64]
    recent: int
    spots: NDArray[np.int64]
    levels: NDArray[np.float64]


class Now(NamedTuple):
    """What is known of the value at hand.

    `v` is the vector of `squares`, `lanes` and `rows` are to work in; `states` are the least-squares states in use, `guesses` those of
    the experts; `parts` are weights, means and inverse scales of the mixture, one after the other, `few`
    those that matter; `reals` and `wholes` are named below.
    """

    v: NDArray[np.float64]
    lanes: NDArray[np.float64]
    rows: NDArray[np.float64]
    states: NDArray[np.int64]
    guesses: NDArray[np.float64]
    parts: NDArray[np.float64]
    few: NDArray[np.float64]
    reals: NDArray[np.float64]
    wholes: NDArray[np.int64]


#: Places in `Now.reals`: the centre of the distribution, the blend before its bias was taken off, their scale, the width of a cell, the
#: volatility, and the neighbour that differences are taken from.
CENTRE, BLEND, SCALE, CELL, VOLATILITY, BASE = range(6)
#: Places in `Now.wholes`: contexts of the bias, of the mixture, of decisions; components in `few`.
BIAS, MIX, TEXTURE, TREND, COUNT = range(5)
