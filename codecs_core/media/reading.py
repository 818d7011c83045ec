"""Which reader a file gets, and what the entries are called."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from codecs_core.arrays import ArraySpec
from codecs_core.container.layout import SIGNATURE
from codecs_core.errors import InputError, UnknownKindError
from codecs_core.media.idx import looks_like_idx, read_idx
from codecs_core.media.image import is_image_path, read_image
from codecs_core.media.npy import read_npy, read_npz
from codecs_core.media.source import Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from codecs_core.codec import Progress

#: Called with a file of a folder that is left out, and why; `UnknownKindError` where nothing is lost by it.
OnSkip = Callable[[Path, InputError], None]
#: Files that are called like this ought to be readable.
_SUFFIXES = (".npy", ".npz", ".idx")


def read(
    paths: Sequence[Path], *, stack: bool = False, on_skip: OnSkip | None = None, progress: Progress | None = None
) -> dict[str, Source]:
    """The arrays of files and folders, by the names their entries get.

    A sole file with one array gives the name ``""``; the arrays of a .npz keep their names; the files of a folder
    are called by their path below it, hidden files left out, in the order of their names. Of several paths each
    contributes its stem (or its name, where stems coincide), with ``/`` and the inner name for what is in a .npz or
    a folder.

    Parameters
    ----------
    paths
        What to read. The kind of a file goes by its first bytes, not by its suffix.
    stack
        Whether a folder whose files agree in shape and dtype becomes one array, files along a new first axis.
    on_skip
        Told of each file in a folder that cannot be read; without it, the first such file raises. Given it, every
        file in a folder is read once in full, so that damage behind a header is known here and not half-way through
        the work. The error is an `UnknownKindError` for what is none of this function's business: text, other
        archives, links to folders (which are not followed).
    progress
        Called with the fraction of a folder that was looked at, and a file's name.

    Raises
    ------
    InputError
        For a path that is missing, unreadable or of no known kind.
    """
    found: dict[str, Source] = {}
    for prefix, path in zip(_prefixes(paths), paths, strict=True):
        sources = _folder(path, stack, on_skip, progress) if path.is_dir() else _file(path)
        for source in sources:
            name = "/".join(part for part in (prefix, source.name) if part)
            found[_unused(name, found)] = source
    return {
        name: Source(name=name, path=s.path, spec=s.spec, load=s.load, attrs=_attrs(name, s))
        for name, s in found.items()
    }


def _attrs(name: str, source: Source) -> dict[str, Any]:
    """The attributes of a source, without the name of its file where the entry's says it already."""
    media = source.attrs.get("media", {})
    if "name" not in media or name.rpartition("/")[2] != media["name"]:
        return source.attrs
    return {**source.attrs, "media": {key: value for key, value in media.items() if key != "name"}}


def _prefixes(paths: Sequence[Path]) -> list[str]:
    if len(paths) == 1:
        return [""]
    names = [path.resolve().name for path in paths]
    stems = [name.split(".")[0] or name for name in names]
    return [stem if stems.count(stem) == 1 else name for stem, name in zip(stems, names, strict=True)]


def _unused(name: str, taken: Iterable[str]) -> str:
    used, unique, n = set(taken), name, 1
    while unique in used:
        n += 1
        unique = f"{name}-{n}"
    return unique


def _file(path: Path) -> list[Source]:
    if path.exists() and not path.is_file():
        raise InputError(f"{path} is no regular file; write what comes out of a pipe to a file first")
    try:
        with path.open("rb") as file:
            head = file.read(8)
    except FileNotFoundError as error:
        raise InputError(f"there is no file {path}") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error
    if head.startswith(b"\x93NUMPY"):
        return [read_npy(path, "")]
    if head.startswith(b"PK\x03\x04"):
        return read_npz(path)
    if looks_like_idx(head):
        return [read_idx(path, "", zipped=False)]
    if head.startswith(b"\x1f\x8b"):
        return [read_idx(path, "", zipped=True)]
    if head == SIGNATURE:
        raise UnknownKindError(f"{path} is a .ccf container already; to encode it anew, `codecs decode` it first")
    if not head:
        due = is_image_path(path) or path.suffix.lower() in _SUFFIXES
        raise (InputError if due else UnknownKindError)(f"{path} is empty")
    return [read_image(path, "")]


def _folder(path: Path, stack: bool, on_skip: OnSkip | None, progress: Progress | None) -> list[Source]:
    sources: list[Source] = []

    def skip(file: Path, error: InputError) -> None:
        if on_skip is None:
            raise error
        on_skip(file, error)

    files = _walk(path, skip)
    for done, file in enumerate(files):
        relative = file.relative_to(path).as_posix()
        if progress is not None:
            progress(done / len(files), relative)
        try:
            if not relative.isprintable():
                raise InputError(f"the name of {relative!r} has characters that do not print; rename it")
            for source in _file(file):
                if on_skip is not None:
                    source.read()
                name = f"{relative}/{source.name}" if source.name else relative
                sources.append(Source(name=name, path=file, spec=source.spec, load=source.load, attrs=source.attrs))
        except InputError as error:
            skip(file, error)
    if not sources:
        raise InputError(f"folder {path} has no file in it that can be read as an array")
    if stack and len({source.spec for source in sources}) == 1:
        return [_stack(path, sources)]
    return sources


def _walk(path: Path, skip: OnSkip) -> list[Path]:
    """The files below a folder by name, those and the folders that are hidden left out."""

    def closed(error: OSError) -> None:
        skip(Path(error.filename), InputError(f"folder {error.filename} cannot be read: {error.strerror or error}"))

    found: list[Path] = []
    for folder, folders, files in os.walk(path, onerror=closed):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for link in (Path(folder, name) for name in folders):
            if link.is_symlink():  # `os.walk` does not follow it, so that there are no loops
                skip(link, UnknownKindError(f"{link} is a link to a folder, which is not followed"))
        found += [Path(folder, name) for name in files if not name.startswith(".")]
    return sorted(found, key=lambda file: file.relative_to(path).parts)


def _stack(path: Path, sources: list[Source]) -> Source:
    one = sources[0].spec
    spec = ArraySpec((len(sources), *one.shape), one.dtype)
    names = [source.name for source in sources]
    return Source(
        name="",
        path=path,
        spec=spec,
        load=lambda: np.stack([s.read() for s in sources]),
        attrs={"media": {"names": names}},
    )
