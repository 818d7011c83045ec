"""Training a flow on somebody's images."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from codecs_core.codec import Progress
from codecs_core.errors import ConfigError
from codecs_core.models import Model
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
class Settings:
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
        If not 0, train for so many steps whatever the clock says.
    seed
        Of the initial weights, of the order of the data and of the noise.
    """

    kind: str = "flow++"
    couplings: Sequence[int] = (4, 2, 1, 1)
    width: int = 48
    blocks: int = 2
    coupling_width: int = 32
    components: int = 3
    noise_width: int = 0
    centre: int = 128
    mirror: bool = True
    batch: int = 16
    rate: float = 4e-3
    steps: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        if isinstance(self.couplings, Sequence):
            object.__setattr__(self, "couplings", tuple(self.couplings))
        if self.kind not in KINDS:
            raise ConfigError(f"kind is one of {', '.join(KINDS)}, not {self.kind!r}")
        if (
            not isinstance(self.couplings, tuple)
            or not 1 <= len(self.couplings) <= 8
            or not all(type(n) is int and 0 <= n <= 64 for n in self.couplings)
        ):
            raise ConfigError(f"couplings is a list of 1 to 8 numbers from 0 to 64, not {self.couplings!r}")
        limits = {
            "width": (1, 512),
            "blocks": (1, 32),
            "coupling_width": (1, 512),
            "components": (1, 16),
            "noise_width": (0, 512),
            "centre": (0, 255),
            "batch": (1, 4096),
            "steps": (0, 1 << 40),
            "seed": (0, 1 << 62),
        }
        for name, (least, most) in limits.items():
            value = getattr(self, name)
            if type(value) is not int or not least <= value <= most:
                raise ConfigError(f"{name} is an integer from {least} to {most}, not {value!r}")
        if not isinstance(self.mirror, bool):
            raise ConfigError(f"mirror is true or false, not {self.mirror!r}")
        if not isinstance(self.rate, int | float) or not 0 < self.rate < math.inf:
            raise ConfigError(f"rate is a positive number, not {self.rate!r}")


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
    groups = [{"params": rest, "gain": 1.0}] + ([{"params": few, "gain": 10.0}] if few else [])
    optimiser = torch.optim.Adam(groups, betas=(0.9, 0.99))
    rng = np.random.Generator(np.random.PCG64(settings.seed))
    state = State(network, optimiser, rng, run=f"{settings} of images {images.shape}")
    if checkpoint is not None and checkpoint.exists():
        state.load(checkpoint)
    before, start = state.seconds, time.monotonic()
    shown, done = start, 0.0
    while done < 1:
        now = time.monotonic()
        state.seconds = before + now - start
        done = min(1.0, (state.step + 1) / settings.steps if settings.steps else state.seconds / budget)
        for group in optimiser.param_groups:
            warm = min(1.0, (state.step + 1) / 100)
            group["lr"] = settings.rate * group["gain"] * warm * (0.5 + 0.5 * math.cos(math.pi * done)) + 1e-7
        network.train()
        x = images[rng.integers(len(images), size=settings.batch)]
        if settings.mirror and state.step % 2:
            x = x[:, :, ::-1]
        loss = network.bits(tensor(x)) / x.size
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        state.step += 1
        if now - shown > INTERVAL or done >= 1:
            if progress:
                rate = evaluate(network, held_out)
                progress(done, f"step {state.step}: {rate:.4f} bits per value on what is held out")
            if checkpoint is not None:
                state.save(checkpoint)
            shown = time.monotonic()
    return network, state.step


@dataclass
class State:
    """All that a training run changes, to be saved and taken up again.

    Parameters
    ----------
    network, optimiser, rng
        As they are now; torch's own generator, which makes the noise, belongs to it.
    run
        Says which run it is.
    """

    network: Network
    optimiser: torch.optim.Optimizer
    rng: np.random.Generator
    run: str
    step: int = 0
    seconds: float = 0.0

    def save(self, path: Path) -> None:
        """Write everything to a file, all of it or nothing."""
        state = {
            "run": self.run,
            "step": self.step,
            "seconds": self.seconds,
            "network": self.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "rng": json.dumps(self.rng.bit_generator.state),
            "noise": torch.get_rng_state(),
        }
        partial = path.with_name(path.name + ".part")
        torch.save(state, partial)
        os.replace(partial, path)

    def load(self, path: Path) -> None:
        """Go on from a file; raises `ConfigError` for one of another run, or none at all."""
        try:
            state: dict[str, Any] = torch.load(path, weights_only=True)
            run = state["run"]
        except Exception as error:
            raise ConfigError(f"{path} is no checkpoint of a training run: {error}") from error
        if run != self.run:
            raise ConfigError(
                f"checkpoint {path} is of another run ({run}, not {self.run}); name another file, or delete it"
            )
        self.network.load_state_dict(state["network"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.rng.bit_generator.state = json.loads(state["rng"])
        torch.set_rng_state(state["noise"])
        self.step, self.seconds = state["step"], state["seconds"]


def network_of(channels: int, settings: Settings) -> Network:
    """A network of these sizes, untrained."""
    network = KINDS[settings.kind](channels, asdict(settings))
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def tensor(images: NDArray[np.uint8]) -> Tensor:
    """Images of shape (n, h, w, channels) as floats of shape (n, channels, h, w)."""
    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(images, -1, 1), np.float32))


def evaluate(network: Network, images: NDArray[np.uint8], values: int = HELD_OUT_VALUES) -> float:
    """Bits per value of the first images, up to so many values, with one sample of noise each (the same at every call)."""
    network.eval()
    images = images[: max(1, values // images[0].size)]
    bits = 0.0
    with torch.random.fork_rng(), torch.inference_mode():
        torch.manual_seed(0)
        for start in range(0, len(images), 100):
            bits += float(network.bits(tensor(images[start : start + 100])))
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
    from codecs_lbb.freezing import frozen

    try:
        settings = Settings(**hyper)
    except TypeError as error:
        raise ConfigError(f"a setting does not exist: {error}") from None
    images = data[..., None] if data.ndim == 3 and data.shape[2] not in (1, 3, 4) else data
    step = 1 << len(settings.couplings)
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[3] not in (1, 3, 4) or len(images) < 2:
        raise ConfigError(f"lbb.flow trains on stacks of uint8 images, not on {data.dtype} of shape {data.shape}")
    if not images.size or images.shape[1] % step or images.shape[2] % step:
        raise ConfigError(
            f"images of {images.shape[1]} x {images.shape[2]} cannot be halved {len(settings.couplings)} times; set fewer couplings"
        )
    held = max(1, len(images) // 20)
    path = Path(checkpoint) if checkpoint is not None else None
    network, steps = fit(images[:-held], images[-held:], settings, budget=budget, progress=progress, checkpoint=path)
    attrs = {
        "settings": {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(settings).items()},
        "steps": steps,
    }
    return frozen(
        network, tensor(images[: min(len(images) - held, EXAMPLES)]), grid=GRIDS[settings.kind], attrs=attrs, name=name
    )
