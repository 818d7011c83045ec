"""`codecs check` and `codecs new`: tables, JSON, exit status."""

import json

import pytest
from typer.testing import CliRunner

from codecs_core.cli.app import app
from codecs_core.testing.conformance import clauses


def codecs(*args):
    return CliRunner().invoke(app, [str(a) for a in args], prog_name="codecs")


@pytest.fixture
def quick(monkeypatch):
    """No fresh processes: these have their own tests."""
    from unittest import SkipTest

    from codecs_core.testing.robustness import Processes

    def skip(self):
        raise SkipTest("quick")

    monkeypatch.setattr(Processes, "_needs_processes", skip)
    monkeypatch.setattr("codecs_core.testing.conformance.CodecConformance.examples", 5)


def test_a_codec_that_holds(quick):
    result = codecs("check", "classic.zlib", "--set", "level=1")
    assert result.exit_code == 0, result.stderr
    lines = result.stdout.splitlines()
    assert len(lines) == len(clauses())
    assert lines[0].startswith("9") and "pass" in lines[0]  # noqa: PT018
    assert " held, 0 failed, " in result.stderr
    found = json.loads(codecs("check", "classic.zlib", "--json").stdout)
    assert (found["codec"], found["plugin"], found["model"], found["ok"]) == (
        "classic.zlib",
        "codecs-classic",
        None,
        True,
    )
    assert [c["test"] for c in found["clauses"]] == [c.test for c in clauses()]
    assert {c["verdict"] for c in found["clauses"]} == {"pass", "skip"}


def test_a_codec_that_does_not(quick, monkeypatch):
    from codecs_classic.stdlib import Zlib

    monkeypatch.setattr(Zlib, "_decode", lambda self, payload, spec: 1 / 0)
    result = codecs("check", "classic.zlib", "--json")
    assert result.exit_code == 1
    found = {c["test"]: c for c in json.loads(result.stdout)["clauses"]}
    assert found["test_round_trip"]["verdict"] == "fail"
    assert "ZeroDivisionError" in found["test_round_trip"]["detail"]
    assert found["test_config"]["verdict"] == "pass"
    table = codecs("check", "classic.zlib")
    assert table.exit_code == 1
    assert "FAIL" in table.stdout


def test_some_clauses_alone(quick):
    result = codecs("check", "classic.zlib", "-k", "Round_trip", "--quick")
    assert result.exit_code == 0, result.stderr
    assert result.stdout.count("\n") == 1
    assert "of 1 clause 1 held" in result.stderr
    none = codecs("check", "classic.zlib", "-k", "colour")
    assert none.exit_code == 2
    assert "round_trip" in none.stderr


def test_a_verdict_is_printed_as_it_comes(quick, monkeypatch):
    def stop(self):
        raise KeyboardInterrupt

    monkeypatch.setattr("codecs_core.testing.conformance.CodecConformance.test_unknown_setting", stop)
    result = codecs("check", "classic.zlib", "-k", "ing")
    assert result.exit_code
    assert "unknown_setting" not in result.stdout
    before = [clause.test for clause in clauses() if "ing" in clause.test].index("test_unknown_setting")
    assert result.stdout.count("  pass") == before


def test_an_abstract_class_is_told_of(quick, monkeypatch):
    from codecs_classic.stdlib import Zlib

    monkeypatch.setattr(Zlib, "__abstractmethods__", frozenset({"_decode"}))
    result = codecs("check", "classic.zlib")
    assert result.exit_code == 3
    assert "does not implement _decode" in result.stderr


def test_the_smallest_model_is_taken(quick):
    found = json.loads(codecs("check", "bbans.vae", "--json").stdout)
    assert found["model"] == "bbans.vae/mnist-binary"
    assert found["ok"]


@pytest.mark.parametrize(
    ("arguments", "status"),
    [(("classic.nothing",), 3), (("bbans.vae", "--model", "nothing"), 3), (("classic.zlib", "--set", "colour=1"), 2)],
)
def test_what_cannot_be_checked(arguments, status):
    result = codecs("check", *arguments)
    assert result.exit_code == status
    assert result.stderr.count("\n") == 1


def test_new(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = codecs("new", "acme-wave")
    assert result.exit_code == 0, result.stderr
    assert "acme-wave/src/acme_wave/codec.py" in result.stdout.splitlines()
    assert (tmp_path / "acme-wave/pyproject.toml").exists()
    learned = codecs("new", "--learned", "acme-series")
    assert learned.exit_code == 0, learned.stderr
    assert "acme-series/src/acme_series/train.py" in learned.stdout.splitlines()
    for name in ("acme-wave", "wave"):
        again = codecs("new", name)
        assert again.exit_code == 2
        assert again.stderr.count("\n") == 1
