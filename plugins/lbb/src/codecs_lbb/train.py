"""Training a flow on images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from codecs_core import Model
from codecs_core import learn as learning
from codecs_core.errors import ConfigError
from codecs_core.learn import Run
from codecs_lbb.freeze import frozen
from codecs_lbb.grid import Grid
from codecs_lbb.network import Network, flowpp, nice, realnvp

#: Kinds of flows.
KINDS: dict[str, Callable[..., Network]] = {"flow++": flowpp, "realnvp": realnvp, "nice": nice}
#: The grids of their models, chosen by `benchmarks/lbb.py`: a value passes one or two elementwise maps, and many in realnvp.
GRIDS = {"flow++": Grid(20, 11), "realnvp": Grid(24, 15), "nice": Grid(20, 11)}
#: Seconds between two looks at the validation part, and between two checkpoints.
INTERVAL = 120.0
#: Values of the validation part that are looked at.
HELD_OUT_VALUES = 3_000_000
#: Images that tell how large activations grow.
EXAMPLES = 256


@dataclass(frozen=True, kw_only=True)
class Settings(learning.Schedule):
    """What a training run is made of, beside its data.

    Parameters
    ----------
    kind
        "flow++" (additive couplings, and mixtures for what is factored out), "realnvp" (affine couplings) or "nice" (additive ones,
        and scales at the end).
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
    """

    kind: str = learning.one_of("flow++", ("flow++", "realnvp", "nice"))
    couplings: Sequence[int] = learning.counts((4, 2, 1, 1), 0, 64, lengths=(1, 8))
    width: int = learning.whole(48, 1, 512)
    blocks: int = learning.whole(2, 1, 32)
    coupling_width: int = learning.whole(32, 1, 512)
    components: int = learning.whole(3, 1, 16)
    noise_width: int = learning.whole(0, 0, 512)
    centre: int = learning.whole(128, 0, 255)
    mirror: bool = True


def fit(images: NDArray[np.uint8], held_out: NDArray[np.uint8], settings: Settings, run: Run) -> tuple[Network, int]:
    """Train a network on images of shape (n, h, w, channels); returns it, in floating point, and how many steps it took.

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

    steps = run.fit(
        network,
        loss,
        lambda: evaluate(network, held_out),
        settings,
        data=f"images {images.shape}",
        groups=[{"params": rest}] + ([{"params": few, "gain": 10.0}] if few else []),
        interval=INTERVAL,
        rng=rng,
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


def train(data: NDArray[Any], **hyper: Any) -> Model:
    """Train a model of ``lbb.flow``.

    Parameters
    ----------
    data
        Images, uint8, shape (n, h, w, channels) or (n, h, w).
    **hyper
        Fields of `Settings` and of `Run`.

    Raises
    ------
    ConfigError
        For settings that do not exist or are out of range, and images that do not fit them.
    """
    settings, run = Run.of("lbb.flow", Settings, hyper)
    images = data[..., None] if data.ndim == 3 and data.shape[2] not in (1, 3, 4) else data
    step = 1 << len(settings.couplings)
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[3] not in (1, 3, 4) or len(images) < 2:
        raise ConfigError(f"lbb.flow trains on stacks of uint8 images, not on {data.dtype} of shape {data.shape}")
    if not images.size or images.shape[1] % step or images.shape[2] % step:
        raise ConfigError(
            f"images of {images.shape[1]} x {images.shape[2]} cannot be halved {len(settings.couplings)} times; set fewer couplings"
        )
    images, held_out = learning.hold_out(images, run.held_out)
    network, steps = fit(images, held_out, settings, run)
    said = {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(settings).items()}
    examples, attrs = tensor(images[:EXAMPLES]), {"settings": said, "steps": steps}
    return frozen(network, examples, grid=GRIDS[settings.kind], attrs=attrs)
