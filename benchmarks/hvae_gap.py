"""What inference while coding could gain in ``bbans.hvae``: ``python benchmarks/hvae_gap.py MODEL DATA... [--items N] [--steps N]``.

The evidence bound of images after steps of Adam on the posterior of each, in floating point and without the rounding of the model: the most
that any encoder could gain which takes longer. DATA are as in ``benchmarks/hvae.py``, all of one size; the last N images are taken.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from codecs_bbans.hvae.freeze import PIXELS
from codecs_bbans.hvae.network import Network, evaluate, normal, squeeze
from codecs_bbans.hvae.phases import FEATURE, MEAN_BITS, UNIT, repeats_of
from idf import images
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

import codecs_core as cc
from codecs_core import Model
from codecs_core.entropy import BucketedGaussian, LogisticMixture
from codecs_core.exact import ExactNet, colour_forward, thaw
from codecs_core.learn import BITS_PER_NAT

#: Samples of the latents for a step, and for the bound that is shown; the rate of Adam, in deviations, and its share for log-scales.
SAMPLES, SHOWN, RATE, SHARE = 2, 16, 0.1, 0.5
#: Images at a time.
BATCH = 16


def thawed(model: Model) -> Network:
    """The network that a model was frozen from, as far as rounding left it."""
    tensors, config = model.tensors(), model.config

    def sizes(name: str) -> tuple[int, int]:
        layers = [key for key in tensors if key.startswith(f"{name}.") and key.endswith(".weight")]
        return tensors[f"{name}.0.weight"].shape[0], (len(layers) - 2) // 2

    (width, blocks), (level_width, level_blocks) = sizes("inner.prior0.network"), sizes("level0.up")
    network = Network(
        config["channels"],
        latents=config["latents"],
        features=config["features"],
        components=config["components"],
        width=width,
        blocks=blocks,
        level_width=level_width,
        level_blocks=level_blocks,
    )
    for i, level in enumerate(network.levels):
        gain = np.repeat(
            [1 << BucketedGaussian.MEAN.bits, BITS_PER_NAT * 2**BucketedGaussian.LOG_SCALE.bits], level.latents
        )
        for part in ("up", "prior", "posterior", "down"):
            module = getattr(level, part)
            if module is not None:
                feature = part in ("up", "down")
                _fill(tensors, f"level{i}.{part}", module, FEATURE.bits if feature else 0, 1.0 if feature else gain)
    logit, scale = LogisticMixture.LOGIT.bits, LogisticMixture.LOG_SCALE.bits
    units = [BITS_PER_NAT * 2**logit, PIXELS, BITS_PER_NAT * 2**scale, 1 << MEAN_BITS]
    each = np.repeat(units, repeats_of(network.channels, network.components))
    for name, phases in (("inner", network.inner), ("rest", network.rest)):
        for g, (group, prior) in enumerate(zip(phases.groups, phases.priors, strict=True)):
            _fill(tensors, f"{name}.prior{g}.network", prior.network, 0, np.tile(each, len(group)))
            _fill(tensors, f"{name}.prior{g}.linear", nn.Sequential(prior.linear), 0, PIXELS)
    return network.eval().requires_grad_(False)


def _fill(tensors: Mapping[str, NDArray[Any]], name: str, module: nn.Sequential, bits: int, gain: Any) -> None:
    thaw(ExactNet.from_tensors(tensors, name), module, FEATURE.bits, bits, gain=gain)


Moves = list[tuple[Tensor, Tensor]]


class Bound:
    """The bits of images as a function of how their posteriors differ from what the networks say.

    Parameters
    ----------
    network
        The model.
    x
        Centred integers as floats, shape (n, channels, h, w).
    """

    def __init__(self, network: Network, x: Tensor) -> None:
        self.network, phases = network, squeeze(x)
        self.phases, seen = squeeze(phases[0]), [phases[0] / UNIT]
        for level in network.levels:
            seen.append(level.see(seen[-1]))
        #: Each level, the coarsest first, and what it sees.
        self.levels: list[tuple[Any, Tensor]] = [*zip(network.levels, seen[1:], strict=True)][::-1]
        #: Bits of the phases that no latent tells of.
        self.rest = float(network.rest.bits(phases, []))

    def still(self, *, each: bool) -> Moves:
        """No moves: of each latent, or of all of a level together."""
        shapes = [(len(s), level.latents, *s.shape[2:]) if each else (len(s), 1, 1, 1) for level, s in self.levels]
        return [(torch.zeros(s, requires_grad=True), torch.zeros(s, requires_grad=True)) for s in shapes]

    def __call__(self, moves: Moves, samples: int, seed: int) -> tuple[Tensor, Tensor]:
        """Bits of the phases that latents tell of, and of the divergence; moves are of means, in deviations, and of log-scales, in nats."""
        rng, above, divergence = torch.Generator().manual_seed(seed), list[Tensor](), torch.zeros(())
        for (level, seen), (by_mean, by_scale) in zip(self.levels, moves, strict=True):
            expected, spread = level.expect(above)
            mean, log_scale = normal(evaluate(level.posterior, torch.cat([*above, _many(seen, samples)], 1)))
            mean, log_scale = mean + log_scale.exp() * _many(by_mean, samples), log_scale + _many(by_scale, samples)
            noise = torch.randn((samples // 2, len(seen), *mean.shape[1:]), generator=rng)
            z = mean + log_scale.exp() * torch.cat([noise, -noise]).flatten(0, 1)
            ratio = log_scale - spread
            kl = 0.5 * ((2 * ratio).exp() + ((mean - expected) * (-spread).exp()) ** 2 - 1) - ratio
            divergence = divergence + kl.sum() * BITS_PER_NAT
            h = level.give(above, z)
            above = [functional.interpolate(h, scale_factor=2, mode="nearest")]
        pixels = self.network.inner.bits([_many(phase, samples) for phase in self.phases], [h])
        return pixels / samples, divergence / samples


def _many(x: Tensor, samples: int) -> Tensor:
    return x.repeat(samples, *[1] * (x.ndim - 1))


def gap(network: Network, x: NDArray[np.uint8], steps: int, *, each: bool) -> dict[str, float]:
    """Bits of images before and after `steps` steps of Adam."""
    z = np.moveaxis(colour_forward(x), -1, 1).astype(np.float32)
    bound = Bound(network, torch.from_numpy(z))
    moves = bound.still(each=each)
    rates = [{"params": [m for m, _ in moves], "share": 1.0}, {"params": [s for _, s in moves], "share": SHARE}]
    adam = torch.optim.Adam(rates, betas=(0.9, 0.99))
    with torch.no_grad():
        before = bound(moves, SHOWN, 0)
    for t in range(1, steps + 1):
        for group in adam.param_groups:
            group["lr"] = RATE * group["share"] * (1 - 0.9 * t / steps)
        adam.zero_grad()
        pixels, divergence = bound(moves, SAMPLES, t)
        (pixels + divergence).backward()
        adam.step()
    with torch.no_grad():
        after = bound(moves, SHOWN, 0)
    return {
        "rest": bound.rest,
        "pixels": float(before[0]),
        "divergence": float(before[1]),
        "pixels_after": float(after[0]),
        "divergence_after": float(after[1]),
    }


def measure(network: Network, x: NDArray[np.uint8], steps: int, *, each: bool) -> dict[str, float]:
    """Bits per value of all images, and by how much, relatively, those of all fall."""
    parts = [gap(network, x[i : i + BATCH], steps, each=each) for i in range(0, len(x), BATCH)]
    found = {name: sum(part[name] for part in parts) / x.size for name in parts[0]}
    before = found["rest"] + found["pixels"] + found["divergence"]
    after = found["rest"] + found["pixels_after"] + found["divergence_after"]
    return {**found, "before": before, "after": after, "change": after / before - 1}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", help="name or path")
    parser.add_argument("data", type=Path, nargs="+")
    parser.add_argument("--items", type=int, default=64, help="the last N images")
    parser.add_argument("--steps", type=int, nargs="+", default=[20, 100], help="of Adam")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    model = cc.get_codec("bbans.hvae", model=arguments.model).learnt
    network, x = thawed(model), np.concatenate([*images(arguments.data).values()])[-arguments.items :]
    for each, what in ((True, "each latent"), (False, "all of a level together")):
        for steps in arguments.steps:
            found = measure(network, x, steps, each=each)
            print(f"{what}, {steps} steps: ", ", ".join(f"{k} {v:.5f}" for k, v in found.items()), flush=True)


if __name__ == "__main__":
    main()
