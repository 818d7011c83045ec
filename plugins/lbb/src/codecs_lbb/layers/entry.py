"""What a model file says of one layer of a flow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from codecs_core.errors import ModelError
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
    tensors
        Of the whole model.
    grid, colours, centre, components
        Of the flow: `colours` are the channels of an image, `components` those of a mixture.
    """

    name: str
    kind: str
    rest: list[Any]
    channels: int
    tensors: Mapping[str, NDArray[Any]]
    grid: Grid
    colours: int
    centre: int
    components: int

    def nothing(self) -> None:
        """Raise `ModelError` if something follows the kind."""
        if self.rest:
            raise ModelError(f"{self.name} of a flow, {self.kind}, is followed by {self.rest!r}; expected nothing")

    def tensor(self, part: str) -> NDArray[Any]:
        """The tensor ``NAME.part``, whose first axis has the length `channels`; raises `ModelError` otherwise."""
        tensor = self.tensors.get(f"{self.name}.{part}")
        if tensor is None:
            raise ModelError(f"a model lacks the tensor {self.name}.{part}")
        if tensor.shape[:1] != (self.channels,):
            raise ModelError(
                f"{self.name}.{part} of a flow is of shape {tensor.shape}; expected {self.channels} channels"
            )
        return tensor

    def keep(self) -> int:
        """How many channels are kept, from 0 to `channels`."""
        return integer(self._only(), f"channels kept by {self.name}", 0, self.channels)

    def part(self) -> tuple[int, int]:
        """First and last (excluded) of the channels that change."""
        last = self._only()
        if not isinstance(last, list) or len(last) != 2:
            raise ModelError(
                f"{self.name} of a flow changes the channels {last!r}; expected the first and the last, excluded"
            )
        low = integer(last[0], f"first channel of {self.name}", 0, self.channels - 1)
        return low, integer(last[1], f"last channel of {self.name}", low + 1, self.channels)

    def mask(self) -> Mask:
        """Which values change: pixels of one parity, or channels."""
        parity = self._only()
        if type(parity) is int:
            return Checkerboard(integer(parity, f"parity of {self.name}", 0, 1))
        return Channels(*self.part())

    def _only(self) -> Any:
        return self.rest[0] if len(self.rest) == 1 else None


def integer(value: Any, name: str, low: int, high: int) -> int:
    """`value`, if it is an integer from `low` to `high`; raises `ModelError` otherwise."""
    if type(value) is not int or not low <= value <= high:
        raise ModelError(f"{name} of a flow is {value!r}; expected an integer from {low} to {high}")
    return value
