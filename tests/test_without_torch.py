"""Encoding and decoding need no torch: every installed codec does both where it cannot be imported."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

BLOCKED = """
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "torch":
            raise ModuleNotFoundError(f"No module named {name!r}", name="torch")

sys.meta_path.insert(0, Blocked())
"""


def run(program: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", BLOCKED + textwrap.dedent(program)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_every_codec_encodes_and_decodes() -> None:
    done = run("""
        from codecs_core import registry
        from codecs_core.report import doctor

        found = [doctor.timed(name, trial) for name, _, trial in doctor.trials(registry.default())]
        assert len(found) > 10, found
        assert not [one for one in found if not one["ok"]], [one for one in found if not one["ok"]]
        assert "torch" not in sys.modules
    """)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("program", "extra"),
    [
        ("import codecs_core.learn", "codecs-idf[train]"),
        ("import codecs_core; codecs_core.learn.fit", "codecs-idf[train]"),
        ("from codecs_core.exact import freeze", "codecs-core[torch]"),
        ("from codecs_core.exact import ExactNet; import codecs_core.adapters.torch", "codecs-core[torch]"),
    ],
)
def test_what_takes_torch_says_what_to_install(program: str, extra: str) -> None:
    done = run(f"""
        from codecs_core.errors import MissingDependencyError

        try:
            {program}
        except MissingDependencyError as error:
            print(error)
    """)
    assert done.returncode == 0, done.stderr
    assert "torch" in done.stdout
    assert f"'{extra}'" in done.stdout
    assert done.stdout.count("\n") == 1


@pytest.mark.parametrize(
    "codec",
    [
        "ar.image",
        "bbans.hvae",
        "bbans.vae",
        "idf.image",
        "inr.image",
        "inr.sound",
        "lbb.flow",
        "rec.vae",
        "rec.vae-lossless",
    ],
)
def test_training_says_what_is_missing(codec: str) -> None:
    done = run(f"""
        import numpy as np
        import codecs_core as cc

        try:
            cc.train({codec!r}, np.zeros((40, 8, 8, 3), np.uint8), budget=1)
        except cc.errors.MissingDependencyError as error:
            print(error)
    """)
    package = "codecs-" + codec.partition(".")[0]
    expected = f"training of {codec} needs torch, which is not installed: pip install '{package}[train]'\n"
    assert done.stdout == expected, done.stderr
