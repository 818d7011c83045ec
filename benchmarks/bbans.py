"""The figures of BB-ANS on MNIST: ``python benchmarks/bbans.py mnist_test.npz [MODEL ...]``.

Every rate is that of a file that was decoded again and compared. ``docs/benchmarks.md`` says what the columns mean.
"""

from __future__ import annotations

import argparse
import bz2
import gzip
import json
import lzma
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from codecs_bbans.codec import VAECodec, item_bits
from numpy.typing import NDArray

import codecs_core as cc
from codecs_core.arrays import ArraySpec
from codecs_core.entropy import BitsBack
from codecs_core.models import Model

REPEATS = 5


def mean_and_error(samples: list[float]) -> tuple[float, float]:
    """Mean and its standard error."""
    return float(np.mean(samples)), float(np.std(samples, ddof=1) / len(samples) ** 0.5)


def seconds(work: Callable[[], Any], repeats: int = REPEATS) -> float:
    """Median of the time that `work` takes, after one run to warm up."""
    work()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return median(times)


def binarised(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Each pixel drawn once as Bernoulli(value / 255), by Philox with key 0."""
    return (np.random.Generator(np.random.Philox(0)).random(images.shape) < images / 255).astype(np.uint8)


def float_rates(path: Path, x: NDArray[np.uint8], samples: int) -> list[float]:
    """Negative evidence bounds of the network in floating point, in bits per value."""
    import torch

    from codecs_core.learn import Autoencoder, Items, evidence_bits

    state = torch.load(path, weights_only=True)
    components = len(state["tables"]) if "tables" in state else 0
    rows = torch.from_numpy(x.reshape(len(x), -1))
    latents, hidden = state["decoder.0.weight"].shape[1], len(state["encoder.0.weight"])
    network = Autoencoder(Items(rows, rows, False), latents=latents, hidden=hidden, components=components)
    network.load_state_dict(state)
    torch.manual_seed(0)
    return [evidence_bits(network, rows) for _ in range(samples)]


def integer_rates(codec: VAECodec, x: NDArray[np.uint8], samples: int, jobs: int) -> list[float]:
    """Negative evidence bounds of the integer model, in bits per value; latents differ with the order of the items."""
    orders = [np.random.Generator(np.random.Philox(seed)).permutation(len(x)) for seed in range(samples)]
    with ThreadPoolExecutor(jobs) as pool:
        return [bits / x.size for bits in pool.map(lambda order: item_bits(codec, x[order]), orders)]


def classical(x: NDArray[np.uint8]) -> dict[str, float]:
    """Bits per value of the whole test set as one stream, binary data packed to bits."""
    data = np.packbits(x).tobytes() if x.max() <= 1 else x.tobytes()
    streams = {
        "xz": lzma.compress(data, preset=9 | lzma.PRESET_EXTREME),
        "bz2": bz2.compress(data, 9),
        "gzip": gzip.compress(data, 9),
    }
    return {name: 8 * len(stream) / x.size for name, stream in streams.items()}


def figures(
    codec: VAECodec, images: NDArray[np.uint8], network: Path | None, *, samples: int, jobs: int, folder: Path
) -> dict[str, Any]:
    """Everything that is measured of one model."""
    model = codec.model
    if model is None:
        raise SystemExit("a codec without a model")
    x = binarised(images) if codec._vae.largest == 1 else images
    path = folder / "figures.ccf"
    cc.save(path, x, codec=codec, jobs=jobs)
    size = path.stat().st_size
    same = bool(np.array_equal(cc.load(path, models=model, jobs=jobs), x))
    with cc.open(path, models=model) as file:
        chunk = file.info()["entries"][0]["chunk"]
    parts = [x[i : i + chunk] for i in range(0, len(x), chunk)]
    content = sum(item_bits(codec, part) for part in parts)
    integer, integer_error = mean_and_error(integer_rates(codec, x, samples, jobs))
    result: dict[str, Any] = {
        "model": model.name,
        "sha256": model.sha256,
        "model_bytes": len(model.data),
        "items": len(x),
        "decoded_equal": same,
        "file_bytes": size,
        "file_bits_per_value": 8 * size / x.size,
        "content_bits_per_value": content / x.size,
        "file_over_content": 8 * size / content - 1,
        "chunks": len(parts),
        "integer_bound": integer,
        "integer_bound_error": integer_error,
        "encode_mb_per_second": x.nbytes / 1e6 / seconds(lambda: cc.save(path, x, codec=codec, jobs=jobs)),
        "decode_mb_per_second": x.nbytes / 1e6 / seconds(lambda: cc.load(path, models=model, jobs=jobs)),
        "load_model_seconds": seconds(lambda: VAECodec(model=Model.from_bytes(model.data))._vae),
        "classical": classical(x),
    }
    if network is not None:
        exact, exact_error = mean_and_error(float_rates(network, x, samples))
        result |= {"float_bound": exact, "float_bound_error": exact_error, "freezing_cost": integer / exact - 1}
    return result


def profile(codec: VAECodec, x: NDArray[np.uint8]) -> dict[str, float]:
    """Shares of the time of encoding on one thread."""
    from codecs_core.entropy import Message

    vae, batch = codec._vae, x[:128].reshape(128, -1)
    message = Message()
    z = vae.posterior(batch).pop(message)
    posterior, likelihood, prior = vae.posterior(batch), vae.likelihood(z), vae.prior(128)
    # enough on the message for what is popped
    for _ in range(REPEATS + 3):
        likelihood.push(message, batch)
    parts = {
        "encoder network": seconds(lambda: vae.encoder(batch)),
        "decoder network": seconds(lambda: vae.decoder(vae.representatives[z])),
        "posterior's tables": seconds(lambda: vae.posterior(batch)) - seconds(lambda: vae.encoder(batch)),
        "likelihood's weights": seconds(lambda: vae.likelihood(z))
        - seconds(lambda: vae.decoder(vae.representatives[z])),
        "push pixels": seconds(lambda: likelihood.push(message, batch)),
        "pop pixels": seconds(lambda: likelihood.pop(message)),
        "pop latents": seconds(lambda: posterior.pop(message)),
        "push latents": seconds(lambda: posterior.push(message, z)),
        "prior": seconds(lambda: prior.push(message, z)),
    }
    return {name: max(0.0, value) / 128 * 1e6 for name, value in parts.items()}


def weighted(codec: VAECodec, x: NDArray[np.uint8], particles: int) -> dict[str, float]:
    """Bits per value of items coded one by one with several particles, and the bound by samples that a generator draws."""
    from codecs_core.entropy import ImportanceWeighted, Message

    model, rows, message = codec._vae.codec(1), x.reshape(len(x), 1, -1), Message()
    stack, bounds = ImportanceWeighted(model, particles), []
    for row in rows:
        stack.push(message, row)
        bounds.append(sampled_bound(model, row, particles))
    received = Message.from_bytes(message.to_bytes())
    same = all(np.array_equal(stack.pop(received), row) for row in reversed(rows))
    received.verify_end()
    return {
        "particles": particles,
        "items": len(x),
        "decoded_equal": same,
        "bits_per_value": message.bits / x.size,
        "with_initial_bits": 8 * len(message.to_bytes()) / x.size,
        "bound": float(np.mean(bounds)) / rows[0].size,
        "bound_error": float(np.std(bounds) / len(bounds) ** 0.5) / rows[0].size,
    }


def sampled_bound(model: BitsBack[Any, Any], row: NDArray[np.uint8], particles: int) -> float:
    """-log2 of the mean of p(x, z) / q(z | x) over latents drawn by pops from random bits (Burda et al. 2016, equation 8)."""
    from codecs_core.entropy import Message, Uniform

    noise = Message()
    random = np.random.default_rng(int(row.sum())).integers(0, 1 << 16, 1 << 14)
    Uniform(1 << 16, 1 << 14).push(noise, random)
    posterior, logs = model.posterior(row), []
    for _ in range(particles):
        z = posterior.pop(noise)
        logs.append(posterior.bits(z) - model.likelihood(z).bits(row) - model.prior.bits(z))
    return float(np.log2(particles) - np.logaddexp2.reduce(logs))


def discretised(codec: VAECodec, x: NDArray[np.uint8], bucket_bits: int, precision: int) -> float:
    """Bits per value with other buckets of latents and another precision of the posterior than those of the codec."""
    from codecs_bbans.model import LATENT_BITS

    from codecs_core.entropy import BucketedGaussian, Chain, Uniform, centres

    vae, values = codec._vae, centres(bucket_bits) >> (24 - LATENT_BITS)
    nearest = np.abs(vae.representatives - values[:, None]).argmin(1)

    def posterior(x: NDArray[np.uint8]) -> BucketedGaussian:
        mean, log_scale = np.split(vae.encoder(x), 2, axis=1)
        return BucketedGaussian(mean, log_scale, bucket_bits=bucket_bits, precision=precision)

    def items(n: int) -> BitsBack[Any, Any]:
        prior = Uniform(1 << bucket_bits, (n, vae.latents))
        return BitsBack(prior, lambda z: vae.likelihood(nearest[z]), posterior)

    return Chain(items, len(x), 128).bits(x.reshape(len(x), -1)) / x.size


def draw(rows: list[dict[str, float]], path: Path) -> None:
    """The rate against the number of particles, and the bound."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "codecs-core"  # the same picture from the same figures
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(5.6, 3.0), layout="constrained")
    particles = [row["particles"] for row in rows]
    axes.plot(particles, [row["bound"] for row in rows], color="#9fa8da", linewidth=5, label="bound")
    axes.plot(particles, [row["bits_per_value"] for row in rows], color="#1a237e", marker="o", label="coded")
    axes.set_xscale("log", base=2)
    axes.set_xticks(particles, [str(n) for n in particles])
    axes.set_xlabel("particles")
    axes.set_ylabel("bits per pixel")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    figure.savefig(path, metadata={"Date": None})


