"""Payloads of version 3: a level, how values became codes, and a message of planes by that level."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_ar.array.payload import Reader, Writer
from codecs_ar.fast import coding
from codecs_ar.model import Autoregression
from codecs_ar.smallest import coding as smallest
from codecs_ar.values import Values
from codecs_core.entropy import Bits, Message
from codecs_core.errors import CorruptDataError

#: What the first byte of a payload says: a message of version 2 follows; or a description, and a message of planes by the fast level,
#: or by the networks of the model, or by the level smallest.
PLAIN, FAST, NETWORK, DECISIONS = 0, 1, 2, 3
STANDARD, QUICK, SMALLEST = "standard", "fast", "smallest"
LEVELS = (QUICK, STANDARD, SMALLEST)
#: The first byte by the level, where there is a description.
_BYTES = {QUICK: FAST, STANDARD: NETWORK, SMALLEST: DECISIONS}


def encode(images: NDArray[Any], effort: str, model: Autoregression, most: int | None) -> bytes:
    """A payload of images of shape (n, h, w, channels); ends with an error where it would be longer than `most`."""
    writer, message = Writer(), Message(most=most)
    values = Values.of(images) if images.size else None
    if values is None or (effort == STANDARD and _is_plain(images, values, model)):
        writer.natural(PLAIN)
        if values is not None:
            model.push(message, images)
    else:
        writer.natural(_BYTES[effort])
        values.write(writer, images.dtype)
        planes, lowest = values.forward(images)
        if effort == STANDARD:
            model.push_planes(message, planes, values.top)
        elif effort == SMALLEST:
            smallest.push(message, model, planes, values.top)
        else:
            coding.push(message, planes, values.top)
        if values.shift:
            Bits(np.full(lowest.size, values.shift)).push(message, lowest.astype(np.int64))
    writer.rest(message.to_bytes())
    return writer.to_bytes()


def decode(payload: bytes, shape: tuple[int, int, int, int], dtype: str, model: Autoregression) -> NDArray[Any]:
    """Inverse of `encode`."""
    reader = Reader(payload)
    level = reader.natural()
    if level == PLAIN:
        return plain(reader.rest(), shape, dtype, model)
    if level not in _BYTES.values() or math.prod(shape) == 0:
        raise CorruptDataError(f"the payload begins with {level}, where 0, 1, 2 or 3 was expected: it is damaged")
    n, height, width, channels = shape
    values = Values.read(reader, np.dtype(dtype), channels)
    message = Message.from_bytes(reader.rest())
    lowest = np.zeros(0, np.uint64)
    if values.shift:
        lowest = Bits(np.full(math.prod(shape), values.shift)).pop(message).astype(np.uint64)
    full = channels, n, height, width
    if level == DECISIONS:
        planes = smallest.pop(message, model, full, values.top)
    else:
        planes = (model.pop_planes if level == NETWORK else coding.pop)(message, full, values.top)
    message.verify_end()
    return values.backward(planes, lowest, np.dtype(dtype))


def plain(payload: bytes, shape: tuple[int, int, int, int], dtype: str, model: Autoregression) -> NDArray[Any]:
    """Images of a payload of version 2, or 1."""
    if math.prod(shape) and (shape[-1] not in _channels(model) or dtype not in ("uint8", "uint16")):
        raise CorruptDataError(
            f"images of {shape[-1]} channels of {dtype} without a description: the payload is damaged"
        )
    message = Message.from_bytes(payload)
    images = model.pop(message, shape, dtype) if math.prod(shape) else np.empty(shape, dtype)
    message.verify_end()
    return images


def _channels(model: Autoregression) -> tuple[int, ...]:
    """Numbers of channels that need no description."""
    return (1,) if model.channels == 1 else (3, 4)


def _is_plain(images: NDArray[Any], values: Values, model: Autoregression) -> bool:
    """Whether images are coded as they are."""
    ranked = any(ranks is not None for ranks in values.ranks)
    return images.dtype in (np.uint8, np.uint16) and images.shape[-1] in _channels(model) and not ranked
