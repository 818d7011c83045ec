"""Tables of figures in pages are those that were measured: nobody types them."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts/figures"


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The modules of the script, which are beside each other, as long as a test lasts."""
    monkeypatch.syspath_prepend(str(SCRIPTS))
    for name in ("arrays", "commands", "pages", "quotes", "shipped", "sizes", "tables"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return importlib.import_module("pages")


@pytest.mark.parametrize("name", sorted(path.stem for path in SCRIPTS.parents[1].glob("docs/assets/figures/*.json")))
def test_a_table_is_what_was_measured(name: str, pages: ModuleType) -> None:
    standing = pages.standing(name)
    assert standing
    assert set(standing.values()) == {pages.shown(name)}


def test_every_table_was_measured(pages: ModuleType) -> None:
    assert {path.stem for path in pages.ASSETS.glob("*.json")} == {*pages.TABLES}
