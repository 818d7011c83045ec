"""A file is one version from the first look at it to the last."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from codecs_core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from codecs_core.media.source import Source

#: What tells one version of a file from another: inode, size, and time of the last change.
Stamp = tuple[int, int, int]


def stamp(path: Path) -> Stamp | None:
    """The stamp of a file; None for a folder, and for what is not there."""
    try:
        status = path.stat()
    except OSError:
        return None
    return None if path.is_dir() else (status.st_ino, status.st_size, status.st_mtime_ns)


def steady(source: Source, before: Stamp | None) -> Source:
    """The same source, whose values are of the file that had the stamp `before`, or an `InputError`.

    What its header and its metadata said was read earlier, and must not be put beside the values of another version.
    """
    return source if before is None else replace(source, load=partial(_load, source.path, before, source.load))


def _load(path: Path, before: Stamp, load: Callable[[], NDArray[Any]]) -> NDArray[Any]:
    if stamp(path) != before:
        raise InputError(f"{path} changed since it was looked at; store it again when nobody writes to it")
    array = load()
    if stamp(path) != before:
        raise InputError(f"{path} changed while it was read; store it again when nobody writes to it")
    return array
