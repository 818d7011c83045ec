"""What `codecs new` writes is a plugin that works; and the page that tells authors so is followed, word for word."""

import os
import re
import shlex
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from codecs_core.errors import ConfigError, OutputError
from codecs_core.scaffold import FILES, Names, write

PAGE = Path(__file__).parents[2] / "docs/how-to/write-a-plugin.md"
COMMANDS = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_names():
    names = Names.of("acme-deep-delta2")
    assert vars(names) == {
        "distribution": "acme-deep-delta2",
        "package": "acme_deep_delta2",
        "id": "acme.deep-delta2",
        "entry": "deep-delta2",
        "cls": "DeepDelta2Codec",
    }


@pytest.mark.parametrize(
    "name", ["delta", "Acme-delta", "acme_delta", "acme-", "-x", "a-b/c", "../a-b", "1-a", "a--b", "", "a-" + 40 * "b"]
)
def test_names_that_are_none(name):
    with pytest.raises(ConfigError, match="expected VENDOR-NAME"):
        Names.of(name)


@pytest.mark.parametrize("name", ["codecs-core", "codecs-bbans", "google-crc32c"])
def test_names_that_are_taken(name):
    with pytest.raises(ConfigError, match="there is a module"):
        Names.of(name)


def test_nothing_is_overwritten(tmp_path):
    (tmp_path / "acme-delta").mkdir()
    with pytest.raises(ConfigError, match="exists"):
        write(Names.of("acme-delta"), tmp_path / "acme-delta")
    assert not any((tmp_path / "acme-delta").iterdir())
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        write(Names.of("acme-delta"), tmp_path / "file/acme-delta")


@pytest.mark.parametrize("name", ["a-b", "acme-delta", "zebra-striped-neighbour-of-a-very-long-one"[:40]])
def test_style_and_types(tmp_path, name):
    """Whatever the names, the files are as formatter, linter and type checker want them."""
    write(Names.of(name), tmp_path / name)
    assert len([path for path in (tmp_path / name).rglob("*") if path.is_file()]) == len(FILES)
    tools = [["ruff", "check", "--no-cache"], ["ruff", "format", "--check", "--no-cache"]]
    if name == "acme-delta":
        tools.append(["mypy", "--cache-dir", str(tmp_path / "cache")])
    for module, *arguments in tools:
        command = [sys.executable, "-m", module, *arguments, *(["."] if module == "ruff" else [])]
        environment = {**os.environ, "MYPYPATH": "src"}
        done = subprocess.run(command, cwd=tmp_path / name, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_the_page_for_authors(tmp_path):
    """Every command of it, in an environment that has what this one has and takes nothing from an index."""
    run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "venv")], tmp_path)
    [site] = (tmp_path / "venv").glob("lib/python*/site-packages")
    (site / "parent.pth").write_text(f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n")
    for name in ("pip", "pytest", "codecs"):
        called = {
            "codecs": "codecs_core.cli:main",
            "pytest": "pytest:main",
            "pip": "pip._internal.cli.main:main",
        }
        module, _, function = called[name].partition(":")
        program = tmp_path / "venv/bin" / name
        program.write_text(
            f"#!{tmp_path}/venv/bin/python\nimport sys\nfrom {module} import {function}\nsys.exit({function}())\n"
        )
        program.chmod(0o755)
    settings = {
        "PIP_NO_INDEX": "1",
        "PIP_NO_DEPS": "1",
        "PIP_NO_BUILD_ISOLATION": "0",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("CODECS_", "PYTEST_", "PIP_"))} | settings
    environment["PATH"] = os.pathsep.join([str(tmp_path / "venv/bin"), os.environ["PATH"]])
    commands = [line for block in COMMANDS.findall(PAGE.read_text("utf-8")) for line in block.splitlines()]
    assert {line.split()[0] for line in commands} == {"pip", "codecs", "python", "pytest"}
    said = [run(shlex.split(line), tmp_path, environment) for line in commands]
    [verdicts] = [text for line, text in zip(commands, said, strict=True) if line.startswith("codecs check")]
    assert "FAIL" not in verdicts
    assert verdicts.count("  pass") > 15
    assert "no folder of golden vectors" in verdicts.splitlines()[-1]
    assert len(list((tmp_path / "acme-delta/tests/vectors").glob("acme.delta-v1-*.json"))) > 2


def run(command, folder, environment=None):
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout
