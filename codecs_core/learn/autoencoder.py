"""Variational autoencoders of items of one shape, bits or 8-bit values: the network, its settings, and its training."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from codecs_core.codec import Progress
from codecs_core.entropy import BucketedGaussian, CategoricalMixture, QFormat, quantise
from codecs_core.exact import ExactNet
from codecs_core.exact.freezing import freeze
from codecs_core.fields import number, whole
from codecs_core.learn.images import shuffled, stack_of_items
from codecs_core.learn.loop import fit
from codecs_core.learn.machine import device
from codecs_core.learn.settings import BITS_PER_NAT, Settings
from codecs_core.models import Model

#: Seconds between two looks at the validation part.
INTERVAL = 10.0
#: Items that tell how large activations grow.
EXAMPLES = 4096


def stack(*widths: int) -> nn.Sequential:
    """Linear layers of these widths with batch normalisation and ReLU after each except the last."""
    parts: list[nn.Module] = []
    for a, b in pairwise(widths[:-1]):
        parts += [nn.Linear(a, b), nn.BatchNorm1d(b), nn.ReLU()]
    return nn.Sequential(*parts, nn.Linear(widths[-2], widths[-1]))


class Autoencoder(nn.Module):
    """q(z | x) and p(x | z), as stacks of linear layers, with a standard normal prior of z (Kingma, Welling 2014, arXiv:1312.6114).

    Pixels are bits, or they have mixtures of tables that all of them share. A subclass may have another likelihood.

    Parameters
    ----------
    items
        What it will learn from.
    latents, hidden
        Widths.
    components
        Tables in the mixture.
    outputs
        Of the decoder, for each pixel; by default those of the likelihood.
    """

    #: Range of the posterior's log standard deviation, in nats.
    LOG_SCALES: ClassVar[tuple[float, float]] = (-6.0, 1.3)

    def __init__(self, items: Items, *, latents: int, hidden: int, components: int, outputs: int | None = None) -> None:
        super().__init__()
        pixels = items.fit.shape[1]
        self.latents, self.largest = latents, items.largest
        #: The likelihood, as `codecs_core.FrozenAutoencoder` calls it.
        self.kind = "bernoulli" if items.binary else "mixture"
        self.encoder = stack(pixels, hidden, hidden, 2 * latents)
        mixed = outputs is None and not items.binary
        self.decoder = stack(latents, hidden, hidden, pixels * (outputs or (components if mixed else 1)))
        if mixed:
            values, centres = np.arange(256.0), np.linspace(0, 255, components)
            bumps = np.exp(-np.abs(values - centres[:, None]) * components / 256)
            start = np.log(bumps * np.sqrt(items.histogram() + 1e-5) + 1e-6)
            self.tables = nn.Parameter(torch.tensor(start, dtype=torch.float32))

    def posterior(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log standard deviation (nats) of q(z | x), for pixel values."""
        mean, log_scale = self.encoder(x.float() / (1 if self.largest == 1 else 256)).chunk(2, 1)
        return mean, log_scale.clamp(*self.LOG_SCALES)

    def log_likelihood(self, x: Tensor, z: Tensor) -> Tensor:
        """Compute log p(x | z) in nats, shape (n,)."""
        out = self.decoder(z)
        if self.largest == 1:
            return -functional.binary_cross_entropy_with_logits(out, x.float(), reduction="none").sum(1)
        logits = out.view(*x.shape, len(self.tables))
        log_tables = functional.log_softmax(self.tables, 1).t()[x.long()]
        return (torch.logsumexp(logits + log_tables, -1) - torch.logsumexp(logits, -1)).sum(1)

    def elbo(self, x: Tensor, beta: float = 1.0) -> tuple[Tensor, Tensor]:
        """Evidence bound in nats by one sample, shape (n,), and the same with the divergence from the prior weighted by `beta`."""
        mean, log_scale = self.posterior(x)
        z = mean + log_scale.exp() * torch.randn_like(mean)
        divergence = (0.5 * (mean * mean + (2 * log_scale).exp() - 1) - log_scale).sum(1)
        likelihood = self.log_likelihood(x, z)
        return likelihood - divergence, likelihood - beta * divergence

    def freeze_encoder(self, examples: NDArray[np.uint8]) -> ExactNet:
        """The encoder in integers, from pixels to means and log-scales as `BucketedGaussian` takes them."""
        self.eval()
        pixels = QFormat(bits=0, low=0, high=1) if self.largest == 1 else QFormat(bits=8, low=0, high=255)
        mean, scale = BucketedGaussian.MEAN, BucketedGaussian.LOG_SCALE
        low, high = (math.floor(limit * BITS_PER_NAT * 2**scale.bits) for limit in self.LOG_SCALES)
        targets = [mean] * self.latents + [scale.within(low, high)] * self.latents
        return freeze(self.encoder, examples, pixels, targets, gain=np.repeat([1.0, BITS_PER_NAT], self.latents))

    def frozen(
        self, codec: str, item_shape: Sequence[int], networks: Mapping[str, ExactNet], **more: NDArray[Any]
    ) -> Model:
        """The model of a `codecs_core.FrozenAutoencoder`: ``encoder`` and ``decoder`` in integers, and tensors that the codec adds."""
        tensors = {k: v for name, net in networks.items() for k, v in net.tensors(name).items()} | more
        if self.kind == "mixture":
            with torch.inference_mode():
                tables = torch.softmax(self.tables.double(), 1).numpy()
            tensors["tables"] = quantise(tables, CategoricalMixture.TABLE_BITS, zeros=True).astype(np.int32)
        config = {"likelihood": self.kind, "item_shape": [int(n) for n in item_shape], "latents": self.latents}
        return Model.create(codec=codec, config=config, tensors=tensors)


