"""The figures of local bits-back coding: ``python benchmarks/lbb.py MODEL DATA... [--plots FOLDER] [--json]``.

DATA are images, folders of them, .npy or .npz files; sprites of 1600 x 1600 are cut into the images of 32 x 32 that they hold. Every rate
is that of a file that was decoded again and compared. ``docs/benchmarks.md`` says what the rows mean.
"""

from __future__ import annotations

import argparse
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

import numpy as np
from codecs_lbb import black_box
from codecs_lbb.codec import BATCH, PART, FlowCodec
from codecs_lbb.grid import Grid
from codecs_lbb.model import FlowModel
from codecs_lbb.testing import Couplings
from numpy.typing import NDArray
from PIL import Image

import codecs_core as cc
from codecs_core.entropy import Message
from codecs_core.entropy.combinators import ramp
from codecs_core.exact import ExactNet

Found = dict[str, Any]
PARTS = ("rate", "speed", "growth", "black_box", "grid")
REPEATS = 5
#: Bits of the pitch and of the noise.
GRIDS = (
    (17, 8),
    (18, 8),
    (18, 9),
    (19, 10),
    (20, 10),
    (20, 11),
    (21, 12),
    (22, 12),
    (22, 13),
    (24, 15),
    (26, 15),
    (28, 17),
)
#: Sides of the images whose times are compared, and dimensions of black boxes.
SIDES, DIMENSIONS = (16, 32, 64, 128), (48, 96, 192, 384, 768)


def images(paths: list[Path]) -> NDArray[np.uint8]:
    """One stack of images."""
    files = [f for p in paths for f in (sorted(p.iterdir()) if p.is_dir() else [p])]
    stacks = []
    for file in files:
        if file.suffix == ".npz":
            x = np.load(file)["images"]
        else:
            x = np.load(file) if file.suffix == ".npy" else np.asarray(Image.open(file).convert("RGB"))
        if x.shape == (1600, 1600, 3):
            x = x.reshape(50, 32, 50, 32, 3).swapaxes(1, 2).reshape(2500, 32, 32, 3)
        stacks.append(x)
    return np.concatenate(stacks)


def rate(codec: FlowCodec, x: NDArray[np.uint8], network: Path | None) -> Found:
    """What a file takes, beside what the densities of the flow say of the same images with the same noise."""
    flow = FlowModel(codec.model.config, codec.model.tensors())  # type: ignore[union-attr]
    message, stop, theory = Message(), len(x), 0.0
    for size in ramp(len(x), BATCH, PART):
        batch = x[stop - size : stop].reshape(size, *x.shape[1:3], -1)
        stop -= size
        step = flow.codec(*batch.shape[:3])
        theory += step.theory(batch, message.copy()).sum()
        step.push(message, batch)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "figures.ccf"
        start = time.perf_counter()
        cc.save(path, x, codec=codec, chunk=len(x))
        middle = time.perf_counter()
        back = cc.load(path, models=codec.model)
        seconds = middle - start, time.perf_counter() - middle
        size = path.stat().st_size
    found = {
        "images": len(x),
        "decoded_equal": bool(np.array_equal(back, x)),
        "theory_bits_per_value": theory / x.size,
        "coded_less_theory": (message.bits - theory) / x.size,
        "seed_bits_per_dimension_of_an_image": (8 * len(message) - message.bits) / x[0].size,
        "file_bits_per_value": 8 * size / x.size,
        "file_over_theory": 8 * size / theory - 1,
        "encode_images_per_second": len(x) / seconds[0],
        "decode_images_per_second": len(x) / seconds[1],
    }
    if network:
        found["float_bits_per_value"] = float_bits(network, codec.model, x)
    return found


def float_bits(path: Path, model: Any, x: NDArray[np.uint8]) -> float:
    """Bits per value by the network in floating point, whose state was kept when it was trained."""
    import torch

    sys.path.insert(0, str(Path(__file__).parent.parent / "plugins" / "lbb" / "scripts"))
    from codecs_lbb.train import evaluate, network_of

    settings = __import__(f"train_{model.name}").SETTINGS
    network = network_of(model.config["channels"], settings)
    network.load_state_dict(torch.load(path, weights_only=True))
    return evaluate(network, x.reshape(*x.shape[:3], -1), x.size)


@contextmanager
def timed_networks() -> Iterator[list[float]]:
    """Seconds of each evaluation of a network, while they are evaluated."""
    passes: list[float] = []
    plain = ExactNet.__call__

    def call(self: ExactNet, x: Any) -> Any:
        start = time.thread_time()
        out = plain(self, x)
        passes.append(time.thread_time() - start)
        return out

    ExactNet.__call__ = call  # type: ignore[method-assign]
    try:
        yield passes
    finally:
        ExactNet.__call__ = plain  # type: ignore[method-assign]


