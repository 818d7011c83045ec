"""Training a variational autoencoder on somebody's images, and freezing it into integers."""

from __future__ import annotations

import inspect
import math
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from codecs_core.codec import Progress
from codecs_core.entropy.distributions.categorical import quantise
from codecs_core.entropy.distributions.categorical_mixture import LOGIT_BITS, TABLE_BITS
from codecs_core.errors import ConfigError, UnsupportedArrayError
from codecs_core.exact.freeze import Fixed, freeze
from codecs_core.models import Model
from codecs_rec.calibration import arranged, block_tensors, finished, information
from codecs_rec.latents import Blocks
from codecs_rec.network import COLOUR_SCALE_RANGE, LOG_SCALE_RANGE, Network
from codecs_rec.quantile import grid
from codecs_rec.vae import COEFFICIENT_BITS, MEAN_BITS, SCALE_BITS, VAE, VALUE_BITS, scales

OCTAVES = math.log2(math.e)
#: Items that tables of indices are calibrated on.
CALIBRATION = 256


def learn(
    data: NDArray[Any],
    *,
    budget: float = 600.0,
    progress: Progress | None = None,
    latents: int = 0,
    hidden: int = 512,
    components: int = 8,
    block_bits: float = 14.0,
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
        Shape (n, ...), uint8 or bool. A last axis of 3 makes colours; values 0 and 1 alone make bits. The last twentieth is held out.
    budget
        Seconds; the learning rate falls to zero over them. Freezing and calibration come on top.
    progress
        Called with the fraction done and a figure for the held-out items.
    latents, hidden, components
        Sizes of the network; 0 latents: 40 for bits and 50 for other data.
    block_bits
        Information of a block on average: the search for its index looks at 2^(block_bits + 4) proposals.
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
    if data.dtype not in (np.uint8, np.bool_) or data.ndim < 2 or len(data) < 40 or not data.size:
        raise UnsupportedArrayError(
            f"training takes a stack of 40 items or more, of dtype uint8 or bool, not {data.dtype} of shape {data.shape}"
        )
    _check(locals())
    torch.manual_seed(seed)
    fit, validation = _split(data, binarise)
    binary = binarise or int(fit.max()) <= 1
    kind = "bernoulli" if binary else "colour" if data.shape[-1] == 3 else "mixture"
    latents = latents or (40 if binary else 50)
    network = Network(
        kind,
        fit.shape[1],
        latents=latents,
        hidden=hidden,
        components=components,
        channels=data.shape[-1] if kind == "colour" else 1,
        largest=1 if binary else 255,
        histogram=np.bincount(fit.numpy().ravel(), minlength=256) / fit.numel(),
    )
    # what few parameters serve every pixel do not decay
    shared = [p for n, p in network.named_parameters() if n in ("tables", "coefficients")]
    others = [p for n, p in network.named_parameters() if n not in ("tables", "coefficients")]
    optimiser = torch.optim.AdamW([{"params": others, "weight_decay": decay}, {"params": shared, "weight_decay": 0.0}])
    batch = min(batch, len(fit))
    steps = len(fit) // batch
    start, epoch, done = time.monotonic(), 0, 0.0
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
            beta = min(1.0, 20 * done)
            loss = -network.elbo(items, beta)[1]
            optimiser.zero_grad()
            loss.mean().backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(network.parameters(), 200.0)
            optimiser.step()
            if done >= 1:
                break
        epoch += 1
        done = max(done, epoch / epochs) if epochs else done
        if progress:
            what = evaluate(network, validation)
            progress(min(1.0, done), f"epoch {epoch}: {what:.4f} bits per value on {len(validation)} held-out items")
    attrs = {**(about or {}), "epochs": epoch, "seed": seed, "items": len(fit)}
    examples = (torch.bernoulli(fit[:4096] / 255).byte() if binarise else fit[:4096]).numpy()
    model = frozen(
        network,
        examples,
        item_shape=data.shape[1:],
        latents=latents,
        block_bits=block_bits,
        attrs=attrs,
        name=name,
    )
    return network, model


def train(data: NDArray[Any], **settings: Any) -> Model:
    """Train on a stack of images and return the model; the settings are those of `learn`, but for the model's name."""
    known = inspect.signature(learn).parameters.keys() - {"data", "budget", "progress", "name", "about"}
    for key in settings.keys() - known - {"budget", "progress"}:
        raise ConfigError(f"training of rec.vae-lossless has no setting {key!r}; it has {', '.join(sorted(known))}")
    return learn(data, **settings)[1]


def _check(settings: Mapping[str, Any]) -> None:
    for key, least in {"latents": 0, "hidden": 1, "batch": 1, "epochs": 0}.items():
        if type(settings[key]) is not int or settings[key] < least:
            raise ConfigError(f"{key} is an integer, {least} or more, not {settings[key]!r}")
    if type(settings["components"]) is not int or not 2 <= settings["components"] <= 64:
        raise ConfigError(f"components is an integer from 2 to 64, not {settings['components']!r}")
    for key in ("budget", "rate"):
        value = settings[key]
        if not isinstance(value, int | float) or not 0 < value < math.inf:
            raise ConfigError(f"{key} is a positive number, not {value!r}")
    if not isinstance(settings["block_bits"], int | float) or not 1 <= settings["block_bits"] <= 17:
        raise ConfigError(f"block_bits is a number from 1 to 17, not {settings['block_bits']!r}")
    if not isinstance(settings["decay"], int | float) or not 0 <= settings["decay"] < math.inf:
        raise ConfigError(f"decay is a number, 0 or more, not {settings['decay']!r}")
    if type(settings["seed"]) is not int or not 0 <= settings["seed"] < 1 << 63:
        raise ConfigError(f"seed is an integer, 0 or more, not {settings['seed']!r}")
    if type(settings["binarise"]) is not bool:
        raise ConfigError(f"binarise is true or false, not {settings['binarise']!r}")


def _split(data: NDArray[Any], binarise: bool) -> tuple[Tensor, Tensor]:
    """Items to fit and, the last twentieth, to validate on: flat, and the latter binarised if need be."""
    x = torch.from_numpy(np.array(data).reshape(len(data), -1).view(np.uint8))
    held = max(8, len(x) // 20)
    return x[:-held], torch.bernoulli(x[-held:] / 255).byte() if binarise else x[-held:]


def evaluate(network: Network, x: Tensor) -> float:
    """Negative evidence bound in bits per value."""
    network.eval()
    parts = [x[i : i + 500] for i in range(0, len(x), 500)]
    with torch.inference_mode():
        return -sum(float(network.elbo(part)[0].sum()) for part in parts) * OCTAVES / x.numel()


def frozen(
    network: Network,
    examples: NDArray[np.uint8],
    *,
    item_shape: tuple[int, ...],
    latents: int,
    block_bits: float,
    attrs: dict[str, Any],
    name: str = "",
) -> Model:
    """Freeze a trained network; `examples` tell how large its activations grow, and how indices are distributed."""
    network.eval()
    kind, pixels = network.kind, examples.shape[1]
    source = Fixed(bits=0, low=0, high=1) if network.largest == 1 else Fixed(bits=8, low=0, high=255)
    mean = Fixed(bits=MEAN_BITS, low=-(16 << MEAN_BITS), high=16 << MEAN_BITS)
    low, high = (math.floor(limit * OCTAVES * (1 << SCALE_BITS)) for limit in LOG_SCALE_RANGE)
    scale = Fixed(bits=SCALE_BITS, low=low, high=high)
    encoder = freeze(
        network.encoder, examples, source, [mean] * latents + [scale] * latents, gain=np.repeat([1.0, OCTAVES], latents)
    )
    means, log_scales = np.split(encoder(examples), 2, axis=1)
    m, s = means / (1 << MEAN_BITS), scales(log_scales)
    blocks = arranged(m[:CALIBRATION], s[:CALIBRATION], block_bits)
    reach = (int(grid()[-1]) >> (32 - Blocks.BITS)) + 2
    rng = np.random.default_rng(0)
    z = np.clip(np.floor((m + s * rng.standard_normal(m.shape)) * (1 << Blocks.BITS)), -reach, reach).astype(np.int64)
    latent = Fixed(bits=Blocks.BITS, low=-reach, high=reach)
    value = Fixed(bits=VALUE_BITS, low=-(64 << VALUE_BITS), high=(network.largest + 64) << VALUE_BITS)
    if kind == "colour":
        ends = [math.floor(limit * OCTAVES * (1 << SCALE_BITS)) for limit in COLOUR_SCALE_RANGE]
        targets = [value] * pixels + [Fixed(bits=SCALE_BITS, low=ends[0], high=ends[1])] * pixels
        decoder = freeze(network.decoder, z, latent, targets, gain=np.repeat([255.0, 4 * OCTAVES], pixels))
    else:
        decoder = freeze(network.decoder, z, latent, Fixed(bits=LOGIT_BITS, low=-4096, high=4096), gain=OCTAVES)
    tensors = encoder.tensors("encoder") | decoder.tensors("decoder") | block_tensors(blocks)
    if kind == "mixture":
        with torch.inference_mode():
            tables = torch.softmax(network.tables.double(), 1).numpy()
        tensors["tables"] = quantise(tables, TABLE_BITS, zeros=True).astype(np.int32)
    if kind == "colour":
        coefficients = network.coefficients.detach().double().numpy() * (1 << COEFFICIENT_BITS)
        tensors["coefficients"] = np.clip(np.floor(coefficients + 0.5), -(1 << 12), 1 << 12).astype(np.int32)
    config = {
        "likelihood": kind,
        "item_shape": [int(n) for n in item_shape],
        "latents": latents,
    }
    attrs = attrs | {"information": round(float(information(m, s).sum(1).mean()), 2), "blocks": blocks.count}
    model = Model.create(codec="rec.vae-lossless", config=config, tensors=tensors, attrs=attrs, name=name)
    VAE(model)
    return finished(model, examples[:CALIBRATION])
