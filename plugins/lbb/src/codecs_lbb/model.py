"""What a model file of ``lbb.flow`` holds: a grid, layers, their integers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from codecs_core import ModelParts
from codecs_core.errors import ModelError
from codecs_lbb.dequantise import Learned, Uniform
from codecs_lbb.flow import Flow
from codecs_lbb.grid import Grid
from codecs_lbb.layers import KINDS, FactorOut, Layer, Squeeze
from codecs_lbb.layers.entry import Entry

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
        parts = ModelParts(config, tensors, "lbb.flow")
        self.channels, self.centre = parts.number("channels", range(1, 5)), parts.number("centre", range(256))
        self.components = parts.number("components", range(1, 65))
        bits, noise = parts.numbers("grid", range(33), (2,))
        parts.require(
            bits >= 17 and noise <= bits - 2, f"grid [{bits}, {noise}]; expected 17 to 32 bits, noise of 2 less"
        )
        self.grid = Grid(bits, noise)
        layers, learned = config.get("layers"), config.get("learned")
        if not isinstance(layers, list) or len(layers) > 256:
            raise ModelError("layers of a flow is a list of at most 256")
        parts.require(isinstance(learned, bool), f"learned {learned!r}; expected true or false")
        self.layers: list[Layer] = []
        wide = self.channels
        for number, item in enumerate(layers):
            known = isinstance(item, list) and item and item[0] in [*KINDS]
            parts.require(bool(known), f"{item!r} as layer {number}; expected its kind, one of {', '.join(KINDS)}")
            parts.require(wide > 0, f"no channels for layer {number}; expected 1 or more")
            shared = self.grid, self.channels, self.centre, self.components
            layer = KINDS[item[0]].parse(Entry(f"layer{number}", item[0], item[1:], wide, parts, *shared))
            self.layers.append(layer)
            wide = layer.shape((1, 1, 1, wide))[-1]
            parts.require(wide <= _CHANNELS, f"{wide} channels after layer {number}; expected up to {_CHANNELS}")
        self.squeezes = sum(isinstance(layer, Squeeze) for layer in self.layers)
        self.layers.append(FactorOut(self.grid, wide, 0))
        self.noise = Learned(self.grid, tensors, "noise", channels=self.channels) if learned else Uniform(self.grid)
        #: What height and width are multiples of; learned noise is that of squeezed images.
        self.step = 1 << max(self.squeezes, int(bool(learned)))

    def codec(self, n: int, h: int, w: int) -> Flow:
        """Codec of n images of height h and width w, multiples of 2^squeezes."""
        return Flow(self.grid, self.layers, self.noise, (n, h, w, self.channels), self.centre)
