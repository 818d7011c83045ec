"""Ways to compute on one machine that must not differ: the rows of the exactness matrix (``spec/exact.md``)."""

from __future__ import annotations

import ctypes
import os
import platform
from importlib.util import find_spec
from pathlib import Path

import numpy as np

#: What numpy dispatches on, here.
SIMD: tuple[str, ...] = tuple(np.show_config(mode="dicts")["SIMD Extensions"].get("found", []))
X86 = platform.machine().lower() in ("x86_64", "amd64")

#: Variables that may be set outside and would hide the difference.
CLEARED = ("NUMBA_", "OPENBLAS_", "OMP_", "MKL_", "NPY_", "ATEN_", "ONEDNN_", "EXACTNESS_", "CODECS_")


def threads(n: int) -> dict[str, str]:
    """The variables that make every library use `n` threads."""
    return {f"{library}_NUM_THREADS": str(n) for library in ("OMP", "OPENBLAS", "MKL", "NUMBA")}


_NUMBA = {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": "", "NUMBA_CACHE_DIR": "{tmp}"}
_NUMPY = {"NPY_DISABLE_CPU_FEATURES": " ".join(SIMD)}
# EXACTNESS_TORCH: import torch first, and let it change how the processor rounds very small numbers.
_TORCH = {
    "ATEN_CPU_CAPABILITY": "default",
    "ONEDNN_MAX_CPU_ISA": "SSE41",
    "MKL_ENABLE_INSTRUCTIONS": "SSE4_2",
    "EXACTNESS_TORCH": "1",
}
#: Kernels of OpenBLAS for x86, and the names that numpy has had for what they need.
_X86 = {
    "Prescott": (),
    "Nehalem": (),
    "Sandybridge": ("AVX2", "X86_V3"),
    "Haswell": ("AVX2", "X86_V3"),
    "Zen": ("AVX2", "X86_V3"),
    "SkylakeX": ("AVX512_SKX", "X86_V4"),
}
#: Kernels of OpenBLAS for ARM, and what they need: a bit of the words that Linux hands a program (AT_HWCAP, AT_HWCAP2).
_HWCAP, _HWCAP2 = 16, 26
_LSE, _ASIMDDP, _SVE, _SVE2, _SME = (_HWCAP, 8), (_HWCAP, 20), (_HWCAP, 22), (_HWCAP2, 1), (_HWCAP2, 23)
_ARM = {
    **dict.fromkeys(("ARMV8", "CORTEXA53", "CORTEXA57", "EMAG8180", "THUNDERX")),
    **dict.fromkeys(("THUNDERX2T99", "THUNDERX3T110", "TSV110"), _LSE),
    "NEOVERSEN1": _ASIMDDP,
    **dict.fromkeys(("NEOVERSEV1", "ARMV8SVE", "A64FX"), _SVE),
    "NEOVERSEN2": _SVE2,
    "ARMV9SME": _SME,
}


def _has(feature: tuple[int, int] | None) -> bool:
    """Whether Linux says that this processor has what kernels need; outside of Linux, whether they need nothing."""
    if feature is None:
        return True
    try:
        getauxval = ctypes.CDLL(None).getauxval
    except (AttributeError, OSError, TypeError):
        return False
    word, bit = feature
    getauxval.argtypes, getauxval.restype = [ctypes.c_ulong], ctypes.c_ulong
    return bool(getauxval(word) >> bit & 1)


def _cores() -> tuple[str, ...]:
    """The kernels of OpenBLAS that this processor can run: others would stop the process."""
    machine = platform.machine().lower()
    if machine in ("aarch64", "arm64"):
        return tuple(core for core, feature in _ARM.items() if _has(feature))
    return tuple(core for core, names in _X86.items() if X86 and (not names or set(names) & set(SIMD)))


CORES = _cores()

#: Name of a way to compute -> environment variables; "{tmp}" is an empty folder.
ENVIRONMENTS: dict[str, dict[str, str]] = {
    "same": {},
    "threads-1": threads(1),
    "threads-2": threads(2),
    "numba-generic": _NUMBA,
    "numpy-baseline": _NUMPY,
    "torch-baseline": _TORCH,
    **{f"openblas-{core}": {"OPENBLAS_CORETYPE": core} for core in CORES},
}

_KERNELS = {"OPENBLAS_CORETYPE": CORES[0]} if CORES else {}
#: One more way, which is most of them at once: one process that tells whether anything is amiss, if not what.
PLAINEST = {**threads(1), **_NUMPY, **_KERNELS} | (_TORCH if find_spec("torch") else {})
ROWS = {**ENVIRONMENTS, "plainest": PLAINEST}


def available(name: str) -> bool:
    """Whether a row of the matrix can be had here: with torch, with a numpy that dispatches."""
    return not (name == "torch-baseline" and find_spec("torch") is None) and not (name == "numpy-baseline" and not SIMD)


def environment(tmp: Path, variables: dict[str, str]) -> dict[str, str]:
    """The environment of a process that computes so; `tmp` is an empty folder."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(CLEARED)}
    return kept | {k: v.format(tmp=tmp) for k, v in variables.items()}
