"""What `make portability` says of what was run, of what was wrong, and of what could not be run."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts/portability"


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The command as a module."""
    monkeypatch.syspath_prepend(str(SCRIPTS))
    found = importlib.util.spec_from_file_location("portability_command", SCRIPTS / "__main__.py")
    module = importlib.util.module_from_spec(found)
    monkeypatch.setitem(sys.modules, found.name, module)
    found.loader.exec_module(module)
    yield module
    for name in ("emulation", "page"):
        sys.modules.pop(name, None)


def check_verdicts(
    command: Any, tmp_path: Path, task: str, said: str, verdicts: list[str], status: int = 0, errors: str = ""
) -> None:
    output = tmp_path / "task.out"
    output.write_text(said)
    output.with_suffix(".errors").write_text(errors)
    assert [result["verdict"] for result in command.results(task, output, status)] == verdicts


def test_verdicts_of_files(command: Any, tmp_path: Path) -> None:
    right = {"codec": "a.b", "model": "", "decodes": True, "encodes": True}
    lines = [
        right,
        {**right, "encodes": False},
        {**right, "decodes": False, "error": "x"},
        {**right, "decodes": False, "missing": "x"},
    ]
    check_verdicts(
        command, tmp_path, "files", "\n".join(map(json.dumps, lines)), ["right", "wrong", "wrong", "missing"]
    )


def test_verdicts_of_cases_vectors_and_tests(command: Any, tmp_path: Path) -> None:
    cases = {"cases": {"a": {"encodes": True, "decodes": True}, "b": {"encodes": True, "decodes": False}}}
    check_verdicts(command, tmp_path, "cases", json.dumps(cases), ["right", "wrong"])
    check_verdicts(
        command, tmp_path, "mini", "a.ccf: ok\nb.ccf: missing\nc.ccf: corrupt: x\n", ["right", "missing", "wrong"], 1
    )
    vectors = [
        {"codec": "", "vector": "a", "result": result} for result in ("ok", "missing", "corrupt, or other values")
    ]
    check_verdicts(command, tmp_path, "vectors", "\n".join(map(json.dumps, vectors)), ["right", "missing", "wrong"])
    check_verdicts(command, tmp_path, "tests", "....\n4 passed in 1.0s\n", ["right"])
    check_verdicts(command, tmp_path, "tests", "....\n1 failed, 3 passed in 1.0s\n", ["wrong"], 1)


def test_a_process_that_dies_is_wrong(command: Any, tmp_path: Path) -> None:
    check_verdicts(command, tmp_path, "mini", "a.ccf: ok\n", ["right", "wrong"], -11)
    check_verdicts(command, tmp_path, "files", "", ["wrong"], 1, "ModuleNotFoundError: x")
    check_verdicts(command, tmp_path, "mini", "a.ccf: ok\n", ["right", "wrong"], 1)


def test_what_cannot_be_had_is_skipped_and_said(command: Any, capsys: pytest.CaptureFixture[str]) -> None:
    def none() -> Any:
        raise command.Unavailable("there is no emulator")

    rows = [
        command.Row(name="a", machine=none, tasks=("mini",)),
        command.Row(name="b", machine=lambda: "machine", tasks=("mini",)),
    ]
    assert command.machines(rows) == [(rows[1], "machine")]
    assert "a: skipped, there is no emulator" in capsys.readouterr().out
    rows[1].found["files"] = [{"name": "x.y", "verdict": verdict} for verdict in ("right", "right", "missing")]
    rows[1].found["mini"] = [{"name": "v", "verdict": "wrong"}]
    lines = command.page.table(rows).splitlines()
    assert "| `x.y` | skipped | 2 of 2 files, 1 skipped |" in lines
    assert "| vectors, by the mini reader | skipped | 0 of 1 |" in lines


def test_the_page_keeps_what_is_around_the_matrix(
    command: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{command.page.BEGIN}what was there\n{command.page.END}after\n")
    monkeypatch.setattr(command.page, "PAGE", page)
    command.page.write([])
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "what was there" not in text


def test_requirements_are_those_of_all_packages(command: Any) -> None:
    found = command.emulation.requirements()
    assert {"numpy", "numba", "zstandard"} <= {requirement.partition(">")[0] for requirement in found}
    assert not [requirement for requirement in found if requirement.startswith(("torch", "codecs"))]
    assert all(">=" in requirement for requirement in found if requirement != "pytest")
