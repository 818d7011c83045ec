"""`codecs info`: what is in a file, without decoding it.

JSON: ``{"format", "folded", "path", "entries": [{"name", "shape", "dtype", "codec", "codec_version", "config", "model": {"name",
"sha256", "embedded"} | null, "chunk", "chunk_shape", "chunks", "missing", "bytes", "bits_per_value", "package", "attrs"}], "models":
[{"name", "sha256", "embedded", "bytes"}], "bytes": {"total", "payload", "header", "index", "models"}, "values", "bits_per_value",
"attrs"}``; an entry's ``bytes`` are those of its payloads, the file's ``bits_per_value`` counts everything.
"""

from collections import Counter
from collections.abc import Iterator
from itertools import islice
from json import dumps
from typing import TYPE_CHECKING, Annotated, Any

import typer

from codecs_core.cli.arguments import Caps, Place, place

if TYPE_CHECKING:
    from codecs_core.container import Contents

#: Lines that are printed at a time.
_LINES = 1000


def info(
    file: Annotated[Place, typer.Argument(parser=place, metavar="FILE", show_default=False, help="A .ccf file.")],
    limit: Caps = [],  # noqa: B006
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Tell what is in a file: entries, codecs, models, and where the bytes go."""
    from codecs_core.cli.arguments import limits
    from codecs_core.cli.output import put, put_json
    from codecs_core.container import Reader
    from codecs_core.report.info import describe

    with Reader.open(file, limits=limits(limit)) as contents:
        if json:
            put_json(describe(contents, file))
            return
        lines = listed(contents, file)
        while some := list(islice(lines, _LINES)):
            put("\n".join(some))


def listed(contents: "Contents", path: Place) -> Iterator[str]:
    """The lines that are printed of a file: the whole of it, a table of its entries, what they lack, and the models."""
    from codecs_core.cli.output import count, plural, shown
    from codecs_core.report.info import summary

    described = summary(contents, path)
    sizes = described["bytes"]
    rate, folded = described["bits_per_value"], ", folded" if contents.folded else ""
    yield (
        f"{shown(described['path'])}: {shown(described['format'])}{folded}, {plural(len(contents.entries), 'array')}, "
        f"{count(described['values'])} values"
        + (f", {rate:.3f} bits per value, all included" if rate is not None else "")
    )
    parts = ", ".join(f"{key} {count(sizes[key])}" for key in ("payload", "header", "index", "models"))
    yield f"{count(sizes['total'])} bytes: {parts}"
    yield ""
    yield from _entries(contents)
    for model in described["models"]:
        where = f"embedded, {count(model['bytes'])} bytes" if model["embedded"] else "not embedded"
        yield f"model {shown(model['name']) or '(unnamed)'}: sha256 {shown(model['sha256'])}, {where}"


def _entries(contents: "Contents") -> Iterator[str]:
    """A table, with a line for each entry, and a line more for each that lacks chunks.

    A million entries are mostly of a few kinds: what those of a kind have in common is made text once.
    """
    from codecs_core.arrays import called
    from codecs_core.cli.output import count, plural, shown
    from codecs_core.cli.shapes import model_name
    from codecs_core.report.info import bits_per_value, each

    kinds: dict[tuple[int, object], int] = {}
    middles = [["shape", "dtype", "codec", "model", "chunks"]]
    names, numbers, stored, rates, lacking = ["entry"], [0], ["payload bytes"], ["bits/value"], []
    kept: list[dict[str, Any]] = []  # what kinds are told apart by, whose addresses stay their own
    for entry, common, held, nbytes in each(contents):
        logical = entry.attrs.get("dtype")
        number = kinds.setdefault((id(common), logical), len(middles))
        if number == len(middles):
            shape = " x ".join(map(str, common["shape"])) or "one value"
            texts = (shape, called(common["dtype"], logical), common["codec"], model_name(common) or "-")
            middles.append([*map(shown, texts), _chunks(common)])
            kept.append(common)
        rate = bits_per_value(entry, nbytes)
        names.append(shown(entry.name or "(unnamed)"))
        numbers.append(number)
        stored.append(count(nbytes))
        rates.append("-" if rate is None else f"{rate:.3f}")
        if held < common["chunks"]:
            lacks = f"{plural(common['chunks'] - held, 'chunk')} of {count(common['chunks'])}"
            lacking.append(f"{names[-1]} lacks {lacks}: the file was recovered from a damaged one")
    widths = [max(map(len, column)) for column in zip(*middles, strict=True)]
    rows = ["  ".join(map(str.ljust, texts[:-1], widths)) + "  " + texts[-1].rjust(widths[-1]) for texts in middles]
    a, b, c = (max(map(len, column)) for column in (names, stored, rates))
    for name, number, payload, bits in zip(names, numbers, stored, rates, strict=True):
        yield f"{name:<{a}}  {rows[number]}  {payload:>{b}}  {bits:>{c}}"
    arrays = Counter(numbers)
    yield from _settings((common, arrays[number]) for number, common in enumerate(kept, 1))
    yield from lacking


def _chunks(entry: dict[str, Any]) -> str:
    """How many chunks there are, and their shape where other axes than the first are cut."""
    from codecs_core.cli.output import count
    from codecs_core.container.grid import cuts

    shape = " x ".join(map(str, entry["chunk_shape"]))
    return count(entry["chunks"]) + (f" of {shape}" if cuts(entry["shape"], entry["chunk_shape"]) else "")


def _settings(kinds: Iterator[tuple[dict[str, Any], int]]) -> Iterator[str]:
    """A line for each codec with settings that are not its defaults, such as the bound of its error."""
    from codecs_core.cli.output import plural, shown

    found: Counter[tuple[str, str]] = Counter()
    for common, arrays in kinds:
        if common["config"]:
            told = ", ".join(f"{key}={dumps(value)}" for key, value in sorted(common["config"].items()))
            found[common["codec"], told] += arrays
    for (codec, told), arrays in found.items():
        yield f"{shown(codec)} with {shown(told)}: {plural(arrays, 'array')}"
