"""The figures of the README, by kind of data: ``make figures DATA=FOLDER``.

FOLDER holds what `KINDS` names. Every size is that of a whole file, decoded again and compared. What was measured is kept in
``build/figures.json``, so that an interrupted run goes on where it was; the table of the README, ``docs/assets/sizes.svg`` and
``docs/assets/figures.json`` (with commit, machine and date) are written when all is there.
"""

from __future__ import annotations

import datetime
import json
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

import codecs_core as cc
from codecs_core.errors import CodecsError

ROOT = Path(__file__).parents[1]
MEASURED, FIGURES, PICTURE = (
    ROOT / name for name in ("build/figures.json", "docs/assets/figures.json", "docs/assets/sizes.svg")
)
README, BEGIN, END = ROOT / "README.md", "<!-- sizes: written by make figures -->", "<!-- end of the sizes -->"
#: Kinds of data, and the files of each; images of one kind go into one file.
KINDS: dict[str, tuple[str, ...]] = {
    "photographs": ("photos/full/*.webp",),
    "handwritten digits": ("mnist/mnist_test.npz",),
    "CT, MR, X-ray": ("arrays/med_*.npz",),
    "microscopy": ("arrays/mic_*.npz",),
    "satellites, telescopes": ("arrays/rs_*.npz", "arrays/ast_*.npz"),
    "climate, ocean": ("arrays/cli_*.npz",),
    "elevation": ("arrays/dem_*.npz",),
    "simulations": ("arrays/sim_*.npz",),
    "time series": ("arrays/ts_*.npz",),
    "sound": ("arrays/aud_*.npz",),
    "points": ("arrays/pts_*.npz",),
    "weights, embeddings": ("arrays/ml_*.npz",),
    "tables": ("arrays/tab_*.npz",),
    "labels": ("arrays/lab_*.npz",),
    "text": ("arrays/txt_*.npz",),
}
OURS = "auto"
#: What people use, and how the table calls it.
OTHERS = {"classic.zstd": "zstd", "classic.lzma": "xz", "classic.pcodec": "pcodec", "classic.jxl": "JPEG XL"}


@dataclass(frozen=True)
class Row:
    """Bytes of a kind of data: its values, with each codec (None where it refuses a file), and with the best other codec of each file."""

    kind: str
    raw: int
    sizes: dict[str, int | None]
    best: int

    @property
    def change(self) -> float:
        """Of `auto`, against the best other codec for each file."""
        return (self.sizes[OURS] or 0) / self.best - 1


def files(data: Path) -> Iterator[tuple[str, str, dict[str, NDArray[Any]]]]:
    """Kind, name and arrays of each file to be made."""
    for kind, patterns in KINDS.items():
        paths = sorted(path for pattern in patterns for path in data.glob(pattern))
        if paths and paths[0].suffix == ".webp":
            yield kind, kind, {path.stem: np.asarray(Image.open(path)) for path in paths}
            continue
        for path in paths:
            with np.load(path) as stored:
                yield kind, path.stem, {"": stored["images" if "images" in stored else "a"]}


