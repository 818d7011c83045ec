"""Flows in floating point, as they are trained: layers of RealNVP, Glow and Flow++ on images of shape (n, channels, h, w).

A layer maps x to y and log |det dy/dx| in nats, summed over the batch. Only this package, `train` and `freeze` import torch;
`codecs_lbb.layers` holds the same layers as they code.
"""

from __future__ import annotations

from codecs_core.learn import Predictor
from codecs_lbb.network.convolution import Convolution
from codecs_lbb.network.coupling import Additive, Affine
from codecs_lbb.network.dequantiser import Dequantiser
from codecs_lbb.network.flow import Network
from codecs_lbb.network.kinds import flowpp, nice, realnvp
from codecs_lbb.network.mixture import Mixture
from codecs_lbb.network.multiscale import FactorOut, Squeeze
from codecs_lbb.network.pointwise import ActNorm, Logit

__all__ = [
    "ActNorm",
    "Additive",
    "Affine",
    "Convolution",
    "Dequantiser",
    "FactorOut",
    "Logit",
    "Mixture",
    "Network",
    "Predictor",
    "Squeeze",
    "flowpp",
    "nice",
    "realnvp",
]
