"""The figures of stacks of small images: ``python benchmarks/stack.py MODEL DATA...`` and ``python benchmarks/stack.py --glyphs``.

DATA are .npy or .npz files (their array ``images``) of the model's shape, or sprites of 1600 x 1600 with images of 32 x 32, all together
one stack; for a model of two values, grey images are drawn by a fixed seed. Every rate is that of a file that was decoded again and
compared; the model's bytes are beside it. ``--glyphs`` draws characters of the fonts that are installed, trains on 25,000 of them for
``--minutes`` unless MODEL is named, and encodes 5,000 others with the model in the file.
"""

from __future__ import annotations

import argparse
import json
import lzma
import string
import sys
import tempfile
import time
from functools import cache
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
from codecs_ar.stack.codec import StackCodec
from codecs_ar.stack.worth import sprite
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

import codecs_core as cc
from codecs_core import models

FONTS = Path("/usr/share/fonts"), Path("/Library/Fonts"), Path("C:/Windows/Fonts")
CHARACTERS = string.ascii_letters + string.digits + "&%@?!"
SIDE, TRAINED, OTHERS = 28, 25_000, 5_000


def stacks(paths: list[Path], symbols: int) -> dict[str, NDArray[np.uint8]]:
    """The stacks by their names."""
    found = {path.stem: images(path, symbols) for path in paths if path.suffix in (".npy", ".npz")}
    sprites = [np.asarray(Image.open(path)).reshape(50, 32, 50, 32, 3) for path in paths if path.stem not in found]
    if sprites:
        found["sprites"] = np.concatenate([cut.swapaxes(1, 2).reshape(2500, 32, 32, 3) for cut in sprites])
    return found


def images(path: Path, symbols: int) -> NDArray[np.uint8]:
    """The stack of a file; for two values, each drawn as 1 with the probability value / 255."""
    loaded = np.load(path)
    stack: NDArray[np.uint8] = loaded["images"] if path.suffix == ".npz" else loaded
    if symbols == 2 and int(stack.max()) > 1:
        return (np.random.Generator(np.random.Philox(0)).random(stack.shape) < stack / 255).astype(np.uint8)
    return stack


def glyphs(count: int) -> NDArray[np.uint8]:
    """Characters in white on black, of all fonts that are found, in sizes of 14 to 24, a little off the middle."""
    fonts = [file for folder in FONTS for file in sorted(folder.rglob("*.[to]tf"))]
    if not fonts:
        sys.exit(f"there is no font in {', '.join(map(str, FONTS))}")
    rng = np.random.default_rng(0)
    out = np.zeros((count, SIDE, SIDE), np.uint8)
    load = cache(ImageFont.truetype)
    for glyph in out:
        font = load(str(fonts[rng.integers(len(fonts))]), int(rng.integers(14, 25)))
        canvas = Image.new("L", (SIDE, SIDE))
        at = tuple(SIDE / 2 + rng.uniform(-1, 1, 2))
        ImageDraw.Draw(canvas).text(at, CHARACTERS[rng.integers(len(CHARACTERS))], 255, font, anchor="mm")
        glyph[:] = np.asarray(canvas)
    return out


def classical(x: NDArray[np.uint8]) -> dict[str, int]:
    """Bytes of the stack as one file; of two values, eight a byte for xz."""
    packed = np.packbits(x) if int(x.max()) == 1 else x
    flat = x.reshape(*x.shape[:3], -1)
    return {
        "xz": len(lzma.compress(packed.tobytes(), preset=9 | lzma.PRESET_EXTREME)),
        "JPEG XL, one sprite": len(imagecodecs.jpegxl_encode(sprite(flat), lossless=True, effort=9)),
    }


def encoded(x: NDArray[np.uint8], folder: Path, codec: StackCodec, *, embed: bool) -> dict[str, Any]:
    """Bytes of a file that was decoded again and compared, and the time that it took."""
    path, start = folder / "a.ccf", time.perf_counter()
    cc.save(path, x, codec=codec, embed_model=embed)
    middle = time.perf_counter()
    if not np.array_equal(cc.load(path), x):
        sys.exit("a file did not decode to what was encoded")
    end = time.perf_counter()
    return {
        "bytes": path.stat().st_size,
        "bits_per_value": 8 * path.stat().st_size / x.size,
        "encode_mb_per_second": x.nbytes / 1e6 / (middle - start),
        "decode_mb_per_second": x.nbytes / 1e6 / (end - middle),
    }


def alone(codec: StackCodec, x: NDArray[np.uint8]) -> dict[str, float]:
    """What images cost one by one, over their share of the stack."""
    few = x[:200]
    single = sum(len(codec.encode(few[i : i + 1])) for i in range(len(few)))
    share = len(codec.encode(few))
    return {"bytes_alone": single / len(few), "bytes_in_a_stack": share / len(few)}


def figures(codec: StackCodec, x: NDArray[np.uint8], folder: Path) -> dict[str, Any]:
    """All that is told of a stack."""
    model = codec.learnt
    models.use(model)
    bits = sum(float(codec.information(x[i : i + 500]).sum()) for i in range(0, len(x), 500))
    found: dict[str, Any] = {
        "images": len(x),
        "model_bytes": len(model.data),
        "file": encoded(x, folder, codec, embed=False),
    }
    found["information_bits_per_value"] = bits / x.size
    found["file_over_information"] = 8 * found["file"]["bytes"] / bits - 1
    few = [encoded(x[:100], folder, codec, embed=embed)["bytes"] for embed in (False, True)]
    found["model_in_the_file"] = few[1] - few[0]
    found["alone"] = alone(codec, x)
    found["classical"] = classical(x)
    ours, extra = found["file"]["bytes"], found["model_in_the_file"]
    found["file_and_model"] = ours + extra
    saved = {name: (size - ours) / len(x) for name, size in found["classical"].items()}
    found["pays_from"] = {name: round(extra / each) if each > 0 else None for name, each in saved.items()}
    return found


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", nargs="?", default="")
    parser.add_argument("data", nargs="*", type=Path)
    parser.add_argument("--glyphs", action="store_true")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--most", type=int, default=0, help="look at this number of the images alone")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        if arguments.glyphs:
            drawn = glyphs(TRAINED + OTHERS)
            told = lambda done, message: print(f"{done:6.1%}  {message}", file=sys.stderr, flush=True)  # noqa: E731
            if arguments.model:
                model = cc.load_model(arguments.model, codec="ar.stack")
            else:
                model = cc.train(
                    "ar.stack", drawn[:TRAINED], budget=60 * arguments.minutes, progress=told, items=OTHERS
                )
            result = {"glyphs": figures(StackCodec(model=model), drawn[TRAINED:], Path(name))}
        else:
            codec = StackCodec(model=cc.load_model(arguments.model, codec="ar.stack"))
            symbols = codec.model.config.get("symbols", 256)  # type: ignore[union-attr]
            found = {stem: x[: arguments.most or None] for stem, x in stacks(arguments.data, symbols).items()}
            result = {stem: figures(codec, x, Path(name)) for stem, x in found.items()}
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
