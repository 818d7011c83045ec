"""Codecs as a numcodecs codec, for zarr v2 arrays and whatever else takes those.

Entry point ``codecs_core`` of the group ``numcodecs.codecs``.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from codecs_core.adapters import caps
from codecs_core.adapters.caps import use_limits as use_limits
from codecs_core.adapters.described import arguments, arrived, choose, describe, restore, travelling
from codecs_core.adapters.sealed import seal, unseal
from codecs_core.arrays import DTYPES, ArraySpec, normalise
from codecs_core.container.canonical import pack, unpack
from codecs_core.container.checksum import crc32c
from codecs_core.errors import CorruptDataError, FormatError, MissingDependencyError

try:
    from numcodecs.abc import Codec as Numcodec
    from numcodecs.compat import ensure_bytes, ensure_contiguous_ndarray, ndarray_copy
except ImportError as error:
    raise MissingDependencyError(f"numcodecs is missing: pip install 'codecs-core[zarr]' ({error})") from error

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from codecs_core.api.codecs import ModelChoice
    from codecs_core.codec import Codec
    from codecs_core.limits import Limits
    from codecs_core.models import Model

#: Length and CRC32C of what comes next and before the sealed chunk: ``[dtype, shape, whether in Fortran order]`` in canonical
#: MessagePack.
_ABOUT = struct.Struct("<HI")


class CodecsCore(Numcodec):
    """A codec of codecs_core for numcodecs. What it encodes knows its own shape and dtype, and decodes to them.

    Parameters
    ----------
    codec
        Id of a codec, ``{"id": ..., setting: value}``, or a `codecs_core.Codec`.
    model
        The model, for a codec that takes one: a `Model`, a path, a registered name or a SHA-256.
    limits
        What a chunk may ask for; by default what `use_limits` was given.
    **config
        Settings of the codec.

    Raises
    ------
    UnknownCodecError, PluginLoadError, ModelError, ConfigError
        If the codec or its model cannot be had.
    """

    codec_id = "codecs_core"

    def __init__(
        self,
        codec: str | Mapping[str, Any] | Codec,
        *,
        model: ModelChoice | None = None,
        limits: Limits | None = None,
        **config: Any,
    ) -> None:
        self.codec = choose(codec, model, config)
        self.limits = limits

    def encode(self, buf: Any) -> bytes:
        """Encode an array, or anything else with a buffer as the bytes it holds.

        Raises
        ------
        UnsupportedArrayError, LimitExceededError
            If the codec cannot take it, or no reader would.
        TypeError, ValueError
            If it has no buffer, or none in one piece.
        """
        array = _plain(ensure_contiguous_ndarray(buf, flatten=False))
        fortran = array.flags.f_contiguous and not array.flags.c_contiguous
        about = pack([array.dtype.str, list(array.shape), fortran])
        normal = normalise(array)
        sealed = seal(self.codec, normal, ArraySpec.of(normal), limits=self.limits or caps.limits())
        return _ABOUT.pack(len(about), crc32c(about)) + about + sealed

    def decode(self, buf: Any, out: Any = None) -> Any:
        """Decode to an array of the dtype, the shape and the memory layout that was encoded, or into `out`.

        Raises
        ------
        CorruptDataError, DecodeMismatchError, UnsupportedFeatureError
            As `codecs_core.adapters.sealed.unseal`.
        TypeError, ValueError
            If `out` has no buffer of the right size, or none in one piece.
        """
        data = ensure_bytes(buf)
        if out is not None:
            ensure_contiguous_ndarray(out)  # raises for one of Python objects, which no bytes may be written over
        dtype, shape, fortran, start = _about(data)
        spec = ArraySpec(shape, dtype.name)
        array = unseal(
            self.codec, data[start:], spec, "a chunk of a numcodecs codec", limits=self.limits or caps.limits()
        )
        return ndarray_copy(array.astype(dtype, order="F" if fortran else "C", copy=False), out)

    def get_config(self) -> dict[str, Any]:
        """``{"id": "codecs_core", "codec": {"id": ..., ...}, ...}``: JSON, with the model by its hash."""
        return {"id": self.codec_id, **describe(self.codec)}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Inverse of `get_config`; raises what opening a file raises where codec or model are missing."""
        return cls(restore(config))

    def __repr__(self) -> str:
        return f"CodecsCore({arguments(self.codec)})"

    def __hash__(self) -> int:
        return hash(self.codec)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CodecsCore) and self.codec == other.codec

    def __reduce__(self) -> tuple[Any, ...]:
        return (_unpickle, (*travelling(self.codec), self.limits))


def _plain(array: NDArray[Any]) -> NDArray[Any]:
    """Numbers as they are; text and records as the bytes they are made of."""
    if array.dtype.kind in "biufc" and array.dtype.name in DTYPES:
        return array
    return array.reshape(-1, order="A").view(np.uint8)


def _about(data: bytes) -> tuple[np.dtype[Any], tuple[int, ...], bool, int]:
    """Dtype, shape and order, and where the sealed chunk begins."""
    try:
        length, expected = _ABOUT.unpack_from(data)
        about = data[_ABOUT.size : _ABOUT.size + length]
        if len(about) != length or crc32c(about) != expected:
            raise FormatError("its head is damaged")
        name, shape, fortran = unpack(about)
        dtype = np.dtype(name)
        ArraySpec(tuple(shape), dtype.name)
    except (struct.error, ValueError, TypeError) as error:
        raise CorruptDataError(
            f"{len(data)} bytes are no array that codecs_core encoded for numcodecs: {error}"
        ) from error
    return dtype, tuple(shape), bool(fortran), _ABOUT.size + length


def _unpickle(description: dict[str, Any], model: Model | None, limits: Limits | None) -> CodecsCore:
    return CodecsCore(arrived(description, model), limits=limits)
