"""What ``chunk=`` asks of an array: items along its first axis, lengths of its axes, or lengths by the names of dimensions."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from codecs_core.container.grid import simplest
from codecs_core.errors import ConfigError, UnsupportedArrayError
from codecs_core.media.kept import is_kept

if TYPE_CHECKING:
    from codecs_core.api.items import Items
    from codecs_core.arrays import ArraySpec
    from codecs_core.codec import Codec
    from codecs_core.container.grid import Chunk

ChunkChoice = int | Sequence[int] | Mapping[str, int]

#: Arrays of at most this number of bytes go into one or two chunks, whatever chunks they come in.
_SMALL = 1 << 24
#: Chunks that an array comes in are put together until they have this number of bytes: a codec finds less in smaller ones.
_LEAST = 1 << 20


def check(chunk: ChunkChoice | None, arrays: Mapping[str, Items]) -> None:
    """Raise `ConfigError` for what is no length of chunks, or is one of none of the arrays."""
    if chunk is None or _is_length(chunk):
        return
    lengths = _lengths(chunk)
    if not lengths or not all(map(_is_length, lengths)):
        raise ConfigError(f"chunk must be a positive number of items below 2^63, or one for each axis, got {chunk!r}")
    taken = [one for one in arrays.values() if not is_kept(one.attrs)]
    if isinstance(chunk, Mapping):
        known = sorted({name for one in taken for name in names(one)})
        if taken and (strange := [name for name in chunk if name not in known]):
            have = (
                f"the dimensions are {', '.join(known)}" if known else "no dimension has a name; give lengths in order"
            )
            raise ConfigError(f"chunk names the dimension {strange[0]!r}, and there is none: {have}")
    elif taken and all(len(one.spec.shape) < len(lengths) for one in taken):
        most = max(len(one.spec.shape) for one in taken)
        raise ConfigError(f"chunk has {len(lengths)} lengths, {tuple(lengths)}, and no array has more than {most} axes")


def of(chunk: ChunkChoice | None, one: Items) -> Chunk | None:
    """The lengths of the chunks of an array, as far as they are asked for; the bytes of a file that is kept whole are no items."""
    if is_kept(one.attrs):
        return None
    if chunk is None:
        return _kept(one)
    if isinstance(chunk, int):
        return chunk
    shape = one.spec.shape
    if isinstance(chunk, Mapping):
        lengths = [chunk.get(name, n) for name, n in zip(names(one), shape, strict=False)]
        return tuple(lengths) if set(names(one)) & set(chunk) else None
    return tuple(chunk) if len(chunk) <= len(shape) else None


def usual(codec: Codec, spec: ArraySpec) -> int:
    """Items in a chunk, as a codec has it; of an array that it does not take all of them, since `Codec.check` is what refuses."""
    if codec.info.accepts(spec):
        with suppress(UnsupportedArrayError):
            return codec.default_chunk(spec)
    return max(1, spec.shape[0] if spec.shape else 1)


def names(one: Items) -> list[str]:
    """Names of the first axes, where an array of xarray, zarr or HDF5 has them."""
    labelled, media = one.attrs.get("xarray"), one.attrs.get("media")
    dims = labelled.get("dims") if isinstance(labelled, dict) else None
    axes = media.get("axes") if isinstance(media, dict) else None
    found = dims or (axes if isinstance(axes, list) and len(axes) == len(one.spec.shape) else [])
    return [name for name in found if isinstance(name, str)] if len(found) <= len(one.spec.shape) else []


def _kept(one: Items) -> Chunk | None:
    """Blocks of the chunks that an array comes in, where these are cut in other axes than the first."""
    shape, steps = one.spec.shape, list(one.chunks or ())
    if not steps or one.spec.nbytes <= _SMALL:
        return None
    steps = [min(step, n) for step, n in zip(steps, shape, strict=True)]
    while math.prod(steps) * one.spec.itemsize < _LEAST:
        axis = min(range(len(shape)), key=lambda k: steps[k] / shape[k])
        steps[axis] = min(2 * steps[axis], shape[axis])
    found = simplest(shape, tuple(steps))
    return found if isinstance(found, tuple) else None


def _is_length(value: Any) -> bool:
    return type(value) is int and 1 <= value < 1 << 63


def _lengths(chunk: Any) -> list[Any]:
    """The lengths among what was given, if it is a list of them, or a mapping to them."""
    if isinstance(chunk, Mapping):
        return list(chunk.values())
    return list(chunk) if isinstance(chunk, Sequence) and not isinstance(chunk, str | bytes) else []
