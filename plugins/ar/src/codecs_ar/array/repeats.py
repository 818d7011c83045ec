"""Values that came before: after the same ones as now, beside this one, or above it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from codecs_ar.array.compiled import called

#: Kinds: what followed the last time on the longer context, on the shorter one; the neighbours W and N.
KINDS, MEMORIES = 4, 2
#: How often what followed was the same, up to this.
SURE = 3
#: No code.
NOTHING = -(1 << 63)


class Repeats(NamedTuple):
    """What followed on hashed contexts, and whether that was right.

    `memory` and `sure` are tables, one after the other: codes, and how often each was right in a row. `keys` and `places` are those of the
    value at hand, `codes` what each kind proposes, `kinds` how sure it is, `history` when it was right, a bit each time.
    """

    memory: NDArray[np.int64]
    sure: NDArray[np.int64]
    keys: NDArray[np.int64]
    places: NDArray[np.int64]
    codes: NDArray[np.int64]
    kinds: NDArray[np.int64]
    history: NDArray[np.int64]


@called
def hashed(a, b):  # type: ignore[no-untyped-def]
    """A hash of two integers."""
    x = (a ^ np.int64(0x1E3779B97F4A7C15)) * np.int64(0x3F58476D1CE4E5B9)
    x = (x ^ (x >> 29)) + b * np.int64(0x14D049BB133111EB)
    return x ^ (x >> 32)


@called
def recall(at, channel, scene, repeats):  # type: ignore[no-untyped-def]
    """Propose values."""
    codes, spots = scene.codes, scene.spots
    w, second = codes[np.uint64(at + spots[0])], codes[np.uint64(at + spots[5])]
    third = codes[np.uint64(at + spots[6])]
    repeats.keys[1] = hashed(hashed(w, second), channel)
    repeats.keys[0] = hashed(repeats.keys[1], third)
    if scene.channels > 1:
        repeats.keys[0] = hashed(hashed(codes[np.uint64(at - 1)], codes[np.uint64(at - 2)]), channel)
    size = repeats.memory.size // MEMORIES
    for i in range(MEMORIES):
        place = i * size + (repeats.keys[i] & (size - 1))
        repeats.places[i] = place
        repeats.codes[i] = repeats.memory[np.uint64(place)]
        repeats.kinds[i] = repeats.sure[np.uint64(place)]
    repeats.codes[2], repeats.codes[3] = w, second
    repeats.kinds[2] = np.int64(w == second) + 2 * np.int64(second == third)
    repeats.kinds[3] = np.int64(w == third)


@called
def note(truth, repeats):  # type: ignore[no-untyped-def]
    """Remember what followed."""
    for i in range(MEMORIES):
        place = np.uint64(repeats.places[i])
        if repeats.memory[place] == truth:
            repeats.sure[place] = min(repeats.sure[place] + 1, SURE)
        else:
            repeats.memory[place], repeats.sure[place] = truth, 0
