"""`codecs warm` codes something with the codecs that are named, in processes of its own."""

from __future__ import annotations

import subprocess
import sys


def warm(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from codecs_core.cli import main; main()", "warm", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_one_codec() -> None:
    done = warm("classic.lzma", "--jobs", "1")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("codec classic.lzma: ready after ")
    assert done.stdout.count("\n") == 1


def test_a_codec_that_is_not_installed() -> None:
    done = warm("no.such")
    assert done.returncode == 3
    assert "no.such" in done.stderr
