"""`create` a file, and append to it what does not fit into memory, part by part."""

from __future__ import annotations

import os
from collections import deque
from contextlib import ExitStack, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from codecs_core.api.mapped import private
from codecs_core.api.parallel import Crew, Pending, job_count
from codecs_core.api.saving.chunk import Encoded, begin, encode
from codecs_core.api.saving.plan import announced
from codecs_core.arrays import ArraySpec, logical_name, normalise, stored
from codecs_core.container import Entry, Writer, atomic_write
from codecs_core.container.grid import n_chunks, place
from codecs_core.errors import ConfigError, OutputError, UnsupportedArrayError
from codecs_core.limits import DEFAULT_LIMITS, Limits
from codecs_core.registry import default

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from types import TracebackType

    from numpy.typing import NDArray

    from codecs_core.api.chunks import ChunkChoice
    from codecs_core.api.codecs import CodecChoice, ModelChoice
    from codecs_core.api.saving.plan import Planned
    from codecs_core.registry import Registry


def create(
    path: str | os.PathLike[str],
    entries: ArraySpec | Mapping[str, ArraySpec],
    *,
    codec: CodecChoice | Mapping[str, CodecChoice],
    model: ModelChoice | None = None,
    chunk: ChunkChoice | None = None,
    config: Mapping[str, Any] | None = None,
    embed_model: bool | int = False,
    attrs: Mapping[str, Any] | None = None,
    jobs: int | None = None,
    registry: Registry | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> StreamWriter:
    """Open a file for arrays that come in parts; use it in a ``with`` block.

    The file appears under `path` when the block ends without an exception and every entry is complete. The
    parameters are those of `save`, except:

    Parameters
    ----------
    entries
        The spec of an array, or names of entries to their specs.
    codec
        As for `save`, but not ``"auto"``: there is nothing to try it on yet.

    Raises
    ------
    CodecsError
        As `save`.
    """
    registry = registry or default()
    specs = {"": entries} if isinstance(entries, ArraySpec) else dict(entries)
    one = None if attrs is None else (attrs if not isinstance(entries, ArraySpec) else {"": attrs})
    planned = announced(
        specs, codec=codec, model=model, chunk=chunk, config=config, attrs=one, registry=registry, limits=limits
    )
    return StreamWriter(path, planned, embed_model=embed_model, jobs=job_count(jobs), registry=registry, limits=limits)


class StreamWriter:
    """Takes arrays part by part; made by `create`."""

    def __init__(
        self,
        path: str | os.PathLike[str],
        planned: Sequence[Planned],
        *,
        embed_model: bool | int,
        jobs: int,
        registry: Registry,
        limits: Limits,
    ) -> None:
        self._path = path
        self._limits = limits
        self._entries = {item.name: item.entry(registry) for item in planned}
        for item in planned:
            if (refusal := item.refusal(self._entries[item.name])) is not None:
                raise refusal
        self._codecs = {item.name: item.choice.codec for item in planned}
        self._embed_model = embed_model
        self._jobs = jobs
        self._rows: dict[str, list[NDArray[Any]]] = {name: [] for name in self._entries}
        self._held = dict.fromkeys(self._entries, 0)
        self._done = dict.fromkeys(self._entries, 0)
        self._next = dict.fromkeys(self._entries, 0)
        self._waiting: deque[tuple[str, int, Pending[Encoded]]] = deque()
        self._stack = ExitStack()
        self._writer: Writer | None = None
        self._open = False

    def __enter__(self) -> Self:
        if self._writer is not None:
            raise ConfigError("this writer was used already; call create() again")
        with ExitStack() as stack:
            file = stack.enter_context(atomic_write(self._path))
            self._crew = Crew(self._jobs)
            stack.push(self._dismiss)
            entries = list(self._entries.values())
            self._writer = begin(file, entries, list(self._codecs.values()), self._embed_model, self._limits)
            self._stack = stack.pop_all()
        self._open = True
        return self

    def append(self, name: str, part: NDArray[Any]) -> None:
        """Add items to the end of an entry; a 0-d entry takes its whole array at once.

        Raises
        ------
        ConfigError
            If there is no such entry, or the writer is not open.
        UnsupportedArrayError
            If the part has another dtype or other axes than the entry, or is more than it was announced to hold.
        """
        entry = self._entries.get(name)
        if not self._open or entry is None:
            known = ", ".join(map(repr, self._entries))
            raise ConfigError(f"nothing can be appended to {name!r}; open the writer with `with`; entries: {known}")
        given = private(part)  # a copy: the caller may use its buffer again
        array = normalise(stored(given))
        spec = ArraySpec.of(array)
        if (
            spec.dtype != entry.spec.dtype
            or logical_name(given.dtype) not in (None, entry.attrs.get("dtype"))
            or spec.shape[1:] != entry.spec.shape[1:]
            or bool(spec.shape) != bool(entry.spec.shape)
        ):
            raise UnsupportedArrayError(
                f"a part of {given.dtype} and shape {spec.shape} does not fit entry {name!r}, "
                f"which is {entry.spec.dtype} of shape {entry.spec.shape}"
            )
        more = len(array) if array.ndim else 1
        total = entry.spec.shape[0] if entry.spec.shape else 1
        count = self._held[name] + more
        done = self._done[name]
        if done + count > total:
            raise UnsupportedArrayError(
                f"entry {name!r} holds {total} items and would have {done + count} with these {more}"
            )
        self._rows[name].append(array)
        self._held[name] = count
        if count >= _items(entry) or done + count == total:
            self._flush(entry, whole=done + count == total)

    def __exit__(self, kind: type[BaseException] | None, e: BaseException | None, tb: TracebackType | None) -> None:
        self._open = False
        if e is None:
            with self._stack:
                self._write(0)
                if self._writer is not None:
                    self._writer.close()
            return
        with suppress(Exception):  # it raises `e` again, perhaps as another error; the caller shall see theirs
            self._stack.__exit__(kind, e, tb)

    def _flush(self, entry: Entry, *, whole: bool) -> None:
        """Encode the full chunks among the items at hand, and the last one if the entry is complete."""
        rows, count = self._rows[entry.name], self._held[entry.name]
        joined = rows[0] if len(rows) == 1 else np.concatenate(rows)
        start, most = 0, _items(entry)
        while start < count and (count - start >= most or whole):
            size = min(most, count - start)
            for chunk in _cut(entry, joined[start : start + size] if entry.spec.shape else joined):
                self._submit(entry, chunk)
            start += size
        self._rows[entry.name] = [joined[start:].copy()] if start < count else []
        self._held[entry.name] = count - start
        self._done[entry.name] += start

    def _dismiss(self, kind: type[BaseException] | None, *more: object) -> None:
        for _, _, pending in self._waiting:
            pending.cancel()
        self._waiting.clear()
        self._crew.dismiss(wait=kind is None or issubclass(kind, Exception))

    def _submit(self, entry: Entry, chunk: NDArray[Any]) -> None:
        index = self._next[entry.name]
        self._next[entry.name] = index + 1
        spec = entry.chunk_spec(index)
        pending = self._crew.submit(partial(encode, self._codecs[entry.name], chunk, spec, limits=self._limits))
        self._waiting.append((entry.name, index, pending))
        self._write(2 * self._jobs)

    def _write(self, leave: int) -> None:
        while self._writer is not None and len(self._waiting) > leave:
            name, index, pending = self._waiting.popleft()
            chunk = pending.result()
            try:
                self._writer.write_chunk(name, index, *chunk)
            except OSError as error:
                raise OutputError(f"{os.fspath(self._path)} cannot be written: {error.strerror or error}") from error


def _items(entry: Entry) -> int:
    """Items along the first axis that chunks hold."""
    return entry.chunk_shape[0] if entry.spec.shape else 1


def _cut(entry: Entry, band: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """The chunks within this number of items, in their order: one, unless other axes are cut too."""
    if not isinstance(entry.chunk, tuple):
        yield band
        return
    for i in range(n_chunks(band.shape, entry.chunk)):
        yield band[place(i, band.shape, entry.chunk)]
