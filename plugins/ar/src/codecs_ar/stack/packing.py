"""Tensors of integers in a few bytes: what makes a model small enough to pay for itself.

Weights of a layer are coded as discretised logistics around 0 whose scales are products of one for each row and one for each column: what
inputs are worth differs more than what single weights are. Other integers are coded as differences, by how many bits they have.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_core.entropy import AdaptiveCategorical, Bits, DiscretizedLogistic, Message
from codecs_core.errors import ModelError

#: Octaves that an integer and its sign may take.
OCTAVES = 56
#: The largest side of a matrix, and the most bits of a weight.
ROWS, WIDE = 1 << 12, 15
#: Log-scales of rows and columns are in units of 1/8 of an octave, from 0 to `SCALES` - 1; those of columns are from -1 octave on.
SCALES, STEP, LEAST = 128, 8, 1


class Packer:
    """Puts arrays away; what is put first is got first."""

    def __init__(self) -> None:
        self._parts: list[tuple[Any, NDArray[Any]]] = []

    def numbers(self, x: NDArray[Any]) -> None:
        """Put integers of one axis, whose number is known, below 2^54 in magnitude."""
        differences = x.astype(np.int64)
        differences[1:] -= x[:-1]
        folded = (differences << 1) ^ (differences >> 63)
        octaves = np.searchsorted(np.int64(1) << np.arange(OCTAVES, dtype=np.int64), folded, side="right")
        self._parts.append((_octaves(len(x)), octaves))
        self._parts.append(
            (Bits(np.maximum(octaves - 1, 0)), np.where(octaves > 0, folded - (1 << np.maximum(octaves - 1, 0)), 0))
        )

    def matrix(self, weight: NDArray[Any]) -> None:
        """Put integers of two axes, whose shape is known."""
        w = weight.astype(np.int64)
        bits = max(2, int(np.abs(w).max()).bit_length() + 1)
        rows, columns = _scales(w)
        self.numbers(np.array([bits]))
        self.numbers(rows)
        self.numbers(columns)
        self._parts.append((_weights(bits, rows, columns), w + (1 << (bits - 1))))

    def packed(self) -> NDArray[np.uint8]:
        """All of it."""
        message = Message()
        for distribution, x in reversed(self._parts):
            distribution.push(message, x)
        return np.frombuffer(message.to_bytes(), np.uint8)


class Unpacker:
    """Gets back what a `Packer` has put away."""

    def __init__(self, packed: NDArray[np.uint8]) -> None:
        self.message = Message.from_bytes(packed.tobytes())

    def numbers(self, count: int) -> NDArray[np.int64]:
        """Get this number of integers."""
        octaves = _octaves(count).pop(self.message)
        rest = Bits(np.maximum(octaves - 1, 0)).pop(self.message)
        folded = np.where(octaves > 0, rest + (np.int64(1) << np.maximum(octaves - 1, 0).astype(np.int64)), 0)
        return np.cumsum((folded >> 1) ^ -(folded & 1))

    def matrix(self, rows: int, columns: int) -> NDArray[np.int64]:
        """Get a matrix."""
        (bits,) = self.numbers(1)
        scales = self.numbers(rows), self.numbers(columns)
        if not 2 <= bits <= WIDE or any(s.min() < 0 or s.max() >= SCALES for s in scales):
            raise ModelError("the packed weights of a model have scales out of range; the file is damaged")
        weight: NDArray[np.int64] = _weights(int(bits), *scales).pop(self.message).astype(np.int64) - (
            1 << (int(bits) - 1)
        )
        return weight

    def end(self) -> None:
        """Raise `CorruptDataError` unless all is got back."""
        self.message.verify_end()


def _octaves(count: int) -> AdaptiveCategorical:
    return AdaptiveCategorical(0, symbols=OCTAVES, tables=1, prior=4, memory=256, shape=count)


def _weights(bits: int, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> DiscretizedLogistic:
    log_scale = (rows[:, None] + columns - LEAST * STEP) * (64 // STEP) - 128
    return DiscretizedLogistic(
        np.full((), 1 << (bits + 7), np.int64), log_scale.clip(-128, 64 * WIDE), symbols=1 << bits
    )


def _scales(w: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Log-scales of rows and columns, in units, that describe a matrix about best."""
    # a logistic of scale s has the mean magnitude 2 s log 2
    magnitude = np.abs(w) / (2 * np.log(2))
    rows, columns = np.ones(len(w)), np.ones(w.shape[1])
    for _ in range(8):
        rows = np.maximum((magnitude / columns).mean(1), 0.05)
        columns = np.maximum((magnitude / rows[:, None]).mean(0), 0.05)
    return _units(np.log2(rows) + 2), _units(np.log2(columns) + LEAST)


def _units(octaves: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.rint(STEP * octaves).astype(np.int64).clip(0, SCALES - 1)
