"""Sizes of ``ar.bounded`` beside SZ3 and zfp at the same bound: ``python benchmarks/bounded.py FOLDER [NAME ...] [--effort LEVEL]``,
or with ``--json`` for a program.

FOLDER holds .npy files, or .npz files with one array each; those of float32 and float64 are taken, and of these the named ones, if any
are. Bounds are absolute, 1e-2, 1e-3 and 1e-4 of the range of the values (of finite ones below 1e10 in magnitude: larger ones stand for
what is missing). Sizes are bits per value of the payload alone. Every payload is decoded again, and every value compared: `!` is
put behind the size where the bound is broken, and such a size takes no part in the means.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from codecs_ar.array.bounded import BoundedCodec
from numpy.typing import NDArray

from codecs_core.arrays import ArraySpec

BOUNDS = (1e-2, 1e-3, 1e-4)
Coder = Callable[[NDArray[Any], float], tuple[int, NDArray[Any]]]


def ours(effort: str) -> Coder:
    def code(a: NDArray[Any], bound: float) -> tuple[int, NDArray[Any]]:
        codec = BoundedCodec(max_error=bound, effort=effort)
        payload = codec.encode(a)
        return len(payload), codec.decode(payload, ArraySpec.of(a))

    return code


def sz3(a: NDArray[Any], bound: float) -> tuple[int, NDArray[Any]]:
    imagecodecs = import_module("imagecodecs")
    payload = imagecodecs.sz3_encode(a, mode="abs", abs=bound)
    return len(payload), imagecodecs.sz3_decode(payload, shape=a.shape, dtype=a.dtype)


def zfp(a: NDArray[Any], bound: float) -> tuple[int, NDArray[Any]]:
    imagecodecs = import_module("imagecodecs")
    payload = imagecodecs.zfp_encode(a, mode="accuracy", level=bound)
    return len(payload), imagecodecs.zfp_decode(payload)


def kept(a: NDArray[Any], decoded: NDArray[Any], bound: float) -> bool:
    """Whether no value is off by more, as longer floats tell, and what is no finite number came back."""
    a, decoded, finite = a.reshape(-1), decoded.reshape(-1), np.isfinite(a.reshape(-1))
    with np.errstate(all="ignore"):
        off = np.abs(a[finite].astype(np.longdouble) - decoded[finite].astype(np.longdouble))
    return bool(np.all(off <= np.longdouble(bound))) and np.array_equal(a[~finite], decoded[~finite], equal_nan=True)


def load(file: Path) -> NDArray[Any]:
    loaded = np.load(file)
    array = loaded if isinstance(loaded, np.ndarray) else loaded[loaded.files[0]]
    return np.ascontiguousarray(np.squeeze(array))


def measure(a: NDArray[Any], coders: dict[str, Coder]) -> dict[float, dict[str, tuple[float, bool]]]:
    """For each share of the range, and each codec, bits per value, and whether it kept the bound."""
    usual = a[np.isfinite(a) & (np.abs(a) < 1e10)]
    found: dict[float, dict[str, tuple[float, bool]]] = {}
    for part in BOUNDS:
        bound, found[part] = part * float(usual.max() - usual.min()), {}
        for name, code in coders.items():
            size, decoded = code(a, bound)
            found[part][name] = 8 * size / a.size, kept(a, decoded, bound)
        if not found[part]["ar.bounded"][1]:
            raise SystemExit(f"ar.bounded broke the bound {bound}")
    return found


def ratios(found: dict[str, dict[float, dict[str, tuple[float, bool]]]], part: float, peer: str) -> list[float]:
    """Sizes of ours over those of a peer, or of the best one, where it kept the bound."""
    values = []
    for bounds in found.values():
        sizes = {name: size for name, (size, good) in bounds[part].items() if good}
        own = sizes.pop("ar.bounded")
        other = min(sizes.values(), default=None) if peer == "best" else sizes.get(peer)
        if other is not None:
            values.append(own / other)
    return values


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--effort", default="standard")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    coders: dict[str, Coder] = {"ar.bounded": ours(chosen.effort), "sz3": sz3, "zfp": zfp}
    lines = sys.stderr if chosen.json else sys.stdout
    found = {}
    for file in sorted((*chosen.folder.glob("*.npy"), *chosen.folder.glob("*.npz"))):
        if chosen.names and file.stem not in chosen.names:
            continue
        a = load(file)
        if a.dtype in (np.float32, np.float64):
            found[file.stem] = measure(a, coders)
            for part, sizes in found[file.stem].items():
                cells = "  ".join(f"{name} {bits:.4f}{'' if good else '!'}" for name, (bits, good) in sizes.items())
                print(f"{file.stem:24}{part:8g}  {cells}", file=lines, flush=True)
    if chosen.json:
        print(json.dumps(found))
        return
    for peer in ("sz3", "zfp", "best"):
        every = [value for part in BOUNDS for value in ratios(found, part, peer)]
        for of, values in [(f"{part:g} of the range", ratios(found, part, peer)) for part in BOUNDS] + [("all", every)]:
            if values:
                mean = math.exp(sum(map(math.log, values)) / len(values))
                print(f"ar.bounded over {peer:5} {of:18} {mean:.4f} (geometric mean over {len(values)})")


if __name__ == "__main__":
    main()
