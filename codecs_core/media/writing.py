"""Arrays to files: whole, or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from codecs_core.arrays import numpys
from codecs_core.errors import OutputError, TargetError
from codecs_core.media import kept, kinds
from codecs_core.media.image import is_image_path, is_template, save_image
from codecs_core.media.names import safe_path
from codecs_core.media.npy import save_npy
from codecs_core.media.npz import save_npz
from codecs_core.media.source import Part, media_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

#: Applies a function to each of some things, in order, as `map` does.
Each = Callable[[Callable[[Any], None], Iterable[Any]], Iterable[None]]
_NONE: Mapping[str, Mapping[str, Any]] = {}


def write(
    dst: Path,
    arrays: Mapping[str, NDArray[Any]] | Iterable[tuple[str, NDArray[Any]]],
    attrs: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    each: Each = map,
) -> None:
    """Write arrays as the kind of file that the suffix of `dst` names; without a suffix, as a folder.

    A folder gets each file that its entries came from, of the kind that ``attrs[name]["media"]`` says, and a .npy for every
    entry that came from none; it must be new or empty. Nothing is left under `dst` unless all went well.

    Parameters
    ----------
    dst
        ``.npy`` and images hold one array, ``.npz`` and folders any number; a file of another kind holds what came from one such
        file. A file that was kept whole may be called anything that has a suffix.
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
    check_target(dst, names, attrs)
    files = _files(names, attrs)
    if (writer := _writer(dst, files)) is not None:
        with _whole_path(dst) as path:
            parts = [Part(name=name, array=array, attrs=attrs.get(name, {})) for name, array in pairs]
            _run(writer, path, parts)
    elif dst.suffix.lower() == ".npz":
        with _whole(dst) as file:
            save_npz(file, ((name, numpys(array, _dtype(attrs, name))) for name, array in pairs))
    elif dst.suffix.lower() == ".npy" or is_image_path(dst):
        with _whole(dst) as file:
            name, array = next(pairs)
            if dst.suffix.lower() == ".npy":
                save_npy(file, numpys(array, _dtype(attrs, name)))
            else:
                save_image(file, dst, array, media_of(attrs.get(name, {})))
    else:
        with _whole_folder(dst) as folder:
            placed = _placed(_complete(pairs, files, attrs), {file.base for file in files})
            for _ in each(lambda one: _write_into(folder, *one), placed):
                pass


def _dtype(attrs: Mapping[str, Mapping[str, Any]], name: str) -> Any:
    return attrs.get(name, {}).get("dtype")


def check_target(dst: Path, names: Collection[str], attrs: Mapping[str, Mapping[str, Any]] = _NONE) -> None:
    """Refuse what `write` would refuse for entries of these names, before they are decoded.

    Raises
    ------
    TargetError
        If the target cannot hold this number of arrays, is of no kind that can be written, or is a folder where a file is named.
    OutputError
        If it cannot hold these names, or exists as something else.
    """
    suffix = dst.suffix.lower()
    files = _files(names, attrs)
    if _writer(dst, files) is not None or suffix in (".npy", ".npz") or is_image_path(dst):
        if dst.is_dir():
            raise TargetError(f"{dst} is a folder; name a file to write, or a new folder without such a suffix")
        if _writer(dst, files) is not None:
            return
        if suffix != ".npz" and len(names) != 1:
            raise TargetError(
                f"{dst} holds one array and there are {len(names)}; choose one with --entry, or write a .npz or a folder"
            )
        for name in filter(None, names if suffix == ".npz" else ()):
            safe_path(name)
        return
    if suffix and not dst.is_dir():
        raise TargetError(
            f"{dst} names no kind of file that can be written; use .npy, .npz, .png, .tiff, .webp, the suffix that the file "
            f"had, or a folder"
        )
    if dst.is_symlink() and not dst.exists():
        raise OutputError(f"{dst} is a link to nothing; choose a new name")
    if dst.exists() and (not dst.is_dir() or any(dst.iterdir())):
        raise OutputError(f"{dst} exists and is not an empty folder; choose a new one")
    if dst.exists() and not os.access(dst, os.W_OK):
        raise OutputError(f"{dst} is a folder that is read-only for you; choose a new one")
    for file in files:
        safe_path(file.base)


