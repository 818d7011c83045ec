"""Training a variational autoencoder on somebody's images, and freezing it into integers."""

from __future__ import annotations

import inspect
import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from codecs_bbans.codec import VAECodec, item_bits
from codecs_bbans.network import LOG_SCALE_RANGE, Network
from codecs_bbans.vae import BUCKET_BITS, LATENT_BITS, VAE
from codecs_core.codec import Progress
from codecs_core.entropy.distributions.bucketed_gaussian import MEAN_BITS, MEAN_LIMIT, SCALE_BITS, centres
from codecs_core.entropy.distributions.categorical import quantise
from codecs_core.entropy.distributions.categorical_mixture import LOGIT_BITS, TABLE_BITS
from codecs_core.errors import ConfigError, UnsupportedArrayError
from codecs_core.exact.freeze import Fixed, freeze
from codecs_core.models import Model

OCTAVES = math.log2(math.e)


def learn(
    data: NDArray[Any],
    *,
    budget: float = 1200.0,
    progress: Progress | None = None,
    latents: int = 50,
    hidden: int = 512,
    components: int = 8,
    epochs: int = 0,
    batch: int = 128,
    rate: float = 1e-3,
    decay: float = 0.05,
    seed: int = 0,
    binarise: bool = False,
    name: str = "",
    about: Mapping[str, Any] | None = None,
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
    latents, hidden, components
        Sizes of the network.
    epochs
        If not 0, train for so many epochs whatever the clock says: with `seed`, the same model again on the same build.
    batch, rate, decay
        Of AdamW; the rate follows a cosine.
    binarise
        Draw each pixel of 8-bit data as Bernoulli(value / 255), afresh in every epoch.
    name, about
        Of the model; `about` joins the attributes that say how it came about.

    Raises
    ------
    UnsupportedArrayError
        For data of another dtype, or fewer than 40 items.
    ConfigError
        For a setting out of range.
    """
    if data.dtype not in (np.uint8, np.bool_) or data.ndim < 1 or len(data) < 40 or not data.size:
        raise UnsupportedArrayError(
            f"training takes at least 40 items of uint8 or bool, not {data.dtype} of shape {data.shape}"
        )
    for key, value in {"latents": latents, "hidden": hidden, "batch": batch}.items():
        if not isinstance(value, int) or value < 1:
            raise ConfigError(f"{key} is a positive integer, not {value!r}")
    if not isinstance(components, int) or not 2 <= components <= 64:
        raise ConfigError(f"components is an integer from 2 to 64, not {components!r}")
    if not isinstance(epochs, int) or epochs < 0:
        raise ConfigError(f"epochs is an integer, 0 or more, not {epochs!r}")
    for key, number in {"budget": budget, "rate": rate}.items():
        if not isinstance(number, int | float) or not 0 < number < math.inf:
            raise ConfigError(f"{key} is a positive number, not {number!r}")
    if not isinstance(decay, int | float) or not 0 <= decay < math.inf:
        raise ConfigError(f"decay is a number, 0 or more, not {decay!r}")
    if not isinstance(seed, int) or not 0 <= seed < 1 << 63:
        raise ConfigError(f"seed is an integer, 0 or more, not {seed!r}")
    if not isinstance(binarise, bool):
        raise ConfigError(f"binarise is true or false, not {binarise!r}")
    torch.manual_seed(seed)
    fit, validation = _split(data, binarise)
    binary = binarise or int(fit.max()) <= 1
    network = Network(
        fit.shape[1],
        latents=latents,
        hidden=hidden,
        components=0 if binary else components,
        histogram=np.bincount(fit.numpy().ravel(), minlength=256) / fit.numel(),
    )
    # the tables are few parameters that serve every pixel: no decay
    shared = [p for n, p in network.named_parameters() if n == "tables"]
    others = [p for n, p in network.named_parameters() if n != "tables"]
    optimiser = torch.optim.AdamW([{"params": others, "weight_decay": decay}, {"params": shared, "weight_decay": 0.0}])
    batch = min(batch, len(fit))
    steps = len(fit) // batch
    start, epoch, done, validated = time.monotonic(), 0, 0.0, math.inf
    while done < 1:
        network.train()
        order = torch.randperm(len(fit))
        for step in range(steps):
            done = (epoch + step / steps) / epochs if epochs else (time.monotonic() - start) / budget
            # a short run warms up faster
            warm = min(1.0, max((epoch * steps + step) / 500, 20 * done))
            for group in optimiser.param_groups:
                group["lr"] = rate * warm * (0.5 + 0.5 * math.cos(math.pi * min(1.0, done))) + 1e-6
            items = fit[order[step * batch : (step + 1) * batch]]
            if binarise:
                items = torch.bernoulli(items / 255).byte()
            _, objective = network.elbo(items, beta=min(1.0, 20 * done))
            optimiser.zero_grad()
            (-objective.mean()).backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(network.parameters(), 200.0)
            optimiser.step()
            if done >= 1:
                break
        epoch += 1
        done = max(done, epoch / epochs) if epochs else done
        validated = evaluate(network, validation)
        if progress:
            progress(
                min(1.0, done), f"epoch {epoch}: {validated:.4f} bits per value on {len(validation)} held-out items"
            )
    attrs = {**(about or {}), "epochs": epoch, "seed": seed, "items": len(fit)}
    return network, _finish(network, fit, validation, data.shape[1:], latents, binarise, attrs, name)


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
    """Train on a stack of images and return the model; the settings are those of `learn`, but for the model's name."""
    known = inspect.signature(learn).parameters.keys() - {"data", "budget", "progress", "name", "about"}
    for key in settings.keys() - known - {"budget", "progress"}:
        raise ConfigError(f"training of bbans.vae has no setting {key!r}; it has {', '.join(sorted(known))}")
    return learn(data, **settings)[1]


def evaluate(network: Network, x: Tensor) -> float:
    """Negative evidence bound in bits per value."""
    network.eval()
    with torch.inference_mode():
        total = sum(float(network.elbo(x[i : i + 500])[0].sum()) for i in range(0, len(x), 500))
    return -total * OCTAVES / x.numel()


def frozen(
    network: Network,
    examples: NDArray[np.uint8],
    *,
    item_shape: tuple[int, ...],
    latents: int,
    attrs: dict[str, Any],
    name: str = "",
) -> Model:
    """Freeze a trained network; `examples` are items that tell how large its activations grow."""
    network.eval()
    binary = network.components == 0
    pixels = Fixed(bits=0, low=0, high=1) if binary else Fixed(bits=8, low=0, high=255)
    mean = Fixed(bits=MEAN_BITS, low=-MEAN_LIMIT, high=MEAN_LIMIT)
    low, high = (math.floor(limit * OCTAVES * (1 << SCALE_BITS)) for limit in LOG_SCALE_RANGE)
    scale = Fixed(bits=SCALE_BITS, low=low, high=high)
    logit = Fixed(bits=LOGIT_BITS, low=-(1 << 12), high=1 << 12)
    representatives = centres(BUCKET_BITS) >> (24 - LATENT_BITS)
    latent = Fixed(bits=LATENT_BITS, low=int(representatives[0]), high=int(representatives[-1]))
    gain = np.repeat([1.0, OCTAVES], latents)
    encoder = freeze(network.encoder, examples, pixels, [mean] * latents + [scale] * latents, gain=gain)
    rng = np.random.default_rng(0)
    z = encoder(examples)[:, :latents] / (1 << MEAN_BITS) + 0.3 * rng.standard_normal((len(examples), latents))
    z = np.clip(np.floor(z * (1 << LATENT_BITS)), latent.low, latent.high).astype(np.int64)
    tensors = encoder.tensors("encoder")
    tensors |= freeze(network.decoder, z, latent, logit, gain=OCTAVES).tensors("decoder")
    if not binary:
        with torch.inference_mode():
            tables = torch.softmax(network.tables.double(), 1).numpy()
        tensors["tables"] = quantise(tables, TABLE_BITS, zeros=True).astype(np.int32)
    config = {
        "likelihood": "bernoulli" if binary else "mixture",
        "item_shape": [int(n) for n in item_shape],
        "latents": latents,
    }
    model = Model.create(codec="bbans.vae", config=config, tensors=tensors, attrs=attrs, name=name)
    VAE(model)
    return model
