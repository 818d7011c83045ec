"""Gaussian noise by dithering with the lattice E8: Ling, Li 2024, "Rejection-sampled universal quantization for smaller errors".

N(y, sigma^2 I) in n dimensions is a mixture of uniform distributions on balls around y, of the radius sigma sqrt(S), S ~ chi^2 with
n + 2 degrees of freedom. Both ends know S and scale a lattice so that the ball just fits into its Voronoi cell. They know dithers V_1,
V_2, ..., uniform in the cell. The lattice point M nearest to y - V_i makes M + V_i - y uniform in the cell, too: the first i for which
it lies in the ball is taken, and (i, M) is sent. Of eight dimensions, E8 has the densest packing of balls, so that i is about 4.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from codecs_core.entropy import Bits, Categorical, DiscretizedGaussian, Escape, Message, QFormat, StackCodec, quantise
from codecs_core.errors import CorruptDataError, EntropyError
from codecs_core.jit import inline, kernel
from codecs_rec.families import Family, Gaussian
from codecs_rec.philox import check_key, philox
from codecs_rec.samplers.base import LATTICES, Sampler
from codecs_rec.samplers.dithered import BINS, OFFSET, log2_64
from codecs_rec.tables import table

#: Dimensions; the squared radius of the ball that fits into a cell; how much of the cell it fills.
SIZE, SQUARE, DENSITY = 8, 0.5, math.pi**4 / 384
#: Dithers; the last one is taken in any case: a chance of 2^-54.
TRIES = 128
#: Steps from 0 that a coordinate may be away.
REACH = 1 << 40
#: Fractional bits of a dither.
_UNIT_BITS = 24
_ONE, _HALF = np.int64(1 << _UNIT_BITS), np.int64(1 << (_UNIT_BITS - 1))
_7, _4096 = np.uint64(7), np.uint64(0xFFF)


@inline
def _even(x, offset, point):
    """Fill in the point of D8 + offset that is nearest to x, and return the squared distance; all in units of 2^-24.

    D8 are the integers with an even sum: round, and if the sum is odd, round the worst coordinate the other way.
    """
    total, worst, far, square = np.int64(0), 0, np.int64(-1), np.int64(0)
    for k in range(SIZE):
        y = x[k] - offset
        whole = (y + _HALF) >> _UNIT_BITS
        rest = y - (whole << _UNIT_BITS)
        total += whole
        square += rest * rest
        if abs(rest) > far:
            worst, far = k, abs(rest)
        point[k] = (whole << _UNIT_BITS) + offset
    if total & 1:
        away = x[worst] - point[worst]
        point[worst] += _ONE if away >= 0 else -_ONE
        # from far to one less far
        square += (_ONE - far) * (_ONE - far) - far * far
    return square


@inline
def nearest(x, point, other):
    """Fill in the point of E8, which is D8 and D8 + 1/2, nearest to x; both in units of 2^-24. `other` is scratch."""
    if _even(x, _HALF, other) < _even(x, np.int64(0), point):
        for k in range(SIZE):
            point[k] = other[k]


@inline
def dither(n, i, key, v, point, other):
    """Fill in dither n of block i, in units of 2^-24: a point of a cube of side 2, less the point of E8 nearest to it.

    The cube repeats at points of E8, so that what is left is uniform in the cell.
    """
    for g in range(2):
        words = philox(np.uint64(n), np.uint64(g), np.uint64(i), LATTICES, key)
        for k in range(4):
            v[4 * g + k] = np.int64(words[k] >> _7)
    nearest(v, point, other)
    for k in range(SIZE):
        v[k] -= point[k]


@kernel
def _rows(key, row):
    for i in range(row.size):
        row[i] = np.int64(philox(np.uint64(0), np.uint64(0), np.uint64(i), LATTICES, key)[0] & _4096)


@kernel
def _encode(y, key, tries, points):
    """Fill in the number of the dither, and twice the coordinates of the lattice point, of blocks y in units of the lattice."""
    x, v, point, other = np.empty((4, SIZE), np.int64)
    for i in range(len(y)):
        for n in range(1, TRIES + 1):
            dither(n, i, key, v, point, other)
            for k in range(SIZE):
                x[k] = np.int64(math.floor(y[i, k] * _ONE + 0.5)) - v[k]
            nearest(x, point, other)
            square = 0.0
            for k in range(SIZE):
                error = np.float64(point[k] + v[k]) / _ONE - y[i, k]
                square += error * error
            if square <= SQUARE:
                break
        tries[i] = n
        for k in range(SIZE):
            points[i, k] = point[k] >> (_UNIT_BITS - 1)


@kernel
def _dithers(tries, key, out):
    v, point, other = np.empty((3, SIZE), np.int64)
    for i in range(tries.size):
        dither(tries[i], i, key, v, point, other)
        for k in range(SIZE):
            out[i, k] = np.float64(v[k]) / _ONE


class KnownScale(Sampler):
    """What lattices have in common: N(y, scale^2) in blocks of `size` dimensions, where both ends know the scale.

    Parameters
    ----------
    scale
        Of the noise, known to both ends: one number, or one a block.
    """

    size: ClassVar[int]

    def __init__(self, scale: ArrayLike) -> None:
        self.scale: NDArray[np.float64] = np.array(scale, np.float64)
        if not (np.isfinite(self.scale) & (self.scale > 0)).all():
            raise EntropyError("the scale of the noise must be positive and finite")

    def _centre(self, target: Family, proposal: Family) -> NDArray[np.float64]:
        """Where targets lie, counted from the proposal: shape (..., size)."""
        centre = np.asarray(target.location - proposal.location + np.zeros(target.shape))
        if not isinstance(target, Gaussian) or centre.shape[-1:] != (self.size,):
            raise EntropyError(
                f"the target of this lattice must be a Gaussian of shape (..., {self.size}), got {type(target).__name__} of {centre.shape}"
            )
        scale = np.broadcast_to(self.scale[..., None], centre.shape)
        if not np.array_equal(np.broadcast_to(target.scale, centre.shape), scale):
            raise EntropyError("the target of a lattice must have the scale that both ends know")
        return centre


class LatticeDithered(KnownScale):
    """N(y, scale^2) in blocks of eight dimensions, where both ends know the scale: 0.36 bits a dimension over the information.

    The target is a `Gaussian` of this scale, its last axis eight long. An index has nine integers, the last axis: the number of the
    dither, and twice the coordinates of a point of E8. Of the proposal decoding needs the location alone, which indices count from.

    Parameters
    ----------
    scale
        Of the noise, known to both ends: one number, or one a block.
    """

    size = SIZE

    def encode(self, target: Family, proposal: Family, key: int) -> NDArray[np.int64]:
        """Indices of shape (..., 9) for parameters that broadcast to (..., 8)."""
        centre = self._centre(target, proposal)
        y = centre / self._steps(centre.shape[:-1], key)[..., None]
        if y.size and float(np.abs(y).max()) >= REACH >> 10:
            raise EntropyError(f"a target is {np.abs(y).max():.3g} steps from its proposal; at most 2^30 can be sent")
        flat = np.ascontiguousarray(y.reshape(-1, SIZE))
        tries, doubled = np.empty(len(flat), np.int64), np.empty(flat.shape, np.int64)
        _encode(flat, check_key(key), tries, doubled)
        return np.concatenate([tries[:, None], doubled], 1).reshape(*centre.shape[:-1], SIZE + 1)

    def decode(self, index: ArrayLike, proposal: Family, key: int) -> NDArray[np.float64]:
        """Samples of shape (..., 8)."""
        n = QFormat(bits=0, low=-REACH, high=REACH).check(index, "index")
        if not n.shape or n.shape[-1] != SIZE + 1:
            raise EntropyError(f"an index of a lattice has nine integers in its last axis, not a shape of {n.shape}")
        tries, doubled = n[..., 0], n[..., 1:]
        dithers, point = (tries >= 1) & (tries <= TRIES), (doubled & 1) == (doubled[..., :1] & 1)
        if not (dithers.all() and point.all() and (doubled.sum(-1) % 4 == 0).all()):
            raise EntropyError("an index of a lattice has no dither of that number, or no point of E8")
        steps = self._steps(tries.shape, key)[..., None]
        return np.asarray(proposal.location + steps * (0.5 * doubled + self._dithers(tries, key)))

    def code(self, shape: tuple[int, ...], proposal: Gaussian, key: int) -> StackCodec[NDArray[np.int64]]:
        """The code of indices of blocks of this shape, under a Gaussian prior of the target's centre of the proposal's scale."""
        return LatticeCode(self, shape, proposal, key)

    def _steps(self, shape: tuple[int, ...], key: int) -> NDArray[np.float64]:
        """The step of the lattice of each block: the radius of its ball over that of the ball in a cell of E8."""
        row = np.empty(math.prod(shape), np.int64)
        _rows(check_key(key), row)
        radius = table("chi10")[row].reshape(shape) * 2.0**-32
        return np.asarray(np.broadcast_to(self.scale, shape) * radius * math.sqrt(1 / SQUARE))

    def _dithers(self, tries: NDArray[np.int64], key: int) -> NDArray[np.float64]:
        out = np.empty((tries.size, SIZE))
        _dithers(np.ascontiguousarray(tries).reshape(-1), check_key(key), out)
        return out.reshape(*tries.shape, SIZE)


class LatticeCode(StackCodec[NDArray[np.int64]]):
    """Indices of a `LatticeDithered`: the number of the dither, which is geometric; a bit that tells D8 from D8 + 1/2; the coordinates.

    Seven of these are Gaussian on the integers, and the last one on those that make the sum even.

    Parameters
    ----------
    sampler, proposal, key
        As for `LatticeDithered.code`.
    shape
        Of the blocks.
    """

    def __init__(self, sampler: LatticeDithered, shape: tuple[int, ...], proposal: Gaussian, key: int) -> None:
        self.shape = (*shape, SIZE + 1)
        self._sampler, self._key = sampler, key
        self._tries, self._half = number(DENSITY, TRIES, shape), Bits(np.ones(shape, np.int64))
        # the variance of the sample's coordinates, in steps: that of the centre, and that of the ball
        spread = np.broadcast_to(proposal.scale, (*shape, SIZE)) / sampler._steps(shape, key)[..., None]
        self._variance = spread * spread + SQUARE / (SIZE + 2)

    def push(self, message: Message, x: ArrayLike) -> None:
        """Push an index array of `shape`."""
        index = QFormat(bits=0, low=-REACH, high=REACH).check(x, "index").reshape(self.shape)
        tries, half = index[..., 0], index[..., 1] & 1
        whole = (index[..., 1:] - half[..., None]) >> 1
        parity = whole[..., :-1].sum(-1) & 1
        first, last = self._codes(tries, half, parity)
        last.push(message, ((whole[..., -1] - parity) >> 1) + OFFSET)
        first.push(message, whole[..., :-1] + OFFSET)
        self._half.push(message, half)
        self._tries.push(message, tries - 1)

    def pop(self, message: Message) -> NDArray[np.int64]:
        """Pop an index array of `shape`."""
        tries = self._tries.pop(message) + 1
        half = self._half.pop(message)
        whole = np.empty((*tries.shape, SIZE), np.int64)
        zero = np.zeros(tries.shape, np.int64)
        whole[..., :-1] = self._codes(tries, half, zero)[0].pop(message) - OFFSET
        parity = whole[..., :-1].sum(-1) & 1
        whole[..., -1] = 2 * (self._codes(tries, half, parity)[1].pop(message) - OFFSET) + parity
        if whole.size and int(np.abs(whole).max()) >= REACH >> 2:
            raise CorruptDataError("a coordinate of a lattice point is out of range: the message is damaged")
        return np.concatenate([tries[..., None], 2 * whole + half[..., None]], -1)

    def _codes(self, tries: NDArray[Any], half: NDArray[Any], parity: NDArray[Any]) -> tuple[Escape, Escape]:
        """Codes of the first seven coordinates, and of half of the last one less its parity."""
        mean = -0.5 * half[..., None] - self._sampler._dithers(tries, self._key)
        first = gaussian(mean[..., :-1], self._variance[..., :-1])
        return first, gaussian(0.5 * (mean[..., -1] - parity), 0.25 * self._variance[..., -1])


def number(share: float, most: int, shape: tuple[int, ...]) -> Categorical:
    """The number of the first dither that is taken, less 1, where each is with this chance: by products, which are the same everywhere."""
    return Categorical(
        quantise(share * np.cumprod(np.r_[1, np.full(most - 1, 1 - share)]), 20), precision=20, shape=shape
    )


def gaussian(mean: NDArray[np.float64], variance: NDArray[np.float64]) -> Escape:
    """Integers as likely as the density there: intervals of length 1 add a twelfth to the variance."""
    limits = DiscretizedGaussian.LOG_SCALE
    log_scale = log2_64(np.sqrt(np.maximum(variance - 1 / 12, 1 / 64))).clip(limits.low, limits.high)
    return Escape(DiscretizedGaussian(np.floor((mean + OFFSET) * 256).astype(np.int64), log_scale, symbols=BINS))
