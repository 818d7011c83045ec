"""The figures of ``inr.sound``: ``python benchmarks/inr_sound.py arrays/aud_digits_jackson.npz [--models NAME ...]``.

Each whole second of the last tenth of a recording is a file, which is decoded again. No model has learned from the recording; settings were
chosen on the tenth before. Rates are those of files, headers included, and of payloads; a PSNR has the peak 2 of samples from -1 to 1, and
is a mean over the seconds. Beside it: rounded weights (``inr.coin``) of the sound at 8 bits, ``ar.bounded``, and a cosine transform whose
rounded coefficients ``ar.array`` codes.
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
from numpy.typing import NDArray

import codecs_core as cc

#: Networks of ``inr.coin`` for each of 25 parts of a second: width, depth, digits.
COIN = ((2, 1, 6), (4, 1, 6), (8, 1, 7))
PARTS = 25
#: Largest errors of ``ar.bounded``, and steps of the coefficients of the transform.
BOUNDS, STEPS = (2000, 1000, 500, 250), (4000, 2000, 1000, 500)
#: Samples of a block of the transform.
BLOCK = 320

Sound = NDArray[np.int16]
#: What codes a second: an array to save, the codec, and what makes the sound of the array that was read.
Way = Callable[[Sound], tuple[NDArray[Any], cc.Codec, Callable[[NDArray[Any]], NDArray[Any]]]]


def decibels(x: Sound, y: NDArray[Any]) -> float:
    """PSNR, with the peak 2 of samples from -1 to 1: 20 log10(2 / e), e being the root of the mean squared error of samples / 2^15."""
    error = np.square((x.astype(float) - y) / 2**15).mean()
    return 10 * math.log10(4 / max(error, 1e-12))


def in_files(seconds: list[Sound], rate: int, way: Way) -> dict[str, float]:
    """Kilobits a second of files and of payloads, dB, and processor seconds for a second of sound both ways."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.ccf"
        for x in seconds:
            array, codec, back = way(x)
            start = time.process_time()
            cc.save(path, array, codec=codec, jobs=1)
            middle = time.process_time()
            y = back(np.asarray(cc.load(path, models=[codec.model] if codec.model else None, jobs=1)))
            end = time.process_time()
            sizes = cc.inspect(path)["bytes"]
            scale = 8e-3 * rate / len(x)
            rows.append(
                (scale * sizes["total"], scale * sizes["payload"], decibels(x, y), middle - start, end - middle)
            )
    return dict(zip(("file", "payload", "psnr", "encode", "decode"), np.mean(rows, axis=0).tolist(), strict=True))


def plain(codec: cc.Codec) -> Way:
    """The samples as they are."""
    return lambda x: (x, codec, lambda y: y)


def rounded_weights(width: int, depth: int, digits: int) -> Way:
    """The sound at 8 bits as images of one row."""
    codec = cc.get_codec("inr.coin", width=width, depth=depth, digits=digits, frequencies=6, steps=1000)

    def way(x: Sound) -> Any:
        rows = ((x >> 8) + 128).astype(np.uint8).reshape(PARTS, 1, -1)
        return rows, codec, lambda y: ((y.astype(float) - 127.5) * 256).reshape(-1)

    return way


def cosines(step: float) -> Way:
    """Coefficients of blocks, rounded."""
    k = np.arange(BLOCK)
    basis = np.cos(np.pi / BLOCK * (k[:, None] + 0.5) * k) * np.where(k, math.sqrt(2 / BLOCK), math.sqrt(1 / BLOCK))
    codec = cc.get_codec("ar.array")

    def way(x: Sound) -> Any:
        blocks = x.astype(float).reshape(-1, BLOCK) @ basis
        return np.rint(blocks / step).astype(np.int16), codec, lambda y: (y.astype(float) * step @ basis.T).reshape(-1)

    return way


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sound", type=Path, help="a .npz with an array `a` of int16, shape (frames,)")
    parser.add_argument("--rate", type=int, default=8000, help="samples a second")
    parser.add_argument("--models", nargs="*", default=["voice-5", "voice-10", "voice-20"])
    parser.add_argument("--effort", default="standard")
    parser.add_argument("--part", type=int, default=9, help="which tenth of the recording is measured")
    parser.add_argument("--json", type=Path, help="where to write all figures")
    arguments = parser.parse_args()
    sound = np.load(arguments.sound)["a"]
    tenth, rate = len(sound) // 10, arguments.rate
    part = sound[arguments.part * tenth : (arguments.part + 1) * tenth]
    seconds = [part[at : at + rate] for at in range(0, len(part) - rate + 1, rate)]
    print(f"{len(seconds)} seconds, a file each: kbit/s of files and of payloads, PSNR in dB, processor seconds")
    found: dict[str, dict[str, float]] = {}
    ways: dict[str, list[Way]] = {
        "inr.coin": [rounded_weights(*one) for one in COIN],
        "ar.bounded": [plain(cc.get_codec("ar.bounded", max_error=float(bound))) for bound in BOUNDS],
        "cosine transform, ar.array": [cosines(step) for step in STEPS],
    }
    rows: dict[str, list[tuple[float, float]]] = {"inr.sound": []}
    for name in arguments.models:
        codec = cc.get_codec("inr.sound", model=name, effort=arguments.effort)
        found[name] = one = in_files(seconds, rate, plain(codec))
        rows["inr.sound"].append((one["file"], one["psnr"]))
        print(f"{name:12}" + "  ".join(f"{key} {value:.4g}" for key, value in one.items()), flush=True)
    for name, several in ways.items():
        measured = [in_files(seconds, rate, way) for way in several]
        rows[name] = [(one["file"], one["psnr"]) for one in measured]
    for name, points in rows.items():
        print(f"{name:27}" + "  ".join(f"{x:.2f}: {y:.2f}" for x, y in sorted(points)))
    if arguments.json:
        arguments.json.write_text(json.dumps({"models": found, "rows": rows}, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
