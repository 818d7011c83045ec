"""The figures of ``inr.image``: ``python benchmarks/inr.py cifar10/test-00.webp [--models NAME ...] [--images 50]``.

Rate and distortion of images that no training saw, beside rounded weights, ``rec.vae`` and classical codecs; what an index costs beside
what it tells; times; and an image after some of its groups. Every rate is that of bytes that were decoded again.
"""

from __future__ import annotations

import argparse
import io
import json
import math
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from codecs_inr.codec import InrCodec
from codecs_inr.coin import CoinCodec
from codecs_inr.encoder import progressive
from codecs_inr.posterior import Posterior
from numpy.typing import NDArray
from PIL import Image

import codecs_core as cc

#: Those that ship.
MODELS = ["cifar10-1", "cifar10-2", "combiner-1", "recombiner-1", "recombiner-2"]
#: Networks of ``inr.coin``: width, depth, digits.
COIN = ((8, 2, 5), (12, 2, 6), (16, 2, 6), (24, 2, 6), (32, 2, 6))
#: Images whose divergences are looked at.
TOLD = 10
#: Bits per pixel and dB that were published for CIFAR-10, on 500 images, with training on a GPU (He et al. 2024, appendix G).
PUBLISHED = ((0.719, 27.22), (0.938, 28.51), (1.531, 30.91), (1.922, 32.17))

Images = NDArray[np.uint8]


