"""Reading a container: two reads to open it, one more for each chunk."""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING, NoReturn

from codecs_core.container import frame, layout
from codecs_core.container.checksum import crc32c
from codecs_core.container.contents import Contents
from codecs_core.container.folding import Unfolded, unfolded
from codecs_core.container.frame import ChunkHead, ModelHead
from codecs_core.container.index import Index
from codecs_core.container.packing import unpack
from codecs_core.container.source import open_source
from codecs_core.container.trailer import Trailer
from codecs_core.container.walk import read_head, scan
from codecs_core.errors import (
    CorruptDataError,
    FormatError,
    LimitExceededError,
    MissingChunkError,
    TruncatedFileError,
)
from codecs_core.limits import DEFAULT_LIMITS

if TYPE_CHECKING:
    import os
    from types import TracebackType
    from typing import Self

    from codecs_core.container.frame import Head
    from codecs_core.container.header import Header
    from codecs_core.container.index import Place
    from codecs_core.container.source import Source
    from codecs_core.limits import Limits

#: Bytes read at the start and at the end before it is known how much is needed.
HEAD_READ = 1 << 16
TAIL_READ = 1 << 18

_AGAIN = "get the file again from where it came from"


class Reader(Contents):
    """An open container. Immutable once open, and safe to use from several threads. Its contents are known without reading.

    Parameters
    ----------
    source
        Bytes at offsets; `Reader.open` takes a path. Closed by `close`.
    limits
        Caps on what the file may ask for.

    Attributes
    ----------
    stamp
        Differs from that of another file, and from its own once the file has changed.
    """

    def __init__(self, source: Source, *, limits: Limits = DEFAULT_LIMITS) -> None:
        self.stamp: str = getattr(source, "stamp", "") or secrets.token_hex(16)
        self._limits = limits
        start = source.read_at(0, min(source.size, getattr(source, "head_read", HEAD_READ)))
        self._source = source = unfolded(source, start, limits)
        if isinstance(source, Unfolded):
            start = source.data
        size = source.size
        # A small file came whole with the first read.
        preamble, header, frames_start = self._head = read_head(source, start, limits)
        tail_read = getattr(source, "tail_read", TAIL_READ)
        tail = start if len(start) == size else source.read_at(max(0, size - tail_read), min(size, tail_read))
        trailer = self._trailer(tail, start)
        incomplete = bool(preamble.incompat & layout.INCOMPLETE)
        index = self._read_index(trailer, tail, header, frames_start, incomplete=incomplete)
        folded = isinstance(source, Unfolded)
        at, size = (source.header, source.folded) if isinstance(source, Unfolded) else (frames_start, size)
        super().__init__(preamble, header, index, start=at, size=size, path=source, folded=folded)

    @classmethod
    def open(cls, path: str | os.PathLike[str], *, limits: Limits = DEFAULT_LIMITS) -> Self:
        """Open a file, or a URL; see `Reader`."""
        source = open_source(path)
        try:
            return cls(source, limits=limits)
        except (FormatError, LimitExceededError) as error:
            source.close()
            raise error.at(path=source.path) from error.__cause__
        except BaseException:
            source.close()
            raise

    def chunk(self, entry: str, i: int) -> tuple[bytes, bytes]:
        """Chunk `i` of an entry as stored, checked against its CRC32C, and the xxh3-128 that it must have when decoded.

        Raises
        ------
        MissingChunkError
            If it is not there, since the file was recovered from a damaged one.
        CorruptDataError, TruncatedFileError
            If it is damaged.
        """
        place, what = self._place(entry, i), f"chunk {i} of entry {entry!r}"
        if place is None:
            raise MissingChunkError(
                f"{what} is missing from {self._source}, which was recovered from a damaged file; "
                f"take other items, or have such chunks filled in with fill=... (--fill)"
            ).at(path=self._source.path, entry=entry, chunk=i)
        try:
            head, payload = self._frame(place, what)
            if not isinstance(head, ChunkHead) or (head.entry, head.chunk) != (self._number(entry), i):
                self._wrong_head(place, what)
        except FormatError as error:
            raise error.at(path=self._source.path, entry=entry, chunk=i, offset=place.offset) from error.__cause__
        return payload, head.digest

    def payload(self, entry: str, i: int) -> bytes:
        """Chunk `i` of an entry as stored, checked against its CRC32C."""
        return self.chunk(entry, i)[0]

    def model(self, sha256: str) -> bytes | None:
        """Bytes of an embedded model, checked against CRC32C and SHA-256; None if the file does not hold it.

        A model that is compressed in the file comes as it was before, and the limit is for what it was.
        """
        record = self.models.get(sha256)
        if record is None or record.embedded_bytes is None:
            return None
        place, where = self._embedded[sha256], f"model {record.name!r} ({sha256})"
        self._limits.check("model_bytes", record.embedded_bytes, f"{where} in {self._source}")
        head, data = self._frame(place, where)
        if not isinstance(head, ModelHead) or head.sha256.hex() != sha256:
            self._wrong_head(place, where)
        if head.length is not None:
            self._limits.check("model_bytes", head.length, f"{where} in {self._source}")
            try:
                data = unpack(data, head.length)
            except FormatError as e:
                raise FormatError(f"{where} in {self._source} at offset {place.offset}: {e}") from e
        found = hashlib.sha256(data).hexdigest()
        if found != sha256:
            raise CorruptDataError(f"{where} in {self._source} has the SHA-256 {found}, expected {sha256}; {_AGAIN}")
        return data

    def close(self) -> None:
        """Close the source."""
        self._source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, e: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def _frame(self, place: Place, what: str) -> tuple[Head, bytes]:
        """Head and payload of a frame, both checked against their CRC32C."""
        where = f"{what} in {self._source} at offset {place.offset}"
        data = self._source.read_at(place.offset, place.head + place.stored)
        if len(data) != place.head + place.stored:
            raise TruncatedFileError(f"{where} ends early: the file became shorter since it was opened; {_AGAIN}")
        try:
            head = frame.parse(data[: place.head])
        except FormatError as e:
            raise CorruptDataError(f"{where} is damaged: {e}; {_AGAIN}") from e
        if head.stored != place.stored:
            self._wrong_head(place, what)
        payload = data[place.head :]
        found = crc32c(payload)
        if found != head.crc:
            raise CorruptDataError(
                f"{where} is damaged: the CRC32C of its {place.stored} stored bytes is {found:08x}, "
                f"expected {head.crc:08x}; {_AGAIN}"
            )
        return head, payload

    def _wrong_head(self, place: Place, what: str) -> NoReturn:
        raise CorruptDataError(
            f"{what} in {self._source} at offset {place.offset} is not what the index says: its frame describes "
            f"another payload; {_AGAIN}"
        )

    def _trailer(self, tail: bytes, start: bytes) -> Trailer:
        size = self._source.size
        try:
            trailer = Trailer.from_bytes(tail[-layout.TRAILER.size :])
        except FormatError as e:
            self._no_trailer(e)
        if size < trailer.file_length:
            raise TruncatedFileError(
                f"{self._source} is {size} bytes, and its trailer says {trailer.file_length}; {_AGAIN}"
            )
        (preamble_crc,) = layout.CRC.unpack_from(start, layout.PREAMBLE.size - layout.CRC.size)
        end = trailer.index_offset + trailer.index_length + layout.TRAILER.size
        if trailer.file_length != size or end != size or trailer.preamble_crc != preamble_crc:
            raise CorruptDataError(f"{self._source} has a trailer that belongs to another file; {_AGAIN}")
        return trailer

    def _read_index(
        self, trailer: Trailer, tail: bytes, header: Header, frames_start: int, *, incomplete: bool
    ) -> Index:
        self._limits.check("index_bytes", trailer.index_length, f"the index of {self._source}")
        before_tail = self._source.size - len(tail)
        if trailer.index_offset >= before_tail:
            start = trailer.index_offset - before_tail
            data = tail[start : start + trailer.index_length]
        else:
            data = self._source.read_at(trailer.index_offset, trailer.index_length)
        found = crc32c(data)
        if found != trailer.index_crc:
            raise CorruptDataError(
                f"{self._source} has a damaged index at offset {trailer.index_offset}: "
                f"its CRC32C is {found:08x}, expected {trailer.index_crc:08x}; {_AGAIN}"
            )
        try:
            index = Index(data, header, frames_start, trailer.index_offset, incomplete=incomplete)
        except FormatError as e:
            raise e.at(f"{self._source}", path=self._source.path) from e
        self._limits.check("chunk_bytes", index.largest(layout.CHUNK), f"the largest stored chunk of {self._source}")
        return index

    def _no_trailer(self, why: FormatError) -> NoReturn:
        """Say why a file does not end as it should: cut short, followed by other bytes, or damaged at the end."""
        found = scan(self._source, limits=self._limits, known=self._head)
        size = self._source.size
        start = self._source.read_at(found.end, layout.INDEX.size)
        if len(start) == layout.INDEX.size and start.startswith(layout.INDEX_MAGIC):
            _, length, n = layout.INDEX.unpack(start)
            end = found.end + layout.INDEX.size + n * length + layout.TRAILER.size
            if end < size:
                raise CorruptDataError(
                    f"{self._source} goes on for {size - end} bytes after its end at offset {end}; "
                    f"cut them off, or {_AGAIN}"
                ) from why
            if end == size:
                raise CorruptDataError(
                    f"{self._source} is damaged in its last bytes: {why}; {_AGAIN}, or `codecs recover` it"
                ) from why
        total = found.header.entries.chunks.sum()
        raise TruncatedFileError(
            f"{self._source} ends at byte {size}, before its trailer: "
            f"{found.chunks} of {total} chunks are whole; {_AGAIN}, or `codecs recover` it"
        ) from why
