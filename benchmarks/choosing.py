"""What ``auto`` costs and what it chooses: ``python benchmarks/choosing.py FOLDER [--together] [--json FILE]``.

FOLDER holds files that `codecs encode` takes: arrays, and a codec is chosen for each by itself; or, with ``--together``, the images of one
archive. For each there is a line: seconds of CPU time to choose a codec, and to encode with it, what was chosen, and the bytes of the
file, which is decoded again and compared. Everything is chosen for once before, so that kernels are compiled and loaded.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import codecs_core as cc
from codecs_core import media
from codecs_core.api.parallel import job_count
from codecs_core.api.saving.plan import Planned, plan
from codecs_core.limits import DEFAULT_LIMITS
from codecs_core.registry import default

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from codecs_core.media import Source


@dataclass(frozen=True, kw_only=True)
class Result:
    """How choosing went for what is in one file, or for all: seconds of CPU time, and bytes."""

    name: str
    raw: int
    choosing: float
    encoding: float
    chosen: str
    size: int

    def line(self) -> str:
        """One line of the table."""
        ratio = self.choosing / max(self.encoding, 1e-9)
        return (
            f"{self.name:28.28} {self.raw:11,} {self.choosing:8.2f} {self.encoding:8.2f} {ratio:6.2f} "
            f"{self.size:10,}  {self.chosen}"
        )


HEAD = f"{'data':28} {'bytes':>11} {'choosing':>8} {'encoding':>8} {'ratio':>6} {'file':>10}  codec"


def planned(data: Mapping[str, Source]) -> list[Planned]:
    """What `save` would write."""
    return plan(
        data,
        codec="auto",
        model=None,
        chunk=None,
        config=None,
        attrs=None,
        strict=True,
        jobs=job_count(None),
        registry=default(),
        limits=DEFAULT_LIMITS,
        embed_model=False,
        progress=None,
    ).items


def measure(name: str, data: Mapping[str, Source]) -> Result:
    """Choose, encode with what was chosen, decode and compare."""
    start = time.process_time()
    chosen = planned(data)
    middle = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.ccf")
        cc.save(path, data, codec={item.name: item.choice.codec for item in chosen})
        encoding, size = time.process_time() - middle, path.stat().st_size
        for entry, source in data.items():
            with cc.open(path) as file:
                if not np.array_equal(
                    file[entry].stored[...].view(np.uint8), np.ascontiguousarray(source.read()).view(np.uint8)
                ):
                    raise SystemExit(f"{name}, entry {entry!r}: other values came back")
    ids = sorted({_called(item) for item in chosen})
    raw = sum(source.spec.nbytes for source in data.values())
    return Result(name=name, raw=raw, choosing=middle - start, encoding=encoding, chosen=", ".join(ids), size=size)


def _called(item: Planned) -> str:
    model, config = item.choice.codec.model, item.choice.codec.config()
    settings = " ".join(f"{key}={value}" for key, value in config.items())
    return item.choice.codec.id + (f"/{model.name}" if model is not None else "") + (f" {settings}" if settings else "")


def parts(folder: Path, *, together: bool) -> dict[str, dict[str, Source]]:
    """What is chosen for, by its name."""
    paths = sorted(path for path in folder.iterdir() if path.suffix in (".npy", ".npz", ".png", ".webp"))
    if together:
        return {folder.name: media.read(paths)}
    return {path.stem: media.read([path]) for path in paths}


def main(arguments: Sequence[str] | None = None) -> None:
    """The program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--together", action="store_true", help="all files are one archive")
    parser.add_argument("--only", nargs="*", default=(), help="names of files, without suffixes")
    parser.add_argument("--json", type=Path, help="where to write the results as JSON")
    asked = parser.parse_args(arguments)
    held = parts(asked.folder, together=asked.together)
    held = {name: data for name, data in held.items() if not asked.only or name in asked.only}
    for data in held.values():
        planned(data)
    print(HEAD)
    results = []
    for name, data in held.items():
        results.append(measure(name, data))
        print(results[-1].line(), flush=True)
    total = Result(
        name="all",
        raw=sum(one.raw for one in results),
        choosing=sum(one.choosing for one in results),
        encoding=sum(one.encoding for one in results),
        chosen="",
        size=sum(one.size for one in results),
    )
    print(total.line())
    if asked.json:
        asked.json.write_text(json.dumps([asdict(one) for one in results], indent=1) + "\n")


if __name__ == "__main__":
    main()
