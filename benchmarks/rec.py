"""The figures of relative entropy coding: ``python benchmarks/rec.py [PART ...] [--mnist FILE] [--colour FOLDER] [--plots FOLDER]``.

Parts: ``steps``, ``lengths``, ``peaks``, ``laws``, ``speed``, ``laplace`` (samplers), ``single`` (one image alone, needs --mnist),
``distortion`` (needs --colour). Every length is what a message grew by, or the bytes of a payload that was decoded again and compared.
"""

from __future__ import annotations

import argparse
import io
import json
import math
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
from codecs_rec.calibration import information
from codecs_rec.codec import LosslessCodec
from codecs_rec.families import Family, Gaussian, Laplace, Triangular, Uniform, relate
from codecs_rec.index import OctaveCode, calibrate, depth_code, zipf
from codecs_rec.lossy.codec import LossyCodec
from codecs_rec.philox import check_key
from codecs_rec.quantile import NORMAL
from codecs_rec.samplers import (
    OFFSET,
    AStar,
    BranchAndBound,
    Dithered,
    GreedyPoisson,
    PoissonFunctional,
    Sampler,
    ScaledDithered,
)
from codecs_rec.tables.depths import channel
from numpy.typing import NDArray
from scipy import special, stats

import codecs_core as cc
from codecs_core.arrays import ArraySpec
from codecs_core.entropy import EliasDelta, Message, StackCodec, exponents

Found = dict[str, Any]
Split = Literal["dyadic", "sample"]
SPLITS: tuple[Split, Split] = ("dyadic", "sample")

# Data published with Flamich 2023 (figure 2): quartiles of the index of the global sampler and of the steps of the others.
GLOBAL = {
    0.1: (1, 1, 1),
    0.943: (1, 1, 3),
    1.786: (1, 3, 6),
    2.629: (2, 5, 12),
    3.471: (3, 8, 21),
    4.314: (5, 13, 40),
    5.157: (8, 25, 61),
}
STEPS: dict[str, dict[float, tuple[int, int, int]]] = {
    "sample": {0.95: (1, 1, 3), 2.65: (2, 3, 5), 5.2: (4, 6, 9), 8.6: (8, 11, 14), 12.0: (13, 16, 19)},
    "dyadic": {0.95: (1, 1, 2), 2.65: (2, 3, 4), 5.2: (4, 5, 7), 8.6: (7, 9, 10), 12.0: (10, 12, 13)},
}
#: Its curve of code lengths of the dyadic sampler.
PUBLISHED_LENGTHS = {0.95: 4.65, 2.65: 7.05, 5.2: 10.05, 8.6: 14.14, 12.0: 17.95}


def grown(code: StackCodec, index: NDArray[Any]) -> float:
    """Bits an index that a message grows by; it is popped again and compared."""
    message = Message()
    code.push(message, index)
    bits = message.bits
    again = Message.from_bytes(message.to_bytes())
    if not np.array_equal(code.pop(again), index):
        raise SystemExit(f"{code} does not give back what was pushed")
    again.verify_end()
    return bits / index.size


def steps(samples: int, found: Found) -> None:
    """Quartiles of indices and steps for the one-dimensional Gaussian channel, beside those published."""
    rows = []
    for bits, published in GLOBAL.items():
        index = GreedyPoisson().encode(channel(bits, samples, 1), Gaussian(), 1)
        rows.append(["global", bits, published, _near(index, published), _quartiles(index), None])
    for split in SPLITS:
        for bits, published in STEPS[split].items():
            depth = exponents(BranchAndBound(split).encode(channel(bits, samples, 2), Gaussian(), 2)) + 1
            rows.append([split, bits, published, _near(depth, published), _quartiles(depth), float(depth.mean())])
    found["steps"] = rows
    for name, bits, published, near, ours, mean in rows:
        average = "" if mean is None else f"mean {mean:.2f}"
        verdict = "agree" if near else "DIFFER"
        print(f"{name:8} {bits:6} bits  published {published!s:14} here {ours!s:22} {average:12} {verdict}")


