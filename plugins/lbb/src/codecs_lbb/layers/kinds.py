"""The kinds of layers in one table: how a model file calls them, what codes, and what is trained."""

from __future__ import annotations

from typing import NamedTuple

from codecs_lbb.layers.actnorm import ActNorm
from codecs_lbb.layers.additive import Additive
from codecs_lbb.layers.affine import Affine
from codecs_lbb.layers.convolution import Convolution
from codecs_lbb.layers.factor_out import FactorOut
from codecs_lbb.layers.layer import Layer
from codecs_lbb.layers.logit import Logit
from codecs_lbb.layers.mixture_coupling import MixtureCoupling
from codecs_lbb.layers.squeeze import Squeeze


class Kind(NamedTuple):
    """A kind of layer.

    Parameters
    ----------
    coded
        The class in integers, whose `parse` reads a layer from a model file.
    trained
        Name of the class of `codecs_lbb.network`, whose `freeze` gives what `parse` reads. A name, since that package imports torch.
    """

    coded: type[Layer]
    trained: str


KINDS = {
    "logit": Kind(Logit, "Logit"),
    "squeeze": Kind(Squeeze, "Squeeze"),
    "actnorm": Kind(ActNorm, "ActNorm"),
    "convolution": Kind(Convolution, "Convolution"),
    "additive": Kind(Additive, "Additive"),
    "affine": Kind(Affine, "Affine"),
    "mixture": Kind(MixtureCoupling, "Mixture"),
    "factor": Kind(FactorOut, "FactorOut"),
}
