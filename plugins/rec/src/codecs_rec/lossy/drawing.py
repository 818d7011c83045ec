"""Training of the network that draws detail, by a score that only the right distribution makes smallest."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from codecs_core import Model, load_model
from codecs_core import learn as learning
from codecs_core.entropy import QFormat
from codecs_core.errors import CodecsError, ConfigError
from codecs_core.exact import ExactNet, freeze
from codecs_core.learn import Run, hidden, residual
from codecs_rec.lossy.detail import NOISE_BITS, NOISES, with_noise
from codecs_rec.lossy.model import CORRECTION, GREY, REACH, LossyVAE
from codecs_rec.lossy.network import UNIT, Channel
from codecs_rec.lossy.score import Eye, energy_score
from codecs_rec.transform import VALUE_BITS

if TYPE_CHECKING:
    from codecs_rec.lossy.train import Settings

#: Items that are decoded to learn from, and to look at and to freeze with.
EXAMPLES, HELD, CALIBRATION = 20_000, 500, 64
#: Seconds between two looks at what is held out.
INTERVAL = 20.0


class Artist(nn.Module):
    """A residual network over squares of pixels, given a decoded image, the level of its noise, and normal variables."""

    def __init__(self, channels: int, squeeze: int, *, width: int, depth: int) -> None:
        super().__init__()
        self.squeeze = squeeze
        outputs = channels * squeeze**2
        network = residual(outputs + 1 + NOISES, outputs, width=width, blocks=depth, last=3)
        self.network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, image: Tensor, level: Tensor) -> Tensor:
        """Add detail to images of shape (n, c, h, w), in 8-bit values less grey; `level` (n,) is that of the noise, as models have it."""
        seen = functional.pixel_unshuffle(image / UNIT, self.squeeze)
        places = seen.shape[2:]
        levels = (level / 256)[:, None, None, None].expand(-1, 1, *places)
        normal = torch.randn(len(image), NOISES, *places, device=image.device)
        out = self.network[-1](hidden(self.network, torch.cat([seen, levels, normal], 1)))
        return image + UNIT * functional.pixel_shuffle(out, self.squeeze)


def learn(items: NDArray[np.uint8], settings: Settings, run: Run) -> tuple[Artist, Model]:
    """Train for the model that `settings.start` names, which stays as it is; return the network, and a model that has it too.

    Parameters
    ----------
    items
        Images of shape (n, h, w, c); the last twentieth is held out.
    settings, run
        How; decoding what is learned from, and freezing, come on top of the budget.

    Raises
    ------
    ConfigError
        If there is no such model, it draws detail already, or is of other images.
    """
    start = _started(items, settings.start)
    vae = LossyVAE(start)
    rng = np.random.default_rng(settings.seed)
    held = max(8, len(items) // 20)
    pairs = [_decoded(vae, part, rng) for part in (items[:-held][-EXAMPLES:], items[-held:][:HELD])]
    (fit, validation), squeeze = pairs, start.config["squeeze"]
    network, eye = Artist(items.shape[3], squeeze, width=settings.width, depth=settings.depth), Eye(items.shape[3])
    epoch = max(1, len(fit[0]) // settings.batch)
    steps = learning.fit(
        network,
        lambda done: _loss(network, eye, *_flipped(_drawn(fit, settings.batch))),
        lambda: _held(network, eye, validation),
        rate=settings.rate,
        budget=run.budget,
        steps=settings.epochs * epoch,
        interval=INTERVAL,
        rng=rng,
        run=f"{settings} of {len(items)} items",
        checkpoint=None if run.checkpoint is None else Path(run.checkpoint),
        progress=run.progress,
        told="of the energy score, over the deviation of the noise, on what is held out",
    )
    attrs = {
        **run.about,
        "start": start.sha256,
        "epochs": round(steps / epoch, 2),
        "seed": settings.seed,
        "items": len(fit[0]),
    }
    tensors = start.tensors() | _frozen(network, vae, validation).tensors("detail")
    return network, Model.create(
        codec="rec.vae", config=start.config, tensors=tensors, attrs=start.attrs | attrs, name=run.name
    )


def _started(items: NDArray[np.uint8], name: str) -> Model:
    try:
        model = load_model(name, codec="rec.vae")
    except CodecsError as error:
        raise ConfigError(f"cannot start from {name!r}: {error}") from error
    vae = LossyVAE(model)
    if vae.detail is not None:
        raise ConfigError(f"start must be a model that draws no detail, and {name!r} draws it")
    shape = (*vae.item_shape, 1)[:3]
    if shape != items.shape[1:] or vae.largest != 255:
        raise ConfigError(f"start must be a model of images of shape {items.shape[1:]}, and {name!r} has {shape}")
    return model


_Pairs = tuple[Tensor, Tensor, Tensor]


def _decoded(vae: LossyVAE, items: NDArray[np.uint8], rng: np.random.Generator) -> _Pairs:
    """Images of shape (n, c, h, w) as they are and as they decode, each at a quality drawn for it; and the levels of the noise."""
    quality = rng.integers(0, vae.qualities, len(items))
    noises = torch.from_numpy(vae.noises[quality]).float()
    channel = Channel(vae.transform, vae.deviations, vae.classes / vae.classes.sum())
    z = np.zeros((len(items), vae.deviations.shape[1]), np.int64)
    for i in range(0, len(items), 500):
        x = torch.from_numpy(items[i : i + 500]).float() - GREY
        z[i : i + 500] = np.floor(
            channel.sample(channel.analyse(x), noises[i : i + 500])[0].numpy() * (1 << VALUE_BITS)
        )
    shown = np.empty_like(items)
    for level in range(vae.qualities):
        at = np.flatnonzero(quality == level)
        shown[at] = vae.values(z[at], level).reshape(-1, *items.shape[1:])
    x, y = (torch.from_numpy(np.array(a)).permute(0, 3, 1, 2) for a in (items, shown))
    return x, y, noises


def _drawn(pairs: _Pairs, batch: int) -> _Pairs:
    at = torch.randint(len(pairs[0]), (batch,))
    x, y, noises = (of[at] for of in pairs)
    return x.float() - GREY, y.float() - GREY, noises


def _flipped(pairs: _Pairs) -> _Pairs:
    """Half of the time the other way round, which doubles what is learned from."""
    x, y, noises = pairs
    return (x.flip(3), y.flip(3), noises) if torch.rand(()) < 0.5 else pairs


def _loss(network: Artist, eye: Eye, x: Tensor, y: Tensor, noises: Tensor) -> Tensor:
    """Energy scores over the deviation of the noise, so that all qualities weigh alike."""
    where = next(network.parameters()).device
    x, y, noises = x.to(where), y.to(where), noises.to(where)
    first, second = network(torch.cat([y, y]), torch.cat([noises, noises])).chunk(2)
    return (energy_score(eye.to(where), first, second, x) / torch.exp2(noises / 64)).mean()


def _held(network: Artist, eye: Eye, pairs: _Pairs) -> float:
    network.eval()
    x, y, noises = pairs
    with torch.inference_mode():
        return float(_loss(network, eye, x.float() - GREY, y.float() - GREY, noises))


def _frozen(network: Artist, vae: LossyVAE, pairs: _Pairs) -> ExactNet:
    """The network in integers, for what it is given after decoding."""
    network.eval()
    span = QFormat(bits=NOISE_BITS, low=-REACH, high=REACH)
    target = QFormat(bits=VALUE_BITS, low=-CORRECTION, high=CORRECTION)
    _, y, noises = pairs
    centred = (y[:CALIBRATION].permute(0, 2, 3, 1).numpy().astype(np.int64) - GREY) << VALUE_BITS
    level = [int(np.flatnonzero(vae.noises == noise)[0]) for noise in noises[:CALIBRATION].tolist()]
    examples = np.concatenate([with_noise(vae.seen(one[None], k)) for one, k in zip(centred, level, strict=True)])
    return freeze(network.network, examples, span, target, activation_bits=9, gain=UNIT)
