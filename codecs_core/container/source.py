"""Where the bytes of a container come from: anything of known size that can be read at an offset."""

from __future__ import annotations

import os
import re
import stat
import threading
from typing import Protocol

from codecs_core.errors import InputError

#: The kernel returns at most about 2 GiB for one call.
_STEP = 1 << 30

#: ``memory://``, ``s3://``, ``simplecache::https://``: a scheme has two letters at least, unlike a drive of Windows.
_URL = re.compile(r"(?:[A-Za-z][\w+.-]+::)*[A-Za-z][\w+.-]+://")


class Source(Protocol):
    """Bytes at offsets.

    ``read_at`` returns `n` bytes, or fewer only where the source ends, and may be called from several threads at once.
    ``str(source)`` names it in messages. One on which a byte costs more than on a disk says in ``head_read`` and
    ``tail_read`` how much to read at either end before it is known how much is needed. One that can tell whether the same
    bytes are still there says in ``stamp`` what will differ when they are not.
    """

    @property
    def path(self) -> str:
        """The path or URL, as it was given."""
        ...

    @property
    def size(self) -> int:
        """Number of bytes."""
        ...

    def read_at(self, offset: int, n: int) -> bytes:
        """Read `n` bytes from `offset` on."""
        ...

    def close(self) -> None:
        """Let go of what is held open."""
        ...


class Memory:
    """Bytes that are in memory already.

    Parameters
    ----------
    data
        The bytes.
    path
        What they are called in messages.
    """

    def __init__(self, data: bytes, path: str = "bytes in memory") -> None:
        self.data, self.size, self.path = data, len(data), path

    def read_at(self, offset: int, n: int) -> bytes:
        """Read `n` bytes from `offset` on; fewer only where they end."""
        return self.data[offset : offset + n]

    def close(self) -> None:
        """Nothing is held open."""

    def __str__(self) -> str:
        return self.path


class FileSource:
    """A local file. Reads carry their own offset, so threads do not disturb one another.

    Parameters
    ----------
    path
        A regular file; anything else, or one that cannot be opened, is an `InputError`.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        try:
            # Asked before it is opened: opening a pipe would wait for someone to write to it.
            if not stat.S_ISREG(os.stat(self.path).st_mode):
                raise OSError("it is not a regular file")
            self._file = open(self.path, "rb", buffering=0)  # noqa: SIM115
        except (OSError, ValueError) as e:
            raise InputError(f"cannot open {self}: {getattr(e, 'strerror', None) or e}") from e
        status = os.fstat(self._file.fileno())
        self.size = status.st_size
        self.stamp = _stamp(status)
        self._lock = threading.Lock()

    def read_at(self, offset: int, n: int) -> bytes:
        """Read `n` bytes from `offset` on; fewer only if the file ends.

        Raises
        ------
        InputError
            If that fails, or the file has changed since it was opened: parts of two versions are never put together.
        """
        if self._file.closed:
            raise InputError(f"{self} is closed; open it again to read from it")
        parts = []
        try:
            while n > 0:
                part = self._read(min(n, _STEP), offset)
                if not part:
                    break
                parts.append(part)
                offset += len(part)
                n -= len(part)
            changed = _stamp(os.fstat(self._file.fileno())) != self.stamp
        except (OSError, ValueError) as e:  # ValueError: it was closed
            why = getattr(e, "strerror", None) or e
            raise InputError(f"cannot read {self} at offset {offset}: {why}") from e
        if changed:
            raise InputError(f"{self} changed since it was opened; open it again when nobody writes to it")
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __str__(self) -> str:
        return repr(self.path)

    def _read(self, n: int, offset: int) -> bytes:
        if hasattr(os, "pread"):
            return os.pread(self._file.fileno(), n, offset)
        with self._lock:  # Windows
            self._file.seek(offset)
            return self._file.read(n)


def _stamp(status: os.stat_result) -> str:
    return f"{status.st_dev} {status.st_ino} {status.st_mtime_ns} {status.st_size}"


def is_url(path: object) -> bool:
    """Whether a path is a URL, such as ``s3://bucket/x.ccf``; a `pathlib.Path` never is."""
    return isinstance(path, str) and _URL.match(path) is not None


def open_source(path: str | os.PathLike[str]) -> Source:
    """Open a file or what is behind a URL; raises `InputError`."""
    if isinstance(path, str) and is_url(path):
        from codecs_core.container.remote import UrlSource

        return UrlSource(path)
    return FileSource(path)
