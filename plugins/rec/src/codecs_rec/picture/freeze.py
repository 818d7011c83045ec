"""From the learned transform in floating point to a model in integers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from codecs_core import Model
from codecs_core.entropy import QFormat, quantise
from codecs_core.exact import freeze
from codecs_rec.index import PRECISION, calibrate
from codecs_rec.lossy.model import CORRECTION, GREY, REACH
from codecs_rec.picture.codec import Pictures
from codecs_rec.picture.model import MEAN_BITS, MEANS, MOST, SEEN_BITS, SPAN, TOLD, Picture
from codecs_rec.picture.network import UNIT, Transform
from codecs_rec.transform import MATRIX_BITS, VALUE_BITS

#: What classes of cells add to the information of latents, in 64ths of a bit.
BOOSTS = (0, 80, 160)
#: Octaves of numbers beyond the bits that a block's box leaves.
SPARE = 3
#: Bits of a weight, of networks that see latents, and of those in between.
WIDE, NARROW = 16, 10
SEEN = QFormat(bits=SEEN_BITS, low=-SPAN, high=SPAN)


def frozen(
    network: Transform, images: Sequence[NDArray[np.uint8]], block_bits: int, attrs: dict[str, Any], name: str
) -> Model:
    """Freeze the networks by what they see of images of one shape (h, w, 3), and calibrate the tables of octaves on these."""
    network.eval()
    x = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float() - GREY
    edges = network.layout.edges
    tensors: dict[str, NDArray[Any]] = {
        "noises": network.noises.numpy().astype(np.int16),
        "units": network.unit.log2().round().numpy().astype(np.int8),
        "signs": network.signs.numpy().astype(np.int8),
        "hyper_information": _information(network.hyper_noise),
        "octaves": _even(block_bits + 1, block_bits + SPARE),
        "boosts": np.array(BOOSTS, np.int16),
        "classes": quantise(np.tile([12.0] + [1.0] * (len(BOOSTS) - 1), (len(network.steps), 1)), PRECISION).astype(
            np.int32
        ),
        "analysis": np.rint(network.analysis.detach().numpy() * (1 << MATRIX_BITS)).astype(np.int16),
    }
    seen, encoder = _seen(network, x), network.hyper_encoder

    def net(part: nn.Sequential, label: str, source: QFormat, target: Any, bits: int = WIDE, **more: Any) -> None:
        given = np.floor(np.moveaxis(seen[part[0]], 1, -1) * 2.0**source.bits)
        examples = np.clip(given, source.low, source.high).astype(np.int64)
        tensors.update(freeze(part, examples, source, target, weight_bits=bits, **more).tensors(label))

    between = QFormat(bits=SEEN_BITS, low=0, high=MOST)
    net(cast(nn.Sequential, encoder[:2]), "hyper_encoder.0", SEEN, between)
    net(cast(nn.Sequential, encoder[3:]), "hyper_encoder.1", between, SEEN, activation_bits=8)
    net(network.hyper_decoder, "hyper_decoder", SEEN, SEEN, activation_bits=8)
    for number, (prior, (group, _)) in enumerate(zip(network.priors, network.steps, strict=True)):
        count = network.layout.sizes[group]
        mean = QFormat(bits=MEAN_BITS, low=-MEANS, high=MEANS)
        told = QFormat(bits=6, low=0, high=TOLD)
        net(cast(nn.Sequential, prior), f"prior.{number}", SEEN, [mean] * count + [told] * count, activation_bits=8)
    values = QFormat(bits=VALUE_BITS, low=-MOST, high=MOST)
    net(nn.Sequential(network.synthesis), "synthesis", values, QFormat(bits=VALUE_BITS, low=-REACH, high=REACH))
    squares, added = (
        QFormat(bits=10, low=-REACH, high=REACH),
        QFormat(bits=VALUE_BITS, low=-CORRECTION, high=CORRECTION),
    )
    net(network.refine, "refine", squares, added, bits=NARROW, activation_bits=9, gain=UNIT)
    config = {"kind": "picture", "groups": edges[1:], "hyper": len(network.hyper_noise), "block_bits": block_bits}
    model = Model.create(codec="rec.vae", config=config, tensors=tensors, attrs=attrs, name=name)
    return calibrated(model, images)


def _seen(network: Transform, x: Tensor) -> dict[nn.Module, NDArray[np.float32]]:
    """What the first layer of each network is given for images at all qualities."""
    found: dict[nn.Module, list[Tensor]] = {}
    encoder = network.hyper_encoder
    first = [
        encoder[0],
        encoder[3],
        network.hyper_decoder[0],
        *(cast(nn.Sequential, p)[0] for p in network.priors),
        network.refine[0],
    ]
    hooks = [
        layer.register_forward_pre_hook(lambda layer, given: found.setdefault(layer, []).append(given[0]))
        for layer in [*first, network.synthesis]
    ]
    with torch.inference_mode():
        for quality in range(len(network.noises)):
            network(x, torch.full((len(x),), quality))
    for hook in hooks:
        hook.remove()
    return {layer: torch.cat(given).float().numpy() for layer, given in found.items()}


def _information(noise: Tensor) -> NDArray[np.int16]:
    """In 64ths of a bit, of hyper-latents with these parameters of variance."""
    told = -32 * torch.sigmoid(noise.detach()).log2()
    return told.round().clamp(0, TOLD).numpy().astype(np.int16)


def _even(*shape: int) -> NDArray[np.int32]:
    return quantise(np.ones(shape), PRECISION).astype(np.int32)


def calibrated(model: Model, images: Sequence[NDArray[np.uint8]], *, rounds: int = 2) -> Model:
    """The same model with tables that fit the classes and the numbers chosen for images at all qualities."""
    for _ in range(rounds):
        picture = Picture(model)
        found = [Pictures(picture, quality).choose(image) for quality in range(picture.qualities) for image in images]
        size, tables, counts = picture.octaves.shape[1], [], np.full(picture.classes.shape, 1.0)
        for row in range(len(picture.octaves)):
            seen = [number for one in found for blocks, number in one.blocks if blocks.row == row and number.size]
            # where nothing was seen, any octave may come
            tables.append(calibrate(np.concatenate(seen) if seen else 1 << np.arange(size), size, smooth=True))
        for step, k in (pair for one in found for pair in one.kinds):
            counts[step] += np.bincount(k.reshape(-1), minlength=len(picture.boosts))
        octaves, classes = np.stack(tables).astype(np.int32), quantise(counts, PRECISION).astype(np.int32)
        model = model.replaced(tensors=model.tensors() | {"octaves": octaves, "classes": classes})
    return model
