"""Sizes and speeds of ``ar.array`` beside classical codecs: ``python benchmarks/ar_array.py FOLDER [--effort LEVEL]``.

With ``--baselines FILE`` all levels, as JSON, beside sizes that were measured before: a .csv file with the columns array, codec, bytes,
and ok, which is True where the array was decoded and compared.

FOLDER holds .npy files, or .npz files with one array each. Every payload is decoded again and compared. Sizes are bits per value
of the payload alone, speeds megabytes of the array a second of CPU time. Codecs that are not installed, or do not take an array, are
left out.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import lzma
import math
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from codecs_ar.array.codec import ArrayCodec
from numpy.typing import NDArray

from codecs_core.arrays import ArraySpec

LEVELS = ("fast", "standard", "smallest")


class Unfit(Exception):
    """A codec does not take an array."""


Coder = Callable[[NDArray[Any]], tuple[int, Callable[[], bytes]]]


def ours(effort: str) -> Coder:
    codec = ArrayCodec(effort=effort)

    def code(a: NDArray[Any]) -> tuple[int, Callable[[], bytes]]:
        payload = codec.encode(a)
        return len(payload), lambda: codec.decode(payload, ArraySpec.of(a)).tobytes()

    return code


def shuffled(compress: Callable[[bytes], bytes], decompress: Callable[[bytes], bytes]) -> Coder:
    """The smaller one of the bytes as they are, and byte planes."""

    def code(a: NDArray[Any]) -> tuple[int, Callable[[], bytes]]:
        planes = np.ascontiguousarray(a.reshape(-1).view(np.uint8).reshape(-1, a.itemsize).T)
        plain, turned = compress(a.tobytes()), compress(planes.tobytes())
        if len(plain) <= len(turned):
            return len(plain), lambda: decompress(plain)
        return len(turned), lambda: np.frombuffer(decompress(turned), np.uint8).reshape(a.itemsize, -1).T.tobytes()

    return code


def zstd() -> Coder:
    zstandard = import_module("zstandard")
    return shuffled(zstandard.ZstdCompressor(level=19).compress, zstandard.ZstdDecompressor().decompress)


def xz() -> Coder:
    return shuffled(lambda data: lzma.compress(data, preset=9), lzma.decompress)


def blosc2() -> Coder:
    imagecodecs = import_module("imagecodecs")

    def code(a: NDArray[Any]) -> tuple[int, Callable[[], bytes]]:
        payload = imagecodecs.blosc2_encode(a, level=9, compressor="zstd", shuffle="bitshuffle", typesize=a.itemsize)
        return len(payload), lambda: bytes(imagecodecs.blosc2_decode(payload))

    return code


def pcodec() -> Coder:
    standalone, config = import_module("pcodec.standalone"), import_module("pcodec").ChunkConfig(compression_level=12)

    def code(a: NDArray[Any]) -> tuple[int, Callable[[], bytes]]:
        flat = a.reshape(-1)
        if a.itemsize == 1:
            flat = flat.astype(np.uint16 if a.dtype.kind != "i" else np.int16)
        payload = standalone.simple_compress(flat, config)
        return len(payload), lambda: standalone.simple_decompress(payload).astype(a.dtype).tobytes()

    return code


def image(name: str, **settings: Any) -> Coder:
    """A codec of images of up to 16 bits; signed values are shifted."""
    imagecodecs = import_module("imagecodecs")
    encode, decode = getattr(imagecodecs, f"{name}_encode"), getattr(imagecodecs, f"{name}_decode")

    def code(a: NDArray[Any]) -> tuple[int, Callable[[], bytes]]:
        signed = a.dtype.kind == "i"
        if a.dtype.kind not in "iu" or a.itemsize > 2 or a.ndim < 2 or min(a.shape[-2:]) < 4:
            raise Unfit
        half = np.array(1 << (8 * a.itemsize - 1), f"u{a.itemsize}")
        planes = [
            np.ascontiguousarray(p) for p in a.view(f"u{a.itemsize}").reshape(-1, *a.shape[-2:]) ^ (half * signed)
        ]
        try:
            payloads = [encode(p, **settings) for p in planes]
        except RuntimeError as error:  # JPEG-LS leaves no room for what noise takes
            raise Unfit from error
        size = sum(map(len, payloads))
        return size, lambda: (np.stack([decode(p) for p in payloads]).astype(half.dtype) ^ (half * signed)).tobytes()

    return code


def flac() -> Coder:
    soundfile = import_module("soundfile")

    def code(a: NDArray[Any]) -> tuple[int, Callable[[], bytes]]:
        if a.dtype != np.int16 or a.ndim > 2 or (a.ndim == 2 and a.shape[1] > 8):
            raise Unfit
        file = io.BytesIO()
        soundfile.write(file, a, 44100, format="FLAC", subtype="PCM_16", compression_level=1.0)
        data = file.getvalue()
        return len(data), lambda: soundfile.read(io.BytesIO(data), dtype="int16")[0].tobytes()

    return code


PEERS: dict[str, Callable[[], Coder]] = {
    "zstd": zstd,
    "xz": xz,
    "blosc2": blosc2,
    "pcodec": pcodec,
    "jpegxl": lambda: image("jpegxl", lossless=True, effort=7),
    "jpegls": lambda: image("jpegls", level=0),
    "flac": flac,
}


def measure(code: Coder, a: NDArray[Any]) -> tuple[float, float, float] | None:
    """Bits per value, and megabytes a second of encoding and of decoding; None if the codec does not take the array."""
    start = time.process_time()
    try:
        size, decode = code(a)
    except Unfit:
        return None
    middle = time.process_time()
    decoded = decode()
    end = time.process_time()
    if decoded != a.tobytes():
        raise SystemExit("a payload was decoded to something else")
    return 8 * size / a.size, a.nbytes / 1e6 / max(middle - start, 1e-6), a.nbytes / 1e6 / max(end - middle, 1e-6)


def load(file: Path) -> NDArray[Any]:
    loaded = np.load(file)
    array = loaded if isinstance(loaded, np.ndarray) else loaded[loaded.files[0]]
    return np.ascontiguousarray(array)


def compare(arrays: dict[str, NDArray[Any]], effort: str) -> None:
    """Print a line for each array, and the means."""
    coders = {"ar.array": ours(effort)}
    for name, make in PEERS.items():
        try:
            coders[name] = make()
        except ImportError:
            print(f"{name} is not installed")
    print(f"{'array':28}{'dtype':>9}{'':>3}" + "".join(f"{name:>10}" for name in coders) + f"{'MB/s in':>10}{'out':>8}")
    ratios: dict[str, list[float]] = {name: [] for name in [*coders, "best"]}
    for array_name, a in arrays.items():
        found = {name: measure(code, a) for name, code in coders.items()}
        own = found["ar.array"]
        if own is None:
            continue
        cells = "".join(f"{result[0]:10.3f}" if result else f"{'-':>10}" for result in found.values())
        print(f"{array_name:28}{a.dtype!s:>9}   {cells}{own[1]:10.2f}{own[2]:8.2f}", flush=True)
        peers = {name: result[0] for name, result in found.items() if result and name != "ar.array"}
        for name, size in peers.items():
            ratios[name].append(own[0] / size)
        if peers:
            ratios["best"].append(own[0] / min(peers.values()))
    for name, values in ratios.items():
        if values:
            mean = math.exp(sum(map(math.log, values)) / len(values))
            print(f"ar.array over {name}: {mean:.4f} (geometric mean over {len(values)} arrays)")


def beside(arrays: dict[str, NDArray[Any]], baselines: Path) -> dict[str, dict[str, Any]]:
    """Every level, beside sizes that were measured before: bits per value and speeds of each array."""
    rows = list(csv.DictReader(baselines.open(newline="")))
    # a row of this project is no baseline, and what was not decoded and compared has no "True"
    peers = [row for row in rows if row["ok"] == "True" and row["codec"] != "ours"]
    found: dict[str, dict[str, Any]] = {}
    for name, a in arrays.items():
        sizes = {row["codec"]: 8 * int(row["bytes"]) / a.size for row in peers if row["array"] == name}
        if not sizes:
            continue
        found[name] = {"dtype": a.dtype.name, "values": a.size, "bytes": a.nbytes, "baselines": sizes}
        for effort in LEVELS:
            found[name][effort] = measure(ours(effort), a)
        print(name, found[name], file=sys.stderr, flush=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--effort", default="standard", choices=LEVELS)
    parser.add_argument("--baselines", type=Path, help="a table of sizes: prints JSON of all levels beside them")
    chosen = parser.parse_args()
    arrays = {file.stem: load(file) for file in sorted((*chosen.folder.glob("*.npy"), *chosen.folder.glob("*.npz")))}
    for effort in LEVELS if chosen.baselines else [chosen.effort]:
        ours(effort)(np.arange(600, dtype=np.int16).reshape(20, 30))  # compiles
    if chosen.baselines:
        print(json.dumps(beside(arrays, chosen.baselines)))
    else:
        compare(arrays, chosen.effort)


if __name__ == "__main__":
    main()
