"""A small, representative part of the data for trying codecs on."""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import numpy as np

from codecs_core.arrays import ArraySpec, normalise
from codecs_core.container.grid import n_chunks, place, simplest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from codecs_core.api.items import Items
    from codecs_core.codec import Codec
    from codecs_core.container.grid import Chunk

#: About how many bytes of the data a codec is tried on ...
BYTES = 1 << 20
#: ... and first, to see whether it is worth that.
ROUGHLY = 3 << 14
#: An excerpt is this number of runs of contiguous items of an array, or this number of crops of an image.
PLACES = 4
#: A sample is taken from at most this number of arrays of a group.
ENTRIES = 16
#: A sample is cut into at most this number of chunks.
PIECES = 64


@dataclass(frozen=True)
class Excerpt:
    """A part of an array of a group.

    Parameters
    ----------
    items
        The whole.
    parts
        Arrays to encode, each by itself.
    """

    items: Items
    parts: list[NDArray[Any]]

    @property
    def nbytes(self) -> int:
        """Bytes of all parts."""
        return sum(part.nbytes for part in self.parts)

    def pieces(self, codec: Codec, chunk: Chunk | None, most: int = PIECES) -> list[NDArray[Any]]:
        """The parts, cut as the data is going to be cut; evenly chosen pieces where they are more than `most`."""
        size = chunk or codec.default_chunk(self.items.spec)
        return pieces(self.parts, size, most)


def take(group: Sequence[Items], *, images: bool = False, budget: int = BYTES) -> list[Excerpt]:
    """A sample of arrays that a codec may have to encode alike.

    Parameters
    ----------
    group
        Arrays of one dtype; of one item shape too, unless they are images.
    images
        Whether the arrays are images of any height and width; then crops are taken instead of rows.
    budget
        About how many bytes.
    """
    if len(group) == 1:
        return [excerpt(group[0], budget, images=images, places=PLACES)]
    chosen = _chosen(group, ENTRIES // 2 if images else 2)
    share = budget // (len(chosen) if images else min(2, len(chosen)))
    return [excerpt(group[k], share, images=images, places=-(-PLACES // len(chosen))) for k in chosen]


def excerpt(items: Items, budget: int, *, images: bool = False, places: int = 1) -> Excerpt:
    """About `budget` bytes of one array, from `places` places of it."""
    array, spec = items.peek(), items.spec
    if spec.nbytes <= budget or not spec.shape:
        return Excerpt(items, [normalise(np.asarray(array[...]))])
    cut = _crops if images else _runs
    return Excerpt(items, cut(array, spec, budget, places))


def rough(sample: Sequence[Excerpt]) -> list[Excerpt]:
    """About `ROUGHLY` bytes of a sample, of two of its arrays."""
    some = [sample[len(sample) // 3], sample[-1]] if len(sample) > 2 else list(sample)
    share = ROUGHLY // len(some)
    return [
        Excerpt(one.items, [part[: max(1, len(part) * share // max(1, part.nbytes))] if part.ndim else part])
        for one in some
        for part in one.parts[:1]
    ]


def less(sample: Sequence[Excerpt], budget: int) -> list[Excerpt]:
    """The sample, or of each of its parts the first items, so that it has about `budget` bytes."""
    total = sum(one.nbytes for one in sample)
    if total <= budget:
        return list(sample)
    return [
        Excerpt(one.items, [part[: max(1, len(part) * budget // total)] if part.ndim else part for part in one.parts])
        for one in sample
    ]


def pieces(parts: Sequence[NDArray[Any]], chunk: Chunk, most: int = PIECES) -> list[NDArray[Any]]:
    """Cut arrays into chunks; evenly chosen pieces if they are more than `most`."""
    cut = [piece for array in parts for piece in _cut(array, simplest(array.shape, chunk))]
    if len(cut) <= most:
        return cut
    return [cut[(2 * k + 1) * len(cut) // (2 * most)] for k in range(most)]


def _cut(array: NDArray[Any], chunk: Chunk) -> list[NDArray[Any]]:
    if not array.ndim:
        return [array]
    if isinstance(chunk, int):
        return [array[start : start + chunk] for start in range(0, len(array), chunk)]
    return [array[place(i, array.shape, chunk)] for i in range(n_chunks(array.shape, chunk))]


def _chosen(group: Sequence[Items], least: int) -> list[int]:
    """Which arrays to take, `least` of them if there are: evenly spread over the bytes of the group."""
    ends = list(accumulate(items.spec.nbytes for items in group))
    mean = max(1, ends[-1] // len(group))
    count = min(len(group), max(least, min(ENTRIES, BYTES // mean)))
    if not ends[-1]:
        return list(range(count))
    return sorted({bisect_right(ends, (2 * k + 1) * ends[-1] // (2 * count)) for k in range(count)})


def _runs(array: Any, spec: ArraySpec, budget: int, places: int) -> list[NDArray[Any]]:
    """One array of runs of items, from places evenly spread."""
    count = spec.shape[0]
    fitting = min(count, max(1, budget * count // max(1, spec.nbytes)))
    places = min(places, fitting)
    run = fitting // places
    starts = [min(max(0, (2 * k + 1) * count // (2 * places) - run // 2), count - run) for k in range(places)]
    return [normalise(np.concatenate([np.asarray(array[start : start + run]) for start in starts]))]


def _crops(array: Any, spec: ArraySpec, budget: int, places: int) -> list[NDArray[Any]]:
    """Crops of an image, as square as it allows, no two of them in the same rows or columns of a grid."""
    height, width = spec.shape[:2]
    pixels = max(1, budget // places * height * width // spec.nbytes)
    side = max(1, math.isqrt(pixels))
    h = min(height, max(side, pixels // width))
    w = min(width, max(1, pixels // h))
    found = []
    for k in range(places):
        down = (2 * k + 1) / (2 * places)
        across = (2 * (k * max(1, places - 1) % places) + 1) / (2 * places)
        y, x = round(down * (height - h)), round(across * (width - w))
        found.append(normalise(np.asarray(array[y : y + h, x : x + w])))
    return found
