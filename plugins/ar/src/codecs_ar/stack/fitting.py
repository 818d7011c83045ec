"""The compiled part of models with predictors: a value as the predictors of `ar.image` see it, and a window around it.

Each image has predictors of its own, which are fitted to it as it is coded. Eight images form a group, whose numbers lie side by side in
vectors (`regression`). A decoder looks at one place in all groups, then at the next. Where images are known, one group after the other
is quicker. Both give the same numbers, since images share nothing.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from codecs_ar.features import describe, scaled
from codecs_ar.margins import begin, extend, spread_down, spread_up
from codecs_ar.neighbours import MARGIN
from codecs_ar.prediction import blend, fade_left, fade_right, note, regressors, within
from codecs_ar.regression import LANES, width
from codecs_ar.stack.regression import IMAGES, backward, forward, predict, solve, terms
from codecs_ar.workspace import Bias, Places, Predictors
from codecs_core.jit import borrowing, kernel

_0, _32, _256 = np.array([0, 32, 256], np.float32)
#: Numbers that are told of a value: what is expected, the scale, both predictions, and the logarithm of the scale in units of 1/64.
TOLD = 5


class Scenery(NamedTuple):
    """What is seen: a plane of images and those before it.

    `size` is (planes before it, images, height, width, largest value); `x` are these planes and itself with their margins, and `e` the
    errors of what was expected, both flat; `window` are places around a value, first those in its own plane, then those in the plane
    before, and so on; `cuts` says where each plane's begin.
    """

    size: tuple[int, int, int, int, int]
    x: NDArray[np.float32]
    e: NDArray[np.float32]
    places: Places
    prior: NDArray[np.float32]
    predictors: Predictors
    mantissas: NDArray[np.int64]
    window: NDArray[np.int64]
    cuts: NDArray[np.int64]


class Group(NamedTuple):
    """Both predictors of each of `IMAGES` images at work, or, with one more axis in front, of several groups.

    The first of these arrays have numbers of the images side by side: of each column the sums that it hands down, first those of the
    short predictor; sums along the row; weights; of each column what is predicted and its regressors, and how much it is trusted; and
    room to solve in. The others have an axis for the images: absolute errors of both predictors, shape (IMAGES, 2 * area); errors of the
    blended prediction in the row; and the sums of `workspace.Bias`.
    """

    above: NDArray[np.float32]
    run: NDArray[np.float32]
    weights: NDArray[np.float32]
    vectors: NDArray[np.float32]
    trust: NDArray[np.float32]
    rows: NDArray[np.float32]
    inverses: NDArray[np.float32]
    misses: NDArray[np.float32]
    errors: NDArray[np.float32]
    biases_above: NDArray[np.float32]
    biases_run: NDArray[np.float32]

    @classmethod
    def empty(cls, groups: int, n: int, height: int, columns: int) -> Group:
        """For n regressors of the values of images of this size."""
        sums, wide, area = terms(n), width(n), (height + 2 * MARGIN) * (columns + 2 * MARGIN)
        together = (2 * columns * sums, 2 * sums, 2 * wide, columns * wide, columns, sums, n + 2)
        alone: tuple[tuple[int, ...], ...] = (2 * area,), (columns,), (columns, 3), (3,)
        shapes = *((IMAGES * size,) for size in together), *((IMAGES, *shape) for shape in alone)
        return cls(*(np.zeros((groups, *shape), np.float32) for shape in shapes))


class Desk(NamedTuple):
    """To work in: a row of features and what they are made of, as `features.describe` takes them; sums around a value;
    regressors and predictions.
    """

    row: NDArray[np.float32]
    found: NDArray[np.float32]
    past: NDArray[np.float32]
    vector: NDArray[np.float32]
    predictions: NDArray[np.float32]

    @classmethod
    def empty(cls, described: int, window: int, n: int) -> Desk:
        """For this number of features of `features.describe` and of places in the window, and n regressors."""
        # features are written eight at a time
        sizes = described + window + 8, max(40, window + 8), 3, width(n), 2 * LANES * IMAGES
        return cls(*(np.zeros(size, np.float32) for size in sizes))


@borrowing
def where_is(scenery, image, y):
    """Where the planes of an image and its row begin, with their margins, and how far apart rows and planes are."""
    plane, images, height, width, _ = scenery.size
    stride = width + 2 * MARGIN
    area = (height + 2 * MARGIN) * stride
    first = (plane * images + image) * area
    return first, first + (y + MARGIN) * stride, stride, images * area


@borrowing
def clear(scenery, group, image, count, y):
    """Begin images, or a row."""
    if y == 0:
        plane, top = scenery.size[0], scenery.size[4]
        group.above[:] = _0
        group.weights[:] = _0
        group.misses[:] = _0
        group.biases_above[:] = _0
        for k in range(count):
            first, _, stride, back = where_is(scenery, image + k, y)
            begin(scenery.x, scenery.e, first, plane, back, stride, np.float32((top + 1) // 2), np.float32(top))
    group.run[:] = _0
    group.biases_run[:] = _0


@borrowing
def see(scenery, desk, at, back, f, centre, rate):
    """Go on writing a row of features: the window, in its own plane less what is expected, in those before it less their value here."""
    found, x, k = desk.found, scenery.x, 0
    for q in range(scenery.cuts.size - 1):
        there = at - q * back
        middle = centre if q == 0 else x[np.uint64(there)]
        for i in range(scenery.cuts[q], scenery.cuts[q + 1]):
            found[k] = x[np.uint64(there + scenery.window[i])] - middle
            k += 1
    scaled(desk.row, f, k, found, rate)


@borrowing
def predict_all(scenery, group, desk, image, count, y, column):
    """Write what both predictors of each image expect of a value, less the value to the left, into `desk.predictions`."""
    places = scenery.places
    n = places.own.size + places.before.size + places.earlier.size
    wide, half = LANES * (n // LANES + 1), group.run.size // 2
    v = IMAGES * wide * column
    for k in range(count):
        _, start, _, back = where_is(scenery, image + k, y)
        regressors(desk.vector, 0, scenery.x, start + MARGIN + column, back, places)
        for j in range(n + 1):
            group.vectors[np.uint64(v + IMAGES * j + k)] = desk.vector[np.uint64(j)]
    for which in range(2):
        period = scenery.predictors.long_period if which else scenery.predictors.short_period
        weights, sums = which * IMAGES * wide, which * half
        if column % period == 0:
            solve(scenery.prior, group, column * group.run.size + sums, sums, n, weights)
        predict(group, weights, v, wide, desk.predictions, which * LANES * IMAGES)


@borrowing
def describe_one(scenery, group, desk, image, k, y, column, described, row, told):
    """Write the features of a value of image `k` of a group, which is `image`, into `row`; the first are those of `features.describe`."""
    first, start, stride, back = where_is(scenery, image, y)
    x, e, places, limit = scenery.x, scenery.e, scenery.places, np.float32(scenery.size[4])
    at = start + MARGIN + column
    by_short = within(x[at - 1] + desk.predictions[k], limit)
    by_long = within(x[at - 1] + desk.predictions[LANES * IMAGES + k], limit)
    guess = blend(group.misses[k], e, at, at - first, places, by_short, by_long)
    for j in range(3):
        desk.past[j] = group.biases_above[k, column, j] + group.biases_run[k, j]
    where = at, back, stride, (y, column)
    log_scale = describe(desk, x, e, where, places, guess, desk.past, limit, scenery.mantissas)
    see(scenery, desk, at, back, described, guess[0], _32 / guess[1])
    for j in range(row.size):
        row[j] = np.int8(desk.row[j])
    told[0], told[1], told[2], told[3], told[4] = guess[0], guess[1], guess[2], guess[3], np.float32(log_scale)


@borrowing
def look_at(scenery, group, desk, image, count, y, column, described, rows, told, first, apart):
    """Predict a value of `count` images from `image` on, and write their features into every `apart`-th row from `first` on."""
    if column == 0:
        clear(scenery, group, image, count, y)
    predict_all(scenery, group, desk, image, count, y, column)
    for k in range(count):
        row = first + k * apart
        describe_one(scenery, group, desk, image + k, k, y, column, described, rows[row], told[row])


@borrowing
def learn_from(scenery, group, desk, image, count, y, column, told, first, apart):
    """Learn from a value of `count` images from `image` on, which is known now."""
    x, e, places = scenery.x, scenery.e, scenery.places
    plane, _, height, columns, _ = scenery.size
    n = places.own.size + places.before.size + places.earlier.size
    wide, rates = LANES * (n // LANES + 1), (scenery.predictors.short, scenery.predictors.long)
    v = IMAGES * wide * column
    for k in range(count):
        corner, start, stride, back = where_is(scenery, image + k, y)
        at, row = start + MARGIN + column, first + k * apart
        guess = told[row, 0], told[row, 1], told[row, 2], told[row, 3]
        trust, difference = note(group.errors[k], group.misses[k], x, e, at, at - corner, column, guess)
        group.trust[IMAGES * column + k], group.vectors[v + k] = trust, difference
        fade_right(Bias(group.biases_above[k], group.biases_run[k], desk.past), column, group.errors[k, column])
        if y == 0:
            spread_up(x, e, at, plane, back, stride)
        if column == columns - 1:
            extend(x, e, start, columns)
            if y == height - 1:
                spread_down(x, e, start, stride)
    forward(group, v, n, IMAGES * column, column * group.run.size, rates)
    if column == columns - 1:
        hand_down(group, desk, count, n, wide, columns, rates)


@borrowing
def hand_down(group, desk, count, n, wide, columns, rates):
    """Once a row is done, hand on to each column what is to the right of it."""
    group.run[:] = _0
    group.biases_run[:] = _0
    for column in range(columns - 1, 0, -1):
        backward(group, IMAGES * wide * column, n, IMAGES * column, (column - 1) * group.run.size, rates)
        for k in range(count):
            fade_left(Bias(group.biases_above[k], group.biases_run[k], desk.past), column, group.errors[k, column])


@borrowing
def write(scenery, image, count, place, values):
    """Note the values of `count` images from `image` on at a place."""
    y, column = place // scenery.size[3], place % scenery.size[3]
    for k in range(count):
        scenery.x[where_is(scenery, image + k, y)[1] + MARGIN + column] = np.float32(values[image + k])


@borrowing
def step(scenery, groups, desk, number, image, count, place, described, rows, told, first, apart, back):
    """Learn from the values at the place before, if any, and look at those at this place, unless it is behind the last one.

    By the predictors of group `number`, of `count` images from `image` on. What is found goes into every `apart`-th row from `first` on;
    what was found at the place before is `back` rows above.
    """
    # references to what is taken out of arrays are not counted here, as they would be in a kernel
    group = Group(
        groups.above[number],
        groups.run[number],
        groups.weights[number],
        groups.vectors[number],
        groups.trust[number],
        groups.rows[number],
        groups.inverses[number],
        groups.misses[number],
        groups.errors[number],
        groups.biases_above[number],
        groups.biases_run[number],
    )
    _, _, height, columns, _ = scenery.size
    if place > 0:
        y, column = (place - 1) // columns, (place - 1) % columns
        learn_from(scenery, group, desk, image, count, y, column, told, first - back, apart)
    if place < height * columns:
        y, column = place // columns, place % columns
        look_at(scenery, group, desk, image, count, y, column, described, rows, told, first, apart)


@kernel
def go_on(scenery, groups, desk, place, described, values, rows, told):
    """Learn from the values of all images at the place before, if any, and look at those at this place, unless it is behind the last one.

    Places are numbered row by row; `rows` are of shape (images, features), `told` of shape (images, TOLD).
    """
    for number in range(groups.run.shape[0]):
        image = number * IMAGES
        count = min(IMAGES, scenery.size[1] - image)
        if place > 0:
            write(scenery, image, count, place - 1, values)
        step(scenery, groups, desk, number, image, count, place, described, rows, told, image, 1, 0)


@kernel
def follow(scenery, groups, desk, first, last, described, rows, told):
    """Look at all values of the images from `first` to before `last`, which are known; predictors are those of the first group.

    Rows are those of one image after the other.
    """
    _, _, height, columns, _ = scenery.size
    area = height * columns
    for image in range(first, last, IMAGES):
        count = min(IMAGES, last - image)
        for place in range(area + 1):
            row = (image - first) * area + place
            step(scenery, groups, desk, 0, image, count, place, described, rows, told, row, area, 1)


@kernel
def mix(outputs, told, low, high, logits, means, log_scales):
    """The parameters of mixtures, shape (values, components): means and log-scales around what was told of each value.

    `outputs` of shape (values, 3 * components); log-scales are kept from `low` to `high`.
    """
    components = logits.shape[1]
    for i in range(logits.shape[0]):
        centre, log_scale = np.int64(_256 * told[i, 0]), np.int64(told[i, 4])
        # a product of an integer of 12 bits and a multiple of 2^-6 below 2^11 is exact
        scale = 4.0 * np.float64(told[i, 1])
        for k in range(components):
            logits[i, k] = outputs[i, k]
            means[i, k] = centre + np.int64(np.floor(np.float64(outputs[i, components + k]) * scale))
            log_scales[i, k] = min(max(log_scale + np.int64(outputs[i, 2 * components + k]), low), high)
