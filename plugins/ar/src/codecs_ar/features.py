"""The compiled part that describes where a value is: what the network sees. In binary32, but for logarithms, which are integers."""

from __future__ import annotations

import numpy as np

from codecs_core.jit import borrowing
from codecs_core.jit.lanes import clamped, floored, load8, magnitude, signed, store

#: The least scale, and what keeps others from being zero.
LEAST = np.float32(8 / 256)
_0, _4, _31, _32, _64, _127, _192 = np.array([0, 4, 31, 32, 64, 127, 192], np.float32)
_HALF, _QUARTER, _16TH = np.array([1 / 2, 1 / 4, 1 / 16], np.float32)


@borrowing
def log2(x, mantissas):
    """The logarithm of a normal float32 above zero, in units of 1/64."""
    bits = np.float64(x).view(np.int64)
    return (((bits >> 52) - 1023) << 6) + (mantissas[np.uint64((bits >> 44) & 255)] >> 10)


@borrowing
def companded(v):
    """Straight up to 64, then ever less steep, from -127 to 127: integers."""
    a = magnitude(v)
    a = clamped(a, _0, _64) + clamped((a - _64) * _QUARTER, _0, _32) + clamped((a - _192) * _16TH, _0, _31)
    return signed(floored(a + _HALF), v)


@borrowing
def bounded(v):
    """An integer from -127 to 127."""
    return np.float32(min(max(v, -127), 127))


@borrowing
def scaled(row, first, count, found, rate):
    """The first `count` of `found`, times `rate`; what is written beyond them is overwritten later."""
    for i in range(0, count, 8):
        store(row, first + i, companded(load8(found, i) * rate))


@borrowing
def beside(row, f, e, there, places, found, log_scale, mantissas, share):
    """The errors in another plane, by how large they are there."""
    total = _0
    for i in range(places.size):
        v = e[np.uint64(there + places[i])]
        found[i] = v
        total += abs(v)
    scale = share * total + LEAST
    for i in range(places.size, (places.size + 7) & ~7):
        found[i] = _0
    scaled(row, f, places.size, found, _32 / scale)
    f += places.size
    row[f] = bounded((log2(scale, mantissas) - log_scale) >> 2)
    return f + 1


@borrowing
def activity(x, at, stride):
    """How much values nearby differ."""
    left, above, corner = x[np.uint64(at - 1)], x[np.uint64(at - stride)], x[np.uint64(at - stride - 1)]
    active = abs(above - x[np.uint64(at - stride + 1)]) + abs(left - corner)
    return LEAST + _QUARTER * ((active + abs(above - corner)) + abs(left - x[np.uint64(at - 2)]))


@borrowing
def describe(room, x, e, where, places, guess, past, limit, mantissas):
    """Write the features of a value; returns the logarithm of its scale.

    `where` is (place in the planes, from a plane to the one before it, from a row to the next, (row, column)), `guess` (centre, scale, both
    predictions, their errors), `past` the sums of absolute errors, errors and weights around. Features are left in `room.row`.
    """
    row, found, (at, back, stride, (y, column)) = room.row, room.found, where
    centre, scale, by_short, by_long, error_short, error_long = guess
    rate, log_scale = _32 / scale, log2(scale, mantissas)
    k, total = 0, _0
    for i in range(places.errors.size):
        v = e[np.uint64(at + places.errors[i])]
        found[k + i] = v
        total += abs(v)
    k += places.errors.size
    for i in range(places.values.size):
        found[k + i] = x[np.uint64(at + places.values[i])] - centre
    k += places.values.size
    sure = past[2] + _16TH
    found[k] = by_short - by_long
    found[k + 1] = past[1] / sure * _4
    found[k + 2] = centre
    found[k + 3] = limit - centre
    f = k + 4
    if places.around.size:
        found[f] = e[np.uint64(at - back)]
        f += 1
    scaled(row, 0, f, found, rate)
    active = activity(x, at, stride)
    row[f] = bounded(log_scale >> 3)
    row[f + 1] = bounded((log2(error_short, mantissas) - log2(error_long, mantissas)) >> 2)
    row[f + 2] = bounded((log2(past[0] / sure + LEAST, mantissas) - log_scale) >> 2)
    row[f + 3] = bounded((log2(total * _16TH + LEAST, mantissas) - log_scale) >> 2)
    row[f + 4] = bounded((log2(active, mantissas) - log_scale) >> 2)
    row[f + 5] = np.floor(centre * _127 / limit)
    row[f + 6] = np.float32(4 * min(y, 31))
    row[f + 7] = np.float32(4 * min(column, 31))
    f += 8
    if places.around.size:
        f = beside(row, f, e, at - back, places.around, found, log_scale, mantissas, _16TH)
    if places.cross.size:
        f = beside(row, f, e, at - 2 * back, places.cross, found, log_scale, mantissas, _QUARTER)
    return log_scale
