"""Arrays to files: whole, or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from codecs_core.errors import OutputError
from codecs_core.media.image import is_image_path, suffix_for, write_image
from codecs_core.media.names import safe_path
from codecs_core.media.npy import write_npy, write_npz

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from numpy.typing import NDArray

#: Applies a function to each of some things, in order, as `map` does.
Each = Callable[[Callable[[Any], None], Iterable[Any]], Iterable[None]]


def write(
    dst: Path,
    arrays: Mapping[str, NDArray[Any]] | Iterable[tuple[str, NDArray[Any]]],
    attrs: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    each: Each = map,
) -> None:
    """Write arrays as the kind of file that the suffix of `dst` names; without a suffix, as a folder.

    A folder gets an image for each entry that came from one (in the format it came in, or PNG where that would lose
    values) and a .npy for every other; it must be new or empty. Nothing is left under `dst` unless all went well.

    Parameters
    ----------
    dst
        ``.npy`` and images hold one array, ``.npz`` and folders any number.
    arrays
        Entry names with arrays: a mapping, or pairs, which are taken one by one, so that they need not all be in memory.
    attrs
        Entry names to what `read` said about them; of pairs, it has every name.
    each
        What applies a function to the files of a folder: `map`, or something that does several at once.

    Raises
    ------
    OutputError
        For a target that cannot hold the arrays, exists as a folder with files in it, or cannot be written.
    """
    attrs = attrs or {}
    names = list(arrays if isinstance(arrays, Mapping) else attrs)
    pairs = iter(arrays.items() if isinstance(arrays, Mapping) else arrays)
    check_target(dst, names)
    suffix = dst.suffix.lower()
    if suffix == ".npz":
        with _whole(dst) as file:
            write_npz(file, pairs)
    elif suffix == ".npy" or is_image_path(dst):
        name, array = next(pairs)
        with _whole(dst) as file:
            if suffix == ".npy":
                write_npy(file, array)
            else:
                write_image(file, dst, array, _media(attrs, name))
    else:
        with _whole_folder(dst) as folder:
            taken = set(names)
            placed = (
                (name, array, _target(name, array, media, taken), media)
                for name, array in pairs
                for media in [_media(attrs, name)]
            )
            for _ in each(lambda one: _write_into(folder, *one), placed):
                pass


def check_target(dst: Path, names: Collection[str]) -> None:
    """Refuse what `write` would refuse for entries of these names, before they are decoded.

    Raises
    ------
    OutputError
        For a target that cannot hold so many arrays or such names, or exists as something else.
    """
    suffix = dst.suffix.lower()
    single = suffix == ".npy" or is_image_path(dst)
    if single and len(names) != 1:
        raise OutputError(
            f"{dst} holds one array and there are {len(names)}; choose one with --entry, or write a .npz or a folder"
        )
    if single or suffix == ".npz":
        if dst.is_dir():
            raise OutputError(f"{dst} is a folder; name a file to write, or a new folder without such a suffix")
    elif suffix and not dst.is_dir():
        raise OutputError(
            f"{dst} names no kind of file that can be written; use .npy, .npz, .png, .tiff, .webp or a folder"
        )
    elif dst.exists() and (not dst.is_dir() or any(dst.iterdir())):
        raise OutputError(f"{dst} exists and is not an empty folder; choose a new one")
    if not single:
        for name in filter(None, names):
            safe_path(name)


def _media(attrs: Mapping[str, Mapping[str, Any]], name: str) -> Mapping[str, Any]:
    media = attrs.get(name, {}).get("media")
    return media if isinstance(media, dict) else {}


def _write_into(folder: Path, name: str, array: NDArray[Any], target: Path, media: Mapping[str, Any]) -> None:
    path = folder / target
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # "x": of two names that are one to this file system the second fails, rather than replacing the first.
        with path.open("xb") as file:
            if path.suffix == ".npy":
                write_npy(file, array)
            else:
                write_image(file, path, array, media)
    except (FileExistsError, NotADirectoryError) as error:
        raise OutputError(
            f"entry {name!r} would get the name {target.as_posix()!r}, which another entry has here already; "
            f"decode it alone with --entry"
        ) from error


def _target(name: str, array: NDArray[Any], media: Mapping[str, Any], taken: set[str]) -> Path:
    """Where an entry goes below the folder: its name, with a suffix unless it has the right one.

    A name so made is not that of another entry, and is put into `taken`.
    """
    suffix = (suffix_for(array, media) if media.get("format") else None) or ".npy"
    if not name:
        held = media.get("name")
        name = held if isinstance(held, str) and held else "array"
    path = safe_path(name)
    if path.suffix.lower() == suffix or (path.suffix.lower(), suffix) in ((".tiff", ".tif"), (".pgm", ".ppm")):
        return Path(path)
    made, n = name + suffix, 1
    while made in taken:
        n += 1
        made = f"{name}-{n}{suffix}"
    taken.add(made)
    return Path(safe_path(made))


@contextmanager
def _whole(dst: Path) -> Iterator[IO[bytes]]:
    """A file that appears under `dst` once it is complete."""
    from codecs_core.container import atomic_write

    with atomic_write(dst) as file:
        yield file


@contextmanager
def _whole_folder(dst: Path) -> Iterator[Path]:
    """A folder that appears under `dst` once it is complete."""
    temporary: Path | None = None
    try:
        temporary = Path(tempfile.mkdtemp(prefix=f".{dst.name[:50]}.", suffix=".tmp", dir=dst.parent))
        yield temporary
        temporary.chmod(0o777 & ~_umask())
        if dst.exists():
            dst.rmdir()
        os.replace(temporary, dst)
        temporary = None
    except OutputError:
        raise
    except OSError as error:
        raise OutputError(f"folder {dst} cannot be written: {error.strerror or error}") from error
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
