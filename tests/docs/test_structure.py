"""The documentation is complete: every page can be reached, every public name and every codec has its place."""

import dataclasses
import re
import tomllib
from importlib.util import find_spec
from pathlib import Path

import codecs_core as cc
from codecs_core.registry import default

DOCS = Path(__file__).parents[2] / "docs"
INDEX = (DOCS / "index.md").read_text("utf-8")


def test_the_index_leads_to_every_page():
    linked = {(DOCS / target).resolve() for target in re.findall(r"\]\(([^)#:]+)", INDEX)}
    pages = {page for page in DOCS.rglob("*.md") if DOCS / "design" not in page.parents}
    assert pages - linked == {DOCS / "index.md"}


def test_the_reference_has_every_public_name():
    text = (DOCS / "reference/api.md").read_text("utf-8")
    assert [name for name in cc.__all__ if f"cc.{name}" not in text] == []


def test_every_plugin_has_a_page():
    for plugin in (DOCS.parent / "plugins").iterdir():
        if (plugin / "pyproject.toml").exists():
            assert (DOCS / f"codecs/{plugin.name}.md").exists(), plugin.name


def test_every_verb_is_documented():
    from codecs_core.cli.app import app

    text = (DOCS / "cli.md").read_text("utf-8")
    assert [command.name for command in app.registered_commands if f"`codecs {command.name}" not in text] == []


def test_the_layers_are_those_of_the_contract():
    contracts = tomllib.loads((DOCS.parent / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if "codecs_core.cli" in contract.get("layers", ()))
    chain = " -> ".join(layers).replace("codecs_core.", "")
    assert f"    {chain}\n" in (DOCS / "design/modules.md").read_text("utf-8")


def test_plugins_are_laid_out_as_the_page_says():
    page = (DOCS / "design/modules.md").read_text("utf-8").partition("## Plugins")[2]
    rows = re.findall(r"^\| `(\w+)\.py` \| .* \| (yes|no) \|$", page, re.MULTILINE)
    assert len(rows) == 7
    learned = [spec for spec in default().codecs.values() if spec.info.trainable and spec.info.needs_model]
    assert len(learned) >= 6
    for spec in learned:
        package, _, module = spec.implementation.partition(":")[0].rpartition(".")
        assert module == "codec", spec.id
        assert spec.trainer == f"{package}.train:train"
        for name, torch in rows:
            where = package.partition(".")[0] if name == "testing" else package
            found = find_spec(where if name == "__init__" else f"{where}.{name}")
            if found is None and name in ("network", "model", "freeze"):  # it is that of the plugin's first codec
                found = find_spec(f"{where.partition('.')[0]}.{name}")
            if found is None and name == "network":  # it is one of codecs_core.learn
                continue
            assert found is not None, f"{spec.id} has no {where}.{name}"
            text = Path(found.origin).read_text("utf-8")
            assert torch == "yes" or not re.search(r"^\s*(import|from) torch", text, re.MULTILINE), found.name


def test_the_command_line_has_every_limit():
    text = (DOCS / "cli.md").read_text("utf-8")
    assert [field.name for field in dataclasses.fields(cc.Limits) if f"`{field.name}`" not in text] == []
