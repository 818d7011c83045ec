"""Planes by the level smallest: what a pass over each begins with, and images on a message."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from codecs_ar.array.kernel import push_records
from codecs_ar.model import Autoregression
from codecs_ar.planes import Planes
from codecs_ar.smallest.panel import Panel
from codecs_ar.smallest.walk import GROWTH, LONGEST, Walker
from codecs_ar.workspace import PRECISION
from codecs_core.entropy import Message

#: Decisions of a value that an encoder makes room for at first.
EXPECTED = 6
#: The mark of a place without a value.
NONE = 2
#: Bits of the places of counters by a hash: at least, and at the most; of them there are about as many as this for each value.
LEAST_BITS, MOST_BITS, EACH = 10, 22, 16


def push(message: Message, model: Autoregression, codes: NDArray[np.uint16], top: int) -> None:
    """Push planes of shape (planes, n, height, width), of values up to `top`: the last decision of the last plane first."""
    planes = model.planes_of(codes.shape, top)
    planes.values[:] = codes
    marks = _marks(planes)
    records = [_decided(planes, i, model, marks) for i in range(planes.count)]
    for part in reversed(records):
        message.push_symbols(push_records, part, PRECISION, (), thin=True)


def pop(message: Message, model: Autoregression, shape: tuple[int, int, int, int], top: int) -> NDArray[np.uint16]:
    """Inverse of `push`."""
    planes = model.planes_of(shape, top)
    marks = _marks(planes)
    for i in range(planes.count):
        walker = _walker(planes, i, model, marks, 0, decoding=True)
        planes.pop(message, i, model.expert(planes.roles[i]), walker)
    return planes.values.astype(np.uint16)


def _decided(planes: Planes, plane: int, model: Autoregression, marks: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """The decisions of a plane, once those of all planes before it are made."""
    room = EXPECTED * planes.values[0].size + LONGEST
    while True:
        walker = _walker(planes, plane, model, marks, room, decoding=False)
        if planes.decide(plane, model.expert(planes.roles[plane]), walker):
            return walker.records[: int(walker.state[2])].copy()
        room *= 2


def _marks(planes: Planes) -> NDArray[np.uint8]:
    return np.full(planes.x.shape, NONE, np.uint8)


def _walker(
    planes: Planes, plane: int, model: Autoregression, marks: NDArray[np.uint8], room: int, *, decoding: bool
) -> Walker:
    """One that knows nothing yet, for a plane."""
    bits = min(max((EACH * planes.values[0].size).bit_length(), LEAST_BITS), MOST_BITS)
    seen = marks[plane - planes.roles[plane] : plane + 1].reshape(-1)
    panel = Panel.of(model.components, 1 << bits)
    return Walker(decoding, np.zeros(3, np.uint64), np.empty(room, np.uint32), seen, np.array(GROWTH), panel)
