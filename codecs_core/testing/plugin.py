"""The pytest plugin: loaded by pytest wherever codecs-core is installed, so it imports nothing until a fixture is used."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from codecs_core.registry import Registry
    from codecs_core.testing.site import Site


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--codecs-write-vectors``."""
    parser.getgroup("codecs").addoption(
        "--codecs-write-vectors",
        action="store_true",
        help="write the golden vectors that are missing; those there are stay as they are",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Tell the clauses what the command line says."""
    if config.getoption("codecs_write_vectors"):
        from codecs_core.testing import vectors

        vectors.writing = True


@pytest.fixture
def codecs_registry(monkeypatch: pytest.MonkeyPatch) -> Registry:
    """An empty registry that discovers nothing, and is the default one while the test runs."""
    from codecs_core.registry import Registry, registry

    empty = Registry([])
    monkeypatch.setattr(registry, "_DEFAULT", empty)
    return empty


@pytest.fixture
def codecs_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A folder on the path, here and in processes started here, to install plugins into on paper."""
    from codecs_core.registry import Registry, registry
    from codecs_core.testing.site import Site

    path = tmp_path / "site"
    path.mkdir()
    monkeypatch.delenv("CODECS_PLUGINS", raising=False)
    monkeypatch.syspath_prepend(str(path))
    monkeypatch.setenv("PYTHONPATH", str(path), prepend=os.pathsep)
    monkeypatch.setattr(registry, "_DEFAULT", Registry())
    before = set(sys.modules)
    yield Site(path)
    for name in set(sys.modules) - before:
        if str(path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]
