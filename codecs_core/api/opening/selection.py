"""Which chunks an index touches, and which of their items it takes."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class Part:
    """Items `local` of chunk `chunk` go to positions `into` of the selected items."""

    chunk: int
    into: slice
    local: Any


@dataclass(frozen=True, kw_only=True)
class Selection:
    """What an index needs of an array with a first axis.

    Parameters
    ----------
    length
        How many items are taken.
    parts
        Where they are.
    key
        What to index the taken items with to get what the index asks of the array.
    """

    length: int
    parts: Iterable[Part]
    key: tuple[Any, ...]


def select(key: Any, count: int, chunk: int) -> Selection:
    """What `key` needs of an array of `count` items in chunks of `chunk`; raises `IndexError` as numpy does."""
    whole = key if isinstance(key, tuple) else (key,)
    if not whole:
        return _range(range(count), chunk, ())
    first, rest = whole[0], whole[1:]
    if isinstance(first, slice):
        wanted = range(*first.indices(count))
        if wanted.step < 0:
            return _range(wanted[::-1], chunk, (slice(None, None, -1), *rest))
        return _range(wanted, chunk, (slice(None), *rest))
    if isinstance(first, list):
        first = np.asarray(first, dtype=None if first else np.intp)
    if isinstance(first, np.ndarray) and first.ndim == 1 and first.dtype.kind in "biu":
        return _picked(first, rest, count, chunk)
    if not isinstance(first, bool | np.bool_ | np.ndarray) and hasattr(first, "__index__"):
        index = operator.index(first)
        if not -count <= index < count:
            raise IndexError(f"index {index} is out of bounds for axis 0 with size {count}")
        index %= count
        return _range(range(index, index + 1), chunk, (0, *rest))
    return _range(range(count), chunk, whole)  # ..., None and rarer things: numpy knows what they mean


def _range(wanted: range, chunk: int, key: tuple[Any, ...]) -> Selection:
    return Selection(length=len(wanted), parts=_cut(wanted, chunk), key=key)


def _cut(wanted: range, chunk: int) -> Iterator[Part]:
    taken = 0
    while taken < len(wanted):
        number = wanted[taken] // chunk
        start = number * chunk
        size = min(len(wanted) - taken, (start + chunk - 1 - wanted[taken]) // wanted.step + 1)
        first = wanted[taken] - start
        local = slice(first, first + (size - 1) * wanted.step + 1, wanted.step)
        yield Part(chunk=number, into=slice(taken, taken + size), local=local)
        taken += size


def _picked(picks: NDArray[Any], rest: tuple[Any, ...], count: int, chunk: int) -> Selection:
    if picks.dtype.kind == "b":
        if len(picks) != count:
            raise IndexError(f"boolean index has {len(picks)} values where axis 0 has {count}")
        picks = np.flatnonzero(picks)
    outside = picks[(picks >= count) | (picks < -count)] if picks.dtype.kind == "i" else picks[picks >= count]
    if outside.size:
        raise IndexError(f"index {outside[0]} is out of bounds for axis 0 with size {count}")
    places = picks.astype(np.intp)
    unique, inverse = np.unique(np.where(places < 0, places + count, places), return_inverse=True)
    return Selection(length=len(unique), parts=_groups(unique, chunk), key=(inverse.reshape(-1), *rest))


def _groups(unique: NDArray[np.intp], chunk: int) -> Iterator[Part]:
    numbers, starts = np.unique(unique // chunk, return_index=True)
    ends = np.append(starts, len(unique))[1:]
    for number, start, end in zip(numbers.tolist(), starts.tolist(), ends.tolist(), strict=True):
        yield Part(chunk=number, into=slice(start, end), local=unique[start:end] - number * chunk)
