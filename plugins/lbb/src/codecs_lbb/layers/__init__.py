"""Layers of flows as they code; `codecs_lbb.network` holds the same layers as they are trained."""

from __future__ import annotations

from codecs_lbb.layers.convolution import Convolution
from codecs_lbb.layers.coupling import Additive, Affine
from codecs_lbb.layers.factor_out import FactorOut
from codecs_lbb.layers.layer import Layer
from codecs_lbb.layers.mixture_coupling import MixtureCoupling
from codecs_lbb.layers.pointwise import ActNorm, Logit
from codecs_lbb.layers.squeeze import Squeeze

__all__ = ["ActNorm", "Additive", "Affine", "Convolution", "FactorOut", "Layer", "Logit", "MixtureCoupling", "Squeeze"]
