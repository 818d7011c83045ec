"""NumPy's own files: .npy, memory-mapped, and .npz."""

from __future__ import annotations

import zipfile
from typing import IO, TYPE_CHECKING, Any, BinaryIO, cast

import numpy as np
from numpy.lib import format as npy_format

from codecs_core.arrays import ArraySpec
from codecs_core.errors import InputError, UnknownKindError, UnsupportedArrayError
from codecs_core.media.source import Source

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from numpy.typing import NDArray

#: Every .npz of the same arrays has the same bytes: no time of day in it.
_EPOCH = (1980, 1, 1, 0, 0, 0)


def read_npy(path: Path, name: str) -> Source:
    """The array of a .npy file, memory-mapped."""
    try:
        try:
            array = np.load(path, mmap_mode="r", allow_pickle=False)
        except ValueError:
            # An empty array cannot be mapped; whatever else is wrong is wrong again.
            array = np.load(path, allow_pickle=False)
        spec = ArraySpec.of(array)
    except UnsupportedArrayError as error:
        raise InputError(f"{path}: {error}") from error
    except (ValueError, EOFError, OSError) as error:
        raise InputError(f"{path} is not a .npy file that can be read: {error}") from error
    return Source(name=name, path=path, spec=spec, load=lambda: array)


def read_npz(path: Path) -> list[Source]:
    """The arrays of a .npz file, named as in it."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = [m for m in archive.namelist() if m.endswith(".npy")]
            specs = [_member_spec(archive, m) for m in members]
    except UnsupportedArrayError as error:
        raise InputError(f"{path}: {error}") from error
    except (zipfile.BadZipFile, ValueError, EOFError, OSError, NotImplementedError) as error:
        raise InputError(f"{path} is not a .npz file that can be read: {error}") from error
    if not members:
        raise UnknownKindError(f"{path} is an archive without a .npy array in it")
    return [
        Source(name=member.removesuffix(".npy"), path=path, spec=spec, load=_member_loader(path, member))
        for member, spec in zip(members, specs, strict=True)
    ]


def _member_spec(archive: zipfile.ZipFile, member: str) -> ArraySpec:
    with archive.open(member) as file:
        version = npy_format.read_magic(cast(BinaryIO, file))
        reader = npy_format.read_array_header_1_0 if version == (1, 0) else npy_format.read_array_header_2_0
        shape, _, dtype = reader(cast(BinaryIO, file))
    # A stand-in without memory: the header alone says what is in there.
    return ArraySpec.of(np.broadcast_to(np.empty((), dtype), shape))


def _member_loader(path: Path, member: str) -> Any:
    def load() -> NDArray[Any]:
        try:
            with zipfile.ZipFile(path) as archive, archive.open(member) as file:
                return npy_format.read_array(cast(BinaryIO, file), allow_pickle=False)
        except (zipfile.BadZipFile, ValueError, EOFError, OSError, KeyError) as error:
            raise InputError(f"array {member!r} of {path} cannot be read: {error}") from error

    return load


def write_npy(file: IO[bytes], array: NDArray[Any]) -> None:
    """One .npy file, little endian."""
    array = np.asarray(array, order="C")
    npy_format.write_array_header_1_0(cast(BinaryIO, file), npy_format.header_data_from_array_1_0(array))
    # Not `write_array`: of a full disk it tells how many values there was room for, and not that it is full.
    file.write(array.reshape(-1).view(np.uint8).data)


def write_npz(file: IO[bytes], arrays: Iterable[tuple[str, NDArray[Any]]]) -> None:
    """One .npz file, uncompressed; an array without a name is ``arr_0``, as NumPy has it."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        for name, array in arrays:
            member = zipfile.ZipInfo((name or "arr_0") + ".npy", _EPOCH)
            with archive.open(member, "w", force_zip64=True) as out:
                write_npy(out, array)
