"""The exactness matrix: what is encoded here is decoded in processes that compute in other ways, and encoded there to the same bytes.

To add a case, see ``cases.py``; to add a way to compute, add to `codecs_core.testing.environments`.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from codecs_core.testing.environments import ENVIRONMENTS, SIMD, X86, environment, threads

pytestmark = pytest.mark.slow
CHILD = Path(__file__).with_name("child.py")

Run = Callable[..., dict[str, Any]]


def run_child(verb: str, folder: Path, size: str, tmp: Path, variables: dict[str, str]) -> dict[str, Any]:
    """What a fresh process in another environment says of the reference in `folder`."""
    process = subprocess.run(
        [sys.executable, str(CHILD), verb, str(folder), size],
        env=environment(tmp, variables),
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout)


def check_all_agree(found: dict[str, Any], reference: dict[str, Any]) -> None:
    assert found["cases"].keys() == reference["cases"].keys()
    wrong = {name: case for name, case in found["cases"].items() if not (case["encodes"] and case["decodes"])}
    assert not wrong


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("reference")
    return folder, run_child("write", folder, "full", folder, {})


def test_every_distribution_is_in_the_matrix(reference: tuple[Path, dict[str, Any]]) -> None:
    assert reference[1]["about"]["not_covered"] == []


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=pytest.mark.portability) if n == "numba-generic" else n for n in ENVIRONMENTS],
)
def test_matrix(name: str, reference: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    if name == "torch-baseline":
        pytest.importorskip("torch")
    if name == "numpy-baseline" and not SIMD:
        pytest.skip("numpy dispatches on no feature of this processor")
    folder, here = reference
    found = run_child("read", folder, "full", tmp_path, ENVIRONMENTS[name])
    check_all_agree(found, here)
    about = found["about"]
    # did the environment do anything?
    if name.startswith("threads"):
        assert about["openblas_threads"] in (int(name[-1]), None)
    if name == "numba-generic":
        assert about["numba_cpu"] == "generic"
        assert any(tmp_path.iterdir())
    if name == "numpy-baseline":
        assert about["simd"] == []
    assert about["torch"] == (name == "torch-baseline")


def test_the_cores_of_openblas_differ(reference: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    """Else the rows of the matrix named after them would say nothing."""
    if not X86 or reference[1]["about"]["openblas"] is None:
        pytest.skip("no OpenBLAS for x86 here")
    found = {
        run_child("read", reference[0], "none", tmp_path, {"OPENBLAS_CORETYPE": core})["about"]["openblas"]
        for core in ("Prescott", "Haswell")
    }
    assert len(found) == 2


def test_the_readable_reference_agrees(tmp_path: Path) -> None:
    """The kernels as plain Python, statement by statement."""
    here = run_child("write", tmp_path, "tiny", tmp_path, {})
    found = run_child("read", tmp_path, "tiny", tmp_path, {"NUMBA_DISABLE_JIT": "1"})
    assert here["about"]["jit"]
    assert not found["about"]["jit"]
    check_all_agree(found, here)


def test_a_difference_is_seen(tmp_path: Path) -> None:
    """The matrix can fail: with references of something else it does."""
    run_child("write", tmp_path, "tiny", tmp_path, {})
    (tmp_path / "bbans-mixture.txt").write_text("another digest")
    (tmp_path / "uniform-20.bin").write_bytes((tmp_path / "uniform-power-20.bin").read_bytes() + b"\1")
    process = subprocess.run(
        [sys.executable, str(CHILD), "read", str(tmp_path), "tiny"],
        env=environment(tmp_path, {}),
        capture_output=True,
        text=True,
    )
    cases = json.loads(process.stdout)["cases"]
    assert {n for n, c in cases.items() if not (c["encodes"] and c["decodes"])} == {"bbans-mixture", "uniform-20"}
    assert cases["bbans-mixture"]["encodes"]


def test_files_of_the_command_line(tmp_path: Path) -> None:
    """Encoded by one process, decoded by two that compute in other ways, and encoded there to the same file."""
    from codecs_bbans.testing import random_model

    random_model("mixture", (6, 6)).save(tmp_path / "model.safetensors")
    data = np.asarray(np.random.Philox(3).random_raw(400 * 36)).astype(np.uint8).reshape(400, 6, 6)
    np.save(tmp_path / "in.npy", data)
    plain = threads(1) | {"OPENBLAS_CORETYPE": "Prescott", "NPY_DISABLE_CPU_FEATURES": " ".join(SIMD)}

    def codecs(arguments: str, **variables: str) -> None:
        process = subprocess.run(
            [sys.executable, "-c", "from codecs_core.cli import main; main()", *arguments.split()],
            env=environment(tmp_path, variables),
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )
        assert process.returncode == 0, process.stderr

    encode = "encode in.npy {} --codec bbans.vae --model model.safetensors --embed-model --chunk 150 --jobs {}"
    codecs(encode.format("a.ccf", 2))
    codecs(encode.format("b.ccf", 1), **plain)
    assert (tmp_path / "a.ccf").read_bytes() == (tmp_path / "b.ccf").read_bytes()
    for number, variables in enumerate([{}, plain]):
        codecs(f"decode a.ccf out{number}.npy", **variables)
        assert np.array_equal(np.load(tmp_path / f"out{number}.npy"), data)
