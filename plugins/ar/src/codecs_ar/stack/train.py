"""Training ``ar.stack`` on somebody's stack of images."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from codecs_ar.stack.data import Images
from codecs_ar.stack.freeze import frozen
from codecs_ar.stack.looking import order_of, view_of
from codecs_ar.stack.model import Stack
from codecs_ar.stack.network import Network
from codecs_ar.stack.settings import Settings
from codecs_ar.stack.view import ONE, Order
from codecs_ar.stack.worth import report, sized
from codecs_core import Model
from codecs_core import learn as learning
from codecs_core.entropy import Message
from codecs_core.errors import UnsupportedArrayError
from codecs_core.learn import Run

#: Seconds between two looks at what is held out, and between two checkpoints.
INTERVAL = 120.0
#: Values that are looked at of what is held out; pixels that tell how large activations grow.
LOOK_AT, EXAMPLES = 1 << 18, 1 << 14
#: Pixels that are looked at together.
PART = 1 << 13
#: Bits of a weight that are tried.
WEIGHT_BITS = (5, 6, 7, 8, 9, 10)
#: How many times the rate of Adam that of Muon is.
MUON = 7.0
#: Where values are drawn, they are drawn again after this number of steps.
REDRAW = 1000


class Lessons:
    """What is learnt from: for each channel a network, and images as it sees them.

    Parameters
    ----------
    data
        Shape (n, height, width, channels), uint8.
    held
        The same, to look at.
    settings
        Sizes.
    """

    def __init__(self, data: NDArray[np.uint8], held: NDArray[np.uint8], settings: Settings) -> None:
        self.channels = order_of(data.shape[3])
        data, held = (x[..., self.channels] if len(self.channels) > 1 else x for x in (data, held))
        self.data = data
        self.held = drawn(held, 0) if settings.draw else held
        self.symbols = 2 if settings.draw else max(2, int(max(data.max(), held.max())) + 1)
        sizes = {"symbols": self.symbols, "reach": settings.reach, "components": settings.components}
        pairs = [view_of(data, i, **sizes) for i in range(data.shape[3])]
        self.views = [view for view, _ in pairs]
        self.order = Order.of(self.views[0].shape, *(view.taps for view in self.views))
        self.settings = settings = sized(settings, data, max(view.inputs for view in self.views))
        self.networks = torch.nn.ModuleList(
            Network(view, mixture, width=settings.width, narrow=settings.narrow, blocks=settings.blocks)
            for view, mixture in pairs
        )
        few = self.held[: max(1, LOOK_AT // self.held[0].size)]
        self.looked_at = [self._images(few, i, None, torch.device("cpu")) for i in range(len(pairs))]
        self.steps = 0
        self._see()

    def _images(self, x: NDArray[np.uint8], plane: int, shares: Any, device: torch.device) -> Images:
        return Images(x, self.views[plane], self.order, shares=shares, device=device)

    def _see(self) -> None:
        """Let the networks see the data, drawn again if it is drawn."""
        shares = self.data if self.settings.draw else None
        x = drawn(self.data, int(torch.randint(1 << 62, ()))) if self.settings.draw else self.data
        self.images = [self._images(x, i, shares, learning.device()) for i in range(len(self.views))]

    def groups(self) -> list[dict[str, Any]]:
        """The parameters as `learn.fit` takes them."""
        matrices = [p for network in self.networks for p in network.matrices()]  # type: ignore[operator]
        others = [p for p in self.networks.parameters() if not any(p is m for m in matrices)]
        return [{"params": others}, {"params": matrices, "matrices": True, "gain": MUON}]

    def loss(self, _: float) -> Tensor:
        """Bits per value of a batch."""
        self.steps += 1
        if self.settings.draw and self.steps % REDRAW == 0:
            self._see()
        device = learning.device()
        total = torch.zeros((), device=device)
        for network, images in zip(self.networks, self.images, strict=True):
            b = images.draw(self.settings.batch)
            with learning.half(device.type == "cuda", device):
                bits = network.bits(b.x, b.rows, b.columns, b.values, b.expectations)  # type: ignore[operator]
            total = total + (bits * b.weights).sum()
        if self.settings.items:
            size = sum(network.size() for network in self.networks)  # type: ignore[operator]
            total = total + size / (self.settings.items * self.data[0, ..., 0].size)
        return total / len(self.images)

    def held_out(self) -> float:
        """Bits per value of what is held out, or of its first million values."""
        bits = 0.0
        device = next(self.networks.parameters()).device
        for network, images in zip(self.networks, self.looked_at, strict=True):
            for first in range(0, len(images), PART):
                at = torch.arange(first, min(first + PART, len(images)))
                bits += float(network.bits(*(x.to(device) for x in images.rows(at))).sum())  # type: ignore[operator]
        return bits / sum(map(len, self.looked_at))

    def examples(self) -> list[NDArray[np.int64]]:
        """Inputs of each network, integers."""
        found = []
        for view, images in zip(self.views, self.images, strict=True):
            b = images.draw(EXAMPLES)
            x = np.rint(ONE * b.x.cpu().numpy())
            marks = np.zeros((len(x), view.inputs - x.shape[1]))
            which = view.marks(b.rows.cpu().numpy(), b.columns.cpu().numpy()) - x.shape[1]
            np.put_along_axis(marks, which, ONE, 1)
            found.append(np.concatenate([x, marks], 1).astype(np.int64))
        return found


def drawn(shares: NDArray[np.uint8], seed: int) -> NDArray[np.uint8]:
    """Each value as 1 with a probability, `shares` in 255ths, else 0."""
    rng = np.random.Generator(np.random.Philox(seed))
    return (rng.random(shares.shape, np.float32) < shares / np.float32(255)).astype(np.uint8)


def learn(data: NDArray[Any], settings: Settings, run: Run) -> tuple[Lessons, Model]:
    """Train on a stack of images; return the networks in floating point and, frozen, the model.

    Parameters
    ----------
    data
        Shape (n, h, w) or (n, h, w, channels), uint8 or bool.
    settings, run
        How.

    Raises
    ------
    UnsupportedArrayError
        For data that is no stack of small images of one size.
    ConfigError
        For a checkpoint of another run.
    """
    items = learning.stack_of_items(data, ndim=(3, 4))
    images = items.reshape(*items.shape[:3], -1)
    if not (images.shape[1] <= 128 and images.shape[2] <= 128 and images.shape[3] <= 4):
        raise UnsupportedArrayError(
            f"ar.stack is for images of up to 128 x 128 pixels and 4 channels, not for an array of shape {items.shape}"
        )
    kept, validation = learning.hold_out(images, run.held_out)
    torch.manual_seed(settings.seed)
    lessons = Lessons(kept, validation, settings)
    steps = run.fit(
        lessons.networks,
        lessons.loss,
        lessons.held_out,
        settings,
        data=f"{kept.shape}",
        groups=lessons.groups(),
        interval=INTERVAL,
        rng=np.random.default_rng(settings.seed),
    )
    attrs = {**run.about, "steps": steps, "seed": settings.seed, "images": len(kept)}
    return lessons, finish(lessons, attrs=attrs, name=run.name)


def train(data: NDArray[Any], **hyper: Any) -> Model:
    """Train on a stack of images and return the model; the settings are those of `Settings` and of `Run`."""
    return learn(data, *Run.of("ar.stack", Settings, hyper))[1]


def finish(lessons: Lessons, *, attrs: Mapping[str, Any], name: str = "") -> Model:
    """Freeze trained networks, with as many bits as pay, and measure them before and after on what is held out."""
    settings, held = lessons.settings, lessons.held[: max(1, LOOK_AT // lessons.held[0].size)]
    widths = [settings.weight_bits or 8] if settings.weight_bits or not settings.items else WEIGHT_BITS
    networks, examples = [n.eval() for n in lessons.networks], lessons.examples()
    with torch.inference_mode():
        floating = lessons.held_out()
    found = []
    for bits in widths:
        model = frozen(networks, lessons.views, examples, weight_bits=bits, order=lessons.channels, attrs={})  # type: ignore[arg-type]
        message = Message()
        Stack(model.config, model.tensors()).push(message, held[..., np.argsort(lessons.channels)])
        rate = message.bits / held.size
        total = rate + 8 * len(model.data) / (settings.items * held[0].size) if settings.items else rate
        found.append((total, rate, bits, model))
    _, rate, bits, model = min(found, key=lambda choice: choice[0])
    whole = {
        **attrs,
        "held_out": learning.measured(held.size, float=floating, integer=rate),
        "weight_bits": bits,
        "pays": report(len(model.data), rate, lessons.held),
    }
    return model.replaced(attrs=whole, name=name)