# --- which entries make which file ---------------------------------------------------------------


@dataclass(kw_only=True)
class _File:
    """A file to be written: its kind (None: a .npy), its name below a folder, and the entries that came from it."""

    kind: kinds.Kind | None
    base: str
    names: list[str]
    is_kept: bool = False
    is_template: bool = False
    parts: list[Part] = field(default_factory=list)


def _files(names: Iterable[str], attrs: Mapping[str, Mapping[str, Any]]) -> list[_File]:
    """The files that entries came from, in the order of the first entry of each."""
    files: dict[tuple[str, str], _File] = {}
    for name in names:
        media = media_of(attrs.get(name, {}))
        kind, member = kinds.named(media.get("format")), media.get("member")
        stem, key = name, (name, "")
        if kind is not None and isinstance(member, str) and (name == member or name.endswith(f"/{member}")):
            stem = name[: -len(member)].removesuffix("/") if member else name
            key = (stem, f"{kind.name}/")
        if key in files:
            files[key].names.append(name)
        else:
            is_kept = kept.is_kept(attrs.get(name, {}))
            files[key] = _File(
                kind=kind, base=_base(stem, media), names=[name], is_kept=is_kept, is_template=is_template(media)
            )
    return list(files.values())


def _base(stem: str, media: Mapping[str, Any]) -> str:
    """The name of a file below the folder: that of the entry, unless the attributes have another for its last part."""
    held = media.get("name")
    if not isinstance(held, str) or not held:
        return stem or "array"
    return f"{stem.rpartition('/')[0]}/{held}".removeprefix("/") if "/" in stem else held


def _writer(dst: Path, files: list[_File]) -> Callable[[Path, list[Part]], None] | None:
    """What writes all entries as the one file they came from, if `dst` is called like such a file."""
    if len(files) != 1 or not dst.suffix:
        return None
    if files[0].is_kept:
        return kept.write_kept
    kind = files[0].kind
    if kind is None or (kind.image and not files[0].is_template) or not dst.name.lower().endswith(kind.suffixes):
        return None
    writer: Callable[[Path, list[Part]], None] = kinds.load(kind.write)
    return writer


def _complete(
    pairs: Iterable[tuple[str, NDArray[Any]]], files: list[_File], attrs: Mapping[str, Mapping[str, Any]]
) -> Iterator[_File]:
    """Each file when the last of its entries is there."""
    of = {name: file for file in files for name in file.names}
    for name, array in pairs:
        file = of[name]
        file.parts.append(Part(name=name, array=array, attrs=attrs.get(name, {})))
        if len(file.parts) == len(file.names):
            yield file


def _placed(files: Iterable[_File], taken: set[str]) -> Iterator[tuple[_File, list[Part], Path]]:
    """Files, with where they go below the folder; what has been handed out is let go of."""
    used: set[str] = set()
    for file in files:
        parts, file.parts = file.parts, []
        yield file, parts, _target(file, parts, taken, used)


def _target(file: _File, parts: list[Part], taken: set[str], used: set[str]) -> Path:
    """The name of a file, with another suffix where it cannot be of its kind; not that of another file."""
    suffix = _suffix(file, parts)
    path = safe_path(file.base)
    had = path.suffix.lower()
    alike = file.kind.suffixes if file.kind is not None else ()
    if suffix == "" or had == suffix or suffix in alike:  # of the kind it came from, so that it is called as it was
        made, n = file.base, 1
        stem, dot, end = file.base.rpartition(".") if "." in path.name.lstrip(".") else (file.base, "", "")
        while made in used:
            n += 1
            made = f"{stem}-{n}{dot}{end}"
    else:
        made, n = file.base + suffix, 1
        while made in taken or made in used:
            n += 1
            made = f"{file.base}-{n}{suffix}"
    used.add(made)
    return Path(safe_path(made))


