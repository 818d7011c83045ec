"""From the variational autoencoder in floating point to a model in integers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_core import Model
from codecs_core.entropy import CategoricalMixture, QFormat
from codecs_core.exact import freeze
from codecs_core.learn import BITS_PER_NAT
from codecs_rec.calibration import arranged, block_tensors, finished, information
from codecs_rec.latents import Blocks
from codecs_rec.model import COEFFICIENT_BITS, MEAN_BITS, SCALE_BITS, VALUE_BITS, scales
from codecs_rec.network import COLOUR_SCALE_RANGE, Network
from codecs_rec.quantile import grid

#: Items that tables of indices are calibrated on.
CALIBRATION = 256


def frozen(
    network: Network,
    examples: NDArray[np.uint8],
    *,
    item_shape: tuple[int, ...],
    block_bits: float,
    attrs: dict[str, Any],
    name: str = "",
) -> Model:
    """Freeze a trained network; `examples` tell how large its activations grow, and how indices are distributed."""
    encoder, kind, pixels = network.freeze_encoder(examples), network.kind, examples.shape[1]
    means, log_scales = np.split(encoder(examples), 2, axis=1)
    m, s = means / (1 << MEAN_BITS), scales(log_scales)
    blocks = arranged(m[:CALIBRATION], s[:CALIBRATION], block_bits)
    reach = (int(grid()[-1]) >> (32 - Blocks.BITS)) + 2
    rng = np.random.default_rng(0)
    z = np.clip(np.floor((m + s * rng.standard_normal(m.shape)) * (1 << Blocks.BITS)), -reach, reach).astype(np.int64)
    latent = QFormat(bits=Blocks.BITS, low=-reach, high=reach)
    value = QFormat(bits=VALUE_BITS, low=-(64 << VALUE_BITS), high=(network.largest + 64) << VALUE_BITS)
    if kind == "colour":
        ends = [math.floor(limit * BITS_PER_NAT * (1 << SCALE_BITS)) for limit in COLOUR_SCALE_RANGE]
        targets = [value] * pixels + [QFormat(bits=SCALE_BITS, low=ends[0], high=ends[1])] * pixels
        decoder = freeze(network.decoder, z, latent, targets, gain=np.repeat([255.0, 4 * BITS_PER_NAT], pixels))
    else:
        decoder = freeze(network.decoder, z, latent, CategoricalMixture.LOGIT.within(-4096, 4096), gain=BITS_PER_NAT)
    more = block_tensors(blocks)
    if kind == "colour":
        coefficients = network.coefficients.detach().double().numpy() * (1 << COEFFICIENT_BITS)
        more["coefficients"] = np.clip(np.floor(coefficients + 0.5), -(1 << 12), 1 << 12).astype(np.int32)
    model = network.frozen("rec.vae-lossless", item_shape, {"encoder": encoder, "decoder": decoder}, **more)
    attrs = attrs | {"information": round(float(information(m, s).sum(1).mean()), 2), "blocks": blocks.count}
    return finished(model.replaced(attrs=attrs, name=name), examples[:CALIBRATION])
