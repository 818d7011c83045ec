"""Payloads to try decoders on: a codec's own code, never stored; and as they come out of bad disks and bad hands."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from functools import cache
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from codecs_core.codec import Codec

C = TypeVar("C", bound=Codec)


def unstored(codec: C) -> C:
    """The codec as it would be with `Codec.stores_from` None: what it encodes is its own code always."""
    if codec.stores_from is None:
        return codec
    made: C = _without(type(codec))(**{f.name: getattr(codec, f.name) for f in dataclasses.fields(codec)})
    return made


@cache
def _without(cls: type[C]) -> type[C]:
    return type(cls.__name__, (cls,), {"stores_from": None})


def cuts(payload: bytes, trials: int) -> Iterator[tuple[str, bytes]]:
    """The payload at every length below its own, or `trials` evenly spread ones; and with bytes too many."""
    for length in np.unique(np.linspace(0, len(payload) - 1, trials).astype(int)) if payload else ():
        yield f"cut to {length} bytes", payload[:length]
    for more in (b"\0", b"\xff" * 9, payload[:100]):
        yield f"with {len(more)} bytes more", payload + more


def flips(payload: bytes, trials: int) -> Iterator[tuple[str, bytes]]:
    """One bit flipped, each or `trials` evenly spread ones; runs of bytes replaced, repeated, dropped; bytes out of nowhere."""
    for bit in np.unique(np.linspace(0, 8 * len(payload) - 1, trials).astype(int)) if payload else ():
        changed = bytearray(payload)
        changed[bit // 8] ^= 1 << bit % 8
        yield f"bit {bit} flipped", bytes(changed)
    words = np.asarray(np.random.Philox(8).random_raw(4 * trials)).reshape(-1, 4)
    for number, (place, length, kind, seed) in enumerate(words % np.uint64(1 << 32)):
        start = int(place) % (len(payload) + 1)
        end = start + int(length) % (len(payload) - start + 1)
        fresh = _noise(int(seed), int(length) % 40).tobytes()
        middle = (fresh, payload[start:end] * 2, b"", bytes(end - start))[int(kind) % 4]
        yield f"edit {number}", payload[:start] + middle + payload[end:]
        if number % 4 == 0:
            yield f"noise {number}", _noise(int(seed), int(length) % (2 * len(payload) + 10)).tobytes()


def _noise(seed: int, size: int) -> NDArray[Any]:
    return np.asarray(np.random.Philox(seed).random_raw(size // 8 + 1)).view(np.uint8)[:size]
