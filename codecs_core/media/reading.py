"""Which reader a file gets, what is kept whole, and what the entries are called."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from codecs_core.arrays import ArraySpec
from codecs_core.container.canonical import pack
from codecs_core.container.layout import FOLDED, SIGNATURE
from codecs_core.errors import InexactError, InputError, UnknownKindError
from codecs_core.media import kinds
from codecs_core.media.glimpse import Glimpse
from codecs_core.media.kept import keep_file, keep_folder
from codecs_core.media.names import fault, is_text
from codecs_core.media.source import Source, media_of
from codecs_core.media.steady import stamp, steady

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from codecs_core.codec import Progress

#: Called with a file that is left out, and why.
OnSkip = Callable[[Path, InputError], None]
#: Called with a file that is kept whole, and why; None where that is better than to take its values.
OnKeep = Callable[[Path, "InputError | None"], None]
#: Called with a file and the name it gets instead of its own, which another one has.
OnRename = Callable[[Path, str], None]

#: Bytes of the images of a folder that are kept for a second look, all together.
GLIMPSES = 1 << 28
#: Bytes of attributes that all the files together may have beside their values: a container takes 64 MiB of header.
ROOM = 40_000_000


def read(
    paths: Sequence[Path],
    *,
    stack: bool = False,
    pixels: bool = False,
    whole: bool = False,
    on_skip: OnSkip | None = None,
    on_keep: OnKeep | None = None,
    on_rename: OnRename | None = None,
    progress: Progress | None = None,
) -> dict[str, Source]:
    """The arrays of files and folders, by the names their entries get.

    A sole file with one array gives the name ``""``; the arrays of a file with several keep their names; the files of a
    folder are called by their path below it, in the order of their names. Of several paths each contributes its stem (or
    its name, where stems coincide), with ``/`` and the inner name for what is in a file or a folder.

    Parameters
    ----------
    paths
        What to read. The kind of a file goes by its first bytes, not by its suffix.
    stack
        Whether a folder whose files agree in shape and dtype becomes one array, files along a new first axis.
    pixels
        Whether to take the values of a file that dropped detail to be small, rather than to keep it whole.
    whole
        Whether to keep every file whole.
    on_skip
        Told of each file that is left out; without it, the first such file raises. Given it, every file in a folder is read
        once in full, so that damage behind a header is known here and not half-way through the work.
    on_keep
        Told of each file that is kept whole. Given it, what no reader takes exactly is kept as its bytes, and so are hidden
        files and folders without a file in them; only what the operating system cannot read is left out. Without it such files
        are left out, and hidden ones are not looked at.
    on_rename
        Told of a path that gets another name than its own, since two paths are called the same.
    progress
        Called with the fraction of a folder that was looked at, and a file's name.

    Raises
    ------
    InputError
        For a path that is missing or unreadable and, without `on_keep`, of no known kind or damaged.
    """
    reading = _Reading(stack, pixels, whole, on_skip, on_keep, progress)
    found: dict[str, Source] = {}
    for prefix, path in zip(_prefixes(paths, on_rename), paths, strict=True):
        for source in reading.sources(path):
            name = "/".join(part for part in (prefix, source.name) if part)
            if not is_text(f"{name}/{source.path.name}"):
                raise InputError(f"{path} cannot be stored under its name, which is no text in UTF-8; rename it")
            found[name] = replace(source, name=name, attrs=_attrs(name, source))
    return found


def _attrs(name: str, source: Source) -> dict[str, Any]:
    """The attributes of a source; the name of its file among them, unless the entry's says it already."""
    media = dict(media_of(source.attrs))
    if not media:
        return source.attrs
    member = f"/{media['member']}" if "member" in media else ""
    called = f"/{name}".removesuffix(member).rpartition("/")[2]
    media.pop("name", None)
    if called != source.path.name:
        media["name"] = source.path.name
    elif media == {"format": "NPY"} and called.lower().endswith(
        ".npy"
    ):  # what every array is written as, without a word
        return {key: value for key, value in source.attrs.items() if key != "media"}
    return {**source.attrs, "media": media}


