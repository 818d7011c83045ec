"""The compiled part of models with predictors: a value as the predictors of `ar.image` see it, and a window around it.

Each image has predictors of its own, which are fitted to it as it is coded. A place is looked at, coded and taken in for all images
at once; where images are known, one image after the other is quicker. Both give the same numbers, since images share nothing.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from codecs_ar.features import describe, scaled
from codecs_ar.kernels import begin, blend, extend, hand_down, regressors, spread_down, spread_up, take_in, within
from codecs_ar.neighbours import MARGIN
from codecs_ar.regression import LANES, predict, solve
from codecs_ar.workspace import Bias, Fit, Places, Predictors
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


class Desk(NamedTuple):
    """To work in: a row of features and what they are made of, as `features.describe` takes them; how much was seen around a value."""

    row: NDArray[np.float32]
    found: NDArray[np.float32]
    past: NDArray[np.float32]


@borrowing
def where_is(scenery, image, y):
    """Where the planes of an image and its row begin, with their margins, and how far apart rows and planes are."""
    plane, images, height, width, _ = scenery.size
    stride = width + 2 * MARGIN
    area = (height + 2 * MARGIN) * stride
    first = (plane * images + image) * area
    return first, first + (y + MARGIN) * stride, stride, images * area


@borrowing
def clear(scenery, fit, bias, first, stride, back, y):
    """Begin an image, or a row."""
    if y == 0:
        plane, top = scenery.size[0], scenery.size[4]
        fit.above[:] = _0
        fit.weights[:] = _0
        fit.misses[:] = _0
        bias.above[:] = _0
        begin(scenery.x, scenery.e, first, plane, back, stride, np.float32((top + 1) // 2), np.float32(top))
    fit.run[:] = _0
    bias.run[:] = _0


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
def look_at(scenery, fit, bias, desk, image, y, column, described, row, told):
    """Predict a value of an image, and write its features into `row`; the first `described` are those of `features.describe`."""
    first, start, stride, back = where_is(scenery, image, y)
    if column == 0:
        clear(scenery, fit, bias, first, stride, back, y)
    x, e, places = scenery.x, scenery.e, scenery.places
    width, limit = scenery.size[3], np.float32(scenery.size[4])
    n, terms = places.own.size + places.before.size + places.earlier.size, scenery.prior.size
    wide = LANES * (n // LANES + 1)
    at = start + MARGIN + column
    v = column * wide
    regressors(fit, v, x, at, back, places)
    by_short = by_long = _0
    for which in range(2):
        period = scenery.predictors.long_period if which else scenery.predictors.short_period
        if column % period == 0:
            solve(scenery.prior, fit, (which * width + column) * terms, which * terms, n, which * wide)
        by_short, by_long = by_long, within(x[at - 1] + predict(fit, which * wide, v, n), limit)
    guess = blend(fit, e, at, at - first, places, by_short, by_long)
    for k in range(3):
        desk.past[k] = bias.above[column, k] + bias.run[k]
    where = at, back, stride, (y, column)
    log_scale = describe(desk, x, e, where, places, guess, desk.past, limit, scenery.mantissas)
    see(scenery, desk, at, back, described, guess[0], _32 / guess[1])
    for k in range(row.size):
        row[k] = np.int8(desk.row[k])
    told[0], told[1], told[2], told[3], told[4] = guess[0], guess[1], guess[2], guess[3], np.float32(log_scale)


@borrowing
def learn_from(scenery, fit, bias, image, y, column, told):
    """Learn from a value of an image, which is known now."""
    first, start, stride, back = where_is(scenery, image, y)
    x, e, places = scenery.x, scenery.e, scenery.places
    plane, _, height, width, _ = scenery.size
    n = places.own.size + places.before.size + places.earlier.size
    wide, rates = LANES * (n // LANES + 1), (scenery.predictors.short, scenery.predictors.long)
    at = start + MARGIN + column
    guess = told[0], told[1], told[2], told[3]
    take_in(fit, bias, x, e, at, at - first, column * wide, n, column, guess, rates)
    if y == 0:
        spread_up(x, e, at, plane, back, stride)
    if column == width - 1:
        hand_down(fit, bias, n, wide, width, rates)
        extend(x, e, start, width)
        if y == height - 1:
            spread_down(x, e, start, stride)


@borrowing
def go_on_in(scenery, fits, biases, desk, i, place, described, values, rows, told):
    """`go_on` in an image."""
    # references to what is taken out of arrays are not counted here, as they would be in a kernel
    own = fits.above[i], fits.run[i], fits.weights[i], fits.misses[i], fits.vectors[i], fits.trust[i], fits.errors[i]
    fit, bias = Fit(*own, fits.rows, fits.inverses), Bias(biases.above[i], biases.run[i], biases.past)
    height, width = scenery.size[2], scenery.size[3]
    if place > 0:
        y, column = (place - 1) // width, (place - 1) % width
        scenery.x[where_is(scenery, i, y)[1] + MARGIN + column] = np.float32(values[i])
        learn_from(scenery, fit, bias, i, y, column, told[i])
    if place < height * width:
        look_at(scenery, fit, bias, desk, i, place // width, place % width, described, rows[i], told[i])


@borrowing
def pass_by(scenery, fits, biases, desk, image, y, column, described, rows, told, k):
    """Predict and describe a value that is known, as number `k`, and learn from it; predictors are those of image 0."""
    own = fits.above[0], fits.run[0], fits.weights[0], fits.misses[0], fits.vectors[0], fits.trust[0], fits.errors[0]
    fit, bias = Fit(*own, fits.rows, fits.inverses), Bias(biases.above[0], biases.run[0], biases.past)
    look_at(scenery, fit, bias, desk, image, y, column, described, rows[k], told[k])
    learn_from(scenery, fit, bias, image, y, column, told[k])


@kernel
def go_on(scenery, fits, biases, desk, place, described, values, rows, told):
    """Learn from the values of all images at the place before, if any, and look at those at this place, unless it is behind the last one.

    Places are numbered row by row; `rows` are of shape (images, features), `told` of shape (images, TOLD).
    """
    for i in range(scenery.size[1]):
        go_on_in(scenery, fits, biases, desk, i, place, described, values, rows, told)


@kernel
def follow(scenery, fits, biases, desk, first, last, described, rows, told):
    """Look at all values of the images from `first` to before `last`, which are known; predictors are those of image 0."""
    _, _, height, width, _ = scenery.size
    for image in range(first, last):
        for y in range(height):
            for column in range(width):
                k = ((image - first) * height + y) * width + column
                pass_by(scenery, fits, biases, desk, image, y, column, described, rows, told, k)


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
