"""Codecs as the serializer of a zarr v3 array.

Entry point ``codecs_core`` of the group ``zarr.codecs``, so that every process that has the package reads such arrays.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from codecs_core.adapters import caps
from codecs_core.adapters.caps import use_limits as use_limits
from codecs_core.adapters.described import arguments, arrived, choose, describe, restore, travelling
from codecs_core.adapters.sealed import seal, unseal
from codecs_core.arrays import ArraySpec, normalise, stored, stored_dtype
from codecs_core.codec import Codec
from codecs_core.errors import (
    CodecsError,
    LimitExceededError,
    MissingDependencyError,
    ModelNotFoundError,
    UnsupportedArrayError,
)
from codecs_core.models import Model, use

try:
    import zarr
    from zarr.abc.codec import ArrayBytesCodec, ArrayBytesCodecPartialDecodeMixin
    from zarr.core.buffer import default_buffer_prototype
    from zarr.core.sync import sync
    from zarr.storage import StorePath
    from zarr.storage._common import make_store_path
except ImportError as error:
    raise MissingDependencyError(f"arrays of zarr take zarr: pip install 'codecs-core[zarr]' ({error})") from error

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zarr.abc.store import ByteGetter
    from zarr.core.array_spec import ArraySpec as ChunkSpec
    from zarr.core.buffer import Buffer, NDBuffer
    from zarr.core.chunk_grids import ChunkGrid
    from zarr.core.indexing import SelectorTuple

    from codecs_core.api.codecs import ModelChoice
    from codecs_core.limits import Limits

NAME = "codecs_core"
#: Folder in an array or a group that holds models.
MODELS = "codecs_models"
_KEPT = re.compile(rf"(?:^|/){MODELS}/(?P<name>[^/]+)-(?P<sha256>[0-9a-f]{{64}})\.safetensors$")


@dataclass(frozen=True, init=False, repr=False)
class CodecsCore(ArrayBytesCodec, ArrayBytesCodecPartialDecodeMixin):
    """A codec of codecs_core as the serializer of a zarr array.

    ``zarr.create_array(..., serializer=CodecsCore("bbans.vae", model="mnist"), compressors=None)``

    Parameters
    ----------
    codec
        Id of a codec, ``{"id": ..., setting: value}``, or a `codecs_core.Codec`.
    model
        The model, for a codec that takes one: a `Model`, a path, a registered name or a SHA-256. The metadata of the array
        holds its hash; see `keep_models` for models that ship with no plugin.
    limits
        What a chunk may ask for; by default what `use_limits` was given, which also holds for
        arrays that zarr opens.
    **config
        Settings of the codec.

    Raises
    ------
    UnknownCodecError, PluginLoadError, ModelError, ConfigError
        If the codec or its model cannot be had: here, and where the array is opened, never later.
    """

    codec: Codec
    #: Why the codec does not take what zarr, without saying of what, called its shape; see `evolve_from_array_spec`.
    refusal: CodecsError | None = None
    limits: Limits | None = field(default=None, compare=False)

    is_fixed_size = False

    def __init__(
        self,
        codec: str | Mapping[str, Any] | Codec,
        *,
        model: ModelChoice | None = None,
        limits: Limits | None = None,
        **config: Any,
    ) -> None:
        object.__setattr__(self, "codec", choose(codec, model, config))
        object.__setattr__(self, "refusal", None)
        object.__setattr__(self, "limits", limits)

    # --- what zarr asks for ----------------------------------------------------------------------

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Inverse of `to_dict`."""
        return cls(restore(data.get("configuration", {})))

    def to_dict(self) -> dict[str, Any]:
        """The codec as ``zarr.json`` holds it; raises what `validate` does rather than let a wrong array come to be."""
        if self.refusal is not None:
            raise self.refusal
        return {"name": NAME, "configuration": describe(self.codec)}

    def compute_encoded_size(self, input_byte_length: int, chunk_spec: ChunkSpec) -> int:
        """Not known before encoding."""
        raise NotImplementedError("the size of a compressed chunk depends on its values")

    def evolve_from_array_spec(self, array_spec: ChunkSpec) -> Self:
        """Refuse a dtype or a number of axes that the codec cannot take, and note a shape that it cannot.

        In a shard the shape is that of its chunks, and nobody calls `validate`: the array is refused when its metadata is
        to be written. Elsewhere it is that of the whole array, and `validate` has the last word.
        """
        spec = _spec(array_spec.shape, array_spec.dtype.to_native_dtype())
        try:
            self._check(spec)
        except (UnsupportedArrayError, LimitExceededError) as error:
            if not self.codec.info.accepts(spec):
                raise
            evolved = type(self)(self.codec, limits=self.limits)
            object.__setattr__(evolved, "refusal", error.with_traceback(None))
            return evolved
        return self

    def validate(self, *, shape: tuple[int, ...], dtype: Any, chunk_grid: ChunkGrid) -> None:
        """Refuse, when an array is created, chunks that the codec or its model cannot take, or that are over the limits."""
        chunk = getattr(chunk_grid, "chunk_shape", None)
        if chunk is None:
            raise UnsupportedArrayError(f"codecs_core needs chunks of one shape, not a {type(chunk_grid).__name__}")
        # Chunks at the edge of an array are padded, so that all of them have this shape.
        self._check(_spec(chunk, dtype.to_native_dtype()))
        object.__setattr__(self, "refusal", None)

    def _caps(self) -> Limits:
        return self.limits or caps.limits()

    def _check(self, spec: ArraySpec) -> None:
        self._caps().check("chunk_bytes", spec.nbytes, f"a chunk of shape {spec.shape}")
        self.codec.check(spec)

    def _encode_sync(self, chunk: NDBuffer, chunk_spec: ChunkSpec) -> Buffer:
        array = normalise(stored(chunk.as_numpy_array()))
        return chunk_spec.prototype.buffer.from_bytes(seal(self.codec, array, ArraySpec.of(array), limits=self._caps()))

    def _decode_sync(self, chunk: Buffer, chunk_spec: ChunkSpec, where: str = "a chunk of a zarr array") -> NDBuffer:
        dtype = chunk_spec.dtype.to_native_dtype()
        array = unseal(self.codec, chunk.to_bytes(), _spec(chunk_spec.shape, dtype), where, limits=self._caps())
        array = array.astype(stored_dtype(dtype), copy=False).view(dtype)
        return chunk_spec.prototype.nd_buffer.from_numpy_array(array)

    async def _encode_single(self, chunk: NDBuffer, chunk_spec: ChunkSpec) -> Buffer:
        return await asyncio.to_thread(self._encode_sync, chunk, chunk_spec)

    async def _decode_single(self, chunk: Buffer, chunk_spec: ChunkSpec) -> NDBuffer:
        return await asyncio.to_thread(self._decode_sync, chunk, chunk_spec)

    async def _decode_partial_single(
        self, byte_getter: ByteGetter, selection: SelectorTuple, chunk_spec: ChunkSpec
    ) -> NDBuffer | None:
        # A chunk is decoded whole; what this gains is that errors can name it.
        chunk = await byte_getter.get(prototype=chunk_spec.prototype)
        if chunk is None:
            return None
        where = str(byte_getter) if isinstance(byte_getter, StorePath) else "a chunk of a shard"
        return (await asyncio.to_thread(self._decode_sync, chunk, chunk_spec, where))[selection]

    def __repr__(self) -> str:
        return f"CodecsCore({arguments(self.codec)})"

    def __reduce__(self) -> tuple[Any, ...]:
        return (_unpickle, (*travelling(self.codec), self.limits))


