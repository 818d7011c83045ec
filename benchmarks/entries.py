"""What files of many entries cost: ``python benchmarks/entries.py [--entries 1000000]``.

Writes a file of arrays as they come from a folder of images, with attributes and without, and says how many CPU seconds it takes to
write it, to open it, to find each of a hundred entries, and to list it as ``codecs info`` does; and the memory that each of these needs
on top of what the interpreter and the libraries have, each in a process of its own.
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
    parser.add_argument("--one", nargs=2, metavar=("WHAT", "PATH"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        print(json.dumps(measured(*args.one, args.entries)))
        return
    print(f"{args.entries:,} entries: CPU seconds, and MiB of memory on top")
    with tempfile.TemporaryDirectory() as folder:
        for kind in ATTRS:
            path = f"{folder}/{kind}.ccf"
            for what in (f"write {kind}", "open", "find", "info"):
                command = [sys.executable, __file__, "--entries", str(args.entries), "--one", what, path]
                done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
                row = json.loads(done.stdout)
                print(f"{kind:10}{what.split()[0]:8}{row['seconds']:8.2f} s{row['mib']:8.0f} MiB", flush=True)


if __name__ == "__main__":
    main()