def start_up(path: Path) -> dict[str, float]:
    """Seconds of ``codecs --help`` and ``codecs info FILE``, each in a fresh process."""
    program = [sys.executable, "-c", "from codecs_core.cli import main; main()"]
    run = lambda *arguments: subprocess.run([*program, *arguments], check=True, capture_output=True)  # noqa: E731
    return {"--help": seconds(lambda: run("--help")), "info": seconds(lambda: run("info", str(path)))}


def show(found: dict[str, Any]) -> None:
    """Print the figures as tables."""
    machine = found["machine"]
    print(f"{machine['processor']}, {machine['cpus']} CPUs, {found['jobs']} jobs, load {machine['load']:.1f}\n")
    for m in found["models"]:
        print(f"## {m['model']}  ({m['items']} items, model of {m['model_bytes'] / 1e6:.2f} MB, {m['sha256'][:16]})\n")
        rows = [
            (
                "file",
                f"{m['file_bits_per_value']:.5f} bits per pixel",
                f"{m['file_bytes']} bytes, {m['chunks']} chunks",
            ),
            ("information content", f"{m['content_bits_per_value']:.5f}", f"file {m['file_over_content']:+.3%}"),
            ("integer bound", f"{m['integer_bound']:.5f} ± {m['integer_bound_error']:.5f}", ""),
        ]
        if "float_bound" in m:
            rows.append(
                (
                    "float bound",
                    f"{m['float_bound']:.5f} ± {m['float_bound_error']:.5f}",
                    f"freezing costs {m['freezing_cost']:+.3%}",
                )
            )
        rows += [(f"{name}, solid", f"{rate:.5f}", "") for name, rate in m["classical"].items()]
        rows += [
            ("encode", f"{m['encode_mb_per_second']:.2f} MB/s", ""),
            ("decode", f"{m['decode_mb_per_second']:.2f} MB/s", ""),
            ("load the model", f"{m['load_model_seconds'] * 1e3:.0f} ms", ""),
        ]
        for name, value, remark in rows:
            print(f"{name:22} {value:28} {remark}")
        if not m["decoded_equal"]:
            print("THE FILE DOES NOT DECODE TO WHAT WAS ENCODED")
        for w in m.get("weighted", ()):
            print(
                f"{w['particles']:3} particles, {w['items']} items: {w['bits_per_value']:.5f}, its bound {w['bound']:.5f} ± "
                f"{w['bound_error']:.5f}, with initial bits {w['with_initial_bits']:.5f}"
            )
        for bits, precision, rate in m.get("discretised", ()):
            print(f"2^{bits} buckets, {precision} bits of precision: {rate:.4f}")
        if "profile" in m:
            print(
                "\nmicroseconds an item, on one thread: " + ", ".join(f"{k} {v:.0f}" for k, v in m["profile"].items())
            )
        print()
    for name, value in found["start_up"].items():
        print(f"codecs {name:8} {value * 1e3:.0f} ms")


