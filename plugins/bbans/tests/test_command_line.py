"""Models of one's own through the `codecs` command, and what it refuses to train."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import codecs_core as cc
from codecs_core.cli.app import app

pytest.importorskip("torch")

SMALL = ("--budget", "1s", "--set", "hidden=16", "--set", "latents=4", "--set", "components=3")


def codecs(*args: object) -> Any:
    """Run a verb in this process."""
    return CliRunner().invoke(app, [str(a) for a in args], prog_name="codecs")


def command(*args: object) -> list[str]:
    return [sys.executable, "-c", "from codecs_core.cli import main; main()", *map(str, args)]


def make_data(folder: Path, dtype: str) -> Path:
    """Gradients in colour, or blocks in black and white."""
    rng = np.random.default_rng(0)
    if dtype == "bool":
        data = np.repeat(rng.integers(0, 2, (60, 10)), 10, axis=1).reshape(60, 10, 10) > 0
    else:
        data = np.add.outer(rng.integers(0, 200, 60), np.arange(16 * 16 * 3) // 16).astype(np.uint8)
        data = data.reshape(60, 16, 16, 3)
    np.save(folder / "data.npy", data)
    return folder / "data.npy"


@pytest.mark.parametrize("dtype", ["uint8", "bool"])
def test_a_model_of_ones_own(tmp_path: Path, dtype: str) -> None:
    data, model, file = make_data(tmp_path, dtype), tmp_path / "own.safetensors", tmp_path / "a.ccf"
    result = codecs("train", "bbans.vae", data, "--out", model, *SMALL)
    assert result.exit_code == 0, result.stderr
    for options in ([], ["--embed-model"]):
        result = codecs("encode", data, file, "--codec", "bbans.vae", "--model", model, *options)
        assert result.exit_code == 0, result.stderr
        given = [] if options else ["--model", model]
        assert codecs("decode", file, tmp_path / "back.npy", "--force", *given).exit_code == 0
        assert (tmp_path / "back.npy").read_bytes() == data.read_bytes()
    # The model inside is enough: neither its file nor a store is at hand.
    model.unlink()
    (tmp_path / "back.npy").unlink()
    environment = {**os.environ, "CODECS_MODELS": str(tmp_path / "none")}
    subprocess.run(command("decode", file, tmp_path / "back.npy"), env=environment, check=True, timeout=60)
    assert (tmp_path / "back.npy").read_bytes() == data.read_bytes()


def test_what_cannot_be_trained(tmp_path: Path) -> None:
    data, model = make_data(tmp_path, "uint8"), tmp_path / "m.safetensors"
    np.save(tmp_path / "few.npy", np.load(data)[:39])
    np.save(tmp_path / "float.npy", np.zeros((60, 5, 5)))
    np.save(tmp_path / "empty.npy", np.zeros((60, 0, 5), np.uint8))
    np.save(tmp_path / "one.npy", np.uint8(3))
    (tmp_path / "folder").mkdir()
    before = sorted(os.listdir(tmp_path))
    for status, word, source, out, options in [
        (2, "40 items", "few.npy", model, []),
        (2, "float64", "float.npy", model, []),
        (2, "40 items", "empty.npy", model, []),
        (2, "()", "one.npy", model, []),
        (2, "no file", "missing.npy", model, []),
        (2, "hiden", "data.npy", model, ["hiden=3"]),
        (2, "'name'", "data.npy", model, ["name=3"]),
        (2, "'data'", "data.npy", model, ["data=3"]),
        (2, "--budget", "data.npy", model, ["budget=3"]),
        (2, "latents", "data.npy", model, ["latents=1.5"]),
        (2, "seed", "data.npy", model, ["seed=x"]),
        (2, "binarise", "data.npy", model, ["binarise=2"]),
        (1, "folder", "data.npy", tmp_path / "folder", []),
        (2, "read and written", "data.npy", data, []),
        (1, "missing", "data.npy", tmp_path / "missing" / "m.safetensors", []),
    ]:
        start = time.monotonic()
        settings = [part for one in options for part in ("--set", one)]
        result = codecs("train", "bbans.vae", tmp_path / source, "--out", out, *settings, "--budget", "60s")
        assert result.exit_code == status, (word, result.stderr)
        assert result.stderr.splitlines()[-1].startswith("error: ")
        assert word in result.stderr.splitlines()[-1]
        assert time.monotonic() - start < 30  # before training, not after
    assert sorted(os.listdir(tmp_path)) == before


@pytest.mark.skipif(os.name != "posix", reason="signals are another matter there")
def test_an_interrupt_of_training_leaves_nothing(tmp_path: Path) -> None:
    data = make_data(tmp_path, "bool")
    verb = command("train", "bbans.vae", data, "--out", tmp_path / "m.safetensors", "--budget", "60s")

    def not_ignored() -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # as it is for what a script runs in the background

    with subprocess.Popen(verb, stderr=subprocess.PIPE, text=True, preexec_fn=not_ignored) as running:
        assert running.stderr is not None
        assert "training" in running.stderr.readline()
        time.sleep(1.5)
        running.send_signal(signal.SIGINT)
        _, talk = running.communicate(timeout=30)
    assert running.returncode == 130
    assert talk == "interrupted; nothing half-written is left behind\n"
    assert os.listdir(tmp_path) == ["data.npy"]


def test_bench_measures_every_model_that_takes_the_data(tmp_path: Path) -> None:
    np.save(tmp_path / "bits.npy", np.zeros((3, 28, 28), bool))
    np.save(tmp_path / "one.npy", np.uint8(3))
    result = codecs("bench", tmp_path / "bits.npy", "--codec", "bbans.vae", "--json")
    assert result.exit_code == 0, result.stderr
    (group,) = json.loads(result.stdout)["groups"]
    assert [row["model"] for row in group["rows"]] == ["mnist-binary"]
    assert codecs("bench", tmp_path / "one.npy", "--codec", "bbans.vae").exit_code == 2
    assert codecs("bench", tmp_path / "bits.npy", "--codec", "classic.raw", "--model", "mnist").exit_code == 2


def test_decoding_needs_no_torch(tmp_path: Path) -> None:
    cc.save(tmp_path / "a.ccf", np.zeros((3, 28, 28), bool), codec="bbans.vae", model="mnist-binary")
    code = "import sys, codecs_core as cc; cc.load(sys.argv[1]); assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "a.ccf")], check=True, timeout=60)
