"""The examples that ``--help`` shows are commands that the program takes."""

import json
import shlex

import numpy as np
import pytest
import typer

from codecs_core.cli.app import VERBS, app

COMMANDS = typer.main.get_command(app).commands
EXAMPLES = [example for _, examples in VERBS.values() for example in examples]


def test_every_verb_has_an_example():
    assert set(COMMANDS) == set(VERBS)
    assert all(examples for _, examples in VERBS.values())
    assert all(example.startswith(f"codecs {verb}") for verb, (_, examples) in VERBS.items() for example in examples)


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_is_understood(example):
    """Its arguments and options exist, and all that is required is there."""
    _, verb, *arguments = shlex.split(example)
    context = COMMANDS[verb].make_context(verb, arguments)
    assert not context.args


@pytest.mark.parametrize("verb", VERBS)
def test_help_shows_the_examples_as_they_are(verb):
    text = COMMANDS[verb].get_help(COMMANDS[verb].context_class(COMMANDS[verb], info_name=verb))
    assert all(f"  {example}\n" in f"{text}\n" for example in VERBS[verb][1])


def test_bench_recommends(tmp_path, capsys):
    """Sentences on a terminal, and the same as JSON."""
    np.save(tmp_path / "a.npy", np.arange(3000, dtype=np.uint16).reshape(30, 100))
    arguments = [str(tmp_path / "a.npy"), "--codec", "classic.zlib", "--recommend"]
    COMMANDS["bench"].main(arguments, standalone_mode=False)
    lines = capsys.readouterr().out.splitlines()
    assert any(line.endswith("smallest: classic.zlib") for line in lines)
    assert any(line.startswith("  python: codecs_core.save(") for line in lines)
    COMMANDS["bench"].main([*arguments, "--json"], standalone_mode=False)
    assert json.loads(capsys.readouterr().out)["recommendations"][0]["codec"] == "classic.zlib"
