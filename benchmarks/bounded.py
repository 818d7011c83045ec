"""Sizes of ``ar.bounded`` beside SZ3 and zfp at the same bound: ``python benchmarks/bounded.py FOLDER [NAME ...] [--effort LEVEL]``.

FOLDER holds .npy files, or .npz files with one array each; those of float32 and float64 are taken, and of these the named ones, if any
are. Bounds are absolute, 1e-2, 1e-3 and 1e-4 of the range of the values (of finite ones below 1e10 in magnitude: larger ones stand for
what is missing). Sizes are bits per value of the payload alone. Every payload is decoded again, and every value compared: `!` is
put behind the size where the bound is broken, and such a size takes no part in the means.
"""

from __future__ import annotations

import argparse
import math
import sys

sys.path.pop(0)  # this folder, whose array.py would hide the module array of Python

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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--effort", default="standard")
    chosen = parser.parse_args()
    coders: dict[str, Coder] = {"ar.bounded": ours(chosen.effort), "sz3": sz3, "zfp": zfp}
    print(f"{'array':24}{'shape':>18}{'bound':>12}" + "".join(f"{name:>13}" for name in coders) + f"{'over best':>11}")
    ratios: dict[float, dict[str, list[float]]] = {part: {"sz3": [], "zfp": [], "best": []} for part in BOUNDS}
    for file in sorted((*chosen.folder.glob("*.npy"), *chosen.folder.glob("*.npz"))):
        if chosen.names and file.stem not in chosen.names:
            continue
        a = load(file)
        if a.dtype not in (np.float32, np.float64):
            continue
        usual = a[np.isfinite(a) & (np.abs(a) < 1e10)]
        for part in BOUNDS:
            bound = part * float(usual.max() - usual.min())
            sizes, cells = {}, ""
            for name, code in coders.items():
                size, decoded = code(a, bound)
                good = kept(a, decoded, bound)
                if not good and name == "ar.bounded":
                    raise SystemExit(f"{file.stem}: ar.bounded broke the bound {bound}")
                cells += f"{8 * size / a.size:12.4f}{' ' if good else '!'}"
                if good:
                    sizes[name] = size
            peers = {name: size for name, size in sizes.items() if name != "ar.bounded"}
            peers["best"] = min(peers.values(), default=0)
            for name, size in peers.items():
                if size:
                    ratios[part][name].append(sizes["ar.bounded"] / size)
            best = sizes["ar.bounded"] / peers["best"] if peers["best"] else math.nan
            print(f"{file.stem:24}{'x'.join(map(str, a.shape)):>18}{bound:12.4g}{cells}{best:11.3f}", flush=True)
    for part in (*BOUNDS, None):
        for name in ("sz3", "zfp", "best"):
            values = [ratio for p in BOUNDS if part in (p, None) for ratio in ratios[p][name]]
            if values:
                mean = math.exp(sum(map(math.log, values)) / len(values))
                of = f"{part:g} of the range" if part else "all bounds"
                print(f"ar.bounded over {name:5} {of:22} {mean:.4f} (geometric mean over {len(values)})")


if __name__ == "__main__":
    main()
