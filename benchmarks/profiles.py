"""What chunks cost, with a profile and without: ``python benchmarks/profiles.py FOLDER NAME ... [--model MODEL] [--chunk BYTES ...]``.

FOLDER holds .npy files, or .npz files with one array each; the named ones are taken. Each array is cut along its first axis into
chunks of about the bytes given. At most 12 of them, evenly spread, are coded by ``ar.array``, decoded, and compared. Where all
chunks are coded, what they are together is also set against the array in one.
"""

from __future__ import annotations

import argparse
import math
import sys

sys.path.pop(0)  # this folder, whose array.py would hide the module array of Python

from pathlib import Path
from typing import Any

import numpy as np
from codecs_ar.array.codec import ArrayCodec
from numpy.typing import NDArray

import codecs_core as cc
from codecs_core import ArraySpec

MOST = 12


def load(file: Path) -> NDArray[Any]:
    loaded = np.load(file)
    array = loaded if isinstance(loaded, np.ndarray) else loaded[loaded.files[0]]
    return np.ascontiguousarray(np.squeeze(array))


def size(codec: cc.Codec, arrays: list[NDArray[Any]]) -> int:
    total = 0
    for array in arrays:
        payload = codec.encode(array)
        if codec.decode(payload, ArraySpec.of(array)).tobytes() != array.tobytes():
            raise SystemExit("a payload was decoded to something else")
        total += len(payload)
    return total


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="+")
    parser.add_argument("--model", default="general")
    parser.add_argument("--chunk", type=int, nargs="+", default=[1 << 12, 1 << 14, 1 << 16, 1 << 20])
    chosen = parser.parse_args()
    plain, profiled = ArrayCodec(), cc.get_codec("ar.array", model=chosen.model)
    for nbytes in chosen.chunk:
        gains, costs = [], []
        for name in chosen.names:
            [file, *_] = chosen.folder.glob(f"{name}.np[yz]")
            array = load(file)
            items = max(1, round(nbytes * len(array) / array.nbytes))
            cuts = [array[i : i + items] for i in range(0, len(array), items)]
            some = cuts[:: math.ceil(len(cuts) / MOST)]
            without, with_ = size(plain, some), size(profiled, some)
            gains.append(with_ / without)
            line = f"{name:20}{some[0].nbytes:>10} bytes a chunk, with the profile {with_ / without - 1:+.2%}"
            if len(some) == len(cuts) > 1:
                whole = size(plain, [array])
                costs.append((without / whole, with_ / whole))
                line += f"; all chunks over the array in one: {without / whole - 1:+.2%}, {with_ / whole - 1:+.2%}"
            print(line, flush=True)
        print(f"{nbytes} bytes: {math.exp(sum(map(math.log, gains)) / len(gains)) - 1:+.2%} (geometric mean)")
        for what, values in zip(("without", "with"), zip(*costs, strict=True), strict=False):
            print(f"  over the array in one, {what}: {math.exp(sum(map(math.log, values)) / len(values)) - 1:+.2%}")


if __name__ == "__main__":
    main()
