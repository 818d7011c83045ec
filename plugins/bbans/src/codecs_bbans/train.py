"""Training a variational autoencoder on somebody's images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_bbans.codec import VAECodec, item_bits
from codecs_bbans.freeze import frozen
from codecs_core import Model, Progress
from codecs_core import learn as learning
from codecs_core.learn import Autoencoder


@dataclass(frozen=True, kw_only=True)
class Settings(learning.AutoencoderSettings):
    """What a training is made of, beside its data: see `codecs_core.learn.AutoencoderSettings`."""


def learn(
    data: NDArray[Any],
    *,
    budget: float = 1200.0,
    progress: Progress | None = None,
    name: str = "",
    about: Mapping[str, Any] | None = None,
    **hyper: Any,
) -> tuple[Autoencoder, Model]:
    """Train on a stack of images; return the network in floating point and, frozen, the model.

    Parameters
    ----------
    data
        Shape (n, ...), uint8 or bool; values 0 and 1 alone give a Bernoulli likelihood. The last twentieth is held out for validation.
    budget
        Seconds; the learning rate falls to zero over them.
    progress
        Called with the fraction done and the validation rate in bits per dimension.
    name, about
        Of the model; `about` joins the attributes that say how it came about.
    **hyper
        Fields of `Settings`.

    Raises
    ------
    UnsupportedArrayError
        For data of another dtype, or fewer than 40 items.
    ConfigError
        For a setting out of range.
    """
    settings = Settings.of("bbans.vae", hyper)
    items = learning.Items.of(data, settings)
    network = Autoencoder(items, latents=settings.latents, hidden=settings.hidden, components=settings.components)
    epochs = learning.fit_autoencoder(network, items, settings, budget=budget, progress=progress)
    model = frozen(network, items.examples(), item_shape=data.shape[1:], name=name)
    held_out = items.validation.numpy().reshape(-1, *data.shape[1:])
    measured = {
        "items": len(held_out),
        "float_bits_per_value": round(
            float(np.mean([learning.evidence_bits(network, items.validation) for _ in range(10)])), 5
        ),
        "integer_bits_per_value": round(item_bits(VAECodec(model=model), held_out) / held_out.size, 5),
    }
    attrs = {**(about or {}), "epochs": epochs, "seed": settings.seed, "items": len(items.fit), "held_out": measured}
    return network, model.replaced(attrs=attrs)


def train(data: NDArray[Any], **settings: Any) -> Model:
    """Train on a stack of images and return the model; the settings are those of `Settings`."""
    return learn(data, **settings)[1]