def _prefixes(paths: Sequence[Path], on_rename: OnRename | None) -> list[str]:
    if len(paths) == 1:
        return [""]
    names = [path.resolve().name for path in paths]
    stems = [name.split(".")[0] or name for name in names]
    found: list[str] = []
    for path, stem, name in zip(paths, stems, names, strict=True):
        wanted = stem if stems.count(stem) == 1 else name
        given = _unused(wanted, {*found, *names[len(found) + 1 :]} if wanted in found else found)
        if given != wanted and on_rename is not None:
            on_rename(path, given)
        found.append(given)
    return found


def _unused(name: str, taken: Iterable[str]) -> str:
    """`name`, or with a number before its suffix one that is not taken."""
    used, unique, n = set(taken), name, 1
    stem, dot, suffix = name.partition(".")
    while unique in used:
        n += 1
        unique = f"{stem}-{n}{dot}{suffix}"
    return unique


@dataclass(kw_only=True)
class _Item:
    """Something below a folder: a file, a folder that is a file of a kind, or a folder with nothing in it."""

    path: Path
    kind: kinds.Kind | None = None
    empty: bool = False


class _Reading:
    """What `read` was asked, and how much room is left for attributes and for pieces of images."""

    def __init__(
        self,
        stack: bool,
        pixels: bool,
        whole: bool,
        on_skip: OnSkip | None,
        on_keep: OnKeep | None,
        progress: Progress | None,
    ) -> None:
        self.stack = stack
        self.pixels = pixels or on_keep is None
        self.whole = whole
        self.on_skip = on_skip
        self.on_keep = on_keep
        self.progress = progress
        self.room = ROOM
        self.glimpses = GLIMPSES

    def sources(self, path: Path) -> list[Source]:
        """What one of the paths holds."""
        if not path.is_dir():
            return self._named(path)
        if (kind := kinds.kind_of(b"", path, folder=True)) is not None and not self.whole:
            return self._take(_Item(path=path, kind=kind))
        return self._folder(path)

    def _named(self, path: Path) -> list[Source]:
        """What a file holds that was named itself: it is not left out, and what can be read of it is read."""
        try:
            return self._take(_Item(path=path), alone=True)
        except InexactError as error:
            if not error.rest or self.on_skip is None:
                raise
            self.on_skip(path, error)
            return [source for source in error.rest if isinstance(source, Source)]

    def _folder(self, path: Path) -> list[Source]:
        found: list[Source] = []
        items = self._items(path)
        for done, item in enumerate(items):
            relative = item.path.relative_to(path).as_posix()
            if self.progress is not None:
                self.progress(done / len(items), relative)
            try:
                if (why := fault(relative)) is not None:
                    raise InputError(f"{item.path} cannot be stored under its name, since {why}; rename it")
                found += [
                    replace(source, name=f"{relative}/{source.name}" if source.name else relative)
                    for source in self._take(item)
                ]
            except InputError as error:
                self._skip(item.path, error)
        if not found:
            raise InputError(f"folder {path} has no file in it that can be read")
        if self.stack and len({source.spec for source in found}) == 1:
            return [_stack(path, found)]
        return found

    def _skip(self, path: Path, error: InputError) -> None:
        if self.on_skip is None:
            raise error
        self.on_skip(path, error)

    def _take(self, item: _Item, *, alone: bool = False) -> list[Source]:
        """The arrays of a file, or the file as it is; raises `InputError` for what is neither."""
        if item.empty:
            return [keep_folder(item.path)]
        try:
            head = _head(item.path) if item.kind is None else b""
        except OSError as error:
            raise _unreadable(item.path, error) from error
        why: InputError | None = None
        if not self.whole:
            try:
                kind = item.kind or _kind(head, item.path)
                if self.pixels or not kind.lossy or not kinds.load(kind.lossy)(item.path):
                    return self._values(item.path, kind, alone)
            except InputError as error:
                if self.on_keep is None or (alone and isinstance(error, InexactError) and error.rest):
                    raise
                why = error
        return self._keep(item.path, why)

    def _values(self, path: Path, kind: kinds.Kind, alone: bool) -> list[Source]:
        """What the reader of a kind takes, read once in full where damage is to be known now."""
        before = stamp(path)
        found: list[Source] = [steady(source, before) for source in kinds.load(kind.read)(path)]
        if self.on_keep is None and (self.on_skip is None or alone):
            return found
        found = [self._looked_at(source, kind) for source in found]
        need = sum(len(pack(source.attrs)) for source in found) if self.on_keep is not None else 0
        if need > self.room:
            raise InexactError(
                f"{path} has {need} bytes beside its values, and the header of an archive has no more room"
            )
        self.room -= need
        return found

    def _looked_at(self, source: Source, kind: kinds.Kind) -> Source:
        """A source that was read in full; of an image, a piece is kept for whoever chooses a codec for it."""
        array = source.read()
        if not kind.image or array.ndim not in (2, 3) or self.glimpses <= 0:
            return source
        glimpse = Glimpse(array)
        self.glimpses -= glimpse.nbytes
        return replace(source, glimpse=glimpse)

    def _keep(self, path: Path, why: InputError | None) -> list[Source]:
        """The bytes of a file, or of the files of a folder that its reader does not take."""
        if path.is_dir():
            inner = _Reading(False, True, True, self.on_skip, self.on_keep, None)
            found = inner._folder(path)
        else:
            before = stamp(path)
            found = [steady(keep_file(path), before)]
        if self.on_keep is not None:
            self.on_keep(path, why)
        return found

    def _items(self, path: Path) -> list[_Item]:
        """What is below a folder, by name."""

        def closed(error: OSError) -> None:
            self._skip(Path(error.filename), _unreadable(Path(error.filename), error))

        found: list[_Item] = []
        hidden = self.on_keep is not None
        for folder, folders, files in os.walk(path, onerror=closed):
            inner = [Path(folder, name) for name in folders if hidden or not name.startswith(".")]
            taken = [] if self.whole else list(_stores(inner))
            found += taken
            stores = {item.path for item in taken}
            links = [one for one in inner if one.is_symlink() and one not in stores]
            for link in links:  # `os.walk` does not follow it, so that there are no loops
                self._skip(link, UnknownKindError(f"{link} is a link to a folder, which is not followed"))
            folders[:] = [one.name for one in inner if one not in stores and one not in links]
            seen = [Path(folder, name) for name in files if hidden or not name.startswith(".")]
            found += [_Item(path=file) for file in seen]
            if hidden and not folders and not seen and not taken and Path(folder) != path:
                found.append(_Item(path=Path(folder), empty=True))
        return sorted(found, key=lambda item: item.path.relative_to(path).parts)


