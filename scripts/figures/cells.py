"""Tables as Markdown, and what stands in their cells."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

#: What stands in the row of a column, given what was measured for the column.
Row = Callable[[Any], str]


def by_column(found: dict[str, Any], rows: dict[str, Row]) -> str:
    """A table with a column for each key of what was measured."""
    return markdown(["", *found], [[name, *map(cell, found.values())] for name, cell in rows.items()])


def markdown(heads: list[str], rows: list[list[Any]], left: int = 1) -> str:
    """A table of Markdown, whose first columns are at the left."""
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * left}{'--:|' * (len(heads) - left)}"]
    return "\n".join(lines + [f"| {' | '.join(map(str, row))} |" for row in rows])


def ladders(codec: str, found: dict[str, list[dict[str, Any]]]) -> str:
    """Bits per pixel and dB of a codec's rungs, for each kind of data, and of lossy codecs at the nearest size."""
    ways = {codec: lambda rung: rung, "WebP": lambda r: r["WebP"], "JPEG XL": lambda r: r["JPEG XL"]}
    rows = []
    for data, rungs in found.items():
        for rung in rungs:
            cells = [f"{way(rung)['bits_per_pixel']:.3f}, {way(rung)['psnr']:.2f}" for way in ways.values()]
            rows.append([data, rung["levels"], *cells])
    return markdown(["", "levels", *(f"{name}, bits per pixel, dB" for name in ways)], rows, 1)


def pair(found: dict[str, Any], key: str, form: str) -> str:
    """The figure of encoding, and that of decoding, whose keys differ by these words."""
    return ", ".join(form.format(found[key.format(way)]) for way in ("encode", "decode"))


def spread(values: Iterable[float], form: str) -> str:
    """The least and the largest of some figures."""
    found = sorted(values)
    return f"{form.format(found[0])} to {form.format(found[-1])}"
