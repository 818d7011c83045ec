"""What a codec can do beside encoding and decoding: protocols, which its class fits by having the method.

No class derives from them, and `Codec` has none of their methods. A caller asks ``isinstance(codec, SupportsPreview)``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from codecs_core.arrays import ArraySpec

if TYPE_CHECKING:
    from codecs_core.entropy import Message
    from codecs_core.models import Model
    from codecs_core.scale import Grid

#: `progress(fraction_done, message)`, called now and then by long work; fraction is in [0, 1].
Progress = Callable[[float, str], None]


@runtime_checkable
class SupportsPreview(Protocol):
    """A codec that codes from coarse to fine, so that a part of a payload is of use: `Codec.preview`."""

    def _preview(self, payload: bytes, spec: ArraySpec, levels: int) -> NDArray[Any]:
        """Decode the deepest `levels` levels only, and guess the rest: an array of exactly `spec`."""
        ...


@runtime_checkable
class SupportsOlderPreview(Protocol):
    """A codec that has previews of payloads of earlier format versions, too."""

    def _preview_older(self, payload: bytes, spec: ArraySpec, levels: int, version: int) -> NDArray[Any]:
        """As `SupportsPreview._preview`, of a payload of format version `version`, one before the current one."""
        ...


@runtime_checkable
class SupportsScale(Protocol):
    """A codec whose payload is a function of the place, which can be evaluated at any resolution: `Codec.scaled`."""

    def _axes(self, spec: ArraySpec) -> tuple[int, ...]:
        """The axes that have a resolution; those of a stack and of channels have none."""
        ...

    def _scaled(self, payload: bytes, spec: ArraySpec, grid: Grid) -> NDArray[Any]:
        """Decode what was encoded from an array of `spec` at the places of `grid`: an array of its shape, and the dtype of `spec`."""
        ...


@runtime_checkable
class SupportsSamples(Protocol):
    """A codec whose payload is one message, so that random bits decode to what its model holds likely: `Codec.sample`."""

    def _sample(self, message: Message, items: int, size: tuple[int, int]) -> NDArray[Any]:
        """Pop this number of items off a message, images of this height and width where the model leaves it open."""
        ...


@runtime_checkable
class SupportsBetween(Protocol):
    """A codec whose model knows a way from one image to another: `Codec.between`."""

    def _between(self, ends: NDArray[Any], items: int) -> NDArray[Any]:
        """Images on the way from the first to the second of a checked array of two, both included: `items` of their shape."""
        ...


@runtime_checkable
class SupportsInformation(Protocol):
    """A codec with a model of single values, which tells what each of them costs: `Codec.information`."""

    def _information(self, chunk: NDArray[Any]) -> NDArray[np.float64]:
        """Bits that each value of a normalised, checked array costs, an array of its shape."""
        ...


class Trainer(Protocol):
    """The function that a `CodecSpec` names as its trainer."""

    def __call__(self, data: Any, *, budget: float, progress: Progress | None = None, **hyper: Any) -> Model:
        """Train a model; an author names the settings in place of `hyper`.

        Parameters
        ----------
        data
            An array of items along the first axis; if the codec is `CodecInfo.ragged`, also a list of arrays, one an
            item; if it is `CodecInfo.labelled`, a dict of two arrays, ``images`` and ``labels``.
        budget
            About how many seconds it may take, those before a checkpoint included.
        progress
            Called with the fraction done and a message.
        **hyper
            Settings; if the codec is `CodecInfo.resumable`, among them ``checkpoint``, a `pathlib.Path` or None. The
            state of training is written there now and then, whole or not at all; where there is one, training goes on
            from it, or raises `ConfigError` if it is of other settings or other data.
        """
        ...


@runtime_checkable
class SupportsTraining(Protocol):
    """A codec whose class trains its models itself, where its `CodecSpec` names no trainer: a class method that is a `Trainer`."""

    @classmethod
    def train(cls, data: Any, *, budget: float, progress: Progress | None = None, **hyper: Any) -> Model:
        """As `Trainer.__call__`."""
        ...