def speed(codec: FlowCodec, x: NDArray[np.uint8]) -> Found:
    """Coding a batch of images on one thread, over the networks within it: medians of the ratios."""
    flow = FlowModel(codec.model.config, codec.model.tensors())  # type: ignore[union-attr]
    found: Found = {}
    for n in (1, BATCH):
        batch = x[:n].reshape(n, *x.shape[1:3], -1)
        step, message = flow.codec(*batch.shape[:3]), Message()
        step.push(message, batch)
        works: dict[str, Callable[[], Any]] = {
            "encode": lambda step=step, batch=batch: step.push(Message(), batch),  # type: ignore[misc]
            "decode": lambda step=step, message=message: step.pop(message.copy()),  # type: ignore[misc]
        }
        for name, work in works.items():
            work()
            ratios, totals = [], []
            for _ in range(REPEATS):
                with timed_networks() as passes:
                    start = time.thread_time()
                    work()
                    totals.append(time.thread_time() - start)
                ratios.append(totals[-1] / sum(passes))
            found[f"batch_{n}_{name}_over_networks"] = float(np.median(ratios))
            found[f"batch_{n}_{name}_ms_per_image"] = 1e3 * min(totals) / n
    return found


def growth(codec: FlowCodec, x: NDArray[np.uint8]) -> Found:
    """Milliseconds an image of four sizes takes, put together from smaller ones; and the exponent that fits them."""
    flow = FlowModel(codec.model.config, codec.model.tensors())  # type: ignore[union-attr]
    side, channels = x.shape[1], codec.model.config["channels"]  # type: ignore[union-attr]
    sides = [s for s in SIDES if s % (1 << flow.squeezes) == 0]
    points = {}
    for wanted in sides:
        tiles = -(-wanted // side)
        pixels = np.resize(x, (BATCH // 4, tiles, tiles, side, side, channels)).swapaxes(2, 3)
        batch = np.ascontiguousarray(pixels.reshape(-1, tiles * side, tiles * side, channels)[:, :wanted, :wanted])
        step = flow.codec(*batch.shape[:3])
        seconds = best(lambda step=step, batch=batch: step.push(Message(), batch), 3)  # type: ignore[misc]
        points[wanted * wanted * channels] = 1e3 * seconds / len(batch)
    slope = np.polyfit(np.log(list(points)), np.log(list(points.values())), 1)[0]
    return {"ms_per_image": points, "exponent": float(slope)}


def best(work: Callable[[], Any], repeats: int = REPEATS) -> float:
    """Least seconds of the processor."""
    times = []
    for _ in range(repeats):
        start = time.thread_time()
        work()
        times.append(time.thread_time() - start)
    return min(times)


def boxes() -> Found:
    """One smooth flow of several dimensions, layer by layer and as a black box: times an image, and rates."""
    grid, found = Grid(24, 12), {}
    for d in DIMENSIONS:
        flow, rng = Couplings.random(d, d), np.random.default_rng(d)
        x = grid.units(rng.normal(0, 1, (BATCH, d)))
        one = x[:1]
        theory = -flow.log_determinant(grid.values(x)).sum() / np.log(2)
        grown = {}
        for name, push, pop, values in (
            ("layers", flow.push, flow.pop, x),
            (
                "box",
                lambda m, g, v, flow=flow: black_box.push(m, g, v, flow),
                lambda m, g, z, flow=flow: black_box.pop(m, g, z, flow),
                x if d < 400 else x[:4],
            ),
        ):
            message = Message()
            before = message.bits
            z = push(message, grid, values)
            part = theory if len(values) == len(x) else -flow.log_determinant(grid.values(values)).sum() / np.log(2)
            grown[name] = (message.bits - before - part) / values.size
            if not np.array_equal(pop(message, grid, z), values):
                raise SystemExit(f"{name} of {d} dimensions did not decode")
        repeats = REPEATS if d < 400 else 2
        found[d] = {
            "black_box_ms": 1e3 * best(lambda one=one, flow=flow: black_box.push(Message(), grid, one, flow), repeats),  # type: ignore[misc]
            "layers_ms_alone": 1e3 * best(lambda one=one, flow=flow: flow.push(Message(), grid, one)),  # type: ignore[misc]
            "layers_ms_in_a_batch": 1e3 * best(lambda x=x, flow=flow: flow.push(Message(), grid, x)) / BATCH,  # type: ignore[misc]
            "black_box_less_theory": grown["box"],
            "layers_less_theory": grown["layers"],
        }
        found[d]["faster_alone"] = found[d]["black_box_ms"] / found[d]["layers_ms_alone"]
        found[d]["faster_in_a_batch"] = found[d]["black_box_ms"] / found[d]["layers_ms_in_a_batch"]
    return found


def grids(codec: FlowCodec, x: NDArray[np.uint8]) -> list[Found]:
    """Overhead and seed of images for other grids than the model's own."""
    found = []
    for bits, noise in GRIDS:
        flow = FlowModel(codec.model.config | {"grid": [bits, noise]}, codec.model.tensors())  # type: ignore[union-attr]
        message, theory, before = Message(), 0.0, 0.0
        for start in [-1, *range(0, len(x) - 1, BATCH)]:
            batch = x[start : start + BATCH] if start >= 0 else x[-1:]
            step = flow.codec(*batch.shape[:2], batch.shape[2])
            batch = batch.reshape(*batch.shape[:3], -1)
            if start >= 0:
                theory += step.theory(batch, message.copy()).sum()
            step.push(message, batch)
            if start < 0:
                before, seed = message.bits, 8 * len(message) - message.bits
        values = sum(len(x[s : s + BATCH]) for s in range(0, len(x) - 1, BATCH)) * x[0].size
        overhead = (message.bits - before - theory) / values
        found.append({"grid": bits, "noise": noise, "overhead": overhead, "seed_bits_per_dimension": seed / x[0].size})
    return found


def plot(found: Found, folder: Path) -> None:
    """Draw times against dimension, and overhead against seed bits."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    if "growth" in found and "black_box" in found:
        fig, axes = pyplot.subplots(figsize=(6, 4), layout="constrained")
        points = found["growth"]["ms_per_image"]
        axes.plot(list(points), list(points.values()), "o-", label=f"layer by layer, model {found['model']}")
        d = np.array(list(points), float)
        first = next(iter(points.values()))
        axes.plot(d, first * d / d[0], ":", color="grey", label="in proportion")
        boxed = found["black_box"]
        axes.plot(list(boxed), [p["black_box_ms"] for p in boxed.values()], "s-", label="black box, three couplings")
        axes.plot(
            list(boxed), [p["layers_ms_in_a_batch"] for p in boxed.values()], "^-", label="layer by layer, the same"
        )
        axes.set(xlabel="dimensions of an image", ylabel="milliseconds an image", xscale="log", yscale="log")
        axes.grid(alpha=0.3)
        axes.legend(fontsize=8)
        fig.savefig(folder / "lbb-time.png", dpi=90)
        pyplot.close(fig)
    if "grid" in found:
        fig, axes = pyplot.subplots(figsize=(6, 4), layout="constrained")
        for row in found["grid"]:
            at = row["seed_bits_per_dimension"], max(row["overhead"], 1e-5)
            axes.plot(*at, "o", color="C0")
            axes.annotate(f"{row['grid']}, {row['noise']}", at, fontsize=8, xytext=(4, 4), textcoords="offset points")
        axes.set(
            xlabel="seed bits per dimension of the first image",
            ylabel="bits per dimension over theory",
            yscale="log",
            title=f"bits of the grid, bits of the noise (model {found['model']})",
        )
        axes.grid(alpha=0.3)
        fig.savefig(folder / f"lbb-grid-{found['model']}.png", dpi=90)
        pyplot.close(fig)


def measure(arguments: argparse.Namespace) -> Found:
    """Everything that is asked for."""
    codec = cc.get_codec("lbb.flow", model=arguments.model)
    x = images(arguments.data)
    x = x[: arguments.items] if arguments.items else x
    codec.encode(x[:2])
    parts = arguments.only or PARTS
    found: Found = {"model": codec.model.name, "sha256": codec.model.sha256, "model_bytes": len(codec.model.data)}
    if "rate" in parts:
        found["rate"] = rate(codec, x, arguments.network)
    if "speed" in parts:
        found["speed"] = speed(codec, x)
    if "growth" in parts:
        found["growth"] = growth(codec, x)
    if "black_box" in parts:
        found["black_box"] = boxes()
    if "grid" in parts:
        found["grid"] = grids(codec, x[: 8 * BATCH + 1])
    return found


def shown(found: Any, name: str = "") -> Iterator[str]:
    """Lines of a table."""
    if isinstance(found, dict) and not isinstance(next(iter(found.values())), dict | list) and name.count(" "):
        yield f"{name:16} " + "  ".join(
            f"{k} {v:.5g}" if isinstance(v, float) else f"{k} {v}" for k, v in found.items()
        )
    elif isinstance(found, dict):
        for key, value in found.items():
            yield from shown(value, f"{name} {key}".strip())
    elif isinstance(found, list):
        for row in found:
            yield from shown(row, f"{name} ")
    else:
        yield f"{name:50} {found:.6g}" if isinstance(found, float) else f"{name:50} {found}"


def main() -> int:
    """Measure and print; the exit status is 1 if a file did not decode to what was encoded."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", help="name or path")
    parser.add_argument("data", type=Path, nargs="+")
    parser.add_argument("--only", nargs="+", choices=PARTS)
    parser.add_argument("--items", type=int, help="use only the first N images")
    parser.add_argument("--network", type=Path, help="the shipped model's .pt, kept when it was trained")
    parser.add_argument("--plots", type=Path, help="folder to draw in")
    parser.add_argument("--json", action="store_true")
    found = measure(arguments := parser.parse_args())
    if arguments.plots:
        plot(found, arguments.plots)
    found["machine"] = {
        "processor": platform.processor() or platform.machine(),
        "cpus": os.cpu_count(),
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0,
    }
    print(json.dumps(found, indent=2) if arguments.json else "\n".join(shown(found)))
    return 0 if found.get("rate", {}).get("decoded_equal", True) else 1


if __name__ == "__main__":
    sys.exit(main())
