"""HDF5 files, NetCDF 4 among them: datasets of numbers as entries, and all else of the file as it is.

The *skeleton* of a file is the file with holes where the values of its datasets are: superblock, groups, attributes, indices of
chunks, strings, references, compound types, whatever there is. To write the file, the values of contiguous datasets go back where
they were. Those of chunked ones are filtered once more by HDF5: where every chunk has the size that it had, which is so if zlib is
the one that wrote the file, they go back where they were, too, and the file is identical to the byte. Otherwise HDF5 drops the
chunks of that dataset and writes it anew, in place.
"""

from __future__ import annotations

import math
import tempfile
import zlib
from bisect import bisect
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from codecs_core.arrays import DTYPES, ArraySpec
from codecs_core.errors import CodecsError, InexactError, InputError, OutputError
from codecs_core.media import span, template
from codecs_core.media.readable import listed
from codecs_core.media.source import Source

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from codecs_core.media.source import Part

SIGNATURE = b"\x89HDF\r\n\x1a\n"
#: Filters that give back what went in: deflate, shuffle, Fletcher's checksum, LZF; Blosc, LZ4, bitshuffle, Zstandard.
_FILTERS = {1, 2, 3, 32000, 32001, 32004, 32008, 32015}
#: Attributes that say what axes are; that is told by names.
_AXES = {
    "CLASS",
    "NAME",
    "DIMENSION_LIST",
    "DIMENSION_LABELS",
    "REFERENCE_LIST",
    "_Netcdf4Dimid",
    "_Netcdf4Coordinates",
}
#: Holes that a skeleton may have, and bytes.
_HOLES, _SKELETON = 50_000, 1 << 25


@dataclass(frozen=True, kw_only=True)
class _Dataset:
    """A dataset whose values are taken.

    Parameters
    ----------
    name
        Its path, without the slash in front.
    dtype, shape
        As they are stored.
    extents
        Offset and size of what is stored of it in the file: of each chunk, or of the whole.
    chunked
        Whether it is in chunks.
    media
        What can be read of its attributes.
    """

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    extents: list[tuple[int, int]]
    chunked: bool
    media: dict[str, Any]

    def source(self, path: Path, place: int, whole: dict[str, Any] | None) -> Source:
        """The entry that it becomes."""
        media = {"format": "HDF5", "member": self.name, "place": place, **self.media}
        if self.dtype.str.startswith(">"):
            media["byteorder"] = ">"
        if not self.chunked:
            media["at"] = self.extents[0][0]
        if whole is not None:
            media["file"] = whole
        spec = ArraySpec(self.shape, self.dtype.name)
        return Source(name=self.name, path=path, spec=spec, load=partial(_load, path, self), attrs={"media": media})


def read(path: Path) -> list[Source]:
    """The datasets of numbers that a file stores, as they are stored: packed values stay packed.

    Raises
    ------
    InexactError
        If there are none, or too much beside them.
    InputError
        If the file is damaged, or h5py is missing.
    """
    h5py = _h5py(path)
    try:
        with h5py.File(path, "r") as file:
            datasets = list(_datasets(path, file))
    except CodecsError:
        raise
    except Exception as error:  # h5py raises nearly anything on damage
        raise InputError(f"{path} is not an HDF5 file that can be read: {type(error).__name__}: {error}") from error
    if not datasets:
        raise InexactError(f"{path} is an HDF5 file without datasets of numbers that could be taken out of it")
    whole = _cut(path, sorted(extent for one in datasets for extent in one.extents))
    if any(one.chunked for one in datasets):
        _check(path, whole, datasets)
    return [one.source(path, place, whole if place == 0 else None) for place, one in enumerate(datasets)]


def write(path: Path, parts: Sequence[Part]) -> None:
    """Write the file that datasets came from: identical to the byte where zlib packs as it did, else with the same values."""
    ordered = span.in_place(parts)
    if any("at" not in part.media for part in ordered) and find_spec("h5py") is None:
        raise OutputError("an HDF5 file with datasets in chunks takes h5py: pip install 'codecs-core[science]'")
    whole: Any = ordered[0].media.get("file")
    with path.open("wb") as file:
        _lay(file, whole)
    anew = []
    for part in ordered:
        if "at" in part.media:
            _put(path, [(part.media["at"], span.raw(part))])
        else:
            chunks = _chunks(path, part, whole["holes"])
            anew += [part] if chunks is None else []
            _put(path, chunks or [])
    if anew:
        _write_anew(path, anew)


# --- what a file has -----------------------------------------------------------------------------


def _h5py(path: Path) -> Any:
    try:
        import h5py
    except ImportError as error:
        raise InputError(
            f"{path} is an HDF5 file (or NetCDF 4), which takes h5py: pip install 'codecs-core[science]'"
        ) from error
    return h5py


