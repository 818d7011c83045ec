"""Training a network that is a small file on labelled images: LeNet-5, of whose weights the model file holds what was sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from codecs_core import Model
from codecs_core import learn as learning
from codecs_core.errors import UnsupportedArrayError
from codecs_core.learn import Run
from codecs_rec.weights.compressible import MOST_BITS, Compressible
from codecs_rec.weights.lenet import LEAST, compressible, cost, error, images_of, network_of

#: Seconds between two looks at what is held out; items of it, at most; and classes.
INTERVAL, HELD_OUT, CLASSES = 60.0, 5000, 1000


@dataclass(frozen=True, kw_only=True)
class Settings(learning.Schedule):
    """What a training is made of, beside its data.

    Parameters
    ----------
    bits, block
        Bits that a block of weights tells, and weights of a block: a file has about as many bytes as there are blocks times (bits + 2) / 8.
    between
        Steps of training after each block that is sent.
    shift
        Pixels that an image is moved by in training, at most, in both axes.
    """

    bits: float = learning.number(14.7, 1, MOST_BITS)
    block: int = learning.whole(6, 1, 4096)
    between: int = learning.whole(16, 0, 1 << 20)
    shift: int = learning.whole(1, 0, 64)
    batch: int = learning.whole(64, 1, 1 << 20)
    rate: float = learning.number(0.25, above=True)


def learn(data: Mapping[str, NDArray[Any]], settings: Settings, run: Run) -> tuple[Compressible, Model]:
    """Train on labelled images; return the network as it was sent, and the model that holds what was sent.

    Parameters
    ----------
    data
        ``images``, shape (n, h, w) or (n, h, w, c), uint8, of 16 x 16 pixels or more, and ``labels``, shape (n,), integers from 0 to 999.
        The last twentieth is held out, or the last 5,000.
    settings, run
        How; sending the blocks comes on top of the budget.

    Raises
    ------
    UnsupportedArrayError
        For images or labels of another kind.
    """
    images, labels = _checked(data)
    torch.manual_seed(settings.seed)
    x, y = images_of(images), torch.from_numpy(labels)
    held = min(HELD_OUT, max(1, len(x) // 20))
    height, width, channels = (*images.shape[1:], 1)[:3]
    classes = int(labels.max()) + 1
    small = compressible((height, width, channels), classes, bits=settings.bits, block=settings.block)

    def loss(_: float) -> Tensor:
        at, where = torch.randint(len(x) - held, (settings.batch,)), small.means.device
        with torch.autocast(where.type, torch.bfloat16):
            scores = small(moved(x[at], settings.shift).to(where))
        return functional.cross_entropy(scores.float(), y[at].to(where))

    steps = small.fit(
        loss,
        lambda: cost(small, x[-held:], y[-held:]),
        budget=run.budget,
        steps=settings.steps,
        rate=settings.rate,
        interval=INTERVAL,
        run=f"{settings} of {len(x)} images",
        checkpoint=None if run.checkpoint is None else Path(run.checkpoint),
        progress=run.progress,
        told="nats an image on what is held out",
    )
    payload = small.compress(loss, steps=settings.between, rate=settings.rate / 10, progress=run.progress)
    config = {
        "item_shape": [height, width, channels],
        "classes": classes,
        "bits": settings.bits,
        "block": settings.block,
    }
    tensors = {"payload": np.frombuffer(payload, np.uint8)}
    model = Model.create(codec="rec.weights", config=config, tensors=tensors, name=run.name)
    measured = {"images": held, "error": round(error(network_of(model), x[-held:], y[-held:]), 5)}
    attrs = {**run.about, "steps": steps, "seed": settings.seed, "held_out": measured}
    return small, model.replaced(attrs=attrs)


def moved(x: Tensor, most: int) -> Tensor:
    """Images of shape (n, channels, h, w), each moved by up to `most` pixels, with edges that are continued."""
    n, _, h, w = x.shape
    down, right = torch.randint(2 * most + 1, (2, n, 1))
    rows, columns = down + torch.arange(h), right + torch.arange(w)
    planes = functional.pad(x, (most,) * 4, mode="replicate").permute(0, 2, 3, 1)
    return planes[torch.arange(n)[:, None, None], rows[:, :, None], columns[:, None]].permute(0, 3, 1, 2)


def train(data: Mapping[str, NDArray[Any]], **hyper: Any) -> Model:
    """Train on labelled images and return the model; the settings are those of `Settings`."""
    return learn(data, *Run.of("rec.weights", Settings, hyper, beside=("budget", "progress", "checkpoint")))[1]


def _checked(data: Mapping[str, NDArray[Any]]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    images, labels = np.asarray(data["images"]), np.asarray(data["labels"])
    if images.dtype != np.uint8 or images.ndim not in (3, 4) or min(images.shape[1:3]) < LEAST or len(images) < 40:
        raise UnsupportedArrayError(
            f"images must be 40 or more, of dtype uint8 and of {LEAST} x {LEAST} pixels or more, not {images.dtype} of shape {images.shape}"
        )
    if (
        labels.dtype.kind not in "iu"
        or labels.shape != images.shape[:1]
        or not 0 <= labels.min() <= labels.max() < CLASSES
    ):
        raise UnsupportedArrayError(
            f"labels must be {len(images)} integers from 0 to {CLASSES - 1}, one an image, not {labels.dtype} of shape {labels.shape}"
        )
    return images, labels.astype(np.int64)
