"""`save` an array or several: plan what is stored and how, and write it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from codecs_core.api.parallel import job_count, ordered
from codecs_core.api.saving.chunk import Encoded, Refused, begin, encode, encode_chunk
from codecs_core.api.saving.plan import AUTO, plan
from codecs_core.container import Contents, Entry, atomic_write
from codecs_core.container.atomic import Abandon
from codecs_core.errors import UnsupportedArrayError
from codecs_core.limits import DEFAULT_LIMITS, Limits
from codecs_core.registry import default
from codecs_core.report.info import describe

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Mapping, Sequence

    from codecs_core.api.choosing.auto import Choice
    from codecs_core.api.chunks import ChunkChoice
    from codecs_core.api.codecs import CodecChoice, ModelChoice
    from codecs_core.api.saving.plan import Planned
    from codecs_core.codec import Progress
    from codecs_core.registry import Registry

#: What `save` returns: the dict of `inspect`, and under ``"tried"`` what ``codec="auto"`` tried.
FileInfo = dict[str, Any]


def save(
    path: str | os.PathLike[str],
    data: Any,
    *,
    codec: CodecChoice | Mapping[str, CodecChoice] = AUTO,
    model: ModelChoice | None = None,
    chunk: ChunkChoice | None = None,
    config: Mapping[str, Any] | None = None,
    embed_model: bool | int = False,
    attrs: Mapping[str, Any] | None = None,
    strict: bool = True,
    jobs: int | None = None,
    progress: Progress | None = None,
    registry: Registry | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> FileInfo:
    """Store arrays in a container file. Unless all goes well, whatever stood under `path` stays untouched.

    Parameters
    ----------
    path
        The file to write, or a URL that fsspec can write to.
    data
        An array, or a mapping of names to arrays, or a Dataset or DataArray of xarray. What is array-like (memory maps,
        datasets) is read chunk by chunk; a `codecs_core.api.Source` is read when its turn comes.
    codec
        A codec id, ``"auto"`` (the smallest on a sample of the data), a `Codec`, ``{"id": ..., setting: value}``, or a
        mapping of entry names to any of these.
    model
        For codecs that need one: a `Model`, a path, a registered name or a SHA-256. Without it, the best of the models
        that ship with the codec.
    chunk
        Items along the first axis in a chunk; or lengths of its first axes, ``(16, 256, 256)``; or lengths by the names of
        dimensions, ``{"y": 256}``. Axes without a length are not cut, and an array that has no such axes is cut as by default:
        along the first axis, as the codec finds good. An array over 16 MiB that comes in chunks cut along other axes too (of
        zarr, HDF5 or dask) is by default cut into blocks of these chunks, of 1 MiB or more.
    config
        Settings of the codec, if `codec` is an id.
    embed_model
        Whether to put models into the file, compressed; as a number, the models of up to so many bytes. Where ``"auto"`` chooses,
        such a model counts, once for all entries that need it.
    attrs
        Attributes of the entry, or for a mapping of arrays, entry names to attributes.
    strict
        Whether it is an error if the codec does not take one of several entries. Otherwise ``"auto"`` chooses another for it.
    jobs
        Number of threads; by default the CPUs at hand.
    progress
        Called with the fraction done and a message.
    registry
        Where codecs come from; by default the installed plugins.
    limits
        Those of the readers that are to read the file: what they would refuse is refused here, before any work.

    Returns
    -------
    dict
        As `inspect`, and ``"tried"``: a list of what was tried where there was something to choose; and ``"aside"``: why
        the codec that was asked for did not take an entry, by its name.

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
    LimitExceededError
        If an array, or a chunk of it, is more than readers with these limits take.
    """
    registry = registry or default()
    threads = job_count(jobs)
    aside: dict[str, Exception] = {}

    def work_out() -> list[Planned]:
        return plan(
            data,
            codec=codec,
            model=model,
            chunk=chunk,
            config=config,
            attrs=attrs,
            jobs=threads,
            registry=registry,
            limits=limits,
            embed_model=embed_model,
            progress=progress,
            aside=None if strict else aside,
        )

    planned = work_out()
    while isinstance(written := _write(path, planned, embed_model, threads, progress, registry, limits), _Refusal):
        # The sample did not show a value that the chosen codec cannot take: the next best one may.
        choice = written.item.choice
        if choice.drop(written.error):
            continue
        if strict or written.item.name in aside:
            raise written.error
        aside |= _refusals(planned, choice, threads, registry)
        planned = work_out()
    info = describe(written, path)
    reports = (choice.report() for choice in {id(item.choice): item.choice for item in planned}.values())
    info["tried"] = [report for report in reports if report is not None]
    info["aside"] = {name: f"{error}" for name, error in aside.items()}
    return info


class _Refusal(NamedTuple):
    """An array that its codec does not take."""

    item: Planned
    error: UnsupportedArrayError

    @classmethod
    def of(cls, item: Planned, error: UnsupportedArrayError) -> _Refusal:
        """The same with the name of the entry in the text, if it has one."""
        if item.name:
            error, cause = UnsupportedArrayError(f"entry {item.name!r}: {error}"), error
            error.__cause__ = cause
        return cls(item, error)


def _write(
    path: str | os.PathLike[str],
    planned: Sequence[Planned],
    embed_model: bool | int,
    jobs: int,
    progress: Progress | None,
    registry: Registry,
    limits: Limits,
) -> Contents | _Refusal:
    """Write the file; or nothing, where a codec refuses an array."""
    entries = []
    for item in planned:
        try:
            entries.append(item.entry(registry))
        except UnsupportedArrayError as error:
            return _Refusal.of(item, error)
    total = max(1, sum(entry.spec.nbytes for entry in entries))

    refusal: _Refusal | None = None

    def tasks() -> Iterator[tuple[Planned, Entry, int, Any]]:
        for item, entry in zip(planned, entries, strict=True):
            item.items.expect(entry.n_chunks)
            for index in range(entry.n_chunks):
                if refusal is not None:
                    return
                # Foreign array-likes are read here, by one thread; sources are read by the workers.
                part = None if item.items.shared else item.items.part(entry.chunk_slice(index))
                yield item, entry, index, part

    def work(task: tuple[Planned, Entry, int, Any]) -> tuple[Planned, Entry, int, Encoded | Refused | None]:
        item, entry, index, part = task
        if refusal is not None:  # nobody asks for this chunk any more
            return item, entry, index, None
        if part is None:
            part = item.items.part(entry.chunk_slice(index))
        return item, entry, index, encode_chunk(item.choice.codec, part, entry.chunk_spec(index), limits=limits)

    with atomic_write(path) as file:
        writer = begin(file, entries, [item.choice.codec for item in planned], embed_model, limits)
        done = 0
        for item, entry, index, chunk in ordered(work, tasks(), jobs=jobs):
            if isinstance(chunk, Refused):
                refusal = refusal or _Refusal.of(item, chunk.error)
            if refusal is not None or not isinstance(chunk, Encoded):
                continue  # what was begun comes to its end, so that nothing is read while the next codec is tried
            writer.write_chunk(entry.name, index, *chunk)
            done += entry.chunk_spec(index).nbytes
            if progress is not None:
                progress(min(1.0, done / total), entry.name or entry.codec)
        if refusal is not None:
            raise Abandon
        writer.close()
    return refusal or writer.contents()


def _refusals(planned: Sequence[Planned], choice: Choice, jobs: int, registry: Registry) -> dict[str, Exception]:
    """Why each of the entries of a codec is refused that is: all are found at once, since each means to begin again."""

    def attempt(item: Planned) -> Exception | None:
        try:
            entry = item.entry(registry)
            item.items.expect(entry.n_chunks)
            for index in range(entry.n_chunks):
                encode(item.choice.codec, item.items.part(entry.chunk_slice(index)), entry.chunk_spec(index))
        except UnsupportedArrayError as error:
            return error
        return None

    asked = [item for item in planned if item.choice is choice]
    found = zip(asked, ordered(attempt, asked, jobs=jobs), strict=True)
    return {item.name: error for item, error in found if error is not None}
