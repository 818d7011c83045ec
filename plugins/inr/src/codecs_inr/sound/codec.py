"""Codec ``inr.sound``: sound as the weights of networks of time, by relative entropy coding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from codecs_core import ArraySpec, CodecInfo
from codecs_core.errors import UnsupportedArrayError
from codecs_inr import SOUND as INFO
from codecs_inr.kinds import SOUND, Kind
from codecs_inr.weights import PATCHES, WeightsCodec

#: Channels of a sound: arrays with more are something else.
MOST_CHANNELS = 64


@dataclass(frozen=True, kw_only=True)
class SoundCodec(WeightsCodec):
    """Samples of 16 bits, shape (frames,) or (frames, channels): each channel as patches, and each patch as a network.

    Of two channels, half of their sum and half of their difference are coded, which tell less where the channels are alike. The fields
    are those of `WeightsCodec`.
    """

    id: ClassVar[str] = "inr.sound"
    format_version: ClassVar[int] = 1
    stores_from: ClassVar[int | None] = 1
    info: ClassVar[CodecInfo] = INFO
    kind: ClassVar[Kind] = SOUND

    def check(self, spec: ArraySpec) -> None:
        """Raise `UnsupportedArrayError` for what is no sound."""
        super().check(spec)
        if len(spec.shape) == 2 and not 1 <= spec.shape[1] <= MOST_CHANNELS:
            raise UnsupportedArrayError(
                f"codec {self.id} takes sound of shape (frames,) or (frames, channels) with 1 to {MOST_CHANNELS} channels, "
                f"not an array of shape {spec.shape}"
            )

    def default_chunk(self, spec: ArraySpec) -> int:
        """Frames of some patches that are fitted at once."""
        frames, *channels = spec.shape
        return max(1, min(frames, self._inr.grid[0] * max(1, PATCHES // max(1, *channels, 1))))

    def _shape(self, spec: ArraySpec) -> tuple[int, ...]:
        frames, *channels = spec.shape
        return (*(channels or [1]), frames, 1)

    def _axes(self, spec: ArraySpec) -> tuple[int, ...]:
        """Time."""
        return (0,)

    def _signals(self, chunk: NDArray[Any]) -> NDArray[Any]:
        """Channel by channel."""
        x = np.atleast_2d(chunk.T)
        return (middle_and_side(x) if len(x) == 2 else x)[..., None]

    def _array(self, signals: NDArray[Any], shape: Sequence[int]) -> NDArray[Any]:
        x = signals[..., 0]
        return np.ascontiguousarray((left_and_right(x) if len(x) == 2 else x).T).reshape(shape)


def middle_and_side(x: NDArray[np.int16]) -> NDArray[np.int16]:
    """Half of the sum and half of the difference of two channels, shape (2, frames)."""
    left, right = x.astype(np.int32)
    return np.stack([(left + right) >> 1, (left - right) >> 1]).astype(np.int16)


def left_and_right(x: NDArray[np.int16]) -> NDArray[np.int16]:
    """Two channels of half of their sum and half of their difference, shape (2, frames)."""
    middle, side = x.astype(np.int32)
    return np.asarray(np.clip([middle + side, middle - side], *SOUND.range).astype(np.int16))
