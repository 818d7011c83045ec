"""The result of a bench for people: a table on a terminal, aligned text in a pipe."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from codecs_core.cli.output import count, plural, put, say, shown, size, table

if TYPE_CHECKING:
    from codecs_core.report.result import Group, Result, Row

_HEADS = ("codec", "layout", "model", "bytes", "bits/value", "payload", "encode", "decode", "identical", "model size")
_RIGHT = "lllrrrrrlr"
_NOTE = (
    "bytes and bits/value are of the whole file; payload is bits/value without the container. "
    "Speeds in MB/s, warm. Models are not in the files; their size stands beside."
)


def show(result: Result) -> None:
    """Print every group."""
    for k, group in enumerate(result.groups):
        if k:
            put("")
        put(_title(group))
        _rich(group) if sys.stdout.isatty() else _plain(group)
        for one in group.left_out:
            say(f"{'failed' if one['kind'] == 'failed' else 'left out'}: {one['codec']}: {shown(one['why'])}")
    say(_NOTE)


def _title(group: Group) -> str:
    if group.shape is None:
        form = f"{plural(group.arrays, 'array')} of various shapes"
    else:
        many = f"{plural(group.arrays, 'array')} of " if group.arrays > 1 else ""
        form = many + (" x ".join(map(count, group.shape)) or "one value")
    return f"{shown(group.name)}: {form}, {group.dtype}, {count(group.nbytes)} bytes"


def _cells(row: Row) -> tuple[str, ...]:
    return (
        row.name,
        row.layout,
        row.model or "-",
        count(row.bytes),
        f"{row.bits_per_value:.3f}",
        f"{row.payload_bits_per_value:.3f}",
        _speed(row.encode_mb_s),
        _speed(row.decode_mb_s),
        "yes" if row.identical else "NO",
        size(row.model_bytes) if row.model_bytes else "-",
    )


def _speed(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 100 else f"{rate:.1f}" if rate >= 1 else f"{rate:.2g}"


def _plain(group: Group) -> None:
    for line in table(_HEADS, [_cells(row) for row in group.rows], right=_RIGHT):
        put(line)


def _rich(group: Group) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(header_style="bold")
    for head, side in zip(_HEADS, _RIGHT, strict=True):
        drawn.add_column(head, justify="right" if side == "r" else "left", no_wrap=True)
    for k, row in enumerate(group.rows):
        style = "bold red" if not row.identical else "bold green" if k == 0 else ""
        drawn.add_row(*(Text(shown(cell), style=style) for cell in _cells(row)))
    Console().print(drawn)
