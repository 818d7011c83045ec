"""`codecs doctor`: what is well is said to be, what is not is found, and nothing that a plugin does stops it."""

import json
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from typing import ClassVar

import numpy as np
import pytest
from typer.testing import CliRunner

import codecs_core as cc
from codecs_core import models
from codecs_core.cli.app import app
from codecs_core.registry import Registry
from codecs_core.report import doctor
from codecs_core.report.doctor import diagnose


@dataclass(frozen=True, kw_only=True)
class Reverse(cc.Codec):
    id: ClassVar[str] = "test.reverse"
    info: ClassVar[cc.CodecInfo] = cc.CodecInfo(summary="bytes, reversed")

    def _encode(self, chunk):
        return chunk.tobytes()[::-1]

    def _decode(self, payload, spec):
        return np.frombuffer(payload[::-1], spec.dtype).reshape(spec.shape)


class Forgetful(Reverse):
    id = "test.forgetful"

    def _decode(self, payload, spec):
        return np.zeros(spec.shape, spec.dtype)


class Exiting(Reverse):
    id = "test.exiting"

    def _encode(self, chunk):
        raise SystemExit("a plugin that leaves")


class Plugin:
    def __init__(self, *classes):
        self.classes = classes

    @cc.hookimpl
    def codecs_register(self):
        return [cc.CodecSpec(id=c.id, implementation=f"{__name__}:{c.__name__}", info=c.info) for c in self.classes]


@pytest.fixture(autouse=True)
def store(tmp_path, monkeypatch):
    """A store without the models of whoever runs the tests."""
    monkeypatch.setenv("CODECS_MODELS", str(tmp_path / "store"))
    return tmp_path / "store"


@pytest.fixture
def registry(monkeypatch):
    def make(*classes, points=()):
        made = Registry(points)
        made.register(Plugin(*classes), "fake")
        # the module of a test cannot be imported by name
        made._classes |= {c.id: c for c in classes}
        return made

    return make


def results(found):
    return {t["test"]: t["error"] for t in found["exactness"]["tests"]}


def test_all_is_well(registry):
    found = diagnose(registry=registry(Reverse))
    assert found["ok"]
    assert found["faults"] == []
    assert results(found) == {"entropy coder": None, "codec test.reverse": None}
    assert found["versions"]["numpy"] == np.__version__
    assert found["threads"]["usable"] >= 1
    assert set(found["simd"]) == {"baseline", "dispatched", "blas", "blas_kernels", "numba_cpu"}
    assert found["accelerator"]["error"] is None


def test_what_is_wrong_is_found_and_stops_nothing(registry, monkeypatch):
    monkeypatch.setattr(doctor, "_entropy", lambda: None)
    broken = EntryPoint("broken", "no_such_module_at_all", "codecs_core")
    found = diagnose(registry=registry(Forgetful, Exiting, Reverse, points=[broken]))
    assert not found["ok"]
    assert not found["exactness"]["ok"]
    assert "does not decode what it encoded" in results(found)["codec test.forgetful"]
    assert results(found)["codec test.exiting"] == "SystemExit: a plugin that leaves"
    assert results(found)["codec test.reverse"] is None
    assert [p["state"] for p in found["plugins"]] == ["failed", "loaded"]
    assert len(found["faults"]) == 3
    assert "no_such_module_at_all" in found["faults"][0]


def test_a_machine_that_makes_another_message(registry, monkeypatch):
    monkeypatch.setattr(doctor, "MESSAGE", "0" * 32)
    found = diagnose(registry=registry())
    assert "makes another message" in results(found)["entropy coder"]


def test_damaged_models_are_found(registry, store, monkeypatch):
    monkeypatch.setattr(doctor, "_entropy", lambda: None)
    made = cc.Model.create(codec="test.reverse", config={}, tensors={"a": np.zeros(9, np.int8)}, name="nine")
    path = models.add(made)
    assert diagnose(registry=registry())["ok"]
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    found = diagnose(registry=registry())
    assert [m["ok"] for m in found["models"]] == [False]
    assert "damaged" in found["faults"][0]


def run(*args):
    return CliRunner().invoke(app, ["doctor", *args], prog_name="codecs")


def test_command_line(registry, monkeypatch):
    monkeypatch.setattr(doctor, "default", lambda: registry(Reverse))
    done = run()
    assert done.exit_code == 0, done.output
    assert "this machine computes what every other does" in done.stdout
    described = json.loads(run("--json").stdout)
    assert described["ok"]
    assert described["plugins"][0]["name"] == "fake"


def test_exit_status(registry, monkeypatch):
    monkeypatch.setattr(doctor, "_entropy", lambda: None)
    monkeypatch.setattr(doctor, "default", lambda: registry(Forgetful))
    done = run()
    assert done.exit_code == 1
    assert "may not compute" in done.stdout
    assert "wrong: codec test.forgetful" in done.stderr
