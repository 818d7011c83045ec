"""Partitioned blocks: one index for many dimensions, found in time far below two to the power of what it tells.

An axis is cut into 2^n intervals that the proposal finds equally likely, n from 0 to 6 known to both ends. A *box* is an interval of each
axis; each box has a sequence of proposals of its own. The encoder makes its candidates by drawing boxes from about the target, by
randomness of its own, each candidate being the next proposal of its box; among these it chooses as ordered random coding does. It
sends the box, in as many bits as the axes are cut in, and the number of the proposal in its box (He, Flamich, Hernández-Lobato 2024,
"Accelerating relative entropy coding with space partitioning").
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from codecs_core.entropy import Bijection, Bits, QFormat, Serial, StackCodec
from codecs_core.errors import EntropyError
from codecs_core.jit import inline, kernel
from codecs_core.jit.elementary import erfc, exp, exponent, log
from codecs_rec.families import Family, Gaussian, relate
from codecs_rec.index import OctaveCode
from codecs_rec.philox import M0, M1, ROUNDS, W0, W1, check_key, philox
from codecs_rec.quantile import GRID_BITS
from codecs_rec.ratios import uniform, word
from codecs_rec.samplers.base import BLOCKS, BOXES, Sampler, private
from codecs_rec.samplers.blocks import LANES, coarse_points, coefficients, points

#: An axis has 2^6 intervals at the most, and a block 2^62 boxes.
MOST_CUTS, MOST_BITS = 6, 62
#: Bits of the number that an interval is drawn by: the least likely one has one of them all.
DRAW_BITS = 10
_DRAWS, _EACH = 1 << DRAW_BITS, 64 // DRAW_BITS
#: Candidates for each of the e^nats that an index tells beyond its box.
MARGIN = 64.0
_HALF = math.sqrt(0.5)
_ZERO = np.float32(0)
_0, _16, _32, _48, _W = (np.uint64(v) for v in (0, 16, 32, 0xFFFF, 0xFFFFFFFF))


@cache
def edges() -> NDArray[np.float64]:
    """Where the line is cut into 2^6 intervals of equal probability, with both ends: shape (65,)."""
    x, step = points(), 1 << (GRID_BITS - MOST_CUTS)
    inner = 0.5 * (x[step - 1 : -1 : step] + x[step::step])
    return np.concatenate([[-np.inf], inner, [np.inf]])


@inline
def key_of(box, i, key):
    """The key of a box's proposals, for block i: half of the words of Philox under the key of all."""
    b = np.uint64(box)
    low, high, _, _ = philox(b & _W, b >> _32, np.uint64(i), BOXES, key)
    return low | high << _32


@inline
def draws_of(m, s, cuts, line, cut, gain):
    """Fill in the interval of each of the 2^10 equally likely draws, and of each interval -ln of its share over that of the proposal.

    A share is about what the target has there, but never 0, so that every target is followed everywhere. Returns the mean of -ln.
    """
    size, start, mean = 1 << cuts, 0, 0.0
    step = (len(line) - 1) >> cuts
    for b in range(size):
        below = 0.5 * erfc((m - line[(b + 1) * step]) / s * _HALF)
        end = int((_DRAWS - size) * below) + b + 1
        cut[start:end] = b
        gain[b] = -log(size * (end - start) / _DRAWS)
        mean += gain[b] * (end - start) / _DRAWS
        start = end
    return mean


@inline
def draw_boxes(cuts, cut, gain, state, slots, boxes, numbers, gains):
    """Fill in the candidates of a block: the box of each, its number there from 1 on, and the sum of its intervals' gains.

    `slots` is scratch, a power of two above the number of candidates: a hash table of the last candidate in each box.
    """
    slots[:] = -1
    most = np.uint64(len(slots) - 1)
    for c in range(boxes.size):
        box, weight, left, bits = np.int64(0), _ZERO, 0, _0
        for d in range(cuts.size):
            if cuts[d] > 0:
                if left == 0:
                    bits, state = word(state)
                    left = _EACH
                b = cut[d, bits & np.uint64(_DRAWS - 1)]
                bits, left = bits >> np.uint64(DRAW_BITS), left - 1
                box = box << cuts[d] | np.int64(b)
                weight += gain[d, b]
        at = (np.uint64(box) * np.uint64(0x9E3779B97F4A7C15)) >> _32 & most
        while slots[at] >= 0 and boxes[slots[at]] != box:
            at = (at + np.uint64(1)) & most
        numbers[c] = numbers[slots[at]] + 1 if slots[at] >= 0 else 1
        slots[at], boxes[c], gains[c] = c, box, weight
    return state