def main() -> int:
    """Measure and print; the exit status is 1 if a file did not decode to what was encoded."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="the test images of MNIST, as `images` of a .npz file")
    parser.add_argument("models", nargs="*", default=["mnist", "mnist-binary"], help="names or paths")
    parser.add_argument(
        "--network", type=Path, action="append", default=[], help="a model's .pt, in the order of the models"
    )
    parser.add_argument("--items", type=int, help="use only the first N images")
    parser.add_argument("--samples", type=int, default=10, help="of the latents, for the bounds")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument(
        "--particles", type=int, nargs="*", default=[], help="also importance weighting, with N particles"
    )
    parser.add_argument("--weighted-items", type=int, default=500, help="use the first N images for that")
    parser.add_argument("--buckets", action="store_true", help="also other buckets of latents, and other precisions")
    parser.add_argument(
        "--picture", type=Path, help="draw the rate of the first model against the particles: an .svg file"
    )
    parser.add_argument("--profile", action="store_true", help="also where the time goes")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    images = np.load(arguments.data)["images"][: arguments.items]
    ArraySpec.of(images)
    found: dict[str, Any] = {
        "machine": {
            "processor": platform.processor() or platform.machine(),
            "cpus": os.cpu_count(),
            "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0,
        },
        "jobs": arguments.jobs,
        "models": [],
    }
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for i, ref in enumerate(arguments.models):
            codec = cc.get_codec("bbans.vae", model=ref)
            network = arguments.network[i] if i < len(arguments.network) else None
            found["models"].append(
                figures(codec, images, network, samples=arguments.samples, jobs=arguments.jobs, folder=folder)
            )
            x = binarised(images) if codec._vae.largest == 1 else images
            found["models"][-1]["weighted"] = [
                weighted(codec, x[: arguments.weighted_items], n) for n in arguments.particles
            ]
            if arguments.buckets:
                pairs = [(8, 26), (4, 26), (2, 26), (8, 18), (8, 12)]
                found["models"][-1]["discretised"] = [(*pair, discretised(codec, x, *pair)) for pair in pairs]
            if arguments.profile:
                found["models"][-1]["profile"] = profile(codec, x)
        found["start_up"] = start_up(folder / "figures.ccf")
    if arguments.picture:
        draw(found["models"][0]["weighted"], arguments.picture)
    if arguments.json:
        print(json.dumps(found, indent=2))
    else:
        show(found)
    parts = [part for m in found["models"] for part in (m, *m["weighted"])]
    return 0 if all(part["decoded_equal"] for part in parts) else 1


if __name__ == "__main__":
    sys.exit(main())
