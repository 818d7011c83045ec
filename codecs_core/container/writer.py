"""Writing a container front to back: preamble, header, models, chunks, index, trailer. Nothing is ever patched.

A small one is held back until it is complete, and folded then.
"""

from __future__ import annotations

import hashlib
from itertools import islice
from typing import TYPE_CHECKING, Any, BinaryIO

from codecs_core.container import folding, layout
from codecs_core.container.checksum import crc32c
from codecs_core.container.contents import Contents
from codecs_core.container.frame import ChunkHead, ModelHead
from codecs_core.container.header import Header
from codecs_core.container.index import Index, IndexBuilder
from codecs_core.container.preamble import Preamble
from codecs_core.container.trailer import Trailer
from codecs_core.errors import ConfigError
from codecs_core.limits import DEFAULT_LIMITS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from codecs_core.container.entry import Entry
    from codecs_core.limits import Limits


class Writer:
    """Streams one container to a binary file object, which need not be seekable and is not closed.

    Parameters
    ----------
    file
        Where to write; see `atomic_write`.
    entries
        The arrays of the file, in order. Their chunks may be written in any order.
    models
        SHA-256 (hexadecimal) to human name of every model the entries need, embedded or not.
    attrs
        Attributes of the file as a whole.
    incomplete
        Whether chunks may be left out: the file says so, and is refused by readers that do not know such files.
    limits
        Those of the readers that are to read the file.
    fold
        Whether a container of up to `folding.LARGEST` bytes is folded, where that makes it shorter: it is written as it is
        closed, and not before.

    Raises
    ------
    ConfigError
        If the entries, models or attributes cannot be stored; nothing has been written then.
    LimitExceededError
        If such readers could not open the file: before anything is written, but for models and payloads, whose size is seen
        when they come.
    """

    def __init__(
        self,
        file: BinaryIO,
        entries: Sequence[Entry],
        *,
        models: Mapping[str, str] | None = None,
        attrs: dict[str, Any] | None = None,
        incomplete: bool = False,
        limits: Limits = DEFAULT_LIMITS,
        fold: bool = False,
    ) -> None:
        self._file = file
        self._held: bytearray | None = bytearray() if fold else None
        self._folded: bytes | None = None
        self._limits = limits
        self._header = Header.of(entries, models or {}, attrs or {})
        packed = self._header.to_bytes()
        if len(packed) >= 1 << 32:
            raise ConfigError(f"the header takes {len(packed)} bytes; expected less than 4 GiB: store fewer attributes")
        self._incomplete = incomplete
        self._check_limits(len(packed))
        self._preamble = Preamble.of(self._header, incomplete=incomplete)
        preamble = self._preamble.to_bytes()
        self._start = len(preamble) + len(packed)
        self._entries = {entry.name: i for i, entry in enumerate(self._header.entries)}
        self._models = {sha256: i for i, (sha256, _) in enumerate(self._header.models)}
        self._done: list[set[int]] = [set() for _ in self._header.entries]
        self._embedded: set[str] = set()
        self._index = IndexBuilder()
        self._offset = 0
        self._chunks_begun = False
        self._end: int | None = None  # of the chunks, once the file is complete
        self._broken = False
        self._write(preamble)
        self._write(packed)

    def write_model(self, sha256: str, data: bytes, packed: bytes | None = None) -> None:
        """Embed a model, before the first chunk; compressed, where `packed` is what `packing.pack` made of it."""
        self._check_open()
        if sha256 not in self._models:
            raise ConfigError(f"model {sha256!r} is not among the models this file was announced to need")
        if self._chunks_begun:
            raise ConfigError(f"model {sha256} comes after a chunk; write the models first")
        if sha256 in self._embedded:
            raise ConfigError(f"model {sha256} is written twice")
        found = hashlib.sha256(data).hexdigest()
        if found != sha256:
            raise ConfigError(f"the bytes given for model {sha256} have the SHA-256 {found}")
        self._limits.check("model_bytes", len(data), f"model {sha256}")
        payload, length = (data, None) if packed is None else (packed, len(data))
        head = ModelHead(
            stored=len(payload),
            crc=crc32c(payload),
            model=self._models[sha256],
            sha256=bytes.fromhex(sha256),
            length=length,
        )
        self._embedded.add(sha256)
        self._frame(head, payload)

    def write_chunk(self, entry: str, index: int, payload: bytes, digest: bytes) -> None:
        """Write chunk `index` of an entry; `digest` is the xxh3-128 of the array it decodes to."""
        self._check_open()
        number = self._entries.get(entry)
        if number is None:
            raise ConfigError(f"there is no entry {entry!r} in this file; it has {list(islice(self._entries, 20))}")
        spec = self._header.entries[number].chunk_spec(index)  # raises for a number out of range
        if index in self._done[number]:
            raise ConfigError(f"chunk {index} of entry {entry!r} is written twice")
        if type(payload) is not bytes or type(digest) is not bytes or len(digest) != layout.DIGEST:
            raise ConfigError(f"chunk {index} of entry {entry!r} needs bytes, and a digest of {layout.DIGEST} bytes")
        where = f"chunk {index} of entry {entry!r}"
        self._limits.check("chunk_bytes", len(payload), where)
        self._limits.check_claim(spec.size, len(payload), where)
        head = ChunkHead(stored=len(payload), crc=crc32c(payload), entry=number, chunk=index, digest=digest)
        self._chunks_begun = True
        self._done[number].add(index)
        self._frame(head, payload)

    def contents(self) -> Contents:
        """What the file holds, once it is complete; nothing is read for it."""
        if self._end is None:
            raise ConfigError("this file is not complete yet; close the writer first")
        index = Index(self._index.to_bytes(), self._header, self._start, self._end, incomplete=self._incomplete)
        start, size = self._start, self._offset
        if self._folded is not None:
            start, size = folding.header_end(self._folded), len(self._folded)
        folded = self._folded is not None
        return Contents(self._preamble, self._header, index, start=start, size=size, path="this file", folded=folded)

    def close(self) -> None:
        """Write index and trailer; raises `ConfigError` if chunks are missing. The file object stays open."""
        if self._end is not None:
            return
        self._check_open()
        for entry, done in zip(self._header.entries, self._done, strict=True):
            missing = entry.n_chunks - len(done)
            if missing and not self._incomplete:
                first = next(i for i in range(entry.n_chunks) if i not in done)
                raise ConfigError(
                    f"entry {entry.name!r} lacks {missing} of {entry.n_chunks} chunks, the first is {first}"
                )
        index, end = self._index.to_bytes(), self._offset
        self._write(index)
        self._write(Trailer.of(index, end, self._preamble.to_bytes()).to_bytes())
        if self._held is not None:
            whole, self._held = bytes(self._held), None
            self._folded = folding.fold(whole, limits=self._limits)
            self._put(whole if self._folded is None else self._folded)
        self._end = end

    def _check_limits(self, header: int) -> None:
        """Refuse what no reader with these limits would open."""
        self._limits.check("header_bytes", header, "the header of the file to be written")
        self._limits.check("entries", len(self._header.entries), "the file to be written")
        for entry in self._header.entries:
            entry.check_limits(self._limits)
        if not self._incomplete:
            frames = sum(entry.n_chunks for entry in self._header.entries)
            index = layout.INDEX.size + frames * layout.RECORD.size
            self._limits.check("index_bytes", index, "the index of the file to be written")

    def _check_open(self) -> None:
        if self._end is not None:
            raise ConfigError("this file is complete; open another one to write more")
        if self._broken:
            raise ConfigError("an earlier write to this file failed, and it cannot be continued; start it again")

    def _frame(self, head: ChunkHead | ModelHead, payload: bytes) -> None:
        self._index.add(head)
        self._write(head.to_bytes())
        self._write(payload)

    def _write(self, data: bytes) -> None:
        self._offset += len(data)
        if self._held is not None:
            if self._offset <= folding.LARGEST:
                self._held += data
                return
            held, self._held = bytes(self._held), None
            self._put(held)
        self._put(data)

    def _put(self, data: bytes) -> None:
        self._broken = True  # unless all of it is taken: after a full disk, `close` may not sign a file with a hole
        view = memoryview(data)
        while view:
            # A raw file may take less than it is given; some file-like objects return nothing.
            n = self._file.write(view)
            view = view[len(view) if n is None else n :]
        self._broken = False
