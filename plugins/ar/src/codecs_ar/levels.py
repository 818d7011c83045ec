"""Payloads of versions 3 and 4: a level, how values became codes, and planes by that level, on one message or each on its own."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_ar.array.payload import Reader, Writer
from codecs_ar.fast import coding
from codecs_ar.model import Autoregression
from codecs_ar.passes import Messages, each
from codecs_ar.smallest import coding as smallest
from codecs_ar.values import Values
from codecs_core.entropy import Bits, Message
from codecs_core.errors import CorruptDataError

#: What the first byte of a payload says: a message of version 2 follows; or a description, and a message of planes by the fast level,
#: or by the networks of the model, or by the level smallest.
PLAIN, FAST, NETWORK, DECISIONS = 0, 1, 2, 3
#: What is added to it where each plane has a message of its own, and where decisions hear a second opinion.
APART, SECOND = 4, 8
#: All that there are by the version from which on they are known.
SINCE = {0: 3, 1: 3, 2: 3, 3: 3, 4: 4, 6: 4, 7: 4, 11: 5, 15: 5}
STANDARD, QUICK, SMALLEST = "standard", "fast", "smallest"
LEVELS = (QUICK, STANDARD, SMALLEST)
#: The first byte by the level, where there is a description.
_BYTES = {QUICK: FAST, STANDARD: NETWORK, SMALLEST: DECISIONS}


def encode(images: NDArray[Any], effort: str, model: Autoregression, *, least: int, most: int | None) -> bytes:
    """A payload of images of shape (n, h, w, channels).

    Planes of `least` values together have messages of their own. It ends with an error where a message would be longer than `most`.
    """
    writer, planes = Writer(), images.shape[-1]
    values = Values.of(images) if images.size else None
    apart = effort != QUICK and planes > 1 and images.size >= least
    messages = [Message(most=most) for _ in range(planes if apart else 1)]
    message = messages if apart else messages[0]
    if values is None or (effort == STANDARD and _is_plain(images, values, model)):
        writer.natural(PLAIN + APART * apart)
        if values is not None:
            model.push(message, images)
    else:
        second = effort == SMALLEST and model.second is not None
        writer.natural(_BYTES[effort] + APART * apart + SECOND * second)
        values.write(writer, images.dtype)
        codes, lowest = values.forward(images)
        if effort == STANDARD:
            model.push_planes(message, codes, values.top)
        elif effort == SMALLEST:
            smallest.push(message, model, codes, values.top)
        else:
            coding.push(messages[0], codes, values.top)
        if values.shift:
            Bits(np.full(lowest.size, values.shift)).push(messages[0], lowest.astype(np.int64))
    for one in messages[:-1]:
        writer.part(one.to_bytes())
    writer.rest(messages[-1].to_bytes())
    return writer.to_bytes()


def decode(
    payload: bytes, shape: tuple[int, int, int, int], dtype: str, model: Autoregression, version: int
) -> NDArray[Any]:
    """Inverse of `encode`, by what a format version knows, from 3 on."""
    reader = Reader(payload)
    level = reader.natural()
    if not math.prod(shape) and level == PLAIN:
        return plain(reader.rest(), shape, dtype, model)
    known = [one for one, since in SINCE.items() if since <= version]
    if level not in known or not math.prod(shape):
        raise CorruptDataError(
            f"the payload begins with {level}, where one of {', '.join(map(str, known))} was expected: it is damaged"
        )
    if level & SECOND and model.second is None:
        raise CorruptDataError("the payload asks for a second opinion that the model does not have: it is damaged")
    n, height, width, channels = shape
    values = None if level in (PLAIN, PLAIN + APART) else Values.read(reader, np.dtype(dtype), channels)
    messages = [Message.from_bytes(reader.part()) for _ in range(channels - 1 if level & APART else 0)]
    messages.append(Message.from_bytes(reader.rest()))
    message = messages if level & APART else messages[0]
    if values is None:
        images = _plain(message, shape, dtype, model)
    else:
        images = _described(message, level, values, (channels, n, height, width), dtype, model)
    for one in messages:
        one.verify_end()
    return images


def plain(payload: bytes, shape: tuple[int, int, int, int], dtype: str, model: Autoregression) -> NDArray[Any]:
    """Images of a payload of version 2, or 1."""
    message = Message.from_bytes(payload)
    images = _plain(message, shape, dtype, model) if math.prod(shape) else np.empty(shape, dtype)
    message.verify_end()
    return images


def _plain(message: Messages, shape: tuple[int, int, int, int], dtype: str, model: Autoregression) -> NDArray[Any]:
    """Images without a description."""
    if shape[-1] not in _channels(model) or dtype not in ("uint8", "uint16"):
        raise CorruptDataError(
            f"images of {shape[-1]} channels of {dtype} without a description: the payload is damaged"
        )
    return model.pop(message, shape, dtype)


def _described(
    message: Messages,
    level: int,
    values: Values,
    shape: tuple[int, int, int, int],
    dtype: str,
    model: Autoregression,
) -> NDArray[Any]:
    """Images with a description; `shape` is that of their planes."""
    first, lowest = each(message, shape[0])[0], np.zeros(0, np.uint64)
    if values.shift:
        lowest = Bits(np.full(math.prod(shape), values.shift)).pop(first).astype(np.uint64)
    if level & 3 == DECISIONS:
        planes = smallest.pop(message, model, shape, values.top, alone=not level & SECOND)
    elif level & 3 == NETWORK:
        planes = model.pop_planes(message, shape, values.top)
    else:
        planes = coding.pop(first, shape, values.top)
    return values.backward(planes, lowest, np.dtype(dtype))


def _channels(model: Autoregression) -> tuple[int, ...]:
    """Numbers of channels that need no description."""
    return (1,) if model.channels == 1 else (3, 4)


def _is_plain(images: NDArray[Any], values: Values, model: Autoregression) -> bool:
    """Whether images are coded as they are."""
    ranked = any(ranks is not None for ranks in values.ranks)
    return images.dtype in (np.uint8, np.uint16) and images.shape[-1] in _channels(model) and not ranked
