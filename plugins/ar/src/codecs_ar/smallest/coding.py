"""Planes by the level smallest: what a pass over each begins with, and images on a message."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from codecs_ar import passes, pipeline
from codecs_ar.array.kernel import push_records
from codecs_ar.model import Autoregression, Second
from codecs_ar.passes import Messages
from codecs_ar.planes import Planes
from codecs_ar.smallest.panel import Panel
from codecs_ar.smallest.walk import GROWTH, Walker
from codecs_ar.workspace import PRECISION
from codecs_core.entropy import Message

#: The mark of a place without a value.
NONE = 2
#: Bits of the places of counters by a hash: at least, and at the most; of them there are about as many as this for each value.
LEAST_BITS, MOST_BITS, EACH = 10, 22, 16


def push(message: Messages, model: Autoregression, codes: NDArray[np.uint16], top: int) -> None:
    """Push planes of shape (planes, n, height, width), of values up to `top`: the last decision of the last plane first.

    The second opinion of the model, if it has one, is heard.
    """
    planes = model.planes_of(codes.shape, top)
    planes.values[:] = codes
    walker = walkers(planes, model, decoding=False, second=model.second)
    found = passes.over(planes, model.experts, walker=walker)
    pipeline.run(found)
    for on, one in reversed(list(zip(passes.each(message, planes.count), found, strict=True))):
        for part in reversed(one.records):
            on.push_symbols(push_records, part, PRECISION, (), thin=True)


def pop(
    message: Messages, model: Autoregression, shape: tuple[int, int, int, int], top: int, *, alone: bool
) -> NDArray[np.uint16]:
    """Inverse of `push`, or, `alone`, of what it was without second opinions."""
    planes, second = model.planes_of(shape, top), None if alone else model.second
    walker = walkers(planes, model, decoding=True, second=second)
    found = passes.over(planes, model.expert if alone else model.experts, message=message, walker=walker)
    pipeline.run(found, together=not isinstance(message, Message))
    return planes.values.astype(np.uint16)


def walkers(planes: Planes, model: Autoregression, *, decoding: bool, second: Second | None) -> Callable[[int], Walker]:
    """Makes one that knows nothing yet but what the model says, for a plane."""
    marks = np.full(planes.x.shape, NONE, np.uint8)
    bits = min(max((EACH * planes.values[0].size).bit_length(), LEAST_BITS), MOST_BITS)
    components = (model.components, *([second.components] if second else []))

    def walker(plane: int) -> Walker:
        role = planes.roles[plane]
        seen = marks[plane - role : plane + 1].reshape(-1)
        panel = Panel.of(components, 1 << bits, second.beginnings[role] if second else None)
        return Walker(decoding, np.zeros(3, np.uint64), np.empty(0, np.uint32), seen, np.array(GROWTH), panel)

    return walker
