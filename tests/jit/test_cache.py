"""The cache of compiled kernels is a convenience: whatever it holds, and wherever it cannot be, kernels do the same."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import sys
import numpy as np
from codecs_core.jit import kernel

@kernel
def total(x):
    found = 0
    for value in x:
        found += value * value
    return found

print(total(np.arange(10)), sum(total.stats.cache_hits.values()))
"""
posix = pytest.mark.skipif(os.name != "posix", reason="folders and disks are another matter there")


@pytest.fixture
def script(tmp_path: Path) -> Path:
    (tmp_path / "code").mkdir()
    path = tmp_path / "code" / "script.py"
    path.write_text(SCRIPT)
    return path


def run(script: Path, *more: str, **environment: str) -> tuple[str, bool, str]:
    """The kernel's result, whether it was found in the cache, and what stderr says."""
    command = [*more, sys.executable, str(script)]
    done = subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    result, _, hits = done.stdout.strip().partition(" ")
    return result, hits == "1", done.stderr


def damaged(whole: bytes) -> list[bytes]:
    middle = bytearray(whole)
    middle[len(whole) // 2] ^= 1
    zeros = whole[: len(whole) // 2] + bytes(len(whole) - len(whole) // 2)
    return [b"", whole[:20], whole[:-1], whole[: len(whole) // 2], bytes(middle), zeros, b"\x80\x04N.", bytes(5000)]


@pytest.mark.slow
def test_a_file_that_is_not_whole_is_as_good_as_none(script: Path) -> None:
    folder = script.parent.parent / "cache"
    assert run(script, NUMBA_CACHE_DIR=str(folder)) == ("285", False, "")
    assert run(script, NUMBA_CACHE_DIR=str(folder)) == ("285", True, "")
    (file,) = folder.glob("**/*.nbc")
    for data in damaged(file.read_bytes()):
        file.write_bytes(data)
        assert run(script, NUMBA_CACHE_DIR=str(folder)) == ("285", False, ""), data[:20]
        # compiled again, it was kept again
        assert file.read_bytes() != data
    assert run(script, NUMBA_CACHE_DIR=str(folder)) == ("285", True, "")


@posix
def test_without_a_folder_to_write_to(script: Path) -> None:
    nowhere = script.parent.parent / "file"
    nowhere.write_text("a file is no folder")
    (script.parent / "__pycache__").write_text("nor is this")
    environment = {"NUMBA_CACHE_DIR": str(nowhere / "cache"), "HOME": str(nowhere), "XDG_CACHE_HOME": str(nowhere)}
    result, found, talk = run(script, **environment)
    assert (result, found) == ("285", False)
    assert "compiled code cannot be kept" in talk
    assert "NUMBA_CACHE_DIR" in talk


@posix
def test_a_disk_that_takes_no_more(script: Path) -> None:
    # Files of no more than 512 bytes: the cache can be made, and nothing be put in it.
    folder = script.parent.parent / "cache"
    shell = ["sh", "-c", "trap '' XFSZ; ulimit -f 1; exec \"$@\"", "sh"]
    result, found, talk = run(script, *shell, NUMBA_CACHE_DIR=str(folder), PYTHONDONTWRITEBYTECODE="1")
    assert (result, found) == ("285", False)
    assert f"takes nothing: {os.strerror(27)}" in talk
    assert [path for path in folder.glob("**/*") if path.is_file()] == []
