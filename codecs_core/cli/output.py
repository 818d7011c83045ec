"""What goes where: results on stdout, talk on stderr, and nothing from a file that could command a terminal."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import typer

from codecs_core.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Sequence


def shown(value: object) -> str:
    r"""Text with every character that does not print written as ``\x1b`` or the like."""
    text = str(value)
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def say(text: str) -> None:
    """Talk, on stderr."""
    typer.echo(text, err=True)


def put(text: str) -> None:
    """A result, on stdout."""
    try:
        typer.echo(text)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(f"the result cannot be printed: {error.strerror or error}") from error


def put_json(value: Any) -> None:
    """A result as JSON; bytes become a note of their length."""
    put(json.dumps(value, indent=2, ensure_ascii=True, default=_plain))


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return f"<{len(value)} bytes>"
    return str(value)


def count(n: int) -> str:
    """``12,345``."""
    return f"{n:,}"


def size(nbytes: float) -> str:
    """``1.4 MiB``."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if nbytes < 1024 or unit == "GiB":
            break
        nbytes /= 1024
    return f"{nbytes:.0f} B" if unit == "B" else f"{nbytes:.1f} {unit}"


def plural(n: int, noun: str, nouns: str = "") -> str:
    """``1 entry``, ``2 entries``."""
    return f"{n:,} {noun if n == 1 else nouns or noun + 's'}"


def table(heads: Sequence[str], rows: Sequence[Sequence[object]], *, right: str = "") -> list[str]:
    """Lines of aligned text; `right` has one character a column, ``r`` for those aligned at their end."""
    cells = [list(heads), *([shown(cell) for cell in row] for row in rows)]
    widths = [max(len(line[k]) for line in cells) for k in range(len(heads))]
    lines = []
    for line in cells:
        parts = [
            cell.rjust(width) if right[k : k + 1] == "r" else cell.ljust(width)
            for k, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        lines.append("  ".join(parts).rstrip())
    return lines


def ratio(before: int, after: int) -> str:
    """``3.21 to 1``."""
    return f"{before / after:.2f} to 1" if after else "-"
