"""Whether what repeats in the data lies so far apart that a first look cannot see it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from codecs_core.arrays import normalise

if TYPE_CHECKING:
    from collections.abc import Sequence

    from codecs_core.api.choosing.sample import Excerpt

#: Bytes of the strings that are looked for.
_WORD = 8
#: Strings of a sample that are looked at, at most.
_MOST = 1 << 15
#: Strings that are new in all of a sample are this part of those in a first look at it, or less, where it repeats itself.
_FEWER = 0.87


def farther(sample: Sequence[Excerpt], first: Sequence[Excerpt]) -> bool:
    """Whether a sample repeats itself more than a first look at it, which then says little of what codecs make of the data."""
    return novelty(sample) < _FEWER * novelty(first)


def novelty(sample: Sequence[Excerpt]) -> float:
    """Which part of the strings of eight bytes, one at each value, were not there before."""
    seen = found = 0
    for one in sample:
        array = normalise(one.array)
        step = min(array.itemsize, _WORD)
        data = np.frombuffer(array.reshape(-1).view(np.uint8)[: _MOST * step], np.uint8)
        if data.size < _WORD:
            continue
        strings = np.lib.stride_tricks.sliding_window_view(data, _WORD)[::step]
        words = np.ascontiguousarray(strings).view(np.uint64)
        seen, found = seen + words.size, found + np.unique(words).size
    return found / seen if seen else 1.0
