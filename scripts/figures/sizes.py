"""What people may expect: bytes of files by kind of data, beside the codecs that are used most, and of the samples with every codec.

Every size is that of a whole file, decoded again and compared.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

import codecs_core as cc
from codecs_core import media
from codecs_core.errors import CodecsError

ROOT = Path(__file__).parents[2]
#: Calls a function under a name, or remembers what it gave in an earlier run.
Once = Callable[..., Any]
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


def by_kind(data: Path, once: Once) -> list[dict[str, Any]]:
    """For each kind of data the bytes of its values, with each codec, and with the best other one for each file.

    A codec that refuses one of the files has None.
    """
    kinds: dict[str, list[dict[str, Any]]] = {kind: [] for kind in KINDS}
    for kind, name, arrays in files(data):
        raw = sum(array.nbytes for array in arrays.values())
        sizes = {codec: once(f"{name} {codec}", size, arrays, codec) for codec in (*OTHERS, OURS)}
        kinds[kind].append({"raw": raw, **sizes})
    return [_row(kind, found) for kind, found in kinds.items() if found]


def _row(kind: str, found: list[dict[str, Any]]) -> dict[str, Any]:
    sizes = {
        codec: None if any(one[codec] is None for one in found) else sum(one[codec] for one in found)
        for codec in (OURS, *OTHERS)
    }
    best = sum(min(one[codec] for codec in OTHERS if one[codec] is not None) for one in found)
    return {"kind": kind, "raw": sum(one["raw"] for one in found), "sizes": sizes, "best": best}


def change(row: dict[str, Any]) -> float:
    """Of `auto`, against the best other codec for each file."""
    return float(row["sizes"][OURS] / row["best"] - 1)


def kinds_table(rows: list[dict[str, Any]]) -> str:
    """The rows as Markdown, what saves most at the top."""
    heads = ["", "bytes", *OTHERS.values(), "`auto`", "against the best of the four for each file"]
    lines = [f"| {' | '.join(heads)} |", f"|---|{'--:|' * (len(heads) - 1)}"]
    for row in sorted(rows, key=change):
        cells = [f"{n:,}" if (n := row["sizes"][codec]) is not None else "–" for codec in (*OTHERS, OURS)]
        saved = f"{change(row):+.1%}".replace("-", "\N{MINUS SIGN}")
        lines.append(f"| {row['kind']} | {row['raw']:,} | {' | '.join(cells)} | {saved} |")
    return "\n".join(lines)


#: Columns of the table of samples: where they lie, and the codecs that are shown.
SAMPLES = {"1,000 digits": "mnist.idx.gz", "binarised": "mnist-binary.npz", "2 photographs": "photos"}
CODECS = {
    "ar.stack": "",
    "ar.image": "",
    "idf.image": "",
    "bbans.vae": "",
    "rec.vae-lossless": "",
    "lbb.flow": "",
    "classic.lzma": "xz",
    "classic.jxl": "JPEG XL",
    "classic.webp": "",
    "classic.png": "",
}


def of_samples(once: Once) -> dict[str, dict[str, float | None]]:
    """Bits per value of the samples of this repository with every codec; None where it refuses them."""
    found: dict[str, dict[str, float | None]] = {}
    for name, where in SAMPLES.items():
        arrays = {key: source.read() for key, source in media.read([ROOT / "samples" / where]).items()}
        values = sum(array.size for array in arrays.values())
        found[name] = {}
        for codec in CODECS:
            total = once(f"{where} {codec}", size, arrays, codec)
            found[name][codec] = None if total is None else 8 * total / values
    return found


def samples_table(found: dict[str, dict[str, float | None]]) -> str:
    """A line for each codec; the least of a column is bold."""
    least = {name: min(v for v in column.values() if v is not None) for name, column in found.items()}
    lines = [f"| | {' | '.join(found)} |", f"|---|{'--:|' * len(found)}"]
    for codec, known in CODECS.items():
        values = [(column[codec], least[name]) for name, column in found.items()]
        cells = ["–" if v is None else f"**{v:.3f}**" if v == best else f"{v:.3f}" for v, best in values]
        lines.append(f"| `{codec}`{f' ({known})' if known else ''} | {' | '.join(cells)} |")
    return "\n".join(lines)


def draw(rows: list[dict[str, Any]], picture: Path) -> None:
    """Bars: bytes against the best other codec for each file."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "codecs-core"  # the same picture from the same figures
    from matplotlib import pyplot as plt

    ordered = sorted(rows, key=change, reverse=True)
    figure, axes = plt.subplots(figsize=(7.2, 0.32 * len(rows) + 0.9), layout="constrained")
    shares = [100 * (1 + change(row)) for row in ordered]
    axes.barh([row["kind"] for row in ordered], shares, color=["#3949ab" if s <= 100 else "#c62828" for s in shares])
    axes.axvline(100, color="#616161", linewidth=1)
    for k, share in enumerate(shares):
        axes.text(share + 0.7, k, f"{share:.0f}", va="center", fontsize="small")
    axes.set_xlim(0, max(110.0, max(shares) + 8))
    axes.set_xlabel("per cent of the best of zstd, xz, pcodec and JPEG XL for each array")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(picture, metadata={"Date": None})