@inline
def coordinates_in(boxes, numbers, i, key, cuts, words, keys, points, x):
    """Fill in x, shape (d, LANES): the coordinates of `LANES` candidates of block i.

    `words`, shape (4, LANES), and `keys`, (2, LANES), are scratch.
    """
    for j in range(LANES):
        b = np.uint64(boxes[j])
        words[0, j], words[1, j], words[2, j], words[3, j] = b & _W, b >> _32, np.uint64(i), BOXES
        keys[0, j], keys[1, j] = key & _W, key >> _32
    _rounds(words, keys)
    shift = np.int64(0)
    for d in range(cuts.size):
        shift += cuts[d]
    sub = words[:2].copy()
    for g in range((len(x) + 7) >> 3):
        for j in range(LANES):
            words[0, j], words[1, j] = np.uint64(numbers[j]), np.uint64(g)
            words[2, j], words[3, j] = np.uint64(i), BLOCKS
            keys[0, j], keys[1, j] = sub[0, j], sub[1, j]
        _rounds(words, keys)
        for k in range(8):
            d = (g << 3) + k
            if d < len(x):
                half, row, n = _16 * np.uint64(k & 1), k >> 1, cuts[d]
                shift -= n
                mask = np.int64((1 << n) - 1)
                for j in range(LANES):
                    interval = (boxes[j] >> shift) & mask
                    within = np.int64((words[row, j] >> half) & _48)
                    x[d, j] = points[(interval << (16 - n)) | (within >> n)]


@inline
def _rounds(words, keys):
    """Philox in place, each lane under a key of its own, which is used up."""
    for _ in range(ROUNDS):
        for j in range(LANES):
            p, q = M0 * words[0, j], M1 * words[2, j]
            words[0, j], words[2, j] = (q >> _32) ^ words[1, j] ^ keys[0, j], (p >> _32) ^ words[3, j] ^ keys[1, j]
            words[1, j], words[3, j] = q & _W, p & _W
            keys[0, j], keys[1, j] = (keys[0, j] + W0) & _W, (keys[1, j] + W1) & _W


@kernel
def _choose(m, s, cuts, key, elements, most, prices, points, line, box, number):
    """Of the candidates of each block the first to arrive, as in ordered random coding; given prices, the heaviest for them.

    `m`, `s` and `cuts` have shape (n, d), `prices` (n, octaves), or (n, 0), `box` and `number` (n, length).
    """
    n, size = m.shape
    slots = np.empty(1 << (2 + exponent(most)), np.int32)
    boxes, numbers = np.empty(most + LANES, np.int64), np.ones(most + LANES, np.int64)
    gains, weights = np.empty(most + LANES, np.float32), np.empty(LANES, np.float32)
    cut, gain = np.empty((size, _DRAWS), np.uint8), np.empty((size, 1 << MOST_CUTS), np.float32)
    square, linear = np.empty(size, np.float32), np.empty(size, np.float32)
    words, keys = np.empty((4, LANES), np.uint64), np.empty((2, LANES), np.uint64)
    x, scores = np.empty((size, LANES), np.float32), np.empty(box.shape[1])
    for i in range(n):
        left = 0.0
        constant, _ = coefficients(m[i], s[i], square, linear)
        for d in range(size):
            left += 0.5 * (m[i, d] * m[i, d] + s[i, d] * s[i, d] - 1.0) - log(s[i, d])
            if cuts[i, d] > 0:
                left += draws_of(m[i, d], s[i, d], cuts[i, d], line, cut[d], gain[d])
        # e^30 is more than any search looks at, and still an integer
        candidates = int(min(most, math.ceil(exp(min(left, 30.0)) * MARGIN)))
        wide = slots[: 1 << (2 + exponent(candidates))]
        state = draw_boxes(cuts[i], cut, gain, private(elements[i], key), wide, boxes[:candidates], numbers, gains)
        boxes[candidates : candidates + LANES] = 0
        time, late, best = 0.0, -math.inf, -math.inf
        scores[:] = best
        for first in range(0, candidates, LANES):
            coordinates_in(boxes[first:], numbers[first:], elements[i], key, cuts[i], words, keys, points, x)
            for j in range(LANES):
                weights[j] = _ZERO
            for d in range(size):
                p, q = square[d], linear[d]
                for j in range(LANES):
                    weights[j] += (p * x[d, j] + q) * x[d, j]
            for c in range(first, min(first + LANES, candidates)):
                score = constant + weights[c - first]
                if prices.shape[1] > 0:
                    octave = exponent(numbers[c])
                    score -= prices[i, octave] if octave < prices.shape[1] else math.inf
                else:
                    e, state = uniform(state)
                    # of finitely many, the rest share what time is left
                    time -= log(e) * (candidates / (candidates - c))
                    score += gains[c]
                    # time only grows: what would be too late before is too late now
                    if score - late > best:
                        late = log(time)
                        score -= late
                    else:
                        score = -math.inf
                if score > best:
                    at = len(scores) - 1
                    while at > 0 and scores[at - 1] < score:
                        scores[at], box[i, at], number[i, at] = scores[at - 1], box[i, at - 1], number[i, at - 1]
                        at -= 1
                    scores[at], box[i, at], number[i, at] = score, boxes[c], numbers[c]
                    best = scores[-1]


