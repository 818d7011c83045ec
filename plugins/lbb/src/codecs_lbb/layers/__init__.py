"""Layers of flows as they code; `codecs_lbb.network` holds the same layers as they are trained, under the same names."""

from __future__ import annotations

from codecs_lbb.layers.convolution import Convolution
from codecs_lbb.layers.coupling import Additive, Affine
from codecs_lbb.layers.layer import Layer
from codecs_lbb.layers.masks import Channels, Checkerboard, Mask
from codecs_lbb.layers.mixture import Mixture
from codecs_lbb.layers.multiscale import FactorOut, Squeeze
from codecs_lbb.layers.pointwise import ActNorm, Logit

#: The kinds of layers by what a model file calls them. `parse` of each reads what `freeze` of its twin gives.
KINDS: dict[str, type[Layer]] = {
    "logit": Logit,
    "squeeze": Squeeze,
    "actnorm": ActNorm,
    "convolution": Convolution,
    "additive": Additive,
    "affine": Affine,
    "mixture": Mixture,
    "factor": FactorOut,
}

__all__ = [
    "KINDS",
    "ActNorm",
    "Additive",
    "Affine",
    "Channels",
    "Checkerboard",
    "Convolution",
    "FactorOut",
    "Layer",
    "Logit",
    "Mask",
    "Mixture",
    "Squeeze",
]
