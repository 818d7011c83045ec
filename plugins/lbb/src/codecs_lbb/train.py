"""Training a flow on images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from codecs_core import Model, Progress
from codecs_core import learn as learning
from codecs_core.errors import ConfigError
from codecs_lbb.grid import Grid
from codecs_lbb.network import Network, flowpp, realnvp

#: Kinds of flows.
KINDS: dict[str, Callable[..., Network]] = {"flow++": flowpp, "realnvp": realnvp}
#: The grids of their models, chosen by `benchmarks/lbb.py`: a value passes one or two elementwise maps of flow++, and many of realnvp.
GRIDS = {"flow++": Grid(20, 11), "realnvp": Grid(24, 15)}
#: Seconds between two looks at the validation part, and between two checkpoints.
INTERVAL = 120.0
#: Values of the validation part that are looked at.
HELD_OUT_VALUES = 3_000_000
#: Images that tell how large activations grow.
EXAMPLES = 256


@dataclass(frozen=True, kw_only=True)
class Settings(learning.Settings):
    """What a training run is made of, beside its data; the same settings and steps give the same network again on the same build.

    Parameters
    ----------
    kind
        "flow++" (additive couplings, and mixtures for what is factored out) or "realnvp" (affine couplings).
    couplings
        How many a level, the finest first; an image is halved at each level.
    width, blocks, coupling_width
        Channels and residual blocks of the networks of mixtures; channels of those of couplings.
    components
        Logistics in a mixture.
    noise_width
        Channels of the dequantiser's network; 0: uniform dequantisation.
    centre
        The value that stands for zero, as it is beyond the border of an image.
    mirror
        Whether half of the images are mirrored.
    batch
        Images a step.
    rate
        Of Adam; after a short rise it follows a cosine to zero.
    steps
        If not 0, train for this number of steps, however long they take.
    seed
        Of the initial weights, of the order of the data and of the noise.
    """

    kind: str = learning.one_of("flow++", ("flow++", "realnvp"))
    couplings: Sequence[int] = learning.counts((4, 2, 1, 1), 0, 64, lengths=(1, 8))
    width: int = learning.whole(48, 1, 512)
    blocks: int = learning.whole(2, 1, 32)
    coupling_width: int = learning.whole(32, 1, 512)
    components: int = learning.whole(3, 1, 16)
    noise_width: int = learning.whole(0, 0, 512)
    centre: int = learning.whole(128, 0, 255)
    mirror: bool = True
    batch: int = learning.whole(16, 1, 4096)
    rate: float = learning.number(4e-3, above=True)
    steps: int = learning.whole(0, 0, 1 << 40)
    seed: int = learning.whole(0, 0, 1 << 62)


def fit(
    images: NDArray[np.uint8],
    held_out: NDArray[np.uint8],
    settings: Settings,
    *,
    budget: float = 1200.0,
    progress: Progress | None = None,
    checkpoint: Path | None = None,
) -> tuple[Network, int]:
    """Train a network.

    Parameters
    ----------
    images, held_out
        Shape (n, h, w, channels).
    settings
        Of the network and of the training.
    budget
        Seconds, unless the settings say how many steps.
    progress
        Called with the fraction done and the rate on what is held out.
    checkpoint
        A file to save the state of the training in every `INTERVAL`, and to go on from if it is there.

    Returns
    -------
    network, steps
        In floating point, and how many steps it took.

    Raises
    ------
    ConfigError
        For a checkpoint of another run.
    """
    torch.manual_seed(settings.seed)
    network = network_of(images.shape[3], settings)
    # the last mixture has few parameters, far from where they belong
    few = [p for n, p in network.named_parameters() if "constants" in n]
    rest = [p for n, p in network.named_parameters() if "constants" not in n]
    rng = np.random.Generator(np.random.PCG64(settings.seed))

    def loss(_: float) -> Tensor:
        x = images[rng.integers(len(images), size=settings.batch)]
        if settings.mirror and rng.random() < 0.5:
            x = x[:, :, ::-1]
        bits: Tensor = network.bits(tensor(x).to(learning.device())) / x.size
        return bits

    steps = learning.fit(
        network,
        loss,
        lambda: evaluate(network, held_out),
        rate=settings.rate,
        budget=budget,
        steps=settings.steps,
        groups=[{"params": rest}] + ([{"params": few, "gain": 10.0}] if few else []),
        interval=INTERVAL,
        rng=rng,
        run=f"{settings} of images {images.shape}",
        checkpoint=checkpoint,
        progress=progress,
    )
    return network, steps


def network_of(channels: int, settings: Settings) -> Network:
    """A network of these sizes, untrained."""
    network = KINDS[settings.kind](channels, asdict(settings))
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def tensor(images: NDArray[np.uint8]) -> Tensor:
    """Images of shape (n, h, w, channels) as floats of shape (n, channels, h, w)."""
    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(images, -1, 1), np.float32))


def evaluate(network: Network, images: NDArray[np.uint8], values: int = HELD_OUT_VALUES) -> float:
    """Bits per value of the first images, up to this number of values, with one sample of noise each (the same at every call)."""
    network.eval()
    images = images[: max(1, values // images[0].size)]
    bits = 0.0
    with torch.random.fork_rng(), torch.inference_mode():
        torch.manual_seed(0)
        for start in range(0, len(images), 100):
            bits += float(network.bits(tensor(images[start : start + 100]).to(next(network.parameters()).device)))
    return bits / images.size


def train(
    data: NDArray[Any],
    *,
    budget: float,
    progress: Progress | None = None,
    checkpoint: str | Path | None = None,
    name: str = "",
    **hyper: Any,
) -> Model:
    """Train a model of ``lbb.flow``.

    Parameters
    ----------
    data
        Images, uint8, shape (n, h, w, channels) or (n, h, w). The last twentieth is held out.
    budget
        Seconds.
    progress
        Called with the fraction done and the rate on what is held out.
    checkpoint
        A file to keep the state of the training in, and to go on from.
    name
        Of the model.
    **hyper
        Fields of `Settings`.

    Raises
    ------
    ConfigError
        For settings that do not exist or are out of range, and images that do not fit them.
    """
    from codecs_lbb.freeze import frozen

    settings = Settings.of("lbb.flow", hyper, beside=("checkpoint",))
    images = data[..., None] if data.ndim == 3 and data.shape[2] not in (1, 3, 4) else data
    step = 1 << len(settings.couplings)
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[3] not in (1, 3, 4) or len(images) < 2:
        raise ConfigError(f"lbb.flow trains on stacks of uint8 images, not on {data.dtype} of shape {data.shape}")
    if not images.size or images.shape[1] % step or images.shape[2] % step:
        raise ConfigError(
            f"images of {images.shape[1]} x {images.shape[2]} cannot be halved {len(settings.couplings)} times; set fewer couplings"
        )
    images, held_out = learning.hold_out(images)
    path = Path(checkpoint) if checkpoint is not None else None
    network, steps = fit(images, held_out, settings, budget=budget, progress=progress, checkpoint=path)
    attrs = {
        "settings": {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(settings).items()},
        "steps": steps,
    }
    return frozen(network, tensor(images[:EXAMPLES]), grid=GRIDS[settings.kind], attrs=attrs, name=name)
