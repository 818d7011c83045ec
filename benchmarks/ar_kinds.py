"""Images that are no photographs of 8 bits: ``python benchmarks/ar_kinds.py PHOTOS... [--level fast standard] [--json]``.

From each photograph a linear one of 14 bits with the noise of a sensor is made, in colour; and images are drawn: shaded solids of 8 and 16
bits, a page of text boxes, a map of few colours. Rates are bits per value of whole payloads that were decoded again and compared,
beside those of JPEG XL, effort 7, and JPEG-LS, plane by plane.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
from codecs_ar.codec import ImageCodec
from numpy.typing import NDArray
from PIL import Image

import codecs_core as cc


def linear(photo: NDArray[np.uint8], seed: int) -> NDArray[np.uint16]:
    """Light as a sensor of 14 bits counts it: without the curve of sRGB, with shot noise and read noise."""
    v = photo / 255.0
    light = np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4) * 15000 + 200
    noise = np.random.default_rng(seed).normal(size=light.shape) * np.sqrt(light / 4 + 9)
    return np.clip(np.round(light + noise), 0, 16383).astype(np.uint16)


def rendered(top: int, size: int = 400) -> NDArray[Any]:
    """Shaded spheres before a gradient, in colour."""
    rng, (y, x) = np.random.default_rng(1), np.mgrid[:size, :size] / size
    picture = np.stack([0.2 + 0.5 * y, 0.3 + 0.3 * x, 0.6 - 0.3 * y], axis=-1)
    for _ in range(24):
        centre, radius, colour = rng.random(2), rng.uniform(0.03, 0.18), rng.random(3)
        inside = 1 - ((y - centre[0]) ** 2 + (x - centre[1]) ** 2) / radius**2
        height = np.sqrt(np.maximum(inside, 0))
        shade = 0.15 + 0.85 * np.maximum(0, 0.6 * height - 0.5 * (x - centre[1]) / radius)
        picture = np.where(inside[..., None] > 0, colour * shade[..., None], picture)
    return np.round(np.clip(picture, 0, 1) * top).astype(np.uint8 if top < 256 else np.uint16)


def page(size: int = 400) -> NDArray[np.uint8]:
    """Lines of the same few glyphs, black on white, and boxes of one colour: a screenshot."""
    rng = np.random.default_rng(2)
    glyphs = np.where(rng.random((12, 11, 7)) < 0.4, 30, 255).astype(np.uint8)
    picture = np.full((size, size, 3), 255, np.uint8)
    for top in range(6, size - 14, 16):
        for left in range(6, size - 10, 8):
            picture[top : top + 11, left : left + 7] = glyphs[rng.integers(12)][..., None]
    for _ in range(8):
        top, left = rng.integers(0, size - 60, 2)
        picture[top : top + 50, left : left + 90] = rng.integers(0, 256, 3)
    return picture


def chart(size: int = 400) -> NDArray[np.uint8]:
    """Regions of few colours with thin borders: a map."""
    rng, (y, x) = np.random.default_rng(3), np.mgrid[:size, :size]
    seeds, colours = rng.random((40, 2)) * size, rng.integers(0, 256, (9, 3))
    near = np.argmin([(y - a) ** 2 + (x - b) ** 2 for a, b in seeds], axis=0)
    picture = colours[near % 9].astype(np.uint8)
    picture[:, 1:][near[:, 1:] != near[:, :-1]] = 0
    return picture


def rates(x: NDArray[Any], codecs: dict[str, ImageCodec]) -> dict[str, float]:
    """Bits per value by each way."""

    def bits(payloads: list[bytes]) -> float:
        return 8 * sum(map(len, payloads)) / x.size

    found = {}
    for name, codec in codecs.items():
        start = time.process_time()
        payload = codec.encode(x)
        middle = time.process_time()
        if not np.array_equal(codec.decode(payload, cc.ArraySpec.of(x)), x):
            raise SystemExit(f"{name} did not decode to what was encoded")
        stop = time.process_time()
        found[name] = bits([payload])
        found[f"{name}, encode ns"] = 1e9 * (middle - start) / x.size
        found[f"{name}, decode ns"] = 1e9 * (stop - middle) / x.size
        if name == "fast":
            found["fast, planes apart"] = bits(
                [codec.encode(np.ascontiguousarray(x[..., i])) for i in range(x.shape[-1])]
            )
    found["JPEG XL 7"] = bits([imagecodecs.jpegxl_encode(x, lossless=True, effort=7, numthreads=1)])
    found["JPEG-LS"] = bits([imagecodecs.jpegls_encode(np.ascontiguousarray(x[..., i])) for i in range(x.shape[-1])])
    return found


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", type=Path, nargs="*")
    parser.add_argument("--model", default="photo")
    parser.add_argument("--level", nargs="+", default=["fast"])
    parser.add_argument("--crop", type=int, help="take this number of rows and columns from the middle of a photograph")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    codecs = {level: cc.get_codec("ar.image", model=arguments.model, effort=level) for level in arguments.level}
    arrays: dict[str, NDArray[Any]] = {}
    for seed, path in enumerate(arguments.photos):
        photo = np.asarray(Image.open(path).convert("RGB"))
        if arguments.crop:
            y, x = ((side - arguments.crop) // 2 for side in photo.shape[:2])
            photo = photo[y : y + arguments.crop, x : x + arguments.crop]
        arrays[f"linear {path.stem}"] = linear(photo, seed)
    arrays |= {"rendered, 8 bits": rendered(255), "rendered, 16 bits": rendered(65535), "page": page(), "map": chart()}
    warm = np.zeros((8, 8, 3), np.uint8)
    for codec in codecs.values():
        codec.decode(codec.encode(warm + np.arange(3, dtype=np.uint8)), cc.ArraySpec.of(warm))
    found = {name: rates(x, codecs) for name, x in arrays.items()}  # type: ignore[arg-type]
    if arguments.json:
        print(json.dumps(found, indent=2))
        return 0
    for name, row in found.items():
        print(f"{name:20}", "  ".join(f"{way} {value:.4g}" for way, value in row.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