def keep_models(array: zarr.Array[Any]) -> list[str]:
    """Write the models that an array needs into its store, beside its chunks; return the keys.

    An array whose model ships with a plugin needs none of this: its readers have the plugin.
    """
    store, keys = array.store_path, []
    metadata: Any = array.metadata
    for adapter in [metadata.compressor] if metadata.zarr_format == 2 else metadata.inner_codecs:
        codec = getattr(adapter, "codec", None)
        if isinstance(codec, Codec) and (model := codec.model) is not None:
            path = store / MODELS / f"{model.name or 'model'}-{model.sha256}.safetensors"
            sync(path.set(default_buffer_prototype().buffer.from_bytes(model.data)))
            keys.append(path.path)
    return keys


def use_models(store: Any, path: str = "") -> list[Model]:
    """Put at hand the models that lie in a store, so that the arrays in it can be opened by this process.

    Parameters
    ----------
    store
        What zarr takes: a path, a URL, or a store.
    path
        Array or group in the store; the models of all arrays in it are taken.

    Raises
    ------
    ModelNotFoundError
        If there are none.
    ModelError
        If one is damaged.
    """
    models = sync(_models(store, path))
    if not models:
        raise ModelNotFoundError(f"there are no models in {store}; keep_models(array) puts them there")
    for model in models:
        use(model)
    return models


async def _models(store: Any, path: str) -> list[Model]:
    root = await make_store_path(store, path=path, mode="r")
    found = []
    async for key in root.store.list_prefix(f"{root.path}/" if root.path else ""):
        if (named := _KEPT.search(key)) is not None:
            data = await root.store.get(key, prototype=default_buffer_prototype())
            if data is not None:
                found.append(Model.from_bytes(data.to_bytes(), named["name"], expect=named["sha256"]))
    return found


def _spec(shape: tuple[int, ...], dtype: np.dtype[Any]) -> ArraySpec:
    return ArraySpec(tuple(int(n) for n in shape), ArraySpec.of(np.empty(0, stored_dtype(dtype))).dtype)


def _unpickle(description: dict[str, Any], model: Model | None, limits: Limits | None) -> CodecsCore:
    return CodecsCore(arrived(description, model), limits=limits)
