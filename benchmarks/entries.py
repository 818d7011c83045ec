"""What files cost beside their payloads: ``python benchmarks/entries.py [--entries 1000000] [--json]``.

Says how many bytes files of one array have beside its payload, and how many each further chunk and each further entry takes. Then writes
a file of arrays as they come from a folder of images, with attributes and without, and says how many CPU seconds it takes to write it,
to open it, to find each of a hundred entries, and to list it as ``codecs info`` does; and the memory that each of these needs on top of
what the interpreter and the libraries have, each in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

import codecs_core as cc
from codecs_core.arrays import ArraySpec
from codecs_core.cli.info import listed
from codecs_core.container import Entry, Reader, Writer
from codecs_core.limits import Limits

LIMITS = Limits(entries=1 << 24, chunks=1 << 24, header_bytes=1 << 32, index_bytes=1 << 32)
#: Attributes of an entry: none, or those of a picture.
ATTRS: dict[str, dict[str, Any]] = {"bare": {}, "pictures": {"media": {"format": "PNG", "mode": "RGB"}}}


def entries(n: int, attrs: dict[str, Any]) -> Iterator[Entry]:
    """Images of a hundred sizes in folders of a thousand."""
    config: dict[str, Any] = {"level": 9}
    for i in range(n):
        spec = ArraySpec((32 + i % 10, 32 + i // 10 % 10, 3), "uint8")
        name = f"folder-{i // 1000:04}/picture-{i:07}.png"
        yield Entry(name=name, spec=spec, chunk=64, codec="classic.zlib", config=config, attrs=attrs)


def beside() -> dict[str, float]:
    """Bytes beside payloads."""
    noise = np.random.default_rng(0).integers(0, 256, (64, 16, 16), np.uint8)

    def taken(arrays: Any, chunk: int) -> int:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "x.ccf"
            cc.save(path, arrays, codec="classic.zlib", chunk=chunk)
            with Reader.open(path) as reader:
                payloads = sum(
                    len(reader.payload(e.name, i)) for e in reader.entries.values() for i in range(e.n_chunks)
                )
            return path.stat().st_size - payloads

    one, files = taken(noise, 64), {f"picture-{i:02}": item for i, item in enumerate(noise)}
    return {
        "array": one,
        "folded": taken(noise[:4], 64),
        "chunk": (taken(noise, 1) - one) / 63,
        "entry": (taken(files, 64) - taken(dict(list(files.items())[:32]), 64)) / 32,
    }


def write(path: Path, n: int, attrs: dict[str, Any]) -> None:
    """A file whose payloads are a byte each."""
    with path.open("wb") as file:
        writer = Writer(file, list(entries(n, attrs)), limits=LIMITS)
        for i in range(n):
            writer.write_chunk(f"folder-{i // 1000:04}/picture-{i:07}.png", 0, b"x" * 100, bytes(16))
        writer.close()


def find(path: Path, n: int) -> None:
    """A hundred entries by their names."""
    with Reader.open(path, limits=LIMITS) as reader:
        start = time.process_time()
        for i in range(0, n, max(1, n // 100)):
            reader.entries[f"folder-{i // 1000:04}/picture-{i:07}.png"]
        print(f"# {time.process_time() - start:.4f} s for a hundred names", file=sys.stderr)


def info(path: Path) -> None:
    """The lines of ``codecs info``."""
    with Reader.open(path, limits=LIMITS) as reader, open(os.devnull, "w") as out:
        for line in listed(reader, path):
            print(line, file=out)


def measured(what: str, path: str, n: int) -> dict[str, float]:
    """Run one piece of work in this process."""
    work: dict[str, Callable[[], Any]] = {
        "open": lambda: Reader.open(path, limits=LIMITS).close(),
        "find": lambda: find(Path(path), n),
        "info": lambda: info(Path(path)),
        **{f"write {kind}": lambda attrs=attrs: write(Path(path), n, attrs) for kind, attrs in ATTRS.items()},  # type: ignore[misc]
    }
    before, start = peak(), time.process_time()
    work[what]()
    return {"seconds": time.process_time() - start, "mib": (peak() - before) / 1024}


def peak() -> int:
    """The highest memory of this process so far, in KiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


def main() -> None:
    """Each piece of work in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--json", action="store_true", help="everything, for a program")
    parser.add_argument("--one", nargs=2, metavar=("WHAT", "PATH"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        print(json.dumps(measured(*args.one, args.entries)))
        return
    found: dict[str, Any] = {"entries": args.entries, "beside": beside()}
    with tempfile.TemporaryDirectory() as folder:
        for kind in ATTRS:
            found[kind] = {}
            for what in (f"write {kind}", "open", "find", "info"):
                command = [
                    sys.executable,
                    __file__,
                    "--entries",
                    str(args.entries),
                    "--one",
                    what,
                    f"{folder}/{kind}.ccf",
                ]
                done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
                found[kind][what.split()[0]] = json.loads(done.stdout)
    if args.json:
        print(json.dumps(found))
        return
    print("bytes beside payloads:", ", ".join(f"{what} {n:.0f}" for what, n in found["beside"].items()))
    print(f"{args.entries:,} entries: CPU seconds, and MiB of memory on top")
    for kind in ATTRS:
        for what, row in found[kind].items():
            print(f"{kind:10}{what:8}{row['seconds']:8.2f} s{row['mib']:8.0f} MiB")


if __name__ == "__main__":
    main()
