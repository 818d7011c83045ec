"""Parts become part of kernels, are found again, and can be called."""

from __future__ import annotations

import gc
import os
import pty
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from codecs_core.jit import PLAIN, borrowing, inline, kernel

PROGRAM = """
import numpy as np
from codecs_core.jit import inline, kernel

@inline
def twice(x):
    return x + x

@kernel
def total(x):
    s = 0
    for i in range(x.size):
        s += twice(x[i])
    return s

print(total(np.arange(5)))
"""


@inline
def square(x):
    return x * x


@inline
def shared(x, low):
    """Of arrays and numbers, calling another part."""
    for i in range(x.size):
        x[i] = max(square(x[i]), low)
    return x.size


@kernel
def both(x, low):
    return shared(x, low) + square(low)


def test_parts_of_parts() -> None:
    x, y = np.array([1.0, 3.0]), np.array([1, 2, 3])
    assert both(x, 2.0) == 6
    assert x.tolist() == [2, 9]
    assert both(y, 3) == 12
    assert y.tolist() == [3, 4, 9]


def test_a_part_can_be_called() -> None:
    assert square(5) == 25
    assert square(0.5) == 0.25
    assert both(np.array([2]), 1) == 2
    assert square(7) == 49
    x = np.array([1, 4])
    assert shared(x, 2) == 2
    assert x.tolist() == [2, 16]


@pytest.mark.skipif(PLAIN, reason="nothing is compiled")
def test_a_part_that_fails_to_compile_says_so() -> None:
    from numba.core.errors import TypingError

    @kernel
    def wrong(x):
        return square(x)

    with pytest.raises(TypingError):
        wrong(np.array(["a"]))
    assert gc.isenabled()


def run(tmp_path: Path, stderr: int) -> bytes:
    """What a program prints that needs a kernel, on a machine where it may not be compiled."""
    script = tmp_path / "program.py"
    script.write_text(PROGRAM, "utf-8")
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    return subprocess.run(
        [sys.executable, script], env=environment, stdout=subprocess.PIPE, stderr=stderr, check=True
    ).stdout


@pytest.mark.skipif(PLAIN, reason="nothing is compiled")
def test_a_terminal_is_told_once_and_a_pipe_is_not(tmp_path: Path) -> None:
    controller, terminal = pty.openpty()
    try:
        for _ in range(2):
            assert run(tmp_path, terminal) == b"20\n"
            os.write(terminal, b"|")
        said = b""
        while said.count(b"|") < 2:
            said += os.read(controller, 1 << 16)
    finally:
        os.close(terminal)
        os.close(controller)
    first, second, _ = said.split(b"|")
    assert first.count(b"compiling for this machine, once") == 1
    assert second == b""
    (tmp_path / "other").mkdir()
    silent = subprocess.run(
        [sys.executable, tmp_path / "program.py"],
        env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "other")},
        capture_output=True,
        check=True,
    )
    assert (silent.stdout, silent.stderr) == (b"20\n", b"")


@borrowing
def doubled(x, out):
    for i in range(x.size):
        out[i] = x[i] + x[i]
    return out[0]


@kernel
def fourfold(x, out):
    return doubled(out, out) + doubled(x, out)


def test_what_only_borrows_arrays_may_be_called_with_them() -> None:
    x, out = np.arange(5), np.ones(5, np.int64)
    assert fourfold(x, out) == 2
    assert out.tolist() == [0, 2, 4, 6, 8]


@pytest.mark.skipif(PLAIN, reason="nothing is compiled")
def test_what_only_borrows_arrays_may_not_return_one() -> None:
    @borrowing
    def same(x):
        return x

    @kernel
    def first(x):
        return same(x)[0]

    with pytest.raises(TypeError, match="returns an array that nobody counts"):
        first(np.arange(3))