def _quartiles(x: NDArray[Any]) -> list[float]:
    return [float(q) for q in np.quantile(x, [0.25, 0.5, 0.75])]


def _near(x: NDArray[Any], published: tuple[float, ...]) -> bool:
    """Whether published quartiles, of 1,000 samples, are within two standard errors of the shares."""
    return all(
        np.quantile(x, max(0, q - 0.03)) - 1 <= p <= np.quantile(x, q + 0.03) + 1
        for q, p in zip((0.25, 0.5, 0.75), published, strict=True)
    )


def lengths(samples: int, found: Found) -> None:
    """Bits a sample against the information of the channel, each sampler with a code on a message."""
    rows: dict[str, list[tuple[float, float]]] = {}
    for bits in (0.25, 0.5, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 12.0):
        target = channel(bits, samples, 77)
        for split in SPLITS:
            index = BranchAndBound(split).encode(target, Gaussian(), 7)
            rows.setdefault(f"GPRS, {split}", []).append((bits, grown(depth_code(bits, split, index.shape), index)))
            half = samples // 2
            index = AStar(split).encode(target, Gaussian(), 7)
            code = OctaveCode(calibrate(index[:half]), shape=samples - half)
            rows.setdefault(f"A*, {split}", []).append((bits, grown(code, index[half:])))
        if bits <= 6:
            index = GreedyPoisson().encode(target, Gaussian(), 7)
            half = samples // 2
            rows.setdefault("GPRS, global, Zipf", []).append((bits, grown(zipf(bits, index.shape), index)))
            rows.setdefault("GPRS, global, Elias delta", []).append((bits, grown(EliasDelta(index.shape), index)))
            code = OctaveCode(calibrate(index[:half]), shape=samples - half)
            rows.setdefault("GPRS, global, calibrated", []).append((bits, grown(code, index[half:])))
        if bits >= 0.5:
            noise = ScaledDithered(target.scale)
            index = noise.encode(target, Gaussian(0.0, np.sqrt(1 - 4.0**-bits)), 7)
            code2 = noise.code(index.shape, Gaussian(0.0, np.sqrt(1 - 4.0**-bits)), 7)
            rows.setdefault("scaled dither", []).append((bits, grown(code2, index + OFFSET)))
    found["lengths"] = rows
    for name, points in rows.items():
        print(f"{name:28}" + "  ".join(f"{b:g}: {n:.2f}" for b, n in points))


def peaks(samples: int, found: Found) -> None:
    """Steps against the largest ratio, at an information of one nat."""
    rows = []
    for nats in np.linspace(4, 32, 8):
        s = _scale_of_peak(float(nats))
        m = math.sqrt(2 * (1 + math.log(s)) + 1 - s * s)
        target = Gaussian(np.full(samples, m), s)
        pair = relate(target, Gaussian())
        visited = AStar().steps(pair, NORMAL, check_key(3), np.empty(samples, np.int64)).mean()
        depth = (exponents(BranchAndBound("sample").encode(target, Gaussian(), 3)) + 1).mean()
        rows.append((float(nats) / math.log(2), float(visited), float(depth)))
        print(
            f"largest ratio {rows[-1][0]:5.1f} bits: AS* {visited:5.1f} nodes, branch-and-bound GPRS {depth:.2f} steps"
        )
    found["peaks"] = rows


def _scale_of_peak(nats: float) -> float:
    """The scale of a Gaussian that tells one nat and whose largest ln ratio is `nats`, by bisection."""
    low, high = 0.4, 1 - 1e-9
    for _ in range(100):
        s = (low + high) / 2
        square = 2 * (1 + math.log(s)) + 1 - s * s
        low, high = (s, high) if square / (2 * (1 - s * s)) - math.log(s) < nats else (low, s)
    return low