@dataclass(frozen=True, kw_only=True)
class AutoencoderSettings(Settings):
    """What the training of an autoencoder is made of, beside its data.

    Parameters
    ----------
    latents, hidden, components
        Sizes of the network.
    epochs
        If not 0, train for this number of epochs whatever the clock says: with `seed`, the same model again on the same build.
    batch, rate, decay
        Of AdamW; the rate follows a cosine.
    seed
        Of the initial weights, of the order of the data and of the noise.
    binarise
        Draw each pixel of 8-bit data as Bernoulli(value / 255), afresh in every epoch.
    """

    latents: int = whole(50, 1, 1 << 16)
    hidden: int = whole(512, 1, 1 << 16)
    components: int = whole(8, 2, 64)
    epochs: int = whole(0, 0, 1 << 30)
    batch: int = whole(128, 1, 1 << 20)
    rate: float = number(1e-3, above=True)
    decay: float = number(0.05)
    seed: int = whole(0, 0, (1 << 63) - 1)
    binarise: bool = False


@dataclass(frozen=True, eq=False)
class Items:
    """Items to fit and, the last twentieth of the data, to validate on, as rows of uint8; the latter are binarised if need be."""

    fit: Tensor
    validation: Tensor
    binarise: bool

    @classmethod
    def of(cls, data: Any, settings: AutoencoderSettings, *, ndim: range = range(1, 65)) -> Items:
        """Of an array of at least 40 items of uint8 or bool, as `stack_of_items` has it; all that is random follows from the seed."""
        array = stack_of_items(data, ndim=ndim)
        torch.manual_seed(settings.seed)
        x = torch.from_numpy(array.reshape(len(array), -1))
        held = max(8, len(x) // 20)
        return cls(x[:-held], binarised(x[-held:]) if settings.binarise else x[-held:], settings.binarise)

    @property
    def binary(self) -> bool:
        """Whether there are no values but 0 and 1."""
        return self.binarise or int(self.fit.max()) <= 1

    @property
    def largest(self) -> int:
        """The largest value of a pixel."""
        return 1 if self.binary else 255

    def histogram(self) -> NDArray[np.float64]:
        """Frequencies of the 256 values."""
        return np.bincount(self.fit.numpy().ravel(), minlength=256) / self.fit.numel()

    def examples(self) -> NDArray[np.uint8]:
        """Items that tell how large activations grow."""
        first = self.fit[:EXAMPLES]
        return np.asarray((binarised(first) if self.binarise else first).numpy())


def binarised(x: Tensor) -> Tensor:
    """Each pixel as Bernoulli(value / 255)."""
    return torch.bernoulli(x / 255).byte()


def fit_autoencoder(
    network: Autoencoder, items: Items, settings: AutoencoderSettings, *, budget: float, progress: Progress | None
) -> float:
    """Train an autoencoder, and return how many epochs it took. The weight of the divergence rises over the first twentieth."""
    # what few parameters serve every pixel do not decay
    shared = [p for n, p in network.named_parameters() if "." not in n]
    others = [p for n, p in network.named_parameters() if "." in n]
    epoch = len(items.fit) // min(settings.batch, len(items.fit))
    batches = shuffled(items.fit, settings.batch)

    def loss(done: float) -> Tensor:
        x = next(batches).to(device())
        return -network.elbo(binarised(x) if items.binarise else x, min(1.0, 20 * done))[1].mean()

    steps = fit(
        network,
        loss,
        lambda: evidence_bits(network, items.validation),
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
    return round(steps / epoch, 2)


def evidence_bits(network: Autoencoder, x: Tensor) -> float:
    """Negative evidence bound in bits per value, by one sample."""
    network.eval()
    where = next(network.parameters()).device
    parts = [x[i : i + 500].to(where) for i in range(0, len(x), 500)]
    with torch.inference_mode():
        return -sum(float(network.elbo(part)[0].sum()) for part in parts) * BITS_PER_NAT / x.numel()
