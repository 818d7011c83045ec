"""Training of a second opinion: networks of what the wide description sees, and what panels begin with."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from codecs_ar import neighbours, passes, probe
from codecs_ar.coarse import coarse
from codecs_ar.data import Fields, collect, priors_of
from codecs_ar.freeze import integers
from codecs_ar.learner import Network as Learner
from codecs_ar.model import Autoregression
from codecs_ar.network import Network
from codecs_ar.planes import ROLES, Expert, Planes
from codecs_ar.regression import packed
from codecs_ar.smallest import coding, places
from codecs_ar.smallest.panel import CHOICES, HEARD, NODES, PHASES, SAID, SETS, Beginning, Panel, phases_of_nodes
from codecs_ar.smallest.walk import Walker
from codecs_ar.train import WATCHED, rate_of
from codecs_ar.workspace import Predictors
from codecs_core import Model, Progress
from codecs_core.learn import fit, groups_of

Images = Sequence[NDArray[Any]]
Priors = Sequence[NDArray[np.float64]]
#: Of the wide predictors: what is a step away counts 0.625, or 0.992, times as much; the weight of their prior, in values.
DECAYS, PERIODS, PRIOR_WEIGHT = (160, 254), (1, 32), 1.0
#: Widths of the networks, logistics of a mixture, and the rates at which they learn while they code.
HIDDEN, COMPONENTS, RATES = (128, 128), 4, (12, 10)
#: Pixels to learn from; how many of half of each image; the share of images that are looked at once more, enlarged in part.
PIXELS, SHARE, ENLARGE = 8_000_000, 0.6, 0.3
#: Values of each plane a step; the rate of Adam, and how many times as large that of Muon is.
BATCH, RATE, MUON = 4096, 4e-3, 5.0


def look(x: NDArray[Any], priors: Priors, predictors: Predictors, wide_priors: Priors) -> list[Fields]:
    """What the wide description sees of one image, plane by plane: the fields of `data.Values`."""
    planes, wide = Planes.of(np.ascontiguousarray(x)[None]), Predictors.of(DECAYS, PERIODS)
    found: list[Fields] = []
    for i, (prior, wide_prior) in enumerate(zip(priors, wide_priors, strict=True)):
        role = ROLES[i]
        n, inputs = places.regressors(role), places.features(role)
        second = Expert(packed(wide_prior, n), wide, Learner.of([], [], inputs), 1)
        n, inputs = neighbours.regressors(role), neighbours.features(role)
        expert = Expert(packed(prior, n), predictors, Learner.of([], [], inputs), 1, second)
        seen, values = planes.look_wide(i, expert), planes.values[i].reshape(-1)
        found.append((seen.features, values - seen.centres, seen.spreads, values == 0, values == planes.top))
    return found


def networks_of(
    model: Model, images: Images, held_out: Images, wide_priors: Priors, *, budget: float, progress: Progress
) -> list[Network]:
    """Train networks beside those of a model for this number of seconds, and as long as it takes to look at the images."""
    tensors, rng = model.tensors(), np.random.Generator(np.random.PCG64(0))
    priors = [tensors[f"plane{i}.prior"] for i in range(len(wide_priors))]
    predictors = Predictors.of(model.config["decays"], model.config["periods"])
    looked = partial(look, priors=priors, predictors=predictors, wide_priors=wide_priors)
    watched = collect(held_out, looked, WATCHED, rng, share=0.5)
    values = collect(halves(images, rng), looked, PIXELS, rng, share=SHARE, enlarge=ENLARGE, progress=progress)
    torch.manual_seed(0)
    networks = [Network(of.features.shape[1], hidden=HIDDEN, components=COMPONENTS) for of in values]

    def loss(_: float) -> Tensor:
        total = torch.zeros(())
        for network, of in zip(networks, values, strict=True):
            total = total + network.bits(*of[torch.from_numpy(rng.integers(0, len(of), BATCH))]).mean()
        return total

    together = nn.ModuleList(networks)
    for parameter in together.parameters():  # what is no number would stay for good in the means that Muon keeps
        parameter.register_hook(_finite)  # type: ignore[no-untyped-call]
    inner = [p for network in networks for p in network.parameters() if p.ndim == 2 and len(p) > 3 * COMPONENTS]
    groups = groups_of(together, inner, gain=MUON)
    rate = partial(rate_of, networks, watched)
    fit(together, loss, rate, rate=RATE, budget=budget, rng=rng, groups=groups, interval=20.0, progress=progress)
    for network in networks:
        network.balance()
    return networks


def _finite(gradient: Tensor) -> Tensor:
    return torch.nan_to_num(gradient, 0.0, 0.0, 0.0)


def halves(images: Images, rng: np.random.Generator) -> list[NDArray[Any]]:
    """Half of the rows of each image."""
    found = []
    for x in images:
        rows = math.ceil(len(x) / 2)
        start = int(rng.integers(len(x) - rows + 1))
        found.append(x[start : start + rows])
    return found


def wide_priors_of(images: Images) -> list[NDArray[np.float64]]:
    """What the wide predictors begin with, plane by plane."""
    return priors_of(images, places, PRIOR_WEIGHT)


def attached(
    model: Model,
    networks: Sequence[Network],
    wide_priors: Priors,
    beginnings: Sequence[Beginning],
    *,
    rates: Sequence[int] = RATES,
    weight_bits: int = 8,
    attrs: Mapping[str, Any] | None = None,
    name: str = "",
) -> Model:
    """A model with a second opinion: its networks, rounded to this number of fractional bits, and what panels begin with."""
    tensors: dict[str, NDArray[Any]] = {}
    for i, (network, prior, beginning) in enumerate(zip(networks, wide_priors, beginnings, strict=True)):
        tensors[f"wide{i}.prior"], tensors[f"wide{i}.panel"] = prior, beginning.units
        for j, (weight, bias) in enumerate(zip(*integers(network), strict=True)):
            tensors[f"wide{i}.{j}.weight"], tensors[f"wide{i}.{j}.bias"] = weight, bias
    wide = {"components": networks[0].components, "decays": [*DECAYS], "periods": [*PERIODS], "rates": [*rates]}
    config = {**model.config, "wide": wide}
    tensors = {**model.tensors(), **coarse(tensors, weight_bits)}
    tensors["probe"] = probe.tensor(Autoregression(config, tensors))
    return Model.create(codec="ar.image", config=config, tensors=tensors, attrs=dict(attrs or {}), name=name)


def usual() -> Beginning:
    """What panels begin with before any training."""
    return Beginning.usual(SAID, HEARD)


def beginnings_of(model: Model, images: Images) -> list[Beginning]:
    """What panels should begin with, plane by plane: the mean of what they are after each image."""
    coder = Autoregression(model.config, model.tensors())
    found = [_panels_after(coder, image) for image in images]
    return [mean_of(panels) for panels in zip(*found, strict=True)]


def _panels_after(coder: Autoregression, image: NDArray[Any]) -> list[Panel]:
    """What the panels of all planes have become once an image of shape (h, w, channels) was coded."""
    planes, panels = Planes.of(np.ascontiguousarray(image)[None]), []
    make = coding.walkers(planes, coder, decoding=False, second=coder.second)

    def walker(plane: int) -> Walker:
        one = make(plane)
        panels.append(one.panel)
        return one

    for one in passes.over(planes, coder.experts, walker=walker):
        one.finish()
    return panels


def mean_of(panels: Sequence[Panel]) -> Beginning:
    """The mean weights of panels, by how often each was used."""
    weights, finals = np.zeros((SETS, PHASES, panels[0].inputs.size)), np.zeros((PHASES, SETS))
    kinds, uses = phases_of_nodes(), np.full((SETS, PHASES), 1e-9)
    for phase in range(PHASES):
        nodes = np.flatnonzero(kinds == phase)
        rest = [NODES + (k * CHOICES + np.arange(CHOICES)) * PHASES + phase for k in range(SETS - 1)]
        for panel in panels:
            sets = panel.weights.reshape(-1, panel.inputs.size)
            finals[phase] += panel.uses[nodes] @ panel.finals.reshape(NODES, SETS)[nodes]
            for k, chosen in enumerate([nodes, *rest]):
                weights[k, phase] += panel.uses[chosen] @ sets[chosen]
                uses[k, phase] += panel.uses[chosen].sum()
    return Beginning(weights / uses[..., None], finals / uses[0][:, None])
