"""The same codec in a fresh process, which has nothing but a file."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

import codecs_core as cc
from codecs_core.arrays import ArraySpec
from codecs_core.testing.environments import environment
from codecs_core.testing.payloads import unstored
from codecs_core.testing.vectors import sha256

if TYPE_CHECKING:
    from codecs_core.codec import Codec

#: Seconds after which a process counts as one that hangs.
PATIENCE = 600


class Elsewhere:
    """Arrays, encoded here into one file, and what other processes make of it.

    Parameters
    ----------
    folder
        An empty folder of its own.
    parts
        Name of an entry -> codec and array.
    trials
        How many damaged payloads of each sort are decoded there, at most.
    """

    def __init__(self, folder: Path, parts: Mapping[str, tuple[Codec, NDArray[Any]]], *, trials: int) -> None:
        self._folder, self._trials = folder, trials
        self._answers: dict[tuple[str, str], Any] = {}
        cc.save(
            folder / "file.ccf",
            {name: array for name, (_, array) in parts.items()},
            codec={name: codec for name, (codec, _) in parts.items()},
            embed_model=True,
            jobs=1,
        )
        self.decoded, self.encoded = {}, {}
        for name, (codec, array) in parts.items():
            np.save(folder / f"{name}.npy", array)
            payload = codec.encode(array)
            self.encoded[name] = hashlib.sha256(payload).hexdigest()
            self.decoded[name] = sha256(codec.decode(payload, ArraySpec.of(array)))
            code = unstored(codec).encode(array)
            (folder / f"{name}.code").write_bytes(code)
            self.decoded[f"the code of {name}"] = sha256(unstored(codec).decode(code, ArraySpec.of(array)))

    def ask(self, verb: str, variables: Mapping[str, str] = {}) -> dict[str, Any]:
        """What `codecs_core.testing.child` answers in a process with these environment variables; asked once.

        Raises
        ------
        RuntimeError
            If the process dies or does not end; the text says over what.
        """
        key = verb, json.dumps(dict(variables), sort_keys=True)
        if key not in self._answers:
            self._answers[key] = self._ask(verb, dict(variables))
        found: dict[str, Any] = self._answers[key]
        return found

    def _ask(self, verb: str, variables: dict[str, str]) -> Any:
        at = self._folder / "at"
        at.unlink(missing_ok=True)
        with tempfile.TemporaryDirectory() as empty:
            # Another folder and an empty store: what is not in the file is not there.
            settings = environment(Path(empty), {"CODECS_MODELS": "{tmp}", **variables})
            command = [sys.executable, "-m", "codecs_core.testing.child", verb, str(self._folder), str(self._trials)]
            try:
                done = subprocess.run(  # noqa: S603
                    command, env=settings, cwd=empty, capture_output=True, text=True, timeout=PATIENCE, check=False
                )
            except subprocess.TimeoutExpired:
                raise RuntimeError(f"no answer after {PATIENCE} s{_over(at)}") from None
        if done.returncode:
            last = (done.stderr.strip() or "nothing on stderr").splitlines()[-1]
            raise RuntimeError(f"the process ended with status {done.returncode}{_over(at)}: {last}")
        return json.loads(done.stdout)


def _over(at: Path) -> str:
    return f" over {at.read_text('utf-8')}" if at.exists() else ""
