"""What a model file of ``lbb.flow`` holds: a grid, layers, their integers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from codecs_core.errors import ModelError
from codecs_lbb.dequantise import Learned, Uniform
from codecs_lbb.flow import Flow
from codecs_lbb.grid import Grid
from codecs_lbb.layers import (
    ActNorm,
    Additive,
    Affine,
    Channels,
    Checkerboard,
    Convolution,
    FactorOut,
    Layer,
    Logit,
    MixtureCoupling,
    Squeeze,
)

#: Kinds of layers.
KINDS = ("logit", "squeeze", "actnorm", "convolution", "additive", "affine", "mixture", "factor")
#: Those of which there is nothing to say.
PLAIN = ("logit", "squeeze", "actnorm", "convolution")
#: The most channels, which four squeezes of four channels make.
_CHANNELS = 1024


class FlowModel:
    """A frozen flow, for images of any height and width that are multiples of `step`.

    Parameters
    ----------
    config
        ``channels`` of an image; ``centre``, the grey level that stands for zero; ``grid``, the bits of its pitch and of its noise;
        ``learned``, whether noise is; ``components`` of a mixture; ``layers``, each a list of its kind and, for additive, affine and
        mixture, the first and the last channel (excluded) that change or, for the former two, the parity of the pixels that do; for factor
        how many channels are kept.
    tensors
        Of layer I under ``layerI.``, and of the noise under ``noise.``.

    Raises
    ------
    ModelError
        If anything is missing or does not fit, or a probe gives other integers than when the model was made.
    """

    def __init__(self, config: Mapping[str, Any], tensors: Mapping[str, NDArray[Any]]) -> None:
        channels = _integer(config.get("channels"), "channels", 1, 4)
        self.channels, self.centre = channels, _integer(config.get("centre"), "centre", 0, 255)
        self.components = _integer(config.get("components"), "components", 1, 64)
        grid, layers = config.get("grid"), config.get("layers")
        if not isinstance(grid, list) or len(grid) != 2:
            raise ModelError(f"a flow has the grid {grid!r}; expected the bits of its pitch and of its noise")
        bits = _integer(grid[0], "bits of the grid", 17, 32)
        self.grid = Grid(bits, _integer(grid[1], "bits of the noise", 0, bits - 2))
        if not isinstance(layers, list) or len(layers) > 256:
            raise ModelError("layers of a flow is a list of at most 256")
        self.layers: list[Layer] = []
        self.squeezes, wide = 0, channels
        for number, entry in enumerate(layers):
            if not isinstance(entry, list) or not entry or entry[0] not in KINDS:
                raise ModelError(f"layer {number} of a flow is {entry!r}; expected its kind, one of {', '.join(KINDS)}")
            if not wide:
                raise ModelError(f"layer {number} of a flow, {entry[0]}, is given no channels; expected 1 or more")
            layer = self._layer(f"layer{number}", entry[0], entry[1:], wide, tensors)
            self.layers.append(layer)
            self.squeezes += isinstance(layer, Squeeze)
            wide = layer.shape((1, 1, 1, wide))[-1]
            if wide > _CHANNELS:
                raise ModelError(f"a flow of more than {_CHANNELS} channels")
        self.layers.append(FactorOut(self.grid, wide, 0))
        learned = config.get("learned")
        if not isinstance(learned, bool):
            raise ModelError(f"learned of a flow is {learned!r}; expected true or false")
        self.noise = Learned(self.grid, tensors, "noise", channels=channels) if learned else Uniform(self.grid)
        #: What height and width are multiples of; learned noise is that of squeezed images.
        self.step = 1 << max(self.squeezes, int(learned))

    def _layer(self, name: str, kind: str, rest: list[Any], wide: int, tensors: Mapping[str, NDArray[Any]]) -> Layer:
        def of(part: str) -> NDArray[Any]:
            tensor = tensors.get(f"{name}.{part}")
            if tensor is None:
                raise ModelError(f"a model lacks the tensor {name}.{part}")
            if tensor.shape[:1] != (wide,):
                raise ModelError(f"{name}.{part} of a flow is of shape {tensor.shape}; expected {wide} channels")
            return tensor

        if kind in PLAIN and rest:
            raise ModelError(f"{name} of a flow, {kind}, is followed by {rest!r}; expected nothing")
        if kind == "logit":
            return Logit(self.grid, self.centre)
        if kind == "squeeze":
            return Squeeze()
        if kind == "actnorm":
            return ActNorm(self.grid, of("shift"), of("log_scale"))
        if kind == "convolution":
            return Convolution(of("order"), of("lower"), of("upper"))
        last = rest[0] if len(rest) == 1 else None
        if kind == "factor":
            return FactorOut(self.grid, wide, _integer(last, f"channels kept by {name}", 0, wide))
        coupling = {"additive": Additive, "affine": Affine}.get(kind)
        if coupling and type(last) is int:
            board = Checkerboard(_integer(last, f"parity of {name}", 0, 1))
            return coupling(self.grid, tensors, name, channels=wide, mask=board)
        if not isinstance(last, list) or len(last) != 2:
            raise ModelError(
                f"{name} of a flow changes the channels {last!r}; expected the first and the last, excluded"
            )
        low = _integer(last[0], f"first channel of {name}", 0, wide - 1)
        part = low, _integer(last[1], f"last channel of {name}", low + 1, wide)
        if coupling:
            return coupling(self.grid, tensors, name, channels=wide, mask=Channels(*part))
        if (part[1] - part[0]) % self.channels:
            raise ModelError(f"{name} of a flow changes {part[1] - part[0]} channels, which are no whole phases")
        sizes: dict[str, Any] = {"colours": self.channels, "part": part, "components": self.components}
        return MixtureCoupling(self.grid, tensors, name, **sizes)

    def codec(self, n: int, h: int, w: int) -> Flow:
        """Codec of n images of height h and width w, multiples of 2^squeezes."""
        return Flow(self.grid, self.layers, self.noise, (n, h, w, self.channels), self.centre)


def _integer(value: Any, name: str, low: int, high: int) -> int:
    if type(value) is not int or not low <= value <= high:
        raise ModelError(f"{name} of a flow is {value!r}; expected an integer from {low} to {high}")
    return value
