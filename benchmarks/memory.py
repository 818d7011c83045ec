"""Memory of encoding and decoding an array that is larger than it: ``python benchmarks/memory.py GIGABYTES [--codec ID] [--set K=V]``.

A field of float32, (time, 512, 512), is made in a file of its own, encoded and decoded by the command line in a process each, and
compared. Peak memory is that of the process, as the system counts it, pages of files that it has mapped included; ``start`` is
that of a process that does the same to one item.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

SIDE = 512


def peak(*arguments: str) -> tuple[float, float]:
    """Peak memory of a command in MB, and the seconds that it took."""
    start = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "codecs_core.cli", *arguments], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"codecs {' '.join(arguments)} failed")
    return used.ru_maxrss / 1e3, time.perf_counter() - start


def make(path: Path, items: int) -> None:
    """A wave that drifts, with a little noise."""
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    rng = np.random.default_rng(0)
    array = np.lib.format.open_memmap(path, "w+", np.float32, (items, SIDE, SIDE))
    for i in range(items):
        array[i] = 280 + 9 * np.sin((x + i) / 40) * np.cos(y / 30) + rng.normal(0, 0.01, x.shape)
    array.flush()


def equal(one: Path, other: Path) -> bool:
    a, b = np.load(one, mmap_mode="r"), np.load(other, mmap_mode="r")
    return a.shape == b.shape and all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("gigabytes", type=float)
    parser.add_argument("--codec", default="ar.array")
    parser.add_argument("--set", action="append", default=[])
    parser.add_argument("--jobs", default="1")
    chosen = parser.parse_args()
    settings = [part for one in chosen.set for part in ("--set", one)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for what, items in ("start", 1), ("array", round(chosen.gigabytes * 1e9 / (4 * SIDE * SIDE))):
            raw, packed, back = (folder / f"{what}{end}" for end in (".npy", ".ccf", "-again.npy"))
            make(raw, items)
            options = ["--codec", chosen.codec, *settings, "--jobs", chosen.jobs]
            encoding = peak("encode", str(raw), str(packed), *options)
            decoding = peak("decode", str(packed), str(back), "--jobs", chosen.jobs)
            if chosen.codec != "ar.bounded" and not equal(raw, back):
                raise SystemExit("it did not come back as it was")
            size = raw.stat().st_size
            print(
                f"{what}: {size / 1e6:,.0f} MB, file {packed.stat().st_size / size:.3f} of it; "
                f"encoding at most {encoding[0]:,.0f} MB of memory in {encoding[1]:.0f} s, "
                f"decoding {decoding[0]:,.0f} MB in {decoding[1]:.0f} s",
                flush=True,
            )
            for path in (raw, packed, back):
                path.unlink()


if __name__ == "__main__":
    main()
