"""The device that trains, and whether it computes with half the bits at twice the speed."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cache
from pathlib import Path

import torch

#: Instructions of processors that multiply bfloat16. Without one of them torch converts back and forth, and takes twice as long.
UNITS = {"avx512_bf16", "amx_bf16", "avx10_1", "bf16", "svebf16"}


@cache
def device() -> torch.device:
    """A CUDA device or that of a Mac, where there is one; else the processor."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def half(enabled: bool, where: torch.device) -> AbstractContextManager[object]:
    """A context in which products are computed in bfloat16, if `enabled` and the device has units for it."""
    return torch.autocast(where.type, dtype=torch.bfloat16, enabled=enabled and has_units(where.type))


@cache
def has_units(kind: str) -> bool:
    """Whether devices of this kind, here, have units for bfloat16."""
    if kind == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return kind == "cpu" and bool(UNITS & _instructions())


def _instructions() -> set[str]:
    """What the processor says it can do; nothing where the system does not tell."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines()
    except OSError:
        return set()
    said = (line.partition(":")[2] for line in lines if line.lower().startswith(("flags", "features")))
    return set(next(said, "").split())
