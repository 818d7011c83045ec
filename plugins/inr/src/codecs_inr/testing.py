"""Models with random weights, and codecs that draw their indices: what they decode to is the same everywhere.

Tests need no training and no torch for them. A fit is in floating point, and other machines may end at other indices.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_core import ArraySpec, Model
from codecs_core.testing import Draw
from codecs_inr.codec import InrCodec
from codecs_inr.coin import MIDDLE, CoinCodec
from codecs_inr.decoder import WEIGHT_BITS
from codecs_inr.kinds import IMAGE, MOST_EXPONENT, SOUND
from codecs_inr.model import units
from codecs_inr.network import Floats, Siren
from codecs_inr.positional import Positional
from codecs_inr.sound.codec import SoundCodec
from codecs_inr.upsampling import Upsampling, shapes
from codecs_inr.weights import WeightsCodec


def random_model(
    item_shape: tuple[int, ...] = (4, 5, 3),
    *,
    hidden: Sequence[int] = (4, 3),
    frequencies: int = 2,
    linear: bool = False,
    latents: Sequence[int] = (),
    groups: int = 4,
    index_bits: int = 6,
    window: int = 0,
    shared: tuple[int, ...] = (),
    steps: tuple[int, int] = (12, 2),
    seed: int = 0,
    name: str = "random",
) -> Model:
    """Make a model that learnt nothing: the same arguments give the same file everywhere. Its first weight is not sent.

    Parameters
    ----------
    item_shape
        (h, w, channels) for ``inr.image``, (samples, 1) for ``inr.sound``.
    latents
        Channels of positional latents, and of each layer of the upsampling network; none: no latents.
    window
        If not 0, bits that name a proposal.
    shared
        Rows and columns of a group of patches; none: patches share nothing.
    """
    *grid, channels = item_shape
    draw, kind = Draw(seed), IMAGE if len(grid) == IMAGE.axes else SOUND
    widths = (2 * frequencies * len(grid) + sum(latents[-1:]), *hidden, channels)
    network = Siren(widths)
    one = 1 << WEIGHT_BITS
    config: dict[str, Any] = {}
    if latents:
        rows, columns = (n >> (len(latents) - 1) for n in grid)
        network = Positional(widths, Upsampling((rows, columns), latents))
        config = {"latents": [rows, columns, latents[0]], "up": list(latents[1:])}
    parts = network.parts
    numbers = [*parts[:-1], parts[-1] - 1] if latents and linear else parts
    group = np.arange(sum(numbers)) % groups
    group[0] = -1
    if shared:
        group = np.stack([np.where(group < 2, group, -1), np.where(group == 1, 0, -1), group])
    at = np.arange(network.size)
    last, spread = (network.ends[-2] <= at) & (at < network.ends[-1]), int(kind.spread)
    mean, scale = draw(-one // 8, one // 8, network.size), draw(1, one // 6, *group.shape)
    tensors: dict[str, NDArray[Any]] = {
        "frequencies": draw(200, 3000, frequencies).astype(np.int32),
        "mean": np.where(last, spread * mean, mean).astype(np.int32),
        "scale": np.where(last[: scale.shape[-1]], spread * scale, scale).astype(np.int32),
        "group": group.astype(np.int16),
    }
    for i, shape in enumerate(shapes(latents)):
        tensors[f"up.{i}"] = draw(-4000, 4000, *shape).astype(np.int16)
    if linear:
        for i, shape in enumerate(zip(numbers, parts, strict=True)):
            matrix = draw(-9, 9, *shape) + 100 * np.eye(*shape, dtype=np.int64)
            tensors[f"basis.{i}"] = matrix.astype(np.int8)
    if shared:
        config["shared"] = list(shared)
    config |= {
        "item_shape": list(item_shape),
        "hidden": list(hidden),
        "linear": linear,
        "index_bits": [index_bits, window] if window else index_bits,
        "steps": list(steps),
        "variance": 25 * spread**2,
    }
    return Model.create(codec=kind.codec, config=config, tensors=tensors, attrs={"seed": seed}, name=name)


@dataclass(frozen=True, kw_only=True)
class _Drawn(WeightsCodec):
    """An encoder that looks at the shape of the signals alone."""

    def _encode(self, chunk: NDArray[Any]) -> bytes:
        family = self._family(ArraySpec.of(chunk))
        draw = Draw(patches := family.rows[-1])
        sizes = [(groups.count, rows) for groups, rows in zip(self._inr.levels, family.rows, strict=True)]
        index = [draw(0, (1 << self._inr.groups.bits) - 1, *size).T for size in reversed(sizes)]
        return self._payload(index[::-1], draw(0, MOST_EXPONENT, patches))


@dataclass(frozen=True, kw_only=True)
class DrawnCodec(_Drawn, InrCodec):
    """``inr.image`` that draws its indices."""


@dataclass(frozen=True, kw_only=True)
class DrawnSound(_Drawn, SoundCodec):
    """``inr.sound``, likewise."""


@dataclass(frozen=True, kw_only=True)
class DrawnCoin(CoinCodec):
    """``inr.coin``, likewise."""

    def _fit(self, network: Siren, images: NDArray[np.uint8]) -> Floats:
        q = Draw(len(images))(-MIDDLE // 20, MIDDLE // 20, len(images), network.size)
        return np.asarray(q * self._steps(network) * units(network, IMAGE), np.float32)
