"""From the lossy autoencoder in floating point to a model in integers."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from codecs_core import Model
from codecs_core.entropy import QFormat
from codecs_core.exact import freeze
from codecs_rec.index import calibrate
from codecs_rec.lossy.model import CORRECTION, GREY, REACH, SEARCHED, LossyVAE
from codecs_rec.lossy.network import UNIT, Channel, Decoder
from codecs_rec.transform import VALUE_BITS


def frozen(
    network: Decoder,
    channel: Channel,
    x: Tensor,
    config: dict[str, Any],
    tensors: dict[str, NDArray[Any]],
    attrs: dict[str, Any],
    name: str,
) -> Model:
    """Freeze the network, and calibrate the tables of octaves on what searching chooses for items `x`."""
    network.eval()
    flat = (x.numpy() // (255 // config["largest"])).reshape(len(x), -1)

    centred = x.float() - GREY
    examples, span = [], QFormat(bits=10, low=-REACH, high=REACH)
    for noise in tensors["noises"].tolist():
        with torch.inference_mode():
            base = channel.synthesise(channel.sample(channel.analyse(centred), torch.full((len(x),), float(noise)))[0])
            seen = functional.pixel_unshuffle(base.permute(0, 3, 1, 2), network.squeeze).permute(0, 2, 3, 1).numpy()
        level = np.full((*seen.shape[:3], 1), 4 * noise)
        examples.append(np.concatenate([np.clip(np.floor(seen * 16), -REACH, REACH).astype(np.int64), level], 3))
    target = QFormat(bits=VALUE_BITS, low=-CORRECTION, high=CORRECTION)
    decoder = freeze(network.network, np.concatenate(examples), span, target, activation_bits=9, gain=UNIT)
    tensors |= decoder.tensors("decoder")
    model = Model.create(codec="rec.vae", config=config, tensors=tensors, attrs=attrs, name=name)
    return calibrated(model, flat)


def calibrated(model: Model, x: NDArray[np.uint8], *, rounds: int = 2) -> Model:
    """The same model with tables that fit the numbers chosen for items `x`, shape (n, pixels), at all qualities."""
    for _ in range(rounds):
        vae, found = LossyVAE(model), []
        y = vae.coefficients(x)
        for quality in range(vae.qualities):
            k = vae.classify(y, quality)
            number = vae.indices(y, k, quality, search=SEARCHED["smallest"])[1][..., 0]
            found.append((vae.rows(k, quality), number[number > 0]))
        rows, number = (np.concatenate(column) for column in zip(*found, strict=True))
        size = vae.octaves.shape[1]
        # where nothing was seen, any octave may come
        some = [number[rows == row] if (rows == row).any() else 1 << np.arange(size) for row in range(len(vae.octaves))]
        tables = np.stack([calibrate(seen, size, smooth=True) for seen in some]).astype(np.int32)
        model = model.replaced(tensors=model.tensors() | {"octaves": tables})
    return model
