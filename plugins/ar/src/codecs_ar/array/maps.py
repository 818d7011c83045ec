"""From the values of an array to integers whose order is theirs, and back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from codecs_ar.array.grid import DOUBLE, HALF, INTEGER, SINGLE, SMALL, SMALL_SINGLE, TABLE
from codecs_core.entropy import log2
from codecs_core.errors import CorruptDataError


def ordered(array: NDArray[Any]) -> NDArray[np.int64]:
    """Integers in the order of the values: of integers, what they are; of floats, what their bits say, -0 below +0 and NaN at the ends.

    Those of uint64 are smaller by 2^63.
    """
    if array.dtype == np.uint64:
        return (array ^ np.uint64(1 << 63)).view(np.int64)
    if array.dtype.kind != "f":
        return array.astype(np.int64)
    bits = array.view(f"i{array.itemsize}").astype(np.int64)
    most = np.int64((1 << (8 * array.itemsize - 1)) - 1)
    return np.where(bits < 0, -1 - (bits & most), bits)


def restored(codes: NDArray[np.int64], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Inverse of `ordered`.

    Raises
    ------
    CorruptDataError
        If a code is that of no value.
    """
    if dtype == np.uint64:
        return codes.view(np.uint64) ^ np.uint64(1 << 63)
    whole = np.iinfo(dtype if dtype.kind != "f" else f"i{dtype.itemsize}")
    if dtype.itemsize < 8 and codes.size and not whole.min <= codes.min() <= codes.max() <= whole.max:
        raise CorruptDataError(f"the payload has integers that stand for no value of {dtype}: it is damaged")
    if dtype.kind != "f":
        return codes.astype(dtype)
    least = np.int64(-1 << (8 * dtype.itemsize - 1))
    bits = np.where(codes < 0, least | (-1 - codes), codes)
    return bits.astype(f"i{dtype.itemsize}").view(dtype)


#: Codes of binary16 begin here.
_HALF = -1 << 15
#: Multiples are smaller.
LARGEST = 2.0**50
#: Palettes of arrays that have this number of values for each of them come to less than a part tells.
MANY, FEW_COLOURS = 256, 0.97
#: Gaps between colours that are wider cost no more: the widest whose logarithm is known.
WIDEST = np.uint64((1 << 62) - 2)
#: This number of values tells whether an array has few values, or multiples.
LOOKED = 1 << 12
#: Units of the last place by which what is nearly a multiple is beside it.
NEAR = 2


def numbers(values: NDArray[Any]) -> NDArray[np.float64]:
    """Sorted values as finite doubles: what is beyond them, or no number, is twice the largest one."""
    with np.errstate(all="ignore"):
        wide = values.astype(np.float64)
        finite = wide[np.isfinite(wide)]
        most = min(2.0 * float(np.abs(finite).max()) + 1.0, 1e308) if finite.size else 1.0
    signs = np.where(np.signbit(values), -most, most)
    least = SMALL if values.dtype == np.float64 else SMALL_SINGLE if values.dtype == np.float32 else 0.0
    return np.where(np.isfinite(wide), np.where(np.abs(wide) >= least, wide, 0.0), signs)


def halves() -> NDArray[np.float64]:
    """The values of all codes of binary16."""
    return numbers(restored(np.arange(_HALF, -_HALF), np.dtype(np.float16)))


@dataclass(frozen=True)
class Numbers:
    """What codes stand for: the kind of a `grid.Grid`, and where it is a table, the values from the code `first` on."""

    kind: int
    first: int
    table: NDArray[np.float64]


#: Whole numbers.
WHOLE = Numbers(INTEGER, 0, np.zeros(1))


class Map(ABC):
    """From an array to codes and back."""

    kind: ClassVar[int]

    @property
    @abstractmethod
    def numbers(self) -> Numbers:
        """What codes stand for, as far as predictions care."""

    @abstractmethod
    def forward(self, array: NDArray[Any]) -> NDArray[np.int64]:
        """Codes of an array."""

    @abstractmethod
    def backward(self, codes: NDArray[np.int64]) -> NDArray[Any]:
        """Inverse of `forward`, given what `rest` tells."""

    def values(self, codes: NDArray[np.int64]) -> NDArray[np.float64]:
        """What codes stand for, as doubles."""
        return codes.astype(np.float64)

    def cost(self, part: NDArray[Any], share: float) -> float:
        """About how many bytes a part of the array costs beside its codes."""
        return 0.0

    def promise(self, size: int) -> float:
        """What the codes of an array of this size come to, over what a part of it tells."""
        return 1.0


