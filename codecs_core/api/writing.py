"""`save` an array or several, or `create` a file and append to it what does not fit into memory."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from codecs_core.api.items import exactly
from codecs_core.api.parallel import job_count, ordered
from codecs_core.api.plan import AUTO, build, plan, requests
from codecs_core.api.reading import inspect
from codecs_core.arrays import ArraySpec, normalise
from codecs_core.container import Entry, Writer, atomic_write, digest
from codecs_core.errors import CodecsError, ConfigError, OutputError, UnsupportedArrayError
from codecs_core.registry import default

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import TracebackType

    from numpy.typing import NDArray

    from codecs_core.api.plan import CodecChoice, ModelChoice, Planned
    from codecs_core.codec import Codec, Progress
    from codecs_core.models import Model
    from codecs_core.registry import Registry

#: What `save` returns: the dict of `inspect`, and under ``"tried"`` what ``codec="auto"`` tried.
FileInfo = dict[str, Any]


def save(
    path: str | os.PathLike[str],
    data: Any,
    *,
    codec: CodecChoice | Mapping[str, CodecChoice] = AUTO,
    model: ModelChoice | None = None,
    chunk: int | None = None,
    config: Mapping[str, Any] | None = None,
    embed_model: bool | int = False,
    attrs: Mapping[str, Any] | None = None,
    jobs: int | None = None,
    progress: Progress | None = None,
    registry: Registry | None = None,
) -> FileInfo:
    """Store arrays in a container file. Unless all goes well, whatever stood under `path` stays untouched.

    Parameters
    ----------
    path
        The file to write.
    data
        An array, or a mapping of names to arrays. What is array-like (memory maps, datasets) is read chunk by chunk; a
        `codecs_core.api.Source` is read when its turn comes.
    codec
        A codec id, ``"auto"`` (the smallest on a sample of the data), a `Codec`, ``{"id": ..., setting: value}``, or a
        mapping of entry names to any of these.
    model
        For codecs that need one: a `Model`, a path, a registered name or a SHA-256. Without it, the best of the models
        that ship with the codec.
    chunk
        Items along the first axis in a chunk; by default what the codec finds good.
    config
        Settings of the codec, if `codec` is an id.
    embed_model
        Whether to put models into the file; as a number, the models of up to so many bytes.
    attrs
        Attributes of the entry, or for a mapping of arrays, entry names to attributes.
    jobs
        Number of threads; by default the CPUs at hand.
    progress
        Called with the fraction done and a message.
    registry
        Where codecs come from; by default the installed plugins.

    Returns
    -------
    dict
        As `inspect`, and ``"tried"``: a list of what was tried where there was something to choose.

    Raises
    ------
    ConfigError
        For settings that a codec or this function does not know.
    UnsupportedArrayError
        If the codec does not take such an array or its values.
    UnknownCodecError, CodecConflictError, PluginLoadError, ModelError
        If the codec or the model cannot be had.
    InputError
        If a source cannot be read.
    OutputError
        If the file cannot be written.
    """
    registry = registry or default()
    threads = job_count(jobs)
    planned = plan(
        data, codec=codec, model=model, chunk=chunk, config=config, attrs=attrs, jobs=threads, registry=registry
    )
    while True:
        refused: list[tuple[Planned, Exception]] = []
        try:
            _write(path, planned, embed_model, threads, progress, registry, refused)
            break
        except UnsupportedArrayError as error:
            # The sample did not show a value that the chosen codec cannot take: the next best one may.
            if not refused or not refused[0][0].choice.drop(error):
                raise
    info = inspect(path)
    reports = (choice.report() for choice in {id(item.choice): item.choice for item in planned}.values())
    info["tried"] = [report for report in reports if report is not None]
    return info


def create(
    path: str | os.PathLike[str],
    entries: ArraySpec | Mapping[str, ArraySpec],
    *,
    codec: CodecChoice | Mapping[str, CodecChoice],
    model: ModelChoice | None = None,
    chunk: int | None = None,
    config: Mapping[str, Any] | None = None,
    embed_model: bool | int = False,
    attrs: Mapping[str, Any] | None = None,
    jobs: int | None = None,
    registry: Registry | None = None,
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
    asked = requests(codec, config, list(specs))
    if AUTO in {request.id for request in asked.values()}:
        raise ConfigError("codec='auto' needs data to try codecs on, and create() has none yet; name a codec")
    chosen: dict[str, Codec] = {}
    for name, request in asked.items():
        takes = request.codec is None and registry.spec(request.id).info.needs_model
        chosen[name] = request.codec or build(request.id, request.config, model if takes else None, registry)
    held = {name: _Shape(spec) for name, spec in specs.items()}
    one = None if attrs is None else (attrs if not isinstance(entries, ArraySpec) else {"": attrs})
    planned = plan(held, codec=chosen, model=None, chunk=chunk, config=None, attrs=one, jobs=1, registry=registry)
    return StreamWriter(path, planned, embed_model=embed_model, jobs=job_count(jobs), registry=registry)


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
    ) -> None:
        self._path = path
        self._entries = {item.name: item.entry(registry) for item in planned}
        self._codecs = {item.name: item.choice.codec for item in planned}
        self._embed_model = embed_model
        self._jobs = jobs
        self._rows: dict[str, list[NDArray[Any]]] = {name: [] for name in self._entries}
        self._next = dict.fromkeys(self._entries, 0)
        self._waiting: deque[tuple[str, int, Future[tuple[bytes, bytes]]]] = deque()
        self._stack = ExitStack()
        self._writer: Writer | None = None

    def __enter__(self) -> Self:
        if self._writer is not None:
            raise ConfigError("this writer was used already; call create() again")
        with ExitStack() as stack:
            file = stack.enter_context(atomic_write(self._path))
            self._pool = stack.enter_context(ThreadPoolExecutor(self._jobs, thread_name_prefix="codecs"))
            stack.callback(self._cancel)
            entries = list(self._entries.values())
            self._writer = _begin(file, entries, list(self._codecs.values()), self._embed_model)
            self._stack = stack.pop_all()
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
        if self._writer is None or entry is None:
            known = ", ".join(map(repr, self._entries))
            raise ConfigError(f"nothing can be appended to {name!r}; open the writer with `with`; entries: {known}")
        array = normalise(np.array(part))  # a copy: the caller may use its buffer again
        spec = ArraySpec.of(array)
        if (
            spec.dtype != entry.spec.dtype
            or spec.shape[1:] != entry.spec.shape[1:]
            or bool(spec.shape) != bool(entry.spec.shape)
        ):
            raise UnsupportedArrayError(
                f"a part of {spec.dtype} and shape {spec.shape} does not fit entry {name!r}, "
                f"which is {entry.spec.dtype} of shape {entry.spec.shape}"
            )
        rows = self._rows[name]
        rows.append(array)
        count = sum(map(_length, rows))
        done = self._next[name] * entry.chunk
        total = entry.spec.shape[0] if entry.spec.shape else 1
        if done + count > total:
            rows.pop()
            raise UnsupportedArrayError(
                f"entry {name!r} holds {total} items and would have {done + count} with these {_length(array)}"
            )
        if count < entry.chunk and done + count < total:
            return
        joined = rows[0] if len(rows) == 1 else np.concatenate(rows)
        start = 0
        while start < count and (count - start >= entry.chunk or done + count == total):
            size = min(entry.chunk, count - start)
            self._submit(entry, joined[start : start + size] if entry.spec.shape else joined)
            start += size
        self._rows[name] = [joined[start:].copy()] if start < count else []

    def __exit__(self, kind: type[BaseException] | None, e: BaseException | None, tb: TracebackType | None) -> None:
        if e is None:
            with self._stack:
                self._write(0)
                if self._writer is not None:
                    self._writer.close()
            return
        with suppress(Exception):  # it raises `e` again, perhaps as another error; the caller shall see theirs
            self._stack.__exit__(kind, e, tb)

    def _cancel(self) -> None:
        for _, _, future in self._waiting:
            future.cancel()
        self._waiting.clear()

    def _submit(self, entry: Entry, chunk: NDArray[Any]) -> None:
        index = self._next[entry.name]
        self._next[entry.name] = index + 1
        future = self._pool.submit(_encode, self._codecs[entry.name], chunk, entry.chunk_spec(index))
        self._waiting.append((entry.name, index, future))
        self._write(2 * self._jobs)

    def _write(self, leave: int) -> None:
        while self._writer is not None and len(self._waiting) > leave:
            name, index, future = self._waiting.popleft()
            payload, seal = future.result()
            try:
                self._writer.write_chunk(name, index, payload, seal)
            except OSError as error:
                raise OutputError(f"{os.fspath(self._path)} cannot be written: {error.strerror or error}") from error


class _Shape:
    """Stands for an array of which only the spec is known."""

    def __init__(self, spec: ArraySpec) -> None:
        self.spec = spec
        self.attrs: dict[str, Any] = {}

    def read(self) -> NDArray[Any]:
        """Never called: the codec is chosen, and the data comes by `append`."""
        raise ConfigError("the data of this entry has not come yet")


def _length(array: NDArray[Any]) -> int:
    return len(array) if array.ndim else 1


def _write(
    path: str | os.PathLike[str],
    planned: Sequence[Planned],
    embed_model: bool | int,
    jobs: int,
    progress: Progress | None,
    registry: Registry,
    refused: list[tuple[Planned, Exception]],
) -> None:
    entries = []
    for item in planned:
        with _Refusals(item, refused):
            entries.append(item.entry(registry))
    total = max(1, sum(entry.spec.nbytes for entry in entries))

    def tasks() -> Iterator[tuple[Planned, Entry, int, Any]]:
        for item, entry in zip(planned, entries, strict=True):
            item.items.expect(entry.n_chunks)
            for index in range(entry.n_chunks):
                # Foreign array-likes are read here, by one thread; sources are read by the workers.
                part = None if hasattr(item.items, "source") else item.items.part(entry.chunk_slice(index))
                yield item, entry, index, part

    def encode(task: tuple[Planned, Entry, int, Any]) -> tuple[Entry, int, bytes, bytes]:
        item, entry, index, part = task
        if part is None:
            part = item.items.part(entry.chunk_slice(index))
        with _Refusals(item, refused):
            return entry, index, *_encode(item.choice.codec, part, entry.chunk_spec(index))

    with atomic_write(path) as file:
        writer = _begin(file, entries, [item.choice.codec for item in planned], embed_model)
        done = 0
        for entry, index, payload, seal in ordered(encode, tasks(), jobs=jobs):
            writer.write_chunk(entry.name, index, payload, seal)
            done += entry.chunk_spec(index).nbytes
            if progress is not None:
                progress(min(1.0, done / total), entry.name or entry.codec)
        writer.close()


class _Refusals:
    """Notes which entry a codec refused, and says so in the text."""

    def __init__(self, item: Planned, refused: list[tuple[Planned, Exception]]) -> None:
        self.item = item
        self.refused = refused

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, e: BaseException | None, tb: TracebackType | None) -> None:
        if isinstance(e, UnsupportedArrayError):
            self.refused.append((self.item, e))
            if self.item.name:
                raise UnsupportedArrayError(f"entry {self.item.name!r}: {e}") from e


def _begin(file: Any, entries: list[Entry], codecs: Sequence[Codec], embed_model: bool | int) -> Writer:
    needed: dict[str, Model] = {codec.model.sha256: codec.model for codec in codecs if codec.model is not None}
    writer = Writer(file, entries, models={sha256: model.name for sha256, model in needed.items()}, attrs={})
    for sha256, model in needed.items():
        if embed_model is True or (embed_model is not False and len(model.data) <= embed_model):
            writer.write_model(sha256, model.data)
    return writer


def _encode(codec: Codec, part: Any, spec: ArraySpec) -> tuple[bytes, bytes]:
    array = exactly(part, spec)
    try:
        payload = codec.encode(array)
        # The digest is of what a reader gets, which for a lossy codec is not what went in.
        decoded = codec.decode(payload, spec) if codec.info.kind == "lossy" else array
    except CodecsError:
        raise
    except Exception as error:
        error.add_note(f"while codec {codec.id} encoded {spec.dtype} of shape {spec.shape}")
        raise
    return bytes(payload), digest(decoded)
