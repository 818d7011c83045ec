"""The figures of integer discrete flows: ``python benchmarks/idf.py MODEL DATA...``.

DATA are images, folders of them, or .npy files. Every rate is that of a file that was decoded again and compared.
``docs/benchmarks.md`` says what the rows mean.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
from codecs_idf.codec import ImageCodec
from numpy.typing import NDArray
from PIL import Image

import codecs_core as cc
from codecs_core.arrays import ArraySpec
from codecs_core.container import Reader
from codecs_core.exact import Predictor

REPEATS = 5
#: Images of the timing: a batch of them is a chunk.
BATCH = 64
IMAGES = (".webp", ".png", ".bmp", ".tif", ".tiff", ".jpg", ".jpeg")


def images(paths: list[Path]) -> dict[str, NDArray[np.uint8]]:
    """Arrays by name; sprites of 1600 x 1600 are cut into the images of 32 x 32 that they hold."""
    found: dict[str, NDArray[np.uint8]] = {}
    files = [f for p in paths for f in (sorted(p.iterdir()) if p.is_dir() else [p]) if f.suffix in (*IMAGES, ".npy")]
    sprites = []
    for file in files:
        x = np.load(file) if file.suffix == ".npy" else np.asarray(Image.open(file).convert("RGB"))
        if x.shape == (1600, 1600, 3):
            sprites.append(x.reshape(50, 32, 50, 32, 3).swapaxes(1, 2).reshape(2500, 32, 32, 3))
        else:
            found[file.stem] = x
    if sprites:
        found["sprites"] = np.concatenate(sprites)
    return found


def float_bits(path: Path, model: Any, arrays: dict[str, NDArray[np.uint8]]) -> float:
    """Negative log likelihood in bits of the network in floating point, whose state was kept when it was trained."""
    import torch
    from codecs_idf.train import Settings, evaluate, network_of

    from codecs_core.learn import image_list as as_images

    torch.set_num_threads(os.cpu_count() or 1)
    state = torch.load(path, weights_only=True)
    couplings = model.config["couplings"]
    prior = "levels.0.priors.0.p.network"
    blocks = len({key.split(".")[6] for key in state if key.startswith(f"{prior}.") and ".body." in key})
    settings = Settings(
        couplings=couplings,
        width=len(state[f"{prior}.0.bias"]),
        blocks=blocks,
        coupling_width=len(state["levels.0.couplings.0.t.network.0.bias"]) if couplings[0] else 1,
        components=model.config["components"],
    )
    network = network_of(model.config["channels"], settings)
    network.load_state_dict(state)
    total = 0.0
    for x in arrays.values():
        items = as_images(x) if x.ndim == 4 else [x]
        total += evaluate(network, items, x.size) * x.size
    return total


def classical(arrays: dict[str, NDArray[np.uint8]], efforts: list[int]) -> dict[str, int]:
    """Bytes of the same images as files of their own."""

    def pillow(x: NDArray[np.uint8], **how: Any) -> int:
        out = io.BytesIO()
        Image.fromarray(x).save(out, **how)
        return out.tell()

    ways: dict[str, Callable[[NDArray[np.uint8]], int]] = {
        "PNG": lambda x: pillow(x, format="PNG", optimize=True),
        "WebP": lambda x: pillow(x, format="WebP", lossless=True, method=6, quality=100),
    }
    for effort in efforts:
        ways[f"JPEG XL effort {effort}"] = lambda x, effort=effort: len(  # type: ignore[misc]
            imagecodecs.jpegxl_encode(x, lossless=True, effort=effort)
        )
    items = [item for x in arrays.values() for item in (x if x.ndim == 4 else [x])]
    return {name: sum(way(x) for x in items) for name, way in ways.items()}


@contextmanager
def timed_networks() -> Iterator[list[float]]:
    """Seconds of this thread for each evaluation of the networks of a flow, while they are evaluated."""
    passes: list[float] = []
    plain = Predictor.__call__

    def call(self: Predictor, phases: Any) -> Any:
        start = time.thread_time()
        out = plain(self, phases)
        passes.append(time.thread_time() - start)
        return out

    Predictor.__call__ = call  # type: ignore[method-assign]
    try:
        yield passes
    finally:
        Predictor.__call__ = plain  # type: ignore[method-assign]


def speed(codec: ImageCodec, x: NDArray[np.uint8]) -> dict[str, float]:
    """Encoding and decoding one chunk on one thread, by its processor time, over the networks within it: medians of the ratios."""
    spec, payload = ArraySpec.of(x), codec.encode(x)
    result: dict[str, float] = {}
    for name, work in {"encode": lambda: codec.encode(x), "decode": lambda: codec.decode(payload, spec)}.items():
        work()
        ratios, totals = [], []
        for _ in range(REPEATS):
            with timed_networks() as passes:
                start = time.thread_time()
                work()
                totals.append(time.thread_time() - start)
            ratios.append(totals[-1] / sum(passes))
        result[f"{name}_over_networks"] = float(np.median(ratios))
        result[f"{name}_mb_per_second"] = x.nbytes / 1e6 / min(totals)
    return result


def one_item(path: Path, model: Any, x: NDArray[np.uint8]) -> dict[str, Any]:
    """Bytes that reading one image from the middle of a stack asks for, beside the file's."""
    asked: list[int] = []
    plain = Reader.payload

    def payload(self: Reader, entry: str, i: int) -> bytes:
        data = plain(self, entry, i)
        asked.append(len(data))
        return data

    Reader.payload = payload  # type: ignore[method-assign]
    try:
        with cc.open(path, models=model) as file:
            view = next(iter(file.values()))
            same = bool(np.array_equal(view[len(x) // 2], x[len(x) // 2]))
    finally:
        Reader.payload = plain  # type: ignore[method-assign]
    return {"same": same, "chunks_read": len(asked), "payload_bytes": sum(asked), "file_bytes": path.stat().st_size}


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """Everything that is measured."""
    arrays = images(arguments.data)
    if arguments.items:
        arrays = {name: x[: arguments.items] if x.ndim == 4 else x for name, x in arrays.items()}
    codec = cc.get_codec("idf.image", model=arguments.model)
    model, values = codec.model, sum(x.size for x in arrays.values())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "figures.ccf"
        data = arrays if len(arrays) > 1 else next(iter(arrays.values()))
        start = time.perf_counter()
        cc.save(path, data, codec=codec, jobs=arguments.jobs)
        middle = time.perf_counter()
        loaded = cc.load(path, models=model, jobs=arguments.jobs)
        stop = time.perf_counter()
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
            "encode_mb_per_second": values / 1e6 / (middle - start),
            "decode_mb_per_second": values / 1e6 / (stop - middle),
        }
        stacks = [x for x in arrays.values() if x.ndim == 4]
        if stacks and len(arrays) == 1:
            found["one_item"] = one_item(path, model, stacks[0])
    found |= speed(codec, stacks[0][:BATCH] if stacks else next(iter(arrays.values())))
    if arguments.network:
        bits = float_bits(arguments.network, model, arrays)
        found["float_bits_per_value"] = bits / values
        found["file_over_float"] = 8 * found["file_bytes"] / bits - 1
    if not arguments.no_classical:
        sizes = classical(arrays, arguments.effort)
        found["classical"] = {name: 8 * size / values for name, size in sizes.items()}
    return found


def main() -> int:
    """Measure and print; the exit status is 1 if a file did not decode to what was encoded."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", help="name or path")
    parser.add_argument("data", type=Path, nargs="+")
    parser.add_argument("--network", type=Path, help="the model's .pt, kept when it was trained")
    parser.add_argument("--items", type=int, help="use only the first N images of a stack")
    parser.add_argument("--effort", type=int, nargs="*", default=[7], help="of JPEG XL")
    parser.add_argument("--no-classical", action="store_true")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--json", action="store_true")
    found = measure(arguments := parser.parse_args())
    found["machine"] = {
        "processor": platform.processor() or platform.machine(),
        "cpus": os.cpu_count(),
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0,
    }
    if arguments.json:
        print(json.dumps(found, indent=2))
    else:
        for name, value in found.items():
            if not isinstance(value, dict):
                print(f"{name:24} {value:.5f}" if isinstance(value, float) else f"{name:24} {value}")
            else:
                for key, part in value.items():
                    print(f"{name + ': ' + key:24} {part:.5f}" if isinstance(part, float) else f"{name}: {key} {part}")
    return 0 if found["decoded_equal"] else 1


if __name__ == "__main__":
    sys.exit(main())
