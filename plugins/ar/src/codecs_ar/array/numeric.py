"""What the codecs of numerical arrays have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_ar.array.coding import LEVELS, STANDARD, decode
from codecs_core import ArraySpec, Codec
from codecs_core.fields import one_of

#: Bytes of a chunk.
CHUNK_BYTES = 1 << 22


@dataclass(frozen=True, kw_only=True)
class NumericCodec(Codec):
    """A codec of numerical arrays that has a level of effort; its payloads say themselves how they were made."""

    effort: str = one_of(STANDARD, tuple(LEVELS))

    def default_chunk(self, spec: ArraySpec) -> int:
        """Items of about 4 MiB."""
        items = spec.shape[0] if spec.shape else 1
        return max(1, min(items, CHUNK_BYTES * items // max(1, spec.nbytes)))

    def _decode(self, payload: bytes, spec: ArraySpec) -> NDArray[Any]:
        return decode(payload, spec, self._start()) if spec.size or payload else np.empty(spec.shape, spec.dtype)

    def _start(self) -> dict[str, NDArray[Any]] | None:
        """The profile that streams begin with."""
        return None
