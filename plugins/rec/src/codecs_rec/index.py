"""Codes of indices. `Zipf`, `EliasGamma` and `EliasDelta` of the engine serve where little is known; here is what is calibrated."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from codecs_core.entropy import WIDE, Bijection, Categorical, Octaves, Serial, StackCodec, Zipf, exponents, quantise
from codecs_core.errors import EntropyError
from codecs_rec.tables import table

#: Octaves of an int64 index; the last one holds escapes.
OCTAVES = 62
PRECISION = 20


def calibrate(
    index: ArrayLike, octaves: int = OCTAVES, *, prior: float = 0.5, smooth: bool = False
) -> NDArray[np.int64]:
    """Counts of octaves that fit a sample of indices, none of them 0; they add up to 2^20.

    The `prior` is added to every octave up to two beyond the largest seen, a 1000th of it to the others. Where
    a sample is small, `smooth` shares half of what was seen with the neighbours.
    """
    seen = np.bincount(exponents(index).reshape(-1), minlength=octaves)[:octaves].astype(np.float64)
    if smooth:
        padded = np.pad(seen, 1, mode="edge")
        seen = 0.5 * seen + 0.25 * (padded[:-2] + padded[2:])
    near = np.arange(octaves) <= (np.flatnonzero(seen).max(initial=0) + 2)
    counts: NDArray[np.int64] = quantise(seen + np.where(near, prior, prior / 1000), PRECISION).astype(np.int64)
    return counts


class OctaveCode(Octaves):
    """Indices from 1 on: the octave by a calibrated table, then the bits below the leading one, as they are.

    For the nodes of a tree these are the depth and the path; for the proposals of a search, where early ones are
    likelier, the octave is all that can be told about an index. A complete prefix code.

    Parameters
    ----------
    counts
        Of the octaves, 0 and on, adding up to 2^20: shape (octaves,), or (tables, octaves) with `which` of them each index uses.
    which
        Table of each index.
    shape
        Of the arrays that are pushed and popped.
    """

    def __init__(
        self, counts: ArrayLike, *, which: ArrayLike | None = None, shape: int | tuple[int, ...] | None = None
    ) -> None:
        octave = Categorical(counts, index=which, precision=PRECISION, shape=shape)
        super().__init__(octave, shape=octave.shape, largest=(1 << octave.symbols) - 1)


def octave_code(counts: NDArray[np.int64], rows: NDArray[np.int64]) -> StackCodec[NDArray[Any]]:
    """Code of octaves that may lie at the bottom of a message, by rows of counts, in parts that one head codes: nothing opens more."""
    ends = range(WIDE - 1, len(rows), WIDE - 1)
    parts = Serial(*(Categorical(counts, index=part) for part in np.split(rows, ends) if part.size))
    return Bijection(
        lambda x: tuple(np.split(x, ends)) if len(x) else (),
        lambda each: np.concatenate([np.zeros(0, np.int64), *each]).astype(np.int64),
        parts,
    )


def zipf(information: float, shape: int | tuple[int, ...] = ()) -> Zipf:
    """The power law for indices whose samples tell `information` bits: p(n) ~ n^-(1 + 1 / information) (Li, El Gamal 2018)."""
    if not math.isfinite(information) or information < 0:
        raise EntropyError(f"information is a number of bits, 0 or more, not {information!r}")
    return Zipf(min(512, max(65, 64 + round(64 / max(information, 1e-3)))), shape)


@cache
def depth_counts(information: float, split: str = "dyadic") -> NDArray[np.int64]:
    """Committed counts of the depths of `BranchAndBound` for a one-dimensional Gaussian channel of 0 to 16 bits.

    They are the nearest quarter bit's; `tables.depths` made them.
    """
    if not 0 <= information <= 16:
        raise EntropyError(f"depths are tabulated for 0 to 16 bits, not {information!r}; calibrate a table instead")
    row: NDArray[np.int64] = table(f"depths_{split}")[round(4 * information)]
    return row


def depth_code(information: float, split: str = "dyadic", shape: int | tuple[int, ...] = ()) -> OctaveCode:
    """The code of `BranchAndBound` indices of a Gaussian channel."""
    return OctaveCode(depth_counts(information, split), shape=shape)
