"""Codecs that see an array as images."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from codecs_classic.framing import join, split
from codecs_classic.sprite import Images, grids, room
from codecs_core import ArraySpec, Codec
from codecs_core.errors import CorruptDataError, UnsupportedArrayError
from codecs_core.fields import one_of

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class ImageCodec(Codec):
    """Base of the codecs that compress images; `Images.of` says which shapes are images.

    Parameters
    ----------
    layout
        How a stack is coded: ``"sprite"``, as a near-square grid of its images (smaller where images are
        small), or ``"items"``, image by image.
    """

    format_version: ClassVar[int] = 2
    stores_from: ClassVar[int | None] = 2
    same_since: ClassVar[int | None] = 1
    #: Largest height and width of the format.
    max_side: ClassVar[int]
    #: Whether a stream says where it ends, so that bytes left over are seen.
    sees_end: ClassVar[bool] = True

    layout: str = one_of("sprite", ("sprite", "items"))

    @abstractmethod
    def compress(self, image: NDArray[Any]) -> bytes:
        """Encode an image of shape (H, W) or (H, W, 3) or (H, W, 4) with no empty axis."""

    @abstractmethod
    def expand(self, payload: bytes, spec: ArraySpec) -> NDArray[Any]:
        """Undo `compress`; read the size in the stream's header before allocating, refuse bytes left over."""

    def check(self, spec: ArraySpec) -> None:
        """Raise `UnsupportedArrayError` for arrays that are no images, or larger than the format holds."""
        super().check(spec)
        images = Images.of(spec.shape)
        if images is None:
            raise UnsupportedArrayError(
                f"codec {self.id} takes images (H, W), (H, W, C) and stacks (..., H, W), (..., H, W, C) "
                f"with 1, 3 or 4 channels C, not shape {spec.shape}"
            )
        if max(images.height, images.width) > self.max_side:
            raise UnsupportedArrayError(
                f"codec {self.id} takes images of up to {self.max_side} pixels a side, "
                f"not {images.height} x {images.width}; cut the array or choose another codec"
            )

    def _encode(self, chunk: NDArray[Any]) -> bytes:
        if not chunk.size:
            return b""
        images = _images(chunk.shape)
        stack = unsigned(chunk).reshape(images.shape)
        streams = [
            self.compress(_plain(np.ascontiguousarray(grid.lay(stack))))
            for grid in grids(images, sprite=self.layout == "sprite")
        ]
        return join(streams, measure_last=not self.sees_end)

    def _decode(self, payload: bytes, spec: ArraySpec) -> NDArray[Any]:
        if not spec.size:
            if payload:
                raise CorruptDataError(f"{len(payload)} bytes of codec {self.id} where an empty array has none")
            return np.empty(spec.shape, spec.dtype)
        images = _images(spec.shape)
        sprite = self.layout == "sprite"
        streams = split(payload, -(-images.count // room(images, sprite=sprite)), measure_last=not self.sees_end)
        stack = np.empty(images.shape, f"u{spec.itemsize}")
        # One at a time: a payload of a few bytes must not make millions of grids.
        for grid, stream in zip(grids(images, sprite=sprite), streams, strict=True):
            height, width = grid.rows * images.height, grid.cols * images.width
            shape = (height, width) if images.channels == 1 else (height, width, images.channels)
            grid.lift(self.expand(stream, ArraySpec(shape, stack.dtype.name)).reshape(height, width, -1), stack)
        if spec.dtype == "bool" and (stack > 1).any():
            raise CorruptDataError(f"a payload of codec {self.id} holds a boolean that is neither 0 nor 1")
        return signed(stack, spec.dtype).reshape(spec.shape)


def unsigned(array: NDArray[Any]) -> NDArray[Any]:
    """Unsigned integers in the order of the values: integers by an offset, floats by their bits."""
    if array.dtype.kind == "u":
        return array
    words = array.view(f"u{array.itemsize}")
    top = words.dtype.type(1 << (8 * array.itemsize - 1))
    if array.dtype.kind == "i":
        words = words ^ top
    elif array.dtype.kind == "f":
        words = np.where(words & top, ~words, words | top)
    return words


def signed(words: NDArray[Any], dtype: str) -> NDArray[Any]:
    """Inverse of `unsigned`."""
    kind = np.dtype(dtype).kind
    top = words.dtype.type(1 << (8 * words.itemsize - 1))
    if kind == "i":
        words = words ^ top
    elif kind == "f":
        words = np.where(words & top, words ^ top, ~words)
    return words.view(dtype)


def _images(shape: tuple[int, ...]) -> Images:
    images = Images.of(shape)
    if images is None:
        raise UnsupportedArrayError(f"shape {shape} is neither an image nor a stack of images")
    return images


def _plain(image: NDArray[Any]) -> NDArray[Any]:
    """Without the axis of a single channel."""
    return image[:, :, 0] if image.shape[2] == 1 else image


def expect_size(codec: str, height: int, width: int, spec: ArraySpec) -> None:
    """Raise `CorruptDataError` unless a header's size is that of `spec`."""
    if (height, width) != spec.shape[:2]:
        raise CorruptDataError(
            f"a stream of codec {codec} must say {spec.shape[0]} x {spec.shape[1]} pixels, got {height} x {width}"
        )
