"""One array of a container as the header describes it: what it is, how it is cut, and which codec made the pieces."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from codecs_core.arrays import ArraySpec
from codecs_core.container import grid
from codecs_core.errors import ConfigError, FormatError

if TYPE_CHECKING:
    from types import EllipsisType

    from codecs_core.container.grid import Chunk
    from codecs_core.limits import Limits

_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
#: Largest number of chunks in one entry; a frame numbers them in 32 bits.
MAX_CHUNKS = 1 << 32


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A named n-d array in a container.

    Parameters
    ----------
    name
        Unique in its file. ``""`` names the sole entry of a file made from a bare array.
    spec
        Shape and dtype.
    chunk
        Items along the first axis in each chunk but the last, at least 1. Where other axes are cut too, a length for each
        axis; see `grid.simplest`.
    codec, codec_version, config
        Codec id, version of its payload format, and its settings (JSON-able).
    model
        SHA-256 of the model file in lower-case hexadecimal, or None.
    package
        Distribution that provides the codec; for error messages only.
    attrs
        Whatever the writer wants kept: JSON-able values and bytes.
    """

    name: str
    spec: ArraySpec
    chunk: Chunk
    codec: str
    codec_version: int = 1
    config: dict[str, Any] = field(default_factory=dict)
    model: str | None = None
    package: str = ""
    attrs: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        who = f"entry {self.name!r}"
        for key, kind in (("name", str), ("package", str), ("config", dict), ("attrs", dict)):
            if type(getattr(self, key)) is not kind:
                raise FormatError(
                    f"{who} has {key} of type {type(getattr(self, key)).__name__}; expected {kind.__name__}"
                )
        if type(self.chunk) is tuple:
            if (fault := grid.fault(self.spec.shape, self.chunk)) is not None:
                raise FormatError(f"{who} {fault}")
        elif type(self.chunk) is not int or not 1 <= self.chunk < 1 << 63:
            raise FormatError(f"{who} has chunks of {self.chunk!r} items; expected an integer of at least 1")
        if type(self.codec) is not str or not self.codec:
            raise FormatError(f"{who} has the codec id {self.codec!r}; expected text that is not empty")
        if type(self.codec_version) is not int or not 0 <= self.codec_version < 1 << 32:
            raise FormatError(f"{who} has codec version {self.codec_version!r}; expected a 32-bit integer")
        if self.model is not None and not is_sha256(self.model):
            raise FormatError(f"{who} has the model {self.model!r}; expected 64 lower-case hexadecimal digits")
        # An axis of length zero hides the others from `nbytes`, yet numpy multiplies them all.
        if math.prod(max(n, 1) for n in self.spec.shape) * self.spec.itemsize >= 1 << 63:
            raise FormatError(f"{who} has the shape {self.spec.shape}, which is more than 2**63 bytes")
        if self.n_chunks > MAX_CHUNKS:
            raise FormatError(f"{who} has {self.n_chunks} chunks; expected at most {MAX_CHUNKS}")

    def called(self, name: str, attrs: dict[str, Any]) -> Entry:
        """The same with another name and other attributes; it is not checked again."""
        entry = object.__new__(Entry)
        entry.__dict__.update(self.__dict__, name=name, attrs=attrs)
        return entry

    @property
    def n_chunks(self) -> int:
        """Number of chunks: one for a 0-d array, none if the first axis is empty, or any axis that is cut by a grid."""
        return grid.n_chunks(self.spec.shape, self.chunk)

    @property
    def chunk_shape(self) -> tuple[int, ...]:
        """Shape of a chunk; those at the end of an axis may be shorter."""
        if isinstance(self.chunk, tuple):
            return self.chunk
        return (self.chunk, *self.spec.shape[1:]) if self.spec.shape else ()

    def chunk_slice(self, i: int) -> slice | tuple[slice, ...] | EllipsisType:
        """Where chunk `i` lies in the array: a slice of the first axis, one of each axis, or ``...`` for a 0-d array."""
        self._check(i)
        if isinstance(self.chunk, tuple):
            return grid.place(i, self.spec.shape, self.chunk)
        if not self.spec.shape:
            return ...
        return slice(i * self.chunk, min((i + 1) * self.chunk, self.spec.shape[0]))

    def chunk_spec(self, i: int) -> ArraySpec:
        """Shape and dtype of chunk `i`."""
        part = self.chunk_slice(i)
        if isinstance(part, slice):
            part = (part,)
        if not isinstance(part, tuple):
            return self.spec
        lengths = (one.stop - one.start for one in part)
        return ArraySpec((*lengths, *self.spec.shape[len(part) :]), self.spec.dtype)

    def check_limits(self, limits: Limits) -> None:
        """Raise `LimitExceededError` if the array, a chunk of it, or the number of chunks is over the limits."""
        nbytes = self.spec.nbytes
        if self.n_chunks <= limits.chunks and nbytes <= min(limits.array_bytes, limits.chunk_bytes):
            return
        where = f"entry {self.name!r}" if self.name else "the array without a name"
        limits.check("chunks", self.n_chunks, where)
        limits.check("array_bytes", nbytes, where)
        limits.check("chunk_bytes", self.chunk_spec(0).nbytes if self.n_chunks else 0, where)

    def _check(self, i: int) -> None:
        if not 0 <= i < self.n_chunks:
            raise ConfigError(f"entry {self.name!r} has no chunk {i}; it has {self.n_chunks}, counted from 0")


def is_sha256(text: object) -> bool:
    """Whether `text` is a SHA-256 in lower-case hexadecimal."""
    return type(text) is str and _SHA256.fullmatch(text) is not None
