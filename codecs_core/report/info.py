"""What is in a file, as JSON; no codec is imported for it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from codecs_core.container import Contents, Entry


#: Kinds of entries that are remembered while they are described.
_KINDS = 1 << 12


def describe(contents: Contents, path: str | os.PathLike[str]) -> dict[str, Any]:
    """The dict that ``codecs info --json`` prints.

    Parameters
    ----------
    contents
        Those of an open file, or of one that was just written.
    path
        What it is called.
    """
    found = summary(contents, path)
    entries = [_entry(one, common, held, stored) for one, common, held, stored in each(contents)]
    return {key: entries if key == "entries" else value for key, value in found.items()}


def summary(contents: Contents, path: str | os.PathLike[str]) -> dict[str, Any]:
    """The same without what it says of each entry: the list of them is empty, and the values are counted all the same."""
    values = sum(one.spec.size for one, _, _ in contents.totals())
    return {
        "format": f"ccf {contents.version}",
        "folded": contents.folded,
        "path": os.fspath(path),
        "entries": [],
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


def each(contents: Contents) -> Iterator[tuple[Entry, dict[str, Any], int, int]]:
    """Each entry, what it has in common with others, how many of its chunks are there, and how many bytes are stored of them.

    What entries have in common is what `describe` says of them, but for names, stored bytes and attributes. Of a million entries most are
    of a few kinds, and those of a kind are given the same dict.
    """
    kinds: dict[tuple[Any, ...], tuple[Entry, dict[str, Any]]] = {}
    for one, held, stored in contents.totals():
        # Objects are told apart by their addresses, and are kept with the kind, so that no other one gets the same.
        key = (id(one.spec), one.chunk, one.codec, one.codec_version, id(one.config), one.model, one.package)
        kind = kinds.get(key)
        if kind is None:
            kind = one, _common(contents, one)
            if len(kinds) < _KINDS:
                kinds[key] = kind
        yield one, kind[1], held, stored


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
    return _entry(entry, _common(contents, entry), len(held), sum(contents.stored(entry.name, i) for i in held))


def _common(contents: Contents, entry: Entry) -> dict[str, Any]:
    """What `each` says that entries have in common, and the keys of what they have not."""
    return {
        "name": "",
        "shape": list(entry.spec.shape),
        "dtype": entry.spec.dtype,
        "codec": entry.codec,
        "codec_version": entry.codec_version,
        "config": jsonable(entry.config),
        "model": _model(contents, entry.model),
        "chunk": entry.chunk_shape[0] if entry.spec.shape else entry.chunk,
        "chunk_shape": [min(step, max(n, 1)) for step, n in zip(entry.chunk_shape, entry.spec.shape, strict=True)],
        "chunks": entry.n_chunks,
        "missing": 0,
        "bytes": 0,
        "bits_per_value": None,
        "package": entry.package,
        "attrs": {},
    }


def _entry(entry: Entry, common: dict[str, Any], held: int, stored: int) -> dict[str, Any]:
    found = common.copy()
    found["name"] = entry.name
    found["missing"] = common["chunks"] - held
    found["bytes"] = stored
    found["bits_per_value"] = bits_per_value(entry, stored)
    found["attrs"] = jsonable(entry.attrs)
    return found


def bits_per_value(entry: Entry, stored: int) -> float | None:
    """Of the payloads of an entry; None if it has no values."""
    size = entry.spec.size
    return 8 * stored / size if size else None


def _model(contents: Contents, sha256: str | None) -> Mapping[str, Any] | None:
    if sha256 is None:
        return None
    record = contents.models.get(sha256)
    return {
        "name": record.name if record is not None else "",
        "sha256": sha256,
        "embedded": record is not None and record.embedded_bytes is not None,
    }
