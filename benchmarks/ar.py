"""The figures of local autoregression: ``python benchmarks/ar.py MODEL DATA...``.

DATA are images, folders of them, or .npy files. Every rate is that of a file that was decoded again and compared.
``docs/benchmarks.md`` says what the rows mean.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import platform
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import imagecodecs
import numba
import numpy as np
from codecs_ar.codec import ImageCodec
from codecs_ar.learner import BIAS_BITS, ENERGY, FEATURE_BITS, WEIGHT_BITS
from codecs_ar.planes import ROLES, Planes
from numpy.typing import NDArray
from PIL import Image

import codecs_core as cc

IMAGES = (".webp", ".png", ".bmp", ".tif", ".tiff", ".jpg", ".jpeg")


def images(paths: list[Path], *, grey: bool) -> dict[str, NDArray[Any]]:
    """Arrays by name; sprites of 1600 x 1600 are cut into the images of 32 x 32 that they hold."""
    found: dict[str, NDArray[Any]] = {}
    files = [f for p in paths for f in (sorted(p.iterdir()) if p.is_dir() else [p]) if f.suffix in (*IMAGES, ".npy")]
    sprites = []
    for file in files:
        x = np.load(file) if file.suffix == ".npy" else np.asarray(Image.open(file).convert("L" if grey else "RGB"))
        if x.shape == (1600, 1600, 3):
            sprites.append(x.reshape(50, 32, 50, 32, 3).swapaxes(1, 2).reshape(2500, 32, 32, 3))
        else:
            found[file.stem] = x
    if sprites:
        found["sprites"] = np.concatenate(sprites)
    return found


def pieces(codec: ImageCodec, x: NDArray[Any]) -> list[NDArray[Any]]:
    """An array cut into chunks."""
    step = codec.default_chunk(cc.ArraySpec.of(x))
    return [np.ascontiguousarray(x[i : i + step]) for i in range(0, len(x), step)]


def information(codec: ImageCodec, arrays: dict[str, NDArray[Any]]) -> float:
    """Bits that the model says all values cost, as it learns."""
    coder, bits = codec._coder, 0.0
    for x in arrays.values():
        for part in pieces(codec, x):
            planes = Planes.of(part.reshape(codec._images(cc.ArraySpec.of(part))))
            bits += sum(planes.follow(i, coder.expert(ROLES[i])).bits for i in range(planes.count))
    return bits


def float_bits(codec: ImageCodec, arrays: dict[str, NDArray[Any]]) -> float:
    """The same in floating point: networks whose steps and outputs are not rounded, and logistics that are no tables."""
    coder, bits = codec._coder, 0.0
    for x in arrays.values():
        for part in pieces(codec, x):
            planes = Planes.of(part.reshape(codec._images(cc.ArraySpec.of(part))))
            for i in range(planes.count):
                plane = coder.planes[ROLES[i]]
                seen = planes.look(i, plane.prior, coder.predictors)
                v = planes.values[i]
                row, column = (index.reshape(-1) & 1 for index in np.indices(v.shape)[1:])
                bits += learnt(
                    seen.features * 2.0**-FEATURE_BITS,
                    v.reshape(-1) - seen.centres,
                    seen.spreads,
                    v.reshape(-1) == 0,
                    v.reshape(-1) == planes.top,
                    2 * row + column,
                    [w.T * 2.0**-WEIGHT_BITS for w in plane.weights],
                    [np.tile(b * 2.0**-BIAS_BITS, (4, 1)) for b in plane.biases],
                    tuple(2.0**-r if r else 0.0 for r in coder.rates),
                )
    return bits


@numba.njit(fastmath=True)
def learnt(features, misses, spreads, lowest, highest, parities, weights, biases, rates):
    """Bits of the values of a plane by a network that learns, in doubles: `codecs_ar.learner` as a textbook has it."""
    bits, layers = 0.0, len(weights)
    k = weights[-1].shape[1] // 3
    for n in range(len(misses)):
        q, inputs = parities[n], [features[n]]
        for layer in range(layers):
            s = inputs[layer] @ weights[layer] + biases[layer][q]
            inputs.append(np.maximum(s, 0.0) if layer < layers - 1 else s)
        out = inputs[-1]
        w = np.exp(out[:k] - out[:k].max())
        w /= w.sum()
        inverse = np.exp(-out[2 * k :]) / spreads[n]
        z = (misses[n] - out[k : 2 * k] * spreads[n]) * inverse
        upper, lower = z + 0.5 * inverse, z - 0.5 * inverse
        high = np.ones(k) if highest[n] else 1.0 / (1.0 + np.exp(-upper))
        low = np.zeros(k) if lowest[n] else 1.0 / (1.0 + np.exp(-lower))
        p = w * (high - low)
        total = p.sum() + 2.0**-24
        bits -= np.log2(total)
        if rates[0] == 0.0:
            continue
        high, low = high * (1.0 - high), low * (1.0 - low)
        means = w * (high - low) * inverse * spreads[n] / total
        gradient = np.concatenate((w - p / total, means, w * (high * upper - low * lower) / total))
        gradient = np.minimum(np.maximum(gradient, -1.0), 1.0)
        for layer in range(layers - 1, -1, -1):
            x = inputs[layer]
            below = (weights[layer] @ gradient) * (x > 0.0)
            rate = rates[0] * ENERGY / max(ENERGY, (x * x).sum())
            weights[layer] -= rate * x.reshape(-1, 1) * gradient.reshape(1, -1)
            biases[layer][q] -= rates[1] * gradient
            gradient = below
    return bits


def classical(arrays: dict[str, NDArray[Any]], efforts: list[int]) -> dict[str, dict[str, float]]:
    """Bits per value and speed of the same images as files of their own, on one thread, decoded again and compared."""

    def pillow(x: NDArray[Any], **how: Any) -> bytes:
        out = io.BytesIO()
        Image.fromarray(x).save(out, **how)
        return out.getvalue()

    def opened(data: bytes) -> NDArray[Any]:
        return np.asarray(Image.open(io.BytesIO(data)))

    ways: dict[str, tuple[Callable[[NDArray[Any]], bytes], Callable[[bytes], NDArray[Any]]]] = {
        "PNG": (lambda x: pillow(x, format="PNG", optimize=True), opened),
        "WebP": (lambda x: pillow(x, format="WebP", lossless=True, method=6, quality=100), opened),
    }
    for effort in efforts:
        ways[f"JPEG XL effort {effort}"] = (
            lambda x, effort=effort: imagecodecs.jpegxl_encode(x, lossless=True, effort=effort, numthreads=1),  # type: ignore[misc]
            lambda data: imagecodecs.jpegxl_decode(data, numthreads=1),
        )
    items = [np.ascontiguousarray(item) for x in arrays.values() for item in (x if x.ndim == 4 else [x])]
    values, found = sum(x.size for x in items), {}
    for name, (encode, decode) in ways.items():
        if name == "WebP" and items[0].ndim == 2:
            continue  # it has no grey
        start = time.perf_counter()
        files = [encode(x) for x in items]
        middle = time.perf_counter()
        back = [decode(data) for data in files]
        stop = time.perf_counter()
        if not all(np.array_equal(a, b) for a, b in zip(items, back, strict=True)):
            raise SystemExit(f"{name} did not decode to what was encoded")
        found[name] = {
            "bits_per_value": 8 * sum(map(len, files)) / values,
            "encode_mb_per_second": sum(x.nbytes for x in items) / 1e6 / (middle - start),
            "decode_mb_per_second": sum(x.nbytes for x in items) / 1e6 / (stop - middle),
        }
    return found


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """Everything that is measured."""
    codec = cc.get_codec("ar.image", model=arguments.model, effort=arguments.level)
    if not isinstance(codec, ImageCodec) or codec.model is None:
        raise SystemExit("that is no model of ar.image")
    arrays = images(arguments.data, grey=codec.model.config["channels"] == 1)
    if arguments.items:
        arrays = {name: x[: arguments.items] if x.ndim == 4 else x for name, x in arrays.items()}
    model, values = codec.model, sum(x.size for x in arrays.values())
    nbytes = sum(x.nbytes for x in arrays.values())
    warm = next(iter(arrays.values()))[:1]
    codec.decode(codec.encode(warm), cc.ArraySpec.of(warm))  # compiles, or finds what is compiled
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "figures.ccf"
        data = arrays if len(arrays) > 1 else next(iter(arrays.values()))
        start, busy = time.perf_counter(), time.process_time()
        cc.save(path, data, codec=codec, jobs=arguments.jobs)
        middle, busier = time.perf_counter(), time.process_time()
        loaded = cc.load(path, models=model, jobs=arguments.jobs)
        stop, busiest = time.perf_counter(), time.process_time()
        back = loaded if isinstance(loaded, dict) else {next(iter(arrays)): loaded}
        found: dict[str, Any] = {
            "model": model.name,
            "sha256": model.sha256,
            "model_bytes": len(model.data),
            "images": sum(len(x) if x.ndim == 4 else 1 for x in arrays.values()),
            "values": values,
            "decoded_equal": all(np.array_equal(back[name], x) for name, x in arrays.items()),
            "file_bytes": path.stat().st_size,
            "file_bits_per_value": 8 * path.stat().st_size / values,
            "encode_mb_per_second": nbytes / 1e6 / (middle - start),
            "decode_mb_per_second": nbytes / 1e6 / (stop - middle),
            "encode_cpu_ns_per_value": 1e9 * (busier - busy) / values,
            "decode_cpu_ns_per_value": 1e9 * (busiest - busier) / values,
            "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }
    if arguments.float:
        bits = information(codec, arrays)
        found["information_bits_per_value"] = bits / values
        found["file_over_information"] = 8 * found["file_bytes"] / bits - 1
        found["float_bits_per_value"] = float_bits(codec, arrays) / values
        found["freezing"] = found["information_bits_per_value"] / found["float_bits_per_value"] - 1
    if not arguments.no_classical:
        found["classical"] = classical(arrays, arguments.effort)
    return found


def plot(found: dict[str, Any], path: Path) -> None:
    """Rate against speed of decoding, and of encoding."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(10, 4), sharey=True)
    own = {"ar.image": {**found, "bits_per_value": found["file_bits_per_value"]}}
    for axis, verb in zip(axes, ("encode", "decode"), strict=True):
        for name, row in (own | found["classical"]).items():
            x, y = row[f"{verb}_mb_per_second"], row["bits_per_value"]
            axis.plot(x, y, "o", color="C3" if name == "ar.image" else "C7" if "XL" in name else "C0")
            axis.annotate(name.replace("JPEG XL effort ", "JXL "), (x, y), textcoords="offset points", xytext=(4, 4))
        axis.set_xscale("log")
        axis.set_xlabel(f"{verb}, MB/s")
        axis.grid(alpha=0.3)
    axes[0].set_ylabel("bits per value")
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)


