"""What a model file of ``lbb.flow`` holds: a grid, layers, their integers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from codecs_core.errors import ModelError
from codecs_lbb.dequantise import Learned, Uniform
from codecs_lbb.flow import Flow
from codecs_lbb.grid import Grid
from codecs_lbb.layers import KINDS, FactorOut, Layer, Squeeze
from codecs_lbb.layers.entry import Entry, integer

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
        channels = integer(config.get("channels"), "channels", 1, 4)
        self.channels, self.centre = channels, integer(config.get("centre"), "centre", 0, 255)
        self.components = integer(config.get("components"), "components", 1, 64)
        grid, layers = config.get("grid"), config.get("layers")
        if not isinstance(grid, list) or len(grid) != 2:
            raise ModelError(f"a flow has the grid {grid!r}; expected the bits of its pitch and of its noise")
        bits = integer(grid[0], "bits of the grid", 17, 32)
        self.grid = Grid(bits, integer(grid[1], "bits of the noise", 0, bits - 2))
        if not isinstance(layers, list) or len(layers) > 256:
            raise ModelError("layers of a flow is a list of at most 256")
        self.layers: list[Layer] = []
        self.squeezes, wide = 0, channels
        for number, item in enumerate(layers):
            if not isinstance(item, list) or not item or item[0] not in [*KINDS]:
                raise ModelError(f"layer {number} of a flow is {item!r}; expected its kind, one of {', '.join(KINDS)}")
            kind, *rest = item
            if not wide:
                raise ModelError(f"layer {number} of a flow, {kind}, is given no channels; expected 1 or more")
            shared = self.grid, channels, self.centre, self.components
            layer = KINDS[kind].parse(Entry(f"layer{number}", kind, rest, wide, tensors, *shared))
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

    def codec(self, n: int, h: int, w: int) -> Flow:
        """Codec of n images of height h and width w, multiples of 2^squeezes."""
        return Flow(self.grid, self.layers, self.noise, (n, h, w, self.channels), self.centre)
