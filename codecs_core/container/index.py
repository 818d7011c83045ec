"""The index: one record for each frame, in the order of the file. It is a cache; the frames alone suffice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from codecs_core.container import layout
from codecs_core.container.frame import FLAGS, HEAD_LENGTHS, ChunkHead, ModelHead, check_kind, kind_of
from codecs_core.errors import FormatError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from codecs_core.container.header import Header

RECORD = np.dtype(layout.RECORD_FIELDS)


class IndexBuilder:
    """Collects the records of a file being written."""

    def __init__(self) -> None:
        self._records = bytearray()

    def add(self, head: ChunkHead | ModelHead) -> None:
        """Note the next frame."""
        kind, what = kind_of(head), (head.entry, head.chunk) if isinstance(head, ChunkHead) else (head.model, 0)
        self._records += layout.RECORD.pack(kind, FLAGS[kind], HEAD_LENGTHS[kind], *what, head.stored)

    def to_bytes(self) -> bytes:
        """The index as stored."""
        n = len(self._records) // layout.RECORD.size
        return layout.INDEX.pack(layout.INDEX_MAGIC, layout.RECORD.size, n) + bytes(self._records)


class Place(NamedTuple):
    """Where a frame starts, how long its head is, and how long its payload."""

    offset: int
    head: int
    stored: int


class Index:
    """The index of a file that is read, checked to describe every byte between header and index exactly once.

    Parameters
    ----------
    data
        Stored bytes of the index, after its CRC was checked.
    header
        Header of the same file.
    start, end
        Where the frames start and end.
    incomplete
        Whether chunks may be missing.

    Raises
    ------
    FormatError
        If the frames do not end where the index starts, or if a chunk is missing, named twice, or not in the header.
    """

    def __init__(self, data: bytes, header: Header, start: int, end: int, *, incomplete: bool = False) -> None:
        self.records = _records(data)
        _check_kinds(self.records)
        self._offsets = _offsets(self.records, start, end)
        counts = header.entries.chunks
        self._first = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])
        # Memory goes by what the index lists, never by what the header claims.
        self._slots, self._rows = _chunk_rows(self.records, counts, self._first, incomplete)
        self._models = _model_rows(self.records, header)

    def chunk(self, entry: int, chunk: int) -> Place | None:
        """Place of a chunk; None if it is missing."""
        slot = int(self._first[entry]) + chunk
        at = slot if len(self._slots) == self._first[-1] else int(np.searchsorted(self._slots, slot))
        if at == len(self._slots) or self._slots[at] != slot:
            return None
        return self._place(int(self._rows[at]))

    def chunks(self, entry: int) -> NDArray[np.int64]:
        """Numbers of the chunks of an entry that are there, in ascending order."""
        start, stop = np.searchsorted(self._slots, self._first[entry : entry + 2])
        return self._slots[start:stop] - int(self._first[entry])

    def totals(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Of each entry, how many chunks are there, and how many bytes are stored of them."""
        bounds = np.searchsorted(self._slots, self._first)
        ends = np.concatenate([np.zeros(1, np.int64), np.cumsum(self.records["stored"][self._rows], dtype=np.int64)])
        return np.diff(bounds), np.diff(ends[bounds])

    def model(self, model: int) -> Place | None:
        """Place of an embedded model; None if the file only names it."""
        row = self._models.get(model)
        return None if row is None else self._place(row)

    def _place(self, row: int) -> Place:
        record = self.records[row]
        return Place(int(self._offsets[row]), int(record["head"]), int(record["stored"]))

    def places(self) -> Iterator[tuple[int, int, int, Place]]:
        """Type, entry or model, chunk and place of every frame of a known type, in the order of the file."""
        for row, record in enumerate(self.records):
            if record["type"] in FLAGS:
                yield int(record["type"]), int(record["number"]), int(record["chunk"]), self._place(row)

    def stored(self, kind: int) -> int:
        """Payload bytes of all frames of a type."""
        return int(self.records["stored"][self.records["type"] == kind].sum(dtype=np.uint64))

    def largest(self, kind: int) -> int:
        """Payload bytes of the largest frame of a type."""
        return int(self.records["stored"][self.records["type"] == kind].max(initial=0))

    def frames(self, kind: int) -> int:
        """Bytes of all frames of a type, heads included."""
        of_kind = self.records["type"] == kind
        return self.stored(kind) + int(self.records["head"][of_kind].sum(dtype=np.uint64))


