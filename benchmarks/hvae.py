"""The figures of ``bbans.hvae``: ``python benchmarks/hvae.py MODEL DATA... [--alone N] [--ladder] [--json]``.

DATA are images, folders of them, or .npy files; sprites of 1600 x 1600 are cut into the 32 x 32 images that they hold.
"""

from __future__ import annotations

import argparse
import io
import json
import math
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
from codecs_bbans.hvae.codec import HierarchicalCodec
from codecs_bbans.hvae.model import Hierarchy
from codecs_bbans.hvae.phases import split
from idf import classical, images
from lbb import timed_networks
from numpy.typing import NDArray
from PIL import Image

import codecs_core as cc
from codecs_core import Model
from codecs_core.arrays import ArraySpec
from codecs_core.entropy import Message
from codecs_core.exact import colour_forward, extent

Found = dict[str, Any]
REPEATS = 5
#: Images of the timing, and those whose levels are looked at.
BATCH, RUNGS = 64, 1000
#: Images of fewer rows are small.
SMALL = 100


def webp(x: NDArray[np.uint8], quality: int) -> bytes:
    """A picture as a lossy file of WebP."""
    out = io.BytesIO()
    Image.fromarray(x).save(out, format="WEBP", quality=quality, method=6)
    return out.getvalue()


def jpeg_xl(x: NDArray[np.uint8], tenths: int) -> bytes:
    """A picture as a lossy file of JPEG XL."""
    return bytes(imagecodecs.jpegxl_encode(x, distance=tenths / 10, effort=7))


#: How to encode and to decode, and the settings from small files to large ones.
LOSSY = {
    "WebP": (webp, lambda data: np.asarray(Image.open(io.BytesIO(data)).convert("RGB")), range(101)),
    "JPEG XL": (jpeg_xl, imagecodecs.jpegxl_decode, range(250, 0, -1)),
}


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


def ladder(model: Model, items: list[NDArray[np.uint8]]) -> list[Found]:
    """What each number of levels keeps, by ``bbans.hvae-lossy``, beside WebP and JPEG XL at the nearest size: bits per pixel, and PSNR.

    Small images of one size are one picture for the two.
    """
    alike = len({x.shape for x in items}) == 1 and items[0].shape[0] < SMALL
    arrays = [np.stack(items)] if alike else items
    pictures = [tiled(arrays[0])] if alike else items
    pixels, rungs = sum(x.shape[0] * x.shape[1] for x in items), list[Found]()
    for levels in range(1, len(model.config["latents"]) + 1):
        codec = cc.get_codec("bbans.hvae-lossy", model=model, levels=levels)
        payloads = [codec.encode(x) for x in arrays]
        shown = [codec.decode(payload, ArraySpec.of(x)) for payload, x in zip(payloads, arrays, strict=True)]
        size = sum(map(len, payloads))
        rung = {"levels": levels, "bits_per_pixel": 8 * size / pixels, "psnr": psnr(arrays, shown)}
        for name, (encode, decode, settings) in LOSSY.items():
            rung[name] = nearest(pictures, size, encode, decode, settings)
            rung[name]["bits_per_pixel"] = 8 * rung[name].pop("bytes") / pixels
        rungs.append(rung)
    return rungs


def nearest(
    pictures: list[NDArray[np.uint8]],
    size: int,
    encode: Callable[[NDArray[np.uint8], int], bytes],
    decode: Callable[[bytes], NDArray[np.uint8]],
    settings: range,
) -> Found:
    """The setting, from small files to large ones, whose files together are nearest to a size, by halves."""
    low, high, found = 0, len(settings) - 1, dict[int, list[bytes]]()
    while low <= high:
        middle = (low + high) // 2
        found[middle] = [encode(x, settings[middle]) for x in pictures]
        low, high = (middle + 1, high) if sum(map(len, found[middle])) < size else (low, middle - 1)
    best = min(found.values(), key=lambda files: abs(sum(map(len, files)) - size))
    return {"bytes": sum(map(len, best)), "psnr": psnr(pictures, [decode(file) for file in best])}


def psnr(arrays: list[NDArray[np.uint8]], shown: list[NDArray[np.uint8]]) -> float:
    """Of all values together, in dB."""
    errors = [np.square(x.astype(np.float64) - y).sum() for x, y in zip(arrays, shown, strict=True)]
    return float(10 * np.log10(255**2 * sum(x.size for x in arrays) / sum(errors)))


def tiled(x: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Images as one, in rows of about as many as there are rows; what is over at the end is left out."""
    n, h, w, c = x.shape
    across = max(k for k in range(1, math.isqrt(n) + 1) if n % k == 0)
    return x.reshape(n // across, across, h, w, c).swapaxes(1, 2).reshape(n // across * h, across * w, c)


def measure(arguments: argparse.Namespace) -> Found:
    """Everything that is measured."""
    arrays = images(arguments.data)
    codec = cc.get_codec("bbans.hvae", model=arguments.model)
    if not isinstance(codec, HierarchicalCodec):
        raise SystemExit("bbans.hvae is another codec")
    items = [item for x in arrays.values() for item in (x if x.ndim == 4 else [x])]
    batch = next((x[:BATCH] for x in arrays.values() if x.ndim == 4), items[0][None])
    found: Found = {"model": codec.learnt.name, "sha256": codec.learnt.sha256, "model_bytes": len(codec.learnt.data)}
    if not arguments.ladder:
        found["file"] = whole(codec, arrays, arguments.jobs)
        found["alone"] = alone(codec, items[: arguments.alone])
        found["speed"] = speed(codec, batch)
    found["ladder"] = ladder(codec.learnt, items[:RUNGS])
    if not arguments.no_classical and not arguments.ladder:
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
    parser.add_argument("--ladder", action="store_true", help="measure the levels alone")
    parser.add_argument("--jobs", type=int)
    parser.add_argument("--json", action="store_true")
    found = measure(arguments := parser.parse_args())
    print(json.dumps(found, indent=2) if arguments.json else "\n".join(f"{k}: {v}" for k, v in found.items()))
    return 0 if arguments.ladder or found["file"]["decoded_equal"] else 1


if __name__ == "__main__":
    sys.exit(main())
