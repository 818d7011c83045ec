"""What is still whole in a file that is damaged or cut short, and a file of just that.

With an index that is intact, every frame is looked for where it should be. Without one, frames are walked, and behind damage
the next one is searched for.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO

import google_crc32c

from codecs_core.container import frame, layout
from codecs_core.container.checksum import crc32c
from codecs_core.container.frame import ChunkHead, ModelHead
from codecs_core.container.index import Index
from codecs_core.container.packing import unpack
from codecs_core.container.preamble import Preamble
from codecs_core.container.trailer import Trailer
from codecs_core.container.walk import Frame, read_head, walk
from codecs_core.container.writer import Writer
from codecs_core.errors import CodecsError, CorruptDataError, FormatError, LimitExceededError
from codecs_core.limits import DEFAULT_LIMITS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from codecs_core.container.frame import Head
    from codecs_core.container.header import Header
    from codecs_core.container.source import Source
    from codecs_core.limits import Limits

#: Bytes read at a time.
_WINDOW = 1 << 20
#: A crafted file could make a reader look at each byte for each frame: it skips damage after reading this many times the size.
_EFFORT = 64
_MARKS = re.compile(b"%b|%b" % (re.escape(layout.FRAME_MAGIC), re.escape(layout.SIGNATURE)))


@dataclass(frozen=True, kw_only=True)
class Lost:
    """Chunks `first` to `last` of an entry; where their frame is, if that is known; and what is wrong with it."""

    first: int
    last: int
    offset: int | None
    reason: str


@dataclass(kw_only=True)
class Survey:
    """What a file still holds.

    Parameters
    ----------
    header
        As stored; there is nothing to recover without it.
    ending
        Why index and trailer are of no use; None if they are whole.
    chunks, models
        The whole ones, by entry and chunk and by model.
    damaged, damaged_models
        Of the others those whose frames were seen: the offset, and what is wrong.
    """

    header: Header
    ending: str | None = None
    chunks: dict[tuple[int, int], Frame] = field(default_factory=dict)
    models: dict[int, Frame] = field(default_factory=dict)
    damaged: dict[tuple[int, int], tuple[int, str]] = field(default_factory=dict)
    damaged_models: dict[int, tuple[int, str]] = field(default_factory=dict)

    def lost(self) -> list[list[Lost]]:
        """The chunks of each entry that are not whole, in ascending order; those without a trace in runs."""
        known: list[list[tuple[int, Lost | None]]] = [[] for _ in self.header.entries]
        for entry, chunk in self.chunks:
            known[entry].append((chunk, None))
        for (entry, chunk), (offset, reason) in self.damaged.items():
            if (entry, chunk) not in self.chunks:
                known[entry].append((chunk, Lost(first=chunk, last=chunk, offset=offset, reason=reason)))
        return [
            _runs(sorted(seen, key=lambda one: one[0]), e.n_chunks)
            for e, seen in zip(self.header.entries, known, strict=True)
        ]


def survey(source: Source, *, limits: Limits = DEFAULT_LIMITS) -> Survey:
    """Read a file from its first to its last byte and see what is whole.

    Raises
    ------
    NotAContainerError, TruncatedFileError, CorruptDataError, UnsupportedFeatureError, LimitExceededError
        If not even the header can be read: nothing else says what the chunks are.
    """
    start = source.read_at(0, min(source.size, layout.PREAMBLE.size))
    preamble, header, at = read_head(source, start, limits)
    found = Survey(header=header)
    try:
        index = _index(source, preamble, start, header, at, limits)
    except (FormatError, LimitExceededError) as e:
        found.ending = str(e)
        for seen in _Search(source).frames(at):
            _take(source, seen, found, limits)
    else:
        for seen in _indexed(source, index, found):
            _take(source, seen, found, limits)
    return found


def rescue(source: Source, found: Survey, file: BinaryIO, *, limits: Limits = DEFAULT_LIMITS) -> None:
    """Write a file of everything that is whole; marked as incomplete unless that is every chunk.

    Raises
    ------
    CorruptDataError
        If no chunk is whole, or a chunk that was whole has changed since.
    """
    header = found.header
    lost = any(found.lost())
    if lost and not found.chunks:
        raise CorruptDataError(f"not one chunk of {source} is whole; there is nothing to recover")
    writer = Writer(
        file, header.entries, models=dict(header.models), attrs=header.attrs, incomplete=lost, limits=limits
    )
    for number, held in found.models.items():
        payload, length = _payload(source, held), _packed_length(held.head)
        data, packed = (payload, None) if length is None else (unpack(payload, length), payload)
        writer.write_model(header.models[number][0], data, packed)
    for (entry, chunk), held in sorted(found.chunks.items(), key=lambda item: item[1].offset):
        head = held.head
        if isinstance(head, ChunkHead):
            writer.write_chunk(header.entries[entry].name, chunk, _payload(source, held), head.digest)
    writer.close()


# --- finding frames ------------------------------------------------------------------------------


def _index(source: Source, preamble: Preamble, start: bytes, header: Header, at: int, limits: Limits) -> Index:
    """The index, if it and the trailer are whole and fit the file; otherwise raises."""
    size = source.size
    trailer = Trailer.from_bytes(source.read_at(max(at, size - layout.TRAILER.size), layout.TRAILER.size))
    end = trailer.index_offset + trailer.index_length + layout.TRAILER.size
    (preamble_crc,) = layout.CRC.unpack(start[-layout.CRC.size :])
    if trailer.file_length != size or end != size or trailer.preamble_crc != preamble_crc:
        raise FormatError(f"the trailer is that of a file of {trailer.file_length} bytes, and there are {size}")
    limits.check("index_bytes", trailer.index_length, f"the index of {source}")
    data = source.read_at(trailer.index_offset, trailer.index_length)
    if crc32c(data) != trailer.index_crc:
        raise FormatError(f"the index at offset {trailer.index_offset} is damaged")
    incomplete = bool(preamble.incompat & layout.INCOMPLETE)
    return Index(data, header, at, trailer.index_offset, incomplete=incomplete)


def _indexed(source: Source, index: Index, found: Survey) -> Iterator[Frame]:
    """The frames that the index lists. One whose head is damaged is noted, unless its checksum vouches for what it held."""
    for kind, number, chunk, place in index.places():
        end = place.offset + place.head + place.stored
        data = source.read_at(place.offset, place.head)
        head: Head | None
        try:
            head = frame.parse(data)
        except FormatError as e:
            head = _mended(source, data, kind, number, chunk, place.offset, place.stored)
            if head is None:
                if kind != layout.CHUNK:
                    found.damaged_models[number] = place.offset, str(e)
                else:
                    found.damaged[number, chunk] = place.offset, str(e)
                continue
        yield Frame(head=head, offset=place.offset, payload_offset=place.offset + place.head, end=end)


def _mended(source: Source, data: bytes, kind: int, number: int, chunk: int, offset: int, stored: int) -> Head | None:
    """The head that a damaged one was, if index and payload say all that is damaged of it."""
    if kind != layout.CHUNK or len(data) != frame.HEAD_LENGTHS[kind]:
        return None
    *_, digest = layout.CHUNK_FIELDS.unpack_from(data, layout.FRAME.size)
    crc = _crc(source, offset + len(data), stored)
    head = ChunkHead(stored=stored, crc=crc, entry=number, chunk=chunk, digest=digest)
    return head if head.to_bytes()[-layout.CRC.size :] == data[-layout.CRC.size :] else None


class _Search:
    """Frames from a position on; behind damage, from the next position on at which there is one."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._effort = _EFFORT * source.size

    def frames(self, at: int) -> Iterator[Frame]:
        """Walk, search, walk, ..., up to the index or the end of the file."""
        while at < self._source.size:
            for seen in walk(self._source, at):
                yield seen
                at = seen.end
                if self._cut(seen):
                    at = seen.payload_offset
                    break
            if self._starts(at, layout.INDEX_MAGIC):
                return
            at = self._next(at)

    def _cut(self, seen: Frame) -> bool:
        """Whether bytes are missing from a payload: it is damaged, and nothing starts where it should end."""
        if (
            self._effort <= 0
            or self._starts(seen.end, layout.FRAME_MAGIC)
            or self._starts(seen.end, layout.INDEX_MAGIC)
        ):
            return False
        self._effort -= seen.head.stored
        return _crc(self._source, seen.payload_offset, seen.head.stored) != seen.head.crc

    def _starts(self, at: int, magic: bytes) -> bool:
        return self._source.read_at(at, len(magic)) == magic

    def _next(self, at: int) -> int:
        """Where the next frame of a known type starts; the end of the file if there is none."""
        longest = max(frame.HEAD_LENGTHS.values())
        while at < self._source.size:
            window = self._source.read_at(at, _WINDOW + longest)
            done = 0
            while (mark := _MARKS.search(window, done)) and mark.start() < _WINDOW:
                done = mark.start() + 1
                if mark.group() == layout.SIGNATURE:
                    # Frames of a container that is stored in this one are none of ours.
                    behind = self._behind(at + mark.start())
                    if behind >= at + len(window):
                        at, done = behind, 0
                        break
                    done = max(done, behind - at)
                elif self._is_frame(window[mark.start() : mark.start() + longest], at + mark.start()):
                    return at + mark.start()
            else:
                at += min(len(window), _WINDOW)
        return self._source.size

    def _is_frame(self, start: bytes, at: int) -> bool:
        if len(start) < layout.FRAME.size:
            return False
        _, kind, _, length, stored, _ = layout.FRAME.unpack_from(start)
        if length != frame.HEAD_LENGTHS.get(kind) or at + length + stored > self._source.size:
            return False
        try:
            frame.parse(start[:length])
        except FormatError:
            return False
        return True

    def _behind(self, at: int) -> int:
        """Where a container that starts at `at` ends, be it the end of the file; `at` if none starts there."""
        try:
            Preamble.from_bytes(self._source.read_at(at, layout.PREAMBLE.size), "it")
        except CodecsError:
            return at
        position = at
        while position < self._source.size:
            window = self._source.read_at(position, _WINDOW + len(layout.END))
            end = window.find(layout.END)
            if end >= 0:
                return position + end + len(layout.END)
            position += _WINDOW
        return self._source.size


