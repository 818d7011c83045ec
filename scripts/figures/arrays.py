"""Tables of real arrays: sizes of `ar.array` over those of classical codecs, of `ar.bounded` over those of SZ3, and with profiles."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from cells import markdown

#: Kinds of data, and what the names of their arrays begin with.
KINDS = {
    "weights, embeddings": ("ml",),
    "astronomy": ("ast",),
    "audio": ("aud",),
    "climate": ("cli",),
    "labels": ("lab",),
    "medical": ("med",),
    "microscopy": ("mic",),
    "photographs, HDR, disparity": ("pho", "hdr"),
    "points": ("pts",),
    "remote sensing, elevation": ("rs", "dem"),
    "simulation": ("sim",),
    "tables": ("tab",),
    "text": ("txt",),
    "time series": ("ts",),
}
#: Kinds that say little about numerical arrays.
OTHER = ("weights, embeddings", "labels", "tables", "text")
LEVELS = ("standard", "fast", "smallest")
PCODEC = "pcodec-12"
BOUNDS = {"0.01": "1 % of the range", "0.001": "0.1 %", "0.0001": "0.01 %"}


def by_kind(names: Iterable[str]) -> dict[str, list[str]]:
    """The names of each kind that has any; then of all numerical arrays, if others are among them, and of all."""
    known = list(names)
    kinds = {kind: [name for name in known if name.split("_")[0] in start] for kind, start in KINDS.items()}
    others = {name for kind in OTHER for name in kinds[kind]}
    kinds["all but weights, labels, tables, text"] = [name for name in known if name not in others]
    return {kind: found for kind, found in kinds.items() if found} | {"all": known}


def mean(values: Iterable[float]) -> float:
    """Geometric mean."""
    logs = [math.log(value) for value in values]
    return math.exp(sum(logs) / len(logs))


def speed(arrays: Iterable[dict[str, Any]], level: str, way: int) -> float:
    """Megabytes a second of processor time, of some arrays together; way 1 encodes, 2 decodes."""
    known = list(arrays)
    seconds = sum(array["bytes"] / 1e6 / array[level][way] for array in known)
    return float(sum(array["bytes"] for array in known) / 1e6 / seconds)


def arrays_table(found: dict[str, Any]) -> str:
    """Sizes over that of the best classical codec for each array, and speeds."""
    arrays: dict[str, Any] = found["arrays"]
    rows = []
    for kind, names in by_kind(arrays).items():
        over = [mean(arrays[n][level][0] / min(arrays[n]["baselines"].values()) for n in names) for level in LEVELS]
        rows.append([kind, str(len(names)), *(f"{ratio:.3f}" for ratio in over)])
    over = [mean(array[level][0] / array["baselines"][PCODEC] for array in arrays.values()) for level in LEVELS]
    rows.append(["all, over pcodec at level 12", str(len(arrays)), *(f"{ratio:.3f}" for ratio in over)])
    for name, dtype in (("all", ""), ("those of float32", "float32"), ("those of uint8", "uint8")):
        some = [array for array in arrays.values() if array["dtype"].startswith(dtype)]
        speeds = [f"{speed(some, level, 1):.3g}, {speed(some, level, 2):.3g}" for level in LEVELS]
        rows.append([f"{name}: MB/s of processor time, encoding, decoding", str(len(some)), *speeds])
    auto = mean(
        one["size"] / (min(arrays[one["name"]]["baselines"].values()) / 8 * arrays[one["name"]]["values"])
        for one in found["auto"]
    )
    choosing = sum(one["choosing"] for one in found["auto"]) / sum(one["encoding"] for one in found["auto"])
    told = (
        f"Whole files by `auto`, with all that is told of the files that the arrays came in, take {auto:.3f} of the bytes of the best "
        f"of these payloads, in the mean; choosing takes {choosing:.0%} of the time of encoding."
    )
    return markdown(["kind", "arrays", *LEVELS], rows) + f"\n\n{told}"


def bounded_table(found: dict[str, Any]) -> str:
    """Sizes over those of SZ3 at the same bound, of the arrays where it keeps it."""
    arrays: dict[str, Any] = found["arrays"]
    taken = [name for name, bounds in arrays.items() if all(sizes["sz3"][1] for sizes in bounds.values())]
    rows = []
    for kind, names in by_kind(taken).items():
        over = [mean(arrays[n][bound]["ar.bounded"][0] / arrays[n][bound]["sz3"][0] for n in names) for bound in BOUNDS]
        rows.append([kind, str(len(names)), *(f"{ratio:.2f}" for ratio in over)])
    zfp = [
        (sizes["ar.bounded"][0] / sizes["zfp"][0])
        for bounds in arrays.values()
        for sizes in bounds.values()
        if sizes["zfp"][1]
    ]
    kept = f"zfp keeps the bound in {len(zfp)} of {3 * len(arrays)} cases, where `ar.bounded` takes {mean(zfp):.2f} of its size."
    return markdown(["kind", "arrays", *BOUNDS.values()], rows) + f"\n\n{kept}"


def profiles_table(found: dict[str, Any]) -> str:
    """Sizes with profiles over those without, in small chunks, then of large chunks over arrays in one."""
    ways = {"general": "`general`", "own": "one of its own", "general, where own": "`general`, on the same arrays"}
    large = {"without": "in chunks of 1 MB against one, without a profile", "general": "the same, with `general`"}
    rows = [
        [label, f"{int(nbytes) >> 10} kB", found[nbytes][nbytes][way]]
        for nbytes, labels in (("4096", ways), ("16384", ways), ("1048576", large))
        for way, label in labels.items()
    ]
    cells = [
        [label, nbytes, row["arrays"], *(f"{row[key]:+.2%}" for key in ("mean", "least", "most"))]
        for label, nbytes, row in rows
    ]
    return markdown(["", "chunks", "arrays", "mean", "least", "most"], cells)
