"""Rate, distortion and realism of ``rec.vae``: ``python benchmarks/rec_realism.py CIFAR10 [--items N] [--features FILE] [--json]``.

CIFAR10 is a folder of lossless WebP sprites, ``train-*.webp`` and ``test-*.webp``, with ``train-labels.npy``. The first test images are
encoded, each quality as one payload, which is decoded again: by searching, by sampling, with half of the detail that the model draws and
with all of it, and by rounding the same coefficients to multiples of a step, for the same decoder. Of what is decoded this tells

- the bits per pixel of the payload, and the PSNR;
- the energy of differences of neighbours, as a part of that of the originals;
- the Frechet distance to the originals: how far means and covariances are apart of 128 features, the last ones of a network that is
  trained here to tell the classes of the training images (Heusel et al. 2017 have those of another network).

FILE keeps that network; where it exists, it is read.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from codecs_rec.index import octave_code
from codecs_rec.lossy.codec import LossyCodec
from codecs_rec.lossy.model import LossyVAE
from codecs_rec.transform import VALUE_BITS
from inr import tiles
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

import codecs_core as cc
from codecs_core.entropy import DiscretizedLaplace, Message

#: Steps, images of each, and the largest rate of the training of the features.
STEPS, BATCH, RATE = 4000, 64, 3e-3
#: Values that a rounded coefficient may have.
SYMBOLS = 1 << 12


@dataclass(frozen=True)
class Way:
    """How images are encoded and decoded, and at which qualities."""

    name: str
    search: bool
    detail: int


WAYS = (
    Way("searched", search=True, detail=0),
    Way("sampled", search=False, detail=0),
    Way("searched, half of the detail", search=True, detail=50),
    Way("searched, all of the detail", search=True, detail=100),
    Way("sampled, all of the detail", search=False, detail=100),
)


# --- features -----------------------------------------------------------------------------------------


def layer(inputs: int, outputs: int, stride: int) -> list[nn.Module]:
    convolution = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
    return [convolution, nn.BatchNorm2d(outputs), nn.ReLU()]


def classifier() -> nn.Sequential:
    """Five convolutions; what comes before the last layer are the features."""
    widths = [(3, 32, 1), (32, 64, 2), (64, 64, 1), (64, 128, 2), (128, 128, 1)]
    layers = [part for width in widths for part in layer(*width)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(128, 10))


def shown(x: NDArray[np.uint8]) -> Tensor:
    return (torch.from_numpy(np.ascontiguousarray(x)).permute(0, 3, 1, 2).float() - 128) / 64


def trained(folder: Path) -> nn.Sequential:
    """The classifier, after some steps on training images but the last sprite, which says how well it does."""
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    files = sorted(folder.glob("train-*.webp"))
    x, labels = np.concatenate([tiles(f) for f in files]), np.load(folder / "train-labels.npy").astype(np.int64)
    fit = len(x) - len(tiles(files[-1]))
    network = classifier().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser = torch.optim.AdamW(network.parameters(), RATE, weight_decay=1e-2)
    for step in range(STEPS):
        at = rng.integers(0, fit, BATCH)
        seen = torch.roll(shown(x[at]), rng.integers(-3, 4, 2).tolist(), (2, 3))
        for group in optimiser.param_groups:
            group["lr"] = RATE * min(1, (step + 1) / 200) * (0.5 + 0.5 * math.cos(math.pi * step / STEPS))
        optimiser.zero_grad()
        scores = network(seen.flip(3) if rng.integers(2) else seen)
        functional.cross_entropy(scores, torch.from_numpy(labels[at]), label_smoothing=0.05).backward()
        optimiser.step()
    network.eval()
    with torch.inference_mode():
        right = float((network(shown(x[fit:])).argmax(1).numpy() == labels[fit:]).mean())
    print(
        f"the network of the features is right on {right:.1%} of {len(x) - fit} images that were held out",
        file=sys.stderr,
    )
    return network


def features(network: nn.Sequential, x: NDArray[np.uint8]) -> NDArray[np.float64]:
    with torch.inference_mode():
        return network[:-1](shown(x)).double().numpy()


def frechet(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """|mean a - mean b|^2 + tr(A + B - 2 (A B)^(1/2)), with A and B the covariances."""
    first, second = np.cov(a.T), np.cov(b.T)
    # the eigenvalues of A B are those of a matrix that is symmetric
    values, vectors = np.linalg.eigh(first)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    shared = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ second @ root), 0)).sum()
    return float(np.square(a.mean(0) - b.mean(0)).sum() + np.trace(first) + np.trace(second) - 2 * shared)


# --- images -------------------------------------------------------------------------------------------


def gradients(x: NDArray[np.uint8]) -> float:
    y = x.astype(np.float64)
    return float(sum(np.square(np.diff(y, axis=axis)).mean() for axis in (1, 2)))


def rounded(vae: LossyVAE, x: NDArray[np.uint8], quality: int) -> tuple[int, NDArray[np.uint8]]:
    """Bytes of a message, and images, of coefficients rounded to a step whose errors are as large as the noise of a quality."""
    flat = x.reshape(len(x), -1)
    y = vae.coefficients(flat)
    k = vae.classify(y, quality)
    noise = int(vae.noises[quality])
    step = 2 ** (noise / 64) * math.sqrt(12)
    symbols = np.clip(np.rint(y * 2.0**-VALUE_BITS / step).astype(np.int64) + SYMBOLS // 2, 0, SYMBOLS - 1)
    # of a Laplace distribution with the deviation of the class: tails of a Gaussian would say too much of a coefficient that is mostly 0
    scale = np.maximum(vae.deviations[k] - round(64 * math.log2(step)) - 32, -384)
    code = DiscretizedLaplace(np.full_like(scale, SYMBOLS << 7), scale, symbols=SYMBOLS, precision=24)
    classes = octave_code(vae.classes[None], np.zeros(len(k), np.int64))
    message = Message()
    code.push(message, symbols)
    classes.push(message, k)
    payload = message.to_bytes()
    again = Message.from_bytes(payload)
    if not (np.array_equal(classes.pop(again), k) and np.array_equal(code.pop(again), symbols)):
        raise SystemExit("rounded coefficients did not come back")
    z = np.rint((symbols - SYMBOLS // 2) * step * (1 << VALUE_BITS)).astype(np.int64)
    return len(payload), vae.values(z, quality).reshape(x.shape)


def measured(folder: Path, model: str, items: int, network: nn.Sequential) -> list[dict[str, Any]]:
    """A row for each quality and way."""
    x = tiles(folder / "test-00.webp")[:items]
    frozen = cc.load_model(model, codec="rec.vae")
    vae, original = LossyVAE(frozen), features(network, x)
    rows = []
    for quality in range(1, vae.qualities + 1, 2):
        payloads = {
            search: LossyCodec(model=frozen, quality=quality, search=search).encode(x) for search in (True, False)
        }
        found = [(way.name, *decoded_by(frozen, x, quality, way, payloads)) for way in WAYS]
        found.append(("rounded", *rounded(vae, x, quality - 1)))
        for name, size, decoded in found:
            rows.append(
                {
                    "quality": quality,
                    "way": name,
                    "bits_per_pixel": 8 * size / math.prod(x.shape[:3]),
                    "psnr": 10 * math.log10(255**2 / np.square(x.astype(np.float64) - decoded).mean()),
                    "gradients": gradients(decoded) / gradients(x),
                    "frechet": frechet(features(network, decoded), original),
                }
            )
    return rows


def decoded_by(
    model: cc.Model, x: NDArray[np.uint8], quality: int, way: Way, payloads: dict[bool, bytes]
) -> tuple[int, NDArray[Any]]:
    """Bytes and images; payloads are the same whatever detail is drawn."""
    payload = payloads[way.search]
    codec = LossyCodec(model=model, quality=quality, search=way.search, detail=way.detail)
    return len(payload), codec.decode(payload, cc.ArraySpec.of(x))


def main() -> int:
    """Train the features or read them, and print a row for each way of encoding."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default="colour-detail")
    parser.add_argument("--items", type=int, default=500)
    parser.add_argument(
        "--features", type=Path, help="file of the network of the features; default: it is trained and not kept"
    )
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.features and arguments.features.exists():
        network = classifier()
        network.load_state_dict(torch.load(arguments.features))
        network.eval()
    else:
        network = trained(arguments.folder)
        if arguments.features:
            torch.save(network.state_dict(), arguments.features)
    rows = measured(arguments.folder, arguments.model, arguments.items, network)
    if arguments.json:
        json.dump({"items": arguments.items, "model": arguments.model, "rows": rows}, sys.stdout)
        return 0
    for row in rows:
        print(
            f"quality {row['quality']}  {row['way']:30} {row['bits_per_pixel']:.3f} bits per pixel, {row['psnr']:.2f} dB, "
            f"gradients {row['gradients']:.2f}, distance {row['frechet']:.2f}"
        )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