def tiles(path: Path, side: int = 32) -> Images:
    """The images of a sprite, row by row."""
    sprite = np.asarray(Image.open(path).convert("RGB"))
    h, w = (n // side for n in sprite.shape[:2])
    return sprite.reshape(h, side, w, side, 3).swapaxes(1, 2).reshape(-1, side, side, 3)


def decibels(x: Images, y: Images) -> float:
    """PSNR of each image, on average."""
    errors = np.square(x.astype(float) - y).mean((1, 2, 3))
    return float((10 * np.log10(255**2 / np.maximum(errors, 1e-9))).mean())


def in_a_file(x: Images, codec: cc.Codec) -> dict[str, float]:
    """Bits per pixel of the payloads and of the whole file, PSNR, and processor seconds for an image both ways."""
    with tempfile.TemporaryDirectory() as folder:
        path, start = Path(folder) / "x.ccf", time.process_time()
        cc.save(path, x, codec=codec, jobs=1)
        middle = time.process_time()
        models = [codec.model] if codec.model is not None else None
        y = cc.load(path, models=models, jobs=1)
        end = time.process_time()
        sizes = cc.inspect(path)["bytes"]
    pixels = math.prod(x.shape[:3])
    return {
        "payload": 8 * sizes["payload"] / pixels,
        "file": 8 * sizes["total"] / pixels,
        "psnr": decibels(x, np.asarray(y)),
        "encode": (middle - start) / len(x),
        "decode": (end - middle) / len(x),
    }


def told_bits(x: Images, codec: InrCodec) -> tuple[float, float]:
    """Bits of all indices of an image, and of the divergences that they tell, each at the moment when its group is settled."""
    inr, found = codec._inr, []

    def told(_: int, g: int, posterior: Posterior) -> None:
        found.append(posterior.kl()[:, inr.groups.members[g]].sum(1) / math.log(2))

    progressive(inr, x, 1.0, inr.family(x.shape), told)
    return inr.groups.count * inr.groups.bits, float(np.sum(found, axis=0).mean())


def decoding_alone(x: Images, codec: InrCodec) -> float:
    """Processor seconds of the decoder for one image: the median of some."""
    payload, times = codec.encode(x[:1]), []
    for _ in range(31):
        start = time.process_time()
        codec.decode(payload, cc.ArraySpec.of(x[:1]))
        times.append(time.process_time() - start)
    return float(np.median(times))


def classical(x: Images) -> dict[str, list[tuple[float, float]]]:
    """Rate and PSNR of image files, each image one with all its headers."""
    import imagecodecs

    def each(encode: Any, decode: Any) -> tuple[float, float]:
        files = [encode(image) for image in x]
        decoded = np.stack([decode(file) for file in files])
        return 8 * sum(map(len, files)) / math.prod(x.shape[:3]), decibels(x, decoded)

    def pillow(kind: str, **settings: Any) -> tuple[float, float]:
        def encode(image: Images) -> bytes:
            file = io.BytesIO()
            Image.fromarray(image).save(file, kind, **settings)
            return file.getvalue()

        return each(encode, lambda file: np.asarray(Image.open(io.BytesIO(file)).convert("RGB")))

    jxl, j2k = imagecodecs.jpegxl_encode, imagecodecs.jpeg2k_encode
    return {
        "JPEG": [pillow("JPEG", quality=q, optimize=True) for q in (1, 20, 50)],
        "WebP": [pillow("WEBP", quality=q, method=6) for q in (0, 10, 40)],
        "JPEG 2000": [
            each(lambda a, n=n: j2k(a, level=n, codecformat="j2k"), imagecodecs.jpeg2k_decode) for n in (20, 25, 30)
        ],
        "JPEG XL": [
            each(lambda a, d=d: jxl(a, distance=d, effort=7), imagecodecs.jpegxl_decode) for d in (15.0, 6.0, 2.5)
        ],
    }


def at(points: list[tuple[float, float]], psnr: float) -> float:
    """Bits per pixel at a PSNR, on a line between the nearest points; not a number beyond them."""
    rates, peaks = zip(*sorted(points), strict=True)
    return float(np.interp(psnr, peaks, rates, left=math.nan, right=math.nan))


def picture(x: Images, codec: InrCodec, path: Path) -> None:
    """Images after 1, 4, 16, 64 and all groups, and as they were, side by side and enlarged."""
    payload, spec = codec.encode(x), cc.ArraySpec.of(x)
    levels = [n for n in (1, 4, 16, 64) if n < codec._inr.groups.count] + [codec._inr.groups.count]
    columns = [codec.preview(payload, spec, n) for n in levels] + [x]
    sheet = np.concatenate([np.concatenate(list(column), axis=0) for column in columns], axis=1)
    Image.fromarray(sheet.repeat(3, 0).repeat(3, 1)).save(path, optimize=True)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sprite", type=Path)
    parser.add_argument("--models", nargs="*", default=MODELS)
    parser.add_argument("--images", type=int, default=50)
    parser.add_argument("--effort", default="standard")
    parser.add_argument("--fast", action="store_true", help="neither inr.coin nor classical codecs")
    parser.add_argument("--picture", type=Path, help="where to draw images after some groups")
    parser.add_argument("--json", type=Path, help="where to write all figures")
    arguments = parser.parse_args()
    x, found = tiles(arguments.sprite)[: arguments.images], {}
    rows: dict[str, list[tuple[float, float]]] = {}
    print(
        f"{len(x)} images; bits per pixel of payloads, and of one file of all images; PSNR in dB, the mean over images"
    )
    for name in arguments.models:
        codec = cc.get_codec("inr.image", model=name, effort=arguments.effort)
        if not isinstance(codec, InrCodec):
            raise SystemExit("inr.image is another codec")
        one = in_a_file(x, codec)
        coded, told = told_bits(x[:TOLD], codec)
        one |= {"coded over told": coded / told - 1, "decode alone": decoding_alone(x, codec)}
        found[name] = one
        rows.setdefault("inr.image", []).append((one["payload"], one["psnr"]))
        print(f"{name:12}" + "  ".join(f"{key} {value:.4g}" for key, value in one.items()), flush=True)
        if arguments.picture and name == arguments.models[0]:
            picture(x[:6], codec, arguments.picture)
    if not arguments.fast:
        for width, depth, digits in COIN:
            one = in_a_file(x, CoinCodec(width=width, depth=depth, digits=digits))
            rows.setdefault("inr.coin", []).append((one["payload"], one["psnr"]))
        vae = [in_a_file(x, cc.get_codec("rec.vae", model="colour", quality=q)) for q in (6, 7, 8)]
        rows["rec.vae"] = [(one["payload"], one["psnr"]) for one in vae]
        rows |= classical(x) | {"RECOMBINER, published": [*PUBLISHED]}
        for name in arguments.models:
            psnr, rate = found[name]["psnr"], at(rows["inr.coin"], found[name]["psnr"])
            if math.isnan(rate):
                print(f"{name}: rounded weights do not come to {psnr:.2f} dB")
            else:
                share = found[name]["payload"] / rate - 1
                print(f"{name}: rounded weights take {rate:.3f} bits per pixel for {psnr:.2f} dB, {share:+.0%}")
    for name, points in rows.items():
        print(f"{name:22}" + "  ".join(f"{rate:.3f}: {peak:.2f}" for rate, peak in sorted(points)))
    if arguments.json:
        arguments.json.write_text(json.dumps({"models": found, "rows": rows}, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
