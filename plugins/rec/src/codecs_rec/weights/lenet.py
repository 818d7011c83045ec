"""LeNet-5 as in Caffe (LeCun et al. 1998; Havasi et al. 2019): a classifier of small images."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from codecs_core import Model
from codecs_core.errors import ModelError
from codecs_rec.weights.compressible import Compressible

#: Weights of a parameter that are one variable: those of the second convolution, and of the two full layers.
SHARE = {"3.weight": 10, "7.weight": 800, "9.weight": 10}
#: The least side of an image; and items that are looked at together.
LEAST, PART = 16, 500


class Pool(nn.Module):
    """The largest of 2 x 2 values. With channels last it takes a tenth of the time."""

    def forward(self, x: Tensor) -> Tensor:
        """Half the height and width."""
        return functional.max_pool2d(x.contiguous(memory_format=torch.channels_last), 2)


def network(shape: tuple[int, int, int], classes: int) -> nn.Sequential:
    """For images of shape (h, w, channels): 431,080 weights for digits. Pooling before rectifying gives the same, faster."""
    height, width, channels = shape
    inner = 50 * (((height - 4) // 2 - 4) // 2) * (((width - 4) // 2 - 4) // 2)
    return nn.Sequential(
        *(nn.Conv2d(channels, 20, 5), Pool(), nn.ReLU()),
        *(nn.Conv2d(20, 50, 5), Pool(), nn.ReLU(), nn.Flatten()),
        *(nn.Linear(inner, 500), nn.ReLU(), nn.Linear(500, classes)),
    )


def compressible(shape: tuple[int, int, int], classes: int, *, bits: float, block: int) -> Compressible:
    """The network, its weights shared, to be sent in blocks: 4,580 variables for digits."""
    return Compressible(network(shape, classes), bits=bits, block=block, share=SHARE)


def network_of(model: Model) -> nn.Module:
    """The network that ``codecs train rec.weights`` has made: of images as `images_of` has them to a score for each class.

    Raises
    ------
    ModelError
        If the model is another one.
    CorruptDataError
        If its payload is damaged.
    """
    config, tensors = model.config, model.tensors()
    try:
        shape, classes = (int(n) for n in config["item_shape"]), int(config["classes"])
        height, width, channels = shape
        small = compressible((height, width, channels), classes, bits=float(config["bits"]), block=int(config["block"]))
        payload = tensors["payload"].tobytes()
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"model {model.label} is no network of rec.weights: {error}") from error
    return small.load(payload).eval()


def images_of(x: NDArray[Any]) -> Tensor:
    """Images of shape (n, h, w) or (n, h, w, channels), uint8, as the network takes them: (n, channels, h, w), from -1/2 to 1/2."""
    planes = torch.from_numpy(np.array(x)).reshape(*x.shape[:3], -1).permute(0, 3, 1, 2)
    return (planes.float() / 255 - 0.5).contiguous(memory_format=torch.channels_last)


def error(module: nn.Module, x: Tensor, labels: Tensor) -> float:
    """The share of images with another label."""
    with torch.inference_mode():
        wrong = sum(int((module(a).argmax(1) != b).sum()) for a, b in _parts(module, x, labels))
    return wrong / len(x)


def cost(module: nn.Module, x: Tensor, labels: Tensor) -> float:
    """The cross-entropy, in nats an image."""
    with torch.inference_mode():
        nats = sum(float(functional.cross_entropy(module(a), b, reduction="sum")) for a, b in _parts(module, x, labels))
    return nats / len(x)


def _parts(module: nn.Module, *arrays: Tensor) -> Iterator[list[Tensor]]:
    where = next(module.parameters()).device
    for at in range(0, len(arrays[0]), PART):
        yield [array[at : at + PART].to(where) for array in arrays]
