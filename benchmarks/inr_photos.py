"""What patches of a photograph that share what they have in common gain: ``python benchmarks/inr_photos.py photos/val photos/full``.

The first photographs of the first folder and the first of the second one are files of their own, which are decoded again; no training saw
them, and no setting was chosen on them. `photo-20-alone` is the same network, trained as long on the same photographs, whose patches share
nothing. Rates are those of all bytes over all pixels, and a PSNR is a mean over the photographs.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

import codecs_core as cc

#: Those that are compared.
MODELS = ("photo-20", "photo-20-alone")
#: Qualities of other codecs.
QUALITIES = {"JPEG": (1, 5, 10, 20), "WebP": (0, 5, 20)}
#: Photographs of each folder.
COUNTS = (4, 3)

Photo = NDArray[np.uint8]


def decibels(x: Photo, y: NDArray[Any]) -> float:
    """PSNR of a photograph."""
    return float(10 * np.log10(255**2 / np.square(x.astype(float) - y).mean()))


def seams(x: Photo, y: NDArray[Any], side: int = 32) -> float:
    """Steps of the error from a pixel to the next, across borders of patches, over those elsewhere: 1 if nobody can see the borders."""
    across, elsewhere = [], []
    for error in (y - x.astype(float), (y - x.astype(float)).swapaxes(0, 1)):
        steps = np.abs(np.diff(error, axis=0)).mean((1, 2))
        border = np.arange(1, len(error)) % side == 0
        across.append(steps[border].mean())
        elsewhere.append(steps[~border].mean())
    return float(np.sum(across) / np.sum(elsewhere))


def in_files(photos: list[Photo], codec: cc.Codec) -> dict[str, float]:
    """Bits per pixel of payloads and of files, PSNR, steps at borders of patches, and processor seconds for a megapixel both ways."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.ccf"
        for x in photos:
            start = time.process_time()
            cc.save(path, x, codec=codec, jobs=1)
            middle = time.process_time()
            y = np.asarray(cc.load(path, models=[codec.model] if codec.model else None, jobs=1))
            end = time.process_time()
            sizes = cc.inspect(path)["bytes"]
            seen = decibels(x, y), seams(x, y)
            rows.append((8 * sizes["payload"], 8 * sizes["total"], *seen, middle - start, end - middle))
    payload, file, peaks, borders, encode, decode = (sum(column) for column in zip(*rows, strict=True))
    pixels = sum(x.shape[0] * x.shape[1] for x in photos)
    return {
        "payload": payload / pixels,
        "file": file / pixels,
        "psnr": peaks / len(photos),
        "seams": borders / len(photos),
        "encode": 1e6 * encode / pixels,
        "decode": 1e6 * decode / pixels,
    }


def classical(photos: list[Photo], kind: str, quality: int) -> tuple[float, float]:
    """Bits per pixel of files, and PSNR."""
    bits, peaks = 0, 0.0
    for x in photos:
        file = io.BytesIO()
        settings: dict[str, Any] = {"optimize": True} if kind == "JPEG" else {"method": 6}
        Image.fromarray(x).save(file, kind, quality=quality, **settings)
        bits += 8 * len(file.getvalue())
        peaks += decibels(x, np.asarray(Image.open(file).convert("RGB")))
    return bits / sum(x.shape[0] * x.shape[1] for x in photos), peaks / len(photos)


def measured(photos: list[Photo], say: Callable[[str], None]) -> dict[str, Any]:
    """Models, and curves of rate and PSNR of files."""
    models: dict[str, dict[str, float]] = {}
    rows: dict[str, list[tuple[float, float]]] = {}
    for name in MODELS:
        models[name] = one = in_files(photos, cc.get_codec("inr.image", model=name))
        rows[name] = [(one["file"], one["psnr"])]
        say(f"{name:15}" + "  ".join(f"{key} {value:.4g}" for key, value in one.items()))
    for kind, qualities in QUALITIES.items():
        rows[kind] = [classical(photos, kind, quality) for quality in qualities]
        say(f"{kind:15}" + "  ".join(f"{rate:.3f}: {peak:.2f}" for rate, peak in rows[kind]))
    return {"models": models, "rows": rows}


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", type=Path, nargs=2)
    parser.add_argument("--json", type=Path, help="where to write all figures")
    arguments = parser.parse_args()
    found = {}
    for folder, count in zip(arguments.folders, COUNTS, strict=True):
        photos = [np.asarray(Image.open(path).convert("RGB")) for path in sorted(folder.glob("*.webp"))[:count]]
        print(f"{len(photos)} photographs of {sum(x.shape[0] * x.shape[1] for x in photos):,} pixels")
        found[folder.name] = measured(photos, lambda line: print(line, flush=True))
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
