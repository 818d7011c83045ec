"""Planes by the fast level: what a pass over each begins with, and images on a message."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from codecs_ar import kernels, neighbours
from codecs_ar.fast import kernel
from codecs_ar.fast.cells import CELL, LANES, MEMORIES
from codecs_ar.fast.kernel import BEYOND, CENTRE, PHASES, SCALES, SHAPES, SIGNS, Fit, Given, Records
from codecs_ar.fast.outlook import Outlook
from codecs_ar.fast.shares import PRECISION, SETS, STEP, SYMBOLS, WHOLE, Shares
from codecs_ar.neighbours import MARGIN, NEAR
from codecs_core.entropy import Message, table

Groups = Sequence[Sequence[Sequence[tuple[int, int]]]]

W, N, NW, NE, WW, NN, NNE = (0, -1), (-1, 0), (-1, -1), (-1, 1), (0, -2), (-2, 0), (-2, 1)
EAST, SOUTH, SE, SW = (0, 1), (1, 0), (1, 1), (1, -1)
#: Regressors by how many planes are seen before: in the own plane, in the one before, and in the one before that.
REGRESSORS: Groups = (
    (neighbours.OWN[0], [], []),
    ([N, NW, NE, WW, NN, NNE], [(0, 0), N, NW, NE, EAST, SOUTH, SW, SE], []),
    ([N, NW, NE, WW, NN], [(0, 0), N, NE, EAST, SOUTH, NW], [(0, 0), N, EAST, SOUTH]),
)
#: The same of errors that tell the scale.
ERRORS: Groups = (
    (neighbours.ERRORS[:10], [], []),
    ([W, N, NW, NE, WW, NN, NNE], [(0, 0), EAST, SOUTH, W, N, SE, SW], []),
    ([W, N, NW, NE, WW, NN], [(0, 0), EAST, SOUTH, W, N], [(0, 0), EAST, SOUTH]),
)
#: Which of them is told from the others, beside W and N.
OTHERS = (2, 7, 6)
#: How much what is a column, or a row, away counts for each predictor, as fractions of 256.
FADES = (215, 252)
#: Weights of the first errors in the scale to begin with, of others, and weights of the mixtures of contexts.
FIRST_SCALES, OTHER_SCALES, FIRST_WEIGHTS = (0.2, 0.2, 0.08, 0.08, 0.04, 0.04), 0.001, (0.4, 0.3, 0.3)
#: Uses of a row until it moves by no less.
USES = 160
#: 2^((2 i + 1) / 8) to four digits: scales within an octave.
QUARTERS = (1.0905, 1.2968, 1.5422, 1.834)
#: Records that a value may take.
RECORDS = 4


def push(message: Message, codes: NDArray[np.uint16], top: int) -> None:
    """Push planes of shape (planes, n, height, width), of values up to `top`: the last plane first, in each the last value first.

    The n images are coded as one, each below the one before it.
    """
    planes = codes.reshape(len(codes), -1, codes.shape[-1])
    x, e = _margins(planes.shape)
    x[:, MARGIN:-MARGIN, MARGIN:-MARGIN] = planes
    coded = []
    for plane in range(len(planes)):
        records = _records(RECORDS * planes[0].size)
        params = (*_beginning(x, e, plane, top, decoding=False), records)
        kernel.code(np.zeros(3, np.uint64), np.zeros(8, np.uint32), np.zeros(0, np.int32), 0, PRECISION, params)
        count = int(records.used[0])
        coded.append((records.starts[:count].copy(), records.freqs[:count].copy()))
    for starts, freqs in reversed(coded):
        message.push_symbols(kernels.push, starts, PRECISION, (freqs,), thin=True)


def pop(message: Message, shape: tuple[int, int, int, int], top: int) -> NDArray[np.uint16]:
    """Inverse of `push`."""
    count, n, height, width = shape
    x, e = _margins((count, n * height, width))
    planes = np.empty((count, n * height * width), np.int32)
    for plane, out in enumerate(planes):
        params = (*_beginning(x, e, plane, top, decoding=True), _records(0))
        message.pop_symbols(kernel.code, out, PRECISION, params, thin=True)
    return planes.astype(np.uint16).reshape(shape)


def _margins(shape: tuple[int, ...]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Room for the values and the errors of planes, with margins."""
    count, height, width = shape
    padded = count, height + 2 * MARGIN, width + 2 * MARGIN
    return np.zeros(padded, np.float32), np.zeros(padded, np.float32)


