"""Datasets of HDF5 whose chunks a codec of codecs_core made: a filter that h5py, h5netcdf and xarray use like their own.

Importing this module registers the filter in this process. HDF5 calls it with the bytes of a chunk; what it has to know (codec,
settings, model, dtype, shape of a chunk) is in the parameters of the filter, which HDF5 keeps with the dataset. The filter is this Python
function, called by HDF5 through ctypes: nothing has to be compiled or put into a plugin folder.
"""

from __future__ import annotations

import ctypes
import json
import sys
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from codecs_core.adapters.described import choose, describe, restore
from codecs_core.adapters.sealed import seal, unseal
from codecs_core.arrays import ArraySpec
from codecs_core.codec import Codec
from codecs_core.errors import CodecsError, ConfigError, CorruptDataError, MissingDependencyError

try:
    from h5py import h5z
except ImportError as error:
    raise MissingDependencyError(f"h5py is missing: pip install 'codecs-core[science]' ({error})") from error

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from codecs_core.api.codecs import ModelChoice

#: The number of the filter: of the range from 256 to 511, which HDF5 leaves to filters that are not registered with the HDF Group.
FILTER = 463
_NAME = b"codecs_core: pip install codecs-core, import codecs_core.adapters.hdf5"
#: First parameter of the filter: the version of its parameters.
_VERSION = 1


def encoding(
    codec: str | Mapping[str, Any] | Codec,
    *,
    dtype: Any,
    chunks: Sequence[int],
    model: ModelChoice | None = None,
    **config: Any,
) -> dict[str, Any]:
    """Keywords for ``h5py.Group.create_dataset``.

    Parameters
    ----------
    codec
        Id of a codec, ``{"id": ..., setting: value}``, or a `codecs_core.Codec`.
    dtype, chunks
        Those of the dataset; each chunk is coded by itself.
    model
        The model, for a codec that takes one. It is found by its hash when the dataset is read.
    **config
        Settings of the codec.

    Returns
    -------
    dict
        ``{"chunks", "compression", "compression_opts"}``.

    Raises
    ------
    ConfigError, ModelError
        If the codec does not take the settings or the model.
    UnsupportedArrayError
        If it does not take such chunks.
    UnknownCodecError, CodecConflictError, PluginLoadError
        If the codec cannot be had.
    """
    chosen, stored = choose(codec, model, config), np.dtype(dtype)
    spec = ArraySpec(tuple(int(n) for n in chunks), stored.name)
    chosen.check(spec)
    about = json.dumps({**describe(chosen), "dtype": stored.str, "chunks": list(spec.shape)}, separators=(",", ":"))
    return {"chunks": spec.shape, "compression": FILTER, "compression_opts": _to_parameters(about.encode())}


def variable_encoding(
    codec: str | Mapping[str, Any] | Codec,
    *,
    dtype: Any,
    chunks: Sequence[int],
    model: ModelChoice | None = None,
    **config: Any,
) -> dict[str, Any]:
    """The encoding of a variable for ``xarray.Dataset.to_netcdf(engine="h5netcdf")``; parameters and errors are those of `encoding`."""
    made = encoding(codec, dtype=dtype, chunks=chunks, model=model, **config)
    return {"chunksizes": made.pop("chunks"), **made}


def _to_parameters(text: bytes) -> tuple[int, ...]:
    """The version, the number of bytes, and the bytes in little-endian words of 32 bits."""
    words = np.frombuffer(text + bytes(-len(text) % 4), "<u4")
    return (_VERSION, len(text), *(int(word) for word in words))


def _from_parameters(values: Sequence[int]) -> tuple[Codec, ArraySpec, np.dtype[Any]]:
    if len(values) < 2 or values[0] != _VERSION:
        raise CorruptDataError(
            f"an HDF5 dataset has parameters of the filter codecs_core that are not of version {_VERSION}"
        )
    text = np.array(values[2:], "<u4").tobytes()[: values[1]]
    try:
        about = json.loads(text)
        dtype = np.dtype(about.pop("dtype"))
        spec = ArraySpec(tuple(about.pop("chunks")), dtype.name)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise CorruptDataError(f"an HDF5 dataset has damaged parameters of the filter codecs_core: {error}") from error
    return restore(about), spec, dtype


