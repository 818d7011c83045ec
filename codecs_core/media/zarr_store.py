"""zarr stores, of format 2 or 3, in a folder: arrays of numbers as entries, and every other file of the folder as it is.

The metadata, attributes and groups of a store are files, and stay what they were. The chunks are written again by zarr, those that there
were, with the same values: by the same codecs, which may pack them differently in another version.
"""

from __future__ import annotations

import itertools
import json
import os
import warnings
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from codecs_core.arrays import DTYPES, ArraySpec, logical_name, stored, stored_dtype
from codecs_core.errors import CodecsError, InexactError, InputError, MissingReaderError, OutputError
from codecs_core.media import span, template
from codecs_core.media.names import fault
from codecs_core.media.readable import listed
from codecs_core.media.source import Source

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from codecs_core.media.source import Part

#: Files that say what an array or a group is.
METADATA = ("zarr.json", ".zarray", ".zgroup")
#: Codecs that give back what went in, by their names in format 3, and without ``numcodecs.`` in front in format 2.
_CODECS = {
    *("bytes", "transpose", "sharding_indexed", "crc32c", "gzip", "zstd", "blosc", "codecs_core"),
    *("zlib", "bz2", "lzma", "lz4", "shuffle", "crc32", "adler32"),
}
#: Files and chunks that a store may have; more make the folder slow to look at.
_MOST = 1_000_000


def is_store(path: Path) -> bool:
    """Whether a folder is a store."""
    return any((path / name).is_file() for name in METADATA)


@dataclass(frozen=True, kw_only=True)
class _Array:
    """An array of a store: its path in it, what zarr has of it, and its chunks that there are, as places in the grid."""

    name: str
    array: Any
    present: NDArray[np.bool_]


def read(path: Path) -> list[Source]:
    """The arrays of numbers and times of a store.

    Raises
    ------
    InexactError
        If there are none, a codec would not give back what went in, or there is too much beside them.
    InputError
        If the store is damaged, or zarr is missing.
    """
    try:
        import zarr  # noqa: F401
    except ImportError as error:
        raise MissingReaderError(
            f"{path} is a zarr store, which takes zarr: pip install 'codecs-core[zarr]'"
        ) from error
    files = _files(path)
    arrays, values = [], set()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for name in _named(path, files):
                if (found := _array(path, name, files)) is not None:
                    arrays.append(found)
                    values |= set(_keys(found, found.present))
    except CodecsError:
        raise
    except Exception as error:  # zarr raises nearly anything on damage
        raise InputError(f"{path} is not a zarr store that can be read: {type(error).__name__}: {error}") from error
    if not arrays:
        raise InexactError(f"{path} is a zarr store without arrays of numbers")
    others = _others(path, sorted(files - values))
    return [_source(path, found, place, others if place == 0 else None) for place, found in enumerate(arrays)]


def write(path: Path, parts: Sequence[Part]) -> None:
    """Write the store that arrays came from: its metadata as it was, and chunks of the same values."""
    if find_spec("zarr") is None:
        raise OutputError("a zarr store takes zarr: pip install 'codecs-core[zarr]'")
    ordered = span.in_place(parts)
    told = ordered[0].media.get("file")
    others = told.get("files") if isinstance(told, dict) else None
    if not isinstance(others, list):
        raise OutputError("its attributes do not say what files a zarr store had")
    path.mkdir(exist_ok=True)
    for one in others:
        match one:
            case [str(name), bytes(data)] if fault(name) is None:
                (path / name).parent.mkdir(parents=True, exist_ok=True)
                (path / name).write_bytes(data)
            case _:
                raise OutputError("its attributes have a file of a zarr store that has no proper name")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for part in ordered:
            _write_chunks(path, part)


# --- what a store has ----------------------------------------------------------------------------


def _files(path: Path) -> set[str]:
    """Every file below a folder, by its path in it."""
    found: set[str] = set()
    for folder, folders, names in os.walk(path):
        if any(Path(folder, name).is_symlink() for name in folders) or not (folders or names):
            raise InexactError(f"{path} is a zarr store with a link to a folder in it, or an empty folder")
        found |= {Path(folder, name).relative_to(path).as_posix() for name in names}
        if len(found) > _MOST:
            raise InexactError(f"{path} is a zarr store of more than {_MOST} files")
    if any(fault(name) is not None for name in found):
        raise InexactError(f"{path} is a zarr store with a file of an odd name")
    return found


def _named(path: Path, files: set[str]) -> Iterator[str]:
    """Where in the store there are arrays, in the order of their names."""
    for file in sorted(files):
        folder, _, name = file.rpartition("/")
        if name == ".zarray":
            yield folder
        elif name == "zarr.json":
            told = json.loads((path / file).read_bytes())
            if isinstance(told, dict) and told.get("node_type") == "array":
                yield folder


def _array(path: Path, name: str, files: set[str]) -> _Array | None:
    """An array, if it is of numbers that its codecs give back."""
    array = _opened(path, name, "r")
    dtype = array.metadata.dtype.to_native_dtype()
    if stored_dtype(dtype).name not in DTYPES or logical_name(dtype) not in (None, dtype.newbyteorder("=").name):
        return None
    _check_codecs(f"array {name!r} of {path}", array)
    grid = _grid(array)
    if np.prod(grid) > _MOST:
        raise InexactError(f"array {name!r} of {path} is of {int(np.prod(grid))} chunks, and {_MOST} are the most")
    found = _Array(name=name, array=array, present=np.ones(grid, bool))
    present = [key in files for key in _keys(found, found.present)]
    return _Array(name=name, array=array, present=np.array(present, bool).reshape(grid))


