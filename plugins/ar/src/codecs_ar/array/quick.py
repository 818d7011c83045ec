"""Streams of the fast level: blocks, each with the weights of its prediction and the counts of its symbols before a message."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from codecs_ar.array import swift
from codecs_ar.array.layout import Geometry, geometry
from codecs_ar.array.maps import Numbers
from codecs_ar.array.payload import Reader, Writer
from codecs_ar.array.scene import Scene
from codecs_ar.array.squares import stride
from codecs_ar.array.stream import VERSION, Description, scene_of
from codecs_ar.array.swift import AGAIN, CONTEXTS, PLAIN, PRECISION, SYMBOLS, TOTAL, Block
from codecs_core.entropy import Message
from codecs_core.errors import CorruptDataError

#: Values of a block; about how many of them its weights are found from, and how many are coded to see whether these are of use.
BLOCK, SEEN, TRIED = 1 << 18, 1 << 12, 1 << 13
#: Words of a message that a value may take.
WORDS = 4
#: Weights are multiples of 1 / UNIT, and smaller than LARGEST.
UNIT, LARGEST = 1024, 8.0


def encode(writer: Writer, codes: NDArray[np.int64], about: Description, numbers: Numbers) -> None:
    """Append codes, an array without axes of length 1, to a payload."""
    about.write(writer)
    scene, places = _scene(codes, about, numbers)
    marks = np.zeros(places.size, np.uint8)
    last = about.usual[0]
    for first in range(0, codes.size, BLOCK):
        stop = min(codes.size, first + BLOCK)
        swift.fill(scene, first, stop)
        choices = [_fitted(places, scene, first, stop), np.zeros(0)]
        middle = first + max(0, stop - first - TRIED) // 2
        tried = middle, min(stop, middle + TRIED)
        costs = [_surveyed(places, scene, marks, weights, last, *tried).cost for weights in choices]
        weights = choices[costs.index(min(costs))]
        last = _surveyed(places, scene, marks, weights, last, first, stop).write(writer, places, weights, about)


def measure(codes: NDArray[np.int64], about: Description, numbers: Numbers) -> float:
    """Bytes of information in codes, as symbols of one block: their share of what a longer array has."""
    scene, places = _scene(codes, about, numbers)
    marks, last, stop = np.zeros(places.size, np.uint8), about.usual[0], codes.size
    swift.fill(scene, 0, stop)
    choices = [_fitted(places, scene, 0, stop), np.zeros(0)]
    return min(_surveyed(places, scene, marks, weights, last, 0, stop).cost for weights in choices) / 8


def _scene(codes: NDArray[np.int64], about: Description, numbers: Numbers) -> tuple[Scene, Geometry]:
    codes = codes.transpose(about.layout.order)
    places = geometry(codes.shape, about.layout.series, VERSION)
    scene = scene_of(places, about, numbers)
    places.view(scene.codes)[:] = codes.reshape(places.shape)
    return scene, places


@dataclass(frozen=True)
class Survey:
    """The result of going over a block: symbols with contexts, the numbers left, counts, what it costs, the code of the last outlier."""

    symbols: NDArray[np.int64]
    lefts: NDArray[np.int64]
    counts: NDArray[np.int64]
    cost: float
    last: int

    def write(self, writer: Writer, places: Geometry, weights: NDArray[np.float64], about: Description) -> int:
        """Append the block to a payload; returns the code of its last outlier."""
        freqs = _frequencies(self.counts)
        writer.natural(weights.size)
        for weight in weights:
            writer.integer(round(weight * UNIT))
        for row in freqs:
            _write_row(writer, row)
        message = Message()
        bits = (about.most - about.least + 1).bit_length()
        params = self.symbols, self.lefts, _block(places, weights, freqs, 0), bits
        room = np.zeros(WORDS * self.symbols.size, np.uint8)  # so that the message makes room for as many words
        message.push_symbols(swift.push_symbols, room, PRECISION, params, thin=True)
        writer.part(message.to_bytes())
        return self.last


def decode(reader: Reader, shape: tuple[int, ...], shift: int, numbers: Numbers) -> NDArray[np.int64]:
    """Inverse of `encode`."""
    about = Description.read(reader, len(shape), shift)
    shape = tuple(shape[axis] for axis in about.layout.order)
    places = geometry(shape, about.layout.series, VERSION)
    scene, marks, size = scene_of(places, about, numbers), np.zeros(places.size, np.uint8), int(np.prod(shape))
    last, nothing = about.usual[0], np.zeros(0, np.int64)
    for first in range(0, size, BLOCK):
        block = _read(reader, places, last)
        message = Message.from_bytes(reader.part())
        params = (True, scene, marks, block, first, min(size, first + BLOCK), nothing, nothing)
        message.pop_symbols(swift.sweep, nothing, PRECISION, params, thin=True)
        message.verify_end()
        last = int(block.last[0])
    return places.view(scene.codes).reshape(shape).transpose(np.argsort(about.layout.order))


def _surveyed(
    places: Geometry,
    scene: Scene,
    marks: NDArray[np.uint8],
    weights: NDArray[np.float64],
    last: int,
    first: int,
    stop: int,
) -> Survey:
    symbols, lefts = np.zeros(stop - first, np.int64), np.zeros(stop - first, np.int64)
    block = _block(places, weights, np.zeros((CONTEXTS, SYMBOLS), np.int64), last)
    params = (False, scene, marks, block, first, stop, symbols, lefts)
    swift.sweep(np.zeros(3, np.uint64), np.zeros(8, np.uint32), lefts, 0, PRECISION, params)
    counts = np.bincount(symbols, minlength=CONTEXTS * SYMBOLS).reshape(CONTEXTS, SYMBOLS)
    totals = counts.sum(axis=1, keepdims=True)
    bits = np.sum(counts * np.log2(np.maximum(totals, 1) / np.maximum(counts, 1)))
    below = np.concatenate([np.zeros(PLAIN), 2 + np.arange(AGAIN - PLAIN) // 4, [0, 64]])
    return Survey(symbols, lefts, counts, float(bits + np.sum(counts * below)), int(block.last[0]))


def _fitted(places: Geometry, scene: Scene, first: int, stop: int) -> NDArray[np.float64]:
    """Weights that predict most of a block well: least squares, twice, in which what is far off counts less."""
    own = places.own[places.quick]
    wanted = np.arange(first, stop, (stop - first) // SEEN | 1)
    z, rest = np.divmod(wanted, places.height * places.width)
    at = places.start + z * places.area + rest // places.width * places.stride + rest % places.width
    full = np.asarray(places.masks[:, places.quick].all(axis=1))[places.patterns[z]] & (at + own.min() >= 0)
    at = at[full]
    if at.size < 4 * own.size:
        return np.zeros(0)
    base = scene.values[at + places.spots[0]]
    rows = scene.values[at[:, None] + own] - base[:, None]
    target, trust = scene.values[at] - base, np.ones(at.size)
    solved, misses = np.zeros(stride(own.size)), np.zeros(at.size)
    for _ in range(3):
        swift.fit(rows, target, trust, solved, misses)
        off = misses + 0.5 * np.median(misses) + 1e-9
        trust = 1.0 / (off * np.sqrt(off))
    weights = solved[1 : own.size + 1]
    weights = np.round(weights * UNIT) / UNIT
    return weights if np.abs(weights).max() < LARGEST else np.zeros(0)


def _frequencies(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Counts as shares of `TOTAL`, none of them 0 where there was any."""
    totals = np.maximum(counts.sum(axis=1, keepdims=True), 1)
    freqs = np.where(counts > 0, np.maximum(counts * TOTAL // totals, 1), 0)
    for row in freqs:
        while row.any() and row.sum() != TOTAL:
            spare = TOTAL - int(row.sum())
            largest = int(row.argmax())
            row[largest] += max(spare, 1 - int(row[largest]) // 2 - 1) if spare < 0 else spare
    return freqs


def _write_row(writer: Writer, row: NDArray[np.int64]) -> None:
    used = np.flatnonzero(row)
    writer.natural(used.size)
    last = -1
    for symbol in used:
        writer.natural(int(symbol) - last - 1)
        writer.natural(int(row[symbol]))
        last = int(symbol)


def _read(reader: Reader, places: Geometry, last: int) -> Block:
    count, most = reader.natural(), places.quick.size
    if count not in (0, most):
        raise CorruptDataError(
            f"a block has {count} weights, where none or {most} were expected: the payload is damaged"
        )
    weights = np.array([reader.integer() / UNIT for _ in range(count)])
    if np.any(np.abs(weights) >= LARGEST):
        raise CorruptDataError("a weight of a block is too large: the payload is damaged")
    freqs = np.zeros((CONTEXTS, SYMBOLS), np.int64)
    for row in freqs:
        symbol = -1
        for _ in range(reader.natural()):
            symbol += 1 + reader.natural()
            share = reader.natural()
            if symbol >= SYMBOLS or not 0 < share <= TOTAL:
                raise CorruptDataError("the counts of a block are impossible: the payload is damaged")
            row[symbol] = share
        if row.sum() not in (0, TOTAL):
            raise CorruptDataError(
                f"the shares of a block add up to {row.sum()}, where {TOTAL} was expected: the payload is damaged"
            )
    return _block(places, weights, freqs, last)


def _block(places: Geometry, weights: NDArray[np.float64], freqs: NDArray[np.int64], last: int) -> Block:
    starts = np.cumsum(freqs, axis=1) - freqs
    slots = np.zeros((CONTEXTS, TOTAL), np.uint8)
    for row, slot in zip(freqs, slots, strict=True):
        if row.any():
            slot[:] = np.repeat(np.arange(SYMBOLS, dtype=np.uint8), row)
    return Block(
        weights,
        places.quick,
        np.zeros(weights.size),
        np.zeros(weights.size, np.int64),
        freqs.astype(np.uint32).reshape(-1),
        starts.astype(np.uint32).reshape(-1),
        slots.reshape(-1),
        np.array([last]),
    )
