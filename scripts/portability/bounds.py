"""The oldest versions that the packages ask for: ``make bounds`` installs exactly those, and decodes every vector with them.

The environment is one of its own. The lower bound of torch, which is for training, is not tried: old versions bring gigabytes.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import venv
from collections import Counter

import emulation
from emulation import CACHE, Unavailable

FOLDER = CACHE / "bounds"


def main() -> int:
    """Install, decode, and print the result."""
    pins = [requirement.replace(">=", "==") for requirement in emulation.requirements() if ">=" in requirement]
    loose = [
        requirement for requirement in emulation.requirements() if ">=" not in requirement and requirement != "pytest"
    ]
    if loose:
        print(f"No lower bound: {', '.join(loose)}")
        return 1
    print(f"Installing {', '.join(pins)}", flush=True)
    python = FOLDER / "bin/python"
    done = FOLDER / "pins.json"
    if not done.exists() or json.loads(done.read_text()) != pins:
        shutil.rmtree(FOLDER, ignore_errors=True)
        venv.create(FOLDER)
        try:
            emulation.run(
                sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--only-binary=:all:", *pins
            )
        except Unavailable as error:
            print(f"These versions cannot be installed together: {error}")
            return 1
        done.write_text(json.dumps(pins))
    settings = {
        **os.environ,
        "PYTHONPATH": ":".join(map(str, [emulation.project(), *emulation.SOURCES])),
        "NUMBA_CACHE_DIR": str(FOLDER / "kernels"),
        "CODECS_MODELS": str(CACHE / "no-models"),
    }
    command = [str(python), str(emulation.ROOT / "scripts/portability/vectors.py")]
    said = subprocess.run(command, env=settings, capture_output=True, text=True, check=False)
    found = [json.loads(line) for line in said.stdout.splitlines()]
    for result in found:
        if result["result"] != "ok":
            print(f"  {result['codec']} {result['vector']}: {result['result']}")
    if said.returncode or not found:
        print(said.stderr[-2000:])
        return 1
    counts = Counter(result["result"] for result in found)
    print(f"{counts['ok']} of {len(found)} vectors decode as they have to.")
    return 0 if counts["ok"] == len(found) else 1


if __name__ == "__main__":
    sys.exit(main())
