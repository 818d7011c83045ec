"""Layers of flows as they code; `codecs_lbb.network` holds the same layers as they are trained."""

from __future__ import annotations

from codecs_lbb.layers.actnorm import ActNorm
from codecs_lbb.layers.additive import Additive
from codecs_lbb.layers.affine import Affine
from codecs_lbb.layers.convolution import Convolution
from codecs_lbb.layers.factor_out import FactorOut
from codecs_lbb.layers.layer import Layer
from codecs_lbb.layers.logit import Logit
from codecs_lbb.layers.masks import Channels, Checkerboard, Mask
from codecs_lbb.layers.mixture_coupling import MixtureCoupling
from codecs_lbb.layers.squeeze import Squeeze

__all__ = [
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
    "MixtureCoupling",
    "Squeeze",
]
