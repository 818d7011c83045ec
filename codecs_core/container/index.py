"""The index: one record for each frame, in the order of the file. It is a cache; the frames alone suffice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from codecs_core.container import layout
from codecs_core.container.frame import FLAGS, ChunkHead, ModelHead, check_kind, head_length
from codecs_core.errors import FormatError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from codecs_core.container.header import Header

RECORD = np.dtype(layout.RECORD_FIELDS)


class IndexBuilder:
    """Collects the records of a file being written."""

    def __init__(self) -> None:
        self._records = bytearray()

    def add(self, head: ChunkHead | ModelHead, offset: int) -> None:
        """Note a frame that starts at `offset`."""
        if isinstance(head, ChunkHead):
            kind, what = layout.CHUNK, (head.entry, head.chunk, head.crc)
            digest = head.digest
        else:
            kind, what = layout.MODEL, (head.model, 0, head.crc)
            digest = head.sha256[: layout.DIGEST]
        flags, length = FLAGS[kind], head_length(head)
        self._records += layout.RECORD.pack(kind, flags, length, *what, offset, head.stored, digest)

    def to_bytes(self) -> bytes:
        """The index as stored."""
        n = len(self._records) // layout.RECORD.size
        return layout.INDEX.pack(layout.INDEX_MAGIC, layout.RECORD.size, n) + bytes(self._records)


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

    Raises
    ------
    FormatError
        If frames overlap, leave holes or leave the file, or if a chunk is missing, named twice, or not in the header.
    """

    def __init__(self, data: bytes, header: Header, start: int, end: int) -> None:
        self._header = header
        self.records = _records(data)
        _check_kinds(self.records)
        _check_tiling(self.records, start, end)
        counts = [entry.n_chunks for entry in header.entries]
        self._first = [0]
        for n in counts:
            self._first.append(self._first[-1] + n)
        self._rows = _chunk_rows(self.records, counts, self._first)
        self._models = _model_rows(self.records, header)

    def chunk(self, entry: int, chunk: int) -> np.void:
        """Record of a chunk."""
        record: np.void = self.records[self._rows[self._first[entry] + chunk]]
        return record

    def model(self, model: int) -> np.void | None:
        """Record of an embedded model; None if the file only names it."""
        row = self._models.get(model)
        return None if row is None else self.records[row]

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


def expected_head(record: np.void, header: Header) -> ChunkHead | ModelHead:
    """The head that the frame of a chunk or a model must have, going by index and header."""
    stored, crc, number = int(record["stored"]), int(record["crc"]), int(record["number"])
    if record["type"] == layout.MODEL:
        return ModelHead(stored=stored, crc=crc, model=number, sha256=bytes.fromhex(header.models[number][0]))
    chunk = int(record["chunk"])
    decoded = header.entries[number].chunk_spec(chunk).nbytes
    digest = record["digest"].tobytes()
    return ChunkHead(stored=stored, crc=crc, entry=number, chunk=chunk, decoded=decoded, digest=digest)


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


def _check_tiling(records: NDArray[Any], start: int, end: int) -> None:
    offset, stored, head = (records[key] for key in ("offset", "stored", "head"))
    # Each alone is bounded first: then no sum below can wrap around.
    outside = (offset > end) | (stored > end)
    if outside.any():
        raise FormatError(f"the index places frame {int(outside.argmax())} outside the file")
    ends = offset + stored + head
    before = np.concatenate([np.array([start], np.uint64), ends])
    after = np.concatenate([offset, np.array([end], np.uint64)])
    wrong = before != after
    if wrong.any():
        i = int(wrong.argmax())
        what = "overlap" if before[i] > after[i] else "leave a hole"
        raise FormatError(
            f"the index has frames that {what}: frame {i} starts at offset {after[i]}, expected {before[i]}"
        )


def _chunk_rows(records: NDArray[Any], counts: Sequence[int], first: Sequence[int]) -> NDArray[np.int64]:
    """Row of every chunk of every entry, entries one after the other."""
    rows = np.flatnonzero(records["type"] == layout.CHUNK)
    total = first[-1]
    if len(rows) != total:
        raise FormatError(f"the index lists {len(rows)} chunks, and the entries have {total}")
    entry = records["number"][rows].astype(np.int64)
    chunk = records["chunk"][rows].astype(np.int64)
    if len(rows) and entry.max() >= len(counts):
        raise FormatError(f"the index lists a chunk of entry {entry.max()}, and there are {len(counts)} entries")
    if len(rows) and (chunk >= np.array(counts, np.int64)[entry]).any():
        raise FormatError("the index lists a chunk beyond the end of its entry")
    slot = np.array(first, np.int64)[entry] + chunk
    result = np.full(total, -1, np.int64)
    result[slot] = rows
    if (result < 0).any():
        raise FormatError("the index lists a chunk twice, and another not at all")
    return result


def _model_rows(records: NDArray[Any], header: Header) -> dict[int, int]:
    rows = np.flatnonzero(records["type"] == layout.MODEL)
    chunks = np.flatnonzero(records["type"] == layout.CHUNK)
    if len(rows) and len(chunks) and rows[-1] > chunks[0]:
        raise FormatError("the index lists a model after a chunk")
    result: dict[int, int] = {}
    for row in rows.tolist():
        model = int(records["number"][row])
        if model >= len(header.models) or model in result or records["chunk"][row] != 0:
            raise FormatError(f"the index lists model {model} twice, or it is not in the header")
        if records["digest"][row].tobytes() != bytes.fromhex(header.models[model][0])[: layout.DIGEST]:
            raise FormatError(f"the index has another SHA-256 for model {model} than the header")
        result[model] = row
    return result
