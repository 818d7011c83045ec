"""The figures of ``bbans.hvae``: ``python benchmarks/hvae.py MODEL DATA... [--alone N] [--json]``.

DATA are images, folders of them, or .npy files; sprites of 1600 x 1600 are cut into the 32 x 32 images that they hold.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from codecs_bbans.hvae.codec import HierarchicalCodec
from codecs_bbans.hvae.model import Hierarchy
from codecs_bbans.hvae.phases import split
from idf import classical, images
from lbb import timed_networks
from numpy.typing import NDArray

import codecs_core as cc
from codecs_core.arrays import ArraySpec
from codecs_core.entropy import Message
from codecs_core.exact import colour_forward, extent

Found = dict[str, Any]
REPEATS = 5
#: Images of the timing.
BATCH = 64


def whole(codec: HierarchicalCodec, arrays: dict[str, NDArray[np.uint8]], jobs: int | None) -> Found:
    """One file of all images, decoded again and compared."""
    values = sum(x.size for x in arrays.values())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "figures.ccf"
        cc.save(path, arrays if len(arrays) > 1 else next(iter(arrays.values())), codec=codec, jobs=jobs)
        loaded = cc.load(path, models=codec.model, jobs=jobs)
        size = path.stat().st_size
    back = loaded if isinstance(loaded, dict) else {next(iter(arrays)): loaded}
    same = all(np.array_equal(back[name], x) for name, x in arrays.items())
    return {"values": values, "decoded_equal": same, "bytes": size, "bits_per_value": 8 * size / values}


def alone(codec: HierarchicalCodec, items: list[NDArray[np.uint8]]) -> Found:
    """Each image a payload: its bytes over the evidence bound, and what they were if its latents were drawn with bits of their own."""
    hierarchy: Hierarchy = codec._hierarchy
    bound, payload, plain = 0.0, 0, 0
    for x in items:
        z = colour_forward(x[None])
        bound += hierarchy.codec(*z.shape[:3]).push_counted(Message(), z)
        payload += len(codec.encode(x))
        message, ((first,), *rest) = Message(), split(z)
        hierarchy.first(1, extent(0, z.shape[1:3])).push(message, first)
        hierarchy.rest.codec(z.shape[1:3], [first]).push(message, tuple(rest))
        plain += len(message.to_bytes())
    values = sum(x.size for x in items)
    return {
        "images": len(items),
        "bound_bits_per_value": bound / values,
        "payload_over_bound": 8 * payload / bound - 1,
        "with_initial_bits_over_bound": 8 * plain / bound - 1,
    }


def speed(codec: HierarchicalCodec, x: NDArray[np.uint8]) -> Found:
    """Encoding and decoding one chunk on one thread, over the networks within it: medians of the ratios."""
    spec, payload, found = ArraySpec.of(x), codec.encode(x), Found()
    works: dict[str, Callable[[], Any]] = {
        "encode": lambda: codec.encode(x),
        "decode": lambda: codec.decode(payload, spec),
    }
    for name, work in works.items():
        work()
        ratios, totals = [], []
        for _ in range(REPEATS):
            with timed_networks() as passes:
                start = time.thread_time()
                work()
                totals.append(time.thread_time() - start)
            ratios.append(totals[-1] / sum(passes))
        found[f"{name}_over_networks"] = float(np.median(ratios))
        found[f"{name}_mb_per_second"] = x.nbytes / 1e6 / min(totals)
    return found


def ladder(codec: HierarchicalCodec, x: NDArray[np.uint8]) -> list[Found]:
    """What each number of levels shows: bits per pixel that their latents tell of the images, and PSNR of the preview."""
    hierarchy: Hierarchy = codec._hierarchy
    (first,), *_ = split(colour_forward(x))
    told = hierarchy.divergences(first)
    payload, spec, rungs = codec.encode(x), ArraySpec.of(x), []
    for levels in range(1, len(hierarchy.levels) + 1):
        shown = codec.preview(payload, spec, levels)
        error = np.square(shown.astype(np.float64) - x).mean()
        rungs.append(
            {
                "levels": levels,
                "bits_per_pixel": sum(told[:levels]) / math.prod(x.shape[:3]),
                "psnr": float(10 * np.log10(255**2 / error)),
            }
        )
    return rungs


def measure(arguments: argparse.Namespace) -> Found:
    """Everything that is measured."""
    arrays = images(arguments.data)
    codec = cc.get_codec("bbans.hvae", model=arguments.model)
    if not isinstance(codec, HierarchicalCodec):
        raise SystemExit("bbans.hvae is another codec")
    items = [item for x in arrays.values() for item in (x if x.ndim == 4 else [x])]
    batch = next((x[:BATCH] for x in arrays.values() if x.ndim == 4), items[0][None])
    found: Found = {"model": codec.learnt.name, "sha256": codec.learnt.sha256, "model_bytes": len(codec.learnt.data)}
    found["file"] = whole(codec, arrays, arguments.jobs)
    found["alone"] = alone(codec, items[: arguments.alone])
    found["speed"] = speed(codec, batch)
    found["ladder"] = ladder(codec, batch)
    if not arguments.no_classical:
        sizes = classical(arrays, [7])
        found["classical"] = {name: 8 * size / found["file"]["values"] for name, size in sizes.items()}
    return found


def main() -> int:
    """Measure and print; the exit status is 1 if a file did not decode to what was encoded."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", help="name or path")
    parser.add_argument("data", type=Path, nargs="+")
    parser.add_argument("--alone", type=int, default=100, help="code the first N images by themselves, too")
    parser.add_argument("--no-classical", action="store_true")
    parser.add_argument("--jobs", type=int)
    parser.add_argument("--json", action="store_true")
    found = measure(arguments := parser.parse_args())
    print(json.dumps(found, indent=2) if arguments.json else "\n".join(f"{k}: {v}" for k, v in found.items()))
    return 0 if found["file"]["decoded_equal"] else 1


if __name__ == "__main__":
    sys.exit(main())
