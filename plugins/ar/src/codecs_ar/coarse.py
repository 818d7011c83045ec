"""Networks of fewer bits: a file that embeds a model holds it compressed, so that digits which no weight has take no place there.

A network of `ar.image` goes on learning while it codes, so that it hardly matters how exact the weights are that it begins with.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_ar import probe
from codecs_ar.learner import BIAS_BITS, WEIGHT_BITS
from codecs_ar.model import Autoregression
from codecs_core import Model
from codecs_core.errors import ConfigError

#: The fewest fractional bits of weights; how many more biases have, and how many more digits the mantissas of priors.
FEWEST, BIAS_MORE, PRIOR_MORE = 3, 2, 8


def coarse(tensors: Mapping[str, NDArray[Any]], bits: int) -> dict[str, NDArray[Any]]:
    """The weights, biases and priors of a model, rounded: weights to `bits` fractional bits, from 3 to 20."""
    if not FEWEST <= bits <= WEIGHT_BITS:
        raise ConfigError(f"weights can have {FEWEST} to {WEIGHT_BITS} fractional bits, not {bits}")
    return {name: _rounded(name, tensor, bits) for name, tensor in tensors.items() if name != "probe"}


def coarser(model: Model, bits: int, name: str = "") -> Model:
    """A model of `ar.image` with weights of this number of fractional bits: another one, with a hash of its own.

    Raises
    ------
    ConfigError
        If `bits` is not from 3 to 20.
    ModelError
        If this is no model of `ar.image`.
    """
    tensors = coarse(model.tensors(), bits)
    tensors["probe"] = probe.tensor(Autoregression(model.config, tensors))
    attrs = {**model.attrs, "weight_bits": bits, "made_of": model.sha256}
    return model.replaced(tensors=tensors, attrs=attrs, name=name or model.name)


def _rounded(name: str, tensor: NDArray[Any], bits: int) -> NDArray[Any]:
    if name.endswith(".panel"):
        return tensor
    if name.endswith(".prior"):
        mantissa, exponent = np.frexp(tensor)
        return np.asarray(np.ldexp(np.rint(np.ldexp(mantissa, bits + PRIOR_MORE)), exponent - bits - PRIOR_MORE))
    spare = WEIGHT_BITS - bits if name.endswith(".weight") else max(0, BIAS_BITS - bits - BIAS_MORE)
    if not spare:
        return tensor
    units = (tensor.astype(np.int64) + (1 << (spare - 1))) >> spare
    # not above the largest one that 32 bits hold
    return np.asarray(np.minimum(units, np.iinfo(np.int32).max >> spare) << spare, np.int32)