def _records(data: bytes) -> NDArray[Any]:
    size = layout.INDEX.size
    if len(data) < size or not data.startswith(layout.INDEX_MAGIC):
        raise FormatError("the index does not start with its magic")
    _, length, n = layout.INDEX.unpack_from(data)
    if length != RECORD.itemsize or size + n * length != len(data):
        raise FormatError(
            f"the index claims {n} records of {length} bytes, and {len(data) - size} bytes are there; "
            f"expected records of {RECORD.itemsize}"
        )
    return np.frombuffer(data, RECORD, offset=size)


def _check_kinds(records: NDArray[Any]) -> None:
    kind, flags, length = (records[key].astype(np.int64) for key in ("type", "flags", "head"))
    for joined in np.unique(kind << 24 | flags << 16 | length).tolist():
        check_kind(joined >> 24, joined >> 16 & 0xFF, joined & 0xFFFF)


def _offsets(records: NDArray[Any], start: int, end: int) -> NDArray[np.uint64]:
    """Where each frame starts: where the one before it ends. The last ends where the index starts."""
    if (records["stored"] > end).any():
        raise FormatError(f"the index has a frame, {int((records['stored'] > end).argmax())}, longer than the file")
    lengths = records["stored"] + records["head"]
    offsets = np.concatenate([np.array([start], np.uint64), start + np.cumsum(lengths, dtype=np.uint64)])
    # each is less than 2^63, so that a sum that wraps around is less than the one before
    if (offsets[1:] < offsets[:-1]).any() or offsets[-1] != end:
        raise FormatError(f"the index has frames that end at offset {offsets[-1]}, and it starts at {end}")
    return offsets[:-1]


def _chunk_rows(
    records: NDArray[Any], counts: NDArray[np.int64], first: NDArray[np.int64], incomplete: bool
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Number of every chunk that is listed, counted through all entries, in ascending order; and its row."""
    rows = np.flatnonzero(records["type"] == layout.CHUNK)
    total = int(first[-1])
    if len(rows) != total and not incomplete:
        raise FormatError(f"the index lists {len(rows)} chunks, and the entries have {total}")
    entry = records["number"][rows].astype(np.int64)
    chunk = records["chunk"][rows].astype(np.int64)
    if len(rows) and entry.max() >= len(counts):
        raise FormatError(f"the index lists a chunk of entry {entry.max()}, and there are {len(counts)} entries")
    if len(rows) and (chunk >= counts[entry]).any():
        raise FormatError("the index lists a chunk beyond the end of its entry")
    slot = first[entry] + chunk
    order = np.argsort(slot, kind="stable")
    slot = slot[order]
    if (slot[1:] == slot[:-1]).any():
        raise FormatError("the index lists a chunk twice")
    return slot, rows[order]


def _model_rows(records: NDArray[Any], header: Header) -> dict[int, int]:
    rows = np.flatnonzero((records["type"] == layout.MODEL) | (records["type"] == layout.PACKED))
    chunks = np.flatnonzero(records["type"] == layout.CHUNK)
    if len(rows) and len(chunks) and rows[-1] > chunks[0]:
        raise FormatError("the index lists a model after a chunk")
    result: dict[int, int] = {}
    for row in rows.tolist():
        model = int(records["number"][row])
        if model >= len(header.models) or model in result or records["chunk"][row] != 0:
            raise FormatError(f"the index lists model {model} twice, or it is not in the header")
        result[model] = row
    return result