def main() -> int:
    """Measure and print; the exit status is 1 if a file did not decode to what was encoded."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", help="name or path")
    parser.add_argument("data", type=Path, nargs="+")
    parser.add_argument("--level", default="standard", help="of effort")
    parser.add_argument("--float", action="store_true", help="what rounding costs: slow, once more in floating point")
    parser.add_argument("--items", type=int, help="use only the first N images of a stack")
    parser.add_argument("--effort", type=int, nargs="*", default=[7], help="of JPEG XL")
    parser.add_argument("--no-classical", action="store_true")
    parser.add_argument("--plot", type=Path, help="write a figure of rates against speeds")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--json", action="store_true")
    found = measure(arguments := parser.parse_args())
    found["machine"] = {
        "processor": platform.processor() or platform.machine(),
        "cpus": os.cpu_count(),
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0,
    }
    if arguments.plot:
        plot(found, arguments.plot)
    if arguments.json:
        print(json.dumps(found, indent=2))
        return 0 if found["decoded_equal"] else 1
    for name, value in found.items():
        if not isinstance(value, dict):
            print(f"{name:28} {value:.5f}" if isinstance(value, float) else f"{name:28} {value}")
        elif name == "classical":
            for way, row in value.items():
                print(f"{way:28} " + "  ".join(f"{v:.4f}" for v in row.values()))
        else:
            print(f"{name:28} {value}")
    return 0 if found["decoded_equal"] else 1


if __name__ == "__main__":
    sys.exit(main())
