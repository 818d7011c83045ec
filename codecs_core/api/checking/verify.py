"""Is every byte of a file what was written, and does it decode to what was encoded?"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from codecs_core.api.parallel import ordered
from codecs_core.errors import CodecsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from codecs_core.api.opening.decoder import Decoder
    from codecs_core.codec import Progress
    from codecs_core.container import Entry

    Problem = dict[str, str] | None


def verify(decoder: Decoder, *, decode: bool, jobs: int, progress: Progress | None) -> dict[str, Any]:
    """The report that `File.verify` documents."""
    reader = decoder.reader
    entries = list(reader.entries.values())
    unable = {entry.name: _problem(decoder.codec, entry) if decode else None for entry in entries}
    whole = dict.fromkeys(reader.entries, 0)
    damaged: dict[str, list[dict[str, Any]]] = {name: [] for name in reader.entries}
    tasks = [(entry, i) for entry in entries for i in reader.chunks(entry.name)]
    held = Counter(entry.name for entry, _ in tasks)
    missing = {entry.name: entry.n_chunks - held[entry.name] for entry in entries}

    def check(task: tuple[Entry, int]) -> tuple[Entry, int, Problem]:
        entry, i = task
        if decode and unable[entry.name] is None:
            return entry, i, _problem(decoder.decode, entry, i)
        return entry, i, _problem(reader.payload, entry.name, i)

    for done, (entry, i, problem) in enumerate(ordered(check, tasks, jobs=jobs), start=1):
        if problem is None:
            whole[entry.name] += 1
        else:
            damaged[entry.name].append({"chunk": i, **problem})
        if progress is not None:
            progress(done / len(tasks), entry.name or entry.codec)
    models = [
        {
            "name": model.name,
            "sha256": model.sha256,
            "embedded": model.embedded_bytes is not None,
            "ok": (problem := _problem(reader.model, model.sha256)) is None,
            "error": problem,
        }
        for model in reader.models.values()
    ]
    return {
        "path": decoder.path,
        "ok": not any(missing.values())
        and not any(damaged.values())
        and not any(unable.values())
        and all(model["ok"] for model in models),
        "decoded": decode,
        "entries": [
            {
                "name": entry.name,
                "chunks": entry.n_chunks,
                "ok": whole[entry.name],
                "missing": missing[entry.name],
                "damaged": damaged[entry.name],
                "error": unable[entry.name],
            }
            for entry in entries
        ],
        "models": models,
    }


def _problem(action: Callable[..., Any], *arguments: Any) -> Problem:
    try:
        action(*arguments)
    except CodecsError as error:
        return {"code": error.code, "message": str(error)}
    return None
