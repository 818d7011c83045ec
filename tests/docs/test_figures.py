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


#: A share, a size, a time, a ratio, a rate or a distortion in a sentence: a number, in digits or in words, and a unit.
MEASURED = re.compile(
    r"(?:\d|\b(?:two|three|four|five|six|seven|eight|nine|ten|dozen|twelve|twenty|thirty|forty|fifty|hundred|thousand)) "
    r"(?:%|per cent|bytes|[kKMG]i?B|(?:kilo|mega|giga)bytes|(?:CPU )?(?:[mµn]?s|(?:milli|micro|nano)?seconds|minutes|hours)|times"
    r"|bits (?:per (?:value|pixel)|a (?:sample|dimension))|dB)(?!\w)"
)
#: Sentences whose figures were not measured here: published ones, and targets.
TOLD = re.compile(r"[Pp]ublished|[Tt]he paper reports|[Tt]argets?\b|[Ww]anted|files were to be")
#: What is defined and not measured, and what it is.
DEFINED = {
    r"\d [KMG]iB": "limits and defaults; what was measured is told in bytes, kB and MB",
    "up to 4096 bytes": "files that are folded",
    "28 bytes of checks": "the format of chunks in zarr",
    "is two bytes": "bfloat16",
    "(?:at most|more than) 4 MB": "what a file may have beside its pixels",
    "at most 400 MB": "what `make dist` may install",
    "the smallest that does 20 MB/s": "what `codecs bench --recommend` takes for fast",
    "times as high|times this rate|times them|times the noise": "settings of trainings",
}


def _typed(text: str) -> list[str]:
    """Sentences with a figure that was measured."""
    sentences = re.split(r"(?<=[.;|]) ", re.sub("|".join(DEFINED), "", " ".join(text.split())))
    return [sentence for sentence in sentences if MEASURED.search(sentence) and not TOLD.search(sentence)]


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


@pytest.mark.parametrize(
    "sentence",
    [
        *("It is 2.1 % smaller.", "This takes 4 ms an image.", "Files have some 1,558 bytes.", "a model of 12 kB"),
        *("Both are a hundred times as fast.", "It takes ten seconds.", "It costs 3.02 bits per value."),
    ],
)
def test_a_typed_figure_is_found(sentence: str) -> None:
    assert _typed(sentence) == [sentence]


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
        assert not _typed(text), page
