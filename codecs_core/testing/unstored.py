"""A codec without stored payloads, so that what the kit asks of its code is asked of arrays too whose code is longer than their values."""

from __future__ import annotations

import dataclasses
from functools import cache
from typing import TypeVar

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
