"""What learned codecs have in common: which arrays they take, as their model says, and in which chunks."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from codecs_core.arrays import ArraySpec
from codecs_core.codec import Codec
from codecs_core.errors import UnsupportedArrayError

if TYPE_CHECKING:
    from codecs_core.entropy import StackCodec


class ItemModel(Protocol):
    """What a model says of the items that it takes: their shape, the number of their values, and the largest value, 1 or 255."""

    item_shape: tuple[int, ...]
    pixels: int

    @property
    def largest(self) -> int:
        """The largest value."""
        ...


@dataclass(frozen=True, kw_only=True)
class MessageCodec(Codec):
    """A codec whose payload is one message, of one stack codec for all of an array.

    Where a class also derives from `ItemCodec` or `ImageCodec`, these come first.
    """

    @abstractmethod
    def _stack_codec(self, spec: ArraySpec) -> StackCodec[Any]:
        """Codec of an array of this spec, which has values, in the form that `_arranged` gives it."""

    def _arranged(self, chunk: NDArray[Any]) -> NDArray[Any]:
        """A chunk as the stack codec takes it."""
        return chunk

    def _encode(self, chunk: NDArray[Any]) -> bytes:
        from codecs_core.entropy import Message

        spec = ArraySpec.of(chunk)
        message = Message(most=self.most(spec))
        if chunk.size:
            self._stack_codec(spec).push(message, self._arranged(chunk))
        return message.to_bytes()

    def _decode(self, payload: bytes, spec: ArraySpec) -> NDArray[Any]:
        from codecs_core.entropy import Message

        message = Message.from_bytes(payload)
        x = self._stack_codec(spec).pop(message) if spec.size else np.empty(spec.shape, spec.dtype)
        message.verify_end()
        return np.asarray(x).astype(spec.dtype).reshape(spec.shape)


@dataclass(frozen=True, kw_only=True)
class ItemCodec(Codec):
    """A codec of stacks of items of one shape, the model's: uint8, or bool with a binary model."""

    @property
    @abstractmethod
    def _items(self) -> ItemModel: ...

    def check(self, spec: ArraySpec) -> None:
        """Raise `UnsupportedArrayError` unless items have the model's shape, and dtype bool only for a binary model."""
        super().check(spec)
        shape = self._items.item_shape
        if spec.shape[1:] != shape or len(spec.shape) == 0:
            raise UnsupportedArrayError(
                f"model {self.learnt.label} takes stacks of items of shape {shape}, not an array of shape {spec.shape}"
            )
        if spec.dtype == "bool" and self._items.largest != 1:
            raise UnsupportedArrayError(f"model {self.learnt.label} takes uint8 values, not bool; try a binary model")

    def _arranged(self, chunk: NDArray[Any]) -> NDArray[np.uint8]:
        """As `MessageCodec` has it: items as rows."""
        return self._rows(chunk)

    def _rows(self, chunk: NDArray[Any]) -> NDArray[np.uint8]:
        """Items as rows of shape (n, pixels); raises `UnsupportedArrayError` for values beyond the model's."""
        x, largest = chunk.reshape(len(chunk), self._items.pixels).view(np.uint8), self._items.largest
        if x.size and int(x.max()) > largest:
            item = int(np.argmax(x.max(1) > largest))
            raise UnsupportedArrayError(
                f"model {self.learnt.label} takes values from 0 to {largest}; item {item} of a chunk holds {x[item].max()}"
            )
        return x


@dataclass(frozen=True, kw_only=True)
class ImageCodec(Codec):
    """A codec of images of any height and width, or stacks of images, with the channels that its model takes.

    Arrays have the shape (h, w, channels) or (n, h, w, channels), and with one channel also (h, w) or (n, h, w). Chunks of a single image
    are bands of its rows.
    """

    #: Values of a chunk of a stack, what framing costs is little beside them; pixels of a band, and its fewest rows.
    STACK_VALUES: ClassVar[int] = 1 << 20
    BAND_PIXELS: ClassVar[int] = 1 << 20
    BAND_ROWS: ClassVar[int] = 1

    @property
    @abstractmethod
    def _channels(self) -> tuple[int, ...]:
        """Numbers of channels that the model takes."""

    def check(self, spec: ArraySpec) -> None:
        """Raise `UnsupportedArrayError` unless the array is an image, or a stack of them, that the model can code."""
        super().check(spec)
        self._images(spec)

    def _images(self, spec: ArraySpec) -> tuple[int, int, int, int]:
        """The shape (n, h, w, channels) of an array's images."""
        shape, channels = spec.shape, self._channels
        if len(shape) in (3, 4) and shape[-1] in channels:
            n, h, w, c = (1, *shape)[-4:]
        elif len(shape) in (2, 3) and 1 in channels:
            (n, h, w), c = (1, *shape)[-3:], 1
        else:
            many = f"{channels[0]} to {channels[-1]}" if len(channels) > 3 else " or ".join(map(str, channels))
            more = ", (h, w) or (n, h, w)" if 1 in channels else ""
            raise UnsupportedArrayError(
                f"model {self.learnt.label} takes images of {many} channel{'s' * (channels != (1,))}, of shape (h, w, {many}) or "
                f"(n, h, w, {many}){more}, not an array of shape {shape}; choose another model, or train one with codecs train {self.id}"
            )
        return n, h, w, c

    def _arranged(self, chunk: NDArray[Any]) -> NDArray[Any]:
        """As `MessageCodec` has it: all four axes."""
        return chunk.reshape(self._images(ArraySpec.of(chunk)))

    def default_chunk(self, spec: ArraySpec) -> int:
        """Of a stack, items of about a million values; of an image, bands of equal height."""
        n, h, w, c = self._images(spec)
        if len(spec.shape) == 2 or (len(spec.shape) == 3 and spec.shape[-1] == c):
            bands = math.ceil(h / max(self.BAND_ROWS, self.BAND_PIXELS // max(1, w), 1))
            return max(1, math.ceil(h / max(1, bands)))
        return max(1, min(n, self.STACK_VALUES // max(1, h * w * c)))
