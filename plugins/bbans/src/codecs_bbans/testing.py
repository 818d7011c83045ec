"""Models with random weights: they compress badly and code exactly, so tests need no training and no torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_bbans.hvae import phases
from codecs_bbans.hvae.codec import HierarchicalCodec
from codecs_bbans.hvae.model import Hierarchy
from codecs_bbans.hvae.naming import Named
from codecs_bbans.model import BUCKET_BITS, LATENT_BITS
from codecs_core import ArraySpec, Model
from codecs_core.entropy import BucketedGaussian, Message, StackCodec, centres
from codecs_core.testing import Draw, random_autoencoder, random_network

#: Range of the log-scale of a posterior, in 1/64 of an octave.
SCALES = (-384, 96)
#: Ranges of what is said of a pixel of an image: narrower than a model may have, so that images of middle grey are not stored.
PIXEL_MEANS, PIXEL_SCALES, COEFFICIENTS = (-(1 << 11), 1 << 11), (128, 320), (-(1 << 7), 1 << 7)


def random_model(
    likelihood: str = "mixture",
    item_shape: tuple[int, ...] = (4, 3),
    *,
    latents: int = 5,
    hidden: int = 16,
    components: int = 3,
    seed: int = 0,
    name: str = "random",
) -> Model:
    """Make a model of ``bbans.vae`` that learnt nothing: the same arguments give the same file everywhere."""
    mean, spread = BucketedGaussian.MEAN, centres(BUCKET_BITS) >> (24 - LATENT_BITS)
    tensors = random_autoencoder(
        Draw(seed),
        likelihood,
        item_shape,
        hidden=hidden,
        components=components,
        posterior=(np.repeat([mean.low, SCALES[0]], latents), np.repeat([mean.high, SCALES[1]], latents), 2048),
        reach=(int(spread[0]), int(spread[-1])),
    )
    config = {"likelihood": likelihood, "item_shape": list(item_shape), "latents": latents}
    return Model.create(codec="bbans.vae", config=config, tensors=tensors, attrs={"seed": seed}, name=name)


def random_hierarchy(
    channels: int = 3,
    *,
    latents: Sequence[int] = (2, 3),
    features: int = 5,
    width: int = 6,
    components: int = 2,
    seed: int = 0,
    name: str = "random",
) -> Model:
    """Make a model of ``bbans.hvae`` that learnt nothing: the same arguments give the same file everywhere."""
    draw, tensors = Draw(seed), dict[str, NDArray[Any]]()
    mean, feature = BucketedGaussian.MEAN, phases.FEATURE
    span, ends = (feature.low, feature.high), (np.full(features, feature.low), np.full(features, feature.high))

    def add(key: str, widths: Sequence[int], low: Any, high: Any) -> None:
        net = random_network(draw, widths, inputs=span, low=low, high=high, kernel=3)
        tensors.update(net.tensors(key))

    for i, n in enumerate(latents):
        above = features if i + 1 < len(latents) else 0
        posterior = [np.repeat(pair, n) for pair in ((mean.low, SCALES[0]), (mean.high, SCALES[1]))]
        add(f"level{i}.up", (4 * (features if i else channels), width, features), *ends)
        if above:
            add(f"level{i}.prior", (above, width, 2 * n), *posterior)
        add(f"level{i}.posterior", (above + features, width, 2 * n), *posterior)
        add(f"level{i}.down", (above + n, width, features), *ends)
    logits = (-phases.LOGIT_LIMIT, phases.LOGIT_LIMIT)
    repeats = phases.repeats_of(channels, components)
    low, high = np.repeat([logits, PIXEL_MEANS, PIXEL_SCALES, COEFFICIENTS], repeats, axis=0).T
    for prefix, given, groups in (("inner", features, phases.GROUPS), ("rest", 0, phases.GROUPS[1:])):
        for g, group in enumerate(groups):
            inputs, many = min(group) * channels + given, len(group)
            add(f"{prefix}.prior{g}.network", (inputs, width, many * low.size), np.tile(low, many), np.tile(high, many))
            add(f"{prefix}.prior{g}.linear", (inputs, many * channels), *PIXEL_MEANS)
    config = {"channels": channels, "latents": list(latents), "features": features, "components": components}
    model = Model.create(codec="bbans.hvae", config=config, tensors=tensors, attrs={"seed": seed}, name=name)
    Hierarchy(model.config, model.tensors())
    return model


@dataclass(frozen=True, kw_only=True)
class OlderHierarchicalCodec(HierarchicalCodec):
    """``bbans.hvae`` as it wrote payloads of version 1."""

    def _stack_codec(self, spec: ArraySpec) -> StackCodec[NDArray[Any]]:
        return self._older(spec)


@dataclass(frozen=True, kw_only=True)
class EveryNameCodec(HierarchicalCodec):
    """``bbans.hvae`` that names latents by 1 to 8 bits, whatever the rows of an image say: with random weights they are worth one."""

    def _named(self, spec: ArraySpec) -> Named:
        return _ByHeight(self._hierarchy, *self._images(spec)[:3])


class _ByHeight(Named):
    def bits_of(self, message: Message, first: NDArray[Any], numbers: NDArray[Any] | None = None) -> int:
        return self.size[0] % BUCKET_BITS + 1
