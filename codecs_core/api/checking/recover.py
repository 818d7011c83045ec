"""`recover`: a file of what is whole in a damaged one, and a report of the rest."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from codecs_core.container import atomic_write, layout
from codecs_core.container.folding import unfolded
from codecs_core.container.recovery import rescue, survey
from codecs_core.container.source import open_source
from codecs_core.limits import DEFAULT_LIMITS, Limits

if TYPE_CHECKING:
    from codecs_core.container.recovery import Lost, Survey


def recover(
    path: str | os.PathLike[str], out: str | os.PathLike[str], *, limits: Limits = DEFAULT_LIMITS
) -> dict[str, Any]:
    """Write a file of everything that is whole in a damaged one; no codec and no model is needed.

    Chunks stay where they were. Where some are lost, the new file says that it is incomplete, and asking it for them is a
    `MissingChunkError`, unless `open` is told what to fill them with.

    Parameters
    ----------
    path
        A file that is cut short, or damaged anywhere but in its first part, the header.
    out
        Where to write what is whole.
    limits
        Caps on what the file may ask for.

    Returns
    -------
    dict
        ``{"path", "out", "ok", "ending", "chunks", "whole", "entries": [{"name", "chunks", "whole", "lost": [{"first", "last",
        "offset", "reason"}]}], "models": [{"name", "sha256", "state", "offset", "reason"}]}``. ``"ok"`` says whether nothing is
        lost, ``"ending"`` why index and trailer were of no use; the ``"state"`` of a model is ``"whole"``, ``"lost"`` or
        ``"absent"``: it was never in the file, or nothing is left of it. One that is not whole has to come from elsewhere.

    Raises
    ------
    InputError, OutputError
        If a file cannot be read or written.
    NotAContainerError, TruncatedFileError, CorruptDataError, UnsupportedFeatureError, LimitExceededError
        If the header is not whole, or not one chunk is.
    """
    source = open_source(path)
    try:
        source = unfolded(source, source.read_at(0, len(layout.FOLDED)), limits)
        found = survey(source, limits=limits)
        with atomic_write(out) as file:
            rescue(source, found, file, limits=limits)
    finally:
        source.close()
    return _report(found, os.fspath(path), os.fspath(out))


def _report(found: Survey, path: str, out: str) -> dict[str, Any]:
    lost = found.lost()
    entries = [
        {
            "name": entry.name,
            "chunks": entry.n_chunks,
            "whole": entry.n_chunks - sum(run.last - run.first + 1 for run in runs),
            "lost": [_run(run) for run in runs],
        }
        for entry, runs in zip(found.header.entries, lost, strict=True)
    ]
    models = [
        {"name": name, "sha256": sha256, **_model(found, number)}
        for number, (sha256, name) in enumerate(found.header.models)
    ]
    return {
        "path": path,
        "out": out,
        "ok": not any(lost) and all(model["state"] != "lost" for model in models),
        "ending": found.ending,
        "chunks": sum(entry["chunks"] for entry in entries),
        "whole": len(found.chunks),
        "entries": entries,
        "models": models,
    }


def _run(run: Lost) -> dict[str, Any]:
    return {"first": run.first, "last": run.last, "offset": run.offset, "reason": run.reason}


def _model(found: Survey, number: int) -> dict[str, Any]:
    if number in found.models:
        return {"state": "whole", "offset": found.models[number].offset, "reason": None}
    if number in found.damaged_models:
        offset, reason = found.damaged_models[number]
        return {"state": "lost", "offset": offset, "reason": reason}
    return {"state": "absent", "offset": None, "reason": None}
