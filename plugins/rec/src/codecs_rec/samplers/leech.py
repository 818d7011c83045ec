"""Gaussian noise by dithering with the Leech lattice, turned and scaled at random.

N(y, sigma^2 I) in n dimensions is a mixture of uniform distributions on balls around y, of the radius sigma S, where S is the length of a
normal vector in n + 2 dimensions: Ling, Li 2024, "Rejection-sampled universal quantization for smaller errors". In 24 dimensions the
cells of the Leech lattice are nearly balls: the distance of a cell's border from its middle varies by 2.5 %. So whole cells take
the place of balls.

Both ends know a rotation, scales S_1, S_2, ..., and dithers V_1, V_2, ... The lattice is turned by the rotation and scaled by sigma S_i.
The point M nearest to y - V_i makes M + V_i - y uniform in the cell. As the cell is turned at random, this noise has a density that
depends on its length alone, and differs by some percent from that of N(0, sigma^2 I). Rejection mends this: noise is kept with a chance
that a table has for its length, 0.988 in the mean. The first i and M that are kept are sent.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from codecs_core.entropy import Bits, Escape, Message, QFormat, StackCodec
from codecs_core.errors import CorruptDataError, EntropyError
from codecs_core.jit import inline, kernel
from codecs_rec.families import Family, Gaussian
from codecs_rec.leech import ONE, SIZE, WORDS, contains, nearest
from codecs_rec.philox import check_key, philox
from codecs_rec.quantile import normal
from codecs_rec.rotation import mirrors, rotate, rotate_back
from codecs_rec.samplers.base import CELLS, PRIVATE, draw
from codecs_rec.samplers.dithered import OFFSET
from codecs_rec.samplers.lattice import KnownScale, gaussian, number
from codecs_rec.tables import table
from codecs_rec.tables.leech import BITS, RATIO, UNIT

#: Dithers; the last one is taken in any case: a chance of 2^-101. The share of noise that is kept.
TRIES, SHARE = 16, 0.988
#: Units from 0 that a coordinate of a lattice point may be away, and scales that a target may be from its proposal.
REACH, FARTHEST = 1 << 40, 1 << 26
#: The variance of a coordinate of uniform points in the cell, in squared units of the lattice: 0.065752 for a volume of 1 (statistics).
SPREAD = 8 * 0.06575
#: Words of the counter of a rotation, and of a dither: its scale, and its coordinates.
_TURN, _LENGTH, _TRY = 300, SIZE + 2, 52

_KEPT = table("leech_kept") * 2.0**-BITS
_STEP = 1 / (RATIO * math.sqrt(8))
_32, _HALF, _5 = np.uint64(32), np.uint64(1 << 31), np.uint64(5)


@inline
def _words(n, i, key, out):
    """Fill in words of the counter of dither n of block i; n = 0 is for the rotation."""
    for g in range(out.size // 4):
        out[4 * g], out[4 * g + 1], out[4 * g + 2], out[4 * g + 3] = philox(
            np.uint64(n), np.uint64(g), np.uint64(i), CELLS, key
        )


@inline
def _normal(word):
    """A normal number from 32 bits."""
    return np.float64(normal((word << _32) | _HALF)) * 2.0**-32


@inline
def _rotation(i, key, words, normals, rows):
    """Fill in the rotation of block i."""
    _words(0, i, key, words)
    for k in range(normals.size):
        normals[k] = _normal(words[k])
    mirrors(normals, rows)


@inline
def _dither(n, i, key, words, v):
    """Fill in dither n of block i, in units of 2^-24 of the lattice, and return the length of a unit in scales of the noise.

    Vectors that are multiples of 8 are points of the lattice, so that a dither from a cube of this side is uniform in the lattice.
    """
    _words(n, i, key, words)
    square = 0.0
    for k in range(_LENGTH):
        x = _normal(words[k])
        square += x * x
    for k in range(SIZE):
        v[k] = np.int64(words[_LENGTH + k] >> _5) - 4 * ONE
    return np.sqrt(square) * _STEP


@inline
def _kept(length):
    """The chance that noise of this length is kept."""
    x = length * UNIT
    k = np.int64(x)
    if k >= len(_KEPT) - 1:
        return _KEPT[-1]
    return _KEPT[k] + (x - k) * (_KEPT[k + 1] - _KEPT[k])


@kernel
def _encode(y, key, tries, points):
    """Fill in the numbers of dithers and the lattice points of blocks y, which are in scales of the noise."""
    turn, words = np.empty(_TURN, np.uint64), np.empty(_TRY, np.uint64)
    normals, rows, z = np.empty(_TURN - 1), np.zeros((SIZE - 1, SIZE)), np.empty(SIZE)
    x, v = np.empty((2, SIZE), np.int64)
    squares, sums, steps = np.empty((3, 3, 256), np.int64)
    for i in range(len(y)):
        _rotation(i, key, turn, normals, rows)
        z[:] = y[i]
        rotate_back(rows, z)
        for n in range(1, TRIES + 1):
            step = _dither(n, i, key, words, v)
            for k in range(SIZE):
                x[k] = np.int64(math.floor(z[k] / step * ONE + 0.5)) - v[k]
            square = np.float64(nearest(x, points[i], squares, sums, steps))
            coin = np.float64(draw(n, i, PRIVATE, key) >> np.uint64(11)) * 2.0**-53
            if coin < _kept(np.sqrt(square) * step / ONE):
                break
        tries[i] = n


@kernel
def _turn(key, x):
    """Rotate blocks in place."""
    words, normals, rows = np.empty(_TURN, np.uint64), np.empty(_TURN - 1), np.zeros((SIZE - 1, SIZE))
    for i in range(len(x)):
        _rotation(i, key, words, normals, rows)
        rotate(rows, x[i])


@kernel
def _fill(tries, key, units, out):
    """Fill in the lengths of units, and the dithers in units."""
    words, v = np.empty(_TRY, np.uint64), np.empty(SIZE, np.int64)
    for i in range(tries.size):
        units[i] = _dither(tries[i], i, key, words, v)
        for k in range(SIZE):
            out[i, k] = np.float64(v[k]) / ONE


class LeechDithered(KnownScale):
    """N(y, scale^2) in blocks of 24 dimensions, where both ends know the scale: 0.115 bits a dimension over the information.

    The target is a `Gaussian` of this scale, its last axis 24 long. An index has 25 integers, the last axis: the number of the
    dither, and the coordinates of a point of the lattice. Of the proposal decoding needs the location alone, which indices count from.

    Parameters
    ----------
    scale
        Of the noise, known to both ends: one number, or one a block.
    """

    size = SIZE

    def encode(self, target: Family, proposal: Family, key: int) -> NDArray[np.int64]:
        """Indices of shape (..., 25) for parameters that broadcast to (..., 24)."""
        centre = self._centre(target, proposal)
        y = np.ascontiguousarray((centre / self.scale[..., None]).reshape(-1, SIZE))
        if y.size and not float(np.abs(y).max()) < FARTHEST:
            raise EntropyError(f"a target must be less than 2^26 scales from its proposal, got {np.abs(y).max():.3g}")
        tries, points = np.empty(len(y), np.int64), np.empty(y.shape, np.int64)
        _encode(y, check_key(key), tries, points)
        return np.concatenate([tries[:, None], points], 1).reshape(*centre.shape[:-1], SIZE + 1)

    def decode(self, index: ArrayLike, proposal: Family, key: int) -> NDArray[np.float64]:
        """Samples of shape (..., 24)."""
        n = QFormat(bits=0, low=-REACH, high=REACH).check(index, "index")
        if not n.shape or n.shape[-1] != SIZE + 1:
            raise EntropyError(
                f"an index of the Leech lattice must have 25 integers in its last axis, got a shape of {n.shape}"
            )
        tries, points = n[..., 0], n[..., 1:]
        if not (((tries >= 1) & (tries <= TRIES)).all() and contains(points).all()):
            raise EntropyError("an index of the Leech lattice has no dither of that number, or no point of the lattice")
        units, dithers = _dithers(tries, check_key(key))
        x = np.ascontiguousarray(units[..., None] * (points + dithers)).reshape(-1, SIZE)
        _turn(check_key(key), x)
        return np.asarray(proposal.location + self.scale[..., None] * x.reshape(points.shape))

    def code(self, shape: tuple[int, ...], proposal: Gaussian, key: int) -> StackCodec[NDArray[np.int64]]:
        """The code of indices of blocks of this shape, under a Gaussian prior of the target's centre of the proposal's scale.

        Blocks are turned, so that all dimensions of a block take the mean of their priors' variances. It is best to have dimensions of
        nearly one scale in a block: a dimension costs half of log2 of the variances' arithmetic mean over their geometric one.
        """
        return LeechCode(self, shape, proposal, key)


class LeechCode(StackCodec[NDArray[np.int64]]):
    """Indices of a `LeechDithered`: the number of the dither; the kind of the point, and its word of the Golay code; the coordinates.

    What these leave of the coordinates are integers m. The first 23 are Gaussian, and the last one is so on those that make the sum right.

    Parameters
    ----------
    sampler, proposal, key
        As for `LeechDithered.code`.
    shape
        Of the blocks.
    """

    def __init__(self, sampler: LeechDithered, shape: tuple[int, ...], proposal: Gaussian, key: int) -> None:
        self.shape = (*shape, SIZE + 1)
        self._key = check_key(key)
        spread = np.broadcast_to(proposal.scale, (*shape, SIZE)) / sampler.scale[..., None]
        self._tries, self._words = number(SHARE, TRIES, shape), Bits(np.full(shape, 13))
        # the order of a sum is the same everywhere
        self._prior = np.asarray(sum(spread[..., k] * spread[..., k] for k in range(SIZE)) / SIZE)

    def push(self, message: Message, x: ArrayLike) -> None:
        """Push an index array of `shape`."""
        index = QFormat(bits=0, low=-REACH, high=REACH).check(x, "index").reshape(self.shape)
        tries, points = index[..., 0], index[..., 1:]
        if not contains(points).all():
            raise EntropyError("an index of the Leech lattice has no point of the lattice")
        kind = points[..., 0] & 1
        word = (points - kind[..., None] >> 1 & 1) << np.arange(SIZE)
        chosen = np.searchsorted(WORDS, word.sum(-1)) << 1 | kind
        offset = _offsets(chosen)
        m = points - offset >> 2
        parity = (m[..., :-1].sum(-1) + kind) & 1
        first, last = self._codes(tries, offset, parity)
        last.push(message, ((m[..., -1] - parity) >> 1) + OFFSET)
        first.push(message, m[..., :-1] + OFFSET)
        self._words.push(message, chosen)
        self._tries.push(message, tries - 1)

    def pop(self, message: Message) -> NDArray[np.int64]:
        """Pop an index array of `shape`."""
        tries = self._tries.pop(message) + 1
        chosen = self._words.pop(message)
        offset, m = _offsets(chosen), np.empty((*tries.shape, SIZE), np.int64)
        m[..., :-1] = self._codes(tries, offset, np.zeros_like(chosen))[0].pop(message) - OFFSET
        parity = (m[..., :-1].sum(-1) + chosen) & 1
        m[..., -1] = 2 * (self._codes(tries, offset, parity)[1].pop(message) - OFFSET) + parity
        if m.size and int(np.abs(m).max()) >= REACH >> 3:
            raise CorruptDataError("a coordinate of a lattice point is out of range: the message is damaged")
        return np.concatenate([tries[..., None], offset + 4 * m], -1)

    def _codes(self, tries: NDArray[Any], offset: NDArray[Any], parity: NDArray[Any]) -> tuple[Escape, Escape]:
        """Codes of the first 23 integers, and of half of the last one less its parity."""
        units, dithers = _dithers(tries, self._key)
        mean = -0.25 * (dithers + offset)
        variance = (self._prior / (units * units) + SPREAD) * 0.0625
        first = gaussian(mean[..., :-1], np.broadcast_to(variance[..., None], mean[..., :-1].shape))
        return first, gaussian(0.5 * (mean[..., -1] - parity), 0.25 * variance)


def _dithers(tries: NDArray[np.int64], key: np.uint64) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The length of a unit of each block's lattice, in scales of the noise, and its dither in units."""
    units, out = np.empty(tries.size), np.empty((tries.size, SIZE))
    _fill(np.ascontiguousarray(tries).reshape(-1), key, units, out)
    return units.reshape(tries.shape), out.reshape(*tries.shape, SIZE)


def _offsets(chosen: NDArray[np.int64]) -> NDArray[np.int64]:
    """What coordinates are modulo 4: the kind is the lowest bit, and the number of the word the others."""
    return np.asarray((chosen & 1)[..., None] + 2 * (WORDS[chosen >> 1][..., None] >> np.arange(SIZE) & 1))
