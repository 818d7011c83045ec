"""Draw the pictures of relative entropy coding in docs/gallery.md: ``python plugins/rec/scripts/pictures.py [FOLDER]``, a minute."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from codecs_rec.divergences import channel_simulation, kullback_leibler
from codecs_rec.families import Gaussian, Laplace
from codecs_rec.ratios import GAUSSIAN, log_ratio, ratio_of, survival
from codecs_rec.samplers import GreedyPoisson
from scipy import stats

from codecs_core.jit import kernel

mpl.use("Agg")
from matplotlib import pyplot as plt

ASSETS = Path(__file__).parents[3] / "docs/assets"
#: The target of the talk, N(1, 1/16), in the proposal N(0, 1).
CENTRE, SCALE = 1.0, 0.25


@kernel
def _heights(h, m, s, low, high, out):
    """1 / (w_Q - h w_P), on a region."""
    r = ratio_of(GAUSSIAN, m, s)
    for k in range(h.size):
        alive, _ = survival(r, h[k], low, high)
        out[k] = 1.0 / max(alive, 1e-300)


@kernel
def _ratios(x, m, s, out):
    r = ratio_of(GAUSSIAN, m, s)
    for k in range(x.size):
        out[k] = math.exp(log_ratio(r, x[k]))


def graph(x: Any, low: float = -math.inf, high: float = math.inf) -> Any:
    """phi(x) = sigma(dQ/dP(x)), sigma by the trapezoidal rule."""
    top, r = math.exp(CENTRE**2 / (2 * (1 - SCALE**2))) / SCALE, np.empty(len(x))
    h = np.linspace(0, top * 0.999, 40_000)
    slope = np.empty(len(h))
    _heights(h, CENTRE, SCALE, low, high, slope)
    sigma = np.concatenate([[0], np.cumsum((slope[1:] + slope[:-1]) / 2 * np.diff(h))])
    _ratios(np.asarray(x, float), CENTRE, SCALE, r)
    return np.interp(r, h, sigma)


def process(axes: Any, seed: int = 1) -> None:
    """Points of a Poisson process over P and time; the first one under the graph is the sample."""
    rng = np.random.default_rng(seed)
    t = np.cumsum(rng.exponential(size=40))
    x = rng.normal(size=40)
    under = t < graph(x)
    first = int(np.argmax(under))
    line = np.linspace(-3, 3, 800)
    axes.fill_between(
        line, np.minimum(graph(line), t[-1]), color="#c5cae9", label=r"under $\varphi(x) = \sigma(dQ/dP(x))$"
    )
    axes.plot(x[:first], t[:first], "o", color="#c62828", label="rejected")
    axes.plot(x[first], t[first], "*", color="#2e7d32", markersize=14, label=f"accepted: index {first + 1}")
    axes.plot(x[first + 1 :], t[first + 1 :], "o", color="#bdbdbd", label="not looked at")
    axes.set(
        xlabel="x",
        ylabel="time of arrival",
        xlim=(-3, 3),
        ylim=(0, t[min(first + 12, 39)]),
        title="greedy Poisson rejection sampling",
    )
    axes.legend(fontsize=7, loc="upper left")


def branches(axes: Any, seed: int = 11) -> None:
    """The same search, with the half that the target's peak is not in cut off after each point: split on the sample."""
    rng, low, high, t = np.random.default_rng(seed), -math.inf, math.inf, 0.0
    peak, line = CENTRE / (1 - SCALE**2), np.linspace(-3, 3, 1200)
    shown, step = graph(line), 0
    axes.fill_between(line, np.minimum(shown, 60), color="#c5cae9", label=r"under $\varphi(x)$")
    while True:
        mass = stats.norm.cdf(high) - stats.norm.cdf(low)
        before, t, step = t, t + rng.exponential() / mass, step + 1
        x = float(stats.norm.ppf(stats.norm.cdf(low) + rng.random() * mass))
        box = plt.Rectangle(
            (max(low, -3), before), min(high, 3) - max(low, -3), t - before, color="#fff3e0", ec="#ef6c00", lw=0.8
        )
        axes.add_patch(box)
        if t < graph(np.array([x]))[0] or step > 40:
            break
        axes.plot(x, t, "o", color="#c62828", label="rejected" if step == 1 else None)
        low, high = (x, high) if x < peak else (low, x)
    axes.plot(x, t, "*", color="#2e7d32", markersize=14, label=f"accepted after {step} steps")
    axes.set(xlabel="x", ylabel="time of arrival", xlim=(-3, 3), ylim=(0, 1.25 * t), title="branch and bound")
    axes.legend(fontsize=7, loc="upper left")


def divergences(axes: Any, family: Any, name: str) -> None:
    """D_KL, D_CS, the entropy of the index of greedy Poisson rejection sampling, and its bound, in bits."""
    scales, n = np.geomspace(0.9, 0.03, 40), 20_000
    target = family(0.0, scales)
    kl, cs, found = kullback_leibler(target, family()), channel_simulation(target, family()), []
    few = scales[::6]
    for s in few:
        counts = np.unique(GreedyPoisson().encode(family(np.zeros(n), s), family(), 13), return_counts=True)[1]
        found.append(-(counts / n * np.log2(counts / n)).sum() + (counts.size - 1) / (2 * n * math.log(2)))
    axes.fill_between(
        scales, cs, cs + math.log2(1 + math.e), color="#e8eaf6", label=r"$D_{CS}$ to $D_{CS} + \log_2(1 + e)$"
    )
    axes.plot(scales, cs, color="#3949ab", label=r"$D_{CS}$")
    axes.plot(scales, kl, "--", color="#c62828", label=r"$D_{KL}$")
    axes.plot(few, found, "k.", label="entropy of the index")
    axes.set(xscale="log", xlabel="scale of the target", ylabel="bits", title=f"{name} in {name}, centre 0")
    axes.legend(fontsize=7)


def save(folder: Path, name: str, *draw: Any) -> None:
    """Pictures side by side."""
    figure, axes = plt.subplots(1, len(draw), figsize=(4.6 * len(draw), 3.6), layout="constrained")
    for one, place in zip(draw, axes, strict=True):
        one(place)
    figure.savefig(folder / f"{name}.png", dpi=90)
    plt.close(figure)


def main() -> None:
    """Draw all of them."""
    folder = Path(sys.argv[1]) if sys.argv[1:] else ASSETS
    save(folder, "rec-process", process, branches)
    save(
        folder,
        "rec-divergences",
        lambda a: divergences(a, Gaussian, "Gaussian"),
        lambda a: divergences(a, Laplace, "Laplace"),
    )


if __name__ == "__main__":
    main()
