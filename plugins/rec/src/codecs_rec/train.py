"""Training a variational autoencoder on images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from codecs_core import Model, Progress
from codecs_core import learn as learning
from codecs_core.learn import BITS_PER_NAT
from codecs_rec.freeze import frozen
from codecs_rec.network import Network

#: Seconds between two looks at the validation part.
INTERVAL = 10.0


@dataclass(frozen=True, kw_only=True)
class Settings(learning.Settings):
    """What a training is made of, beside its data.

    Parameters
    ----------
    latents, hidden, components
        Sizes of the network; 0 latents: 40 for bits and 50 for other data.
    block_bits
        Information of a block on average: the search for its index looks at 2^(block_bits + 4) proposals.
    epochs
        If not 0, train for this number of epochs, however long they take: with `seed`, the same model again on the same build.
    batch, rate, decay
        Of AdamW; the rate follows a cosine.
    seed
        Of the initial weights, of the order of the data and of the noise.
    binarise
        Draw each pixel of 8-bit data as Bernoulli(value / 255), afresh in every epoch.
    """

    latents: int = learning.whole(0, 0, 1 << 16)
    hidden: int = learning.whole(512, 1, 1 << 16)
    components: int = learning.whole(8, 2, 64)
    block_bits: float = learning.number(14.0, 1, 17)
    epochs: int = learning.whole(0, 0, 1 << 30)
    batch: int = learning.whole(128, 1, 1 << 20)
    rate: float = learning.number(1e-3, above=True)
    decay: float = learning.number(0.05)
    seed: int = learning.whole(0, 0, (1 << 63) - 1)
    binarise: bool = False


def learn(
    data: NDArray[Any],
    *,
    budget: float = 600.0,
    progress: Progress | None = None,
    name: str = "",
    about: Mapping[str, Any] | None = None,
    **hyper: Any,
) -> tuple[Network, Model]:
    """Train on a stack of images; return the network in floating point and, frozen, the model.

    Parameters
    ----------
    data
        Shape (n, ...), uint8 or bool. A last axis of 3 makes colours; values 0 and 1 alone make bits. The last twentieth is held out.
    budget
        Seconds; the learning rate falls to zero over them. Freezing and calibration come on top.
    progress
        Called with the fraction done and a figure for the held-out items.
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
    settings = Settings.of("rec.vae-lossless", hyper)
    learning.stack_of_items(data, ndim=range(2, 65))
    torch.manual_seed(settings.seed)
    fit, validation = _split(data, settings.binarise)
    binary = settings.binarise or int(fit.max()) <= 1
    kind = "bernoulli" if binary else "colour" if data.shape[-1] == 3 else "mixture"
    latents = settings.latents or (40 if binary else 50)
    network = Network(
        kind,
        fit.shape[1],
        latents=latents,
        hidden=settings.hidden,
        components=settings.components,
        channels=data.shape[-1] if kind == "colour" else 1,
        largest=1 if binary else 255,
        histogram=np.bincount(fit.numpy().ravel(), minlength=256) / fit.numel(),
    )
    # what few parameters serve every pixel do not decay
    shared = [p for n, p in network.named_parameters() if n in ("tables", "coefficients")]
    others = [p for n, p in network.named_parameters() if n not in ("tables", "coefficients")]
    epoch = len(fit) // min(settings.batch, len(fit))
    batches = learning.shuffled(fit, settings.batch)

    def loss(done: float) -> Tensor:
        items = next(batches).to(learning.device())
        if settings.binarise:
            items = torch.bernoulli(items / 255).byte()
        return -network.elbo(items, min(1.0, 20 * done))[1].mean()

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
    examples = (torch.bernoulli(fit[:4096] / 255).byte() if settings.binarise else fit[:4096]).numpy()
    model = frozen(
        network,
        examples,
        item_shape=data.shape[1:],
        latents=latents,
        block_bits=settings.block_bits,
        attrs=attrs,
        name=name,
    )
    return network, model


def train(data: NDArray[Any], **settings: Any) -> Model:
    """Train on a stack of images and return the model; the settings are those of `Settings`."""
    return learn(data, **settings)[1]


def _split(data: NDArray[Any], binarise: bool) -> tuple[Tensor, Tensor]:
    """Items to fit and, the last twentieth, to validate on: flat, and the latter binarised if need be."""
    x = torch.from_numpy(np.array(data).reshape(len(data), -1).view(np.uint8))
    held = max(8, len(x) // 20)
    return x[:-held], torch.bernoulli(x[-held:] / 255).byte() if binarise else x[-held:]


def evaluate(network: Network, x: Tensor) -> float:
    """Negative evidence bound in bits per value."""
    network.eval()
    where = next(network.parameters()).device
    parts = [x[i : i + 500] for i in range(0, len(x), 500)]
    with torch.inference_mode():
        return -sum(float(network.elbo(part.to(where))[0].sum()) for part in parts) * BITS_PER_NAT / x.numel()
