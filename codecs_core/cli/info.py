"""`codecs info`: what is in a file, without decoding it.

JSON: ``{"format", "path", "entries": [{"name", "shape", "dtype", "codec", "codec_version", "config", "model": {"name",
"sha256", "embedded"} | null, "chunk", "chunk_shape", "chunks", "missing", "bytes", "bits_per_value", "package", "attrs"}], "models":
[{"name", "sha256", "embedded", "bytes"}], "bytes": {"total", "payload", "header", "index", "models"}, "values", "bits_per_value",
"attrs"}``; an entry's ``bytes`` are those of its payloads, the file's ``bits_per_value`` counts everything.
"""

import json
from typing import Annotated, Any

import typer

from codecs_core.cli.arguments import Caps, Place, place


def info(
    file: Annotated[Place, typer.Argument(parser=place, metavar="FILE", show_default=False, help="A .ccf file.")],
    limit: Caps = [],  # noqa: B006
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Tell what is in a file: entries, codecs, models, and where the bytes go."""
    from codecs_core import api
    from codecs_core.cli.arguments import limits
    from codecs_core.cli.output import put, put_json

    described = api.inspect(file, limits=limits(limit))
    if json:
        put_json(described)
        return
    for line in _lines(described):
        put(line)


def _lines(described: dict[str, Any]) -> list[str]:
    from codecs_core.arrays import called
    from codecs_core.cli.output import count, plural, shown, table
    from codecs_core.cli.shapes import model_name

    sizes = described["bytes"]
    rate = described["bits_per_value"]
    lines = [
        f"{shown(described['path'])}: {shown(described['format'])}, {plural(len(described['entries']), 'array')}, "
        f"{count(described['values'])} values"
        + (f", {rate:.3f} bits per value, all included" if rate is not None else "")
    ]
    parts = ", ".join(f"{key} {count(sizes[key])}" for key in ("payload", "header", "index", "models"))
    lines += [f"{count(sizes['total'])} bytes: {parts}", ""]
    rows = [
        (
            entry["name"] or "(unnamed)",
            " x ".join(map(str, entry["shape"])) or "one value",
            called(entry["dtype"], entry["attrs"].get("dtype")),
            entry["codec"],
            model_name(entry) or "-",
            _chunks(entry),
            count(entry["bytes"]),
            "-" if entry["bits_per_value"] is None else f"{entry['bits_per_value']:.3f}",
        )
        for entry in described["entries"]
    ]
    heads = ("entry", "shape", "dtype", "codec", "model", "chunks", "payload bytes", "bits/value")
    lines += table(heads, rows, right="lllllrrr")
    lines += _settings(described["entries"])
    for entry in described["entries"]:
        if entry["missing"]:
            lacks = f"{plural(entry['missing'], 'chunk')} of {count(entry['chunks'])}"
            lines.append(
                f"{shown(entry['name']) or '(unnamed)'} lacks {lacks}: the file was recovered from a damaged one"
            )
    for model in described["models"]:
        where = f"embedded, {count(model['bytes'])} bytes" if model["embedded"] else "not embedded"
        lines.append(f"model {shown(model['name']) or '(unnamed)'}: sha256 {shown(model['sha256'])}, {where}")
    return lines


def _chunks(entry: dict[str, Any]) -> str:
    """How many chunks there are, and their shape where other axes than the first are cut."""
    from codecs_core.cli.output import count
    from codecs_core.container.grid import cuts

    shape = " x ".join(map(str, entry["chunk_shape"]))
    return count(entry["chunks"]) + (f" of {shape}" if cuts(entry["shape"], entry["chunk_shape"]) else "")


def _settings(entries: list[dict[str, Any]]) -> list[str]:
    """A line for each codec with settings that are not its defaults, such as the bound of its error."""
    from codecs_core.cli.output import plural, shown

    found: dict[tuple[str, str], int] = {}
    for entry in entries:
        if entry["config"]:
            told = ", ".join(f"{key}={json.dumps(value)}" for key, value in sorted(entry["config"].items()))
            found[entry["codec"], told] = found.get((entry["codec"], told), 0) + 1
    return [f"{shown(codec)} with {shown(told)}: {plural(count, 'array')}" for (codec, told), count in found.items()]