def _transform(data: bytes, values: Sequence[int], *, reverse: bool) -> bytes:
    """What the filter does to the bytes of a chunk."""
    codec, spec, dtype = _from_parameters(values)
    if reverse:
        array = unseal(codec, data, spec, "a chunk of an HDF5 dataset")
        return np.asarray(array, dtype=dtype).tobytes()
    if len(data) != spec.nbytes:
        raise ConfigError(
            f"a chunk has {len(data)} bytes, and encoding() was made for chunks {spec.shape} of {dtype}; give it the dtype and "
            f"the chunks of the dataset"
        )
    return seal(codec, np.frombuffer(data, dtype).reshape(spec.shape).astype(spec.dtype), spec)


# --- what HDF5 calls ------------------------------------------------------------------------------

_FUNCTION = ctypes.CFUNCTYPE(
    ctypes.c_size_t,
    ctypes.c_uint,
    ctypes.c_size_t,
    ctypes.POINTER(ctypes.c_uint),
    ctypes.c_size_t,
    ctypes.POINTER(ctypes.c_size_t),
    ctypes.POINTER(ctypes.c_void_p),
)


class _Class(ctypes.Structure):
    """``H5Z_class2_t`` of the C library."""

    _fields_ = (
        ("version", ctypes.c_int),
        ("id", ctypes.c_int),
        ("encoder_present", ctypes.c_uint),
        ("decoder_present", ctypes.c_uint),
        ("name", ctypes.c_char_p),
        ("can_apply", ctypes.c_void_p),
        ("set_local", ctypes.c_void_p),
        ("filter", _FUNCTION),
    )


# The library that h5py itself is linked with; looking a name up in an extension module searches what it depends on.
_LIBRARY = ctypes.CDLL(h5z.__file__)
_LIBRARY.H5allocate_memory.restype = ctypes.c_void_p
_LIBRARY.H5allocate_memory.argtypes = (ctypes.c_size_t, ctypes.c_bool)
_LIBRARY.H5free_memory.argtypes = (ctypes.c_void_p,)


def _tell(error: Exception) -> None:
    """HDF5 cannot hand an exception on: what cannot be read is an OSError of h5py, what cannot be encoded is stored as it is."""
    text = str(error) if isinstance(error, CodecsError) else f"{type(error).__name__}: {error}"
    try:
        warnings.warn(f"the HDF5 filter codecs_core failed: {text}", RuntimeWarning, stacklevel=3)
    except RuntimeWarning as warning:  # where warnings are errors
        sys.stderr.write(f"{warning}\n")


def _filter(flags: int, count: int, values: Any, nbytes: int, size: Any, buffer: Any) -> int:
    """Exchange the buffer for one with the transformed bytes, and return their number; 0 is a failure."""
    try:
        data = ctypes.string_at(buffer[0], nbytes)
        made = _transform(data, [values[i] for i in range(count)], reverse=bool(flags & h5z.FLAG_REVERSE))
        place = _LIBRARY.H5allocate_memory(len(made), False)
        if not place:
            raise MemoryError(f"HDF5 has no {len(made)} bytes for a chunk")
    except Exception as error:
        _tell(error)
        return 0  # never by an exception: HDF5 would take whatever is in the register for the number of bytes
    ctypes.memmove(place, made, len(made))
    _LIBRARY.H5free_memory(buffer[0])
    buffer[0], size[0] = place, len(made)
    return len(made)


# HDF5 keeps a pointer to the function for the life of the process.
_KEPT = _FUNCTION(_filter)
_DESCRIPTION = _Class(h5z.CLASS_T_VERS, FILTER, 1, 1, _NAME, None, None, _KEPT)
h5z.register_filter(ctypes.addressof(_DESCRIPTION))
