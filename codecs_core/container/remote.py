"""Containers under URLs: ranges of what fsspec can read, and uploads that are whole or not there."""

from __future__ import annotations

import os
import re
import secrets
import tempfile
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, BinaryIO

from codecs_core.errors import CodecsError, InputError, OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Object stores: what is put there appears as a whole or not at all. Elsewhere a file may grow under its name.
_WHOLE = frozenset({"abfs", "abfss", "az", "gcs", "gs", "oci", "oss", "s3", "s3a"})
#: What fsspec might send requests to that no server of files expects.
_READ_ONLY = frozenset({"data", "github", "http", "https"})

#: What the schemes need that are asked for most; fsspec names the others.
_PACKAGES = {
    **dict.fromkeys(("http", "https"), "'codecs-core[remote]'"),
    **dict.fromkeys(("s3", "s3a"), "s3fs"),
    **dict.fromkeys(("gs", "gcs"), "gcsfs"),
    **dict.fromkeys(("abfs", "abfss", "az"), "adlfs"),
}


class UrlSource:
    """A file behind a URL, read by ranges and nothing but those that are asked for.

    Parameters
    ----------
    url
        What fsspec knows, alone or as a chain. `InputError` if there is no such file, or fsspec or what it needs for
        the scheme is not installed.
    """

    #: A request is dear, and so is a byte: enough for the header of a few arrays, and for an index of 200 chunks.
    head_read = 1 << 11
    tail_read = 1 << 12

    def __init__(self, url: str) -> None:
        self.url = self.path = url
        self._fs, self._path = _file_system(url, InputError, f"cannot open {url!r}")
        with _failing(InputError, f"cannot open {url!r}"):
            info = self._fs.info(self._path)
        if info.get("type") == "directory":
            raise InputError(f"cannot open {url!r}: it is a folder")
        size = info.get("size")
        if size is None:
            raise InputError(f"cannot read ranges of {url!r}: its size is unknown; read it as simplecache::{url}")
        self.size = int(size)
        self.stamp = repr(sorted(info.items(), key=lambda item: item[0]))

    def read_at(self, offset: int, n: int) -> bytes:
        """Read `n` bytes from `offset` on; fewer only if the file ends."""
        end = min(offset + n, self.size)
        if end <= offset:
            return b""
        with _failing(InputError, f"cannot read {self} at offset {offset}"):
            data = bytes(self._fs.cat_file(self._path, start=offset, end=end))
        if len(data) > end - offset:
            raise InputError(
                f"{self} is on a server that does not serve ranges: asked for {end - offset} bytes, it sent {len(data)}; "
                f"read it as simplecache::{self.url}"
            )
        return data

    def close(self) -> None:
        """Nothing is held open."""

    def __str__(self) -> str:
        return repr(self.url)


@contextmanager
def upload(url: str) -> Iterator[BinaryIO]:
    """Open a binary file that is uploaded to `url` once the block ends without an exception.

    The bytes go to a temporary file of this machine first, so that nothing is sent before all of them are there. Object
    stores take them as one object, which appears whole or not at all. Elsewhere they go to ``.<name>.<random>.tmp`` in
    the same folder, which is then renamed; after a failure it is removed.

    Raises
    ------
    OutputError
        At once if the URL cannot be written; later for anything that goes wrong while it is.
    """
    cannot = f"cannot write {url!r}"
    if "::" in url:
        raise OutputError(f"{cannot}: a chain of file systems can only be read; write to a plain URL")
    scheme = url.partition(":")[0].lower()
    if scheme in _READ_ONLY:
        raise OutputError(f"{cannot}: {scheme} can only be read; write a file, and put it there yourself")
    fs, path = _file_system(url, OutputError, cannot)
    try:
        with tempfile.TemporaryDirectory(prefix="codecs-") as folder:
            local = os.path.join(folder, "upload.ccf")
            with open(local, "wb") as file:
                yield file
            with _failing(OutputError, f"{cannot}: the upload failed"):
                _put(fs, local, path)
    except OSError as error:
        if isinstance(error, CodecsError):
            raise
        raise OutputError(f"{cannot}: {error.strerror or error}") from error


def _put(fs: Any, local: str, path: str) -> None:
    if not _WHOLE.isdisjoint([fs.protocol] if isinstance(fs.protocol, str) else fs.protocol):
        fs.put_file(local, path)
        return
    folder, slash, name = path.rpartition("/")
    temporary = f"{folder}{slash}.{name[:50]}.{secrets.token_hex(4)}.tmp"
    try:
        fs.put_file(local, temporary)
        fs.mv(temporary, path)
    except BaseException:
        with suppress(Exception):
            fs.rm_file(temporary)
        raise


def _file_system(url: str, kind: type[CodecsError], cannot: str) -> tuple[Any, str]:
    try:
        from fsspec.core import url_to_fs
    except ImportError as error:
        raise kind(f"{cannot}: URLs take fsspec: pip install 'codecs-core[remote]'") from error
    try:
        with _failing(kind, cannot):
            fs, path = url_to_fs(url)  # type: ignore[no-untyped-call]
    except kind as error:
        missing = [_PACKAGES[scheme] for scheme in re.findall(r"(\w+):", url) if scheme in _PACKAGES]
        if isinstance(error.__cause__, ImportError) and missing:
            raise kind(f"{error}: pip install {' '.join(missing)}") from error
        raise
    return fs, str(path)


@contextmanager
def _failing(kind: type[CodecsError], cannot: str) -> Iterator[None]:
    """Tell whatever a file system of somebody else's raises as an error of ours."""
    try:
        yield
    except CodecsError:
        raise
    except FileNotFoundError as error:
        why = f" ({error.__cause__})" if error.__cause__ is not None else ""
        raise kind(f"{cannot}: no such file or folder{why}") from error
    except Exception as error:
        reason = (os.strerror(error.errno) if isinstance(error, OSError) and error.errno else "") or str(error)
        raise kind(f"{cannot}: {reason or type(error).__name__}") from error
