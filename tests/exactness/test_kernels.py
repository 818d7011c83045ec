"""What LLVM makes of the kernels, for processors that can fuse a product and a sum: nothing on a decode path rounds otherwise elsewhere.

``scripts/portability/static.py`` runs in processes of its own: one encodes and decodes all there is, another one only decodes.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts/portability"

_found = importlib.util.spec_from_file_location("portability_kernels", SCRIPTS / "kernels.py")
kernels = importlib.util.module_from_spec(_found)
_found.loader.exec_module(kernels)


def run_static(verb: str, folder: Path) -> dict[str, Any]:
    process = subprocess.run(
        [sys.executable, str(SCRIPTS / "static.py"), verb, str(folder)], capture_output=True, text=True, timeout=1200
    )
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("static")


@pytest.fixture(scope="module")
def written(folder: Path) -> dict[str, Any]:
    return run_static("write", folder)


@pytest.mark.portability
def test_no_operation_is_fused_or_may_be_reordered(written: dict[str, Any]) -> None:
    assert written["kernels"] > 60
    assert written["products"] > 30
    assert written["blind"] == []
    assert written["loose"] == {}
    assert written["fused"] == {}


@pytest.mark.portability
def test_every_kernel_was_looked_at(written: dict[str, Any]) -> None:
    """One that is not compiled here takes a case in ``cases.py``.

    `philox._fill` is for tests, divergences are for people, and a table was counted once; a distribution has twins.
    """
    twins = ("frequencies", "push")
    allowed = {"codecs_rec.philox._fill", "codecs_rec.divergences._integrate", "codecs_rec.tables.leech._count"}
    assert {name for name in written["never compiled"] if not name.endswith(twins)} <= allowed


@pytest.mark.portability
def test_decoding_calls_no_mathematical_library(written: dict[str, Any], folder: Path) -> None:
    found = run_static("read", folder)
    assert found["kernels"] > 40
    assert found["library"] == {}
    assert found["named"] == []


@pytest.mark.parametrize("name", kernels.PROCESSORS)
def test_what_is_fused_is_seen(name: str) -> None:
    assert kernels.can_be_seen(kernels.PROCESSORS[name])


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("  %a = fmul double %b, %c", 0),
        ("  %a = fmul contract double %b, %c", 1),
        ("  %a = fadd reassoc nsz <4 x float> %b, %c", 1),
        ("  %a = fadd fast float %b, %c", 1),
        ("  %a = tail call fast double @llvm.sqrt.f64(double %b)", 1),
        ("  %a = call reassoc float @llvm.vector.reduce.fadd.v4f32(float %b, <4 x float> %c)", 1),
        ("  %a = call float @llvm.vector.reduce.fadd.v4f32(float %b, <4 x float> %c)", 0),
        ("  %a = tail call double @llvm.fma.f64(double %b, double %c, double %d)", 1),
        ("  %a = tail call double @llvm.fmuladd.f64(double %b, double %c, double %d)", 1),
        ("  %a = fcmp ninf olt double %b, %c", 1),
        ("  %a = tail call fastcc i64 @fast(i64 %b)", 0),
    ],
)
def test_what_may_be_reordered_or_contracted_is_seen(text: str, count: int) -> None:
    assert len(kernels.loose(text)) == count


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("  %a = tail call double @llvm.exp.f64(double %b)", {"exp"}),
        ("  %a = call <4 x float> @llvm.pow.v4f32(<4 x float> %b, <4 x float> %c)", {"pow"}),
        ("  %a = tail call double @erf(double %b)", {"erf"}),
        ("  %a = tail call float @expm1f(float %b)", {"expm1"}),
        ("  %a = tail call double @llvm.sqrt.f64(double %b)", set()),
        ("  %a = tail call i64 @expand(i64 %b)", set()),
    ],
)
def test_functions_of_a_library_are_seen(text: str, names: set[str]) -> None:
    assert kernels.library_calls(text) == names
