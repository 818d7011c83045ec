"""What profiles of ``ar.array`` gain, and what chunks cost: ``python benchmarks/profiles.py FOLDER [--chunk BYTES ...] [--json]``.

FOLDER holds .npz files with one array each; those that the profile ``general`` learnt from are left out. Each array is cut along its
first axis into chunks of 4 and 16 kB, or of one item, if that is more, and at most 12 of them, evenly spread, are coded by ``ar.array``,
decoded, and compared: with ``general``, and with a profile that learnt from at most 100 chunks of the first half of the same array, which
is tried on the second half alone. Chunks of a megabyte are set against the array in one, where it is larger.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from codecs_ar.array.codec import ArrayCodec
from codecs_ar.array.train import train
from numpy.typing import NDArray

import codecs_core as cc
from codecs_core import ArraySpec

Array = NDArray[Any]
#: Chunks that are coded, and chunks that a profile learns from, at most.
MOST, TAUGHT = 12, 100
LARGE = 1 << 20


def chunks(array: Array, nbytes: int) -> list[Array]:
    items = max(1, round(nbytes * len(array) / array.nbytes))
    return [array[i : i + items] for i in range(0, len(array), items)]


def some(cuts: Sequence[Array], most: int) -> Sequence[Array]:
    """At most this number of them, evenly spread."""
    return cuts[:: math.ceil(len(cuts) / most)]


def size(codec: cc.Codec, arrays: Sequence[Array]) -> int:
    """Bytes of the payloads, which are decoded and compared."""
    total = 0
    for array in arrays:
        payload = codec.encode(array)
        if codec.decode(payload, ArraySpec.of(array)).tobytes() != array.tobytes():
            raise SystemExit("a payload was decoded to something else")
        total += len(payload)
    return total


def summary(ratios: Sequence[float]) -> dict[str, float]:
    """How many arrays, and how much larger they became: geometric mean, least and most."""
    mean = math.exp(sum(map(math.log, ratios)) / len(ratios))
    return {"arrays": len(ratios), "mean": mean - 1, "least": min(ratios) - 1, "most": max(ratios) - 1}


def in_small_chunks(arrays: dict[str, Array], nbytes: int) -> dict[str, dict[str, float]]:
    """What profiles gain in chunks of this size."""
    plain, general = ArrayCodec(), cc.get_codec("ar.array", model="general")
    ratios: dict[str, list[float]] = {"general": [], "own": [], "general, where own": []}
    for name, array in arrays.items():
        cuts = chunks(array, nbytes)
        tried = some(cuts, MOST)
        ratios["general"].append(size(general, tried) / size(plain, tried))
        if len(cuts) < 2 * MOST:
            continue
        first, second = some(cuts[: len(cuts) // 2], TAUGHT), some(cuts[len(cuts) // 2 :], MOST)
        if np.unique(np.concatenate(first)).size == 1:  # nothing to learn
            continue
        own = cc.get_codec("ar.array", model=train(first, budget=math.inf))
        without = size(plain, second)
        for way, codec in ("own", own), ("general, where own", general):
            ratios[way].append(size(codec, second) / without)
        print(f"{name}, {nbytes} bytes: own profile {ratios['own'][-1] - 1:+.2%}", file=sys.stderr, flush=True)
    return {way: summary(found) for way, found in ratios.items()}


def in_large_chunks(arrays: dict[str, Array], nbytes: int) -> dict[str, dict[str, float]]:
    """What chunks of this size cost against the array in one."""
    ways = {"without": ArrayCodec(), "general": cc.get_codec("ar.array", model="general")}
    ratios: dict[str, list[float]] = {way: [] for way in ways}
    for name, array in arrays.items():
        cuts = chunks(array, nbytes)
        if len(cuts) < 2:
            continue
        whole = size(ways["without"], [array])
        for way, codec in ways.items():
            ratios[way].append(size(codec, cuts) / whole)
        print(f"{name}, {len(cuts)} chunks: {ratios['without'][-1] - 1:+.2%}", file=sys.stderr, flush=True)
    return {way: summary(found) for way, found in ratios.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--chunk", type=int, nargs="+", default=[1 << 12, 1 << 14, LARGE], metavar="BYTES")
    parser.add_argument("--json", action="store_true", help="everything, for a program")
    chosen = parser.parse_args()
    learnt = cc.load_model("general", codec="ar.array").attrs["command"].split()
    arrays = {}
    for file in sorted(chosen.folder.glob("*.npz")):
        with np.load(file) as stored:
            if file.stem not in learnt:
                arrays[file.stem] = np.ascontiguousarray(np.squeeze(stored[stored.files[0]]))
    found = {str(n): (in_small_chunks if n < LARGE else in_large_chunks)(arrays, n) for n in chosen.chunk}
    if chosen.json:
        print(json.dumps(found))
        return
    for nbytes, ways in found.items():
        for way, row in ways.items():
            print(f"{nbytes:>8} bytes a chunk, {way:20}{row['arrays']:4} arrays", end="")
            print(f"{row['mean']:+8.2%} ({row['least']:+.2%} to {row['most']:+.2%})")


if __name__ == "__main__":
    main()
