"""NumPy's .npz: a zip archive of .npy files."""

from __future__ import annotations

import zipfile
import zlib
from typing import IO, TYPE_CHECKING, Any, BinaryIO, cast

import numpy as np
from numpy.lib import format as npy_format

from codecs_core.arrays import ArraySpec, logical_name, numpys, stored, stored_dtype
from codecs_core.errors import InexactError, InputError, OutputError
from codecs_core.media.npy import read_header, save_npy
from codecs_core.media.source import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from codecs_core.media.source import Part

#: Every .npz of the same arrays has the same bytes: no time of day in it.
_EPOCH = (1980, 1, 1, 0, 0, 0)
#: What zipfile raises for a damaged archive, an encrypted one, or one of a method that it does not know.
_FAULTS = (zipfile.BadZipFile, ValueError, EOFError, OSError, NotImplementedError, RuntimeError, KeyError, zlib.error)


def read_npz(path: Path) -> list[Source]:
    """The arrays of a .npz file, named as in it.

    Raises
    ------
    InexactError
        If something in it is no array that a container holds; its `rest` are the others.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            found, refused = _look(path, archive, members)
    except InputError:
        raise
    except _FAULTS as error:
        raise InputError(f"{path} is not a .npz file that can be read: {error}") from error
    if found:
        found[0].attrs["media"]["file"] = {"deflated": any(member.compress_type for member in members)}
    if refused:
        raise InexactError("; ".join(refused), rest=found)
    if not found:
        raise InexactError(f"{path} is an archive without an array in it")
    return found


def _look(path: Path, archive: zipfile.ZipFile, members: Sequence[zipfile.ZipInfo]) -> tuple[list[Source], list[str]]:
    """The members that are arrays, and what is wrong with each of the others."""
    found: dict[str, Source] = {}
    refused: list[str] = []
    for member in members:
        name = member.filename.removesuffix(".npy")
        where = f"{member.filename!r} of {path}"
        if name == member.filename or not name or name in found:
            refused.append(f"{where} is {'there twice' if name in found else 'no array with a name'}")
            continue
        try:
            with archive.open(member) as file:
                shape, _, dtype = read_header(file, f"array {where}")
        except InexactError as error:
            refused.append(f"{error}")
            continue
        attrs: dict[str, Any] = {"media": {"format": "NPZ", "member": name}}
        if (logical := logical_name(dtype)) is not None:
            attrs["dtype"] = logical
        spec = ArraySpec(shape, stored_dtype(dtype).name)
        found[name] = Source(name=name, path=path, spec=spec, load=_loader(path, member.filename, spec), attrs=attrs)
    return list(found.values()), refused


def _loader(path: Path, member: str, spec: ArraySpec) -> Callable[[], NDArray[Any]]:
    def load() -> NDArray[Any]:
        try:
            with zipfile.ZipFile(path) as archive, archive.open(member) as file:
                size = archive.getinfo(member).file_size
                if size < spec.nbytes:
                    raise InputError(
                        f"array {member!r} of {path} is cut short: its values take {spec.nbytes} bytes, and it has {size}"
                    )
                array = npy_format.read_array(cast(BinaryIO, file), allow_pickle=False)
                if file.read(1):
                    raise InexactError(f"array {member!r} of {path} has bytes behind its values")
        except InputError:
            raise
        except (*_FAULTS, MemoryError) as error:
            raise InputError(f"array {member!r} of {path} cannot be read: {error}") from error
        if array.dtype.kind == "b" and (array.view(np.uint8) > 1).any():
            raise InexactError(f"array {member!r} of {path} has booleans that are neither 0 nor 1")
        return stored(array)

    return load


def write_npz(path: Path, parts: Sequence[Part]) -> None:
    """Write a .npz file of the arrays that came from one."""
    names = [part.media.get("member") for part in parts]
    if not all(isinstance(name, str) and name for name in names) or len(set(names)) < len(names):
        raise OutputError("its attributes do not say which member of a .npz file each array was")
    told = parts[0].media.get("file")
    deflated = isinstance(told, dict) and told.get("deflated") is True
    with path.open("wb") as file:
        save_npz(
            file,
            zip(cast("list[str]", names), (numpys(part.array, part.attrs.get("dtype")) for part in parts), strict=True),
            deflated=deflated,
        )


def save_npz(file: IO[bytes], arrays: Iterable[tuple[str, NDArray[Any]]], *, deflated: bool = False) -> None:
    """One .npz file; an array without a name is ``arr_0``, as NumPy has it."""
    method = zipfile.ZIP_DEFLATED if deflated else zipfile.ZIP_STORED
    with zipfile.ZipFile(file, "w", method, allowZip64=True) as archive:
        for name, array in arrays:
            member = zipfile.ZipInfo((name or "arr_0") + ".npy", _EPOCH)
            member.compress_type = method
            with archive.open(member, "w", force_zip64=True) as out:
                save_npy(out, array)