def _opened(path: Path, name: str, mode: str) -> Any:
    import zarr

    array: Any = zarr.open_array(str(path / name), mode=mode)
    return array.with_config({"write_empty_chunks": True})


def _check_codecs(where: str, array: Any) -> None:
    """Raise `InexactError` unless each codec of an array gives back what went in."""
    for codec in _codecs(array.metadata):
        name = str(codec.get("name", codec.get("id"))).removeprefix("numcodecs.")
        if name not in _CODECS or (name == "codecs_core" and not _is_lossless(codec)):
            raise InexactError(f"{where} has the codec {name}, which may not give back what went in")


def _codecs(metadata: Any) -> Iterator[dict[str, Any]]:
    told = metadata.to_dict()
    if metadata.zarr_format == 2:
        yield from (codec for codec in [told.get("compressor"), *(told.get("filters") or ())] if codec)
        return
    waiting = list(told["codecs"])
    while waiting:
        codec = waiting.pop()
        yield codec
        inner = codec.get("configuration") or {}
        waiting += [*inner.get("codecs", ()), *inner.get("index_codecs", ())] if isinstance(inner, dict) else []


def _is_lossless(codec: dict[str, Any]) -> bool:
    from codecs_core.registry import default

    told = codec.get("configuration", codec)["codec"]
    return default().spec(told["id"]).info.kind == "lossless"


def _grid(array: Any) -> tuple[int, ...]:
    """Number of chunks along each axis; each chunk is a file."""
    return tuple(-(-n // m) for n, m in zip(array.shape, _step(array), strict=True))


def _step(array: Any) -> tuple[int, ...]:
    shards = getattr(array, "shards", None)
    return tuple(shards if shards is not None else array.chunks)


def _keys(found: _Array, present: NDArray[np.bool_]) -> Iterator[str]:
    """The files of chunks."""
    front = f"{found.name}/" if found.name else ""
    for place in itertools.product(*map(range, present.shape)):
        if present[place]:
            yield front + found.array.metadata.encode_chunk_key(place)


def _others(path: Path, names: list[str]) -> list[list[Any]]:
    total = sum((path / name).stat().st_size for name in names)
    if total > template.LARGEST:
        raise InexactError(
            f"{path} has {total} bytes beside its values, and {template.LARGEST} can be kept with an array"
        )
    return [[name, (path / name).read_bytes()] for name in names]


def _source(path: Path, found: _Array, place: int, others: list[list[Any]] | None) -> Source:
    array = found.array
    dtype = array.metadata.dtype.to_native_dtype()
    media: dict[str, Any] = {"format": "zarr", "chunks": list(_step(array)), "attributes": listed(array.attrs.items())}
    if found.name:
        media |= {"member": found.name, "place": place}
    if others is not None:
        media["file"] = {"files": others}
    if not found.present.all():
        media["present"] = np.packbits(found.present).tobytes()
    if axes := [str(axis) for axis in getattr(array.metadata, "dimension_names", None) or () if axis is not None]:
        media["axes"] = axes
    name = logical_name(dtype)
    return Source(
        name=found.name,
        path=path,
        spec=ArraySpec(tuple(array.shape), stored_dtype(dtype).name),
        load=partial(_load, path, found),
        attrs={"media": media, **({} if name is None else {"dtype": name})},
    )


def _load(path: Path, found: _Array) -> NDArray[Any]:
    try:
        return stored(np.asarray(found.array[...]))
    except CodecsError:
        raise
    except Exception as error:
        raise InputError(f"array {found.name!r} of {path} cannot be read: {type(error).__name__}: {error}") from error


# --- chunks into it ------------------------------------------------------------------------------


def _write_chunks(path: Path, part: Part) -> None:
    name = part.media.get("member", "")
    array = _opened(path, name, "r+") if isinstance(name, str) and (not name or fault(name) is None) else None
    if array is None or tuple(array.shape) != part.array.shape:
        raise OutputError("its attributes do not say what array of a zarr store it was")
    _check_codecs("it", array)
    dtype = array.metadata.dtype.to_native_dtype()
    if stored_dtype(dtype).name != stored(part.array).dtype.name:
        raise OutputError(f"it is {part.array.dtype}, and its metadata says {dtype}")
    values = stored(part.array).astype(stored_dtype(dtype), copy=False).view(dtype)
    grid, step = _grid(array), _step(array)
    packed, count = part.media.get("present"), int(np.prod(grid))
    present = np.ones(count, bool)
    if isinstance(packed, bytes):
        present = np.unpackbits(np.frombuffer(packed, np.uint8), count=count).astype(bool)
    for place, is_there in zip(itertools.product(*map(range, grid)), present, strict=True):
        if is_there:
            where = tuple(slice(k * n, (k + 1) * n) for k, n in zip(place, step, strict=True))
            array[where] = values[where]
