"""How an array is cut in all axes: a grid of chunks, which are numbered in C order, along the last axis first."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Items along the first axis; or a length for each axis, where another one is cut as well.
Chunk = int | tuple[int, ...]


def simplest(shape: Sequence[int], chunk: Chunk) -> Chunk:
    """The one form in which a container holds `chunk`: an integer, unless another axis than the first is cut.

    Parameters
    ----------
    shape
        That of the array.
    chunk
        Items along the first axis, or a length for each of the first few axes; the others are not cut.
    """
    if isinstance(chunk, int):
        return chunk
    lengths = [*chunk, *shape[len(chunk) :]]
    steps = tuple(max(1, min(step, n)) for step, n in zip(lengths, shape, strict=True))
    if all(shape) and cuts(shape, steps):
        return steps
    return max(1, chunk[0]) if chunk else 1  # a length that is the axis' own may be 0


def cuts(shape: Sequence[int], steps: Sequence[int]) -> bool:
    """Whether chunks of `steps` cut another axis than the first."""
    return any(step < n for step, n in zip(steps[1:], shape[1:], strict=True))


def counts(shape: Sequence[int], steps: Sequence[int]) -> tuple[int, ...]:
    """How many chunks of at most `steps` there are along each axis; none along an empty one, whose step is 0."""
    return tuple(-(-n // max(1, step)) for n, step in zip(shape, steps, strict=True))


def place(i: int, shape: Sequence[int], steps: Sequence[int]) -> tuple[slice, ...]:
    """Where chunk `i` lies in the array: a slice of each axis."""
    found = []
    for n, step, count in zip(reversed(shape), reversed(steps), reversed(counts(shape, steps)), strict=True):
        i, at = divmod(i, count)
        found.append(slice(at * step, min((at + 1) * step, n)))
    return tuple(reversed(found))


def number(at: Sequence[int], along: Sequence[int]) -> int:
    """Number of the chunk that is `at[k]`-th along axis k, of `along[k]` chunks."""
    i = 0
    for one, count in zip(at, along, strict=True):
        i = i * count + one
    return i


def fault(shape: Sequence[int], steps: tuple[int, ...]) -> str | None:
    """What is wrong with the chunk lengths of a grid; None if they are as a container has them."""
    if len(steps) != len(shape):
        return f"has chunks of {len(steps)} axes and an array of {len(shape)}"
    if any(type(step) is not int or not 1 <= step <= max(1, n) for step, n in zip(steps, shape, strict=True)):
        return f"has chunks of shape {steps!r}; expected integers from 1 to the lengths of the array, {tuple(shape)}"
    if not cuts(shape, steps):
        return f"has a grid of chunks {steps!r} that cuts no axis but the first; expected an integer"
    return None


def n_chunks(shape: Sequence[int], chunk: Chunk) -> int:
    """Number of chunks; one for an array of no axes."""
    if isinstance(chunk, tuple):
        return math.prod(counts(shape, chunk))
    return -(-shape[0] // chunk) if shape else 1