def size(arrays: dict[str, NDArray[Any]], codec: str) -> int | None:
    """Bytes of the file; None if the codec does not take the arrays."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.ccf"
        longest = max(array.shape[0] if array.ndim else 1 for array in arrays.values())
        try:
            # what is not ours codes an array as a whole, which is to its advantage
            cc.save(path, arrays, codec=codec, chunk=None if codec == OURS else longest)
        except CodecsError:
            return None
        back = cc.load(path)
        found = back if isinstance(back, dict) else {"": back}
        for name, array in arrays.items():
            if found[name].dtype != array.dtype or found[name].tobytes() != np.ascontiguousarray(array).tobytes():
                raise AssertionError(f"{codec} did not give {name} back")
        return path.stat().st_size


def measure(data: Path) -> list[Row]:
    """All rows; what was measured before is not measured again."""
    MEASURED.parent.mkdir(exist_ok=True)
    known: dict[str, Any] = json.loads(MEASURED.read_text("utf-8")) if MEASURED.exists() else {}
    kinds: dict[str, list[dict[str, Any]]] = {kind: [] for kind in KINDS}
    for kind, name, arrays in files(data):
        found = known.setdefault(name, {"raw": sum(array.nbytes for array in arrays.values())})
        for codec in (*OTHERS, OURS):
            if codec not in found:
                found[codec] = size(arrays, codec)
                MEASURED.write_text(json.dumps(known), "utf-8")
        kinds[kind].append(found)
        print(kind, name, found, flush=True)
    return [_row(kind, found) for kind, found in kinds.items() if found]


def _row(kind: str, found: list[dict[str, Any]]) -> Row:
    sizes = {
        codec: None if any(one[codec] is None for one in found) else sum(one[codec] for one in found)
        for codec in (OURS, *OTHERS)
    }
    best = sum(min(one[codec] for codec in OTHERS if one[codec] is not None) for one in found)
    return Row(kind, sum(one["raw"] for one in found), sizes, best)


def table(rows: list[Row]) -> str:
    """The rows as Markdown, what saves most at the top."""
    heads = ["", "bytes", *OTHERS.values(), "`auto`", "against the best of the four for each file"]
    lines = [f"| {' | '.join(heads)} |", f"|---|{'--:|' * (len(heads) - 1)}"]
    for row in sorted(rows, key=lambda row: row.change):
        cells = [f"{n:,}" if (n := row.sizes[codec]) is not None else "–" for codec in (*OTHERS, OURS)]
        change = f"{row.change:+.1%}".replace("-", "\N{MINUS SIGN}")
        lines.append(f"| {row.kind} | {row.raw:,} | {' | '.join(cells)} | {change} |")
    return "\n".join(lines)


def draw(rows: list[Row]) -> None:
    """Bars: bytes against the best other codec for each file."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "codecs-core"  # the same picture from the same figures
    from matplotlib import pyplot as plt

    ordered = sorted(rows, key=lambda row: -row.change)
    figure, axes = plt.subplots(figsize=(7.2, 0.32 * len(rows) + 0.9), layout="constrained")
    shares = [100 * (1 + row.change) for row in ordered]
    axes.barh([row.kind for row in ordered], shares, color=["#3949ab" if s <= 100 else "#c62828" for s in shares])
    axes.axvline(100, color="#616161", linewidth=1)
    for k, share in enumerate(shares):
        axes.text(share + 0.7, k, f"{share:.0f}", va="center", fontsize="small")
    axes.set_xlim(0, max(110.0, max(shares) + 8))
    axes.set_xlabel("per cent of the best of zstd, xz, pcodec and JPEG XL for each array")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(PICTURE, metadata={"Date": None})


def main() -> int:
    """Measure, and write."""
    if len(sys.argv) != 2 or not Path(sys.argv[1]).is_dir():
        print(
            "make figures DATA=FOLDER: a folder with the data that scripts/figures.py names is needed", file=sys.stderr
        )
        return 2
    rows = measure(Path(sys.argv[1]))
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    about = {
        "commit": commit.stdout.strip(),
        "machine": f"{platform.machine()}, Python {platform.python_version()}",
        "date": datetime.datetime.now(tz=datetime.UTC).date().isoformat(),
    }
    FIGURES.write_text(json.dumps({**about, "rows": [vars(row) for row in rows]}, indent=1) + "\n", "utf-8")
    draw(rows)
    text = README.read_text("utf-8")
    before, after = text[: text.index(BEGIN) + len(BEGIN)], text[text.index(END) :]
    note = f"Bytes of whole files, each decoded again and compared; commit {about['commit']}, {about['date']}."
    README.write_text(f"{before}\n{table(rows)}\n\n{note}\n{after}", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
