"""What the page on public names says is so, and plugins keep to it."""

import ast
import re
from importlib import import_module
from pathlib import Path

import pytest

from codecs_core.scaffold import LEARNED, PLAIN, Names, write

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/reference/public.md").read_text("utf-8")
ROW = next(line for line in PAGE.splitlines() if line.startswith("| Python |"))
#: Those that the page says `dir()` shows the names of; adapters, which need other people's packages, come after "; and".
MODULES = re.findall(r"`(codecs_core[\w.]*)`", ROW.partition("; and")[0])
SOURCES = sorted(ROOT.glob("plugins/*/src/**/*.py"))


@pytest.mark.parametrize("name", MODULES)
def test_dir_shows_the_public_names_of_a_module_and_no_others(name):
    module = import_module(name)
    shown = dir(module)
    assert shown
    assert not [each for each in shown if each.startswith("_") and each != "__version__"]
    assert "annotations" not in shown
    for each in shown:
        assert getattr(module, each) is not None


def deeper(paths):
    """What modules import of codecs-core that is not public."""
    found = []
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("codecs_core"):
                public = dir(import_module(node.module)) if node.module in MODULES else []
                found += [f"{path.name}: {node.module}.{a.name}" for a in node.names if a.name not in public]
            elif isinstance(node, ast.Import):
                names = [a.name for a in node.names if a.name.startswith("codecs_core")]
                found += [f"{path.name}: {name}" for name in names if name not in MODULES]
    return found


def test_a_plugin_imports_public_names_alone():
    assert len(SOURCES) > 50
    assert deeper(SOURCES) == []


@pytest.mark.parametrize("kind", [PLAIN, LEARNED], ids=["plain", "learned"])
def test_so_does_what_codecs_new_writes(tmp_path, kind):
    write(Names.of("acme-new"), tmp_path / "new", kind)
    sources = list((tmp_path / "new").rglob("*.py"))
    assert len(sources) > 5
    assert deeper(sources) == []
