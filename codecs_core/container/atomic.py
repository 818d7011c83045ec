"""Writing a file so that its path holds the old content or the whole new content, and never anything between."""

from __future__ import annotations

import os
import secrets
import stat
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, BinaryIO

from codecs_core.container.source import is_url
from codecs_core.errors import CodecsError, OutputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: Characters of the target's name kept in the temporary's: names are capped at 255 bytes, a character takes up to 4.
_KEPT = 50


@contextmanager
def atomic_write(path: str | os.PathLike[str], *, unless: Callable[[], bool] = lambda: False) -> Iterator[BinaryIO]:
    """Open a binary file that takes the place of `path` once the block ends without an exception, unless it is given up then.

    The bytes go to a temporary file in the same folder, are forced to the disk, and the file is renamed over `path`.
    After an exception the temporary is removed; after a kill it may remain, as ``.<name>.<random>.tmp``. In either case
    `path` is as it was. A symbolic link is followed, and the permissions of a file that is replaced are kept.
    What is to stand under a URL is uploaded when the block has ended: see `codecs_core.container.remote.upload`.

    Raises
    ------
    OutputError
        At once if the folder does not exist or cannot be written, or if `path` is there and not a regular file; later
        for any `OSError` in the block, such as a full disk.
    """
    if isinstance(path, str) and is_url(path):
        from codecs_core.container.remote import upload

        with upload(path, unless=unless) as remote:
            yield remote
        return
    shown = repr(os.fspath(path))
    try:
        target = os.path.realpath(path)
        mode = _mode(target, shown)
        file, temporary = _temporary(target)
    except CodecsError:
        raise
    except (OSError, ValueError) as e:
        raise _error(shown, e) from e
    try:
        with file:
            if mode is not None and hasattr(os, "fchmod"):
                os.fchmod(file.fileno(), mode)
            yield file
            if not unless():
                file.flush()
                os.fsync(file.fileno())
        if unless():
            os.unlink(temporary)
            return
        os.replace(temporary, target)
    except BaseException as e:
        with suppress(OSError):
            os.unlink(temporary)
        if isinstance(e, OSError) and not isinstance(e, CodecsError):
            raise _error(shown, e) from e
        raise
    _sync_folder(os.path.dirname(target))


def _mode(target: str, shown: str) -> int | None:
    """Permissions of the file to be replaced, if there is one."""
    folder = os.path.dirname(target)
    if not os.path.isdir(folder):
        raise OutputError(f"cannot write {shown}: the folder {folder!r} does not exist; create it first")
    try:
        status = os.stat(target)
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(status.st_mode):
        # Renaming over it would replace /dev/null itself.
        raise OutputError(f"cannot write {shown}: it is not a regular file; choose another path")
    return stat.S_IMODE(status.st_mode)


def _temporary(target: str) -> tuple[BinaryIO, str]:
    """Create and open a new file beside `target`. Unlike `tempfile`, it has the permissions any new file gets."""
    folder, name = os.path.split(target)
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
    while True:
        path = os.path.join(folder, f".{name[:_KEPT]}.{secrets.token_hex(4)}.tmp")
        try:
            return os.fdopen(os.open(path, flags, 0o666), "wb"), path
        except FileExistsError:
            continue
        except BaseException:
            # a signal between creating the file and the caller's knowing of it
            with suppress(OSError):
                os.unlink(path)
            raise


def _sync_folder(folder: str) -> None:
    """Force the rename to the disk. Some systems cannot; the file is whole in any case."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _error(shown: str, e: Exception) -> OutputError:
    reason = getattr(e, "strerror", None) or str(e) or type(e).__name__
    return OutputError(f"cannot write {shown}: {reason}; what was there before is untouched")
