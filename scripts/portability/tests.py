"""Those tests that say most on another processor: ``tests.py``, with pytest's options."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

#: What BLAS is given, and shapes that its kernels for SME get wrong.
TESTS = [Path(__file__).parents[2] / "tests/exact" / name for name in ("test_step.py", "test_probe.py")]

if __name__ == "__main__":
    options = [
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:xdist",
        "--noconftest",  # which takes hypothesis
        "--import-mode=importlib",
        "-c",
        "/dev/null",
        "-W",
        "error::RuntimeWarning",
    ]
    sys.exit(pytest.main([*options, *map(str, TESTS)]))
