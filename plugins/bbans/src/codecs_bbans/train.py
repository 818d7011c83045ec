"""Training a variational autoencoder on somebody's images."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_bbans.codec import VAECodec, item_bits
from codecs_bbans.freeze import frozen
from codecs_core import Model
from codecs_core import learn as learning
from codecs_core.learn import Autoencoder, Run

Settings = learning.AutoencoderSettings


def learn(data: NDArray[Any], settings: Settings, run: Run) -> tuple[Autoencoder, Model]:
    """Train on a stack of images; return the network in floating point and, frozen, the model.

    Parameters
    ----------
    data
        Shape (n, ...), uint8 or bool; values 0 and 1 alone give a Bernoulli likelihood. The last twentieth is held out for validation.
    settings, run
        How.

    Raises
    ------
    UnsupportedArrayError
        For data of another dtype, or fewer than 40 items.
    """
    items = learning.Items.of(data, settings)
    network = Autoencoder(items, latents=settings.latents, hidden=settings.hidden, components=settings.components)
    epochs = learning.fit_autoencoder(network, items, settings, budget=run.budget, progress=run.progress)
    model = frozen(network, items.examples(), item_shape=data.shape[1:])
    held_out = items.validation.numpy().reshape(-1, *data.shape[1:])
    floating = float(np.mean([learning.evidence_bits(network, items.validation) for _ in range(10)]))
    integer = item_bits(VAECodec(model=model), held_out) / held_out.size
    measured = learning.measured(len(held_out), of="items", float=floating, integer=integer)
    attrs = {**run.about, "epochs": epochs, "seed": settings.seed, "items": len(items.fit), "held_out": measured}
    return network, model.replaced(attrs=attrs, name=run.name)


def train(data: NDArray[Any], **hyper: Any) -> Model:
    """Train on a stack of images and return the model; the settings are those of `Settings`."""
    return learn(data, *Run.of("bbans.vae", Settings, hyper, beside=("budget", "progress")))[1]