def _suffix(file: _File, parts: list[Part]) -> str:
    """The suffix that the name of a file must have; empty if it may stay what it is."""
    if file.is_kept:
        return ""
    if file.kind is None:
        return ".npy"
    if not file.kind.suffix:
        return ""
    suffix: str | None = kinds.load(file.kind.suffix)(parts)
    return ".npy" if suffix is None else suffix


# --- writing -------------------------------------------------------------------------------------


def _write_into(folder: Path, file: _File, parts: list[Part], target: Path) -> None:
    path = folder / target
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Of two names that are one to this file system the second fails here, rather than replacing the first.
        if parts[0].media.get("format") == kept.FOLDER or (file.kind is not None and file.kind.folder):
            path.mkdir()
        else:
            path.touch(exist_ok=False)
    except (FileExistsError, NotADirectoryError) as error:
        raise OutputError(
            f"entry {parts[0].name!r} would get the name {target.as_posix()!r}, which another entry has here already; "
            f"decode it alone with --entry"
        ) from error
    if parts[0].media.get("format") == kept.FOLDER:
        return
    if file.is_kept:
        _run(kept.write_kept, path, parts)
    elif file.kind is None or _suffix(file, parts) == ".npy":  # the name says nothing: an image may be called x.npy
        with path.open("wb") as out:
            save_npy(out, numpys(parts[0].array, parts[0].attrs.get("dtype")))
    else:
        _run(kinds.load(file.kind.write), path, parts)


def _run(writer: Callable[[Path, list[Part]], None], path: Path, parts: list[Part]) -> None:
    """Let the writer of a kind write a file; whatever it says of attributes that do not fit is told with the entry."""
    try:
        writer(path, parts)
    except OutputError as error:
        raise OutputError(f"entry {parts[0].name!r} cannot be written as {path.name}: {error}") from error
    except (OSError, MemoryError):
        raise
    except Exception as error:  # libraries raise nearly anything where attributes are damaged
        raise OutputError(
            f"entry {parts[0].name!r} cannot be written as {path.name}, the kind of file that it came from "
            f"({type(error).__name__}: {error}); `codecs decode --npy` writes its values"
        ) from error


@contextmanager
def _whole(dst: Path) -> Iterator[IO[bytes]]:
    """A file that appears under `dst` once it is complete."""
    from codecs_core.container import atomic_write

    with atomic_write(dst) as file:
        yield file


@contextmanager
def _whole_path(dst: Path) -> Iterator[Path]:
    """A path for what appears under `dst` once it is complete, a file or a folder."""
    target = Path(os.path.realpath(dst))
    with _temporary(dst, target.parent) as folder:
        yield folder / dst.name
        os.replace(folder / dst.name, target)


@contextmanager
def _whole_folder(dst: Path) -> Iterator[Path]:
    """A folder that appears under `dst` once it is complete; what is in it, if `dst` is an empty folder."""
    if dst.exists():
        with _temporary(dst, dst) as folder:
            yield folder
            for path in list(folder.iterdir()):
                os.replace(path, dst / path.name)
        return
    with _temporary(dst, dst.parent) as folder:
        inner = folder / "folder"
        inner.mkdir()
        yield inner
        os.replace(inner, dst)


@contextmanager
def _temporary(dst: Path, parent: Path) -> Iterator[Path]:
    """A hidden folder in `parent` that is gone afterwards."""
    temporary: Path | None = None
    try:
        temporary = Path(tempfile.mkdtemp(prefix=f".{dst.name[:50]}.", suffix=".tmp", dir=parent))
        yield temporary
    except OutputError:
        raise
    except OSError as error:
        raise OutputError(f"{dst} cannot be written: {error.strerror or error}") from error
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)
