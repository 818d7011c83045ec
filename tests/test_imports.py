"""What stays out of memory until it is needed, and that the layers hold. Each case is a process of its own."""

import os
import subprocess
import sys

import numpy as np
import pytest

import codecs_core
import codecs_core as cc
from codecs_core.registry import default

HEAVY = ("torch", "numba", "PIL", "rich", "imagecodecs")
IMPLEMENTATIONS = {spec.implementation.partition(":")[0] for spec in default().codecs.values()}


def loaded_by(code, *arguments):
    """Names of the modules in memory after `code` ran in a fresh process."""
    script = f"import sys\n{code}\nprint('MODULES', *sys.modules)"
    environment = {**os.environ, "NO_COLOR": "1", "TERM": "dumb"}
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith("MODULES")]
    return set(lines[-1].split()[1:])


def heavy(modules, names=HEAVY):
    return {module for module in modules if module.split(".", 1)[0] in names}


def command(*arguments):
    """Code that runs the command line in the process."""
    return (
        f"sys.argv = ['codecs', *{list(arguments)!r}, *sys.argv[1:]]\n"
        "import codecs_core.cli\n"
        "try:\n    codecs_core.cli.main()\n"
        "except SystemExit as end:\n    assert not end.code, end.code"
    )


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("imports") / "x.ccf"
    cc.save(path, np.zeros((4, 5), "u1"), codec="classic.zlib")
    return str(path)


def test_the_check_sees_what_is_loaded():
    assert heavy(loaded_by("import rich")) >= {"rich"}


def test_importing_the_package_loads_nothing():
    modules = loaded_by("import codecs_core")
    assert {m for m in modules if m.startswith("codecs_core")} == {"codecs_core"}
    assert not heavy(modules, (*HEAVY, "numpy", "pluggy"))


@pytest.mark.parametrize(
    "code",
    [
        "from codecs_core import *",
        "import codecs_core.registry",
        "import codecs_core.models",
        "import codecs_core.api",
        "import codecs_core.cli",
        "from codecs_core.registry import default; assert default().codecs; default().models; default().plugins",
        "import codecs_core as cc; assert cc.list_codecs()",
        "from codecs_core.models import available; from codecs_core.registry import default; available(default())",
    ],
)
def test_looking_around_loads_nothing_heavy(code):
    modules = loaded_by(code)
    assert not heavy(modules)
    assert not modules & IMPLEMENTATIONS


def test_inspecting_a_file_loads_no_codec(file):
    modules = loaded_by("import codecs_core as cc; cc.inspect(sys.argv[1])", file)
    assert not heavy(modules)
    assert not {m for m in modules if m.startswith("codecs_classic")}


def test_opening_a_file_loads_no_implementation(file):
    modules = loaded_by("import codecs_core as cc; f = cc.open(sys.argv[1]); f.info(); f.verify(); f.close()", file)
    assert not heavy(modules)
    assert not modules & IMPLEMENTATIONS


def test_decoding_loads_the_codec_of_the_file_only(file):
    modules = loaded_by("import codecs_core as cc; cc.load(sys.argv[1])", file)
    assert not heavy(modules)
    assert modules & IMPLEMENTATIONS == {default().spec("classic.zlib").implementation.partition(":")[0]}


def test_help_loads_neither_codecs_nor_arrays():
    # Typer draws the help with rich; everything else stays out.
    modules = loaded_by(command("--help"))
    assert not heavy(modules, ("torch", "numba", "PIL", "imagecodecs"))
    assert not modules & IMPLEMENTATIONS


@pytest.mark.parametrize("arguments", [(), ("--json",)])
def test_info_loads_no_codec(file, arguments):
    modules = loaded_by(command("info", *arguments), file)
    assert not heavy(modules, ("torch", "numba", "PIL", "imagecodecs"))
    assert not modules & IMPLEMENTATIONS


def test_every_public_name_is_there():
    assert codecs_core.__all__ == sorted(codecs_core.__all__)
    for name in codecs_core.__all__:
        assert getattr(codecs_core, name) is not None
    assert set(codecs_core.__all__) <= set(dir(codecs_core))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = codecs_core.nothing
