"""Pcodec, the best of the fast compressors of numerical columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from pcodec import ChunkConfig, standalone

from codecs_classic.catalogue import INFO
from codecs_classic.framing import join, split
from codecs_core import ArraySpec, Codec
from codecs_core.errors import CorruptDataError
from codecs_core.fields import whole

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: An array whose last axis is no longer than this may be coded column by column.
_COLUMNS = 64
_ALL, _EACH = 0, 1


@dataclass(frozen=True, kw_only=True)
class Pcodec(Codec):
    """Pcodec: the values in one stream, or in a stream for each index along the last axis, whichever is smaller.

    Parameters
    ----------
    level
        Effort, from 0 to 12.
    """

    id: ClassVar[str] = "classic.pcodec"
    stores_from: ClassVar[int | None] = 1
    info = INFO[id]

    level: int = whole(12, 0, 12)

    def _encode(self, chunk: NDArray[Any]) -> bytes:
        parts = _parts(_real(chunk), _ALL)
        payload = bytes([_ALL]) + join([self._compress(part) for part in parts], measure_last=True)
        if _has_columns(_real(chunk).shape):
            streams = [self._compress(part) for part in _parts(_real(chunk), _EACH)]
            payload = min(payload, bytes([_EACH]) + join(streams, measure_last=True), key=len)
        return payload

    def _compress(self, values: NDArray[Any]) -> bytes:
        config = ChunkConfig(compression_level=self.level, enable_8_bit=True)
        return bytes(standalone.simple_compress(values.reshape(-1).copy(), config))

    def _decode(self, payload: bytes, spec: ArraySpec) -> NDArray[Any]:
        out = np.empty(spec.shape, spec.dtype)
        real = _real(out)
        layout = payload[0] if payload else _ALL
        if not payload or layout > _EACH or (layout == _EACH and not _has_columns(real.shape)):
            raise CorruptDataError(
                f"a payload of codec {self.id} has no layout that {spec.dtype} of {spec.shape} can have"
            )
        parts = _parts(real, layout)
        for part, stream in zip(parts, split(payload[1:], len(parts), measure_last=True), strict=True):
            values = np.empty(part.size, part.dtype)
            self._expand(stream, values)
            part[...] = values.reshape(part.shape)
        return out

    def _expand(self, stream: bytes, values: NDArray[Any]) -> None:
        try:
            progress = standalone.simple_decompress_into(stream, values)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a panic of the library is no Exception
            raise CorruptDataError(f"a stream of codec {self.id} cannot be decoded: {error}") from error
        if progress.n_processed != values.size or not progress.finished:
            raise CorruptDataError(f"a stream of codec {self.id} does not hold exactly {values.size} values")


def _real(array: NDArray[Any]) -> NDArray[Any]:
    """A view of an array, at least one-dimensional; complex numbers are two values along a last axis."""
    if array.dtype.kind == "c":
        return array.reshape(*array.shape, 1).view(f"f{array.itemsize // 2}")
    return array.reshape(array.shape or (1,))


def _has_columns(shape: tuple[int, ...]) -> bool:
    return len(shape) > 1 and 1 < shape[-1] <= _COLUMNS


def _parts(array: NDArray[Any], layout: int) -> list[NDArray[Any]]:
    """What is coded as a stream each, views of `array`."""
    return [array.reshape(-1)] if layout == _ALL else list(np.moveaxis(array, -1, 0))
