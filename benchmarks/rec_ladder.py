"""The rungs of ``rec.vae-latents``: ``python benchmarks/rec_ladder.py MNIST.npz [--items N] [--json]``.

The first test images, by each model, with each number of blocks of latents and then without loss, as one file each, which is decoded
again; beside WebP and JPEG XL, which get all the images as one picture, at the setting whose file is nearest in size.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from bbans import binarised
from codecs_rec.codec import LosslessCodec
from codecs_rec.ladder import LatentsCodec
from hvae import LOSSY, nearest, psnr, tiled
from numpy.typing import NDArray

import codecs_core as cc

Found = dict[str, Any]
MODELS = ("mnist-binary", "mnist")


def rungs(name: str, x: NDArray[np.uint8], path: Path) -> Found:
    """Bits per pixel and PSNR, with 1, 2, ... blocks of latents."""
    model = cc.load_model(name, codec="rec.vae-lossless")
    whole = LosslessCodec(model=model)
    cc.save(path, x, codec=whole)
    found: Found = {
        "model": name,
        "items": len(x),
        "lossless_bits_per_pixel": 8 * path.stat().st_size / x.size,
        "decoded_equal": bool(np.array_equal(cc.load(path), x)),
        "rungs": [],
    }
    largest = whole._vae.largest
    picture = [tiled(x[..., None])[..., 0] * (255 // largest)]
    for levels in range(1, whole._blocks.count + 1):
        cc.save(path, x, codec=LatentsCodec(model=model, levels=levels))
        size, shown = path.stat().st_size, cc.load(path)
        rung: Found = {"levels": levels, "bits_per_pixel": 8 * size / x.size}
        rung["psnr"] = psnr([x * (255 // largest)], [shown * (255 // largest)])
        for other, (encode, decode, settings) in LOSSY.items():
            row = nearest(picture, size, encode, lambda data, decode=decode: grey(decode(data)), settings)
            rung[other] = {"bits_per_pixel": 8 * row["bytes"] / x.size, "psnr": row["psnr"]}
        found["rungs"].append(rung)
    return found


def grey(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A picture in grey that was decoded with one channel, or with three that are alike."""
    return picture[..., 0] if picture.ndim == 3 else picture


def main() -> int:
    """Measure and print; the exit status is 1 if a lossless file did not decode to what was encoded."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="the test images of MNIST, as `images` of a .npz file")
    parser.add_argument("--items", type=int, default=1000, help="use only the first N images")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    images = np.load(arguments.data)["images"][: arguments.items]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "digits.ccf"
        models = [rungs(name, binarised(images) if "binary" in name else images, path) for name in MODELS]
    print(json.dumps({"models": models}, indent=2) if arguments.json else models)
    return 0 if all(model["decoded_equal"] for model in models) else 1


if __name__ == "__main__":
    sys.exit(main())
