"""What a model file says of one layer of a flow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from codecs_core import ModelParts
from codecs_lbb.grid import Grid
from codecs_lbb.layers.masks import Channels, Checkerboard, Mask


@dataclass(frozen=True, eq=False)
class Entry:
    """One item of the list ``layers`` of a model's config, with the tensors it names and what holds for the whole flow.

    Parameters
    ----------
    name
        Prefix of the names of its tensors, such as ``layer3``.
    kind, rest
        The item: its kind, and what follows it.
    channels
        Of the layer's input.
    parts
        Of the whole model.
    grid, colours, centre, components
        Of the flow: `colours` are the channels of an image, `components` those of a mixture.
    """

    name: str
    kind: str
    rest: list[Any]
    channels: int
    parts: ModelParts
    grid: Grid
    colours: int
    centre: int
    components: int

    @property
    def tensors(self) -> Mapping[str, NDArray[Any]]:
        """Those of the whole model."""
        return self.parts.tensors

    def nothing(self) -> None:
        """Raise `ModelError` if something follows the kind."""
        self.parts.require(not self.rest, f"{self.rest!r} after {self.name}, {self.kind}; expected nothing")

    def tensor(self, part: str, ndim: int = 1) -> NDArray[Any]:
        """The tensor ``NAME.part`` of integers, with axes of the length `channels`; raises `ModelError` otherwise."""
        return self.parts.tensor(f"{self.name}.{part}", "iu", (self.channels,) * ndim)

    def keep(self) -> int:
        """How many channels are kept, from 0 to `channels`."""
        return self._integer(self._only(), "channels kept", 0, self.channels)

    def part(self) -> tuple[int, int]:
        """First and last (excluded) of the channels that change."""
        last = self._only()
        fits = isinstance(last, list) and len(last) == 2
        self.parts.require(fits, f"the channels {last!r} of {self.name}; expected the first and the last, excluded")
        low = self._integer(last[0], "first channel", 0, self.channels - 1)
        return low, self._integer(last[1], "last channel", low + 1, self.channels)

    def mask(self) -> Mask:
        """Which values change: pixels of one parity, or channels."""
        parity = self._only()
        if type(parity) is int:
            return Checkerboard(self._integer(parity, "parity", 0, 1))
        return Channels(*self.part())

    def _only(self) -> Any:
        return self.rest[0] if len(self.rest) == 1 else None

    def _integer(self, value: Any, what: str, low: int, high: int) -> int:
        fits = type(value) is int and low <= value <= high
        self.parts.require(fits, f"{what} {value!r} of {self.name}; expected an integer from {low} to {high}")
        return int(value)
