"""Which chunks an index touches, and which of their values it takes."""

from __future__ import annotations

import itertools
import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, SupportsIndex

import numpy as np

from codecs_core.container.grid import counts, number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class Part:
    """Values `local` of chunk `chunk` go to positions `into` of what is taken; both have one index an axis."""

    chunk: int
    into: tuple[slice, ...]
    local: tuple[Any, ...]

    def of(self, chunk: NDArray[Any]) -> NDArray[Any]:
        """The values that are taken of the decoded chunk."""
        found = chunk[tuple(one if isinstance(one, slice) else slice(None) for one in self.local)]
        for axis, one in enumerate(self.local):
            if not isinstance(one, slice):
                found = found.take(one, axis)
        return found


@dataclass(frozen=True, kw_only=True)
class Along:
    """What is taken along one axis.

    Parameters
    ----------
    length
        How many positions.
    pieces
        The chunks that have them: the place along the axis, where the positions go, and where they are in the chunk.
    key
        What to index the taken positions with to get what the index asks of the axis.
    """

    length: int
    pieces: Callable[[], Iterable[tuple[int, slice, Any]]]
    key: Any


@dataclass(frozen=True, kw_only=True)
class Selection:
    """What an index needs of an array with axes.

    Parameters
    ----------
    axes
        What is taken along each axis.
    along
        How many chunks there are along each axis.
    key
        What to index the taken values with to get what the index asks of the array.
    """

    axes: Sequence[Along]
    along: tuple[int, ...]
    key: tuple[Any, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of what is taken."""
        return tuple(axis.length for axis in self.axes)

    @property
    def parts(self) -> Iterator[Part]:
        """Where it is, chunk by chunk in their order."""
        for pieces in itertools.product(*(axis.pieces() for axis in self.axes)):
            at, into, local = zip(*pieces, strict=True)
            yield Part(chunk=number(at, self.along), into=into, local=local)


def select(key: Any, shape: tuple[int, ...], steps: tuple[int, ...]) -> Selection:
    """What `key` needs of an array in chunks of `steps`; raises `IndexError` as numpy does."""
    whole = key if isinstance(key, tuple) else (key,)
    indices = [np.asarray(one, dtype=None if one else np.intp) if isinstance(one, list) else one for one in whole]
    if not all(map(_is_plain, indices)) or sum(one is Ellipsis for one in indices) > 1:
        # Masks of several axes and rarer things: numpy knows what they mean.
        indices, left = [], whole
    else:
        indices, left = _of_each_axis(indices, len(shape)), None
    axes: list[Along] = []
    rest: list[Any] = []
    for index in indices:
        if index is None or index is Ellipsis:
            rest.append(index)
            continue
        axis = len(axes)
        axes.append(_along(index, axis, shape[axis], steps[axis]))
        rest.append(axes[-1].key)
    axes += [_along(slice(None), k, shape[k], steps[k]) for k in range(len(axes), len(shape))]
    return Selection(axes=axes, along=counts(shape, steps), key=tuple(rest) if left is None else left)


def _is_plain(index: Any) -> bool:
    """Whether an index is for one axis, or for none but plain in what it means."""
    if index is None or index is Ellipsis or isinstance(index, slice):
        return True
    if isinstance(index, np.ndarray):
        return index.ndim > 0 and index.dtype.kind in "biu" and (index.dtype.kind != "b" or index.ndim == 1)
    return not isinstance(index, bool | np.bool_) and isinstance(index, SupportsIndex)


def _of_each_axis(indices: Sequence[Any], ndim: int) -> list[Any]:
    """The indices with slices in place of an ellipsis, if it stands for any axis: the k-th slice, number or array is for axis k."""
    named = sum(one is not None and one is not Ellipsis for one in indices)
    if named > ndim:
        raise IndexError(f"too many indices for array: array is {ndim}-dimensional, but {named} were indexed")
    found: list[Any] = []
    for one in indices:
        found += [slice(None)] * (ndim - named) or [Ellipsis] if one is Ellipsis else [one]
    return found


def _along(index: Any, axis: int, n: int, step: int) -> Along:
    """What an index takes of an axis of `n` positions in chunks of `step`."""
    if isinstance(index, slice):
        wanted = range(*index.indices(n))
        if wanted.step < 0:
            return _range(wanted[::-1], step, slice(None, None, -1))
        return _range(wanted, step, slice(None))
    if isinstance(index, np.ndarray):
        return _picked(index, axis, n, step)
    at = operator.index(index)
    if not -n <= at < n:
        raise IndexError(f"index {at} is out of bounds for axis {axis} with size {n}")
    at %= n
    return _range(range(at, at + 1), step, 0)


def _range(wanted: range, step: int, key: Any) -> Along:
    return Along(length=len(wanted), pieces=lambda: _cut(wanted, step), key=key)


def _cut(wanted: range, step: int) -> Iterator[tuple[int, slice, Any]]:
    taken = 0
    while taken < len(wanted):
        at = wanted[taken] // step
        start = at * step
        size = min(len(wanted) - taken, (start + step - 1 - wanted[taken]) // wanted.step + 1)
        first = wanted[taken] - start
        yield at, slice(taken, taken + size), slice(first, first + (size - 1) * wanted.step + 1, wanted.step)
        taken += size


def _picked(picks: NDArray[Any], axis: int, n: int, step: int) -> Along:
    if picks.dtype.kind == "b":
        if len(picks) != n:
            raise IndexError(
                f"boolean index did not match indexed array along axis {axis}; size of axis is {n} but size of "
                f"corresponding boolean axis is {len(picks)}"
            )
        picks = np.flatnonzero(picks)
    outside = picks[(picks >= n) | (picks < -n)] if picks.dtype.kind == "i" else picks[picks >= n]
    if outside.size:
        raise IndexError(f"index {outside[0]} is out of bounds for axis {axis} with size {n}")
    places = picks.astype(np.intp)
    unique, inverse = np.unique(np.where(places < 0, places + n, places), return_inverse=True)
    return Along(length=len(unique), pieces=lambda: _groups(unique, step), key=inverse.reshape(picks.shape))


def _groups(unique: NDArray[np.intp], step: int) -> Iterator[tuple[int, slice, Any]]:
    chunks, starts = np.unique(unique // step, return_index=True)
    ends = np.append(starts, len(unique))[1:]
    for at, start, end in zip(chunks.tolist(), starts.tolist(), ends.tolist(), strict=True):
        yield at, slice(start, end), unique[start:end] - at * step