def laws(samples: int, found: Found) -> None:
    """Kolmogorov-Smirnov tests of every sampler that claims exactness."""
    cases: list[tuple[Family, Family, Any]] = [
        (Gaussian(np.full(samples, 1.0), 0.25), Gaussian(), stats.norm(1.0, 0.25)),
        (Laplace(np.full(samples, 0.4), 0.2), Laplace(), stats.laplace(0.4, 0.2)),
        (Uniform(np.full(samples, 0.3), 0.1), Uniform(), stats.uniform(0.3, 0.1)),
        (Triangular(np.full(samples, 0.3), 0.2), Uniform(), stats.triang(0.5, 0.1, 0.4)),
    ]
    scalar: dict[str, Sampler] = {
        "GPRS, global": GreedyPoisson(),
        "GPRS, dyadic": BranchAndBound(),
        "GPRS, sample": BranchAndBound("sample"),
        "AS*": AStar(),
        "AD*": AStar("dyadic"),
    }
    rows = []
    for name, sampler in scalar.items():
        for target, proposal, law in cases:
            x = sampler.decode(sampler.encode(target, proposal, 11), proposal, 11)
            rows.append((name, type(target).__name__, float(stats.kstest(x, law.cdf).pvalue)))
    block = PoissonFunctional().encode(Gaussian(np.full((samples, 1), 1.0), 0.25), Gaussian(np.zeros(1)), 11)
    x = PoissonFunctional().decode(block, Gaussian(np.zeros(1)), 11)[:, 0]
    rows.append(("Poisson functional", "Gaussian", float(stats.kstest(x, stats.norm(1.0, 0.25).cdf).pvalue)))
    y = np.linspace(-3, 3, samples)
    for noise, family in ((Dithered(0.3), Uniform), (ScaledDithered(0.3), Gaussian)):
        index = noise.encode(family(y, 0.3), Gaussian(), 11)
        law = "uniform" if family is Uniform else "norm"
        p = stats.kstest((noise.decode(index, Gaussian(), 11) - y) / 0.3, law).pvalue
        rows.append((type(noise).__name__, family.__name__, float(p)))
    found["laws"] = rows
    for name, target_name, p in rows:
        print(f"{name:20} {target_name:12} p = {p:.3f}  {'pass' if p > 0.01 else 'FAIL'}")


def speed(samples: int, found: Found) -> None:
    """Samples a second at 4 bits on one thread: the best of five, and the same by processor time."""
    target, rows = channel(4.0, samples, 5), []
    for sampler in (BranchAndBound(), BranchAndBound("sample"), AStar(), GreedyPoisson()):
        index = sampler.encode(target, Gaussian(), 5)
        name = f"{type(sampler).__name__} {getattr(sampler, 'split', '')}"
        encode = _rate(lambda s=sampler: s.encode(target, Gaussian(), 5), samples)  # type: ignore[misc]
        decode = _rate(lambda s=sampler, i=index: s.decode(i, Gaussian(), 5), samples)  # type: ignore[misc]
        rows.append((name, encode, decode))
        print(f"{name:24} encode {encode / 1e3:8.0f} k/s   decode {decode / 1e6:7.2f} M/s")
    found["speed"] = rows


def _rate(work: Callable[[], Any], samples: int) -> float:
    best = math.inf
    for _ in range(5):
        start = time.process_time()
        work()
        best = min(best, time.process_time() - start)
    return samples / best


def laplace(samples: int, found: Found) -> None:
    """Divergences of Laplace(0, b) from Laplace(0, 1), the entropy of the index of the global sampler, and its bounds, in bits."""
    rows = []
    for b in (0.7, 0.5, 0.3, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005):
        kl = (b - math.log(b) - 1) / math.log(2)
        cs = (b + float(special.digamma(1 / b)) + np.euler_gamma - 1) / math.log(2)
        index = GreedyPoisson().encode(Laplace(np.zeros(samples), b), Laplace(), 13)
        counts = np.unique(index, return_counts=True)[1]
        # Miller and Madow's correction of the plug-in estimate
        entropy = -(counts / samples * np.log2(counts / samples)).sum() + (counts.size - 1) / (
            2 * samples * math.log(2)
        )
        half = samples // 2
        coded = grown(OctaveCode(calibrate(index[:half]), shape=samples - half), index[half:])
        rows.append((b, kl, cs, float(entropy), coded, cs + math.log2(1 + math.e), float(index.mean())))
        values = ", ".join(f"{v:.3f}" for v in rows[-1][1:6])
        print(
            f"b {b:5}: D_KL, D_CS, H, coded, D_CS + log2(1 + e) {values}; mean index {index.mean():.2f} of {1 / b:.2f}"
        )
    found["laplace"] = rows


