"""What a codec's decoder makes of a payload, and whose fault it is where it fails: the payload's, the model's or the machine's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np

from codecs_core.errors import (
    CodecsError,
    CorruptDataError,
    EntropyError,
    MachineError,
    ModelError,
    OutOfMemoryError,
    PluginLoadError,
    UnsupportedArrayError,
)
from codecs_core.stored import restore

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from codecs_core.arrays import ArraySpec
    from codecs_core.limits import Limits
    from codecs_core.models import Model
    from codecs_core.scale import Grid


class Decoding(Protocol):
    """What is asked of a `Codec` here."""

    id: ClassVar[str]
    format_version: ClassVar[int]
    stores_from: ClassVar[int | None]

    @property
    def model(self) -> Model | None:
        """What it learned."""

    def check(self, spec: ArraySpec) -> None:
        """Raise unless the codec takes arrays of this spec."""


def run(
    codec: Decoding,
    decoder: Callable[..., Any],
    payload: bytes,
    spec: ArraySpec,
    *more: Any,
    version: int | None = None,
    grid: Grid | None = None,
    limits: Limits,
) -> NDArray[Any]:
    """What a payload stores, or a decoder of the codec makes of it, checked; errors are told as the contract of `Codec` says.

    Parameters
    ----------
    decoder
        A method of the codec, which takes the payload, `spec` and `more`.
    version
        The `format_version` of the payload, if it is an earlier one.
    grid
        Places that the array has its values at, where these are not those of `spec`.

    Raises
    ------
    CorruptDataError
        If the payload is none of this codec's.
    ModelError
        If the codec cannot be built from its model.
    MachineError, PluginLoadError
        If the machine lacks memory or a library.
    LimitExceededError
        If the array is over the limits.
    """
    limits.check("chunk_bytes", spec.nbytes, f"a chunk of codec {codec.id}")
    limits.check_claim(spec.size, len(payload), f"a chunk of codec {codec.id}")
    fits(codec, spec)
    try:
        payload = bytes(payload)
        stored = restore(payload, spec) if _may_store(codec, version) else None
        if stored is not None and grid is not None:
            stored = grid.nearest(stored)
        array: NDArray[Any] = np.asanyarray(decoder(payload, spec, *more) if stored is None else stored)
    except EntropyError as error:
        raise CorruptDataError(f"payload of {len(payload)} bytes is no stream of codec {codec.id}: {error}") from error
    except CodecsError:
        raise
    except Exception as error:
        raise _of_the_machine(codec, error) or CorruptDataError(
            f"payload of {len(payload)} bytes is no stream of codec {codec.id}: {type(error).__name__}: {error}"
        ) from error
    shape = spec.shape if grid is None else grid.shape
    if tuple(array.shape) != shape or array.dtype != np.dtype(spec.dtype):
        raise CorruptDataError(
            f"codec {codec.id} must decode {spec.dtype} of shape {shape}, got {array.dtype} of shape {array.shape}"
        )
    return array


def fits(codec: Decoding, spec: ArraySpec) -> None:
    """Raise unless a payload can be of this spec; it builds what the model holds, and sees none of the bytes."""
    try:
        codec.check(spec)
    except UnsupportedArrayError as error:
        raise CorruptDataError(
            f"payload of codec {codec.id} cannot be {spec.dtype} of shape {spec.shape}: {error}"
        ) from error
    except CodecsError:
        raise
    except Exception as error:
        raise _of_the_machine(codec, error) or _of_the_model(codec, error) from error


def _may_store(codec: Decoding, version: int | None) -> bool:
    """Whether payloads of a `format_version` may be stored ones."""
    known = codec.format_version if version is None else version
    return codec.stores_from is not None and codec.stores_from <= known <= codec.format_version


def _of_the_machine(codec: Decoding, error: Exception) -> CodecsError | None:
    """The error to raise instead, if this one is about the machine: no payload can be at fault."""
    if isinstance(error, MemoryError):
        return OutOfMemoryError(
            f"there is not enough memory to decode a chunk of codec {codec.id}; take fewer jobs (--jobs 1), "
            f"or a machine with more memory"
        )
    if isinstance(error, ImportError):
        return PluginLoadError(f"codec {codec.id} lacks a library on this machine: {error}")
    # Libraries tell of bad bytes by an OSError, too; what the system says has a number.
    system = isinstance(error, OSError) and error.errno is not None
    if system or type(error).__module__.partition(".")[0] in ("numba", "llvmlite"):
        return MachineError(f"codec {codec.id} cannot run on this machine: {type(error).__name__}: {error}")
    return None


def _of_the_model(codec: Decoding, error: Exception) -> ModelError:
    model = codec.model
    called = "its settings" if model is None else f"model {model.name or model.sha256[:16]}"
    return ModelError(f"codec {codec.id} cannot be built from {called}: {type(error).__name__}: {error}")
