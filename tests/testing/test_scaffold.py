"""What `codecs new` writes is a plugin that works; and the pages that tell authors so are followed, word for word."""

import os
import re
import shlex
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from codecs_core.errors import ConfigError, OutputError
from codecs_core.models import Model
from codecs_core.scaffold import LEARNED, PLAIN, SHARED, Names, write

HOW_TO = Path(__file__).parents[2] / "docs/how-to"
PAGES = [HOW_TO / "write-a-plugin.md", HOW_TO / "from-a-torch-module.md"]
TYPED = [*PAGES, HOW_TO / "custom-distribution.md", HOW_TO / "kernels.md"]
COMMANDS = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PYTHON = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


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


@pytest.mark.parametrize("kind", [PLAIN, LEARNED], ids=["plain", "learned"])
@pytest.mark.parametrize("name", ["a-b", "acme-delta", "zebra-striped-neighbour-of-a-very-long-one"[:40]])
def test_style(tmp_path, name, kind):
    """Whatever the names, the files are as formatter and linter want them."""
    files = write(Names.of(name), tmp_path / name, kind)
    assert {path for path in (tmp_path / name).rglob("*") if path.is_file()} == {tmp_path / name / one for one in files}
    assert len(files) == len(SHARED) + len(kind.files) + bool(kind.model)
    for arguments in (["check"], ["format", "--check"]):
        run([sys.executable, "-m", "ruff", *arguments, "--no-cache", "."], tmp_path / name)


def test_the_model_that_ships_is_one_of_the_codec(tmp_path):
    write(Names.of("acme-long-series"), tmp_path / "series", LEARNED)
    package = tmp_path / "series/src/acme_long_series"
    model = Model.from_file(package / "models/walk.safetensors")
    assert model.codec == "acme.long-series"
    announced = (package / "__init__.py").read_text("utf-8")
    assert f'sha256="{model.sha256}"' in announced
    assert f"nbytes={len(model.data)}," in announced


@pytest.mark.slow
def test_types(tmp_path):
    """What `codecs new` writes, and what the pages for authors have them write, is clean under strict, and names no `Any`."""
    write(Names.of("acme-delta"), tmp_path / "acme-delta")
    write(Names.of("acme-series"), tmp_path / "acme-series", LEARNED)
    for page in TYPED:
        blocks = "\n".join(PYTHON.findall(page.read_text("utf-8")))
        (tmp_path / f"{page.stem.replace('-', '_')}.py").write_text(blocks, "utf-8")
    sources = [*tmp_path.glob("*/src/*/*.py"), *tmp_path.glob("*.py")]
    assert len(sources) == 3 + 6 + len(TYPED)
    assert not [path for path in sources if re.search(r"\bAny\b", path.read_text("utf-8"))]
    config = ["--config-file", "acme-series/pyproject.toml", "--cache-dir", str(tmp_path / "cache")]
    paths = os.pathsep.join(map(str, tmp_path.glob("*/src")))
    settings = {**os.environ, "MYPYPATH": paths}
    run([sys.executable, "-m", "mypy", *config, *map(str, sources)], tmp_path, settings)


@pytest.fixture(scope="module")
def shell(tmp_path_factory):
    """Runs commands in an environment that has what this one has, and takes nothing from an index."""
    place = tmp_path_factory.mktemp("author")
    run([sys.executable, "-m", "venv", "--without-pip", str(place / "venv")], place)
    [site] = (place / "venv").glob("lib/python*/site-packages")
    (site / "parent.pth").write_text(f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n")
    programs = {"pip": "pip._internal.cli.main:main", "pytest": "pytest:main", "codecs": "codecs_core.cli:main"}
    for name, called in programs.items():
        module, _, function = called.partition(":")
        program = place / "venv/bin" / name
        program.write_text(
            f"#!{place}/venv/bin/python\nimport sys\nfrom {module} import {function}\nsys.exit({function}())\n"
        )
        program.chmod(0o755)
    settings = {
        "PIP_NO_INDEX": "1",
        "PIP_NO_DEPS": "1",
        "PIP_NO_BUILD_ISOLATION": "0",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("CODECS_", "PYTEST_", "PIP_"))} | settings
    environment["PATH"] = os.pathsep.join([str(place / "venv/bin"), os.environ["PATH"]])

    def follow(page):
        """Run every command of a page in a folder of its own; the commands, and what they said."""
        folder = place / page.stem
        folder.mkdir()
        # a training of a second does the same
        text = page.read_text("utf-8").replace("--budget 5s", "--budget 1s")
        commands = [line for block in COMMANDS.findall(text) for line in block.splitlines()]
        return {line: run(shlex.split(line), folder, environment) for line in commands}, folder

    return follow


@pytest.mark.slow
def test_the_page_for_authors(shell):
    said, folder = shell(PAGES[0])
    assert {line.split()[0] for line in said} == {"pip", "codecs", "python", "pytest"}
    verdicts = said["codecs check acme.delta"]
    assert "FAIL" not in verdicts
    assert verdicts.count("  pass") > 15
    assert "no folder of golden vectors" in verdicts.splitlines()[-1]
    assert len(list((folder / "acme-delta/tests/vectors").glob("acme.delta-v1-*.json"))) > 2


@pytest.mark.slow
def test_the_page_for_authors_of_learned_codecs(shell):
    said, folder = shell(PAGES[1])
    assert any(line.startswith("codecs new --learned acme-series") for line in said)
    assert any(line.startswith("codecs train acme.series") for line in said)
    [verdicts] = [text for line, text in said.items() if line.startswith("codecs check")]
    assert "FAIL" not in verdicts
    assert "  pass" in verdicts
    assert (folder / "mine.safetensors").exists()


def run(command, folder, environment=None):
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout
