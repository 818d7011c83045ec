"""``rec.vae`` on photographs: ``python benchmarks/rec_photos.py FOLDER [--model photo] [--json JSON]``.

Each photograph is a file, which is decoded again: bits per pixel of all the files of a quality, and the mean of the photographs'
PSNR. Beside them are JPEG, WebP (``method=6``), AVIF (``speed=4``) and JPEG XL (``effort=7``). The table has PSNR at equal rates, by
interpolation in the logarithm of the rate.
"""

from __future__ import annotations

import argparse
import io
import json
import math
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
from codecs_rec.lossy.codec import LossyCodec
from numpy.typing import NDArray
from PIL import Image, features

import codecs_core as cc

Pixels = NDArray[np.uint8]
Point = tuple[float, float]
#: Bits per pixel at which rows are compared.
RATES = (0.25, 0.35, 0.5, 0.7, 1.0)
#: Settings, and qualities: fewer where latents are samples.
WAYS: dict[str, tuple[dict[str, Any], tuple[int, ...]]] = {
    "rec.vae": ({}, (2, 4, 6, 8, 10, 12)),
    "rec.vae, sampled": ({"search": False}, (1, 4, 7, 10)),
}


def psnr(x: Pixels, y: Pixels) -> float:
    """In dB."""
    return float(10 * np.log10(255**2 / np.square(x.astype(np.float64) - y).mean()))


def point(images: list[Pixels], code: Callable[[Pixels], tuple[int, Pixels]]) -> Point:
    """Bits per pixel of images together, and the mean of their PSNR."""
    coded = [code(x) for x in images]
    bits = 8 * sum(size for size, _ in coded) / sum(x.shape[0] * x.shape[1] for x in images)
    return bits, float(np.mean([psnr(x, y) for x, (_, y) in zip(images, coded, strict=True)]))


def own(
    images: list[Pixels], model: str, way: dict[str, Any], qualities: tuple[int, ...], path: Path
) -> tuple[list[Point], list[float]]:
    """Points of qualities, and seconds of the processor to encode and to decode a photograph, on average over the qualities."""
    loaded, seconds = cc.load_model(model, codec="rec.vae"), [0.0, 0.0]

    def code(codec: LossyCodec, x: Pixels) -> tuple[int, Pixels]:
        start = time.process_time()
        cc.save(path, x, codec=codec)
        middle = time.process_time()
        y: Any = cc.load(path)
        seconds[0] += middle - start
        seconds[1] += time.process_time() - middle
        return path.stat().st_size, y

    points = []
    for q in qualities:
        codec = LossyCodec(model=loaded, quality=q, **way)
        points.append(point(images, partial(code, codec)))
    return points, [total / len(images) / len(points) for total in seconds]


def pillow(kind: str, **settings: Any) -> Callable[[Pixels], tuple[int, Pixels]]:
    """A codec of Pillow at these settings."""

    def code(x: Pixels) -> tuple[int, Pixels]:
        file = io.BytesIO()
        Image.fromarray(x).save(file, kind, **settings)
        return len(file.getvalue()), np.asarray(Image.open(file).convert("RGB"))

    return code


def jxl(distance: float) -> Callable[[Pixels], tuple[int, Pixels]]:
    """JPEG XL at a distance."""

    def code(x: Pixels) -> tuple[int, Pixels]:
        data = imagecodecs.jpegxl_encode(x, distance=distance, effort=7, lossless=False)
        return len(data), imagecodecs.jpegxl_decode(data)

    return code


def classical(images: list[Pixels]) -> dict[str, list[Point]]:
    """Points of each classical codec."""
    rows = {
        "JPEG": [pillow("JPEG", quality=q, optimize=True) for q in (5, 10, 20, 30, 50, 70, 85)],
        "WebP": [pillow("WEBP", quality=q, method=6) for q in (0, 5, 10, 20, 35, 50, 65, 78, 86, 92)],
        "JPEG XL": [jxl(d) for d in (12.0, 9.0, 6.5, 5.0, 3.5, 2.5, 1.8, 1.2, 0.8)],
    }
    if features.check("avif"):
        rows["AVIF"] = [pillow("AVIF", quality=q, speed=4) for q in (15, 25, 35, 45, 55, 65, 75, 82)]
    return {name: [point(images, code) for code in codes] for name, codes in rows.items()}


def at(points: list[Point], rate: float) -> float | None:
    """PSNR at a rate, between two points; None beyond them."""
    ordered = sorted(points)
    logs = [math.log(bits) for bits, _ in ordered]
    inside = logs[0] <= math.log(rate) <= logs[-1]
    return float(np.interp(math.log(rate), logs, [decibels for _, decibels in ordered])) if inside else None


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="a folder of photographs")
    parser.add_argument("--model", default="photo")
    parser.add_argument("--json", type=Path, help="where the figures go, for a program")
    arguments = parser.parse_args()
    files = sorted(file for file in arguments.data.iterdir() if file.suffix in (".webp", ".png"))
    images = [np.asarray(Image.open(file).convert("RGB")) for file in files]
    rows, seconds = classical(images), {}
    with tempfile.TemporaryDirectory() as folder:
        for name, (way, qualities) in WAYS.items():
            rows[name], seconds[name] = own(images, arguments.model, way, qualities, Path(folder) / "photo.ccf")
            print(name, *(f"{bits:.3f}: {decibels:.2f}" for bits, decibels in rows[name]), seconds[name], flush=True)
    equal = {name: [at(points, rate) for rate in RATES] for name, points in rows.items()}
    for name, found in equal.items():
        print(f"{name:20}", *("     –" if decibels is None else f"{decibels:6.2f}" for decibels in found))
    if arguments.json:
        about = {"photographs": len(images), "rates": RATES, "points": rows, "equal": equal, "seconds": seconds}
        arguments.json.write_text(json.dumps(about))


if __name__ == "__main__":
    main()