def _stores(folders: Iterable[Path]) -> Iterator[_Item]:
    for folder in folders:
        if (kind := kinds.kind_of(b"", folder, folder=True)) is not None:
            yield _Item(path=folder, kind=kind)


def _head(path: Path) -> bytes:
    """The first bytes of a file; never waits for what is no file."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise InputError(f"{path} is no regular file; write what comes out of a pipe to a file first")
    with path.open("rb") as file:
        return file.read(kinds.HEAD)


def _unreadable(path: Path, error: OSError) -> InputError:
    if isinstance(error, FileNotFoundError):
        return InputError(f"{path} is a link to nothing" if path.is_symlink() else f"there is no file {path}")
    what = "folder " if path.is_dir() else ""
    return InputError(f"{what}{path} cannot be read: {error.strerror or error}")


def _kind(head: bytes, path: Path) -> kinds.Kind:
    """The kind of a file.

    Raises
    ------
    UnknownKindError
        If it is of none.
    InputError
        If its name says that it should be of one.
    """
    if (kind := kinds.kind_of(head, path)) is not None:
        return kind
    if head.startswith((SIGNATURE, FOLDED)):
        raise UnknownKindError(f"{path} is a .ccf container already; `codecs decode` gives its arrays")
    if (due := kinds.expected(path)) is not None:
        if not head:
            raise InputError(f"{path} is empty")
        raise InputError(f"{path} does not start like a {due.name} file; it is damaged, or called by a wrong name")
    raise UnknownKindError(
        f"{path} is empty" if not head else f"{path} is of no kind of file whose values can be taken"
    )


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
