"""Figures in pages: what was measured is kept beside the pages, and every table between two marks is made of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import commands
import sizes

ROOT = Path(__file__).parents[2]
ASSETS = ROOT / "docs/assets/figures"


class Table(NamedTuple):
    """Where a table stands, how its figures are measured, given the data and what remembers, and how they are shown."""

    page: str
    measure: Callable[[Path, sizes.Once], Any]
    show: Callable[[Any], str]


def _benchmarks(columns: dict[str, list[str]]) -> Callable[[Path, sizes.Once], Any]:
    def measure(data: Path, once: sizes.Once) -> Any:
        return {name: once(" ".join(command), commands.run, data, command) for name, command in columns.items()}

    return measure


TABLES = {
    "sizes": Table("README.md", sizes.by_kind, sizes.kinds_table),
    "samples": Table("README.md", lambda data, once: sizes.of_samples(once), sizes.samples_table),
    "digits": Table("docs/benchmarks.md", _benchmarks(commands.DIGITS), commands.digits_table),
    "photos": Table("docs/benchmarks.md", _benchmarks(commands.PHOTOS), commands.photos_table),
    "kinds": Table("docs/benchmarks.md", _benchmarks(commands.KINDS), commands.kinds_table),
    "stacks": Table("docs/benchmarks.md", _benchmarks(commands.STACKS), commands.stacks_table),
}


def kept(name: str) -> dict[str, Any]:
    """What was measured for a table, with commit, machine and date."""
    found: dict[str, Any] = json.loads((ASSETS / f"{name}.json").read_text("utf-8"))
    return found


def shown(name: str) -> str:
    """The table, and which state of the code it is of."""
    found = kept(name)
    of = f"Decoded again and compared; commit {found['commit']}, {found['date']}, {found['machine']}."
    return f"{TABLES[name].show(found['figures'])}\n\n{of}"


def standing(name: str) -> str:
    """What the page has there."""
    text, begin, end = _marked(name)
    return text[begin:end].strip()


def write(name: str) -> None:
    """Write the table into its page."""
    text, begin, end = _marked(name)
    (ROOT / TABLES[name].page).write_text(f"{text[:begin]}\n{shown(name)}\n{text[end:]}", "utf-8")


def _marked(name: str) -> tuple[str, int, int]:
    text = (ROOT / TABLES[name].page).read_text("utf-8")
    mark = f"<!-- figures: {name}, written by make figures -->"
    begin = text.index(mark) + len(mark)
    return text, begin, text.index("<!-- end of the figures -->", begin)