# --- codecs ---------------------------------------------------------------------------------------


def binarised(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Each pixel drawn once as Bernoulli(value / 255), by Philox with key 0."""
    return (np.random.Generator(np.random.Philox(0)).random(images.shape) < images / 255).astype(np.uint8)


def bound(codec: LosslessCodec, x: NDArray[np.uint8], draws: int) -> float:
    """Negative evidence bound of the integer model in bits an item: posterior samples in its own fixed point."""
    vae, rng, total = codec._vae, np.random.default_rng(0), 0.0
    for start in range(0, len(x), 500):
        part = x[start : start + 500]
        mean, scale = vae.posterior(part)
        for _ in range(draws):
            z = np.floor((mean + scale * rng.standard_normal(mean.shape)) * 256)
            z = np.clip(z, vae.decoder.low, vae.decoder.high).astype(np.int64)
            total += float((information(mean, scale).sum(1) + vae.information(z, part)).sum()) / draws
    return total / len(x)


def single(images: NDArray[np.uint8], model: str, items: int, found: Found) -> None:
    """One image alone: bytes of its payload against the evidence bound, with and without search."""
    searching = cc.get_codec("rec.vae-lossless", model=model)
    if not isinstance(searching, LosslessCodec):
        raise SystemExit("no lossless codec")
    x = (binarised(images) if searching._vae.largest == 1 else images)[:items]
    flat = x.reshape(len(x), -1)
    elbo = bound(searching, flat, 20)
    row: Found = {"model": model, "items": len(x), "bound_bits": elbo}
    ways = {
        "search": searching,
        "smallest": LosslessCodec(model=searching.model, effort="smallest"),
        "sample": LosslessCodec(model=searching.model, search=False),
    }
    for name, codec in ways.items():
        start, bits = time.process_time(), 0
        for item in x:
            payload = codec.encode(item[None])
            bits += 8 * len(payload)
            if not np.array_equal(codec.decode(payload, ArraySpec.of(item[None]))[0], item):
                raise SystemExit("an image does not decode to itself")
        seconds = (time.process_time() - start) / len(x)
        row[name] = {"payload_bits": bits / len(x), "over_bound": bits / len(x) / elbo - 1, "seconds": seconds}
    stack = searching.encode(x)
    row["stack_bits"] = 8 * len(stack) / len(x)
    try:
        bb = cc.get_codec("bbans.vae", model=model)
        row["bbans_alone_bits"] = float(np.mean([8 * len(bb.encode(item[None])) for item in x]))
    except cc.CodecsError:
        pass
    found.setdefault("single", []).append(row)
    print(f"{model}: bound {elbo:.2f} bits an image ({elbo / flat.shape[1]:.4f} bits per value), {len(x)} images")
    for name in ways:
        r = row[name]
        print(
            f"  alone, {name}: {r['payload_bits']:.2f} bits, {r['over_bound']:+.1%} over the bound, {r['seconds'] * 1e3:.0f} ms"
        )
    print(
        f"  {len(x)} in one stack: {row['stack_bits']:.2f} bits an image"
        + (f"; bbans.vae, alone: {row['bbans_alone_bits']:.1f} bits" if "bbans_alone_bits" in row else "")
    )


def psnr(x: NDArray[Any], y: NDArray[Any]) -> float:
    """Of all values at once, in dB."""
    return float(10 * np.log10(255**2 / np.square(x.astype(np.float64) - y).mean()))


def distortion(x: NDArray[np.uint8], model: str, found: Found) -> None:
    """Bits per pixel and PSNR of ``rec.vae`` and of WebP and JPEG XL at their lowest rates, image by image and as one sprite."""
    ways: dict[str, dict[str, Any]] = {
        "rec.vae": {},
        "rec.vae, smallest": {"effort": "smallest"},
        "rec.vae, sampled": {"search": False},
    }
    rows: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    codec = cc.get_codec("rec.vae", model=model)
    if not isinstance(codec, LossyCodec):
        raise SystemExit("no lossy codec")
    seconds = [0.0, 0.0]
    for name, way in ways.items():
        # what is slow: a tenth of the images, and every other quality
        items = x[: max(20, len(x) // 10)] if way else x
        for quality in range(1, 1 + codec._vae.qualities, 2 if way else 1):
            one = LossyCodec(model=codec.model, quality=quality, **way)
            start = time.process_time()
            payloads = [one.encode(item[None]) for item in items]
            middle = time.process_time()
            decoded = np.concatenate([one.decode(p, ArraySpec.of(x[:1])) for p in payloads])
            if not way:
                seconds = [middle - start, time.process_time() - middle]
            rows[name].append((8 * sum(map(len, payloads)) / math.prod(items.shape[:3]), psnr(items, decoded)))
    print(
        f"{len(x)} images, each a payload; at the best quality {seconds[0] / len(x) * 1e3:.0f} ms to encode one, "
        f"{seconds[1] / len(x) * 1e3:.1f} ms to decode it"
    )
    side = math.isqrt(len(x))
    sprite = (
        x[: side * side]
        .reshape(side, side, *x.shape[1:])
        .swapaxes(1, 2)
        .reshape(side * x.shape[1], side * x.shape[2], 3)
    )
    for name, images in (("alone", x), ("sprite", sprite[None])):
        for kind, settings in (("WebP", (0, 5, 10, 20, 40)), ("JPEG XL", (15.0, 10.0, 6.0, 4.0, 2.5))):
            for setting in settings:
                rows.setdefault(f"{kind}, {name}", []).append(_classical(kind, setting, images))
    found["distortion"] = rows
    for name, points in rows.items():
        print(f"{name:18}" + "  ".join(f"{b:.3f}: {p:.2f}" for b, p in points) + "  (bits per pixel: dB)")


def _classical(kind: str, setting: float, images: NDArray[np.uint8]) -> tuple[float, float]:
    import imagecodecs
    from PIL import Image

    size, decoded = 0, []
    for image in images:
        if kind == "WebP":
            file = io.BytesIO()
            Image.fromarray(image).save(file, "WEBP", quality=setting, method=6)
            size += len(file.getvalue())
            decoded.append(np.asarray(Image.open(file).convert("RGB")))
        else:
            data = imagecodecs.jpegxl_encode(image, distance=setting, effort=7)
            size += len(data)
            decoded.append(imagecodecs.jpegxl_decode(data))
    return 8 * size / math.prod(images.shape[:3]), psnr(images, np.stack(decoded))


# --- plots ----------------------------------------------------------------------------------------


def plot(found: Found, folder: Path) -> None:
    """Draw what was measured."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    def figure(name: str, x: str, y: str, draw: Callable[[Any], None], *, logarithmic: bool = False) -> None:
        fig, axes = pyplot.subplots(figsize=(6, 4), layout="constrained")
        draw(axes)
        axes.set(xlabel=x, ylabel=y, xscale="log" if logarithmic else "linear")
        axes.grid(alpha=0.3)
        axes.legend(fontsize=8)
        fig.savefig(folder / f"rec-{name}.png", dpi=90)
        pyplot.close(fig)

    def draw_lengths(axes: Any) -> None:
        for name, points in found["lengths"].items():
            axes.plot(*zip(*points, strict=True), ".-", label=name)
        bits = np.linspace(0.1, 12, 100)
        axes.plot(bits, bits, "k-", lw=0.8, label="I")
        axes.plot(
            bits, bits + np.log2(bits + 1) + math.log2(1 + math.e), "k--", lw=0.8, label="I + log2(I + 1) + log2(1 + e)"
        )
        axes.plot(list(PUBLISHED_LENGTHS), list(PUBLISHED_LENGTHS.values()), "kx", label="dyadic, published")

    def draw_steps(axes: Any) -> None:
        for split in SPLITS:
            rows = [r for r in found["steps"] if r[0] == split]
            axes.plot([r[1] for r in rows], [r[5] for r in rows], ".-", label=f"GPRS, {split}: mean steps")
            axes.plot([r[1] for r in rows], [r[2][1] for r in rows], "kx", label=f"{split}: published medians")

    def draw_peaks(axes: Any) -> None:
        bits, visited, depth = zip(*found["peaks"], strict=True)
        axes.plot(bits, visited, ".-", label="AS*: nodes")
        axes.plot(bits, depth, ".-", label="branch-and-bound GPRS: steps")
        axes.plot(bits, np.array(bits) * math.log(2), "k--", lw=0.8, label="one a nat")

    def draw_laplace(axes: Any) -> None:
        columns = list(zip(*found["laplace"], strict=True))
        for i, name in (
            (1, "D_KL"),
            (2, "D_CS"),
            (3, "entropy of the index"),
            (4, "coded, calibrated octaves"),
            (5, "D_CS + log2(1 + e)"),
        ):
            axes.plot(columns[0], columns[i], ".-", label=name)

    def draw_distortion(axes: Any) -> None:
        for name, points in found["distortion"].items():
            axes.plot(*zip(*points, strict=True), ".-", label=name)

    folder.mkdir(parents=True, exist_ok=True)
    if "lengths" in found:
        figure("lengths", "mutual information (bits)", "bits a sample, on a message", draw_lengths)
    if "steps" in found:
        figure("steps", "mutual information (bits)", "steps", draw_steps)
    if "peaks" in found:
        figure("peaks", "largest ratio (bits)", "steps", draw_peaks)
    if "laplace" in found:
        figure("laplace", "b", "bits", draw_laplace, logarithmic=True)
    if "distortion" in found:
        figure("distortion", "bits per pixel", "PSNR (dB)", draw_distortion, logarithmic=True)


SAMPLERS: dict[str, Callable[[int, Found], None]] = {
    "steps": steps,
    "lengths": lengths,
    "peaks": peaks,
    "laws": laws,
    "speed": speed,
    "laplace": laplace,
}
SAMPLES = {"steps": 5_000, "lengths": 20_000, "peaks": 1_000, "laws": 100_000, "speed": 200_000, "laplace": 100_000}


def main() -> int:
    """Measure, print and plot."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", help="by default all that have their data")
    parser.add_argument("--mnist", type=Path, help="the test images of MNIST, as `images` of a .npz file")
    parser.add_argument("--colour", type=Path, help="a folder with test-*.webp, sprites of 32 x 32 images")
    parser.add_argument("--models", nargs="*", default=["mnist-binary", "mnist"], help="of rec.vae-lossless")
    parser.add_argument("--colour-model", default="colour", help="of rec.vae")
    parser.add_argument("--items", type=int, default=1000, help="images of each kind")
    parser.add_argument("--plots", type=Path, help="where to draw")
    parser.add_argument("--json", type=Path, help="where to write all figures")
    arguments = parser.parse_args()
    found: Found = {}
    known = {*SAMPLERS, "single", "distortion"}
    if unknown := {*arguments.parts} - known:
        parser.error(f"no part {unknown.pop()!r}; there are {', '.join(sorted(known))}")
    for name, part in SAMPLERS.items():
        if not arguments.parts or name in arguments.parts:
            print(f"\n## {name}\n")
            part(SAMPLES[name], found)
    if arguments.mnist and (not arguments.parts or "single" in arguments.parts):
        print("\n## single\n")
        images = np.load(arguments.mnist)["images"]
        for model in arguments.models:
            single(images, model, arguments.items, found)
    if arguments.colour and (not arguments.parts or "distortion" in arguments.parts):
        from PIL import Image

        print("\n## distortion\n")
        sprite = np.asarray(Image.open(sorted(arguments.colour.glob("test-*.webp"))[0]))
        tiles = sprite.reshape(sprite.shape[0] // 32, 32, sprite.shape[1] // 32, 32, 3).swapaxes(1, 2)
        distortion(tiles.reshape(-1, 32, 32, 3)[: arguments.items], arguments.colour_model, found)
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=2))
    if arguments.plots:
        plot(found, arguments.plots)
    return 0


if __name__ == "__main__":
    sys.exit(main())