@dataclass(frozen=True)
class Bits(Map):
    """Codes are the ordered integers of the values."""

    dtype: np.dtype[Any]
    kind = 0

    @property
    def numbers(self) -> Numbers:
        """The values."""
        if self.dtype.kind != "f":
            return WHOLE
        if self.dtype == np.float16:
            return Numbers(HALF, _HALF, halves())
        return Numbers(SINGLE if self.dtype == np.float32 else DOUBLE, 0, np.zeros(1))

    def forward(self, array: NDArray[Any]) -> NDArray[np.int64]:
        """Codes of an array."""
        return ordered(array)

    def backward(self, codes: NDArray[np.int64]) -> NDArray[Any]:
        """Inverse of `forward`."""
        return restored(codes, self.dtype)

    def values(self, codes: NDArray[np.int64]) -> NDArray[np.float64]:
        """What codes stand for."""
        with np.errstate(all="ignore"):
            return (
                codes.astype(np.float64) if self.dtype.kind != "f" else restored(codes, self.dtype).astype(np.float64)
            )


@dataclass(frozen=True, eq=False)
class Palette(Map):
    """Codes are ranks among the values that occur; predictions are made of ranks, or of the values."""

    dtype: np.dtype[Any]
    colours: NDArray[np.int64]
    by_value: bool
    kind = 1

    @property
    def numbers(self) -> Numbers:
        """Ranks, or values."""
        return Numbers(TABLE, 0, numbers(restored(self.colours, self.dtype))) if self.by_value else WHOLE

    def forward(self, array: NDArray[Any]) -> NDArray[np.int64]:
        """Codes of an array."""
        codes, least = ordered(array), int(self.colours[0])
        span = int(self.colours[-1]) - least + 1
        if span > 4 * codes.size:
            return np.searchsorted(self.colours, codes).astype(np.int64)
        ranks = np.zeros(span, np.int64)
        ranks[self.colours - least] = np.arange(self.colours.size)
        found: NDArray[np.int64] = ranks[codes - least]
        return found

    def backward(self, codes: NDArray[np.int64]) -> NDArray[Any]:
        """Inverse of `forward`."""
        return restored(self.colours[np.clip(codes, 0, self.colours.size - 1)], self.dtype)

    def values(self, codes: NDArray[np.int64]) -> NDArray[np.float64]:
        """Ranks, or values."""
        return self.numbers.table[codes] if self.by_value else codes.astype(np.float64)

    def promise(self, size: int) -> float:
        """What is learned of each of a few values is learned late in a part."""
        return FEW_COLOURS if self.colours.size * MANY < size else 1.0

    def cost(self, part: NDArray[Any], share: float) -> float:
        """Share of the palette."""
        gaps = np.minimum(np.diff(self.colours.view(np.uint64)), WIDEST).astype(np.int64)
        if gaps.size == 0 or np.all(gaps == gaps[0]):
            return 0.0
        return (0.7 * int(np.sum(log2(1 + gaps))) / 65536 + 1.5 * gaps.size) / 8 * share


@dataclass(frozen=True)
class Multiples(Map):
    """Codes are whole numbers i of floats near i * step, or i / step; what is missing, in units of the last place, is coded apart.

    What is too large, or no number, is coded as `beyond`.
    """

    dtype: np.dtype[Any]
    step: float
    divided: bool
    beyond: int
    kind = 2

    @property
    def numbers(self) -> Numbers:
        """The whole numbers."""
        return WHOLE

    @property
    def size(self) -> float:
        """The distance of two multiples."""
        return 1.0 / self.step if self.divided else self.step

    def forward(self, array: NDArray[Any]) -> NDArray[np.int64]:
        """Codes of an array."""
        with np.errstate(all="ignore"):
            wide = array.astype(np.float64)
            whole = np.rint(wide * self.step if self.divided else wide / self.step)
            return np.where(np.abs(whole) < LARGEST, whole, self.beyond).astype(np.int64)

    def backward(self, codes: NDArray[np.int64]) -> NDArray[Any]:
        """The multiples."""
        with np.errstate(all="ignore"):
            whole = codes.astype(np.float64)
            return (whole / self.step if self.divided else whole * self.step).astype(self.dtype)

    def missing(self, array: NDArray[Any], codes: NDArray[np.int64]) -> NDArray[np.int64]:
        """By how many places the values are beyond the multiples."""
        return ordered(array) - ordered(self.backward(codes))

    def completed(self, codes: NDArray[np.int64], missing: NDArray[np.int64]) -> NDArray[Any]:
        """Inverse of `forward` and `missing`."""
        return restored(ordered(self.backward(codes)) + missing, self.dtype)

    def cost(self, part: NDArray[Any], share: float) -> float:
        """Information in what is missing."""
        _, counts = np.unique(self.missing(part, self.forward(part)), return_counts=True)
        return int(np.sum(counts * (log2(max(part.size, 1)) - log2(counts)))) / 65536 / 8


