"""Figures in sentences: they are quoted from what was measured for the tables, by patterns of the sentences.

The file ``docs/assets/figures/quotes.toml`` has a list of patterns for each page. A pattern is a piece of the page, where
``{TABLE | KEY | ... | KEY : FORMAT}`` stands in the place of a figure. With ``ONE / OTHER`` for what comes before the format it is
the ratio of two figures, with ``ONE < OTHER`` the part of the other by which the one is less. What kind of white space is between
words does not matter.
"""

from __future__ import annotations

import re
import tomllib
from functools import reduce
from pathlib import Path
from typing import Any

import pages

FILE = pages.ASSETS / "quotes.toml"
PLACE = re.compile(r"\{([^{}]+) : ([^{}]+)\}")
NUMBER = r"([-+]?\d[\d,]*(?:\.\d+)?(?: ?%)?)"


def patterns() -> dict[Path, list[str]]:
    """The patterns of each page."""
    found: dict[str, list[str]] = tomllib.loads(FILE.read_text("utf-8"))
    return {pages.ROOT / page: listed for page, listed in found.items()}


def value(where: str, form: str) -> str:
    """A figure as it is shown, in a format; per cent with a space before the sign."""
    one, *other = re.split(r" ([/<]) ", where)
    figure = measured(one)
    if other:
        ratio = figure / measured(other[1])
        figure = ratio if other[0] == "/" else 1 - ratio
    return format(figure, form).replace("%", " %")


def measured(where: str) -> Any:
    """A figure by its place, ``TABLE | KEY | ...``."""
    table, *keys = where.split(" | ")
    return reduce(lambda x, key: x[int(key)] if isinstance(x, list) else x[key], keys, pages.kept(table)["figures"])


def found(text: str, pattern: str) -> re.Match[str]:
    """The piece of a page that a pattern is of; its groups are the figures. Raises `LookupError` unless there is one alone."""
    parts = PLACE.split(pattern)
    pieces = [r"\s+".join(map(re.escape, re.split(r"\s+", part))) for part in parts[::3]]
    matches = list(re.finditer(NUMBER.join(pieces), text))
    if len(matches) != 1:
        raise LookupError(f"{len(matches)} places are of this pattern, and must be one: {pattern}")
    return matches[0]


def shown(pattern: str) -> list[str]:
    """The figures of a pattern, as they should stand."""
    return [value(where, form) for where, form in PLACE.findall(pattern)]


def filled(text: str, listed: list[str]) -> str:
    """The page with the figures of all its patterns put in."""
    for pattern in listed:
        match = found(text, pattern)
        for group, figure in reversed(list(enumerate(shown(pattern), 1))):
            text = text[: match.start(group)] + figure + text[match.end(group) :]
    return text


def write() -> None:
    """Put the figures into all pages."""
    for page, listed in patterns().items():
        page.write_text(filled(page.read_text("utf-8"), listed), "utf-8")
