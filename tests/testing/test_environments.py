"""Which kernels of OpenBLAS make a row of the matrix."""

from __future__ import annotations

import platform
from types import SimpleNamespace

import pytest

from codecs_core.testing import environments

EVERYWHERE = {"ARMV8", "CORTEXA53", "CORTEXA57", "EMAG8180", "THUNDERX"}


@pytest.mark.parametrize(
    ("words", "more"),
    [
        ({}, set()),
        ({16: 1 << 8 | 1 << 20}, {"THUNDERX2T99", "THUNDERX3T110", "TSV110", "NEOVERSEN1"}),
        ({16: 1 << 22, 26: 1 << 23}, {"NEOVERSEV1", "ARMV8SVE", "A64FX", "ARMV9SME"}),
    ],
)
def test_kernels_for_arm_are_those_that_the_processor_can_run(
    monkeypatch: pytest.MonkeyPatch, words: dict[int, int], more: set[str]
) -> None:
    library = SimpleNamespace(getauxval=lambda word: words.get(word, 0))
    monkeypatch.setattr(environments.ctypes, "CDLL", lambda name: library)
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    assert set(environments._cores()) == EVERYWHERE | more


def test_outside_of_linux_only_those_that_need_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environments.ctypes, "CDLL", lambda name: object())
    monkeypatch.setattr(platform, "machine", lambda: "arm64")
    assert set(environments._cores()) == EVERYWHERE


def test_another_processor_has_no_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environments, "X86", False)
    monkeypatch.setattr(platform, "machine", lambda: "s390x")
    assert environments._cores() == ()