def _datasets(path: Path, file: Any) -> Iterator[_Dataset]:
    """The datasets that can be taken, each once, whatever links lead to it."""
    found: list[Any] = []

    def visit(name: str, item: Any) -> None:
        if hasattr(item, "dtype") and hasattr(item.id, "get_storage_size"):
            found.append(item)

    file.visititems(visit)
    for item in found:
        name = str(item.name).removeprefix("/")
        if name.isprintable() and (taken := _dataset(path, name, item)) is not None:
            yield taken


def _dataset(path: Path, name: str, item: Any) -> _Dataset | None:
    """A dataset, if its values are numbers that lie in this file and that its filters give back as they were."""
    from h5py import h5d, h5z

    identity, settings = item.id, item.id.get_create_plist()
    dtype = _dtype(identity.get_type())
    layout = settings.get_layout()
    if dtype is None or item.shape is None or not identity.get_storage_size() or settings.get_external_count():
        return None
    media = _media(item)
    if layout == h5d.CONTIGUOUS:
        extents = [(int(identity.get_offset()), int(item.size) * dtype.itemsize)]
    elif layout == h5d.CHUNKED:
        filters = {settings.get_filter(k)[0] for k in range(settings.get_nfilters())}
        if not filters <= _FILTERS or not all(h5z.filter_avail(code) for code in filters):
            return None
        chunks = _stored(identity)
        if not all(0 <= at < n for one in chunks for at, n in zip(one.chunk_offset, item.shape, strict=True)):
            return None
        extents = [(one.byte_offset, one.size) for one in chunks]
        media["chunks"] = list(item.chunks)
    else:
        return None
    found = _Dataset(
        name=name,
        dtype=dtype,
        shape=tuple(int(n) for n in item.shape),
        extents=extents,
        chunked=layout == h5d.CHUNKED,
        media=media,
    )
    return found if _lies_there(path, item, found) else None


def _dtype(kind: Any) -> np.dtype[Any] | None:
    """The numpy dtype whose bytes a type of HDF5 has; that of its numbers for an enumeration; None for other types."""
    from h5py import h5t

    if isinstance(kind, h5t.TypeEnumID):
        return _dtype(kind.get_super())
    try:
        dtype: np.dtype[Any] = np.dtype(kind.dtype.str)
    except (TypeError, ValueError):
        return None
    if isinstance(kind, h5t.TypeIntegerID | h5t.TypeFloatID):
        return dtype if dtype.name in DTYPES and h5t.py_create(dtype).equal(kind) else None
    if isinstance(kind, h5t.TypeCompoundID) and dtype.kind == "c" and dtype.name in DTYPES:
        parts = [_dtype(kind.get_member_type(k)) for k in (0, 1)]
        offsets = [kind.get_member_offset(k) for k in (0, 1)]
        half = dtype.itemsize // 2
        real = np.dtype(f"{dtype.str[0]}f{half}")
        return dtype if parts == [real, real] and offsets == [0, half] and kind.get_size() == 2 * half else None
    return None


def _media(item: Any) -> dict[str, Any]:
    """Attributes and names of axes, as far as they can be read."""
    media: dict[str, Any] = {}
    attributes = []
    for name in (name for name in item.attrs if name not in _AXES):
        try:
            attributes.append((name, item.attrs[name]))
        except Exception:  # noqa: S112 - of a type that h5py does not know; it stays in the skeleton
            continue
    if small := listed(attributes):
        media["attributes"] = small
    try:
        axes = [axis[0].name.removeprefix("/") if len(axis) else axis.label for axis in item.dims]
    except Exception:  # damaged or dangling references
        axes = []
    if any(axes) and all(axis.isprintable() for axis in axes):
        media["axes"] = axes
    return media


def _stored(identity: Any) -> list[Any]:
    """What HDF5 says of each chunk that is stored: its place in the array, its filter mask, its offset and size in the file."""
    found: list[Any] = []
    identity.chunk_iter(found.append)
    return found


def _lies_there(path: Path, item: Any, found: _Dataset) -> bool:
    """Whether the values are where HDF5 says, on which its versions differ where a file has a user block."""
    if not found.extents:
        return False
    offset, size = found.extents[0]
    if found.chunked:
        _, expected = item.id.read_direct_chunk(_stored(item.id)[0].chunk_offset)
    else:
        first = np.empty((), found.dtype)
        where = item.id.get_space()
        if found.shape:
            where.select_elements(np.zeros((1, len(found.shape)), np.uint64))
        from h5py import h5s

        item.id.read(h5s.create(h5s.SCALAR), where, first, item.id.get_type())
        expected, size = first.tobytes(), found.dtype.itemsize
    with path.open("rb") as file:
        file.seek(offset)
        return bool(file.read(size) == expected)


def _load(path: Path, found: _Dataset) -> NDArray[Any]:
    if not found.chunked:
        return span.Span(offset=found.extents[0][0], dtype=found.dtype, shape=found.shape).read(path)
    from h5py import File, h5s

    array = np.empty(found.shape, found.dtype)
    try:
        with File(path, "r") as file:
            identity = file[found.name].id
            if identity.shape != found.shape:
                raise InputError(f"{path} changed while it was read")
            identity.read(h5s.ALL, h5s.ALL, array, identity.get_type())
    except (OSError, KeyError, RuntimeError) as error:
        raise InputError(f"dataset {found.name!r} of {path} cannot be read: {error}") from error
    return array


