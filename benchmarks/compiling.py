"""What the first use of a codec costs: ``python benchmarks/compiling.py [CODEC...] [--json]``.

Encodes a sample of this repository by the command line, once where no kernel was compiled yet and once more, in processes of their own. The
difference of their CPU seconds is what compiling took. The folder of compiled kernels is a temporary one; those of the user stay.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

SAMPLES = Path(__file__).parents[1] / "samples"
DIGITS, PHOTO = SAMPLES / "mnist.idx.gz", SAMPLES / "photos/parrots.png"
#: A file that each codec takes, and a model that it needs.
CODECS = {
    "ar.array": (DIGITS, ""),
    "ar.image": (PHOTO, "photo"),
    "ar.stack": (DIGITS, "mnist"),
    "bbans.vae": (DIGITS, "mnist"),
    "bbans.hvae": (PHOTO, "photo"),
    "idf.image": (PHOTO, "photo"),
    "lbb.flow": (DIGITS, "mnist"),
    "rec.vae-lossless": (DIGITS, "mnist"),
}


def seconds(codec: str, file: Path, model: str, kernels: str) -> float:
    """CPU seconds of encoding a file, those of processes that it starts included."""
    with tempfile.TemporaryDirectory() as folder:
        chosen = ["--codec", codec, *(["--model", model] if model else [])]
        command = [sys.executable, "-m", "codecs_core.cli", "encode", str(file), f"{folder}/x.ccf", *chosen]
        process = subprocess.Popen(
            command,
            env={**os.environ, "NUMBA_CACHE_DIR": kernels},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        _, status, used = os.wait4(process.pid, 0)
        if status:
            raise SystemExit(f"encoding by {codec} failed")
    return used.ru_utime + used.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("codecs", nargs="*", default=list(CODECS), help="by default all that are known here")
    parser.add_argument("--json", action="store_true", help="everything, for a program")
    chosen = parser.parse_args()
    found = {}
    for codec in chosen.codecs:
        file, model = CODECS[codec]
        with tempfile.TemporaryDirectory() as kernels:
            first, second = (seconds(codec, file, model, kernels) for _ in range(2))
        found[codec] = {"compiling": first - second, "encoding": second}
        print(
            f"{codec:20}{first - second:8.1f} s of compiling, {second:6.1f} s of encoding", file=sys.stderr, flush=True
        )
    if chosen.json:
        print(json.dumps(found))


if __name__ == "__main__":
    main()
