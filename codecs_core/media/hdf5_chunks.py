"""The values of datasets back into the skeleton of an HDF5 file: chunks where they were, or rewritten."""

from __future__ import annotations

import math
from bisect import bisect
from typing import TYPE_CHECKING, Any

import numpy as np

from codecs_core.arrays import DTYPES
from codecs_core.errors import OutputError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from codecs_core.media.source import Part


def numpy_dtype(kind: Any) -> np.dtype[Any] | None:
    """The numpy dtype whose bytes a type of HDF5 has; that of its numbers for an enumeration; None for other types."""
    from h5py import h5t

    if isinstance(kind, h5t.TypeEnumID):
        return numpy_dtype(kind.get_super())
    try:
        dtype: np.dtype[Any] = np.dtype(kind.dtype.str)
    except (TypeError, ValueError):
        return None
    if isinstance(kind, h5t.TypeIntegerID | h5t.TypeFloatID):
        return dtype if dtype.name in DTYPES and h5t.py_create(dtype).equal(kind) else None
    if isinstance(kind, h5t.TypeCompoundID) and dtype.kind == "c" and dtype.name in DTYPES:
        parts = [numpy_dtype(kind.get_member_type(k)) for k in (0, 1)]
        offsets = [kind.get_member_offset(k) for k in (0, 1)]
        half = dtype.itemsize // 2
        real = np.dtype(f"{dtype.str[0]}f{half}")
        return dtype if parts == [real, real] and offsets == [0, half] and kind.get_size() == 2 * half else None
    return None


def stored_chunks(identity: Any) -> list[Any]:
    """What HDF5 says of each chunk that is stored: its place in the array, its filter mask, its offset and size in the file."""
    found: list[Any] = []
    identity.chunk_iter(found.append)
    return found


def chunks_of(path: Path, part: Part, holes: list[list[int]]) -> list[tuple[int, bytes]] | None:
    """Offset and bytes of each chunk of a dataset; None if one of them does not fit where it was."""
    from h5py import File, h5d, h5s

    # Threads that write other files have other names for what they have in memory.
    with File(path, "r") as file, File(f"{path}.chunks", "w", driver="core", backing_store=False) as held:
        identity = _identity(file, part)
        kind = identity.get_type()
        again = h5d.create(held.id, b"a", kind, identity.get_space(), identity.get_create_plist())
        again.write(h5s.ALL, h5s.ALL, _values(part), kind)
        held.flush()
        found = []
        for chunk in stored_chunks(identity):
            mask, data = again.read_direct_chunk(chunk.chunk_offset)
            # Of a file with a user block, versions of HDF5 differ on where a chunk is.
            hole = holes[bisect(holes, [chunk.byte_offset, math.inf]) - 1]
            fits = hole[0] <= chunk.byte_offset and chunk.byte_offset + chunk.size <= sum(hole)
            if not fits or mask != chunk.filter_mask or len(data) != chunk.size:
                return None
            found.append((chunk.byte_offset, data))
        return found


def rewrite(path: Path, parts: list[Part]) -> None:
    """Let HDF5 drop the chunks of datasets and write them."""
    from h5py import File, h5s

    with File(path, "r+") as file:
        for part in parts:
            identity = _identity(file, part)
            shape = identity.shape
            identity.set_extent((0,) * len(shape))
            identity.set_extent(shape)
            identity.write(h5s.ALL, h5s.ALL, _values(part), identity.get_type())


def _identity(file: Any, part: Part) -> Any:
    """The dataset that a part was, which must lie in this file: a link may lead to any other, and so may a dataset."""
    from h5py import Dataset, Group, HardLink, h5d

    found = file
    for name in str(part.media.get("member")).split("/"):
        if not isinstance(found, Group) or not isinstance(found.get(name, getlink=True), HardLink):
            raise OutputError(f"its skeleton has no dataset {part.media.get('member')!r}")
        found = found[name]
    if not isinstance(found, Dataset):
        raise OutputError(f"{part.media.get('member')!r} is no dataset of its skeleton")
    identity, settings = found.id, found.id.get_create_plist()
    if settings.get_layout() != h5d.CHUNKED or settings.get_external_count():
        raise OutputError(f"dataset {part.media.get('member')!r} of its skeleton is not in chunks")
    if identity.shape != part.array.shape or numpy_dtype(identity.get_type()) != _values(part).dtype:
        raise OutputError(f"{part.array.dtype} of shape {part.array.shape} is not what its skeleton has a place for")
    return identity


def _values(part: Part) -> NDArray[Any]:
    big = part.media.get("byteorder") == ">"
    return np.ascontiguousarray(part.array, part.array.dtype.newbyteorder(">" if big else "<"))