# --- the skeleton --------------------------------------------------------------------------------


def _cut(path: Path, extents: list[tuple[int, int]]) -> dict[str, Any]:
    """The skeleton: its bytes, compressed, and its holes."""
    if any(offset + size > after for (offset, size), (after, _) in pairwise(extents)):
        raise InexactError(f"{path} has datasets that share their values")
    holes: list[list[int]] = []
    for offset, size in extents:
        if holes and sum(holes[-1]) == offset:
            holes[-1][1] += size
        else:
            holes.append([offset, size])
    total = path.stat().st_size
    beside = total - sum(size for _, size in holes)
    if holes and sum(holes[-1]) > total:
        raise InputError(f"{path} is cut short: values of it lie behind its end")
    if beside > _SKELETON or len(holes) > _HOLES:
        raise InexactError(
            f"{path} has {beside} bytes beside its values, in {len(holes)} pieces, which is too much to keep"
        )
    ends = [*(offset for offset, _ in holes), total]
    starts = [0, *map(sum, holes)]
    with path.open("rb") as file:
        packed = zlib.compress(b"".join(_piece(file, a, b) for a, b in zip(starts, ends, strict=True)), 9)
    if len(packed) > template.LARGEST:
        raise InexactError(
            f"{path} has {len(packed)} compressed bytes beside its values, and {template.LARGEST} can be kept with an array"
        )
    return {"skeleton": packed, "holes": holes, "size": total}


def _piece(file: IO[bytes], start: int, end: int) -> bytes:
    file.seek(start)
    return file.read(end - start)


def _lay(file: IO[bytes], whole: Any) -> None:
    """Write a skeleton, with nothing in its holes."""
    try:
        holes, size = [(int(offset), int(length)) for offset, length in whole["holes"]], int(whole["size"])
        inflater = zlib.decompressobj()
        rest = inflater.decompress(whole["skeleton"], _SKELETON)
    except (TypeError, KeyError, ValueError, zlib.error) as error:
        raise OutputError("its attributes have no skeleton of an HDF5 file") from error
    if len(rest) + sum(length for _, length in holes) != size or not inflater.eof:
        raise OutputError("its skeleton and its holes do not make a file of the size that it had")
    at = 0
    for offset, length in [*holes, (size, 0)]:
        if offset < file.tell():
            raise OutputError("its skeleton has holes that overlap")
        step = offset - file.tell()
        file.write(rest[at : at + step])
        at += step
        file.seek(length, 1)
    file.truncate(size)


def _check(path: Path, whole: dict[str, Any], datasets: list[_Dataset]) -> None:
    """Raise `InexactError` unless HDF5 finds every chunk by the skeleton alone."""
    from h5py import File

    with tempfile.TemporaryDirectory(prefix="codecs-") as folder:
        bare = Path(folder, "skeleton.h5")
        with bare.open("wb") as out:
            _lay(out, whole)
        try:
            with File(bare, "r") as file:
                found = {
                    one.name: [(chunk.byte_offset, chunk.size) for chunk in _stored(file[one.name].id)]
                    for one in datasets
                    if one.chunked
                }
        except Exception as error:
            raise InexactError(f"{path} has values where HDF5 keeps its indices: {error}") from error
    if any(one.chunked and found[one.name] != one.extents for one in datasets):
        raise InexactError(f"{path} has values where HDF5 keeps its indices")


# --- values into it ------------------------------------------------------------------------------


def _put(path: Path, pieces: list[tuple[Any, Any]]) -> None:
    if not all(type(offset) is int and offset >= 0 for offset, _ in pieces):
        raise OutputError("its attributes do not say where its values are")
    with path.open("r+b") as file:
        for offset, piece in pieces:
            file.seek(offset)
            file.write(piece)


def _chunks(path: Path, part: Part, holes: list[list[int]]) -> list[tuple[int, bytes]] | None:
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
        for chunk in _stored(identity):
            mask, data = again.read_direct_chunk(chunk.chunk_offset)
            # Of a file with a user block, versions of HDF5 differ on where a chunk is.
            hole = holes[bisect(holes, [chunk.byte_offset, math.inf]) - 1]
            fits = hole[0] <= chunk.byte_offset and chunk.byte_offset + chunk.size <= sum(hole)
            if not fits or mask != chunk.filter_mask or len(data) != chunk.size:
                return None
            found.append((chunk.byte_offset, data))
        return found


def _write_anew(path: Path, parts: list[Part]) -> None:
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
    if identity.shape != part.array.shape or _dtype(identity.get_type()) != _values(part).dtype:
        raise OutputError(f"{part.array.dtype} of shape {part.array.shape} is not what its skeleton has a place for")
    return identity


def _values(part: Part) -> NDArray[Any]:
    big = part.media.get("byteorder") == ">"
    return np.ascontiguousarray(part.array, part.array.dtype.newbyteorder(">" if big else "<"))
