"""Codecs that see an array as its bytes, in C order and little endian."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from codecs_core import ArraySpec, Codec
from codecs_core.errors import CorruptDataError

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class ByteCodec(Codec):
    """Base of the codecs that compress bytes; takes every dtype and shape. Empty arrays are empty payloads."""

    format_version: ClassVar[int] = 2
    stores_from: ClassVar[int | None] = 2
    same_since: ClassVar[int | None] = 1

    @abstractmethod
    def compress(self, data: bytes) -> bytes:
        """Compress at least one byte."""

    @abstractmethod
    def expand(self, payload: bytes, nbytes: int) -> bytes:
        """Undo `compress`, never growing past ``nbytes + 1``; raise unless `payload` is one whole stream."""

    def _encode(self, chunk: NDArray[Any]) -> bytes:
        data = np.asarray(chunk, dtype=ArraySpec.of(chunk).numpy).tobytes()
        return self.compress(data) if data else b""

    def _decode(self, payload: bytes, spec: ArraySpec) -> NDArray[Any]:
        data = self.expand(payload, spec.nbytes) if spec.nbytes else payload
        if len(data) != spec.nbytes:
            raise CorruptDataError(
                f"a stream of codec {self.id} holds {'more' if len(data) > spec.nbytes else 'fewer'} than "
                f"the {spec.nbytes} bytes that {spec.dtype} of shape {spec.shape} takes; the file is damaged"
            )
        if spec.dtype == "bool" and data.strip(b"\0\1"):
            raise CorruptDataError(f"a stream of codec {self.id} holds a boolean that is neither 0 nor 1")
        return np.frombuffer(data, dtype=spec.numpy).reshape(spec.shape).astype(spec.dtype)
