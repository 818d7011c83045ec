"""Walking the frames of a file without its index: what can be said of a file that was cut short."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from codecs_core.container import frame, layout
from codecs_core.container.checksum import crc32c
from codecs_core.container.header import Header
from codecs_core.container.preamble import Preamble
from codecs_core.errors import CorruptDataError, FormatError, TruncatedFileError
from codecs_core.limits import DEFAULT_LIMITS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from codecs_core.container.frame import Head
    from codecs_core.container.source import Source
    from codecs_core.limits import Limits

#: Bytes read at a time when frames are walked.
_WINDOW = 1 << 14


@dataclass(frozen=True, kw_only=True)
class Frame:
    """A frame whose head is intact and whose payload lies in the file; the payload itself was not read.

    Parameters
    ----------
    head
        What the frame holds.
    offset, payload_offset, end
        Where the frame starts, where its payload starts, and where both end.
    """

    head: Head
    offset: int
    payload_offset: int
    end: int


@dataclass(frozen=True, kw_only=True)
class Scan:
    """What a walk over the frames of a file found.

    Parameters
    ----------
    header, preamble
        As stored.
    frames
        The frames up to the first that is damaged or cut short.
    end
        Where the walk ended: the index, if the file is whole.
    """

    header: Header
    preamble: Preamble
    frames: tuple[Frame, ...]
    end: int

    @property
    def chunks(self) -> int:
        """Number of different chunks found."""
        heads = (f.head for f in self.frames if isinstance(f.head, frame.ChunkHead))
        return len({(h.entry, h.chunk) for h in heads})


def scan(source: Source, *, limits: Limits = DEFAULT_LIMITS, known: tuple[Preamble, Header, int] | None = None) -> Scan:
    """Read the header, unless `known` is what `read_head` found, and walk the frames, front to back, ignoring index and trailer.

    Raises
    ------
    NotAContainerError, TruncatedFileError, CorruptDataError, UnsupportedFeatureError, LimitExceededError
        If not even the header can be read.
    """
    start = source.read_at(0, min(source.size, layout.PREAMBLE.size))
    preamble, header, end = known or read_head(source, start, limits)
    frames = []
    for found in walk(source, end):
        head = found.head
        if isinstance(head, frame.ChunkHead) and not _fits(head, header):
            break
        frames.append(found)
        end = found.end
    return Scan(header=header, preamble=preamble, frames=tuple(frames), end=end)


def read_head(source: Source, start: bytes, limits: Limits) -> tuple[Preamble, Header, int]:
    """Preamble, header, and where the header ends; `start` is what was already read of the file."""
    preamble = Preamble.from_bytes(start, str(source))
    limits.check("header_bytes", preamble.header_length, f"the header of {source}")
    end = layout.PREAMBLE.size + preamble.header_length
    if end > source.size:
        raise TruncatedFileError(
            f"{source} ends after {source.size} bytes, inside its header, which ends at {end}; "
            f"get the file again from where it came from"
        )
    # read again instead of joined: a header may be large
    at = layout.PREAMBLE.size
    packed = start[at:end] if len(start) >= end else source.read_at(at, end - at)
    found = crc32c(packed)
    if found != preamble.header_crc:
        raise CorruptDataError(
            f"{source} has a damaged header: its CRC32C is {found:08x}, expected {preamble.header_crc:08x}; "
            f"get the file again from where it came from"
        )
    try:
        return preamble, Header.from_bytes(packed, limits, grid=bool(preamble.incompat & layout.GRID)), end
    except FormatError as e:
        raise e.at(f"the header of {source}", path=source.path) from e


def walk(source: Source, start: int) -> Iterator[Frame]:
    """Frames from `start` on, until one is damaged, cut short or not there."""
    # Frames can be smaller than a read is worth, so heads come out of a window.
    window, at = b"", 0
    while True:
        if start + layout.FRAME.size > at + len(window):
            window, at = source.read_at(start, _WINDOW), start
        try:
            length = frame.declared_length(window[start - at :][: layout.FRAME.size])
            if start + length > at + len(window):
                window, at = source.read_at(start, max(_WINDOW, length)), start
            head = frame.parse(window[start - at :][:length])
        except FormatError:
            return
        end = start + length + head.stored
        if end > source.size:
            return
        yield Frame(head=head, offset=start, payload_offset=start + length, end=end)
        start = end


def _fits(head: frame.ChunkHead, header: Header) -> bool:
    return head.entry < len(header.entries) and head.chunk < header.entries.chunks[head.entry]
