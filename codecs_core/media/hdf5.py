"""HDF5 files, NetCDF 4 among them: datasets of numbers as entries, and all else of the file as it is.

The *skeleton* of a file is the file with holes where the values of its datasets are: superblock, groups, attributes, indices of
chunks, strings, references, compound types, whatever there is. To write the file, the values of contiguous datasets go back where
they were. Those of chunked ones are filtered once more by HDF5: where every chunk has the size that it had, which is so if zlib is
the one that wrote the file, they go back where they were, too, and the file is identical to the byte. Otherwise HDF5 drops the
chunks of that dataset and writes it again, in place.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from codecs_core.arrays import ArraySpec
from codecs_core.errors import CodecsError, InexactError, InputError, MissingReaderError, OutputError
from codecs_core.media import skeleton, span
from codecs_core.media.hdf5_chunks import chunks_of, numpy_dtype, rewrite, stored_chunks
from codecs_core.media.readable import listed
from codecs_core.media.source import Part, Source

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

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
    whole = skeleton.cut(path, sorted(extent for one in datasets for extent in one.extents))
    sources = [one.source(path, place, whole if place == 0 else None) for place, one in enumerate(datasets)]
    if any(one.chunked for one in datasets):
        _prove(path, whole, datasets, sources)
    return sources


def write(path: Path, parts: Sequence[Part]) -> None:
    """Write the file that datasets came from: identical to the byte where zlib packs as it did, else with the same values."""
    ordered = span.in_place(parts)
    if any("at" not in part.media for part in ordered) and find_spec("h5py") is None:
        raise OutputError("an HDF5 file with datasets in chunks takes h5py: pip install 'codecs-core[science]'")
    whole: Any = ordered[0].media.get("file")
    with path.open("wb") as file:
        skeleton.lay(file, whole)
    rewritten = []
    for part in ordered:
        if "at" in part.media:
            skeleton.put(path, [(part.media["at"], span.raw(part))])
        else:
            chunks = chunks_of(path, part, whole["holes"])
            rewritten += [part] if chunks is None else []
            skeleton.put(path, chunks or [])
    if rewritten:
        rewrite(path, rewritten)


# --- what a file has -----------------------------------------------------------------------------


def _h5py(path: Path) -> Any:
    try:
        import h5py
    except ImportError as error:
        raise MissingReaderError(
            f"{path} is an HDF5 file (or NetCDF 4), which takes h5py: pip install 'codecs-core[science]'"
        ) from error
    return h5py


def _datasets(path: Path, file: Any) -> Iterator[_Dataset]:
    """The datasets that can be taken, each once, whatever links lead to it."""
    found: list[Any] = []
    dataset = _h5py(path).Dataset

    def visit(name: str, item: Any) -> None:
        if isinstance(item, dataset):
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
    dtype = numpy_dtype(identity.get_type())
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
        chunks = stored_chunks(identity)
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


def _lies_there(path: Path, item: Any, found: _Dataset) -> bool:
    """Whether the values are where HDF5 says, on which its versions differ where a file has a user block."""
    if not found.extents:
        return False
    offset, size = found.extents[0]
    if found.chunked:
        _, expected = item.id.read_direct_chunk(stored_chunks(item.id)[0].chunk_offset)
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


# --- whether it comes back -----------------------------------------------------------------------


def _prove(path: Path, whole: dict[str, Any], datasets: Sequence[_Dataset], sources: Sequence[Source]) -> None:
    """Raise `InexactError` unless the chunks of a file are found by its skeleton, and their values come back into it."""
    with tempfile.TemporaryDirectory(prefix="codecs-") as folder:
        bare, copy = Path(folder, "skeleton.h5"), Path(folder, "copy.h5")
        with bare.open("wb") as out:
            skeleton.lay(out, whole)
        try:
            changed = [
                source
                for one, source in zip(datasets, sources, strict=True)
                if one.chunked and not _comes_back(path, bare, whole, one, source)
            ]
            if changed:  # by another zlib than this one: they are written again, which must not change the others
                shutil.copyfile(path, copy)
                good = _anew_is_good(path, copy, datasets, changed)
        except Exception as error:  # HDF5 raises nearly anything where values lie over what it keeps of them
            raise InexactError(f"{path} cannot be written again: {error}") from error
        if changed and not good:
            raise InexactError(f"{path} would not have the same values once it is written again")


def _anew_is_good(path: Path, copy: Path, datasets: Sequence[_Dataset], changed: Sequence[Source]) -> bool:
    """Whether a copy of a file has the same values after HDF5 has rewritten some of its datasets."""
    from h5py import File

    File(copy, "r+").close()
    if copy.stat().st_size != path.stat().st_size:
        return False  # what is behind the end that HDF5 knows of is cut off
    for source in changed:
        rewrite(copy, [_part(source)])
    with File(copy, "r") as file:
        again = [(one.name, one.dtype, one.shape) for one in _datasets(copy, file)]
    if again != [(one.name, one.dtype, one.shape) for one in datasets]:
        return False
    return all(_load(copy, one).tobytes() == _load(path, one).tobytes() for one in datasets)


def _comes_back(path: Path, bare: Path, whole: dict[str, Any], one: _Dataset, source: Source) -> bool:
    """Whether the chunks of a dataset, made of its values, are those that there are."""
    found = chunks_of(bare, _part(source), whole["holes"])
    if found is None:
        return False
    with path.open("rb") as file:
        return (
            all(_piece(file, offset, len(data)) == data for offset, data in found)
            and [(offset, len(data)) for offset, data in found] == one.extents
        )


def _piece(file: IO[bytes], offset: int, size: int) -> bytes:
    file.seek(offset)
    return file.read(size)


def _part(source: Source) -> Part:
    return Part(name=source.name, array=source.read(), attrs=source.attrs)
