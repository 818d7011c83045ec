"""The data of a training as images, or as items of one shape, and the part of them that is held out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from codecs_core.errors import ConfigError, UnsupportedArrayError

_Many = TypeVar("_Many", NDArray[Any], list[NDArray[Any]])


def image_list(
    data: Sequence[NDArray[Any]] | NDArray[Any],
    *,
    takes: Callable[[NDArray[Any]], bool] = lambda x: x.dtype == np.uint8,
    what: str = "images of uint8",
) -> list[NDArray[Any]]:
    """Images of shape (h, w, channels), of 1, 3 or 4 channels; those without a pixel are left out.

    Parameters
    ----------
    data
        An array of shape (n, h, w, channels) or (n, h, w), or a list of arrays of shape (h, w, channels) or (h, w).
    takes
        Whether an image of shape (h, w, channels) has a dtype that the training takes.
    what
        What it takes, in words.

    Raises
    ------
    UnsupportedArrayError
        For what is not a set of at least two images of one number of channels.
    """
    if isinstance(data, np.ndarray) and data.ndim == 4 - (data.shape[-1] not in (1, 3, 4)):
        data = list(data)
    images = [x[:, :, None] if isinstance(x, np.ndarray) and x.ndim == 2 else x for x in data]
    for i, x in enumerate(images):
        if not isinstance(x, np.ndarray) or x.ndim != 3 or x.shape[2] not in (1, 3, 4) or not takes(x):
            found = f"{x.dtype} of shape {x.shape}" if isinstance(x, np.ndarray) else f"a {type(x).__name__}"
            raise UnsupportedArrayError(
                f"training takes {what} with 1, 3 or 4 channels in a last axis, or none; number {i} is {found}"
            )
        if x.shape[2] != images[0].shape[2]:
            raise UnsupportedArrayError(
                f"training takes images of one number of channels; number {i} has {x.shape[2]}, the first has {images[0].shape[2]}"
            )
    images = [x for x in images if x.size]
    if len(images) < 2:
        raise UnsupportedArrayError(f"training takes at least 2 images, one of them to validate on, not {len(images)}")
    return images


def stack_of_items(data: Any, *, ndim: Sequence[int], least: int = 40) -> NDArray[np.uint8]:
    """A stack of items of uint8, or of bool as 0 and 1.

    Raises
    ------
    UnsupportedArrayError
        For an array of another dtype or number of axes, or of fewer than `least` items.
    """
    array = np.asarray(data)
    if array.dtype not in (np.uint8, np.bool_) or array.ndim not in ndim or len(array) < least or not array.size:
        raise UnsupportedArrayError(
            f"training takes a stack of at least {least} items of uint8 or bool, not {array.dtype} of shape {array.shape}"
        )
    return np.array(array).view(np.uint8)


def hold_out(items: _Many, count: int = 0, *, least: int = 1) -> tuple[_Many, _Many]:
    """Items to learn from, and the last ones, `count` or else a twentieth of them but at least `least`, to validate on.

    Raises
    ------
    ConfigError
        If nothing would be left of either.
    """
    held = count or max(least, len(items) // 20)
    if type(held) is not int or not 0 < held < len(items):
        raise ConfigError(f"held_out must be an integer from 1 to {len(items) - 1}, got {count!r}")
    return items[:-held], items[-held:]


def shuffled(items: Tensor, batch: int) -> Iterator[Tensor]:
    """Batches without end: all items in a random order, of torch's own generator, then all in another one."""
    size = min(batch, len(items))
    while True:
        order = torch.randperm(len(items))
        for first in range(0, len(items) - size + 1, size):
            yield items[order[first : first + size]]
