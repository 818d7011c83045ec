"""Tables of figures in pages are those that were measured: nobody types them."""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts/figures"


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The modules of the script, which are beside each other, as long as a test lasts."""
    monkeypatch.syspath_prepend(str(SCRIPTS))
    for path in SCRIPTS.glob("*.py"):
        monkeypatch.delitem(sys.modules, path.stem, raising=False)
    return importlib.import_module("pages")


@pytest.mark.parametrize("name", sorted(path.stem for path in SCRIPTS.parents[1].glob("docs/assets/figures/*.json")))
def test_a_table_is_what_was_measured(name: str, pages: ModuleType) -> None:
    standing = pages.standing(name)
    assert standing
    assert set(standing.values()) == {pages.shown(name)}


def test_every_table_was_measured(pages: ModuleType) -> None:
    assert {path.stem for path in pages.ASSETS.glob("*.json")} == {*pages.TABLES}


#: A rate, a distortion or a speed in a sentence.
MEASURED = re.compile(r"\d\.\d+ (?:bits per (?:value|pixel)|dB|MB/s|megabytes a second)")
#: What was not measured here, or is a setting.
TOLD = re.compile(r"[Pp]ublished|[Tt]argets?\b|[Ww]anted|files were to be")


def test_sentences_quote_what_was_measured(pages: ModuleType) -> None:
    quotes = importlib.import_module("quotes")
    for page, patterns in quotes.patterns().items():
        text = page.read_text("utf-8")
        assert quotes.filled(text, patterns) == text, page


def test_a_quote_follows_what_was_measured(pages: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    quotes = importlib.import_module("quotes")
    monkeypatch.setattr(pages, "kept", lambda table: {"figures": {"rates": [1.23456, 0.5]}})
    assert quotes.value("some | rates | 0 / some | rates | 1", ".2f") == "2.47"
    assert quotes.value("some | rates | 1 < some | rates | 0", ".0%") == "59 %"
    pattern = "takes {some | rates | 0 : .3f} bits, {some | rates | 1 : .1%} of"
    assert (
        quotes.filled("It takes 9.999\nbits, 3 % of all, and 7 of", [pattern])
        == "It takes 1.235\nbits, 50.0 % of all, and 7 of"
    )
    with pytest.raises(LookupError, match="0 places are of this pattern"):
        quotes.filled("It took 9.999 bits", [pattern])


def test_no_figure_of_a_sentence_is_typed(pages: ModuleType) -> None:
    """Pages that tell what codecs do; those about design are records of trials."""
    quotes = importlib.import_module("quotes")
    patterns, root = quotes.patterns(), SCRIPTS.parents[1]
    every = (root / "README.md", *root.glob("docs/**/*.md"), *root.glob("plugins/*/README.md"))
    for page in (page for page in every if page.parent.name != "design"):
        text = page.read_text("utf-8")
        for pattern in patterns.get(page, []):
            text = text.replace(quotes.found(text, pattern)[0], "")
        text = re.sub(
            r"<!-- figures:.*?<!-- end of the figures -->|^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE
        )
        sentences = re.split(r"(?<=[.:;])\s", text)
        typed = [sentence for sentence in sentences if MEASURED.search(sentence) and not TOLD.search(sentence)]
        assert not typed, page
