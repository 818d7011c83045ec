"""Training a variational autoencoder on somebody's images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from codecs_core import Model
from codecs_core import learn as learning
from codecs_core.learn import Run
from codecs_rec.freeze import frozen
from codecs_rec.network import Network


@dataclass(frozen=True, kw_only=True)
class Settings(learning.AutoencoderSettings):
    """What a training is made of, beside its data: see `codecs_core.learn.AutoencoderSettings`.

    Parameters
    ----------
    latents
        0: 40 for bits and 50 for other data.
    block_bits
        Information of a block on average: the search for its index looks at 2^(block_bits + 4) proposals.
    """

    latents: int = learning.whole(0, 0, 1 << 16)
    block_bits: float = learning.number(14.0, 1, 17)


def learn(data: NDArray[Any], settings: Settings, run: Run) -> tuple[Network, Model]:
    """Train on a stack of images; return the network in floating point and, frozen, the model.

    Parameters
    ----------
    data
        Shape (n, ...), uint8 or bool. A last axis of 3 makes colours; values 0 and 1 alone make bits. The last twentieth is held out.
    settings, run
        How; freezing and calibration come on top of the budget.

    Raises
    ------
    UnsupportedArrayError
        For data of another dtype, or fewer than 40 items.
    """
    items = learning.Items.of(data, settings, ndim=range(2, 65))
    kind = "bernoulli" if items.binary else "colour" if data.shape[-1] == 3 else "mixture"
    network = Network(
        kind,
        items,
        channels=data.shape[-1] if kind == "colour" else 1,
        latents=settings.latents or (40 if items.binary else 50),
        hidden=settings.hidden,
        components=settings.components,
    )
    epochs = learning.fit_autoencoder(network, items, settings, budget=run.budget, progress=run.progress)
    attrs = {**run.about, "epochs": epochs, "seed": settings.seed, "items": len(items.fit)}
    shape, block_bits = data.shape[1:], settings.block_bits
    return network, frozen(
        network, items.examples(), item_shape=shape, block_bits=block_bits, attrs=attrs, name=run.name
    )


def train(data: NDArray[Any], **hyper: Any) -> Model:
    """Train on a stack of images and return the model; the settings are those of `Settings`."""
    return learn(data, *Run.of("rec.vae-lossless", Settings, hyper, beside=("budget", "progress")))[1]