@dataclass(frozen=True)
class Coarse(Map):
    """Codes are ordered integers of floats, divided by a step; what is missing is coded apart."""

    dtype: np.dtype[Any]
    step: int
    kind = 3

    @property
    def numbers(self) -> Numbers:
        """The quotients."""
        return WHOLE

    def forward(self, array: NDArray[Any]) -> NDArray[np.int64]:
        """Codes of an array."""
        return (ordered(array) + self.step // 2) // self.step

    def backward(self, codes: NDArray[np.int64]) -> NDArray[Any]:
        """Inverse of `forward`, as far as it can be."""
        whole = np.iinfo(f"i{self.dtype.itemsize}")  # rounding may go beyond the first and the last NaN
        return restored(np.clip(codes * self.step, whole.min, whole.max), self.dtype)

    def missing(self, array: NDArray[Any], codes: NDArray[np.int64]) -> NDArray[np.int64]:
        """By how many places the values are beyond that."""
        return ordered(array) - codes * self.step

    def completed(self, codes: NDArray[np.int64], missing: NDArray[np.int64]) -> NDArray[Any]:
        """Inverse of `forward` and `missing`."""
        return restored(codes * self.step + missing, self.dtype)


def occurring(codes: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The codes that occur, sorted, and how often each does."""
    least, most = int(codes.min()), int(codes.max())
    if most - least < 4 * codes.size:
        counts = np.bincount(codes.reshape(-1) - least)
        found = np.flatnonzero(counts)
        return found + least, counts[found]
    inorder = np.sort(codes, axis=None)
    starts = np.flatnonzero(np.concatenate([[True], inorder[1:] != inorder[:-1]]))
    return inorder[starts], np.diff(starts, append=inorder.size)


def candidates(array: NDArray[Any], *, brief: bool = False) -> list[Map]:
    """Maps that are worth a try; briefly, palettes are where some of a few values are the same."""
    found: list[Map] = [Bits(array.dtype)]
    few = array.reshape(-1)[:: max(1, array.size // LOOKED)]
    if not brief or occurring(ordered(few))[0].size < few.size // 4 * 3:
        colours, _ = occurring(ordered(array))
        span = float(colours[-1]) - float(colours[0]) + 1
        # ranks of floats are other numbers to predict, even where there are no gaps to close
        if 2 < colours.size <= min(array.size // 2, 1 << 20) and (span > 1.2 * colours.size or array.dtype.kind == "f"):
            found.append(Palette(array.dtype, colours, by_value=False))
            if array.dtype.kind == "f":
                found.append(Palette(array.dtype, colours, by_value=True))
    if array.dtype.kind == "f":
        found += multiples(array, few)
    return found


def multiples(array: NDArray[Any], few: NDArray[Any]) -> list[Map]:
    """Steps that most values are multiples of, or nearly so, as a few of them tell."""
    few = _usual(few)
    for digits in range(10) if few.size else ():
        chosen = Multiples(array.dtype, 10.0**digits, divided=True, beyond=0)
        if np.mean(np.abs(chosen.missing(few, chosen.forward(few))) <= NEAR) <= 0.7:
            continue
        whole = chosen.forward(_usual(array))
        if np.ptp(whole) < 2.0**45:
            step = 10.0**digits
            common = int(np.gcd.reduce(whole))
            if common > 1 and step % common == 0:
                step = step / common
            return [spread(Multiples(array.dtype, step, divided=True, beyond=0), array)]
    return []


def _usual(array: NDArray[Any]) -> NDArray[Any]:
    finite = array[np.isfinite(array)]
    found: NDArray[Any] = finite[np.abs(finite.astype(np.float64)) < LARGEST]
    return found


def spread(chosen: Multiples, array: NDArray[Any]) -> Multiples:
    """The same map, with a code for what is no multiple that is far beyond all that are."""
    usual = array[np.isfinite(array)]
    whole = chosen.forward(usual[np.abs(usual.astype(np.float64)) < LARGEST * chosen.size])
    far = int(whole.max()) + 3000 * (int(whole.max()) - int(whole.min()) + 1) if whole.size else 0
    return replace(chosen, beyond=min(far, 1 << 60))
