"""Training a variational autoencoder on images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from codecs_bbans.codec import VAECodec, item_bits
from codecs_bbans.freeze import frozen
from codecs_bbans.network import Network
from codecs_core import Model, Progress
from codecs_core import learn as learning
from codecs_core.learn import BITS_PER_NAT

#: Seconds between two looks at the validation part.
INTERVAL = 10.0


@dataclass(frozen=True, kw_only=True)
class Settings(learning.Settings):
    """What a training is made of, beside its data.

    Parameters
    ----------
    latents, hidden, components
        Sizes of the network.
    epochs
        If not 0, train for this number of epochs, however long they take: with `seed`, the same model again on the same build.
    batch, rate, decay
        Of AdamW; the rate follows a cosine.
    seed
        Of the initial weights, of the order of the data and of the noise.
    binarise
        Draw each pixel of 8-bit data as Bernoulli(value / 255), afresh in every epoch.
    """

    latents: int = learning.whole(50, 1, 1 << 16)
    hidden: int = learning.whole(512, 1, 1 << 16)
    components: int = learning.whole(8, 2, 64)
    epochs: int = learning.whole(0, 0, 1 << 30)
    batch: int = learning.whole(128, 1, 1 << 20)
    rate: float = learning.number(1e-3, above=True)
    decay: float = learning.number(0.05)
    seed: int = learning.whole(0, 0, (1 << 63) - 1)
    binarise: bool = False


def learn(
    data: NDArray[Any],
    *,
    budget: float = 1200.0,
    progress: Progress | None = None,
    name: str = "",
    about: Mapping[str, Any] | None = None,
    **hyper: Any,
) -> tuple[Network, Model]:
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
    learning.stack_of_items(data, ndim=range(1, 65))
    torch.manual_seed(settings.seed)
    fit, validation = _split(data, settings.binarise)
    binary = settings.binarise or int(fit.max()) <= 1
    network = Network(
        fit.shape[1],
        latents=settings.latents,
        hidden=settings.hidden,
        components=0 if binary else settings.components,
        histogram=np.bincount(fit.numpy().ravel(), minlength=256) / fit.numel(),
    )
    # the tables are few parameters that serve every pixel: no decay
    shared = [p for n, p in network.named_parameters() if n == "tables"]
    others = [p for n, p in network.named_parameters() if n != "tables"]
    epoch = len(fit) // min(settings.batch, len(fit))
    batches = learning.shuffled(fit, settings.batch)

    def loss(done: float) -> Tensor:
        items = next(batches).to(learning.device())
        if settings.binarise:
            items = torch.bernoulli(items / 255).byte()
        return -network.elbo(items, beta=min(1.0, 20 * done))[1].mean()

    steps = learning.fit(
        network,
        loss,
        lambda: evaluate(network, validation),
        rate=settings.rate,
        budget=budget,
        steps=settings.epochs * epoch,
        groups=[{"params": others, "weight_decay": settings.decay}, {"params": shared}],
        warm=500,
        clip=200.0,
        interval=INTERVAL,
        rng=np.random.default_rng(settings.seed),
        progress=progress,
    )
    attrs = {**(about or {}), "epochs": round(steps / epoch, 2), "seed": settings.seed, "items": len(fit)}
    return network, _finish(network, fit, validation, data.shape[1:], settings.latents, settings.binarise, attrs, name)


def refreeze(
    state: Path, data: NDArray[Any], settings: Mapping[str, Any], *, name: str, about: Mapping[str, Any]
) -> tuple[Network, Model]:
    """Freeze a network that `learn` trained before on the same data with the same settings, and whose state was saved."""
    torch.manual_seed(settings["seed"])
    binarise = settings.get("binarise", False)
    fit, validation = _split(data, binarise)
    network = Network(
        fit.shape[1],
        latents=settings["latents"],
        hidden=settings["hidden"],
        components=settings.get("components", 0),
        histogram=np.ones(256),
    )
    network.load_state_dict(torch.load(state, weights_only=True))
    attrs = {**about, "epochs": settings["epochs"], "seed": settings["seed"], "items": len(fit)}
    return network, _finish(network, fit, validation, data.shape[1:], settings["latents"], binarise, attrs, name)


def _split(data: NDArray[Any], binarise: bool) -> tuple[Tensor, Tensor]:
    """Items to fit and, the last twentieth, to validate on: flat, and the latter binarised if need be."""
    x = torch.from_numpy(np.array(data).reshape(len(data), -1).view(np.uint8))
    held = max(8, len(x) // 20)
    return x[:-held], torch.bernoulli(x[-held:] / 255).byte() if binarise else x[-held:]


def _finish(
    network: Network,
    fit: Tensor,
    validation: Tensor,
    item_shape: tuple[int, ...],
    latents: int,
    binarise: bool,
    attrs: dict[str, Any],
    name: str,
) -> Model:
    """Freeze a trained network and measure it before and after on the held-out items."""
    network.eval()
    examples = (torch.bernoulli(fit[:4096] / 255).byte() if binarise else fit[:4096]).numpy()
    model = frozen(network, examples, item_shape=item_shape, latents=latents, attrs={}, name=name)
    items = validation.numpy().reshape(-1, *item_shape)
    held_out = {
        "items": len(items),
        "float_bits_per_value": round(float(np.mean([evaluate(network, validation) for _ in range(10)])), 5),
        "integer_bits_per_value": round(item_bits(VAECodec(model=model), items) / items.size, 5),
    }
    return Model.create(
        codec=model.codec,
        config=model.config,
        tensors=model.tensors(),
        attrs={**attrs, "held_out": held_out},
        name=name,
    )


def train(data: NDArray[Any], **settings: Any) -> Model:
    """Train on a stack of images and return the model; the settings are those of `Settings`."""
    return learn(data, **settings)[1]


def evaluate(network: Network, x: Tensor) -> float:
    """Negative evidence bound in bits per value."""
    network.eval()
    where = next(network.parameters()).device
    with torch.inference_mode():
        total = sum(float(network.elbo(x[i : i + 500].to(where))[0].sum()) for i in range(0, len(x), 500))
    return -total * BITS_PER_NAT / x.numel()