# --- judging them --------------------------------------------------------------------------------


def _take(source: Source, seen: Frame, found: Survey, limits: Limits) -> None:
    """Note a frame as whole or as damaged. Of two for one chunk, the first whole one counts."""
    head, header = seen.head, found.header
    if isinstance(head, ChunkHead):
        key = head.entry, head.chunk
        if (
            head.entry < len(header.entries)
            and head.chunk < header.entries.chunks[head.entry]
            and key not in found.chunks
        ):
            reason = _fault(source, seen, limits.chunk_bytes)
            if reason is None:
                found.chunks[key] = seen
            else:
                found.damaged.setdefault(key, (seen.offset, reason))
    elif isinstance(head, ModelHead) and head.model < len(header.models) and head.model not in found.models:
        reason = _fault(source, seen, limits.model_bytes)
        if reason is None and head.sha256.hex() == header.models[head.model][0]:
            found.models[head.model] = seen
        else:
            found.damaged_models.setdefault(head.model, (seen.offset, reason or "it is another model"))


def _fault(source: Source, seen: Frame, limit: int) -> str | None:
    """What is wrong with a payload."""
    if seen.head.stored > limit:
        return f"it takes {seen.head.stored} bytes, over the limit of {limit}"
    crc = _crc(source, seen.payload_offset, seen.head.stored)
    if crc != seen.head.crc:
        return f"the CRC32C of its {seen.head.stored} stored bytes is {crc:08x}, expected {seen.head.crc:08x}"
    return _model_fault(source, seen, seen.head, limit) if isinstance(seen.head, ModelHead) else None


