"""A small, representative part of the data for trying codecs on."""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import numpy as np

from codecs_core.arrays import normalise
from codecs_core.container.grid import n_chunks, place, simplest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from codecs_core.api.items import Items
    from codecs_core.codec import Codec
    from codecs_core.container.grid import Chunk

#: Values of a sample at most.
VALUES = 1 << 18
#: Values of a first look at each array, and the most arrays that it looks at.
GLANCE, LOOKS = 1 << 12, 4
#: An excerpt is blocks from this number of places of an array.
PLACES = 4
#: A sample is taken from at most this number of arrays of a group.
ENTRIES = 16
#: A sample is cut into at most this number of chunks.
PIECES = 64
#: Items of a stack are taken whole if they have at most this number of values.
SMALL = 3 << 10


@dataclass(frozen=True)
class Excerpt:
    """A part of an array of a group.

    Parameters
    ----------
    items
        The whole.
    blocks
        Blocks of it from several places, all of one shape.
    cropped
        Whether the blocks are less than whole items along the first axis.
    images
        Whether the array is an image.
    """

    items: Items
    blocks: list[NDArray[Any]]
    cropped: bool = False
    images: bool = False

    @cached_property
    def array(self) -> NDArray[Any]:
        """The blocks one behind the other: what is to be encoded."""
        return self.blocks[0] if len(self.blocks) == 1 else np.concatenate(self.blocks)

    @property
    def nbytes(self) -> int:
        """Bytes of all blocks."""
        return sum(block.nbytes for block in self.blocks)

    @property
    def size(self) -> int:
        """Values of all blocks."""
        return sum(block.size for block in self.blocks)

    def smaller(self, values: int) -> Excerpt:
        """About this number of its values, from the middle of each block."""
        if self.size <= values:
            return self
        places = max(1, PLACES // len(self.blocks))
        share = values // len(self.blocks)
        whole = not self.cropped and not self.images and _is_stack(self.items, self.blocks[0].shape)
        cut = [
            part
            for block in self.blocks
            for part in _blocks(block, block.shape, share, places, whole=whole, square=self.images)
        ]
        return Excerpt(self.items, cut, self.cropped or cut[0].shape[1:] != self.blocks[0].shape[1:], self.images)

    def uncropped(self) -> Excerpt:
        """About as many values as whole items, for a codec that takes no others."""
        array, shape = self.items.peek(), self.items.spec.shape
        return Excerpt(self.items, _blocks(array, shape, self.size, PLACES, whole=True, square=False))

    def pieces(self, codec: Codec, chunk: Chunk | None, most: int = PIECES) -> list[NDArray[Any]]:
        """The array, cut as the data is going to be cut; evenly chosen pieces where they are more than `most`."""
        return pieces(self.array, chunk or codec.default_chunk(self.items.spec), most)


def take(group: Sequence[Items], *, images: bool = False, values: int = VALUES) -> list[Excerpt]:
    """A sample of arrays that a codec may have to encode alike.

    Parameters
    ----------
    group
        Arrays of one dtype; of one item shape too, unless they are images.
    images
        Whether the arrays are images of any height and width.
    values
        About how many of them.
    """
    if len(group) == 1:
        return [excerpt(group[0], values, images=images, places=PLACES)]
    chosen = _chosen(group, ENTRIES // 2 if images else 2)
    share = values // (len(chosen) if images else min(2, len(chosen)))
    return [excerpt(group[k], share, images=images, places=-(-PLACES // len(chosen))) for k in chosen]


def excerpt(items: Items, values: int, *, images: bool = False, places: int = 1) -> Excerpt:
    """About this number of values of one array, from `places` places of it."""
    array, shape = items.peek(), items.spec.shape
    if items.spec.size <= values or not shape:
        return Excerpt(items, [normalise(np.asarray(array[...]))], images=images)
    cut = _blocks(array, shape, values, places, whole=not images and _is_stack(items, shape), square=images)
    return Excerpt(items, cut, cut[0].shape[1:] != shape[1:], images)


def glance(sample: Sequence[Excerpt]) -> list[Excerpt]:
    """A first look at a sample: a little of some of its arrays."""
    some = sample[:: -(-len(sample) // LOOKS)]
    stacks = (not one.cropped and not one.images and _is_stack(one.items, one.array.shape) for one in some)
    return [one.smaller(2 * GLANCE if stack else GLANCE) for one, stack in zip(some, stacks, strict=True)]


def less(sample: Sequence[Excerpt], nbytes: int) -> list[Excerpt]:
    """The sample, or less of each of its excerpts, so that it has about this number of bytes."""
    total = sum(one.nbytes for one in sample)
    return [one.smaller(max(1, one.size * nbytes // total)) for one in sample] if total > nbytes else list(sample)


def pieces(array: NDArray[Any], chunk: Chunk, most: int = PIECES) -> list[NDArray[Any]]:
    """Cut an array into chunks; evenly chosen pieces if they are more than `most`."""
    cut = _cut(array, simplest(array.shape, chunk))
    if len(cut) <= most:
        return cut
    return [cut[(2 * k + 1) * len(cut) // (2 * most)] for k in range(most)]


def _cut(array: NDArray[Any], chunk: Chunk) -> list[NDArray[Any]]:
    if not array.ndim:
        return [array]
    if isinstance(chunk, int):
        return [array[start : start + chunk] for start in range(0, len(array), chunk)]
    return [array[place(i, array.shape, chunk)] for i in range(n_chunks(array.shape, chunk))]


def _is_stack(items: Items, shape: Sequence[int]) -> bool:
    """Whether an array is a stack of small items, which some codecs take as they are or not at all."""
    return len(items.spec.shape) > 2 and math.prod(shape[1:]) <= SMALL


def _chosen(group: Sequence[Items], least: int) -> list[int]:
    """Which arrays to take, `least` of them if there are: evenly spread over the values of the group."""
    ends = list(accumulate(items.spec.size for items in group))
    mean = max(1, ends[-1] // len(group))
    count = min(len(group), max(least, min(ENTRIES, VALUES // mean)))
    if not ends[-1]:
        return list(range(count))
    return sorted({bisect_right(ends, (2 * k + 1) * ends[-1] // (2 * count)) for k in range(count)})


def _blocks(
    array: Any, shape: Sequence[int], values: int, places: int, *, whole: bool, square: bool
) -> list[NDArray[Any]]:
    """Blocks of about `values` values in all, no two of them in the same rows or columns of a grid."""
    items = max(1, values // max(1, math.prod(shape[1:])))
    # Cubes have more neighbours than rows, so that two large ones say more than four small ones.
    most = places if whole or sum(n > 4 for n in shape) < 3 else -(-places // 2)
    if not whole and 4 * values > math.prod(shape):
        most = 1  # several would overlap
    places = max(1, min(most, items if whole else shape[0], shape[0]))
    extent = (
        (min(shape[0], max(1, items // places)), *shape[1:])
        if whole
        else _extent(shape, values // places, square=square)
    )
    found = []
    for k in range(places):
        at = []
        for axis, (n, length) in enumerate(zip(shape, extent, strict=True)):
            step = k * max(1, places - 1) % places if axis % 2 else k
            start = (2 * step + 1) * n // (2 * places) - length // 2
            at.append(min(max(0, start), n - length))
        where = [slice(start, start + length) for start, length in zip(at, extent, strict=True)]
        while len(where) > 2 and extent[len(where) - 1] == shape[len(where) - 1]:
            where.pop()  # of an image that is not in memory, a crop of rows and columns may be
        found.append(normalise(np.asarray(array[tuple(where)])))
    return found


def _extent(shape: Sequence[int], values: int, *, square: bool) -> tuple[int, ...]:
    """Lengths of a block of about `values` values: a square or a cube, as far as the array allows; or a few long rows."""
    if len(shape) == 2 and not square:
        rows = max(1, min(3, shape[0]))
        width = min(shape[1], max(1, values // rows))
        return min(shape[0], max(1, values // width)), width
    lengths, left, axes = [1] * len(shape), max(1, values), sorted(range(len(shape)), key=lambda axis: shape[axis])
    for k, axis in enumerate(axes):
        side = round(left ** (1 / (len(axes) - k)))
        lengths[axis] = min(shape[axis], max(1, side))
        left = max(1, left // lengths[axis])
    return tuple(lengths)
