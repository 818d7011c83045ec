"""What a container holds, by its header and its index; nothing else of the file is read for it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from codecs_core.container import layout
from codecs_core.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from codecs_core.container.entry import Entry
    from codecs_core.container.header import Header
    from codecs_core.container.index import Index, Place
    from codecs_core.container.preamble import Preamble


@dataclass(frozen=True, kw_only=True)
class ModelRecord:
    """A model that entries of a file need.

    Parameters
    ----------
    sha256
        SHA-256 of the model file in hexadecimal.
    name
        Human name; it identifies nothing.
    embedded_bytes
        Bytes that the model takes in this file, where it may be compressed; None if the file only names it.
    """

    sha256: str
    name: str
    embedded_bytes: int | None


class Contents:
    """What a container holds.

    Parameters
    ----------
    preamble, header, index
        Those of the file.
    start
        Where the frames start.
    size
        Bytes of the file.
    path
        What the file is called in messages.
    folded
        Whether the file is a folded one; `start` is where its header ends then, and `size` what it has itself.

    Attributes
    ----------
    entries
        Entries by name, in the order of the file.
    models
        Models the entries need, by SHA-256.
    attrs
        Attributes of the file as a whole.
    incomplete
        Whether chunks may be missing: the file was recovered from a damaged one.
    folded
        Whether the file is a folded one.
    version
        Format version the file was written to, for example ``"1.0"``.
    sizes
        Bytes of the file by use. ``total`` is the sum of ``header`` (preamble and header), ``models`` (frames with
        models), ``payload`` (stored chunks) and ``index`` (heads of the chunk frames, index, trailer: what it takes to
        find and check the chunks). A folded file has no frames: ``models`` are the stored models alone, and ``index`` is
        lengths, digests and CRC.
    """

    def __init__(
        self,
        preamble: Preamble,
        header: Header,
        index: Index,
        *,
        start: int,
        size: int,
        path: object,
        folded: bool = False,
    ) -> None:
        self._header, self._index, self._path = header, index, path
        self.incomplete = bool(preamble.incompat & layout.INCOMPLETE)
        self.folded = folded
        self.version = f"{preamble.major}.{layout.FOLDED_MINOR if folded else preamble.minor}"
        self.attrs = header.attrs
        self.entries: Mapping[str, Entry] = header.entries.by_name
        self.models: dict[str, ModelRecord] = {}
        self._embedded: dict[str, Place] = {}
        for i, (sha256, name) in enumerate(header.models):
            place = index.model(i)
            self.models[sha256] = ModelRecord(sha256=sha256, name=name, embedded_bytes=place and place.stored)
            if place is not None:
                self._embedded[sha256] = place
        embedded = index.stored if folded else index.frames
        self.sizes = {
            "total": size,
            "header": start,
            "models": embedded(layout.MODEL) + embedded(layout.PACKED),
            "payload": index.stored(layout.CHUNK),
        }
        self.sizes["index"] = size - sum(self.sizes[key] for key in ("header", "models", "payload"))

    def stored(self, entry: str, i: int) -> int:
        """Number of stored bytes of chunk `i` of an entry, 0 if it is missing."""
        place = self._place(entry, i)
        return 0 if place is None else place.stored

    def has(self, entry: str, i: int) -> bool:
        """Whether chunk `i` of an entry is in the file, be it whole or damaged."""
        return self._place(entry, i) is not None

    def chunks(self, entry: str) -> list[int]:
        """Numbers of the chunks of an entry that are in the file, in ascending order: all, unless it is incomplete."""
        return [int(i) for i in self._index.chunks(self._number(entry))]

    def totals(self) -> Iterator[tuple[Entry, int, int]]:
        """Each entry, how many of its chunks are in the file, and how many bytes are stored of them."""
        chunks, stored = self._index.totals()
        return zip(self._header.entries, chunks.tolist(), stored.tolist(), strict=True)

    def _number(self, entry: str) -> int:
        number = self._header.entries.find(entry)
        if number is None:
            raise ConfigError(f"{self._path} has no entry {entry!r}; it has {list(islice(self.entries, 20))}")
        return number

    def _place(self, entry: str, i: int) -> Place | None:
        number = self._number(entry)
        self._header.entries[number].chunk_slice(i)  # raises for a number out of range
        return self._index.chunk(number, i)
