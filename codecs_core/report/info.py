"""What is in a file, as JSON; no codec is imported for it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from codecs_core.container import Entry, Reader


def describe(reader: Reader, path: str | os.PathLike[str]) -> dict[str, Any]:
    """The dict that ``codecs info --json`` prints.

    Parameters
    ----------
    reader
        An open file.
    path
        What it is called.
    """
    values = sum(entry.spec.size for entry in reader.entries.values())
    return {
        "format": f"ccf {reader.version}",
        "path": os.fspath(path),
        "entries": [entry(reader, one) for one in reader.entries.values()],
        "models": [
            {
                "name": model.name,
                "sha256": model.sha256,
                "embedded": model.embedded_bytes is not None,
                "bytes": model.embedded_bytes,
            }
            for model in reader.models.values()
        ],
        "bytes": {key: reader.sizes[key] for key in ("total", "payload", "header", "index", "models")},
        "values": values,
        "bits_per_value": 8 * reader.sizes["total"] / values if values else None,
        "attrs": jsonable(reader.attrs),
    }


def jsonable(attrs: Any) -> Any:
    """Attributes with bytes, which JSON has none of, told by their length."""
    if isinstance(attrs, bytes):
        return f"<{len(attrs)} bytes>"
    if isinstance(attrs, dict):
        return {key: jsonable(value) for key, value in attrs.items()}
    if isinstance(attrs, list | tuple):
        return [jsonable(value) for value in attrs]
    return attrs


def entry(reader: Reader, entry: Entry) -> dict[str, Any]:
    """What `describe` says of an entry."""
    held = reader.chunks(entry.name)
    stored = sum(reader.stored(entry.name, i) for i in held)
    return {
        "name": entry.name,
        "shape": list(entry.spec.shape),
        "dtype": entry.spec.dtype,
        "codec": entry.codec,
        "codec_version": entry.codec_version,
        "config": entry.config,
        "model": _model(reader, entry.model),
        "chunk": entry.chunk,
        "chunks": entry.n_chunks,
        "missing": entry.n_chunks - len(held),
        "bytes": stored,
        "bits_per_value": 8 * stored / entry.spec.size if entry.spec.size else None,
        "package": entry.package,
        "attrs": jsonable(entry.attrs),
    }


def _model(reader: Reader, sha256: str | None) -> Mapping[str, Any] | None:
    if sha256 is None:
        return None
    record = reader.models.get(sha256)
    return {
        "name": record.name if record is not None else "",
        "sha256": sha256,
        "embedded": record is not None and record.embedded_bytes is not None,
    }
