"""Codec ``ar.array``: numerical arrays of any type and any number of dimensions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from codecs_ar import ARRAY_INFO
from codecs_ar.array.coding import LEVELS, STANDARD, decode, encode
from codecs_ar.array.profile import VERSION
from codecs_ar.array.stream import untaught
from codecs_core import ArraySpec, Codec, CodecInfo
from codecs_core.errors import ConfigError, ModelError

#: Bytes of a chunk.
CHUNK_BYTES = 1 << 22


@dataclass(frozen=True, kw_only=True)
class ArrayCodec(Codec):
    """Arrays of booleans, integers, floats and complex numbers, losslessly, by predictions that adapt to the data.

    It takes a model, but needs none: a profile of what was learnt of such data before, to begin with.

    Parameters
    ----------
    effort
        ``"fast"``; ``"standard"``; or ``"smallest"``, which tries every map and layout on the whole array: it encodes several times as
        long. Decoding takes as long as encoding by the level fast, or standard.
    """

    id: ClassVar[str] = "ar.array"
    format_version: ClassVar[int] = 2
    stores_from: ClassVar[int | None] = 1
    info: ClassVar[CodecInfo] = ARRAY_INFO

    effort: str = STANDARD

    def __post_init__(self) -> None:
        if self.effort not in LEVELS:
            raise ConfigError(f"effort must be one of {', '.join(LEVELS)}, got {self.effort!r}")

    def default_chunk(self, spec: ArraySpec) -> int:
        """Items of about 4 MiB."""
        items = spec.shape[0] if spec.shape else 1
        return max(1, min(items, CHUNK_BYTES * items // max(1, spec.nbytes)))

    @cached_property
    def _profile(self) -> dict[str, NDArray[Any]] | None:
        """The tensors of the model, once they were tried."""
        if self.model is None:
            return None
        if self.model.config.get("version") != VERSION:
            raise ModelError(f"model {self.model.name or self.model.sha256[:16]} is no profile of version {VERSION}")
        tensors = self.model.tensors()
        untaught().begin(tensors)
        return tensors

    def check(self, spec: ArraySpec) -> None:
        """Raise `ModelError` if the model is no profile."""
        super().check(spec)
        if self.model is not None:
            _ = self._profile

    def _encode(self, chunk: NDArray[Any]) -> bytes:
        return encode(chunk, self.effort, start=self._profile) if chunk.size else b""

    def _decode(self, payload: bytes, spec: ArraySpec) -> NDArray[Any]:
        return decode(payload, spec, self._profile) if spec.size or payload else np.empty(spec.shape, spec.dtype)

    def _decode_older(self, payload: bytes, spec: ArraySpec, version: int) -> NDArray[Any]:
        # its modes are among those of today
        return self._decode(payload, spec) if version == 1 else super()._decode_older(payload, spec, version)
