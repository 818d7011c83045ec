"""What a model file holds, checked as a codec takes it: it may hold anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from codecs_core.errors import ModelError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from codecs_core.models.model import Model


class ModelParts:
    """Config and tensors of a model.

    Parameters
    ----------
    config, tensors
        As `Model` has them.
    codec
        Id of the codec that they are for, for messages.
    label
        Of the model, likewise.
    """

    def __init__(
        self, config: Mapping[str, Any], tensors: Mapping[str, NDArray[Any]], codec: str, label: str = ""
    ) -> None:
        self.config, self.tensors = config, tensors
        self._where = f"model {label} does not fit codec {codec}" if label else f"a model does not fit codec {codec}"

    @classmethod
    def of(cls, model: Model) -> Self:
        """Those of a model."""
        return cls(model.config, model.tensors(), model.codec, model.label)

    def require(self, holds: bool, what: str) -> None:
        """Raise `ModelError` unless `holds`; `what` the model has instead."""
        if not holds:
            raise ModelError(f"{self._where}: it has {what}")

    def number(self, key: str, allowed: Sequence[int]) -> int:
        """An integer of the config, one of those that are allowed; raises `ModelError` for anything else."""
        value: Any = self.config.get(key)
        self.require(type(value) is int and value in allowed, f"{key} {value!r}; expected {_said(allowed)}")
        return int(value)

    def numbers(self, key: str, allowed: Sequence[int], lengths: Sequence[int]) -> tuple[int, ...]:
        """A list of such integers of the config, as a tuple."""
        value: Any = self.config.get(key)
        fits = isinstance(value, list) and all(type(n) is int and n in allowed for n in value)
        expected = f"{_said(lengths)} integers, each {_said(allowed)}"
        self.require(fits and len(value) in lengths, f"{key} {value!r}; expected {expected}")
        return tuple(value)

    def tensor(self, name: str, kinds: str, shape: Sequence[int]) -> NDArray[Any]:
        """A tensor of this shape, where -1 stands for any size but 0; raises `ModelError` for another, or none.

        Parameters
        ----------
        name
            Of the tensor.
        kinds
            Name of its dtype, or a letter for each kind of dtype that it may have, as NumPy has them.
        shape
            Of the tensor.
        """
        array = self.tensors.get(name)
        if array is None or (array.dtype.name != kinds and array.dtype.kind not in kinds):
            found = "none" if array is None else f"one of {array.dtype}"
            raise ModelError(f"{self._where}: it must have a tensor {name!r} of dtype {kinds!r}, and has {found}")
        fits = array.ndim == len(shape) and all(n == m or (n < 0 < m) for n, m in zip(shape, array.shape, strict=True))
        self.require(fits, f"{name} of shape {array.shape}; expected {tuple(shape)}, where -1 is any size")
        return array

    def integers(
        self, name: str, shape: Sequence[int], low: int = -(1 << 63), high: int = (1 << 63) - 1
    ) -> NDArray[np.int64]:
        """A tensor of integers from `low` to `high`; raises `ModelError` for another, or none."""
        array = self.tensor(name, "iu", shape)
        least, most = (int(array.min()), int(array.max())) if array.size else (low, low)
        self.require(low <= least and most <= high, f"{name} from {least} to {most}; expected {low} to {high}")
        return array.astype(np.int64)

    def counts(self, name: str, shape: Sequence[int], bits: int, *, least: int = 1) -> NDArray[np.int64]:
        """A tensor of counts from `least` on, where each row adds up to 2^bits; raises `ModelError` for another, or none."""
        counts = self.integers(name, shape, least, 1 << bits)
        self.require(bool((counts.sum(-1) == 1 << bits).all()), f"{name} that do not add up to 2^{bits}")
        return counts


def _said(allowed: Sequence[int]) -> str:
    """What is allowed, in words."""
    if isinstance(allowed, range) and len(allowed) > 2:
        return f"{allowed[0]} to {allowed[-1]}"
    return " or ".join(map(str, allowed))
