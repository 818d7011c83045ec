"""Models that a file is to hold: which ones, and what they take there."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from codecs_core.container.packing import pack

if TYPE_CHECKING:
    from codecs_core.models import Model

#: About what the container spends on a model beside its bytes: the head of its frame, and a record of the index.
MODEL_OVERHEAD = 88


def embeds(model: Model, embed_model: bool | int) -> bool:
    """Whether a model goes into the file: always, never, or if its own file has at most this number of bytes."""
    return embed_model is True or (embed_model is not False and len(model.data) <= embed_model)


@lru_cache(maxsize=16)
def packed(model: Model) -> bytes | None:
    """The model compressed; None if that is no shorter. The last few are kept, since the same one goes into many files."""
    return pack(model.data)


def cost(model: Model | None, embed_model: bool | int) -> int:
    """Bytes that a file becomes longer by if an entry needs a model that no other one does."""
    if model is None or not embeds(model, embed_model):
        return 0
    return len(packed(model) or model.data) + MODEL_OVERHEAD
