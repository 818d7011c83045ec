"""Streams of the fast level: blocks, each with the weights of its prediction and the counts of its symbols before a message."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from codecs_ar.array import shares, survey, swift
from codecs_ar.array.layout import Geometry, geometry
from codecs_ar.array.maps import Numbers
from codecs_ar.array.payload import Reader, Writer
from codecs_ar.array.real import logarithms
from codecs_ar.array.scene import Scene
from codecs_ar.array.shares import CONTEXTS, PRECISION, SYMBOLS
from codecs_ar.array.squares import stride
from codecs_ar.array.stream import VERSION, Description, scene_of
from codecs_ar.array.swift import block_of
from codecs_core.entropy import Message
from codecs_core.errors import CorruptDataError

#: Values of a block; about how many of them its weights are found from, and how many are coded to see whether these are of use.
BLOCK, SEEN, TRIED = 1 << 18, 1 << 12, 1 << 13
#: How often weights are found.
ROUNDS = 3
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
        survey.fill(scene, first, stop)
        choices = [_fitted(places, scene, first, stop), np.zeros(0)]
        middle = first + max(0, stop - first - TRIED) // 2
        tried = middle, min(stop, middle + TRIED)
        costs = [_surveyed(places, scene, marks, weights, last, *tried).cost for weights in choices]
        weights = choices[costs.index(min(costs))]
        last = _surveyed(places, scene, marks, weights, last, first, stop).write(writer, weights, about)


def measure(codes: NDArray[np.int64], about: Description, numbers: Numbers) -> float:
    """Bytes of information in codes, as symbols of one block: their share of what a longer array has."""
    scene, places = _scene(codes, about, numbers)
    marks, last, stop = np.zeros(places.size, np.uint8), about.usual[0], codes.size
    survey.fill(scene, 0, stop)
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

    symbols: NDArray[np.uint16]
    lefts: NDArray[np.int64]
    counts: NDArray[np.int64]
    cost: float
    last: int

    def write(self, writer: Writer, weights: NDArray[np.float64], about: Description) -> int:
        """Append the block to a payload; returns the code of its last outlier."""
        freqs = shares.shared(self.counts)
        writer.natural(weights.size)
        for weight in weights:
            writer.integer(round(weight * UNIT))
        shares.write(writer, freqs)
        message = Message()
        params = self.symbols, self.lefts, freqs, (about.most - about.least + 1).bit_length()
        room = np.zeros(WORDS * self.symbols.size, np.uint8)  # so that the message makes room for as many words
        message.push_symbols(survey.push_symbols, room, PRECISION, params, thin=True)
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
        block = block_of(_read_weights(reader, places), places.quick, last)
        found, message = shares.read(reader), Message.from_bytes(reader.part())
        params = (scene, marks, block, found, first, min(size, first + BLOCK))
        message.pop_symbols(swift.follow, nothing, PRECISION, params, thin=True)
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
    symbols, lefts = np.empty(stop - first, np.uint16), np.empty(stop - first, np.int64)
    counts, block = np.zeros(CONTEXTS * SYMBOLS, np.int64), block_of(weights, places.quick, last)
    survey.survey(scene, marks, block, first, stop, symbols, lefts, counts)
    bits = (scene.grid.most - scene.grid.least + 1).bit_length()
    return Survey(symbols, lefts, counts, survey.information(counts, bits, logarithms()), int(block.last[0]))


def _fitted(places: Geometry, scene: Scene, first: int, stop: int) -> NDArray[np.float64]:
    """Weights that predict most of a block well: least squares again and again, in which what was far off counts less."""
    own = places.own[places.quick]
    wanted = np.arange(first, stop, (stop - first) // SEEN | 1)
    z, rest = np.divmod(wanted, places.height * places.width)
    at = places.start + z * places.area + rest // places.width * places.stride + rest % places.width
    full = np.asarray(places.masks[:, places.quick].all(axis=1))[places.patterns[z]] & (at + own.min() >= 0)
    at = at[full]
    if at.size < 4 * own.size:
        return np.zeros(0)
    wide = stride(own.size)
    rows, solved = np.zeros(at.size * wide), np.zeros(wide)
    survey.gather(scene.values, at, np.concatenate([places.spots[:1], own]), rows)
    trust, misses = np.ones(at.size), np.zeros(at.size)
    for count in range(ROUNDS):
        if count > 0:
            off = misses + 0.5 * np.partition(misses, misses.size // 2)[misses.size // 2] + 1e-9
            trust = 1.0 / (off * np.sqrt(off))
        survey.fit(rows, own.size, trust, solved, misses)
    weights = solved[1 : own.size + 1]
    weights = np.round(weights * UNIT) / UNIT
    return weights if np.abs(weights).max() < LARGEST else np.zeros(0)


def _read_weights(reader: Reader, places: Geometry) -> NDArray[np.float64]:
    count, most = reader.natural(), places.quick.size
    if count not in (0, most):
        raise CorruptDataError(
            f"a block has {count} weights, where none or {most} were expected: the payload is damaged"
        )
    weights = np.array([reader.integer() / UNIT for _ in range(count)])
    if np.any(np.abs(weights) >= LARGEST):
        raise CorruptDataError("a weight of a block is too large: the payload is damaged")
    return weights
