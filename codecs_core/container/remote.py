"""Containers under URLs: ranges of what fsspec can read, and uploads that are whole or not there."""

from __future__ import annotations

import os
import re
import secrets
import tempfile
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, BinaryIO

from codecs_core.errors import CodecsError, InputError, MissingDependencyError, MissingReaderError, OutputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: Object stores: what is put there appears as a whole or not at all. Elsewhere a file may grow under its name.
_WHOLE = frozenset({"abfs", "abfss", "az", "gcs", "gs", "oci", "oss", "s3", "s3a"})
#: What fsspec might send requests to that no server of files expects.
_READ_ONLY = frozenset({"data", "github", "http", "https"})

#: Status of a web server's answer when the condition of a request does not hold.
_PRECONDITION_FAILED = 412
#: What file systems call the marks of a version.
_VERSION = frozenset(
    {"etag", "last_modified", "lastmodified", "content_md5", "digest", "size", "mtime", "ino", "generation", "updated"}
    | {"created", "version_id", "versionid", "md5hash", "checksum", "crc32c", "modified", "date_time", "crc"}
)

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
        self._version = _version(info)
        # A web server that keeps to conditions refuses ranges of another version by itself, and costs no second request.
        self._condition = _condition(self._fs, info)
        if self._condition and not self._keeps_to(*self._condition):
            self._condition = {}

    def read_at(self, offset: int, n: int) -> bytes:
        """Read `n` bytes from `offset` on; fewer only if the file ends.

        Raises
        ------
        InputError
            If that fails, or the file has changed since it was opened, going by ETag, time or size, as far as the server tells
            them: parts of two versions are never put together.
        """
        end = min(offset + n, self.size)
        if end <= offset:
            return b""
        with _failing(InputError, f"cannot read {self} at offset {offset}"):
            data = self._range(offset, end, self._condition)
            changed = data is None or not (self._condition or self._is_there())
        if data is None or changed:
            raise InputError(f"{self} changed since it was opened; open it again when nobody writes to it")
        if len(data) > end - offset:
            raise InputError(
                f"{self} is on a server that does not serve ranges: asked for {end - offset} bytes, it sent {len(data)}; "
                f"read it as simplecache::{self.url}"
            )
        return data

    def _range(self, start: int, end: int, condition: dict[str, str]) -> bytes | None:
        """Bytes `start` to `end`; None if the server says that the condition does not hold."""
        more = {"headers": condition} if condition else {}
        try:
            return bytes(self._fs.cat_file(self._path, start=start, end=end, **more))
        except Exception as error:
            if getattr(error, "status", None) == _PRECONDITION_FAILED:
                return None
            raise

    def _keeps_to(self, condition: str) -> bool:
        """Whether the server refuses a condition that cannot hold."""
        never = {"If-Match": '"no version has this tag"', "If-Unmodified-Since": "Thu, 01 Jan 1970 00:00:01 GMT"}
        with _failing(InputError, f"cannot read {self}"):
            return self.size > 0 and self._range(0, 1, {condition: never[condition]}) is None

    def _is_there(self) -> bool:
        """Whether the same version is still there."""
        self._fs.invalidate_cache(self._path)
        return _version(self._fs.info(self._path)) == self._version

    def close(self) -> None:
        """Nothing is held open."""

    def __str__(self) -> str:
        return repr(self.url)


def _version(info: dict[str, Any]) -> dict[str, str]:
    """What tells one version of a file from another, as far as a file system says it."""
    return {key: str(value) for key, value in info.items() if key.lower().replace("-", "_") in _VERSION}


def _condition(fs: Any, info: dict[str, Any]) -> dict[str, str]:
    """The header that makes a web server refuse ranges of another version; none where it says nothing to tell it by."""
    protocols = {fs.protocol} if isinstance(fs.protocol, str) else set(fs.protocol)
    if not protocols & {"http", "https"}:
        return {}
    tag = info.get("ETag", "")
    if tag and not tag.startswith("W/"):  # a weak tag never matches
        return {"If-Match": tag}
    return {"If-Unmodified-Since": info["Last-Modified"]} if "Last-Modified" in info else {}


@contextmanager
def upload(url: str, *, unless: Callable[[], bool]) -> Iterator[BinaryIO]:
    """Open a binary file that is uploaded to `url` once the block ends without an exception, unless it is given up then.

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
            if not unless():
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
    missing = MissingReaderError if kind is InputError else MissingDependencyError
    try:
        from fsspec.core import url_to_fs
    except ImportError as error:
        raise missing(f"{cannot}: URLs take fsspec: pip install 'codecs-core[remote]'") from error
    try:
        with _failing(kind, cannot):
            fs, path = url_to_fs(url)  # type: ignore[no-untyped-call]
    except kind as error:
        packages = [_PACKAGES[scheme] for scheme in re.findall(r"(\w+):", url) if scheme in _PACKAGES]
        if isinstance(error.__cause__, ImportError) and packages:
            raise missing(f"{error}: pip install {' '.join(packages)}") from error
        raise
    return fs, str(path)


@contextmanager
def _failing(kind: type[CodecsError], cannot: str) -> Iterator[None]:
    """Turn whatever a third-party file system raises into an error of ours."""
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
