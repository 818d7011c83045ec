"""`save` an array or several: plan what is stored and how, and write it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from codecs_core.api.parallel import job_count
from codecs_core.api.saving.plan import Refusal, plan
from codecs_core.api.saving.request import AUTO
from codecs_core.api.saving.write import write
from codecs_core.limits import DEFAULT_LIMITS, Limits
from codecs_core.registry import default
from codecs_core.report.info import describe

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from codecs_core.api.chunks import ChunkChoice
    from codecs_core.api.codecs import CodecChoice, ModelChoice
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
        Whether to put models into the file, compressed; as a number, the models of up to that number of bytes. Where ``"auto"`` chooses,
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
    threads = job_count(jobs)
    planned = plan(
        data,
        codec=codec,
        model=model,
        chunk=chunk,
        config=config,
        attrs=attrs,
        strict=strict,
        jobs=threads,
        registry=registry or default(),
        limits=limits,
        embed_model=embed_model,
        progress=progress,
    )
    while isinstance(written := write(path, planned, jobs=threads, progress=progress, limits=limits), Refusal):
        # The sample did not show a value that the codec does not take: another one may.
        planned = planned.after(written)
    info = describe(written, path)
    reports = (choice.report() for choice in {id(item.choice): item.choice for item in planned.items}.values())
    info["tried"] = [report for report in reports if report is not None]
    info["aside"] = {name: f"{error}" for name, error in planned.assignment.refused.items()}
    return info