@kernel
def _cells(box, number, cuts, sizes, key, elements, cells):
    """Fill in the cells of the grid, shape (n, 8 groups), of proposals of boxes."""
    for i in range(box.size):
        sub, shift = key_of(box[i], elements[i], key), np.int64(0)
        for d in range(sizes[i]):
            shift += cuts[i, d]
        for g in range((sizes[i] + 7) >> 3):
            words = philox(np.uint64(number[i]), np.uint64(g), np.uint64(elements[i]), BLOCKS, sub)
            for k in range(8):
                d = (g << 3) + k
                if d < sizes[i]:
                    n = cuts[i, d]
                    shift -= n
                    interval = (box[i] >> shift) & np.int64((1 << n) - 1)
                    within = np.int64((words[k >> 1] >> (_16 * np.uint64(k & 1))) & _48)
                    cells[i, d] = interval << (16 - n) | within >> n


def choose(
    m: NDArray[np.float64],
    s: NDArray[np.float64],
    cuts: NDArray[np.int64],
    key: np.uint64,
    candidates: int,
    *,
    elements: NDArray[np.int64] | None = None,
    prices: NDArray[np.float64] | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The box, and the number in it, of a sample of each block, or of its heaviest candidate for its price.

    Parameters
    ----------
    m, s, cuts
        Centres and scales of the targets, standardised, and the binary digits that each axis is cut by: shape (n, d).
    elements
        Numbers of the blocks, by default 0, 1, ...
    prices
        Nats of a number in each octave, shape (n, octaves): the candidate with the largest ln dQ/dP less price is searched for.
    """
    none = np.empty((len(m), 0))
    numbers = np.arange(len(m)) if elements is None else elements
    box, number = shortlist(m, s, cuts, key, candidates, numbers, none if prices is None else prices, 1)
    return box[:, 0], number[:, 0]


def shortlist(
    m: NDArray[np.float64],
    s: NDArray[np.float64],
    cuts: NDArray[np.int64],
    key: np.uint64,
    candidates: int,
    elements: NDArray[np.int64],
    prices: NDArray[np.float64],
    length: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """As `choose` with prices: boxes and numbers, shape (n, length), of this many candidates, the best first."""
    box, number = np.zeros((len(m), length), np.int64), np.ones((len(m), length), np.int64)
    arrays = (np.ascontiguousarray(a) for a in (m, s, cuts))
    grid = coarse_points(), edges()
    _choose(*arrays, key, elements, candidates, np.ascontiguousarray(prices), *grid, box, number)
    return box, number


def cells_of(
    box: NDArray[np.int64],
    number: NDArray[np.int64],
    cuts: NDArray[np.int64],
    key: np.uint64,
    elements: NDArray[np.int64] | None = None,
) -> NDArray[np.int64]:
    """Cells of the grid that proposals of boxes have, shape (n, d), as `cuts` has."""
    n, size = cuts.shape
    cells = np.empty((n, size), np.int64)
    numbers = np.arange(n) if elements is None else elements
    _cells(box, number, np.ascontiguousarray(cuts), np.full(n, size), key, numbers, cells)
    return cells


class Partitioned(Sampler):
    """Ordered random coding in the boxes of a partition: blocks of 32 to 48 bits by 2^15 candidates.

    Exact in the limit of many candidates. What counts is the mean of the ratio that a sample has beyond its box, which is many times the
    typical one, since far from the middle intervals are wide. Samples of eight axes of 4 bits cannot be told from the target by 10^5
    coordinates if each axis is cut by all of its 4 digits; if half of them are cut by 3, the variance of errors is 4 to 5 % too large.

    Parameters
    ----------
    cuts
        Binary digits that each axis is cut by, 0 to 6 each: shape (d,). With those of `candidates` they are 62 in all at
        the most. `cuts_for` has good ones.
    candidates
        Proposals that a search looks at.
    """

    def __init__(self, cuts: ArrayLike, candidates: int = 1 << 15) -> None:
        self.cuts = QFormat(bits=0, low=0, high=MOST_CUTS).check(cuts, "cuts")
        self.bits = int(self.cuts.sum())
        if self.cuts.ndim != 1 or not self.cuts.size:
            raise EntropyError(f"cuts must be of shape (d,), got shape {self.cuts.shape}")
        if not isinstance(candidates, int) or not 1 <= candidates <= 1 << 24:
            raise EntropyError(f"candidates must be an integer from 1 to 2^24, got {candidates!r}")
        if self.bits + candidates.bit_length() > MOST_BITS:
            raise EntropyError(
                f"cuts that add up to {self.bits} and {candidates} candidates make indices of more than {MOST_BITS} bits"
            )
        self.candidates = candidates

    def encode(self, target: Family, proposal: Family, key: int) -> NDArray[np.int64]:
        """Indices of blocks, box times `candidates` plus number; the parameters broadcast to (..., d)."""
        if not isinstance(target, Gaussian) or not isinstance(proposal, Gaussian):
            raise EntropyError("blocks have Gaussian targets and proposals")
        pair, d = relate(target, proposal), self.cuts.size
        if pair.m.ndim == 0 or pair.m.shape[-1] != d:
            raise EntropyError(f"a block has as many dimensions as axes are cut, {d}, not a shape of {pair.m.shape}")
        m, s = pair.m.reshape(-1, d), pair.s.reshape(-1, d)
        box, number = choose(m, s, np.broadcast_to(self.cuts, m.shape), check_key(key), self.candidates)
        return (box * self.candidates + number).reshape(pair.m.shape[:-1])

    def decode(self, index: ArrayLike, proposal: Family, key: int) -> NDArray[np.float64]:
        """Samples of shape (..., d), for a proposal of that shape."""
        n = QFormat(bits=0, low=1, high=self.candidates << self.bits).check(index, "index")
        shape, d = proposal.shape, self.cuts.size
        if not shape or shape[-1] != d or (shape[:-1] not in ((), n.shape)):
            raise EntropyError(
                f"a proposal of shape {shape} does not fit blocks of {d} axes and indices of shape {n.shape}"
            )
        box, number = self._split(np.ascontiguousarray(n).reshape(-1))
        cells = cells_of(box, number, np.broadcast_to(self.cuts, (box.size, d)), check_key(key))
        return proposal.place(points()[cells].reshape(*n.shape, d))

    def code(self, counts: ArrayLike, shape: tuple[int, ...] = ()) -> StackCodec[Any]:
        """Code of indices: the box as it is, its number by an `OctaveCode` of these counts."""
        return Bijection(
            self._split, self._join, Serial(Bits(np.full(shape, self.bits)), OctaveCode(counts, shape=shape))
        )

    def _split(self, index: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        return (index - 1) // self.candidates, (index - 1) % self.candidates + 1

    def _join(self, parts: Any) -> NDArray[np.int64]:
        box, number = parts
        return np.asarray(box * self.candidates + number)


def cuts_for(bits: ArrayLike, left: float = 11.0) -> NDArray[np.int64]:
    """Binary digits to cut the axes of a block by, given the bits that each tells: as few as leave at most `left` bits to be searched for.

    One after the other, to the axis with the most left, as long as that is a bit or more. What is left makes indices shorter, and samples
    less exact for a number of candidates: with 2^15 of them, blocks of 32 bits follow their target if nothing is left.
    """
    rest = np.array(bits, np.float64)
    cuts = np.zeros(rest.shape, np.int64)
    while rest.sum() > left:
        k = int(np.argmax(np.where(cuts < MOST_CUTS, rest, 0.0)))
        if rest[k] < 1 or cuts[k] == MOST_CUTS:
            break
        cuts[k], rest[k] = cuts[k] + 1, rest[k] - 1
    return cuts
