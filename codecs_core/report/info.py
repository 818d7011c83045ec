"""What is in a file, as JSON; no codec is imported for it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from codecs_core.container import Contents, Entry


def describe(contents: Contents, path: str | os.PathLike[str]) -> dict[str, Any]:
    """The dict that ``codecs info --json`` prints.

    Parameters
    ----------
    contents
        Those of an open file, or of one that was just written.
    path
        What it is called.
    """
    values = 0
    entries = []
    for one, held, stored in contents.totals():
        values += one.spec.size
        entries.append(_entry(contents, one, held, stored))
    return {
        "format": f"ccf {contents.version}",
        "path": os.fspath(path),
        "entries": entries,
        "models": [
            {
                "name": model.name,
                "sha256": model.sha256,
                "embedded": model.embedded_bytes is not None,
                "bytes": model.embedded_bytes,
            }
            for model in contents.models.values()
        ],
        "bytes": {key: contents.sizes[key] for key in ("total", "payload", "header", "index", "models")},
        "values": values,
        "bits_per_value": 8 * contents.sizes["total"] / values if values else None,
        "attrs": jsonable(contents.attrs),
    }


def jsonable(attrs: Any) -> Any:
    """Attributes with bytes, which JSON has none of, told by their length."""
    if isinstance(attrs, bytes):
        return f"<{len(attrs)} bytes>"
    if isinstance(attrs, dict):
        return {key: jsonable(attrs[key]) for key in sorted(attrs)}
    if isinstance(attrs, list | tuple):
        return [jsonable(value) for value in attrs]
    return attrs


def entry(contents: Contents, entry: Entry) -> dict[str, Any]:
    """What `describe` says of an entry."""
    held = contents.chunks(entry.name)
    return _entry(contents, entry, len(held), sum(contents.stored(entry.name, i) for i in held))


def _entry(contents: Contents, entry: Entry, held: int, stored: int) -> dict[str, Any]:
    return {
        "name": entry.name,
        "shape": list(entry.spec.shape),
        "dtype": entry.spec.dtype,
        "codec": entry.codec,
        "codec_version": entry.codec_version,
        "config": jsonable(entry.config),
        "model": _model(contents, entry.model),
        "chunk": entry.chunk_shape[0] if entry.spec.shape else entry.chunk,
        "chunk_shape": [min(step, max(n, 1)) for step, n in zip(entry.chunk_shape, entry.spec.shape, strict=True)],
        "chunks": entry.n_chunks,
        "missing": entry.n_chunks - held,
        "bytes": stored,
        "bits_per_value": 8 * stored / entry.spec.size if entry.spec.size else None,
        "package": entry.package,
        "attrs": jsonable(entry.attrs),
    }


def _model(contents: Contents, sha256: str | None) -> Mapping[str, Any] | None:
    if sha256 is None:
        return None
    record = contents.models.get(sha256)
    return {
        "name": record.name if record is not None else "",
        "sha256": sha256,
        "embedded": record is not None and record.embedded_bytes is not None,
    }