def _model_fault(source: Source, seen: Frame, head: ModelHead, limit: int) -> str | None:
    """What is wrong with a model whose stored bytes are whole."""
    sha256 = hashlib.sha256()
    if head.length is None:
        for piece in _pieces(source, seen.payload_offset, head.stored):
            sha256.update(piece)
    elif head.length > limit:
        return f"it takes {head.length} bytes, over the limit of {limit}"
    else:
        try:
            sha256.update(unpack(source.read_at(seen.payload_offset, head.stored), head.length))
        except FormatError as e:
            return str(e)
    return None if sha256.digest() == head.sha256 else "its SHA-256 is not the expected one"


def _packed_length(head: Head) -> int | None:
    return head.length if isinstance(head, ModelHead) else None


def _crc(source: Source, at: int, n: int) -> int:
    crc = 0
    for piece in _pieces(source, at, n):
        crc = google_crc32c.extend(crc, piece)
    return crc


def _pieces(source: Source, at: int, n: int) -> Iterator[bytes]:
    for start in range(at, at + n, _WINDOW):
        yield source.read_at(start, min(_WINDOW, at + n - start))


def _payload(source: Source, held: Frame) -> bytes:
    payload = source.read_at(held.payload_offset, held.head.stored)
    if crc32c(payload) != held.head.crc:
        raise CorruptDataError(f"{source} changed while it was being recovered; try again")
    return payload


def _runs(seen: list[tuple[int, Lost | None]], count: int) -> list[Lost]:
    """The gaps between the chunks that were seen, and those that were seen to be damaged."""
    runs: list[Lost] = []
    at = 0
    for chunk, lost in [*seen, (count, None)]:
        if at < chunk:
            runs.append(Lost(first=at, last=chunk - 1, offset=None, reason="no whole frame of it was found"))
        if lost is not None:
            runs.append(lost)
        at = chunk + 1
    return runs
