"""A small, representative part of the data for trying codecs on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from codecs_core.arrays import normalise

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from codecs_core.api.items import Items

#: About how many bytes of the data a codec is tried on.
BYTES = 1 << 20
#: Runs of contiguous items are taken from so many places of an array ...
PLACES = 4
#: ... or from so many arrays of a group.
ENTRIES = 16
#: A sample is cut into at most so many chunks.
PIECES = 64


def take(group: Sequence[Items]) -> list[NDArray[Any]]:
    """A sample of arrays that share dtype and item shape: some items of one, or of several evenly chosen ones."""
    if len(group) == 1:
        return [_excerpt(group[0], BYTES, PLACES)]
    mean = max(1, sum(items.spec.nbytes for items in group) // len(group))
    count = min(len(group), max(2, min(ENTRIES, BYTES // mean)))
    chosen = [group[(2 * k + 1) * len(group) // (2 * count)] for k in range(count)]
    return [_excerpt(items, max(BYTES // count, BYTES // 2), 1) for items in chosen]


def pieces(sample: Sequence[NDArray[Any]], chunk: int) -> list[NDArray[Any]]:
    """Cut a sample as the data is going to be cut: `chunk` items each; evenly chosen pieces if they are many."""
    cut = [
        array[start : start + chunk] if array.ndim else array
        for array in sample
        for start in (range(0, len(array), chunk) if array.ndim else (0,))
    ]
    if len(cut) <= PIECES:
        return cut
    return [cut[(2 * k + 1) * len(cut) // (2 * PIECES)] for k in range(PIECES)]


def _excerpt(items: Items, budget: int, places: int) -> NDArray[Any]:
    array, spec = items.peek(), items.spec
    if not spec.shape:
        return normalise(np.asarray(array[...]))
    count = spec.shape[0]
    fitting = max(1, budget * count // max(1, spec.nbytes))
    if count <= fitting:
        return normalise(np.asarray(array[0:count]))
    places = min(places, fitting)
    run = fitting // places
    starts = [min(max(0, (2 * k + 1) * count // (2 * places) - run // 2), count - run) for k in range(places)]
    return normalise(np.concatenate([np.asarray(array[start : start + run]) for start in starts]))