def _records(size: int) -> Records:
    return Records(np.empty(size, np.uint32), np.empty(size, np.uint32), np.zeros(1, np.int64))


def _beginning(
    x: NDArray[np.float32], e: NDArray[np.float32], plane: int, top: int, *, decoding: bool
) -> tuple[Given, Fit, Outlook, Shares]:
    """What a pass over a plane begins with."""
    _, rows, stride = x.shape
    area, role = rows * stride, min(plane, 2)
    height, width = rows - 2 * MARGIN, stride - 2 * MARGIN

    def at(places: Sequence[Sequence[tuple[int, int]]]) -> NDArray[np.int64]:
        return np.concatenate([neighbours.offsets(part, stride) - i * area for i, part in enumerate(places)])

    taps, around = at(REGRESSORS[role]), at(ERRORS[role])
    bases = at([[W] * len(part) for part in REGRESSORS[role]])
    given = Given(
        decoding,
        x.reshape(-1),
        e.reshape(-1),
        height,
        width,
        top,
        plane * area,
        taps,
        bases,
        at([NEAR]),
        around,
        OTHERS[role],
        _fades(),
        table("log2_mantissa"),
    )
    return given, _fit(taps.size, -(-width // CELL), area), _outlook(), _shares()


@cache
def _fades() -> NDArray[np.float32]:
    """Along a row, from cell to cell, of each predictor; then down."""
    along = []
    for fade in FADES:
        power = 1.0
        for _ in range(CELL):
            power *= fade / 256
        along.append(power)
    return np.array([*along, *(fade / 256 for fade in FADES)], np.float32)


def _fit(n: int, cells: int, area: int) -> Fit:
    size = n * LANES
    sizes = (
        MEMORIES * cells * size,
        MEMORIES * size,
        cells * size,
        MEMORIES * LANES,
        LANES,
        MEMORIES * area,
        size,
        LANES,
    )
    return Fit(cells, *(np.zeros(size, np.float32) for size in sizes))


def _outlook() -> Outlook:
    scales = np.full(LANES, OTHER_SCALES, np.float32)
    scales[: len(FIRST_SCALES)] = FIRST_SCALES
    return Outlook(np.zeros(LANES, np.float32), np.zeros(LANES, np.float32), scales, np.zeros(4 * LANES, np.float32))


def _shares() -> Shares:
    tables, rates = _first_tables(), _rates()
    weights = np.zeros((SCALES // 4, STEP), np.float32)
    weights[:, :SETS] = FIRST_WEIGHTS
    rows, whole, parts = np.zeros(SETS, np.int64), np.zeros(SETS, np.int32), np.zeros(STEP, np.float32)
    uses = np.zeros(len(tables), np.uint8)
    return Shares(tables.reshape(-1), uses, rates, weights.reshape(-1), rows, whole, parts, np.zeros(SYMBOLS, np.int32))


@cache
def _rates() -> NDArray[np.int32]:
    """In 256ths, the nearest integers to 1 / (uses + 17.6)."""
    return np.array([(2 * 2560 // (10 * use + 176) + 1) // 2 for use in range(USES + 1)], np.int32)


def _first_tables() -> NDArray[np.int32]:
    """Shares before anything was seen: geometric on both sides of the prediction, by the scale."""
    fine = [_cumulative(_sides(scale)) for scale in range(SCALES)]
    coarse = [fine[2 * i] for i in range(SCALES // 2)]
    beyond = _cumulative([0.5**i for i in range(SYMBOLS)])
    counts = (PHASES, fine), (SIGNS // len(coarse), coarse), (SHAPES // len(coarse), coarse), (BEYOND, [beyond])
    return np.concatenate([np.repeat(np.array(rows, np.int32), count, axis=0) for count, rows in counts])


def _sides(scale: int) -> list[float]:
    """What symbols weigh where the scale is 2^((scale - 16) / 4)."""
    octave, quarter = divmod(scale - 16, 4)
    size = QUARTERS[quarter] * 2.0**octave
    fade = size / (size + 2.0 ** max(octave - 1, 0))
    powers = [1.0]
    for _ in range(SYMBOLS):
        powers.append(powers[-1] * fade)
    return [powers[abs(symbol - CENTRE)] + 1 / 1024 for symbol in range(SYMBOLS)]


def _cumulative(weights: list[float]) -> list[int]:
    """Of each symbol the share of those below it, of 2^WHOLE."""
    total, below, found = 0.0, 0.0, []
    for weight in weights:
        total += weight
    for weight in weights:
        found.append(int(below / total * (1 << WHOLE)))
        below += weight
    return found
