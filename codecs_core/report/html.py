"""How files and entries look in a notebook."""

from __future__ import annotations

import html
import math
from typing import TYPE_CHECKING, Any

from codecs_core.arrays import called
from codecs_core.container.grid import cuts

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Entries of a file that are shown one by one.
SHOWN = 20


def describe(info: dict[str, Any]) -> str:
    """A file, of the dict that `codecs_core.inspect` returns."""
    sizes, entries = info["bytes"], info["entries"]
    rate = "" if info["bits_per_value"] is None else f", {info['bits_per_value']:.3f} bits per value, all included"
    parts = ", ".join(f"{key} {sizes[key]:,}" for key in ("payload", "header", "index", "models"))
    rows = [_entry(entry) for entry in entries[:SHOWN]]
    if len(entries) > SHOWN:
        rows.append([f"and {len(entries) - SHOWN:,} more", *[""] * 7])
    caption = f"{info['path']}: {info['format']}, {sizes['total']:,} bytes ({parts}){rate}"
    heads = ("entry", "shape", "dtype", "codec", "model", "chunks", "bytes", "bits/value")
    return table(caption, heads, rows, right="lllllrrr")


def entry(described: dict[str, Any], path: str) -> str:
    """An entry, of what that dict has about it."""
    caption = f"entry {described['name']!r} of {path}" if described["name"] else f"the array of {path}"
    heads = ("shape", "dtype", "codec", "model", "chunks", "bytes", "bits/value")
    return table(caption, heads, [_entry(described)[1:]], right="llllrrr")


def table(caption: str, heads: Sequence[str], rows: Sequence[Sequence[object]], *, right: str = "") -> str:
    """A table; `right` has one character a column, ``r`` for those aligned at their end. All text is escaped."""

    def cells(tag: str, row: Sequence[object]) -> str:
        sides = ["right" if right[k : k + 1] == "r" else "left" for k in range(len(row))]
        made = (
            f'<{tag} style="text-align: {side}">{html.escape(str(cell))}</{tag}>'
            for side, cell in zip(sides, row, strict=True)
        )
        return f"<tr>{''.join(made)}</tr>"

    caption = f'<caption style="text-align: left">{html.escape(caption)}</caption>'
    return f"<table>{caption}{cells('th', heads)}{''.join(cells('td', row) for row in rows)}</table>"


def _entry(described: dict[str, Any]) -> list[str]:
    model = described["model"]
    chunk = ""
    if described["chunks"] > 1:
        shape = described["chunk_shape"] if cuts(described["shape"], described["chunk_shape"]) else [described["chunk"]]
        chunk = f" of {' × '.join(f'{n:,}' for n in shape)}"
    return [
        described["name"] or "(unnamed)",
        " × ".join(f"{n:,}" for n in described["shape"]) or "one value",
        f"{called(described['dtype'], described['attrs'].get('dtype'))}, {math.prod(described['shape']):,} values",
        described["codec"],
        "-" if model is None else str(model["name"] or model["sha256"][:12]),
        f"{described['chunks']:,}{chunk}",
        f"{described['bytes']:,}",
        "-" if described["bits_per_value"] is None else f"{described['bits_per_value']:.3f}",
    ]
