"""Values that came before: after the same ones as now, beside this one, or above it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from codecs_core.jit import borrowing, kernel

#: Kinds: what followed where the last values came before, and what followed on the neighbours; the neighbours W and N themselves.
KINDS = 4
#: How often what followed was the same, up to this.
SURE = 3
#: No code.
NOTHING = -(1 << 63)


class Repeats(NamedTuple):
    """What came before.

    `past` are the codes so far, `places` where in them a hash of two codes was last, `pointer` where they are followed now and for how
    long they were right; `memory` and `sure` are what followed on hashed neighbours, and how often in a row that was right. `keys` are
    those of the value at hand, `codes` what each kind proposes, `kinds` how sure it is, `history` when it was right, a bit each time.
    """

    past: NDArray[np.int64]
    places: NDArray[np.int64]
    pointer: NDArray[np.int64]
    memory: NDArray[np.int64]
    sure: NDArray[np.int64]
    keys: NDArray[np.int64]
    codes: NDArray[np.int64]
    kinds: NDArray[np.int64]
    history: NDArray[np.int64]


@borrowing
def hashed(a, b):
    """A hash of two integers."""
    x = (a ^ np.int64(0x1E3779B97F4A7C15)) * np.int64(0x3F58476D1CE4E5B9)
    x = (x ^ (x >> 29)) + b * np.int64(0x14D049BB133111EB)
    return x ^ (x >> 32)


@borrowing
def recall(at, channel, scene, repeats):
    """Propose values."""
    codes, spots, keys, kinds = scene.codes, scene.spots, repeats.keys, repeats.kinds
    w, second = codes[np.uint64(at + spots[0])], codes[np.uint64(at + spots[5])]
    third = codes[np.uint64(at + spots[6])]
    keys[0] = hashed(hashed(w, second), channel)
    if scene.channels > 1:
        keys[0] = hashed(hashed(codes[np.uint64(at - 1)], w), channel)
    keys[1] = hashed(keys[0], third)
    found, length = repeats.pointer[0], repeats.pointer[1]
    repeats.codes[0] = repeats.past[np.uint64(found)] if found >= 0 else NOTHING
    kinds[0] = min(length, 3) if length < 8 else min(length >> 3, 4) + 3
    place = np.uint64(keys[0] & (repeats.memory.size - 1))
    repeats.codes[1], kinds[1] = repeats.memory[place], repeats.sure[place]
    repeats.codes[2], repeats.codes[3] = w, second
    kinds[2] = np.int64(w == second) + 2 * np.int64(second == third)
    kinds[3] = np.int64(w == third)


@borrowing
def note(truth, index, repeats):
    """Remember what followed."""
    past, pointer = repeats.past, repeats.pointer
    past[np.uint64(index)] = truth
    found = pointer[0]
    if found >= 0 and past[np.uint64(found)] == truth:
        pointer[0], pointer[1] = found + 1, pointer[1] + 1
    else:
        pointer[0], pointer[1] = -1, 0
    if index > 0:
        place = np.uint64(hashed(truth, past[np.uint64(index - 1)]) & (repeats.places.size - 1))
        if pointer[0] < 0:
            pointer[0] = repeats.places[place]
        repeats.places[place] = index + 1
    place = np.uint64(repeats.keys[0] & (repeats.memory.size - 1))
    if repeats.memory[place] == truth:
        repeats.sure[place] = min(repeats.sure[place] + 1, SURE)
    else:
        repeats.memory[place], repeats.sure[place] = truth, 0


@kernel
def hits(codes, least, most, row, places):
    """How many codes from `least` to `most` are the one before, the one a row before, or what followed the last two the last time.

    `places` are -1 to begin with.
    """
    found = 0
    for i in range(2, codes.size):
        code = codes[i]
        place = np.uint64(hashed(codes[i - 1], codes[i - 2]) & (places.size - 1))
        last = places[place]
        same = code == codes[i - 1] or (i >= row and code == codes[i - row])
        same = same or (last >= 0 and codes[np.uint64(last)] == code)
        found += same and least <= code <= most
        places[place] = i
    return found
